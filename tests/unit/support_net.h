/* SPDX-License-Identifier: MIT */
/*
 * A stack in the simulated world with one card (eth0, 10.0.0.1/24, gateway
 * 10.0.0.254) and, at the other end of its cable, a peer that speaks frame by
 * frame: whatever a test builds is sent, whatever arrives is kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/arp.h"
#include "net/wire/ethernet.h"
#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"
#include "net/wire/udp.h"
#include "tests/host/device.h"
#include "tests/host/world.h"

#define OUR_ADDRESS     0x0a000001 /* 10.0.0.1 */
#define PEER_ADDRESS    0x0a000002
#define OTHER_ADDRESS   0x0a000003
#define GATEWAY_ADDRESS 0x0a0000fe
#define FAR_ADDRESS     0xc6336401 /* 198.51.100.1 */

enum {
    OUR_NUMBER = 1, /* last octet of the card's address */
    PEER_NUMBER = 2,
    RECEIVED_MAX = 4096,
};

struct test_frame {
    size_t length;
    uint8_t bytes[70000];
};

struct peer {
    struct world_port port;
    struct frame *received[RECEIVED_MAX];
    size_t count;
    /* Answers ARP requests for every address but ours. */
    bool answers_arp;
    /* Sees every frame, may answer; borrows it. NULL: nobody. */
    void (*react)(const struct frame *frame);
};

extern struct world_stack *stack;
extern struct device *device;
extern struct peer peer;

/* With a static address, or with the `ip=` word given (NULL: none). Nothing
 * has been received yet, and the peer is in the neighbour table or not. */
void net_world(void);
void net_world_with(const char *ip, size_t memory_size, uint32_t features);

/* Called before the interfaces are configured, if not NULL: for parts, more
 * cards, more words. */
extern void (*net_world_prepare)(void);

/* Another one: other secrets. */
extern uint64_t net_world_seed;

/* Makes the peer known, as an exchange of ARP would. */
void learn_peer(void);

/* Lets what is on its way arrive. */
void settle(void);

struct ethernet_address hardware(uint8_t number);

/* Building. Checksums and lengths are right until a test breaks them. */
void make_ethernet(struct test_frame *frame, uint16_t type, const void *payload,
                   size_t length);
void make_arp(struct test_frame *frame, uint16_t operation, uint8_t sender,
              uint32_t sender_address, uint8_t target, uint32_t target_address);
void make_ip(struct test_frame *frame, uint8_t protocol, uint32_t source,
             uint32_t destination, const void *payload, size_t length);
void make_udp(struct test_frame *frame, uint32_t source, uint16_t source_port,
              uint32_t destination, uint16_t destination_port,
              const void *payload, size_t length);
void make_icmp(struct test_frame *frame, uint32_t source, uint32_t destination,
               uint8_t type, uint8_t code, uint32_t rest, const void *payload,
               size_t length);

/* So many sockets, bound from port 6000 on, of whom each is sent so many
 * datagrams of a byte, which nobody reads. */
void flood_udp_sockets(uint16_t sockets, unsigned each);

/* Puts options (a multiple of 4 bytes) behind the IP header. */
void add_ip_options(struct test_frame *frame, const void *options,
                    size_t length);

/* After a change: the IP header's checksum, and the transport's. */
void fix_ip(struct test_frame *frame);
void fix_transport(struct test_frame *frame);

struct ethernet_header *ethernet_of(struct test_frame *frame);
struct ipv4_header *ip_of(struct test_frame *frame);
uint8_t *ip_payload_of(struct test_frame *frame);

/* Sends and lets it be worked on. */
void inject(const struct test_frame *frame);

/* What came back: the n-th of its kind, or NULL. */
void forget_received(void);
const struct ipv4_header *received_ip(uint8_t protocol, size_t n);
const struct icmp_header *received_icmp(size_t n);
const struct udp_header *received_udp(size_t n);
const struct arp_message *received_arp(size_t n);
size_t received_count(void);

/* Is every packet and buffer back where it belongs? Those that wait in
 * queues count as missing. */
size_t missing_packets(void);
size_t missing_buffers(void);

/* The value of a counter by its name. */
uint64_t counter_value(const char *name);

/* The IPv4 address as the transports take it. */
struct ip_address mapped(uint32_t address);
