/* SPDX-License-Identifier: MIT */
/*
 * One connection in SYN-RECEIVED that a listener waits for, as the files that
 * make, keep and complete it see it: half_open.c keeps them, syn.c answers
 * and completes them, syn_cookie.c does so for those nobody keeps.
 */
#pragma once

#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/listen.h"

struct half_open {
    struct tcp_node node; /* value: the peer's MSS */
    struct tcp_listener *listener;
    struct half_open *next;
    struct half_open *previous;
    struct seq32 iss;
    struct seq32 irs;
    uint32_t ts_recent;
    uint32_t expires_ms;
    uint32_t timestamp_offset;
    struct ip_hop hop; /* by which it was answered last, if its MTU is not 0 */
    uint8_t window_scale;
    uint8_t retries;
};

_Static_assert(sizeof(struct half_open) <= 96, "a SYN costs no more");

enum {
    HAS_TIMESTAMPS = 1 << 0,
    HAS_WINDOW_SCALE = 1 << 1,
    HAS_SACK = 1 << 2,
    IS_COOKIE = 1 << 3, /* not an object of the pool */
    HAS_ECN = 1 << 5,
    IS_DEFERRED = 1 << 4, /* acknowledged, but data is waited for */
};

static inline uint32_t milliseconds(uint64_t now_ns)
{
    return (uint32_t)(now_ns / NS_PER_MS);
}

/* A SYN that asks for ECN. RFC 3168 6.1.1: both flags, and not capable itself:
 * one that is was tampered with. */
static inline bool ecn_is_asked(const struct tcp_segment *segment)
{
    return (segment->ecn & (TCP_ECE | TCP_CWR | ECN_MASK)) ==
               (TCP_ECE | TCP_CWR) &&
           tcp_settings.ecn != 0;
}

static inline uint32_t half_open_wait_ms(unsigned retries)
{
    return (uint32_t)(TCP_SYN_ACK_RTO_NS / NS_PER_MS) << retries;
}

/* What a SYN-ACK offers: its window, and the MSS for one by that route. */
static inline uint16_t listener_window(const struct tcp_listener *listener)
{
    return (uint16_t)smaller(listener->options.receive_buffer, TCP_WINDOW_MAX);
}

static inline uint16_t listener_mss(const struct tcp_listener *listener,
                                    const struct ip_hop *hop)
{
    return tcp_options_mss(&listener->options, netif_by_index(hop->netif)->mtu);
}

/* What the SYN says, as far as we take part in it. */
void half_open_read_syn(struct half_open *h, struct tcp_listener *listener,
                        const struct tcp_tuple *tuple,
                        const struct tcp_segment *segment);

/* The handshake is complete: into the accept queue with it, if there is
 * room. */
void half_open_offer(struct half_open *h, struct packet *packet,
                     struct tcp_segment *segment, uint64_t now_ns);

/* One that is no longer in the table. */
void half_open_free(struct half_open *h);
