/* SPDX-License-Identifier: MIT */
/*
 * Discarded packets in the log.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/limits.h"

static struct test_frame frame;

TestSuite(net_trace, .init = net_world, .timeout = 60);

static void trace(const char *value)
{
    cr_assert_eq(stack->call->net_set("trace_drops", value), 0);
}

static void drop_one(void)
{
    make_udp(&frame, PEER_ADDRESS, 7, OUR_ADDRESS, 9, "x", 1);
    ip_of(&frame)->ttl ^= 1; /* the checksum is wrong now */
    inject(&frame);
}

static unsigned lines_told(void)
{
    unsigned count = 0;

    for (const char *at = world_log_text();
         (at = strstr(at, "dropped ")) != NULL; at++)
        count++;
    return count;
}

Test(net_trace, says_who_and_why)
{
    drop_one();
    cr_assert_eq(lines_told(), 0, "unasked");
    trace("1");
    drop_one();
    cr_assert_eq(lines_told(), 1);
    cr_assert_not_null(
        strstr(world_log_text(), "ip_checksum: 10.0.0.2 > 10.0.0.1"), "%s",
        world_log_text());
    trace("0");
    drop_one();
    cr_assert_eq(lines_told(), 1);
    cr_assert_eq(stack->call->net_set("trace_drops", "2"), -EINVAL);
}

Test(net_trace, what_is_no_ip_has_no_addresses)
{
    trace("1");
    make_udp(&frame, PEER_ADDRESS, 7, OUR_ADDRESS, 9, "x", 1);
    frame.bytes[12] = 0x12; /* the type */
    inject(&frame);
    cr_assert_not_null(strstr(world_log_text(), "ethernet_type"), "%s",
                       world_log_text());
    cr_assert_null(strstr(world_log_text(), " > "));
}

Test(net_trace, packets_that_did_their_work_are_none)
{
    trace("1");
    learn_peer();
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, 8, 0, 1, "x", 1);
    inject(&frame);
    cr_assert_eq(lines_told(), 0, "%s", world_log_text());
}

Test(net_trace, a_flood_fills_no_log)
{
    trace("1");
    for (int i = 0; i < 100; i++)
        drop_one();
    cr_assert_eq(lines_told(), DROP_TRACE_LINES);
    world_run_for(NS_PER_S);
    drop_one();
    cr_assert_eq(lines_told(), DROP_TRACE_LINES + 1);
}
