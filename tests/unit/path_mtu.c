/* SPDX-License-Identifier: MIT */
/*
 * Path MTUs by destination (RFC 1191): from which errors they are learned, how
 * long they are kept, and what UDP and raw sockets do with them.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_router.h"
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/path_mtu.h"
#include "net/net_router.h"

enum {
    FAR = 0x09090909, /* behind the gateway */
    HOP = 0x0a000063,
    PORT = 5000,
    QUOTE = 28,
};

static struct test_frame frame;
static uint8_t text[3000];
static int id;

/* A datagram socket connected to a host far away, which sent one. */
static void start(void)
{
    router_world();
    learn_peer();
    socket_world_use(stack);
    id = socket_open(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind_to(id, INADDR_ANY, PORT), 0);
    cr_assert_eq(connect_to(id, FAR, 53), 0);
}

TestSuite(path_mtu, .init = start, .timeout = 60);
TestSuite(hostile_path_mtu, .init = start, .timeout = 60);

static ssize_t send_some(size_t length)
{
    ssize_t result = send_bytes(id, text, length, 0);

    settle();
    return result;
}

static void discover(int how)
{
    cr_assert_eq(set_option(id, IPPROTO_IP, IP_MTU_DISCOVER, how), 0);
}

/* "Fragmentation needed" about a datagram between these ends. */
static void claim_about(uint32_t source, uint16_t source_port,
                        uint32_t destination, uint16_t port, uint32_t mtu)
{
    uint8_t quote[QUOTE];

    make_udp(&frame, source, source_port, destination, port, "", 0);
    memcpy(quote, ip_of(&frame), sizeof(quote));
    make_icmp(&frame, HOP, OUR_ADDRESS, 3, 4, mtu, quote, sizeof(quote));
    inject(&frame);
}

static void claim(uint32_t mtu)
{
    claim_about(OUR_ADDRESS, PORT, FAR, 53, mtu);
}

static int mtu_now(void)
{
    return get_option(id, IPPROTO_IP, IP_MTU);
}

static bool has_dont_fragment(size_t n)
{
    return (be16_get(received_ip(17, n)->fragment) & IPV4_DONT_FRAGMENT) != 0;
}

Test(path_mtu, what_a_hop_says_of_our_datagram_is_kept_ten_minutes)
{
    cr_assert_eq(mtu_now(), 1500);
    claim(1280);
    cr_assert_eq(mtu_now(), 1280);
    claim(1400);
    cr_assert_eq(mtu_now(), 1280, "never raised by a claim");
    world_run_for(599 * NS_PER_S);
    cr_assert_eq(mtu_now(), 1280);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(mtu_now(), 1500);
}

static void remember_line(void *context, const char *line)
{
    strcpy(context, line);
}

Test(path_mtu, what_is_known_is_listed_behind_the_routes)
{
    char last[128];

    claim(1280);
    world_run_for(NS_PER_S);
    net_router_visit_routes(remember_line, last);
    cr_assert_str_eq(last, "9.9.9.9 cache expires 598sec mtu 1280");
}

Test(path_mtu, it_is_kept_by_destination_not_by_socket)
{
    int other = socket_open(AF_INET, SOCK_DGRAM, 0);

    claim(1280);
    cr_assert_eq(connect_to(other, FAR, 99), 0);
    cr_assert_eq(get_option(other, IPPROTO_IP, IP_MTU), 1280);
    cr_assert_eq(connect_to(other, FAR + 1, 99), 0);
    cr_assert_eq(get_option(other, IPPROTO_IP, IP_MTU), 1500);
    other = socket_open(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(get_option(other, IPPROTO_IP, IP_MTU), -ENOTCONN);
}

Test(path_mtu, unless_asked_we_let_others_cut_and_cut_what_we_know_of)
{
    cr_assert_eq(get_option(id, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DONT);
    cr_assert_eq(send_some(1400), 1400);
    cr_assert_not(has_dont_fragment(0));
    claim(1280);
    cr_assert_eq(send_some(1400), 1400);
    cr_assert_eq(be16_get(received_ip(17, 1)->total_length), 1276);
    cr_assert_not_null(received_ip(17, 2));
}

Test(path_mtu, want_says_dont_fragment_of_what_fits_and_cuts_the_rest)
{
    discover(IP_PMTUDISC_WANT);
    cr_assert_eq(send_some(1400), 1400);
    cr_assert(has_dont_fragment(0));
    claim(1280);
    cr_assert_eq(send_some(10), -EMSGSIZE, "told once");
    cr_assert_eq(send_some(1252), 1252);
    cr_assert(has_dont_fragment(1));
    cr_assert_eq(send_some(1253), 1253);
    cr_assert_not(has_dont_fragment(2));
    cr_assert_not_null(received_ip(17, 3));
}

Test(path_mtu, do_refuses_what_does_not_fit)
{
    discover(IP_PMTUDISC_DO);
    cr_assert_eq(send_some(1472), 1472);
    cr_assert(has_dont_fragment(0));
    cr_assert_eq(send_some(1473), -EMSGSIZE);
    claim(1280);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_ERROR), EMSGSIZE);
    cr_assert_eq(send_some(1252), 1252);
    cr_assert_eq(send_some(1253), -EMSGSIZE);
    cr_assert_null(received_ip(17, 2));
}

Test(path_mtu, a_probe_is_as_long_as_the_first_link_takes)
{
    discover(IP_PMTUDISC_PROBE);
    claim(1280);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_ERROR), EMSGSIZE);
    cr_assert_eq(send_some(1472), 1472);
    cr_assert(has_dont_fragment(0));
    cr_assert_eq(send_some(1473), -EMSGSIZE);
    cr_assert_eq(set_option(id, IPPROTO_IP, IP_MTU_DISCOVER, 4), -EINVAL);
    cr_assert_eq(set_option(id, IPPROTO_IP, IP_MTU_DISCOVER, -1), -EINVAL);
}

Test(path_mtu, raw_sockets_learn_of_whom_they_spoke_to)
{
    int raw = socket_open(AF_INET, SOCK_RAW | SOCK_NONBLOCK, 89);
    uint8_t quote[QUOTE];

    cr_assert_eq(connect_to(raw, FAR, 0), 0);
    make_ip(&frame, 89, OUR_ADDRESS, FAR, "12345678", 8);
    memcpy(quote, ip_of(&frame), sizeof(quote));
    make_icmp(&frame, HOP, OUR_ADDRESS, 3, 4, 1000, quote, sizeof(quote));
    inject(&frame);
    cr_assert_eq(get_option(raw, IPPROTO_IP, IP_MTU), 1500, "it was silent");
    cr_assert_eq(send_bytes(raw, text, 1400, 0), 1400);
    inject(&frame);
    cr_assert_eq(get_option(raw, IPPROTO_IP, IP_MTU), 1000);
    cr_assert_eq(set_option(raw, IPPROTO_IP, IP_MTU_DISCOVER, 2), 0);
    cr_assert_eq(send_bytes(raw, text, 981, 0), -EMSGSIZE);
    cr_assert_eq(send_bytes(raw, text, 980, 0), 980);
}

Test(path_mtu, floor_and_expiry_are_settings)
{
    cr_assert_eq(stack->call->net_set("ipv4.route.min_pmtu", "1000"), 0);
    cr_assert_eq(stack->call->net_set("ipv4.route.mtu_expires", "5"), 0);
    cr_assert_eq(stack->call->net_set("ipv4.route.min_pmtu", "67"), -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.route.mtu_expires", "0"), -EINVAL);
    claim(700);
    cr_assert_eq(mtu_now(), 1000);
    world_run_for(6 * NS_PER_S);
    cr_assert_eq(mtu_now(), 1500);
}

Test(hostile_path_mtu, C7_claims_that_make_no_sense_stop_at_the_floor)
{
    static const uint32_t claims[] = {0, 1, 67, 68, 551};

    claim(1500);
    claim(9000);
    claim(65535);
    cr_assert_eq(mtu_now(), 1500);
    cr_assert_eq(path_mtu_counters.ignored, 3);
    for (size_t i = 0; i < ARRAY_COUNT(claims); i++) {
        claim(claims[i]);
        cr_assert_eq(mtu_now(), 552, "%u", (unsigned)claims[i]);
    }
    cr_assert_eq(path_mtu_counters.learned, 1);
}

Test(hostile_path_mtu, C7_claims_about_what_no_socket_sent_are_not_believed)
{
    claim_about(OUR_ADDRESS, PORT + 1, FAR, 53, 600);
    claim_about(OUR_ADDRESS, PORT, FAR, 54, 600);
    claim_about(OUR_ADDRESS, PORT, FAR + 1, 53, 600);
    claim_about(INSIDE_ROUTER, PORT, FAR, 53, 600);
    claim_about(0x0a000005, PORT, FAR, 53, 600);
    cr_assert_eq(mtu_now(), 1500);
    cr_assert_eq(path_mtu_counters.learned + path_mtu_counters.ignored, 0);
}

Test(hostile_path_mtu, C7_the_table_is_bounded_whatever_is_claimed)
{
    int any = socket_open(AF_INET, SOCK_DGRAM, 0);
    uint32_t known = 0;

    cr_assert_eq(bind_to(any, INADDR_ANY, PORT + 1), 0);
    for (uint32_t i = 0; i < 5000; i++)
        claim_about(OUR_ADDRESS, PORT + 1, 0x08000001 + i, 53, 600);
    for (uint32_t i = 0; i < 5000; i++) {
        struct ip_address remote = mapped(0x08000001 + i);

        if (ip_path_mtu->find(&remote, world_now()) != 0)
            known++;
    }
    cr_assert_leq(known, PATH_MTU_SETS * PATH_MTU_WAYS);
    cr_assert_geq(known, PATH_MTU_SETS * PATH_MTU_WAYS / 2);
    cr_assert_eq(path_mtu_counters.learned, 5000);
    cr_assert_eq(path_mtu_counters.evicted, 5000 - known);
    cr_assert_eq(missing_packets(), 0);
}
