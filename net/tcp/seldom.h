/* SPDX-License-Identifier: MIT */
/*
 * What a connection keeps only while it needs it, in an object of its own:
 * what came out of order, a duplicate to be told of, the search for a larger
 * MTU, the ends of urgent data. There are fewer objects than connections; who
 * finds none goes without: early segments are dropped, duplicates not told of,
 * nothing is searched, urgent data is data like any other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/tcp/queues.h"
#include "net/wire/sequence.h"

struct tcp_connection;

/* RFC 4821. */
struct tcp_mtu_search {
    uint16_t high;  /* search_high; 0: no search */
    uint16_t probe; /* the size of one in flight; 0: none */
    bool has_failed;
    struct seq32 probe_end;
    uint32_t retransmits; /* the connection's when the probe left */
    uint32_t not_before_s;
};

struct tcp_seldom {
    struct tcp_reassembly reassembly;
    struct tcp_mtu_search mtu;
    struct seq32 urgent_in;  /* the last urgent octet, if has_urgent */
    struct seq32 urgent_out; /* behind the last urgent octet, if is_urgent */
};

int seldoms_init(size_t count) MUST_CHECK;

/* The connection's, made if there is none; NULL: there is no memory. */
struct tcp_seldom *seldom_get(struct tcp_connection *c) MUST_CHECK;

/* Gives it back if there is nothing in it. */
void seldom_tidy(struct tcp_connection *c);
void seldom_release(struct tcp_connection *c);
/* Of a connection that ended: the mark in what is unread stays. */
void seldom_leave(struct tcp_connection *c);
