/* SPDX-License-Identifier: MIT */
/*
 * What one frame can cost at worst: queues are filled as far as their limits
 * let a peer fill them, and then comes the frame that touches all of it. Each
 * scene marks that one frame for callgrind (host_run --worst). A scene is made
 * here by hand, or of a file of moves that worst_search.c has found.
 *
 * usage: worst                       names of the scenes made by hand
 *        worst SCENE | FILE          runs one
 *        worst --search SEED ROUNDS [FILE [crossing]]   and saves what it
 *        finds; "crossing": among frames through a gateway alone
 */
#include <stdio.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "tests/bench/worst_crossing.h"
#include "tests/bench/worst_moves.h"
#include "tests/bench/worst_victim.h"

enum {
    EARLY = 1000, /* segments that come too early */
};

/* What is to be seen when the frame has come; NULL: nothing. */
static bool (*is_reached)(void);

static bool loses_all(void)
{
    struct tcp_status status;

    ends[0].call->tcp_get_status(victim.connection, &status);
    return status.lost + 65536 > status.flight;
}

/* The window must be open for what comes early: data first. */
static void fill_early(uint32_t step, size_t payload)
{
    victim_connect();
    for (uint32_t i = 0; i < 4; i++) {
        segment(ACK, i * MSS, 0, MSS);
        if (ends[0].call->tcp_read(victim.connection, victim.frame, MSS, 0,
                                   world_ns) <= 0)
            fail("tcp_read");
        end_leave(&ends[0]);
    }
    victim.our_seq += 4 * MSS;
    for (uint32_t i = 1; i <= EARLY; i++)
        segment(ACK, i * step, 0, payload);
}

/* ---- scenes: the last build() is measured ---------------------------------
 */

static void early_in_the_middle(void)
{
    fill_early(4, 1);
    build(ACK, EARLY / 2 * 4 + 2, 0, 1);
}

static void early_over_all(void)
{
    fill_early(2, 1);
    build(ACK, 1, 0, MSS);
}

static void hole_filled(void)
{
    fill_early(1, 1);
    build(ACK, 0, 0, 1);
}

static void hole_filled_by_full_ones(void)
{
    fill_early(MSS, MSS);
    build(ACK, 0, 0, MSS);
}

static void reset_with_early(void)
{
    fill_early(2, 1);
    build(RST, 0, 0, 0);
}

/* The victim has much in flight; SACK blocks cut it to pieces. */
static uint32_t fly(void)
{
    static uint8_t bytes[1 << 16];
    uint32_t acked = 0;
    uint32_t sent = 0;

    victim_connect();
    for (int turn = 0; turn < 200 && sent - acked < 1000 * MSS; turn++) {
        int done;
        while ((done = ends[0].call->tcp_write(victim.connection, bytes,
                                               sizeof(bytes), 0, world_ns)) > 0)
            end_leave(&ends[0]);
        end_leave(&ends[0]);
        for (uint32_t i = ends[0].sent_free; i != ends[0].sent_end; i++) {
            const struct packet *packet = ends[0].sent[i % END_RING];
            sent += packet->fragments_length;
        }
        ends[0].sent_first = ends[0].sent_end;
        (void)end_poll(&ends[0]);
        world_ns += NS_PER_MS;
        if (sent - acked < 1000 * MSS && sent > acked + 2 * MSS) {
            acked += 2 * MSS * (uint32_t)(1 + (sent - acked) / (8 * MSS));
            segment(ACK, 0, acked, 0);
        }
    }
    return acked;
}

/* Every other segment is said to have arrived. */
static uint32_t cut_to_pieces(void)
{
    uint32_t acked = fly();

    for (uint32_t at = 1; at < 400; at += 2) {
        for (size_t block = 0; block < 3; block++) {
            uint32_t left = acked + (at + 2 * (uint32_t)block) * MSS;
            sack(left, left + MSS, block);
        }
        segment(ACK, 0, acked, 0);
    }
    return acked;
}

static void sack_of_many(void)
{
    uint32_t acked = cut_to_pieces();

    for (size_t block = 0; block < 4; block++)
        sack(acked + (100 + 200 * (uint32_t)block) * MSS + 1,
             acked + (240 + 200 * (uint32_t)block) * MSS - 1, block);
    build(ACK, 0, acked, 0);
}

/* The last segment arrived, long after what was sent before it at many times:
 * all of that is lost at once. */
static void sack_that_loses_all(void)
{
    uint32_t acked = fly();

    for (int i = 0; i < 120; i++) {
        world_ns += NS_PER_MS / 4;
        acked += 2 * MSS;
        segment(ACK, 0, acked, 0);
    }
    world_ns += 50 * NS_PER_MS;
    sack(victim.sent - MSS, victim.sent, 0);
    build(ACK, 0, acked, 0);
    is_reached = loses_all;
}

static void ack_of_pieces(void)
{
    uint32_t acked = cut_to_pieces();

    victim.options_length = 0;
    build(ACK, 0, acked + 800 * MSS, 0);
}

static void ack_of_much(void)
{
    uint32_t acked = fly();

    victim.options_length = 0;
    build(ACK, 0, acked + 900 * MSS, 0);
}

static void reset_with_flight(void)
{
    (void)cut_to_pieces();
    victim.options_length = 0;
    build(RST | ACK, 0, 0, 0);
}

/* The last of the pieces of a datagram of 64 KiB. */
static void last_fragment(void)
{
    victim_connect();
    for (uint32_t i = 1; i < 110; i++) {
        build_ip(IP_PROTOCOL_UDP, 0x2000 | (i * 576 / 8), 34 + 576);
        victim_poll();
    }
    build_ip(IP_PROTOCOL_UDP, 110 * 576 / 8, 34 + 100);
    victim_poll();
    build_ip(IP_PROTOCOL_UDP, 0x2000, 34 + 576);
    build_bytes(34, 1, 2);
    build_bytes(36, 2, 2);
    build_bytes(38, 110 * 576 + 100, 2);
    build_bytes(40, 0, 2);
}

static const struct {
    const char *name;
    void (*prepare)(void);
} scenes[] = {
    {"early-in-the-middle", early_in_the_middle},
    {"early-over-all", early_over_all},
    {"hole-filled", hole_filled},
    {"hole-filled-full", hole_filled_by_full_ones},
    {"reset-with-early", reset_with_early},
    {"sack-of-many", sack_of_many},
    {"sack-that-loses-all", sack_that_loses_all},
    {"ack-of-pieces", ack_of_pieces},
    {"ack-of-much", ack_of_much},
    {"reset-with-flight", reset_with_flight},
    {"last-fragment", last_fragment},
    {"crossing", crossing_plain},
    {"crossing-ports-taken", crossing_ports_taken},
    {"crossing-error", crossing_error},
    {"crossing-hop", crossing_hop},
    {"crossing-last-fragment", crossing_last_fragment},
    {"crossing-small-fragments", crossing_small_fragments},
};

enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static const char *measured;
static unsigned long frames_before;

/* The frame that was built, by itself. */
static void measure(void)
{
    char mark[64];
    const char *slash = strrchr(measured, '/');

    (void)snprintf(mark, sizeof(mark), "%s:1",
                   slash == NULL ? measured : slash + 1);
    victim_rest();
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    (void)end_poll(&ends[0]);
    CALLGRIND_DUMP_STATS_AT(mark);
    CALLGRIND_STOP_INSTRUMENTATION;
    if (is_reached != NULL && !is_reached())
        fail("the scene does not reach what it is named for");
}

static void poll_of_file(void)
{
    if (frames_before-- == 1) {
        measure();
    } else {
        victim_rest();
        victim_poll();
    }
}

static int play_file(const char *path)
{
    struct moves moves;

    if (!moves_read(&moves, &frames_before, path))
        fail("no such scene, and no such file");
    victim_connect();
    moves_play(&moves, poll_of_file);
    return 0;
}

int main(int count, char **words)
{
    if (count >= 4 && strcmp(words[1], "--search") == 0)
        return worst_search(words[2], words[3], count > 4 ? words[4] : NULL,
                            count > 5);
    if (count > 1)
        measured = words[1];
    for (size_t i = 0; i < SCENES; i++) {
        if (count == 1) {
            printf("%s\n", scenes[i].name);
        } else if (strcmp(measured, scenes[i].name) == 0) {
            scenes[i].prepare();
            measure();
            return 0;
        }
    }
    return count == 1 ? 0 : play_file(measured);
}
