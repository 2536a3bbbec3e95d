/* SPDX-License-Identifier: MIT */
/*
 * Segments of bulk transfers in a router's world (support_router.h), taken from
 * eth0's ring in one turn.
 */
#pragma once

#include "net/wire/tcp.h"
#include "tests/unit/support_router.h"

enum { TEXT = 1448, TCP_OPTIONS = 12 };

/* Both cables' neighbours are known; counters are 0. */
void trains_start(void);

/* The n-th segment of a flow, with timestamps, as bulk transfers have them;
 * from the peer's port 4000 to port 80. */
void make_segment(struct test_frame *frame, uint32_t destination,
                  uint32_t number, size_t length);

struct tcp_header *tcp_of(struct test_frame *frame);
void set_source_port(struct test_frame *frame, uint16_t port);
uint16_t source_port_of(const struct ipv4_header *header);

/* One more frame of the device's turn. */
void put(const struct test_frame *frame);
void end_turn(void);

void assert_same_but_for_a_hop(const struct ipv4_header *got,
                               struct test_frame *frame);

/* What a segment may differ in from its neighbours; checksums are right. */
void differ_in_ttl(struct test_frame *frame);
void differ_in_tos(struct test_frame *frame);
void differ_in_identification(struct test_frame *frame);
void differ_in_fragment(struct test_frame *frame);
void differ_in_window(struct test_frame *frame);
void differ_in_ack(struct test_frame *frame);
void differ_in_option(struct test_frame *frame);
void differ_in_data_offset(struct test_frame *frame);
void be_fin(struct test_frame *frame);
void be_urgent(struct test_frame *frame);
void be_cwr(struct test_frame *frame);
void be_ece(struct test_frame *frame);
void be_reset(struct test_frame *frame);
void be_syn(struct test_frame *frame);
void overlap_by_one(struct test_frame *frame);
void leave_a_hole(struct test_frame *frame);
void repeat_the_first(struct test_frame *frame);
