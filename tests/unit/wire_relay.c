/* SPDX-License-Identifier: MIT */
/* test-links: tests/host/wire_fate.c tests/host/wire_lane.c */
/* test-links: tests/host/wire_queue.c tests/host/wire_options.c */
/* test-links: tests/host/wire_name.c */
/* What the relay of the image tests does to frames is repeatable, and as
 * frequent as asked. */
#include "tests/host/wire_lane.h"
#include "tests/host/wire_options.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 200000, FRAME = 100 };

static const uint64_t MS = 1000000;
static struct wire_lane lane;

static void setup(void)
{
    while (wire_queue_first(&lane.queue) != NULL) {
        free(wire_queue_take(&lane.queue));
    }
    memset(&lane, 0, sizeof(lane));
}

/* Sends one frame that carries `mark` in its first byte. */
static void receive(uint64_t now_ns, uint8_t mark, size_t length)
{
    uint8_t bytes[2000] = {mark};
    wire_lane_receive(&lane, now_ns, bytes, length);
}

/* The mark of the frame due now, or -1. */
static int take(uint64_t now_ns)
{
    struct wire_frame *frame = wire_lane_take(&lane, now_ns);
    int mark = frame == NULL ? -1 : frame->bytes[0];
    free(frame);
    return mark;
}

TestSuite(wire_relay, .init = setup, .fini = setup);

Test(wire_relay, the_same_seed_draws_the_same_fates)
{
    struct wire_settings settings = {.loss_ppm = 100000,
                                     .duplicate_ppm = 100000,
                                     .reorder_ppm = 100000,
                                     .corrupt_ppm = 100000,
                                     .jitter_ns = MS};
    for (uint64_t number = 0; number < 1000; number++) {
        struct wire_fate one = wire_fate_draw(&settings, 7, 0, number, FRAME);
        struct wire_fate two = wire_fate_draw(&settings, 7, 0, number, FRAME);
        cr_assert_eq(one.is_lost, two.is_lost);
        cr_assert_eq(one.is_duplicated, two.is_duplicated);
        cr_assert_eq(one.is_reordered, two.is_reordered);
        cr_assert_eq(one.is_corrupted, two.is_corrupted);
        cr_assert_eq(one.corrupt_bit, two.corrupt_bit);
        cr_assert_eq(one.delay_ns, two.delay_ns);
    }
}

static unsigned int count_equal_losses(uint64_t seed, unsigned int direction)
{
    struct wire_settings settings = {.loss_ppm = 500000};
    unsigned int equal = 0;
    for (uint64_t number = 0; number < 1000; number++) {
        equal +=
            wire_fate_draw(&settings, 7, 0, number, FRAME).is_lost ==
            wire_fate_draw(&settings, seed, direction, number, FRAME).is_lost;
    }
    return equal;
}

Test(wire_relay, another_seed_or_direction_draws_other_fates)
{
    cr_assert_eq(count_equal_losses(7, 0), 1000);
    cr_assert(count_equal_losses(8, 0) < 600);
    cr_assert(count_equal_losses(7, 1) < 600);
}

Test(wire_relay, one_kind_of_damage_does_not_move_another)
{
    struct wire_settings loss = {.loss_ppm = 100000};
    struct wire_settings all = {.loss_ppm = 100000,
                                .duplicate_ppm = 500000,
                                .corrupt_ppm = 500000,
                                .reorder_ppm = 500000};
    for (uint64_t number = 0; number < 1000; number++) {
        cr_assert_eq(wire_fate_draw(&loss, 3, 0, number, FRAME).is_lost,
                     wire_fate_draw(&all, 3, 0, number, FRAME).is_lost);
    }
}

Test(wire_relay, rates_are_near_the_asked_ones)
{
    struct wire_settings settings = {.loss_ppm = 20000,
                                     .duplicate_ppm = 10000,
                                     .reorder_ppm = 20000,
                                     .corrupt_ppm = 5000};
    unsigned int lost = 0, doubled = 0, reordered = 0, corrupted = 0;
    for (uint64_t number = 0; number < MANY; number++) {
        struct wire_fate fate = wire_fate_draw(&settings, 1, 1, number, FRAME);
        lost += fate.is_lost;
        doubled += fate.is_duplicated;
        reordered += fate.is_reordered;
        corrupted += fate.is_corrupted;
    }
    /* Four standard deviations of a binomial are below 8 % of each. */
    cr_assert(abs((int)lost - 4000) < 320, "lost %u of 4000", lost);
    cr_assert(abs((int)doubled - 2000) < 180, "doubled %u of 2000", doubled);
    cr_assert(abs((int)reordered - 4000) < 320, "reordered %u", reordered);
    cr_assert(abs((int)corrupted - 1000) < 128, "corrupted %u", corrupted);
}

Test(wire_relay, the_ends_of_the_scale_mean_never_and_always)
{
    struct wire_settings never = {0};
    struct wire_settings always = {.loss_ppm = 1000000};
    for (uint64_t number = 0; number < 1000; number++) {
        cr_assert_not(wire_fate_draw(&never, 1, 0, number, FRAME).is_lost);
        cr_assert(wire_fate_draw(&always, 1, 0, number, FRAME).is_lost);
    }
}

Test(wire_relay, the_spoilt_bit_lies_within_the_frame)
{
    struct wire_settings settings = {.corrupt_ppm = 1000000};
    bool is_hit[FRAME] = {false};
    for (uint64_t number = 0; number < 10000; number++) {
        size_t bit = wire_fate_draw(&settings, 1, 0, number, FRAME).corrupt_bit;
        cr_assert(bit < FRAME * 8);
        is_hit[bit / 8] = true;
    }
    for (size_t i = 0; i < FRAME; i++) {
        cr_assert(is_hit[i], "byte %zu is never spoilt", i);
    }
}

Test(wire_relay, corruption_turns_exactly_one_bit)
{
    lane.settings.corrupt_ppm = 1000000;
    uint8_t bytes[FRAME] = {0};
    wire_lane_receive(&lane, 0, bytes, FRAME);
    struct wire_frame *frame = wire_lane_take(&lane, 0);
    cr_assert_not_null(frame);
    unsigned int bits = 0;
    for (size_t i = 0; i < FRAME; i++) {
        bits += (unsigned int)__builtin_popcount(frame->bytes[i]);
    }
    free(frame);
    cr_assert_eq(bits, 1);
}

/* A frame of TCP over IPv4 from port 1 to port 2. */
static size_t make_segment(uint8_t *bytes, uint32_t seq, uint32_t ack,
                           uint8_t flags, size_t length)
{
    size_t total = 40 + length;
    memset(bytes, 0, 14 + total);
    bytes[12] = 8;
    bytes[14] = 0x45;
    bytes[16] = (uint8_t)(total >> 8);
    bytes[17] = (uint8_t)total;
    bytes[23] = 6;
    bytes[35] = 1;
    bytes[37] = 2;
    for (int i = 0; i < 4; i++) {
        bytes[38 + i] = (uint8_t)(seq >> (24 - 8 * i));
        bytes[42 + i] = (uint8_t)(ack >> (24 - 8 * i));
    }
    bytes[46] = 0x50;
    bytes[47] = flags;
    return 14 + total;
}

static uint64_t name_of(uint32_t seq, uint32_t ack, uint8_t flags,
                        size_t length)
{
    uint8_t bytes[3000];
    size_t frame = make_segment(bytes, seq, ack, flags, length);
    return wire_name(&lane.names, bytes, frame);
}

enum { SYN = 2, ACKS = 16, UNIT = WIRE_NAME_UNIT };

Test(wire_relay, text_is_named_by_where_it_stands_and_how_often_it_came)
{
    (void)name_of(99, 0, SYN, 0);
    uint64_t first = name_of(100 + UNIT, 500, ACKS, UNIT);
    uint64_t again = name_of(100 + UNIT, 500, ACKS, UNIT);
    cr_assert_neq(first, again);
    cr_assert_neq(name_of(100 + 2 * UNIT, 500, ACKS, UNIT), first);
    (void)name_of(7099, 0, SYN, 0); /* another connection */
    (void)name_of(7100, 900, ACKS, UNIT);
    cr_assert_eq(name_of(7100 + UNIT, 900, ACKS, UNIT), first);
    cr_assert_eq(name_of(7100 + UNIT, 900, ACKS, UNIT), again);
}

Test(wire_relay, text_cut_elsewhere_is_named_by_the_octet_it_holds)
{
    (void)name_of(99, 0, SYN, 0);
    uint64_t whole = name_of(100 + UNIT, 500, ACKS, UNIT);
    (void)name_of(199, 0, SYN, 0);
    uint64_t shifted = name_of(200 + UNIT - 100, 500, ACKS, UNIT);
    cr_assert_eq(shifted, whole);
    cr_assert_neq(name_of(200 + UNIT + 1, 500, ACKS, 100), whole);
}

Test(wire_relay, an_ack_is_named_by_what_it_acknowledges)
{
    (void)name_of(99, 0, SYN, 0);
    (void)name_of(100, 500, ACKS, 0);
    uint64_t first = name_of(100, 500 + 3 * UNIT, ACKS, 0);
    uint64_t second = name_of(100, 500 + 3 * UNIT, ACKS, 0);
    (void)name_of(8099, 0, SYN, 0);
    (void)name_of(8100, 40, ACKS, 0);
    cr_assert_eq(name_of(8100, 40 + 3 * UNIT, ACKS, 0), first);
    cr_assert_eq(name_of(8100, 40 + 3 * UNIT, ACKS, 0), second);
    cr_assert_neq(first, second);
}

Test(wire_relay, what_belongs_to_no_known_connection_is_counted)
{
    uint8_t arp[60] = {0};
    uint64_t first = wire_name(&lane.names, arp, sizeof(arp));
    cr_assert_neq(wire_name(&lane.names, arp, sizeof(arp)), first);
    (void)name_of(99, 0, SYN, 0);
    cr_assert_eq(wire_name(&lane.names, arp, sizeof(arp)), first);
    for (size_t length = 0; length < 54; length++) { /* cut short */
        uint8_t bytes[100];
        (void)make_segment(bytes, 100, 0, ACKS, 40);
        (void)wire_name(&lane.names, bytes, length);
    }
}

/* The numbers of frames between say nothing then. */
Test(wire_relay, by_data_the_same_octets_are_lost_whatever_comes_between)
{
    uint64_t lost[2][100];
    lane.settings.loss_ppm = 300000;
    lane.is_by_data = true;
    lane.seed = 5;
    for (int run = 0; run < 2; run++) {
        uint8_t bytes[3000];
        uint32_t first = run == 0 ? 100 : 4000;
        wire_lane_receive(&lane, 0, bytes,
                          make_segment(bytes, first - 1, 0, SYN, 0));
        for (uint32_t i = 0; i < 100; i++) {
            uint64_t before = lane.counters.lost;
            size_t length =
                make_segment(bytes, first + i * UNIT, 1, ACKS, UNIT);
            wire_lane_receive(&lane, 0, bytes, length);
            lost[run][i] = lane.counters.lost - before;
            if (run == 1) {
                receive(0, 1, FRAME);
            }
        }
    }
    cr_assert_arr_eq(lost[0], lost[1], sizeof(lost[0]));
}

Test(wire_relay, a_clean_wire_carries_at_once_and_in_order)
{
    for (uint8_t mark = 0; mark < 100; mark++) {
        receive(5, mark, FRAME);
    }
    for (int mark = 0; mark < 100; mark++) {
        cr_assert_eq(take(5), mark);
    }
    cr_assert_eq(take(5), -1);
    cr_assert_eq(wire_lane_next_ns(&lane), UINT64_MAX);
}

Test(wire_relay, a_frame_is_not_out_before_its_delay)
{
    lane.settings.delay_ns = 20 * MS;
    receive(0, 1, FRAME);
    cr_assert_eq(take(20 * MS - 1), -1);
    cr_assert_eq(wire_lane_next_ns(&lane), 20 * MS);
    cr_assert_eq(take(20 * MS), 1);
}

Test(wire_relay, jitter_keeps_the_order)
{
    lane.settings.jitter_ns = 10 * MS;
    for (uint8_t mark = 0; mark < 200; mark++) {
        receive(mark * MS / 100, mark, FRAME);
    }
    for (int mark = 0; mark < 200; mark++) {
        cr_assert_eq(take(1000 * MS), mark);
    }
}

Test(wire_relay, a_reordered_frame_is_overtaken)
{
    lane.settings.reorder_by_ns = 2 * MS;
    lane.settings.reorder_ppm = 1000000;
    receive(0, 1, FRAME);
    lane.settings.reorder_ppm = 0;
    receive(MS, 2, FRAME);
    cr_assert_eq(take(2 * MS), 2);
    cr_assert_eq(take(2 * MS), 1);
    cr_assert_eq(lane.counters.reordered, 1);
}

Test(wire_relay, a_doubled_frame_comes_twice)
{
    lane.settings.duplicate_ppm = 1000000;
    receive(0, 9, FRAME);
    cr_assert_eq(take(0), 9);
    cr_assert_eq(take(0), 9);
    cr_assert_eq(take(0), -1);
    cr_assert_eq(lane.counters.duplicated, 1);
}

Test(wire_relay, the_speed_limit_spaces_frames)
{
    lane.settings.rate_bps = 8000000; /* 1000 bytes take a millisecond */
    lane.settings.queue_bytes = 100000;
    receive(0, 1, 1000);
    receive(0, 2, 1000);
    cr_assert_eq(take(MS - 1), -1);
    cr_assert_eq(take(MS), 1);
    cr_assert_eq(take(2 * MS - 1), -1);
    cr_assert_eq(take(2 * MS), 2);
}

Test(wire_relay, the_queue_of_the_speed_limit_overflows)
{
    lane.settings.rate_bps = 8000000;
    lane.settings.queue_bytes = 10000;
    for (unsigned int i = 0; i < 100; i++) {
        receive(0, 1, 1000);
    }
    cr_assert_eq(lane.queue.count, 11); /* ten wait, one is on the wire */
    cr_assert_eq(lane.counters.overflowed, 89);
}

Test(wire_relay, a_full_lane_says_so_before_it_drops)
{
    lane.settings.delay_ns = MS;
    unsigned int taken = 0;
    while (wire_lane_has_room(&lane)) {
        receive(0, 1, FRAME);
        taken++;
    }
    cr_assert_eq(taken, WIRE_QUEUE_FRAMES - 1);
    cr_assert_eq(lane.counters.overflowed, 0);
}

Test(wire_relay, options_go_to_the_named_direction)
{
    char *words[] = {"wire", "--loss",    "2",      "--ab",    "--delay",
                     "1.5",  "--ba",      "--rate", "10",      "--seed",
                     "42",   "--by-data", "tap:a",  "listen:b"};
    struct wire_options options;
    cr_assert(wire_options_parse(&options, 14, words));
    cr_assert(options.is_by_data);
    cr_assert_eq(options.lane[0].loss_ppm, 20000);
    cr_assert_eq(options.lane[1].loss_ppm, 20000);
    cr_assert_eq(options.lane[0].delay_ns, 1500000);
    cr_assert_eq(options.lane[1].delay_ns, 0);
    cr_assert_eq(options.lane[0].rate_bps, 0);
    cr_assert_eq(options.lane[1].rate_bps, 10000000);
    cr_assert_eq(options.seed, 42);
    cr_assert_str_eq(options.port[1], "listen:b");
}

Test(wire_relay, bad_options_are_refused)
{
    static char *bad[][4] = {
        {"wire", "--loss", "101", NULL}, {"wire", "--loss", "x", NULL},
        {"wire", "--loss", "-1", NULL},  {"wire", "--loss", NULL, NULL},
        {"wire", "--los", "1", NULL},    {"wire", "tap:a", NULL, NULL},
        {"wire", "--loss", "nan", NULL}, {"wire", "--pcap", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct wire_options options;
        int count = 0;
        while (count < 4 && bad[i][count] != NULL) {
            count++;
        }
        cr_assert_not(wire_options_parse(&options, count, bad[i]),
                      "case %zu was taken", i);
    }
}
