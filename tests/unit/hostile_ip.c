/* SPDX-License-Identifier: MIT */
/*
 * Hostile packets: IP headers, addresses, options and ICMP. The names carry
 * the line of the checklist.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/udp/udp.h"

static struct test_frame frame;

static void start(void)
{
    net_world();
    learn_peer();
}

TestSuite(hostile, .init = start, .timeout = 60);

static void make_echo(void)
{
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1,
              "0123456789abcdef", 16);
}

/* Dropped so, and nobody is told anything. */
static void assert_dropped(enum drop_reason reason)
{
    uint64_t before = drop_count(reason);
    size_t received = received_count();

    inject(&frame);
    cr_assert_eq(drop_count(reason), before + 1, "not dropped as %s",
                 drop_reason_name(reason));
    cr_assert_eq(received_count(), received, "something was sent");
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile, I1_other_versions_and_short_headers_are_dropped)
{
    for (unsigned version = 0; version < 16; version++) {
        if (version == 4)
            continue;
        make_echo();
        ip_of(&frame)->version_ihl = (uint8_t)(version << 4 | 5);
        fix_ip(&frame);
        assert_dropped(DROP_IP_HEADER);
    }
    for (unsigned words = 0; words < 5; words++) {
        make_echo();
        ip_of(&frame)->version_ihl = (uint8_t)(0x40 | words);
        assert_dropped(DROP_IP_HEADER);
    }
}

Test(hostile, I2_lengths_that_contradict_are_dropped)
{
    make_echo();
    for (uint16_t total = 0; total < 20; total++) {
        ip_of(&frame)->total_length = be16_from(total);
        fix_ip(&frame);
        assert_dropped(DROP_IP_HEADER);
    }
    make_echo();
    ip_of(&frame)->version_ihl = 0x4f; /* 60 bytes, of 44 */
    fix_ip(&frame);
    assert_dropped(DROP_IP_HEADER);
    make_echo();
    ip_of(&frame)->total_length = be16_from(45); /* one more than there is */
    fix_ip(&frame);
    assert_dropped(DROP_IP_HEADER);
    ip_of(&frame)->total_length = be16_from(65535);
    fix_ip(&frame);
    assert_dropped(DROP_IP_HEADER);
}

Test(hostile, I3_bad_header_checksum_is_dropped)
{
    for (size_t bit = 0; bit < 160; bit++) {
        uint64_t before = received_count();

        if (bit < 32 || (bit >= 48 && bit < 64))
            continue; /* version and lengths have reasons of their own */
        make_echo();
        frame.bytes[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        inject(&frame);
        cr_assert_eq(received_count(), before);
    }
    cr_assert_gt(drop_count(DROP_IP_CHECKSUM), 100);
}

Test(hostile, I4_loopback_addresses_on_the_wire_are_dropped)
{
    make_icmp(&frame, 0x7f000001, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x", 1);
    assert_dropped(DROP_IP_SOURCE);
    make_icmp(&frame, PEER_ADDRESS, 0x7f000001, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    assert_dropped(DROP_IP_DESTINATION);
}

/* covers: MUST-63 */
Test(hostile, I5_sources_that_are_no_host_are_dropped)
{
    static const uint32_t sources[] = {
        0xe0000001, 0xefffffff,  0xffffffff, 0xf0000001,
        0x0a0000ff, OUR_ADDRESS, 0x00000001,
    };

    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        make_icmp(&frame, sources[i], OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
                  1);
        assert_dropped(DROP_IP_SOURCE);
    }
}

Test(hostile, I6_source_any_is_dropped)
{
    make_udp(&frame, 0, 5000, OUR_ADDRESS, 5000, "x", 1);
    assert_dropped(DROP_IP_SOURCE);
    make_ip(&frame, 6, 0, OUR_ADDRESS, "01234567890123456789", 20);
    assert_dropped(DROP_IP_SOURCE);
    make_icmp(&frame, 0, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x", 1);
    assert_dropped(DROP_IP_SOURCE);
}

Test(hostile, I7_land_packet_is_dropped)
{
    make_udp(&frame, OUR_ADDRESS, 5000, OUR_ADDRESS, 5000, "x", 1);
    assert_dropped(DROP_IP_SOURCE);
    make_ip(&frame, 6, OUR_ADDRESS, OUR_ADDRESS, "01234567890123456789", 20);
    assert_dropped(DROP_IP_SOURCE);
}

static void add_options(const void *options, size_t length)
{
    make_echo();
    add_ip_options(&frame, options, length);
}

/* Dropped; the sender may be told where the fault is. */
static void assert_option_dropped(uint8_t octet)
{
    uint64_t before = drop_count(DROP_IP_OPTION);

    /* The budget for errors is another test's business. */
    world_run_for(NS_PER_S);
    forget_received();
    inject(&frame);
    cr_assert_eq(drop_count(DROP_IP_OPTION), before + 1);
    cr_assert_eq(received_count(), 1);
    cr_assert_eq(received_icmp(0)->type, ICMP_PARAMETER_PROBLEM);
    cr_assert_eq(received_icmp(0)->rest[0], octet);
}

Test(hostile, I9_option_length_zero_or_one_is_dropped)
{
    add_options("\x07\x00\x00\x00", 4);
    assert_option_dropped(21);
    add_options("\x99\x01\x00\x00", 4);
    assert_option_dropped(21);
    add_options("\x01\x44\x00\x00", 4);
    assert_option_dropped(22);
}

Test(hostile, I10_option_past_the_header_is_dropped)
{
    add_options("\x99\x05\x00\x00", 4);
    assert_option_dropped(21);
    add_options("\x01\x01\x01\x07", 4); /* its length byte is missing */
    assert_option_dropped(23);
    add_options("\x99\xff\x00\x00", 4);
    assert_option_dropped(21);
}

Test(hostile, I11_source_routes_are_refused_in_silence)
{
    add_options("\x83\x07\x04\x0a\x00\x00\x03\x00", 8);
    assert_dropped(DROP_IP_OPTION);
    add_options("\x89\x07\x04\x0a\x00\x00\x03\x00", 8);
    assert_dropped(DROP_IP_OPTION);
    add_options("\x83\x03\x04\x89\x03\x04\x00\x00", 8);
    assert_dropped(DROP_IP_OPTION);
}

Test(hostile, I11_errors_never_copy_options)
{
    const struct ipv4_header *ip;

    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 9999, "x", 1);
    add_ip_options(&frame, "\x07\x07\x04\x00\x00\x00\x00\x00", 8);
    inject(&frame);
    ip = received_ip(1, 0);
    cr_assert_not_null(ip);
    cr_assert_eq(ip->version_ihl, 0x45);
}

Test(hostile, I12_pointers_outside_their_option_are_dropped)
{
    add_options("\x07\x07\x03\x00\x00\x00\x00\x00", 8);
    assert_option_dropped(22);
    add_options("\x07\x07\x09\x00\x00\x00\x00\x00", 8);
    assert_option_dropped(22);
    add_options("\x44\x08\x04\x00\x00\x00\x00\x00", 8);
    assert_option_dropped(22);
    add_options("\x44\x08\x0a\x00\x00\x00\x00\x00", 8);
    assert_option_dropped(22);
    add_options("\x07\x02\x00\x00", 4);
    assert_option_dropped(21);
}

Test(hostile, I13_transport_stands_behind_forty_bytes_of_options)
{
    static const uint8_t nops[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    static const uint8_t syn[20] = {
        9, 9, 9, 9, [7] = 41, [12] = 0x50, [13] = 2};
    struct udp_socket *socket;
    uint8_t got[8];
    const uint8_t *reset;

    add_options(nops, sizeof(nops));
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
    cr_assert_eq(memcmp(received_icmp(0) + 1, "0123456789abcdef", 16), 0);
    make_ip(&frame, 6, PEER_ADDRESS, OUR_ADDRESS, syn, sizeof(syn));
    fix_transport(&frame);
    add_ip_options(&frame, nops, sizeof(nops));
    inject(&frame);
    cr_assert_not_null(received_ip(6, 0));
    reset = (const uint8_t *)(received_ip(6, 0) + 1);
    cr_assert_eq(reset[11], 42);
    cr_assert_eq(reset[13], 0x14);
    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &(struct udp_endpoint){.port = 77}), 0);
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 77, "abcd", 4);
    add_ip_options(&frame, nops, sizeof(nops));
    inject(&frame);
    cr_assert_eq(udp_read(socket, got, sizeof(got), 0, NULL, NULL), 4);
    cr_assert_arr_eq(got, "abcd", 4);
}

Test(hostile, I14_tunnelled_packets_are_not_unpacked)
{
    static struct test_frame inner;

    make_icmp(&inner, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    make_ip(&frame, 4, PEER_ADDRESS, OUR_ADDRESS, ip_of(&inner), 29);
    inject(&frame);
    cr_assert_eq(drop_count(DROP_IP_PROTOCOL), 1);
    cr_assert_eq(received_count(), 1);
    cr_assert_eq(received_icmp(0)->code, ICMP_PROTOCOL_UNREACHABLE);
    make_ip(&frame, 41, PEER_ADDRESS, OUR_ADDRESS, ip_of(&inner), 29);
    inject(&frame);
    cr_assert_eq(drop_count(DROP_IP_PROTOCOL), 2);
}

Test(hostile, I15_unknown_protocols_are_told_within_limits)
{
    for (int i = 0; i < 1000; i++) {
        make_ip(&frame, 253, PEER_ADDRESS, OUR_ADDRESS, "12345678", 8);
        inject(&frame);
    }
    cr_assert_eq(drop_count(DROP_IP_PROTOCOL), 1000);
    cr_assert_leq(received_count(), ICMP_PEER_BURST + 2);
}

Test(hostile, I16_packets_for_others_are_not_forwarded)
{
    make_icmp(&frame, PEER_ADDRESS, FAR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    assert_dropped(DROP_IP_NOT_FORWARDED);
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    assert_dropped(DROP_IP_NOT_FORWARDED);
}

Test(hostile, C1_short_or_broken_icmp_is_dropped)
{
    for (size_t length = 0; length < ICMP_HEADER_LENGTH; length++) {
        make_ip(&frame, 1, PEER_ADDRESS, OUR_ADDRESS, "\x08\0\xf7\xff\0\0\0",
                length);
        assert_dropped(DROP_ICMP_MALFORMED);
    }
    make_echo();
    ip_payload_of(&frame)[2] ^= 1;
    assert_dropped(DROP_ICMP_CHECKSUM);
}

Test(hostile, C2_echo_whose_length_is_less_than_its_headers_is_dropped)
{
    static const uint8_t types[] = {ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY};

    for (size_t i = 0; i < sizeof(types); i++) {
        for (uint16_t total = 20; total < 28; total++) {
            make_echo();
            ip_payload_of(&frame)[0] = types[i];
            ip_of(&frame)->total_length = be16_from(total);
            fix_ip(&frame);
            assert_dropped(DROP_ICMP_MALFORMED);
        }
    }
}

Test(hostile, C3_echo_to_a_broadcast_is_not_answered)
{
    make_icmp(&frame, PEER_ADDRESS, 0x0a0000ff, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    assert_dropped(DROP_ICMP_IGNORED);
    make_icmp(&frame, PEER_ADDRESS, 0xffffffff, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    assert_dropped(DROP_ICMP_IGNORED);
    make_icmp(&frame, PEER_ADDRESS, 0xe0000001, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    ethernet_of(&frame)->destination =
        (struct ethernet_address){{1, 0, 0x5e, 0, 0, 1}};
    assert_dropped(DROP_IP_DESTINATION);
}

static struct udp_socket *connected_socket(void)
{
    struct udp_endpoint remote = {mapped(PEER_ADDRESS), 4000};
    struct udp_endpoint local = {mapped(0), 5000};
    struct udp_socket *socket;

    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &local), 0);
    cr_assert_eq(udp_connect(socket, &remote), 0);
    return socket;
}

/* An error about a datagram of connected_socket(); `inner` may be changed. */
static struct ipv4_header *make_error(size_t quoted)
{
    static struct test_frame inner;

    make_udp(&inner, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, "0123456789", 10);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_DESTINATION_UNREACHABLE,
              ICMP_PORT_UNREACHABLE, 0, ip_of(&inner), quoted);
    return (void *)(ip_payload_of(&frame) + ICMP_HEADER_LENGTH);
}

static void assert_error_ignored(struct udp_socket *socket)
{
    fix_transport(&frame);
    assert_dropped(DROP_ICMP_MALFORMED);
    cr_assert_eq(udp_take_error(socket), 0);
}

Test(hostile, C4_errors_with_a_quote_that_lies_are_dropped)
{
    struct udp_socket *socket = connected_socket();

    for (size_t quoted = 0; quoted < 28; quoted++) {
        make_error(quoted);
        assert_error_ignored(socket);
    }
    make_error(28)->version_ihl = 0x65;
    assert_error_ignored(socket);
    make_error(28)->version_ihl = 0x44;
    assert_error_ignored(socket);
    make_error(28)->version_ihl = 0x4f;
    assert_error_ignored(socket);
    make_error(28)->total_length = be16_from(27);
    assert_error_ignored(socket);
    make_error(28)->fragment = be16_from(1);
    assert_error_ignored(socket);
    make_error(28)->source = be32_from(OTHER_ADDRESS);
    assert_error_ignored(socket);
    make_error(28);
    inject(&frame);
    cr_assert_eq(udp_take_error(socket), ECONNREFUSED);
}

/* Ends the message where so much is quoted; the rest of what was quoted is
 * still in the frame, behind it. */
static void cut_error(size_t quoted)
{
    ip_of(&frame)->total_length =
        be16_from((uint16_t)(IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH + quoted));
    fix_ip(&frame);
}

Test(hostile, C4_what_stands_behind_a_quote_is_not_read)
{
    struct udp_socket *socket = connected_socket();
    static const uint8_t nops[40] = {1};
    static struct test_frame inner;

    for (size_t quoted = 0; quoted < 28; quoted++) {
        make_error(28);
        cut_error(quoted);
        assert_error_ignored(socket);
    }
    make_udp(&inner, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, "0123456789", 10);
    add_ip_options(&inner, nops, sizeof(nops));
    for (size_t quoted = 28; quoted <= 68; quoted++) {
        make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS,
                  ICMP_DESTINATION_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0,
                  ip_of(&inner), 68);
        cut_error(quoted);
        if (quoted < 68)
            assert_error_ignored(socket);
    }
    fix_transport(&frame);
    inject(&frame);
    cr_assert_eq(udp_take_error(socket), ECONNREFUSED);
}

Test(hostile, C8_redirects_are_ignored)
{
    struct ip_address far = mapped(FAR_ADDRESS);
    struct ip_address any = mapped(0);
    struct ip_route route;
    static struct test_frame inner;

    make_udp(&inner, OUR_ADDRESS, 5000, FAR_ADDRESS, 4000, "x", 1);
    make_icmp(&frame, GATEWAY_ADDRESS, OUR_ADDRESS, ICMP_REDIRECT, 1,
              PEER_ADDRESS, ip_of(&inner), 28);
    assert_dropped(DROP_ICMP_IGNORED);
    cr_assert_eq(ip_route_lookup(&far, &any, &route), 0);
    cr_assert_eq(be32_get(ip_address_ipv4(&route.gateway)), GATEWAY_ADDRESS);
}

Test(hostile, C9_old_messages_are_ignored)
{
    static const uint8_t types[] = {1,  2,  4,  6,  7,  9,  10, 13, 14,
                                    15, 16, 17, 18, 30, 40, 41, 255};

    for (size_t i = 0; i < sizeof(types); i++) {
        make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, types[i], 0, 0,
                  "0123456789ab", 12);
        assert_dropped(DROP_ICMP_IGNORED);
    }
}

/* How many errors about a datagram from `source` come back. */
static size_t errors_for(uint32_t source, size_t datagrams)
{
    size_t before = received_count();

    for (size_t i = 0; i < datagrams; i++) {
        make_udp(&frame, source, 4000, OUR_ADDRESS, 9999, "x", 1);
        inject(&frame);
    }
    return received_count() - before;
}

Test(hostile, C10_error_budget_of_one_peer_tells_nothing_of_another)
{
    size_t alone = errors_for(PEER_ADDRESS, 100);
    bool differs = false;
    size_t first = 0;

    /* Its own budget is spent, the other's is not. */
    peer.answers_arp = true;
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, OTHER_ADDRESS, 0, OUR_ADDRESS);
    inject(&frame);
    cr_assert_geq(errors_for(OTHER_ADDRESS, 100), alone);

    /* The budget of all is spent in random steps: the same flood from many
     * is answered differently often. */
    for (int round = 0; round < 8; round++) {
        uint64_t before;
        uint64_t sent;

        world_run_for(10 * NS_PER_S);
        before = counter_value("icmp_out_unreachables_total");
        for (uint32_t i = 0; i < 200; i++) {
            make_udp(&frame, 0x0b000000 + (uint32_t)round * 1000 + i, 4000,
                     OUR_ADDRESS, 9999, "x", 1);
            world_port_send(&peer.port, frame_new(frame.bytes, frame.length));
        }
        settle();
        sent = counter_value("icmp_out_unreachables_total") - before;
        cr_assert_geq(sent, 30);
        cr_assert_leq(sent, 100);
        if (round == 0)
            first = sent;
        differs = differs || sent != first;
    }
    cr_assert(differs);
}

Test(hostile, C11_no_error_about_an_error)
{
    make_error(28);
    ip_of(&frame)->protocol = 1;
    /* Malformed options would deserve a parameter problem, were it not one
     * already. */
    add_ip_options(&frame, "\x07\x00\x00\x00", 4);
    assert_dropped(DROP_IP_OPTION);
}

Test(hostile, C11_no_error_about_a_later_fragment)
{
    make_ip(&frame, 253, PEER_ADDRESS, OUR_ADDRESS, "12345678", 8);
    ip_of(&frame)->fragment = be16_from(5);
    fix_ip(&frame);
    add_ip_options(&frame, "\x07\x00\x00\x00", 4);
    assert_dropped(DROP_IP_OPTION);
}

Test(hostile, C11_no_error_about_a_group)
{
    make_udp(&frame, PEER_ADDRESS, 4000, 0x0a0000ff, 9999, "x", 1);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    assert_dropped(DROP_UDP_NO_SOCKET);
    make_ip(&frame, 253, PEER_ADDRESS, 0xffffffff, "12345678", 8);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    assert_dropped(DROP_IP_PROTOCOL);
}
