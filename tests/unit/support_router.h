/* SPDX-License-Identifier: MIT */
/*
 * The world of support_net.h with a router in it: eth0 as there (the peer is
 * outside, 10.0.0.0/24), and eth1, 192.168.1.1/24, at whose cable is the
 * inside: it answers ARP for everybody and keeps what it gets.
 */
#pragma once

#include "tests/unit/support_net.h"

#define INSIDE_ADDRESS 0xc0a80102 /* 192.168.1.2 */
#define INSIDE_ROUTER  0xc0a80101

enum {
    INSIDE_CARD = 3, /* last octets of hardware addresses */
    INSIDE_NUMBER = 4,
    INSIDE_MAX = 1024,
};

struct inside {
    struct world_port port;
    struct frame *received[INSIDE_MAX];
    size_t count;
    bool is_deaf; /* does not answer ARP */
};

extern struct device *inside_device;
extern struct inside inside;

/* Names and values of words, by turns, ended by NULL; NULL: none. */
extern const char *const *router_words;

void router_world(void);
/* ...with a rule file, and memory for flows. NULL: none. */
void router_world_with_rules(const char *rules);

/* Sends a frame, made for eth0, from the inside to eth1. */
void inject_inside(const struct test_frame *frame);

void forget_inside(void);
/* The n-th IPv4 packet that came inside, or NULL. */
const struct ipv4_header *inside_ip(size_t n);

/* A datagram from the peer to the inside, with so much payload. */
void make_transit(struct test_frame *frame, size_t length);

/* Injected, it is dropped for that reason, and nothing comes inside. */
void assert_transit_dropped(const struct test_frame *frame,
                            enum drop_reason reason);

bool is_header_sound(const struct ipv4_header *header);
