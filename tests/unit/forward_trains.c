/* SPDX-License-Identifier: MIT */
/*
 * GRO and forwarding: segments that come in one turn are passed on as one
 * packet, and leave as they came, but for a hop.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 * test-links: tests/unit/support_trains.c
 */
#include "tests/unit/support_trains.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/ip/icmp.h"
#include "net/ip/input.h"
#include "net/link/gro.h"
#include "net/net.h"
#include "net/tcp/tcp.h"
#include "net/wire/icmp.h"

enum { SEGMENTS = 24 };

TestSuite(forward_trains, .init = trains_start, .timeout = 60);
TestSuite(hostile_trains, .init = trains_start, .timeout = 60);

static struct test_frame sent[SEGMENTS];
static struct test_frame own;

static void assert_all_left(size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_same_but_for_a_hop(inside_ip(i), &sent[i]);
    cr_assert_null(inside_ip(count));
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

/* The last one is short, as at the end of what was written. */
static void put_burst(void)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i,
                     i == SEGMENTS - 1 ? 700 : TEXT);
        put(&sent[i]);
    }
}

Test(forward_trains, a_burst_is_forwarded_once_and_leaves_as_its_segments)
{
    put_burst();
    end_turn();
    cr_assert_eq(gro_counters.trains, 1);
    cr_assert_eq(ip_counters.out_forwarded, 1);
    assert_all_left(SEGMENTS);
}

Test(forward_trains, beside_a_train_for_ourselves)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i, TEXT);
        put(&sent[i]);
        make_segment(&own, OUR_ADDRESS, i, TEXT);
        put(&own);
    }
    end_turn();
    cr_assert_eq(gro_counters.trains, 2);
    cr_assert_eq(ip_counters.out_forwarded, 1);
    assert_all_left(SEGMENTS);
}

Test(forward_trains, switched_off_each_goes_alone)
{
    cr_assert_eq(net_set("ipv4.ip_forward_gro", "0"), 0);
    cr_assert_neq(net_set("ipv4.ip_forward_gro", "2"), 0);
    put_burst();
    end_turn();
    cr_assert_eq(gro_counters.trains, 0);
    cr_assert_eq(ip_counters.out_forwarded, SEGMENTS);
    assert_all_left(SEGMENTS);
}

Test(forward_trains, a_card_that_cuts_is_given_one_packet)
{
    inside_device->netif.features |=
        NETIF_TX_SEGMENT | NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS;
    put_burst();
    end_turn();
    cr_assert_eq(inside.count, 1);
    cr_assert_eq(inside.received[0]->length,
                 sent[0].length + (SEGMENTS - 2) * TEXT + 700);
    cr_assert_eq(missing_buffers(), 0);
}

Test(forward_trains, more_than_a_packet_can_hold_becomes_several)
{
    enum { MANY = 2 * PACKET_FRAGMENTS_MAX + 3 };
    static struct test_frame many[MANY];

    for (uint32_t i = 0; i < MANY; i++) {
        make_segment(&many[i], INSIDE_ADDRESS, i, TEXT);
        put(&many[i]);
    }
    end_turn();
    cr_assert_eq(ip_counters.out_forwarded, 3);
    for (size_t i = 0; i < MANY; i++)
        assert_same_but_for_a_hop(inside_ip(i), &many[i]);
    cr_assert_eq(missing_buffers(), 0);
}

Test(forward_trains, push_ends_a_train_and_leaves_with_its_own_segment)
{
    for (uint32_t i = 0; i < 6; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i, TEXT);
        if (i == 2)
            tcp_of(&sent[i])->flags |= TCP_PSH;
        fix_transport(&sent[i]);
        put(&sent[i]);
    }
    end_turn();
    cr_assert_eq(gro_counters.trains, 2);
    assert_all_left(6);
}

Test(forward_trains, nothing_is_joined_that_is_too_long_for_some_way_out)
{
    inside_device->netif.mtu = 1400;
    for (uint32_t i = 0; i < 4; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i, TEXT);
        put(&sent[i]);
    }
    end_turn();
    cr_assert_eq(gro_counters.segments, 0);
    cr_assert_null(inside_ip(0));
    for (size_t i = 0; i < 4; i++) {
        const struct icmp_header *error = received_icmp(i);

        cr_assert_not_null(error, "each is told of");
        cr_assert_eq(error->type, ICMP_DESTINATION_UNREACHABLE);
        cr_assert_eq(error->code, ICMP_FRAGMENTATION_NEEDED);
        cr_assert_eq(error->rest[2] << 8 | error->rest[3], 1400);
    }
}

Test(forward_trains, the_last_hop_is_told_of_one_by_one)
{
    for (uint32_t i = 0; i < 4; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i, TEXT);
        ip_of(&sent[i])->ttl = 1;
        fix_ip(&sent[i]);
        put(&sent[i]);
    }
    end_turn();
    cr_assert_null(inside_ip(0));
    cr_assert_not_null(received_icmp(3));
    cr_assert_eq(received_icmp(3)->type, ICMP_TIME_EXCEEDED);
}

Test(forward_trains, for_another_address_of_ours_it_is_cut_again)
{
    for (uint32_t i = 0; i < 4; i++) {
        make_segment(&sent[i], INSIDE_ROUTER, i, TEXT);
        put(&sent[i]);
    }
    end_turn();
    cr_assert_eq(gro_counters.trains, 1);
    tcp_run_pending(world_now());
    end_turn();
    /* Nobody listens: each segment is answered by itself. */
    cr_assert_eq(drop_count(DROP_TCP_NO_CONNECTION), 4);
    cr_assert_not_null(received_ip(IP_PROTOCOL_TCP, 3));
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile_trains, A9_waiting_for_a_neighbour_a_train_is_its_segments)
{
    inside.is_deaf = true;
    for (uint32_t turn = 0; turn < 40; turn++) {
        for (uint32_t i = 0; i < SEGMENTS; i++) {
            make_segment(&sent[i], INSIDE_ADDRESS + 1 + turn % 10, i, TEXT);
            put(&sent[i]);
        }
        gro_flush();
        cr_assert_leq(missing_buffers(),
                      2 * NEIGHBOUR_QUEUED_TOTAL_MAX + PACKET_FRAGMENTS_MAX);
    }
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile_trains, T40_a_segment_with_a_wrong_checksum_is_not_mended)
{
    for (uint32_t i = 0; i < 3; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i, TEXT);
        if (i == 1)
            ip_payload_of(&sent[i])[100] ^= 1;
        put(&sent[i]);
    }
    end_turn();
    assert_all_left(3);
}

/* One thing about the second of three segments is not as in the others. */
static void (*const differences[])(struct test_frame *frame) = {
    differ_in_ttl,
    differ_in_tos,
    differ_in_identification,
    differ_in_fragment,
    differ_in_window,
    differ_in_ack,
    differ_in_option,
    differ_in_data_offset,
    be_fin,
    be_urgent,
    be_cwr,
    be_ece,
    be_reset,
    be_syn,
    overlap_by_one,
    leave_a_hole,
    repeat_the_first,
};

Test(hostile_trains, T40_what_differs_in_anything_is_forwarded_alone)
{
    for (size_t i = 0; i < ARRAY_COUNT(differences); i++) {
        forget_inside();
        gro_counters = (struct gro_counters){0};
        for (uint32_t n = 0; n < 3; n++) {
            make_segment(&sent[n], INSIDE_ADDRESS, n, TEXT);
            if (n == 1)
                differences[i](&sent[n]);
            put(&sent[n]);
        }
        end_turn();
        cr_assert_eq(gro_counters.segments, 0, "difference %zu", i);
        assert_all_left(3);
    }
}

/* Three flows mixed in turns of up to 64 frames, each segment perhaps with a
 * difference. */
Test(hostile_trains, T40_random_turns_leave_as_they_came)
{
    enum { FLOWS = 3, TURNS = 12, PER_TURN = 64 };
    static struct test_frame all[TURNS * PER_TURN];
    uint64_t random = 88172645463325252U;
    size_t place[FLOWS] = {0};

    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        uint32_t roll = (uint32_t)(random >> 33);

        random = random * 6364136223846793005U + 1442695040888963407U;
        make_segment(&all[i], INSIDE_ADDRESS, (uint32_t)(i / FLOWS), TEXT);
        set_source_port(&all[i], (uint16_t)(4000 + i % FLOWS));
        if ((roll >> 8) % 8 == 0)
            differences[roll % ARRAY_COUNT(differences)](&all[i]);
        put(&all[i]);
        if (i % PER_TURN == PER_TURN - 1 || (roll >> 16) % 32 == 0)
            end_turn();
    }
    end_turn();
    cr_assert_gt(gro_counters.segments, ARRAY_COUNT(all) / 8);
    for (size_t n = 0; inside_ip(n) != NULL; n++) {
        size_t flow = source_port_of(inside_ip(n)) - 4000U;

        assert_same_but_for_a_hop(inside_ip(n),
                                  &all[flow + FLOWS * place[flow]++]);
    }
    for (size_t flow = 0; flow < FLOWS; flow++)
        cr_assert_eq(place[flow], ARRAY_COUNT(all) / FLOWS);
    cr_assert_eq(missing_buffers(), 0);
}

/* Anything in the headers spoilt, sometimes with checksums that are right all
 * the same: nothing but counting and memory can be told of it. */
Test(hostile_trains, T40_spoilt_turns_leave_nothing_behind)
{
    enum { FRAMES = 3000, PER_TURN = 64, HEADERS = 66 };
    uint64_t random = 88172645463325252U;

    for (uint32_t i = 0; i < FRAMES; i++) {
        uint32_t roll = (uint32_t)(random >> 33);

        random = random * 6364136223846793005U + 1442695040888963407U;
        make_segment(&own, INSIDE_ADDRESS + roll % 2, i, TEXT);
        if (roll % 4 == 0) {
            own.bytes[roll / 4 % HEADERS] ^= (uint8_t)(1U << (roll >> 16) % 8);
            own.length -= roll % 8 == 0 ? (roll >> 8) % 1400 : 0;
        }
        if (roll % 16 == 0) {
            own.length = own.length < HEADERS ? HEADERS : own.length;
            fix_ip(&own);
        }
        put(&own);
        if (i % PER_TURN == PER_TURN - 1)
            end_turn();
        if (i % (8 * PER_TURN) == 0)
            forget_inside();
    }
    end_turn();
    tcp_run_pending(world_now());
    world_run_for(60 * NS_PER_S);
    cr_assert_gt(gro_counters.segments, FRAMES / 4);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}
