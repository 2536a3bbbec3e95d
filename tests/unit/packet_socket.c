/* SPDX-License-Identifier: MIT */
/*
 * Packet sockets: frames in and out of one interface.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_router.h"
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netpacket/packet.h>
#include <string.h>

#include "net/raw/raw.h"

enum {
    ALL = 3,            /* ETH_P_ALL */
    SOME_TYPE = 0x88b5, /* IEEE: for experiments */
};

static struct test_frame frame;
static uint8_t in[70000];
static struct sockaddr_ll sender;

static void start(void)
{
    router_world();
    learn_peer();
    socket_world_use(stack);
}

TestSuite(packet_socket, .init = start, .timeout = 60);
TestSuite(hostile_packet_socket, .init = start, .timeout = 60);

static int open_socket(int domain, int type, int protocol)
{
    int id = socket_open(domain, type | SOCK_NONBLOCK, protocol);

    cr_assert_geq(id, 0, "%d", id);
    return id;
}

static ssize_t receive_from(int id, void *name, socklen_t length)
{
    struct iovec piece = {in, sizeof(in)};
    struct msghdr message = {.msg_name = name,
                             .msg_namelen = length,
                             .msg_iov = &piece,
                             .msg_iovlen = 1};

    return socket_recvmsg(id, &message, 0);
}

static ssize_t receive(int id)
{
    return receive_from(id, &sender, sizeof(sender));
}

static ssize_t send_named(int id, void *name, socklen_t size, const void *bytes,
                          size_t length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_name = name,
                             .msg_namelen = size,
                             .msg_iov = &piece,
                             .msg_iovlen = 1};
    ssize_t result = socket_sendmsg(id, &message, 0);

    settle();
    return result;
}

static struct sockaddr_ll link_address(int index, uint16_t type)
{
    struct sockaddr_ll name = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(type),
                               .sll_ifindex = index,
                               .sll_halen = 6};
    struct ethernet_address to = hardware(PEER_NUMBER);

    memcpy(name.sll_addr, &to, sizeof(to));
    return name;
}

static int device_index(void)
{
    return device->netif.index + 1;
}

static int bind_link(int id, int index, uint16_t type)
{
    struct sockaddr_ll name = link_address(index, type);

    return socket_bind(id, (struct sockaddr *)&name, sizeof(name));
}

Test(packet_socket, a_frame_is_heard_whole_and_the_stack_gets_it_too)
{
    int id = open_socket(AF_PACKET, SOCK_RAW, htons(ETHERNET_TYPE_IPV4));

    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, 8, 0, 7, "ping", 4);
    inject(&frame);
    cr_assert_eq(receive(id), (ssize_t)frame.length);
    cr_assert_arr_eq(in, frame.bytes, frame.length);
    cr_assert_eq(sender.sll_family, AF_PACKET);
    cr_assert_eq(sender.sll_ifindex, device_index());
    cr_assert_eq(sender.sll_pkttype, PACKET_HOST);
    cr_assert_eq(sender.sll_protocol, htons(ETHERNET_TYPE_IPV4));
    cr_assert_eq(sender.sll_halen, 6);
    cr_assert_arr_eq(sender.sll_addr, ethernet_of(&frame)->source.octet, 6);
    cr_assert_eq(receive(id), -EAGAIN, "what leaves is not of that type's");
    cr_assert_not_null(received_icmp(0));
}

Test(packet_socket, whoever_wants_everything_sees_what_leaves)
{
    int id = open_socket(AF_PACKET, SOCK_DGRAM, htons(ALL));

    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, 8, 0, 7, "ping", 4);
    inject(&frame);
    cr_assert_eq(receive(id), (ssize_t)frame.length - 14);
    cr_assert_arr_eq(in, ip_of(&frame), frame.length - 14);
    cr_assert_geq(receive(id), 32);
    cr_assert_eq(sender.sll_pkttype, PACKET_OUTGOING);
    cr_assert_eq(in[20], 0, "the echo's reply");
}

Test(packet_socket, frames_of_any_type_to_anybody_are_told_apart)
{
    int id = open_socket(AF_PACKET, SOCK_RAW, htons(SOME_TYPE));

    make_ethernet(&frame, SOME_TYPE, "hello", 5);
    inject(&frame);
    cr_assert_eq(receive(id), 19);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    inject(&frame);
    cr_assert_eq(receive(id), 19);
    cr_assert_eq(sender.sll_pkttype, PACKET_BROADCAST);
    ethernet_of(&frame)->destination = (struct ethernet_address){{1, 0, 0x5e}};
    inject(&frame);
    cr_assert_eq(receive(id), 19);
    cr_assert_eq(sender.sll_pkttype, PACKET_MULTICAST);
    ethernet_of(&frame)->destination = hardware(77);
    inject(&frame);
    cr_assert_eq(receive(id), 19);
    cr_assert_eq(sender.sll_pkttype, PACKET_OTHERHOST);
}

Test(packet_socket, only_the_bound_interface_and_type_are_heard)
{
    int id = open_socket(AF_PACKET, SOCK_RAW, 0);

    make_ethernet(&frame, SOME_TYPE, "hello", 5);
    inject(&frame);
    cr_assert_eq(receive(id), -EAGAIN, "nothing was asked for");
    cr_assert_eq(bind_link(id, 99, SOME_TYPE), -ENODEV);
    cr_assert_eq(bind_link(id, -1, SOME_TYPE), -ENODEV);
    cr_assert_eq(bind_link(id, inside_device->netif.index + 1, SOME_TYPE), 0);
    inject(&frame);
    cr_assert_eq(receive(id), -EAGAIN);
    inject_inside(&frame);
    cr_assert_eq(receive(id), 19);
    make_ethernet(&frame, SOME_TYPE + 1, "hello", 5);
    inject_inside(&frame);
    cr_assert_eq(receive(id), -EAGAIN);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_DOMAIN), AF_PACKET);
}

Test(packet_socket, a_frame_leaves_as_it_was_written)
{
    int id = open_socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll name = link_address(device_index(), SOME_TYPE);

    make_ethernet(&frame, SOME_TYPE, "hello", 5);
    cr_assert_eq(send_named(id, NULL, 0, frame.bytes, 19), -ENXIO);
    cr_assert_eq(send_named(id, &name, sizeof(name), frame.bytes, 19), 19);
    cr_assert_eq(received_count(), 1);
    cr_assert_eq(peer.received[0]->length, 60);
    cr_assert_arr_eq(peer.received[0]->bytes, frame.bytes, 19);
    cr_assert_eq(bind_link(id, device_index(), SOME_TYPE), 0);
    cr_assert_eq(send_bytes(id, frame.bytes, 19, 0), 19);
    settle();
    cr_assert_eq(received_count(), 2);
}

Test(packet_socket, a_cooked_one_gets_its_header_from_the_address)
{
    int id = open_socket(AF_PACKET, SOCK_DGRAM, 0);
    struct sockaddr_ll name = link_address(device_index(), SOME_TYPE);
    const struct ethernet_header *header;

    cr_assert_eq(send_named(id, &name, sizeof(name), "hello", 5), 5);
    cr_assert_eq(received_count(), 1);
    header = (const void *)peer.received[0]->bytes;
    cr_assert_eq(be16_get(header->type), SOME_TYPE);
    cr_assert_eq(header->destination.octet[5], PEER_NUMBER);
    cr_assert_arr_eq(&header->source, &device->netif.address, 6);
    name.sll_halen = 5;
    cr_assert_eq(send_named(id, &name, sizeof(name), "hello", 5), -EINVAL);
}

Test(hostile_packet_socket, frames_too_long_or_too_short_are_refused)
{
    static uint8_t bytes[2000] = {[12] = 0x88, [13] = 0xb5};
    int raw = open_socket(AF_PACKET, SOCK_RAW, 0);
    int cooked = open_socket(AF_PACKET, SOCK_DGRAM, 0);
    struct sockaddr_ll name = link_address(device_index(), SOME_TYPE);
    socklen_t size = sizeof(name);

    for (size_t length = 0; length < 14; length++)
        cr_assert_eq(send_named(raw, &name, size, bytes, length), -EINVAL);
    cr_assert_eq(send_named(raw, &name, size, bytes, 1514), 1514);
    cr_assert_eq(send_named(raw, &name, size, bytes, 1515), -EMSGSIZE);
    cr_assert_eq(send_named(cooked, &name, size, bytes, 1500), 1500);
    cr_assert_eq(send_named(cooked, &name, size, bytes, 1501), -EMSGSIZE);
    bytes[12] = 0x81; /* a tag does not count */
    bytes[13] = 0;
    cr_assert_eq(send_named(raw, &name, size, bytes, 1518), 1518);
    cr_assert_eq(send_named(raw, &name, size, bytes, 1519), -EMSGSIZE);
    cr_assert_eq(send_named(raw, &name, size - 1, bytes, 100), -EINVAL);
    cr_assert_eq(received_count(), 3);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile_packet_socket, runts_are_not_told_and_nothing_is_kept_when_closed)
{
    int id = open_socket(AF_PACKET, SOCK_RAW, htons(ALL));

    for (size_t length = 1; length < 14; length++) {
        make_ethernet(&frame, SOME_TYPE, "", 0);
        frame.length = length;
        inject(&frame);
    }
    cr_assert_eq(receive(id), -EAGAIN);
    make_ethernet(&frame, SOME_TYPE, "hello", 5);
    for (size_t i = 0; i < 3000; i++)
        inject(&frame);
    cr_assert_eq(socket_close(id), 0);
    inject(&frame);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet_socket, it_cannot_connect)
{
    int id = open_socket(AF_PACKET, SOCK_RAW, 0);

    cr_assert_eq(connect_to(id, PEER_ADDRESS, 0), -EOPNOTSUPP);
    cr_assert_eq(set_option(id, IPPROTO_IP, IP_TTL, 3), -ENOPROTOOPT);
}
