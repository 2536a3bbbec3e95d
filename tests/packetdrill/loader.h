/* SPDX-License-Identifier: MIT */
/*
 * What the loader knows of packets: TCP segments without options, from
 * 192.0.2.1 to 192.168.0.1.
 */
#pragma once

#include "tests/packetdrill/interface.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SERVER = 8080,
    PEER = 40001,
};

enum segment_flags {
    FIN = 1,
    SYN = 2,
    RST = 4,
    PSH = 8,
    ACK = 16,
};

struct tcp {
    uint32_t seq;
    uint32_t ack;
    unsigned flags;
    uint16_t from; /* ports */
    uint16_t to;
    size_t length; /* of the payload, zeros */
    long long time_us;
};

/* The loaded table, and its pointer. */
extern struct packetdrill_interface t;
extern void *u;

int inject(const struct tcp *segment);
int inject_datagram(uint16_t from, uint16_t to, size_t length);

/* The next packet; false if none comes, or not TCP. */
bool receive(struct tcp *segment);

/* --- loader_load.c -------------------------------------------------------- */

/* Loads the object as packetdrill does; start() gives it its flags, once a
 * process. */
void load(const char *file);
void start(const char *flags);

/* Counts for all processes of the loader. */
void check(bool holds, const char *claim);
int check_report(void);

long long now_us(void);
struct sockaddr_in address(const char *ip, uint16_t port);

/* --- loader.c ------------------------------------------------------------- */

int listen_at(uint16_t port);
void begin_handshake(uint16_t peer, uint16_t port, struct tcp *answer);
void end_handshake(const struct tcp *answer);

/* --- loader_edges.c ------------------------------------------------------- */

/* What needs a process of its own, each in one. */
void loader_edges(void);
