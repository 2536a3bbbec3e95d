/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets: names, delivery, sending, errors, ports.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/route.h"
#include "net/udp/udp.h"

static struct test_frame frame;

static void start(void)
{
    net_world();
    learn_peer();
}

TestSuite(udp, .init = start, .timeout = 60);

static struct udp_endpoint at(uint32_t address, uint16_t port)
{
    return (struct udp_endpoint){mapped(address), port};
}

static unsigned notified;
static uint32_t notified_ready;

static void notify(void *owner, uint32_t ready)
{
    cr_assert_eq(owner, &notified);
    notified++;
    notified_ready = ready;
}

static struct udp_socket *open_socket(void)
{
    struct udp_socket *socket;

    cr_assert_eq(udp_open(&notified, notify, &socket), 0);
    return socket;
}

static struct udp_socket *bound(uint32_t address, uint16_t port)
{
    struct udp_socket *socket = open_socket();
    struct udp_endpoint local = at(address, port);

    cr_assert_eq(udp_bind(socket, &local), 0);
    return socket;
}

static int send_to(struct udp_socket *socket, uint32_t address, uint16_t port,
                   const void *bytes, size_t length)
{
    struct udp_endpoint remote = at(address, port);
    int status;

    (void)world_enter(stack);
    status = udp_send(socket, address == 0 ? NULL : &remote, bytes, length,
                      world_now());
    world_leave(stack);
    settle();
    return status;
}

static int read_one(struct udp_socket *socket)
{
    char bytes[100];

    return udp_read(socket, bytes, sizeof(bytes), 0, NULL, NULL);
}

static void from_peer(uint16_t source, uint16_t destination, const char *text)
{
    make_udp(&frame, PEER_ADDRESS, source, OUR_ADDRESS, destination, text,
             strlen(text));
    inject(&frame);
}

Test(udp, datagram_reaches_its_socket_with_both_endpoints)
{
    struct udp_socket *socket = bound(0, 5000);
    struct udp_endpoint remote;
    struct udp_endpoint local;
    char bytes[16];

    from_peer(4000, 5000, "hello");
    cr_assert_eq(notified, 1);
    cr_assert_eq(notified_ready, UDP_READABLE);
    cr_assert_eq(udp_read_queued(socket), 5);
    cr_assert_eq(udp_read(socket, bytes, sizeof(bytes), 0, &remote, &local), 5);
    cr_assert_eq(memcmp(bytes, "hello", 5), 0);
    cr_assert_eq(remote.port, 4000);
    cr_assert_eq(be32_get(ip_address_ipv4(&remote.address)), PEER_ADDRESS);
    cr_assert_eq(local.port, 5000);
    cr_assert_eq(be32_get(ip_address_ipv4(&local.address)), OUR_ADDRESS);
    cr_assert_eq(read_one(socket), -EAGAIN);
    cr_assert_eq(missing_packets(), 0);
}

Test(udp, owner_is_told_of_every_datagram)
{
    struct udp_socket *socket = bound(0, 5000);

    from_peer(4000, 5000, "a");
    from_peer(4000, 5000, "b");
    cr_assert_eq(notified, 2); /* an edge of epoll each, as on Linux */
    read_one(socket);
    from_peer(4000, 5000, "c");
    cr_assert_eq(notified, 3);
}

Test(udp, empty_datagram_is_one)
{
    struct udp_socket *socket = bound(0, 5000);

    from_peer(4000, 5000, "");
    cr_assert_eq(udp_ready(socket), UDP_READABLE | UDP_WRITABLE);
    cr_assert_eq(read_one(socket), 0);
    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, NULL, 0), 0);
    cr_assert_eq(be16_get(received_udp(0)->length), 8);
}

Test(udp, peek_leaves_it_and_short_read_loses_the_rest)
{
    struct udp_socket *socket = bound(0, 5000);
    char bytes[4];

    from_peer(4000, 5000, "hello");
    cr_assert_eq(udp_read(socket, bytes, 3, UDP_READ_PEEK, NULL, NULL), 5);
    cr_assert_eq(udp_read(socket, bytes, 3, 0, NULL, NULL), 5);
    cr_assert_eq(memcmp(bytes, "hel", 3), 0);
    cr_assert_eq(read_one(socket), -EAGAIN);
}

Test(udp, sent_datagram_is_right_on_the_wire)
{
    struct udp_socket *socket = bound(0, 5000);
    const struct ipv4_header *ip;

    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, "hello", 5), 5);
    ip = received_ip(17, 0);
    cr_assert_not_null(ip);
    cr_assert_eq(be32_get(ip->source), OUR_ADDRESS);
    cr_assert_eq(ip->ttl, 64);
    /* What the peer would build is the same, checksums included. */
    make_udp(&frame, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, "hello", 5);
    ip_of(&frame)->identification = ip->identification;
    fix_ip(&frame);
    cr_assert_eq(memcmp(ip, ip_of(&frame), 20 + 8 + 5), 0);
}

Test(udp, checksum_that_comes_to_zero_is_sent_as_ones)
{
    struct udp_socket *socket = bound(0, 5000);
    uint8_t bytes[2] = {0, 0};

    /* Of 65536 payloads of two bytes one has this sum: find it. */
    for (uint32_t i = 0; i < 65536; i++) {
        bytes[0] = (uint8_t)(i >> 8);
        bytes[1] = (uint8_t)i;
        make_udp(&frame, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, bytes, 2);
        if (ip_payload_of(&frame)[6] == 0xff &&
            ip_payload_of(&frame)[7] == 0xff)
            break;
    }
    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, bytes, 2), 2);
    cr_assert_eq(be16_get(received_udp(0)->checksum), 0xffff);
}

Test(udp, large_datagram_is_fragmented_and_whole)
{
    struct udp_socket *socket = bound(0, 5000);
    static uint8_t bytes[UDP_PAYLOAD_MAX];
    static uint8_t seen[UDP_PAYLOAD_MAX + 8];
    size_t total = 0;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 11 + i / 256);
    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, bytes, sizeof(bytes)),
                 (int)sizeof(bytes));
    settle();
    cr_assert_null(received_ip(17, IP_PIECES_PER_TURN), "at a time");
    world_run_for(10 * NS_PER_MS);
    for (size_t n = 0; received_ip(17, n) != NULL; n++) {
        const struct ipv4_header *ip = received_ip(17, n);
        size_t offset =
            (size_t)(be16_get(ip->fragment) & IPV4_FRAGMENT_OFFSET) * 8;
        size_t length = be16_get(ip->total_length) - 20u;

        cr_assert_leq(length, 1480);
        memcpy(seen + offset, ip + 1, length);
        total += length;
    }
    cr_assert_eq(total, sizeof(seen));
    cr_assert_eq(memcmp(seen + 8, bytes, sizeof(bytes)), 0);
    make_udp(&frame, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, bytes,
             sizeof(bytes));
    cr_assert_eq(memcmp(seen, ip_payload_of(&frame), 8), 0, "checksum");
    cr_assert_eq(missing_buffers(), 0);
    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, bytes, sizeof(bytes) + 1),
                 -EMSGSIZE);
}

/* More than may wait: those are cut at once. */
Test(udp, many_large_datagrams_leave_whole)
{
    static uint8_t bytes[20000];
    struct udp_socket *socket = bound(0, 5000);
    uint64_t done = counter_value("ip_out_fragments_done_total");
    size_t count = 2 * IP_CUT_PACKETS_MAX;

    for (size_t i = 0; i < count; i++)
        cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, bytes, sizeof(bytes)),
                     (int)sizeof(bytes));
    world_run_for(50 * NS_PER_MS);
    cr_assert_eq(counter_value("ip_out_fragments_done_total"), done + count);
    cr_assert_eq(missing_packets(), 0);
}

Test(udp, names_conflict_as_they_should)
{
    struct udp_socket *one = bound(0, 5000);
    struct udp_socket *two = open_socket();
    struct udp_endpoint any = at(0, 5000);
    struct udp_endpoint ours = at(OUR_ADDRESS, 5000);
    struct udp_endpoint other = at(OTHER_ADDRESS, 5001);

    cr_assert_eq(udp_bind(two, &any), -EADDRINUSE);
    cr_assert_eq(udp_bind(two, &ours), -EADDRINUSE);
    cr_assert_eq(udp_bind(two, &other), -EADDRNOTAVAIL);
    cr_assert_eq(udp_bind(one, &any), -EINVAL);
    udp_close(one);
    cr_assert_eq(udp_bind(two, &any), 0);
}

Test(udp, name_can_be_shared_when_both_agree)
{
    struct udp_socket *one = open_socket();
    struct udp_socket *two = open_socket();
    struct udp_endpoint any = at(0, 5000);

    cr_assert_eq(udp_set_option(one, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_bind(one, &any), 0);
    cr_assert_eq(udp_bind(two, &any), -EADDRINUSE);
    cr_assert_eq(udp_set_option(two, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_bind(two, &any), 0);
}

Test(udp, most_specific_socket_gets_it)
{
    struct udp_socket *any = open_socket();
    struct udp_socket *ours = open_socket();
    struct udp_socket *connected = open_socket();
    struct udp_endpoint local_any = at(0, 5000);
    struct udp_endpoint local = at(OUR_ADDRESS, 5000);
    struct udp_endpoint remote = at(PEER_ADDRESS, 4000);

    cr_assert_eq(udp_set_option(any, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_set_option(ours, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_set_option(connected, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_bind(any, &local_any), 0);
    cr_assert_eq(udp_bind(ours, &local), 0);
    cr_assert_eq(udp_bind(connected, &local), 0);
    cr_assert_eq(udp_connect(connected, &remote), 0);
    from_peer(4000, 5000, "1");
    from_peer(4001, 5000, "22");
    cr_assert_eq(read_one(connected), 1);
    cr_assert_eq(read_one(ours), 2);
    cr_assert_eq(read_one(any), -EAGAIN);
    udp_close(ours);
    from_peer(4001, 5000, "333");
    cr_assert_eq(read_one(any), 3);
    udp_disconnect(connected);
    from_peer(4000, 5000, "4444");
    cr_assert_eq(read_one(connected), 4);
}

Test(udp, broadcast_reaches_everybody_who_listens)
{
    struct udp_socket *one = open_socket();
    struct udp_socket *two = open_socket();
    struct udp_endpoint any = at(0, 5000);

    cr_assert_eq(udp_set_option(one, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_set_option(two, UDP_OPTION_REUSE_ADDRESS, 1), 0);
    cr_assert_eq(udp_bind(one, &any), 0);
    cr_assert_eq(udp_bind(two, &any), 0);
    make_udp(&frame, PEER_ADDRESS, 4000, 0x0a0000ff, 5000, "all", 3);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    inject(&frame);
    for (int i = 0; i < 2; i++) {
        struct udp_endpoint from = {0};
        char bytes[8];

        cr_assert_eq(
            udp_read(i == 0 ? one : two, bytes, sizeof(bytes), 0, &from, NULL),
            3);
        cr_assert_eq(memcmp(bytes, "all", 3), 0);
        cr_assert_eq(from.port, 4000);
        cr_assert_eq(be32_get(ip_address_ipv4(&from.address)), PEER_ADDRESS);
    }
    cr_assert_eq(missing_packets(), 0);
}

Test(udp, broadcast_is_sent_when_it_is_allowed)
{
    struct udp_socket *socket = bound(0, 5000);

    cr_assert_eq(send_to(socket, 0x0a0000ff, 4000, "x", 1), -EACCES);
    cr_assert_eq(udp_set_option(socket, UDP_OPTION_BROADCAST, 1), 0);
    cr_assert_eq(send_to(socket, 0x0a0000ff, 4000, "x", 1), 1);
    cr_assert_eq(send_to(socket, 0xffffffff, 4000, "x", 1), 1);
    cr_assert_not_null(received_udp(1));
    cr_assert_eq(peer.received[0]->bytes[0], 0xff);
    cr_assert_eq(be32_get(received_ip(17, 1)->source), OUR_ADDRESS);
}

Test(udp, socket_without_a_name_gets_one_when_it_sends)
{
    struct udp_socket *socket = open_socket();

    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, "x", 1), 1);
    cr_assert_geq(udp_local(socket).port, UDP_PORT_FIRST);
    cr_assert_leq(udp_local(socket).port, UDP_PORT_LAST);
    from_peer(4000, udp_local(socket).port, "back");
    cr_assert_eq(read_one(socket), 4);
}

Test(udp, sends_that_cannot_be_are_refused)
{
    struct udp_socket *socket = bound(0, 5000);

    cr_assert_eq(send_to(socket, 0, 0, "x", 1), -EDESTADDRREQ);
    cr_assert_eq(send_to(socket, 0xf0000001, 4000, "x", 1), -ENETUNREACH);
    cr_assert_eq(send_to(socket, PEER_ADDRESS, 0, "x", 1), -EINVAL);
}

Test(udp, connected_socket_sends_without_an_address)
{
    struct udp_socket *socket = open_socket();
    struct udp_endpoint remote = at(PEER_ADDRESS, 4000);
    struct udp_endpoint local;

    cr_assert_eq(udp_connect(socket, &remote), 0);
    cr_assert(udp_is_connected(socket));
    cr_assert_eq(send_to(socket, 0, 0, "x", 1), 1);
    cr_assert_eq(be16_get(received_udp(0)->destination_port), 4000);
    local = udp_local(socket);
    cr_assert_eq(be32_get(ip_address_ipv4(&local.address)), OUR_ADDRESS);
    from_peer(4000, udp_local(socket).port, "back");
    cr_assert_eq(read_one(socket), 4);
    udp_disconnect(socket);
    cr_assert_eq(send_to(socket, 0, 0, "x", 1), -EDESTADDRREQ);
}

Test(udp, pending_error_is_told_once)
{
    struct udp_socket *socket = bound(0, 5000);
    struct udp_endpoint remote = at(PEER_ADDRESS, 4000);
    static struct test_frame inner;

    cr_assert_eq(udp_connect(socket, &remote), 0);
    make_udp(&inner, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, "x", 1);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_DESTINATION_UNREACHABLE,
              ICMP_PORT_UNREACHABLE, 0, ip_of(&inner), 28);
    inject(&frame);
    cr_assert_eq(notified_ready, UDP_FAILED);
    cr_assert_eq(udp_ready(socket), UDP_FAILED | UDP_WRITABLE);
    cr_assert_eq(send_to(socket, 0, 0, "x", 1), -ECONNREFUSED);
    cr_assert_eq(send_to(socket, 0, 0, "x", 1), 1);
}

Test(udp, send_without_carrier_is_lost_and_holds_nothing)
{
    struct udp_socket *socket = bound(0, 5000);

    (void)world_enter(stack);
    netif_link_changed(&device->netif, false);
    world_leave(stack);
    cr_assert_eq(send_to(socket, PEER_ADDRESS, 4000, "x", 1), 1);
    cr_assert_eq(drop_count(DROP_LINK_DOWN), 1);
    cr_assert_eq(missing_packets(), 0);
}

Test(udp, cached_way_is_renewed_when_routes_change)
{
    struct udp_socket *socket = open_socket();
    struct udp_endpoint remote = at(FAR_ADDRESS, 4000);

    cr_assert_eq(udp_connect(socket, &remote), 0);
    cr_assert_eq(send_to(socket, 0, 0, "x", 1), 1);
    cr_assert_eq(be32_get(received_arp(0)->target_protocol), GATEWAY_ADDRESS);
    forget_received();
    cr_assert_eq(ip_route_add(be32_from(FAR_ADDRESS), 24,
                              be32_from(OTHER_ADDRESS), &device->netif),
                 0);
    cr_assert_eq(send_to(socket, 0, 0, "x", 1), 1);
    cr_assert_eq(be32_get(received_arp(0)->target_protocol), OTHER_ADDRESS);
}

Test(udp, sockets_run_out_and_come_back)
{
    struct udp_socket *sockets[UDP_SOCKETS_MAX];
    size_t count = 0;
    struct udp_socket *more;

    while (udp_open(NULL, NULL, &sockets[count]) == 0)
        count++;
    cr_assert_geq(count, 32);
    cr_assert_eq(udp_open(NULL, NULL, &more), -ENOBUFS);
    udp_close(sockets[3]);
    cr_assert_eq(udp_open(NULL, NULL, &more), 0);
}

/* RFC 6056: the next port to one destination says little of the next to
 * another. */
Test(udp, ports_are_chosen_apart_for_each_destination)
{
    size_t near = 0;
    uint16_t last = 0;

    for (uint32_t i = 0; i < 50; i++) {
        struct udp_socket *socket = open_socket();
        struct udp_endpoint remote = at(FAR_ADDRESS + i, 4000);
        uint16_t port;

        cr_assert_eq(udp_connect(socket, &remote), 0);
        port = udp_local(socket).port;
        if (i > 0 && (uint16_t)(port - last + 64) < 128)
            near++;
        last = port;
        udp_close(socket);
    }
    cr_assert_leq(near, 3);
}

Test(udp, every_port_can_be_had)
{
    struct udp_endpoint remote = at(PEER_ADDRESS, 4000);
    static bool seen[65536];
    size_t distinct = 0;

    for (int i = 0; i < 3000; i++) {
        struct udp_socket *socket = open_socket();

        cr_assert_eq(udp_connect(socket, &remote), 0);
        distinct += !seen[udp_local(socket).port];
        seen[udp_local(socket).port] = true;
        udp_close(socket);
    }
    cr_assert_eq(distinct, 3000, "the next one is another one");
}
