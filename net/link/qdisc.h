/* SPDX-License-Identifier: MIT */
/*
 * Queueing disciplines: what waits for a device, in which order it leaves, and
 * what is dropped. An interface without one has the short queue of netif.c.
 * A discipline is a struct that begins with struct qdisc; tbf has another one
 * inside. All functions: softirq, or app with the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/limits.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/timer.h"

struct qdisc;

struct qdisc_operations {
    const char *name;
    bool is_passed_when_empty; /* as Linux's TCQ_F_CAN_BYPASS */
    /* Takes the packet, a whole frame; may drop it, or another one. */
    void (*enqueue)(struct qdisc *qdisc, struct packet *packet,
                    uint64_t now_ns);
    /* What leaves now, or NULL: nothing, or not before the discipline's timer
     * fires, which is then set. */
    struct packet *(*dequeue)(struct qdisc *qdisc, uint64_t now_ns);
    void (*clear)(struct qdisc *qdisc);
};

/* As `tc -s qdisc` names them; what was sent the interface counts. */
struct qdisc_counters {
    uint64_t dropped;
    uint64_t overlimits; /* had to wait for its rate */
    uint64_t requeues;   /* the device was busy */
    uint64_t marked;     /* by ECN */
};

struct qdisc {
    struct netif_queueing queueing; /* how netif.c reaches it */
    const struct qdisc_operations *operations;
    struct netif *netif;
    struct timer timer; /* the next packet's time */
    struct qdisc_counters counters;
    uint32_t backlog_packets;
};

/* What can be said of one. */
struct qdisc_settings {
    char name[16];
    char child[16];        /* of tbf */
    uint64_t rate_bytes_s; /* of tbf */
    uint32_t burst_bytes;  /* of tbf */
    uint32_t limit;        /* packets; 0: the discipline's own */
};

/* Makes the discipline the interface's. -EINVAL: no such discipline or not
 * such settings, -ENOMEM. Boot. */
int qdisc_attach(struct netif *netif,
                 const struct qdisc_settings *settings) MUST_CHECK;

/* The one of an interface, NULL: none. */
const struct qdisc *qdisc_of(const struct netif *netif);

/* Parses "fq_codel", "tbf,rate=10mbit,burst=16kb,child=fq_codel". False when
 * it is none of that. */
bool qdisc_parse(const char *text, struct qdisc_settings *settings) MUST_CHECK;

/* --- for the disciplines ------------------------------------------------- */

struct qdisc *qdisc_fifo_make(const struct qdisc_settings *settings);
struct qdisc *qdisc_prio_make(const struct qdisc_settings *settings);
struct qdisc *qdisc_tbf_make(const struct qdisc_settings *settings);
struct qdisc *qdisc_fq_codel_make(const struct qdisc_settings *settings);

/* By its name, from pool memory; NULL: no such, or no memory. */
struct qdisc *qdisc_make(const char *name,
                         const struct qdisc_settings *settings);

/* Packets a queue may hold: what is asked for, or `usual`, bounded by a part
 * of the pool. */
uint32_t qdisc_limit(const struct qdisc_settings *settings, uint32_t usual);

/* A packet that is not, or no longer, in the backlog. */
void qdisc_drop(struct qdisc *qdisc, struct packet *packet);

/* The IPv4 header of a frame, linear, or NULL: another protocol. */
struct ipv4_header *qdisc_ip_header(const struct packet *packet);
