/* SPDX-License-Identifier: MIT */
/*
 * Simulated cables between ports: what each direction does to the frames it
 * carries, by the world's seed alone. Two runs with one seed send the same
 * frames at the same times, which the trace hash shows. A frame too long for
 * the path is answered as a router would (RFC 1191), or vanishes; it is never
 * fragmented.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world_port;

struct frame {
    struct world_port *to; /* while it is under way */
    size_t length;
    uint8_t bytes[];
};

struct frame *frame_new(const void *bytes, size_t length);

/* What one direction of a cable does to frames. Zero is a perfect wire. */
struct world_path {
    uint64_t rate_bits_s; /* 0: infinite */
    uint64_t delay_ns;
    uint64_t jitter_ns;   /* up to so much more, in order */
    uint64_t queue_bytes; /* waiting to be sent; 0: no limit */
    uint32_t loss_ppm;
    /* Gilbert and Elliott: from frame to frame the path turns bad, or good
     * again; while it is bad, it loses so many. */
    uint32_t burst_enter_ppm;
    uint32_t burst_leave_ppm;
    uint32_t burst_loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm; /* one bit of an IPv4 frame flips */
    /* Two words of a long frame's payload change places, which no checksum
     * sees: for tests that must be able to fail. */
    uint32_t swap_ppm;
    uint32_t reorder_ppm; /* this many arrive reorder_ns late */
    uint64_t reorder_ns;
    uint32_t mtu;           /* of IPv4 packets; 0: any */
    bool is_black_hole;     /* nobody says that one was too long */
    bool is_cut;            /* for good */
    uint64_t flap_every_ns; /* every so often it is cut... */
    uint64_t flap_down_ns;  /* ...for so long */
};

/* One end of a cable. `arrive` owns the frame. */
struct world_port {
    void (*arrive)(struct world_port *port, struct frame *frame);
    struct world_port *other;
    struct world_path path; /* from here to the other end */
    uint64_t free_at_ns;    /* when the wire is done with the last frame */
    uint64_t arrived_ns;    /* when the last one arrives, jitter included */
    bool is_bad;            /* in a burst of losses */
    uint64_t sent;
    uint64_t lost; /* of them, whatever the reason */
    uint64_t too_long;
    uint64_t duplicated;
    uint64_t corrupted;
    uint64_t reordered;
};

void world_port_join(struct world_port *a, struct world_port *b);

/* Puts a frame on the wire and gives it away. Returns when its last bit has
 * left. */
uint64_t world_port_send(struct world_port *port, struct frame *frame);

/* Writes every frame any port sends from now on, in pcap format. NULL stops.
 * With WORLD_PCAP in the environment, each world_start() opens such a file:
 * $WORLD_PCAP-<process>-<count>.pcap. */
void world_capture(const char *path);
void capture_start(void);
void capture_frame(const struct frame *frame);

/* A hash of every frame sent since it was switched on, and when. */
void world_trace(bool on);
uint64_t world_trace_hash(void);
