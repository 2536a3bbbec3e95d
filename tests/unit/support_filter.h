/* SPDX-License-Identifier: MIT */
/*
 * Packets for the firewall, built whole and right, and their way through it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"
#include "net/wire/udp.h"
#include "tests/host/filter_path.h"

#define CLIENT 0xc0a80102 /* 192.168.1.2, behind eth1 */
#define OTHER  0xc0a80103
#define SERVER 0xcb007101 /* 203.0.113.1, behind eth0 */
#define WAN    PATH_WAN_ADDRESS
#define LAN    PATH_LAN_ADDRESS

enum { F = TCP_FIN, S = TCP_SYN, R = TCP_RST, A = TCP_ACK, P = TCP_PSH };

struct test_packet {
    uint8_t bytes[4096];
    size_t length;
};

/* Time of the next packet; tests move it. */
extern uint64_t test_now;

void start_filter(void);
void start_filter_with(size_t memory_size);
void load(const char *rules);

struct test_packet tcp_packet(uint32_t from, uint16_t from_port, uint32_t to,
                              uint16_t to_port, uint8_t flags);
/* Sequence, acknowledgement, payload bytes; after tcp_packet. */
void tcp_number(struct test_packet *packet, uint32_t sequence, uint32_t ack,
                size_t payload);
struct test_packet udp_packet(uint32_t from, uint16_t from_port, uint32_t to,
                              uint16_t to_port);
struct test_packet icmp_packet(uint32_t from, uint32_t to, uint8_t type,
                               uint16_t id);
/* About a packet, from some router on its way. */
struct test_packet icmp_error(uint32_t from, uint32_t to, uint8_t type,
                              uint8_t code, const void *about, size_t length);
void fix_packet(struct test_packet *packet);

const struct path_result *from_lan(const struct test_packet *packet);
const struct path_result *from_wan(const struct test_packet *packet);

/* Of a packet at the end of its way. */
uint32_t source_of(const void *bytes);
uint32_t destination_of(const void *bytes);
uint16_t source_port_of(const void *bytes);
uint16_t destination_port_of(const void *bytes);
bool is_intact(const void *bytes, size_t length);
unsigned state_of(const struct path_result *result);
