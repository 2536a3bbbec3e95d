/* SPDX-License-Identifier: MIT */
/*
 * ICMP: answers echoes, hands errors to the transports they concern, and
 * makes errors of our own within limits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/ip/ip.h"
#include "net/packet.h"
#include "net/wire/icmp.h"

/* As RFC 4293 icmpStats and icmpMsgStats. */
struct icmp_counters {
    uint64_t in_messages;
    uint64_t in_errors;
    uint64_t in_checksum_errors;
    uint64_t in_echos;
    uint64_t in_echo_replies;
    uint64_t in_unreachables;
    uint64_t in_time_exceeded;
    uint64_t in_parameter_problems;
    uint64_t in_redirects;
    uint64_t in_ignored;
    uint64_t out_messages;
    uint64_t out_echo_replies;
    uint64_t out_unreachables;
    uint64_t out_time_exceeded;
    uint64_t out_parameter_problems;
    uint64_t out_limited; /* by rate */
};

extern struct icmp_counters icmp_counters;

void icmp_init(void);

/* Whether echo requests are answered: the `icmp_echo_ignore_all` setting. */
void icmp_set_echo_ignored(bool is_ignored);

/* From ip_receive: data at the ICMP header. */
void icmp_receive(struct packet *packet, const struct ip_receive_info *info,
                  uint64_t now_ns);

/* About a packet whose IP header stands at its network offset; `octet` of it
 * is wrong. Only borrows the packet. */
void icmp_send_parameter_problem(const struct packet *packet, uint8_t octet,
                                 uint64_t now_ns);

/* Any error about a packet, data at its IP header or at the transport header,
 * if RFC 1122 3.2.2 and the rate limits allow; the checksum is filled in. Only
 * borrows the packet. */
void icmp_send_error(const struct packet *packet, struct icmp_header error,
                     uint64_t now_ns);

/* About a datagram of which `quote` is the beginning, that was not completed
 * in time. */
void icmp_send_time_exceeded(const uint8_t *quote, size_t length,
                             bool is_broadcast, uint64_t now_ns);
