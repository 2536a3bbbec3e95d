/* SPDX-License-Identifier: MIT */
/*
 * See worst_moves.h. Numbers that a search has made up are cut to what a move
 * can mean; so every list of moves can be played.
 */
#include "tests/bench/worst_moves.h"

#include <stdio.h>
#include <string.h>

#include "tests/bench/worst_around.h"
#include "tests/bench/worst_crossing.h"
#include "tests/bench/worst_victim.h"

enum {
    REPEATS_MAX = 1200,
    OFFSET_MAX = 4 << 20, /* the largest window */
    WRITE_MAX = 1 << 16,
    FRAMES_MAX = 6000,
};

static void (*poll_now)(void);
static uint32_t acked;  /* of the victim's bytes */
static uint32_t frames; /* so far */
static int done;        /* by the last call; it may have failed */

static void give(void)
{
    if (frames++ < FRAMES_MAX)
        poll_now();
    victim.frame_length = 0;
}

static uint32_t payload_of(uint32_t value)
{
    return 1 + value % (MSS - 12); /* so much with any options */
}

/* Text in order: the window opens and moves. */
static void play_text(const struct move *move, uint32_t i)
{
    (void)i;
    victim.options_length = 0;
    build(ACK, 0, acked, payload_of(move->a));
    victim.our_seq += payload_of(move->a);
    give();
}

static void play_early(const struct move *move, uint32_t i)
{
    victim.options_length = 0;
    build(ACK, (move->a + i * (move->b % (4 * MSS))) % OFFSET_MAX, acked,
          payload_of(move->c));
    give();
}

/* The same from the far end on. */
static void play_reverse(const struct move *move, uint32_t i)
{
    struct move back = *move;

    back.a = move->a + (move->count % REPEATS_MAX) * (move->b % (4 * MSS));
    back.b = 0;
    back.a -= i * (move->b % (4 * MSS));
    play_early(&back, 0);
}

static uint32_t in_flight(void)
{
    return victim.sent - acked;
}

static void play_ack(const struct move *move, uint32_t i)
{
    (void)i;
    victim.options_length = 0;
    acked += move->a % (in_flight() + 1);
    build(ACK, 0, acked, move->c % 4 == 3 ? payload_of(move->b) : 0);
    give();
}

/* Blocks of what is in flight, upwards, `b` from one to the next. */
static void play_sack(const struct move *move, uint32_t i)
{
    uint32_t blocks = 1 + move->count % 4;
    uint32_t room = in_flight();

    victim.options_length = 0;
    for (uint32_t block = 0; room > 1 && block < blocks; block++) {
        uint32_t left = (move->a + (i * blocks + block) * move->b) % room;
        uint32_t length = 1 + move->c % (room - left);
        sack(acked + left, acked + left + length, block);
    }
    build(ACK, 0, acked, 0);
    give();
}

static void play_write(const struct move *move, uint32_t i)
{
    static uint8_t bytes[WRITE_MAX];

    (void)i;
    done = ends[0].call->tcp_write(victim.connection, bytes,
                                   1 + move->a % WRITE_MAX, 0, world_ns);
    end_leave(&ends[0]);
}

/* The app writes what it can, and a millisecond later something of it is
 * acknowledged: the window grows. */
static void play_flow(const struct move *move, uint32_t i)
{
    struct move part = {.a = WRITE_MAX - 1};

    for (uint32_t turn = 0; turn < 4; turn++)
        play_write(&part, i);
    victim_rest();
    world_ns += NS_PER_MS;
    part.a = in_flight() == 0 ? 0 : 1 + move->a % in_flight();
    play_ack(&part, i);
}

static void play_read(const struct move *move, uint32_t i)
{
    static uint8_t bytes[WRITE_MAX];

    (void)i;
    done = ends[0].call->tcp_read(victim.connection, bytes,
                                  1 + move->a % WRITE_MAX, 0, world_ns);
    end_leave(&ends[0]);
}

static void play_wait(const struct move *move, uint32_t i)
{
    (void)i;
    world_ns += (1 + move->a % 1000000) * NS_PER_US;
    if (ends[0].call->net_next_deadline() <= world_ns)
        ends[0].call->net_timer_softirq(world_ns);
    victim_rest();
}

static void play_window(const struct move *move, uint32_t i)
{
    (void)i;
    victim.window = (uint16_t)move->a;
    victim.options_length = 0;
    build(ACK, 0, acked, 0);
    give();
}

static void play_flags(const struct move *move, uint32_t i)
{
    victim.options_length = 0;
    build((uint8_t)(move->a & 63), move->b % OFFSET_MAX * (i + 1), acked,
          move->c % 2 == 0 ? 0 : payload_of(move->c));
    give();
}

/* Fragments: of which protocol, and where, by `b`. */
static void play_fragment(const struct move *move, uint32_t i)
{
    static const uint8_t protocols[4] = {IP_PROTOCOL_UDP, IP_PROTOCOL_ICMP,
                                         IP_PROTOCOL_TCP, IP_PROTOCOL_IGMP};
    uint32_t size = 8 * (1 + move->c % 180);
    uint32_t offset = (move->b / 8 + i * size / 8) & 0x1fff;
    uint32_t more = move->a % 4 == 3 && i + 1 == move->count ? 0 : 0x2000;

    build_ip(protocols[move->a / 4 % 4], offset | more, 34 + size);
    build_bytes(34, 0x08000000, 4);
    give();
}

/* ICMP about a segment of the connection: type and code by `a`. */
static void play_icmp(const struct move *move, uint32_t i)
{
    static const uint16_t kinds[6] = {0x0304, 0x0301, 0x0b00,
                                      0x0800, 0x0303, 0x0c00};
    uint32_t sum = 0;

    (void)i;
    build_ip(IP_PROTOCOL_ICMP, 0x4000, 34 + 8 + 28);
    build_bytes(34, (uint32_t)kinds[move->a % 6] << 16, 4);
    build_bytes(38, move->b & 0xffff, 4);
    build_bytes(42, 0x45000028, 4);
    build_bytes(46, 0x00004000, 4);
    build_bytes(50, 0x40060000, 4);
    build_bytes(54, 0x0a000001, 4);
    build_bytes(58, 0x0a000002, 4);
    build_bytes(62, (uint32_t)PORT << 16 | 1234, 4);
    build_bytes(66, victim.their_seq + acked, 4);
    for (size_t at = 34; at < 70; at += 2)
        sum += (uint32_t)victim.frame[at] << 8 | victim.frame[at + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    build_bytes(36, ~((sum & 0xffff) + (sum >> 16)), 2);
    give();
}

/* Anything in a datagram of a protocol. */
static void play_noise(const struct move *move, uint32_t i)
{
    uint32_t value = move->b + i;
    size_t length = 64 + move->c % 1400;

    build_ip((uint8_t)move->a, 0x4000, length);
    for (size_t at = 34; at + 4 <= length; at += 4) {
        build_bytes(at, value, 4);
        value = value * 1664525 + 1013904223;
    }
    give();
}

/* The same `count` times with `b` counted up. */
static void play_arp(const struct move *move, uint32_t i)
{
    around_arp(move->a, move->b + i, move->c);
    give();
}

static void play_query(const struct move *move, uint32_t i)
{
    around_query(move->a, move->b + i, move->c);
    give();
}

static void play_answer(const struct move *move, uint32_t i)
{
    around_answer(move->a, move->b + i, move->c);
    give();
}

static void play_offer(const struct move *move, uint32_t i)
{
    around_offer(move->a, move->b + i, move->c);
    give();
}

static void play_piece(const struct move *move, uint32_t i)
{
    around_piece(move->a + (move->a & 1) * i, move->b + i, move->c);
    give();
}

static void play_track(const struct move *move, uint32_t i)
{
    around_flow(move->a, move->b + i, move->c);
    give();
}

static void play_ask(const struct move *move, uint32_t i)
{
    around_ask(move->a + i);
}

static void play_service(const struct move *move, uint32_t i)
{
    (void)i;
    if (move->a % 3 == 0)
        around_guard();
    else if (move->a % 3 == 1)
        around_groups(move->b);
    else
        around_lease();
}

static void play_gateway(const struct move *move, uint32_t i)
{
    if (i != 0)
        return;
    crossing_begin(move->a);
    give();
}

static void play_cross(const struct move *move, uint32_t i)
{
    crossing_frame(move->a, move->b + i, move->c);
    give();
}

static void play_parcel(const struct move *move, uint32_t i)
{
    crossing_parcel(move->a, move->b, move->c, i,
                    1 + move->count % REPEATS_MAX);
    give();
}

static const struct {
    const char *name;
    void (*play)(const struct move *move, uint32_t i);
} kinds[] = {
    {"text", play_text},         {"early", play_early},
    {"reverse", play_reverse},   {"ack", play_ack},
    {"sack", play_sack},         {"write", play_write},
    {"read", play_read},         {"wait", play_wait},
    {"window", play_window},     {"flags", play_flags},
    {"fragment", play_fragment}, {"icmp", play_icmp},
    {"noise", play_noise},       {"flow", play_flow},
    {"arp", play_arp},           {"query", play_query},
    {"answer", play_answer},     {"offer", play_offer},
    {"piece", play_piece},       {"track", play_track},
    {"ask", play_ask},           {"service", play_service},
    {"gateway", play_gateway},   {"cross", play_cross},
    {"parcel", play_parcel},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

void moves_play(const struct moves *moves, void (*poll)(void))
{
    poll_now = poll;
    acked = 0;
    frames = 0;
    for (size_t i = 0; i < moves->count; i++) {
        const struct move *move = &moves->list[i];
        for (uint32_t j = 0; j < 1 + move->count % REPEATS_MAX; j++)
            kinds[move->kind % KINDS].play(move, j);
    }
}

/* --- files ---------------------------------------------------------------- */

bool moves_read(struct moves *moves, unsigned long *frame, const char *path)
{
    FILE *file = fopen(path, "r");
    char name[16];
    unsigned words[4];

    if (file == NULL || fscanf(file, "frame %lu", frame) != 1)
        return false;
    moves->count = 0;
    while (moves->count < MOVES_MAX &&
           fscanf(file, "%15s %u %u %u %u", name, &words[0], &words[1],
                  &words[2], &words[3]) == 5) {
        uint32_t kind = 0;
        while (kind + 1 < KINDS && strcmp(kinds[kind].name, name) != 0)
            kind++;
        moves->list[moves->count++] =
            (struct move){kind, words[0], words[1], words[2], words[3]};
    }
    (void)fclose(file);
    return moves->count != 0;
}

void moves_write(const struct moves *moves, unsigned long frame,
                 const char *path)
{
    FILE *file = path == NULL ? stdout : fopen(path, "w");

    if (file == NULL)
        fail("cannot write there");
    fprintf(file, "frame %lu\n", frame);
    for (size_t i = 0; i < moves->count; i++) {
        const struct move *move = &moves->list[i];
        fprintf(file, "%s %u %u %u %u\n", kinds[move->kind % KINDS].name,
                (unsigned)move->count, (unsigned)move->a, (unsigned)move->b,
                (unsigned)move->c);
    }
    if (path != NULL)
        (void)fclose(file);
}
