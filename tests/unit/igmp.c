/* SPDX-License-Identifier: MIT */
/*
 * Groups: joining, telling, answering queries, leaving; hostile messages.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "net/ip/igmp.h"
#include "net/ip/ip.h"
#include "net/socket/socket.h"
#include "net/udp/udp.h"
#include "net/wire/igmp.h"

#define GROUP       0xe8010203 /* 232.1.2.3 */
#define OTHER_GROUP 0xe8010204
#define ALL_HOSTS   0xe0000001
#define VERSION_3   0xe0000016

static struct test_frame frame;
static int owner;

static void start(void)
{
    net_world();
    igmp_start();
}

TestSuite(igmp, .init = start, .timeout = 60);
TestSuite(hostile, .init = start, .timeout = 60);

static int join(const void *who, uint32_t group)
{
    struct ip_address address = mapped(group);
    int status;

    (void)world_enter(stack);
    status = ip_multicast->join(who, &device->netif, &address, world_now());
    world_leave(stack);
    return status;
}

static int leave(const void *who, uint32_t group)
{
    struct ip_address address = mapped(group);
    int status;

    (void)world_enter(stack);
    status = ip_multicast->leave(who, &device->netif, &address, world_now());
    world_leave(stack);
    return status;
}

static void send_group(const struct test_frame *what)
{
    struct test_frame copy = *what;
    uint32_t to = be32_get(ip_of(&copy)->destination);

    ethernet_of(&copy)->destination =
        (struct ethernet_address){{1, 0, 0x5e, (uint8_t)(to >> 16 & 0x7f),
                                   (uint8_t)(to >> 8), (uint8_t)to}};
    inject(&copy);
}

/* A query of version 3 with `sources` said and `bytes` of them there. */
static void make_query(uint32_t to, uint32_t group, uint8_t code,
                       uint16_t sources, size_t bytes)
{
    static const uint8_t router_alert[4] = {148, 4, 0, 0};
    uint8_t message[100] = {0x11, code};

    for (size_t i = 0; i < 4; i++)
        message[4 + i] = (uint8_t)(group >> (24 - 8 * i));
    message[10] = (uint8_t)(sources >> 8);
    message[11] = (uint8_t)sources;
    make_ip(&frame, 2, PEER_ADDRESS, to, message, 12 + bytes);
    add_ip_options(&frame, router_alert, sizeof(router_alert));
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
}

static void fix_igmp(void)
{
    uint8_t *message = ip_payload_of(&frame);
    size_t length = frame.length - (size_t)(message - frame.bytes);
    uint32_t sum = 0;

    message[2] = message[3] = 0;
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)message[i] << 8 : message[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    message[2] = (uint8_t)(~sum >> 8);
    message[3] = (uint8_t)~sum;
}

static const uint8_t *message_of(size_t n)
{
    const struct ipv4_header *header = received_ip(2, n);

    return header == NULL
               ? NULL
               : (const uint8_t *)header + ipv4_header_length(header);
}

static void assert_record(size_t n, uint8_t type, uint32_t group)
{
    const struct ipv4_header *header = received_ip(2, n);
    const uint8_t *message = message_of(n);

    cr_assert_not_null(message);
    cr_assert_eq(be32_get(header->destination), VERSION_3);
    cr_assert_eq(header->ttl, 1);
    cr_assert_eq(header->tos, 0xc0);
    cr_assert_eq(((const uint8_t *)header)[20], 148);
    cr_assert_eq(message[0], IGMP_REPORT_3);
    cr_assert_eq(message[8], type);
    cr_assert_arr_eq(message + 12, &ip_of(&frame)->destination, 0);
    cr_assert_eq((uint32_t)message[12] << 24 | (uint32_t)message[13] << 16 |
                     (uint32_t)message[14] << 8 | message[15],
                 group);
}

Test(igmp, a_join_is_told_at_once_and_once_more)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    settle();
    assert_record(0, IGMP_TO_EXCLUDE, GROUP);
    world_run_for(2 * NS_PER_S);
    assert_record(1, IGMP_TO_EXCLUDE, GROUP);
    world_run_for(60 * NS_PER_S);
    cr_assert_null(received_ip(2, 2));
}

Test(igmp, the_last_who_leaves_is_told)
{
    int second;

    cr_assert_eq(join(&owner, GROUP), 0);
    cr_assert_eq(join(&owner, GROUP), -EADDRINUSE);
    cr_assert_eq(join(&second, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    cr_assert_eq(leave(&owner, GROUP), 0);
    cr_assert_eq(leave(&owner, GROUP), -EADDRNOTAVAIL);
    world_run_for(3 * NS_PER_S);
    cr_assert_null(received_ip(2, 0));
    (void)world_enter(stack);
    ip_multicast->leave_all(&second, world_now());
    world_leave(stack);
    world_run_for(3 * NS_PER_S);
    assert_record(0, IGMP_TO_INCLUDE, GROUP);
    cr_assert_eq(igmp_group_count(), 0);
    cr_assert_eq(join(&owner, PEER_ADDRESS), -EINVAL);
}

Test(igmp, a_query_is_answered_within_its_time)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    cr_assert_eq(join(&owner, OTHER_GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    make_query(ALL_HOSTS, 0, 20, 0, 0);
    fix_igmp();
    send_group(&frame);
    world_run_for(2 * NS_PER_S);
    cr_assert_not_null(received_ip(2, 1));
    cr_assert_eq(message_of(0)[8], IGMP_IS_EXCLUDE);
    cr_assert_null(received_ip(2, 2));
    forget_received();
    make_query(GROUP, GROUP, 10, 0, 0);
    fix_igmp();
    send_group(&frame);
    world_run_for(2 * NS_PER_S);
    assert_record(0, IGMP_IS_EXCLUDE, GROUP);
    cr_assert_null(received_ip(2, 1));
}

Test(igmp, a_querier_of_version_2_is_answered_in_version_2)
{
    static const uint8_t router_alert[4] = {148, 4, 0, 0};
    uint8_t query[8] = {0x11, 10};

    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    make_ip(&frame, 2, PEER_ADDRESS, ALL_HOSTS, query, sizeof(query));
    add_ip_options(&frame, router_alert, sizeof(router_alert));
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    fix_igmp();
    send_group(&frame);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(message_of(0)[0], IGMP_REPORT_2);
    cr_assert_eq(be32_get(received_ip(2, 0)->destination), GROUP);
    cr_assert_eq(leave(&owner, GROUP), 0);
    settle();
    cr_assert_eq(message_of(1)[0], IGMP_LEAVE_2);
    cr_assert_eq(be32_get(received_ip(2, 1)->destination), 0xe0000002);
}

/* A query of version 1 (code 0) or 2, with so many bytes behind it. */
static void send_older_query(uint8_t code, size_t more)
{
    static const uint8_t router_alert[4] = {148, 4, 0, 0};
    uint8_t query[12] = {0x11, code};

    make_ip(&frame, 2, PEER_ADDRESS, ALL_HOSTS, query, 8 + more);
    add_ip_options(&frame, router_alert, sizeof(router_alert));
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    fix_igmp();
    send_group(&frame);
}

/* The next report is of that type. */
static void assert_next_report(uint8_t type)
{
    forget_received();
    make_query(ALL_HOSTS, 0, 10, 0, 0);
    fix_igmp();
    send_group(&frame);
    world_run_for(2 * NS_PER_S);
    cr_assert_not_null(message_of(0));
    cr_assert_eq(message_of(0)[0], type);
}

/* RFC 3376 7.2.1: each older version has a time of its own. */
Test(igmp, when_the_querier_of_version_1_is_gone_that_of_2_counts)
{
    peer.answers_arp = true;
    cr_assert_eq(join(&owner, GROUP), 0);
    send_older_query(0, 0);
    world_run_for(100 * NS_PER_S);
    send_older_query(10, 0);
    assert_next_report(IGMP_REPORT_1);
    world_run_for(165 * NS_PER_S); /* 260 s behind the first */
    assert_next_report(IGMP_REPORT_2);
    world_run_for(100 * NS_PER_S);
    assert_next_report(IGMP_REPORT_3);
}

/* RFC 3376 4.2.1: what nobody can hear has not been told. */
Test(igmp, a_join_while_the_link_is_down_is_told_when_it_is_up)
{
    device_set_link(device, false);
    settle();
    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(10 * NS_PER_S);
    cr_assert_null(received_ip(2, 0));
    device_set_link(device, true);
    world_run_for(3 * NS_PER_S);
    assert_record(0, IGMP_TO_EXCLUDE, GROUP);
    assert_record(1, IGMP_TO_EXCLUDE, GROUP);
    world_run_for(60 * NS_PER_S);
    cr_assert_null(received_ip(2, 2));
}

/* Switches and routers there may never have heard of us. */
Test(igmp, what_is_joined_is_told_again_when_the_link_is_back)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    cr_assert_eq(join(&owner, OTHER_GROUP), 0);
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(leave(&owner, OTHER_GROUP), 0);
    world_run_for(3 * NS_PER_S);
    device_set_link(device, false);
    world_run_for(10 * NS_PER_S);
    forget_received();
    device_set_link(device, true);
    world_run_for(3 * NS_PER_S);
    assert_record(0, IGMP_TO_EXCLUDE, GROUP);
    assert_record(1, IGMP_TO_EXCLUDE, GROUP);
    world_run_for(60 * NS_PER_S);
    cr_assert_null(received_ip(2, 2));
}

Test(igmp, who_leaves_while_the_link_is_down_is_forgotten)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    device_set_link(device, false);
    settle();
    cr_assert_eq(leave(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(igmp_group_count(), 0);
    cr_assert_eq(missing_packets(), 0);
}

/* RFC 3376 7.1: 8 octets, or 12 and more. */
Test(hostile, G1_queries_of_no_version_are_dropped)
{
    uint64_t before = igmp_counters.in_queries;

    for (size_t more = 1; more < 4; more++) {
        send_older_query(0, more);
        send_older_query(10, more);
    }
    cr_assert_eq(igmp_counters.in_queries, before);
    send_older_query(10, 0);
    cr_assert_eq(igmp_counters.in_queries, before + 1);
}

Test(igmp, datagrams_of_a_group_come_to_those_who_joined)
{
    struct udp_endpoint local = {.port = 5353};
    struct udp_socket *socket;
    char bytes[10];

    (void)world_enter(stack);
    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &local), 0);
    world_leave(stack);
    make_udp(&frame, PEER_ADDRESS, 5353, GROUP, 5353, "abc", 3);
    send_group(&frame);
    cr_assert_eq(udp_read(socket, bytes, 10, 0, NULL, NULL), -EAGAIN);
    cr_assert_eq(join(&owner, GROUP), 0);
    send_group(&frame);
    cr_assert_eq(udp_read(socket, bytes, 10, 0, NULL, NULL), 3);
}

Test(igmp, a_socket_joins_by_option_and_leaves_by_closing)
{
    struct ip_mreq request = {.imr_multiaddr = {htonl(GROUP)}};
    int number = 7;
    socklen_t length = sizeof(number);
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);

    cr_assert_eq(socket_setsockopt(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request,
                                   sizeof(request)),
                 0);
    cr_assert_eq(socket_setsockopt(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request,
                                   sizeof(request)),
                 -EADDRINUSE);
    cr_assert_eq(
        socket_setsockopt(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, 4),
        -EINVAL);
    request.imr_interface.s_addr = htonl(PEER_ADDRESS);
    cr_assert_eq(socket_setsockopt(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request,
                                   sizeof(request)),
                 -ENODEV);
    cr_assert_eq(igmp_group_count(), 1);
    cr_assert_eq(socket_setsockopt(id, IPPROTO_IP, IP_MULTICAST_TTL, &number,
                                   sizeof(number)),
                 0);
    cr_assert_eq(
        socket_getsockopt(id, IPPROTO_IP, IP_MULTICAST_TTL, &number, &length),
        0);
    cr_assert_eq(number, 7);
    cr_assert_eq(socket_close(id), 0);
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(igmp_group_count(), 0);
}

Test(igmp, groups_are_sent_to_with_a_ttl_of_1)
{
    struct udp_endpoint to = {mapped(GROUP), 5353};
    struct udp_socket *socket;

    (void)world_enter(stack);
    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_send(socket, &to, "abc", 3, world_now()), 3);
    world_leave(stack);
    settle();
    cr_assert_not_null(received_ip(17, 0));
    cr_assert_eq(received_ip(17, 0)->ttl, 1);
}

static void assert_refused(void)
{
    uint64_t before = igmp_counters.in_queries;
    uint64_t dropped = drop_count(DROP_IGMP_MALFORMED);

    send_group(&frame);
    cr_assert_eq(igmp_counters.in_queries, before);
    cr_assert_eq(drop_count(DROP_IGMP_MALFORMED), dropped + 1);
    cr_assert_eq(missing_packets(), 0);
}

Test(hostile, G1_queries_that_lie_or_come_from_afar_are_dropped)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    make_query(ALL_HOSTS, 0, 10, 1, 0); /* more sources than bytes */
    fix_igmp();
    assert_refused();
    make_query(ALL_HOSTS, 0, 10, 65535, 8);
    fix_igmp();
    assert_refused();
    make_query(ALL_HOSTS, 0, 10, 0, 0);
    fix_igmp();
    ip_of(&frame)->ttl = 2;
    fix_ip(&frame);
    assert_refused();
    make_query(ALL_HOSTS, 0, 10, 0, 0); /* a wrong checksum */
    fix_igmp();
    ip_payload_of(&frame)[2] ^= 1;
    assert_refused();
    make_query(GROUP, 0, 10, 0, 0); /* general, to one group */
    fix_igmp();
    assert_refused();
    make_query(GROUP, PEER_ADDRESS, 10, 0, 0); /* not a group */
    fix_igmp();
    assert_refused();
    for (size_t length = 0; length < 8; length++) {
        make_query(ALL_HOSTS, 0, 10, 0, 0);
        ip_of(&frame)->total_length = be16_from((uint16_t)(24 + length));
        fix_ip(&frame);
        assert_refused();
    }
    for (size_t length = 4; length < 8; length++) { /* a report, cut */
        uint8_t message[8] = {IGMP_REPORT_2};

        make_ip(&frame, 2, PEER_ADDRESS, GROUP, message, length);
        ip_of(&frame)->ttl = 1;
        fix_ip(&frame);
        fix_igmp();
        assert_refused();
    }
    cr_assert_eq(igmp_counters.in_reports, 0);
}

Test(hostile, G1_queries_without_router_alert_are_dropped)
{
    uint8_t query[12] = {0x11, 10};

    make_ip(&frame, 2, PEER_ADDRESS, ALL_HOSTS, query, sizeof(query));
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    fix_igmp();
    assert_refused();
}

static void query_all(uint8_t response_tenths)
{
    make_query(ALL_HOSTS, 0, response_tenths, 0, 0);
    fix_igmp();
    send_group(&frame);
}

Test(hostile, G1_a_response_time_of_0_is_clamped)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    query_all(0);
    world_run_for(NS_PER_S);
    assert_record(0, IGMP_IS_EXCLUDE, GROUP);
}

Test(hostile, G1_a_flood_of_queries_is_answered_once_in_a_while)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    for (unsigned i = 0; i < 1000; i++) {
        query_all(100);
    }
    world_run_for(20 * NS_PER_S);
    cr_assert_not_null(received_ip(2, 0));
    cr_assert_leq(received_count(), 3);
}

/* How many of `groups` groups have answered after that time. */
static size_t answers_after(size_t groups, uint64_t time_ns)
{
    peer.answers_arp = true;
    for (uint32_t i = 0; i < groups; i++)
        cr_assert_eq(join(&owner, GROUP + i), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    send_group(&frame);
    world_run_for(time_ns);
    return received_count();
}

/* RFC 3376 4.1.1: from 128 on a mantissa and an exponent; ff is 53 minutes. */
Test(igmp, long_response_times_have_an_exponent)
{
    make_query(ALL_HOSTS, 0, 0xff, 0, 0);
    fix_igmp();
    cr_assert_lt(answers_after(8, 26 * NS_PER_S), 4);
    world_run_for(3175 * NS_PER_S);
    cr_assert_eq(received_count(), 8);
}

Test(igmp, a_response_time_of_9f_is_49_6_seconds)
{
    make_query(ALL_HOSTS, 0, 0x9f, 0, 0);
    fix_igmp();
    cr_assert_lt(answers_after(20, 40 * NS_PER_S), 20);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(received_count(), 20);
}

Test(igmp, those_of_version_2_have_none)
{
    send_older_query(0xff, 0); /* and once more: */
    cr_assert_eq(answers_after(8, 26 * NS_PER_S), 8);
}

/* RFC 2236 3: one answer is enough for a querier of version 2. */
static void let_another_report(uint8_t type, uint32_t group)
{
    uint8_t message[8] = {type};

    for (size_t i = 0; i < 4; i++)
        message[4 + i] = (uint8_t)(group >> (24 - 8 * i));
    make_ip(&frame, 2, PEER_ADDRESS, group, message, sizeof(message));
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    fix_igmp();
    send_group(&frame);
}

Test(igmp, who_hears_another_answer_keeps_silent)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    cr_assert_eq(join(&owner, OTHER_GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    send_older_query(100, 0);
    let_another_report(IGMP_REPORT_2, GROUP);
    world_run_for(20 * NS_PER_S);
    cr_assert_not_null(received_ip(2, 0));
    cr_assert_eq(be32_get(received_ip(2, 0)->destination), OTHER_GROUP);
    cr_assert_null(received_ip(2, 1));
}

/* RFC 3376 5: nobody speaks for others in version 3, nor of what is new. */
Test(igmp, in_version_3_everybody_answers)
{
    cr_assert_eq(join(&owner, GROUP), 0);
    settle();
    let_another_report(IGMP_REPORT_1, GROUP);
    world_run_for(3 * NS_PER_S);
    assert_record(1, IGMP_TO_EXCLUDE, GROUP);
    forget_received();
    query_all(100);
    let_another_report(IGMP_REPORT_2, GROUP);
    world_run_for(20 * NS_PER_S);
    assert_record(0, IGMP_IS_EXCLUDE, GROUP);
}

/* RFC 3376 6: that group is never told of. */
Test(igmp, the_group_of_all_hosts_is_joined_and_left_in_silence)
{
    cr_assert_eq(join(&owner, ALL_HOSTS), 0);
    cr_assert_eq(igmp_group_count(), 1);
    query_all(10);
    world_run_for(3 * NS_PER_S);
    device_set_link(device, false);
    settle();
    device_set_link(device, true);
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(leave(&owner, ALL_HOSTS), 0);
    world_run_for(3 * NS_PER_S);
    cr_assert_null(received_ip(2, 0));
    cr_assert_eq(igmp_group_count(), 0);
}

Test(igmp, router_alert_may_stand_behind_other_options)
{
    static const uint8_t options[8] = {1, 1, 1, 148, 4, 0, 0, 0};
    static const uint8_t ended[8] = {0, 4, 0, 0, 148, 4, 0, 0};
    uint8_t query[12] = {0x11, 10};
    uint64_t before = igmp_counters.in_queries;

    make_ip(&frame, 2, PEER_ADDRESS, ALL_HOSTS, query, sizeof(query));
    add_ip_options(&frame, options, sizeof(options));
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    fix_igmp();
    send_group(&frame);
    cr_assert_eq(igmp_counters.in_queries, before + 1);
    memcpy(ip_of(&frame) + 1, ended, sizeof(ended));
    fix_ip(&frame);
    assert_refused();
}

/* A join is told twice whoever else reports (RFC 2236 3 leaves it open). */
Test(igmp, what_is_new_is_told_all_the_same)
{
    send_older_query(100, 0);
    cr_assert_eq(join(&owner, GROUP), 0);
    settle();
    let_another_report(IGMP_REPORT_2, GROUP);
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(message_of(1)[0], IGMP_REPORT_2);
}

Test(igmp, places_of_groups_are_used_again)
{
    for (uint32_t i = 0; i < 2 * IGMP_GROUPS_MAX; i++) {
        cr_assert_eq(join(&owner, GROUP + i), 0);
        cr_assert_eq(leave(&owner, GROUP + i), 0);
        world_run_for(3 * NS_PER_S);
    }
    cr_assert_eq(igmp_group_count(), 0);
}

static struct {
    struct ethernet_address list[IGMP_GROUPS_MAX + 1];
    size_t count;
} card;

static void set_multicast(struct netif *netif,
                          const struct ethernet_address *list, size_t count)
{
    (void)netif;
    memcpy(card.list, list, count * sizeof(*list));
    card.count = count;
}

Test(igmp, a_card_is_told_whom_to_let_in)
{
    struct netif_operations operations = *device->netif.operations;

    operations.set_multicast = set_multicast;
    device->netif.operations = &operations;
    cr_assert_eq(join(&owner, GROUP), 0);
    cr_assert_eq(join(&owner, OTHER_GROUP), 0);
    cr_assert_eq(card.count, 3);
    cr_assert_arr_eq(card.list, "\x01\x00\x5e\x00\x00\x01", 6);
    cr_assert_arr_eq(card.list + 1, "\x01\x00\x5e\x01\x02\x03", 6);
    cr_assert_arr_eq(card.list + 2, "\x01\x00\x5e\x01\x02\x04", 6);
    cr_assert_eq(leave(&owner, GROUP), 0);
    cr_assert_eq(card.count, 2);
    cr_assert_arr_eq(card.list + 1, "\x01\x00\x5e\x01\x02\x04", 6);
}

/* RFC 3376 5.2: a later time does not take the place of the earlier one. */
Test(hostile, G1_a_flood_of_queries_does_not_put_the_answer_off)
{
    size_t answers = 0;

    cr_assert_eq(join(&owner, GROUP), 0);
    world_run_for(3 * NS_PER_S);
    forget_received();
    for (unsigned i = 0; i < 600; i++) {
        query_all(100);
        world_run_for(NS_PER_S / 10);
        answers += received_count();
        forget_received();
    }
    cr_assert_geq(answers, 20);
    cr_assert_leq(answers, 120);
}
