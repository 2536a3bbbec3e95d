/* SPDX-License-Identifier: MIT */
/*
 * Hostile DHCP. The names carry the line of the checklist.
 * test-links: tests/unit/support_net.c tests/unit/support_dhcp.c
 */
#include "tests/unit/support_dhcp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/ip/ip.h"
#include "net/service/dhcp.h"
#include "net/service/dns.h"
#include "net/service/lease.h"

TestSuite(hostile, .init = dhcp_world, .timeout = 60);

/* The fixed part of a message, and room for options. */
static uint8_t message[1000];

static bool parses(const char *options, size_t length)
{
    struct dhcp_reply reply;

    memset(message, 0, sizeof(message));
    memcpy(message, "\2\1\6", 3);
    memcpy(message + 236, "\x63\x82\x53\x63", 4);
    memcpy(message + 240, options, length);
    return dhcp_parse(message, 240 + length, &reply);
}

Test(hostile, H1_malformed_options_are_dropped)
{
    cr_assert(parses("\x35\1\2\xff", 4));
    /* No END; a length past the end; a length byte missing. */
    cr_assert_not(parses("\x35\1\2", 3));
    cr_assert_not(parses("\x35\1\2\1", 4));
    cr_assert_not(parses("\x35\1\2\1\4\xff", 6));
    cr_assert_not(parses("\x35\1\2\1\xff\xff\xff", 7));
    cr_assert_not(parses("", 0));
    /* Values of another length than theirs. */
    cr_assert_not(parses("\x35\0\xff", 3));
    cr_assert_not(parses("\x35\2\2\2\xff", 5));
    cr_assert_not(parses("\x35\1\2\1\3\xff\xff\xff\xff", 9));
    cr_assert_not(parses("\x35\1\2\x36\5\1\2\3\4\5\xff", 11));
    cr_assert_not(parses("\x35\1\2\x33\0\xff", 6));
    /* No type, or one that servers do not send. */
    cr_assert_not(parses("\xff", 1));
    cr_assert_not(parses("\x35\1\1\xff", 4));
}

Test(hostile, H1_overload_is_read_once_and_cannot_loop)
{
    struct dhcp_reply reply;

    cr_assert_not(parses("\x34\1\3\x35\1\2\xff", 7), "fields without END");
    memset(message + 44, 0xff, 64 + 128);
    cr_assert(dhcp_parse(message, 247, &reply));
    /* The file field overloads again: nothing more is read. */
    memcpy(message + 108, "\x34\1\3\xff", 4);
    memcpy(message + 44, "\x34\1\1\xff", 4);
    cr_assert(dhcp_parse(message, 247, &reply));
    /* Nor is the name field by its order. */
    cr_assert_not(parses("\x34\1\1\x35\1\2\xff", 7));
    memcpy(message + 108, "\x34\1\2\xff", 4);
    memcpy(message + 44, "\x33\xf0", 2);
    cr_assert(dhcp_parse(message, 247, &reply));
    cr_assert_not(parses("\x34\1\3\x35\1\2\xff", 7));
    memset(message + 44, 0xff, 64 + 128);
    /* Options there count, and are checked. */
    memcpy(message + 108, "\x33\4\0\0\0\7\xff", 7);
    cr_assert(dhcp_parse(message, 247, &reply));
    cr_assert_eq(reply.lease_s, 7);
    memcpy(message + 108, "\x33\xf0\0\0\0\7\xff", 7);
    cr_assert_not(dhcp_parse(message, 247, &reply));
}

Test(hostile, H1_every_cut_of_a_message_is_survived)
{
    struct dhcp_reply reply;

    cr_assert(parses("\x35\1\2\1\4\xff\xff\xff\0\xff", 10));
    for (size_t length = 0; length < 250; length++) {
        uint8_t *cut = malloc(length + 1); /* nothing behind it may be read */

        memcpy(cut + 1, message, length);
        cr_assert_not(dhcp_parse(cut + 1, length, &reply));
        free(cut);
    }
    cr_assert(dhcp_parse(message, 250, &reply));
}

static size_t other_transaction(uint8_t *bytes, size_t length,
                                enum dhcp_type type)
{
    (void)type;
    bytes[7] ^= 1;
    return length;
}

static size_t other_client(uint8_t *bytes, size_t length, enum dhcp_type type)
{
    (void)type;
    bytes[33] ^= 1;
    return length;
}

/* The acknowledgement (or refusal) of another server than was asked. */
static size_t other_server(uint8_t *bytes, size_t length, enum dhcp_type type)
{
    if (type != DHCP_OFFER)
        bytes[240 + 3 + 5] = 77;
    return length;
}

static void assert_no_address(size_t (*bend)(uint8_t *, size_t, enum dhcp_type))
{
    server.bend = bend;
    world_run_for(100 * NS_PER_S);
    cr_assert(has_address(0));
    server.bend = NULL;
    world_run_for(200 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(hostile, H2_other_transaction_is_dropped)
{
    assert_no_address(other_transaction);
}

Test(hostile, H2_other_client_is_dropped)
{
    assert_no_address(other_client);
}

Test(hostile, H2_other_server_is_dropped)
{
    assert_no_address(other_server);
}

Test(hostile, H2_refusal_of_another_server_is_dropped)
{
    server.is = SERVER_REFUSES;
    server.bend = other_server;
    world_run_for(100 * NS_PER_S);
    cr_assert_eq(counter_value("dhcp_refusals_total"), 0);
}

static struct lease_times times_of(uint32_t lease_s, uint32_t t1_s,
                                   uint32_t t2_s)
{
    struct dhcp_reply reply = {
        .has_lease = true,
        .has_t1 = true,
        .has_t2 = true,
        .lease_s = lease_s,
        .t1_s = t1_s,
        .t2_s = t2_s,
    };
    struct lease_times times;

    lease_compute_times(&reply, 1000, &times);
    return times;
}

Test(hostile, H3_times_that_contradict_are_put_in_order)
{
    static const uint32_t values[] = {
        0,   1,    2,          59,         60,         61,
        100, 3600, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
    };

    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(values); j++) {
            for (size_t k = 0; k < ARRAY_COUNT(values); k++) {
                struct lease_times t =
                    times_of(values[i], values[j], values[k]);

                cr_assert_leq(t.t1_ns, t.t2_ns);
                cr_assert_leq(t.t2_ns, t.expires_ns);
                cr_assert_geq(t.t1_ns, 1000 + 26 * NS_PER_S);
            }
        }
    }
    cr_assert_eq(times_of(0xffffffff, 5, 7).t1_ns, PLATFORM_NEVER);
    cr_assert_eq(times_of(0, 0, 0).expires_ns, 1000 + 60 * NS_PER_S);
    cr_assert_eq(times_of(1000, 900, 800).t2_ns, 1000 + 800 * NS_PER_S);
}

static void make_lease_zero(void)
{
    server.lease_s = 0;
}

Test(hostile, H3_lease_of_no_time_makes_no_storm, .init = NULL)
{
    dhcp_world_with(make_lease_zero);
    peer.answers_arp = true;
    world_run_for(600 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    cr_assert_leq(server.heard[DHCP_REQUEST], 30);
}

/* Nor while nobody answers: asking at half of what is left has a floor. */
Test(hostile, H3_lease_of_no_time_makes_no_storm_at_silent_servers,
     .init = NULL)
{
    dhcp_world_with(make_lease_zero);
    peer.answers_arp = true;
    world_run_for(NS_PER_S);
    server.is = SERVER_SILENT;
    world_run_for(58 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    cr_assert_leq(server.heard[DHCP_REQUEST], 4);
}

/* A list of servers that is not a whole number of addresses, and one that is
 * longer than we keep. */
static size_t odd_lists(uint8_t *bytes, size_t length, enum dhcp_type type)
{
    uint8_t *at = bytes + length - 1;

    (void)type;
    /* The router and the servers are the last two: 6 bytes each. */
    at -= 12;
    memcpy(at, "\3\7\x0a\0\0\2\x0a\0\0", 9);
    at += 9;
    *at++ = 6;
    *at++ = 42;
    for (int i = 0; i < 42; i++)
        *at++ = (uint8_t)(10 + i);
    *at++ = 255;
    return (size_t)(at - bytes);
}

Test(hostile, H4_lists_are_taken_in_whole_entries_and_cut)
{
    struct ip_address servers[DNS_SERVERS_MAX];

    server.bend = odd_lists;
    world_run_for(NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    cr_assert_eq(dns_servers(servers), DNS_SERVERS_MAX);
    cr_assert_eq(be32_get(ip_address_ipv4(&servers[1])), 0x0e0f1011);
}

Test(hostile, H5_addresses_no_host_can_have_are_not_taken)
{
    static const uint32_t addresses[] = {
        0,          0x00000001, 0x7f000001, 0xe0000001,
        0xffffffff, 0xf0000000, 0x0a000000, 0x0a0000ff,
    };

    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
        server.offers = addresses[i];
        world_run_for(100 * NS_PER_S);
        cr_assert(has_address(0));
    }
    cr_assert_eq(server.heard[DHCP_REQUEST], 0);
}

static const uint32_t masks[] = {0xff00ff00, 0x000000ff, 0xfffffffd, 0};

Test(hostile, H5_masks_with_holes_are_not_taken)
{
    for (size_t i = 0; i < ARRAY_COUNT(masks); i++) {
        server.netmask = masks[i];
        world_run_for(100 * NS_PER_S);
        cr_assert(has_address(0));
    }
}

/* Decent in the offer, not so in the acknowledgement. */
static size_t bad_mask_later(uint8_t *bytes, size_t length, enum dhcp_type type)
{
    if (type == DHCP_ACK)
        bytes[240 + 3 + 6 + 6 + 3] = 0; /* 255.0.255.0 */
    return length;
}

Test(hostile, H5_bad_mask_in_the_acknowledgement_is_declined)
{
    server.bend = bad_mask_later;
    world_run_for(5 * NS_PER_S);
    cr_assert(has_address(0));
    cr_assert_eq(server.heard[DHCP_DECLINE], 1);
}
