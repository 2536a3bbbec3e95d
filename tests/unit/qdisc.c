/* SPDX-License-Identifier: MIT */
/*
 * Queueing disciplines on eth1 of a router whose outside sends more than eth1
 * takes.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/link/qdisc.h"
#include "net/wire/checksum.h"

static struct test_frame frame;
static struct test_frame small;

static void start(void)
{
    router_world();
    /* The inside is known. */
    make_udp(&frame, PEER_ADDRESS, 1, INSIDE_ADDRESS, 2, "x", 1);
    inject(&frame);
    forget_inside();
}

enum {
    BURST = 550, /* more than the ring, less than ring and queue */
};

TestSuite(qdisc, .init = start, .timeout = 60);

static void attach(const char *text)
{
    struct qdisc_settings settings;
    int status;

    cr_assert(qdisc_parse(text, &settings), "%s", text);
    (void)world_enter(stack);
    status = qdisc_attach(&inside_device->netif, &settings);
    world_leave(stack);
    cr_assert_eq(status, 0);
}

static const struct qdisc *discipline(void)
{
    return qdisc_of(&inside_device->netif);
}

static void send(const struct test_frame *what)
{
    world_port_send(&peer.port, frame_new(what->bytes, what->length));
}

static void make_bulk(uint16_t port, uint8_t tos)
{
    static uint8_t payload[1472];

    make_udp(&frame, PEER_ADDRESS, port, INSIDE_ADDRESS, 2000, payload,
             sizeof(payload));
    ip_of(&frame)->tos = tos;
    fix_ip(&frame);
}

/* Sends bulk at 20 Mbit/s for `seconds` and a ping every 50 ms; the longest
 * time one took, in us. */
static uint64_t worst_ping_us(unsigned seconds, uint8_t bulk_tos)
{
    const uint64_t step_us = 600;
    uint64_t sent_us = 0;
    uint64_t worst_us = 0;
    unsigned answered = 0;

    for (uint64_t i = 0; i < seconds * 1000000 / step_us; i++) {
        make_bulk((uint16_t)(100 + i % 3), bulk_tos);
        send(&frame);
        if (i % 80 == 0) {
            make_icmp(&small, PEER_ADDRESS, INSIDE_ADDRESS, 8, 0, 1, "01234567",
                      8);
            send(&small);
            sent_us = world_now() / 1000;
        }
        world_run_for(step_us * 1000);
        for (size_t n = 0; inside_ip(n) != NULL; n++) {
            uint64_t took_us = world_now() / 1000 - sent_us;

            if (inside_ip(n)->protocol != 1)
                continue;
            answered++;
            if (took_us > worst_us)
                worst_us = took_us;
        }
        forget_inside();
    }
    return answered + 3 < seconds * 1000000 / step_us / 80 ? UINT64_MAX
                                                           : worst_us;
}

Test(qdisc, fq_codel_keeps_a_ping_below_15_ms_behind_10_mbit)
{
    uint64_t worst_us;

    attach("tbf,rate=10mbit,burst=4kb,child=fq_codel");
    worst_us = worst_ping_us(5, 0);
    cr_assert_lt(worst_us, 15000, "%lu us", (unsigned long)worst_us);
}

/* What the test above would see without it. */
Test(qdisc, pfifo_does_not)
{
    attach("tbf,rate=10mbit,burst=4kb,child=pfifo");
    cr_assert_gt(worst_ping_us(2, 0), 40000);
}

Test(qdisc, pfifo_fast_lets_urgent_packets_pass_bulk)
{
    uint64_t worst_us;

    attach("tbf,rate=10mbit,burst=4kb,child=pfifo_fast");
    /* Bulk says so (maximise throughput): band 2; pings are in band 1. */
    worst_us = worst_ping_us(2, 0x08);
    cr_assert_lt(worst_us, 5000, "%lu us", (unsigned long)worst_us);
}

Test(qdisc, tbf_sends_at_its_rate)
{
    uint64_t from;

    attach("tbf,rate=8mbit,burst=4kb,child=pfifo,limit=500");
    make_bulk(1, 0);
    for (unsigned i = 0; i < 200; i++) {
        send(&frame);
        world_run_for(100 * NS_PER_US);
    }
    from = world_now();
    inside.count = 0;
    forget_inside();
    world_run_for(100 * NS_PER_MS);
    /* 1 MB/s for 100 ms: 100,000 bytes of 1,514. */
    cr_assert(inside.count >= 65 && inside.count <= 67, "%zu", inside.count);
    cr_assert_eq(world_now() - from, 100 * NS_PER_MS);
    world_run_for(NS_PER_S);
    cr_assert_eq(discipline()->backlog_packets, 0);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_gt(discipline()->counters.overlimits, 100);
}

/* As packets joined on arrival are: it leaves with a full bucket, and owes the
 * rest. */
Test(qdisc, tbf_charges_packets_larger_than_its_bucket_in_full)
{
    attach("tbf,rate=8mbit,burst=1kb,child=pfifo,limit=500");
    make_bulk(1, 0);
    for (unsigned i = 0; i < 200; i++) {
        send(&frame);
        world_run_for(100 * NS_PER_US);
    }
    inside.count = 0;
    forget_inside();
    world_run_for(100 * NS_PER_MS);
    /* What a late timer leaves behind in so small a bucket is lost. */
    cr_assert(inside.count >= 62 && inside.count <= 67, "%zu", inside.count);
}

Test(qdisc, tbf_lets_a_burst_pass_at_once)
{
    attach("tbf,rate=1mbit,burst=16kb,child=pfifo");
    make_bulk(1, 0);
    for (unsigned i = 0; i < 20; i++)
        send(&frame);
    settle();
    cr_assert_eq(inside.count, 10);
}

Test(qdisc, pfifo_fast_has_linuxs_bands)
{
    /* As tc-prio(8) lists them, by TOS octet. */
    static const uint8_t order[] = {0x10, 0x16, 0x00, 0x06,
                                    0x18, 0x1e, 0x08, 0x0e};

    attach("tbf,rate=1mbit,burst=2kb,child=pfifo_fast");
    make_bulk(1, 0);
    send(&frame); /* takes the tokens */
    send(&frame); /* waits for them */
    for (size_t i = sizeof(order); i > 0; i--) {
        make_bulk(1, order[i - 1]);
        send(&frame);
    }
    world_run_for(NS_PER_S);
    cr_assert_not_null(inside_ip(9));
    for (size_t band = 0; band < 3; band++) {
        static const size_t firsts[] = {0, 2, 6, 8};

        for (size_t i = firsts[band]; i < firsts[band + 1]; i++) {
            bool is_found = false;

            for (size_t j = firsts[band]; j < firsts[band + 1]; j++)
                if (inside_ip(2 + i)->tos == order[j])
                    is_found = true;
            cr_assert(is_found, "%zu: %02x", i, inside_ip(2 + i)->tos);
        }
    }
}

Test(qdisc, a_busy_device_loses_nothing_and_nobodys_order)
{
    attach("pfifo");
    inside_device->port.path.rate_bits_s = 10 * 1000 * 1000;
    for (uint16_t i = 0; i < BURST; i++) {
        make_bulk((uint16_t)(1000 + i), 0);
        send(&frame);
        world_run_for(50 * NS_PER_US);
    }
    cr_assert_gt(discipline()->backlog_packets, 30);
    cr_assert_gt(discipline()->counters.requeues, 0);
    world_run_for(2 * NS_PER_S);
    cr_assert_not_null(inside_ip(BURST - 1));
    for (size_t i = 0; i < BURST; i++)
        cr_assert_eq(
            be16_get(
                ((const struct udp_header *)(inside_ip(i) + 1))->source_port),
            1000 + i);
    cr_assert_geq(inside_device->netif.counters.tx_packets, BURST);
    cr_assert_eq(missing_packets(), 0);
}

Test(qdisc, a_queue_has_its_limit)
{
    attach("tbf,rate=1mbit,burst=2kb,child=pfifo,limit=20");
    make_bulk(1, 0);
    for (unsigned i = 0; i < 50; i++)
        send(&frame);
    settle();
    cr_assert_eq(drop_count(DROP_TRANSMIT_FULL), 50 - 20 - 2);
}

Test(qdisc, the_fattest_flow_pays_at_the_limit)
{
    attach("tbf,rate=1mbit,burst=2kb,child=fq_codel,limit=50");
    for (unsigned i = 0; i < 200; i++) {
        make_bulk(1, 0);
        send(&frame);
        if (i % 10 == 0) {
            make_udp(&small, PEER_ADDRESS, 9, INSIDE_ADDRESS, 7, "abc", 3);
            send(&small);
        }
        world_run_for(10 * NS_PER_US);
    }
    cr_assert_gt(drop_count(DROP_TRANSMIT_FULL), 100);
    cr_assert_leq(discipline()->backlog_packets, 51);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(missing_packets(), 0);
    {
        size_t small_count = 0;

        for (size_t i = 0; inside_ip(i) != NULL; i++)
            if (be16_get(inside_ip(i)->total_length) == 31)
                small_count++;
        cr_assert_eq(small_count, 20);
    }
}

Test(qdisc, fq_codel_marks_those_who_understand)
{
    unsigned marked = 0;

    attach("tbf,rate=10mbit,burst=4kb,child=fq_codel");
    for (unsigned i = 0; i < 1000; i++) {
        make_bulk(1, 0x02);
        send(&frame);
        world_run_for(1100 * NS_PER_US);
        for (size_t n = 0; inside_ip(n) != NULL; n++) {
            const struct ipv4_header *header = inside_ip(n);

            marked += (header->tos & 3) == 3;
            cr_assert(
                checksum_is_valid(checksum_add(0, header, sizeof(*header))));
        }
        forget_inside();
    }
    cr_assert_gt(marked, 3);
    cr_assert_eq(drop_count(DROP_TRANSMIT_FULL), 0);
}

Test(qdisc, codel_drops_until_the_delay_is_gone)
{
    attach("tbf,rate=10mbit,burst=4kb,child=fq_codel");
    for (unsigned i = 0; i < 2000; i++) {
        make_bulk(1, 0);
        send(&frame);
        world_run_for(1100 * NS_PER_US); /* 11 Mbit/s */
        forget_inside();
    }
    cr_assert_gt(drop_count(DROP_TRANSMIT_FULL), 50);
    cr_assert_lt(drop_count(DROP_TRANSMIT_FULL), 500);
    cr_assert_lt(discipline()->backlog_packets, 100);
}

Test(qdisc, a_link_that_goes_down_takes_the_queue_with_it)
{
    static const char *const texts[] = {
        "tbf,rate=1mbit,burst=2kb,child=fq_codel",
        "tbf,rate=1mbit,burst=2kb,child=pfifo_fast"};

    for (size_t round = 0; round < ARRAY_COUNT(texts); round++) {
        attach(texts[round]);
        make_bulk(1, 0);
        for (unsigned i = 0; i < 50; i++)
            send(&frame);
        settle();
        cr_assert_gt(missing_packets(), 40);
        device_set_link(inside_device, false);
        world_run_for(NS_PER_S);
        cr_assert_eq(missing_packets(), 0);
        cr_assert_eq(discipline()->backlog_packets, 0);
        device_set_link(inside_device, true);
        world_run_for(5 * NS_PER_S);
        inject(&frame); /* asks who it is again */
        settle();
        forget_inside();
        send(&frame);
        world_run_for(100 * NS_PER_MS);
        cr_assert_not_null(inside_ip(0));
        cr_assert_eq(discipline()->backlog_packets, 0);
        forget_inside();
        world_run_for(NS_PER_S);
    }
}

Test(qdisc, words_that_are_none_are_refused)
{
    static const char *const bad[] = {
        "",
        "tbf",
        "tbf,rate=",
        "tbf,rate=10",
        "tbf,rate=10mbits",
        "tbf,rate=0mbit",
        "tbf,rate=1bit",
        "tbf,rate=10mbit,child=tbf",
        "tbf,rate=10mbit,burst=x",
        "tbf,rate=10mbit,burst=99999999999999999999",
        "pfifo,limit=0",
        "pfifo,limit=-1",
        "pfifo,what=1",
        "pfifo,",
        "a_name_that_is_far_too_long",
    };
    struct qdisc_settings settings;

    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        cr_assert_not(qdisc_parse(bad[i], &settings), "%s", bad[i]);
    cr_assert(qdisc_parse("tbf,rate=10mbit,burst=16kb", &settings));
    cr_assert_eq(settings.rate_bytes_s, 1250000);
    cr_assert_eq(settings.burst_bytes, 16384);
    cr_assert_str_eq(settings.child, "fq_codel");
    cr_assert(qdisc_parse("sfq", &settings));
    cr_assert_eq(qdisc_attach(&inside_device->netif, &settings), -EINVAL);
}
