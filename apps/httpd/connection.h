/* SPDX-License-Identifier: MIT */
/*
 * Connections: what each holds, and the queues that know which one has waited
 * longest. What is said on them is exchange.c.
 */
#pragma once

#include "loop.h"
#include "response.h"

struct options;

/* Each queue has one time limit, so new members go to the end and the first
 * member is always the next to expire. */
enum queue_kind {
    QUEUE_IDLE,   /* between requests */
    QUEUE_HEAD,   /* a head or a body is awaited: one limit for all of it */
    QUEUE_SEND,   /* the peer must take bytes */
    QUEUE_LINGER, /* all said; what still comes is thrown away */
    QUEUE_COUNT
};

struct connection {
    struct watch watch;
    struct connection *previous;
    struct connection *next;
    enum queue_kind queue;
    uint32_t address; /* of the peer, network order */
    uint64_t deadline_ms;
    uint64_t started_ns; /* first byte of the request in hand */

    char *input; /* NULL, or a buffer: bytes [start, start + length) */
    char *output;
    uint16_t input_start;
    uint16_t input_length;
    uint16_t scanned; /* of the input, known not to end a head */
    uint16_t output_start;
    uint16_t output_length;

    int16_t status;        /* of the streamed response, and its request line */
    struct slice log_line; /* in the input buffer, for the log */
    bool is_body_read;     /* the request's body has been discarded */
    bool is_answered;      /* something, since input was last awaited */
    bool is_closing;       /* after what is being sent */
    bool is_lingering;     /* read on after closing our side */
    uint64_t discard;      /* bytes of the request's body, or of lingering */
    uint64_t progress;     /* bytes sent in this period of QUEUE_SEND */
    uint64_t body_sent;
    struct body body;
};

void connections_init(const struct options *options);
/* Takes the descriptor, evicting when full. False, and it is closed, when
 * memory is short. */
bool connection_open(int descriptor, uint32_t address);
void connection_close(struct connection *connection);
/* To the end of that queue, with a new deadline. */
void connection_queue(struct connection *connection, enum queue_kind queue);
/* Closes the connection that can best be spared, other than `keep`; false if
 * all are busy. */
bool connections_evict(const struct connection *keep);
/* True if one more fits, or another can be spared for it. */
bool connections_have_room(void);
/* For poll: until the next deadline; -1 if there is none. */
int connections_timeout_ms(void);
/* Gives every connection whose time is over to exchange_expire. */
void connections_expire(void);
