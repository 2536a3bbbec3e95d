/* SPDX-License-Identifier: MIT */
/*
 * The streams of the test under way: moving bytes and datagrams as fast as was
 * asked for, and counting them. Datagrams of all streams go through one socket
 * and are told apart by their sender.
 */
#pragma once

#include "loop.h"
#include "parameters.h"

#include <netinet/in.h>

struct stream {
    struct watch watch; /* TCP */
    struct sockaddr_in peer;
    bool is_sender;
    bool is_broken;   /* the peer closed it: nothing more will come or go */
    uint64_t bytes;   /* since the omitted seconds; so are the others */
    uint64_t packets; /* the highest number seen, or how many were sent */
    uint64_t lost;
    uint64_t omitted_packets;
    uint64_t omitted_lost;
    uint64_t pace_ns; /* when the next block may go */
    int64_t transit_ns;
    double jitter_s;
    int retransmits; /* TCP and sending; else -1 */
    int omitted_retransmits;
};

/* The socket of datagrams, for ever. False, with errno set. */
bool streams_init(unsigned port);

/* For one test. `parameters` stays. */
void streams_begin(const struct parameters *parameters, struct in_addr peer);
/* Takes over a connection that has said the cookie; closed when all are there.
 */
void streams_take(struct watch *from);
/* True when all that were asked for are there. Until then, datagrams of the
 * peer are new streams. */
bool streams_are_complete(void);
void streams_start(uint64_t now_ns);
/* Sends what pacing allows. Returns ms until it wants to be called; -1: not. */
int streams_run(uint64_t now_ns);
/* The omitted seconds are over: counting begins. */
void streams_omit(void);
/* Counts what is to be told of them, and closes them. */
void streams_end(void);

unsigned streams_count(void);
const struct stream *streams_at(unsigned index);
/* Moves whenever a byte does. */
uint64_t streams_activity(void);
