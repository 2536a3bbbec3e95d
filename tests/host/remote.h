/* SPDX-License-Identifier: MIT */
/*
 * A peer made of frames: it answers ARP, and beyond that sends exactly the
 * TCP segments a test tells it to, and shows those it received. Formats are
 * written out here a second time, on purpose, so that an error in net/wire
 * does not confirm itself.
 */
#pragma once

#include "tests/host/device.h"

enum {
    REMOTE_QUEUE = 4096,
    REMOTE_OPTIONS = 40,
};

enum segment_flags {
    F = 0x01, /* FIN */
    S = 0x02, /* SYN */
    R = 0x04, /* RST */
    P = 0x08, /* PSH */
    A = 0x10, /* ACK */
    U = 0x20, /* URG */
};

/* A TCP segment as it is on the wire, in host order. */
struct segment {
    uint16_t source_port;
    uint16_t destination_port;
    uint32_t seq;
    uint32_t ack;
    uint16_t flags; /* the four reserved bits, too: 0x100 and up */
    uint16_t window;
    uint16_t urgent;
    uint8_t options[REMOTE_OPTIONS];
    size_t options_length;
    const uint8_t *payload; /* of one that was received: until the next take */
    size_t payload_length;
    uint64_t time_ns;    /* when it came */
    uint8_t data_offset; /* 0: as it should be */
    bool bad_checksum;   /* sends a wrong one; or: a wrong one came */
    /* Of what was received. */
    bool has_timestamp;
    bool has_sack_permitted;
    bool has_window_scale;
    uint32_t tsval;
    uint32_t tsecr;
    uint16_t mss;
    uint8_t window_scale;
    unsigned sack_count;
    uint32_t sack[4][2];
};

struct remote {
    struct world_port port;
    uint8_t mac[6];
    uint8_t target_mac[6];
    uint32_t address;
    uint32_t target; /* the stack's address */
    bool is_deaf;    /* does not answer ARP */
    uint64_t arp_requests;
    struct frame *queue[REMOTE_QUEUE];
    size_t head;
    size_t tail;
    struct frame *current;
    uint16_t identification;
};

/* One stack, 10.0.0.1/24, with a card of those features whose cable leads to
 * a remote at 10.0.0.2. */
struct bench {
    struct world_stack *stack;
    struct device *device;
    struct remote *remote;
};

struct bench bench_start(uint64_t seed, size_t memory_size);

/* Sends it from the remote at once; it arrives without delay. */
void remote_send(struct remote *remote, const struct segment *segment);

/* Any IPv4 payload: for protocols the remote does not know. What is longer than
 * an Ethernet frame, segments too, goes in fragments. */
void remote_send_ip(struct remote *remote, uint8_t protocol,
                    const uint8_t *payload, size_t length);
void remote_send_frame(struct remote *remote, const void *bytes, size_t length);

/* Runs until a TCP segment is there or `duration_ns` is over. */
bool remote_take_within(struct remote *remote, struct segment *segment,
                        uint64_t duration_ns);

/* The same within no time: what this instant brings. */
bool remote_take(struct remote *remote, struct segment *segment);

/* The next IPv4 packet that is not TCP, from its IP header on. */
bool remote_take_other(struct remote *remote, uint8_t *bytes, size_t size,
                       size_t *length);

/* Forgets what it received. */
void remote_forget(struct remote *remote);

/* One TCP connection as seen from the remote's side. */
struct dialogue {
    struct bench *bench;
    struct remote *remote;
    uint16_t port;       /* the remote's */
    uint16_t local_port; /* the stack's */
    uint32_t seq;        /* the remote's next */
    uint32_t ack;        /* what the stack will send next */
    uint32_t iss;        /* the stack's */
    uint16_t window;
    bool has_timestamps;
    uint32_t tsval;
    uint32_t tsecr;
    uint8_t syn_options[REMOTE_OPTIONS];
    size_t syn_options_length;
    struct segment got; /* the last one taken */
};

/* Sends with the dialogue's ports, timestamps and window, relative to its
 * numbers; does not advance them. */
void dialogue_send(struct dialogue *dialogue, uint16_t flags, uint32_t seq,
                   uint32_t ack, const void *payload, size_t length);

/* The three segments of a handshake; the stack listens, or connected. False
 * when something else came. */
bool dialogue_open(struct dialogue *dialogue);
bool dialogue_accept(struct dialogue *dialogue);

/* The next segment of this instant, or within the duration, into `got`. */
bool dialogue_take(struct dialogue *dialogue);
bool dialogue_take_within(struct dialogue *dialogue, uint64_t duration_ns);
