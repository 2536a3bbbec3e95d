/* SPDX-License-Identifier: MIT */
/*
 * Groups as programs from Linux use them: IP_MULTICAST_IF, _LOOP and _TTL, and
 * sockets bound to a group's address. Two interfaces, PEER on the first and
 * INSIDE behind the second.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "net/ip/igmp.h"
#include "net/socket/socket.h"
#include "net/wire/udp.h"

enum { GROUP = 0xefc80001, OTHER_GROUP = 0xefc80002, PORT = 5353 };

static void start(void)
{
    router_world();
    learn_peer();
    igmp_start();
    forget_inside();
}

TestSuite(multicast_options, .init = start, .timeout = 60);

static int set(int id, int number, const void *value, socklen_t length)
{
    return socket_setsockopt(id, IPPROTO_IP, number, value, length);
}

static int set_number(int id, int number, int value)
{
    return set(id, number, &value, sizeof(value));
}

static int get_number(int id, int number)
{
    int value = -1;
    socklen_t length = sizeof(value);

    cr_assert_eq(socket_getsockopt(id, IPPROTO_IP, number, &value, &length), 0);
    return value;
}

static struct sockaddr_in at(uint32_t address)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(PORT),
                                .sin_addr.s_addr = htonl(address)};
}

/* A socket that hears PORT at this address. */
static int listener(uint32_t address)
{
    struct sockaddr_in local = at(address);
    int id = socket_open(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int one = 1;

    cr_assert_eq(
        socket_setsockopt(id, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
    cr_assert_eq(socket_bind(id, (void *)&local, sizeof(local)), 0);
    return id;
}

static void join(int id, uint32_t group, uint32_t interface)
{
    struct ip_mreq request = {{htonl(group)}, {htonl(interface)}};

    cr_assert_eq(set(id, IP_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
}

static void say(int id, uint32_t group)
{
    struct sockaddr_in to = at(group);
    struct iovec piece = {"abc", 3};
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof(to),
                             .msg_iov = &piece,
                             .msg_iovlen = 1};

    cr_assert_eq(socket_sendmsg(id, &message, 0), 3);
    settle();
}

/* What came, with who sent it; 0: nothing. */
static uint32_t heard(int id)
{
    struct sockaddr_in from = {0};
    char bytes[8];
    struct iovec room = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof(from),
                             .msg_iov = &room,
                             .msg_iovlen = 1};
    ssize_t got = socket_recvmsg(id, &message, 0);

    if (got == -EAGAIN)
        return 0;
    cr_assert_eq(got, 3);
    return ntohl(from.sin_addr.s_addr);
}

/* Did a datagram to a group leave by the first interface, by the second? */
static const struct ipv4_header *left_outside(void)
{
    return received_ip(IPPROTO_UDP, 0);
}

static const struct ipv4_header *left_inside(void)
{
    for (size_t i = 0; inside_ip(i) != NULL; i++)
        if (inside_ip(i)->protocol == IPPROTO_UDP)
            return inside_ip(i);
    return NULL;
}

static void choose_interface(int id)
{
    struct in_addr address = {htonl(INSIDE_ROUTER)};
    struct ip_mreqn by_index = {.imr_ifindex = inside_device->netif.index + 1};
    socklen_t length = sizeof(address);

    cr_assert_eq(set(id, IP_MULTICAST_IF, &address, sizeof(address)), 0);
    say(id, GROUP);
    cr_assert_null(left_outside());
    cr_assert_not_null(left_inside());
    cr_assert_eq(be32_get(left_inside()->source), INSIDE_ROUTER);
    memset(&address, 0, sizeof(address));
    cr_assert_eq(
        socket_getsockopt(id, IPPROTO_IP, IP_MULTICAST_IF, &address, &length),
        0);
    cr_assert_eq(ntohl(address.s_addr), INSIDE_ROUTER);
    address.s_addr = htonl(INADDR_ANY);
    cr_assert_eq(set(id, IP_MULTICAST_IF, &address, sizeof(address)), 0);
    say(id, GROUP);
    cr_assert_not_null(left_outside());
    forget_inside();
    cr_assert_eq(set(id, IP_MULTICAST_IF, &by_index, sizeof(by_index)), 0);
    say(id, GROUP);
    cr_assert_not_null(left_inside());
    address.s_addr = htonl(PEER_ADDRESS);
    cr_assert_eq(set(id, IP_MULTICAST_IF, &address, sizeof(address)),
                 -EADDRNOTAVAIL);
    forget_inside();
    say(id, GROUP);
    cr_assert_not_null(left_inside(), "a wrong choice changed the old one");
}

Test(multicast_options, an_interface_is_chosen_by_address_and_by_index)
{
    choose_interface(socket_open(AF_INET, SOCK_DGRAM, 0));
}

Test(multicast_options, raw_sockets_choose_it_in_the_same_way)
{
    int frames = socket_open(AF_PACKET, SOCK_RAW, 0);
    struct in_addr address = {htonl(INSIDE_ROUTER)};

    choose_interface(socket_open(AF_INET, SOCK_RAW, IPPROTO_UDP));
    cr_assert_eq(set(frames, IP_MULTICAST_IF, &address, sizeof(address)),
                 -ENOPROTOOPT);
}

Test(multicast_options, an_interface_that_is_not_there_is_refused)
{
    struct in_addr address = {htonl(PEER_ADDRESS)};
    struct ip_mreqn by_index = {.imr_ifindex = 99};
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);

    cr_assert_eq(set(id, IP_MULTICAST_IF, &address, sizeof(address)),
                 -EADDRNOTAVAIL);
    cr_assert_eq(set(id, IP_MULTICAST_IF, &by_index, sizeof(by_index)),
                 -EADDRNOTAVAIL);
    by_index.imr_ifindex = -1;
    cr_assert_eq(set(id, IP_MULTICAST_IF, &by_index, sizeof(by_index)),
                 -EADDRNOTAVAIL);
    cr_assert_eq(set(id, IP_MULTICAST_IF, &address, 3), -EINVAL);
}

Test(multicast_options, our_own_members_hear_what_we_send_unless_told_not_to)
{
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);
    int ear = listener(INADDR_ANY);

    cr_assert_eq(get_number(id, IP_MULTICAST_LOOP), 1);
    say(id, GROUP);
    cr_assert_eq(heard(ear), 0, "nobody had joined");
    join(ear, GROUP, OUR_ADDRESS);
    say(id, GROUP);
    cr_assert_eq(heard(ear), OUR_ADDRESS);
    cr_assert_eq(heard(ear), 0);
    say(id, OTHER_GROUP);
    cr_assert_eq(heard(ear), 0);
    cr_assert_eq(set_number(id, IP_MULTICAST_LOOP, 0), 0);
    say(id, GROUP);
    cr_assert_eq(heard(ear), 0);
    cr_assert_eq(get_number(id, IP_MULTICAST_LOOP), 0);
    cr_assert_not_null(left_outside());
    cr_assert_eq(missing_packets(), 0);
}

Test(multicast_options, members_on_another_interface_hear_nothing)
{
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);
    int ear = listener(INADDR_ANY);

    join(ear, GROUP, INSIDE_ROUTER);
    say(id, GROUP);
    cr_assert_eq(heard(ear), 0);
}

Test(multicast_options, a_ttl_of_0_stays_on_this_host)
{
    uint8_t octet = 0;
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);
    int ear = listener(INADDR_ANY);

    join(ear, GROUP, OUR_ADDRESS);
    cr_assert_eq(get_number(id, IP_MULTICAST_TTL), 1);
    cr_assert_eq(set(id, IP_MULTICAST_TTL, &octet, sizeof(octet)), 0);
    cr_assert_eq(get_number(id, IP_MULTICAST_TTL), 0);
    say(id, GROUP);
    cr_assert_null(left_outside());
    cr_assert_eq(heard(ear), OUR_ADDRESS);
    cr_assert_eq(set_number(id, IP_MULTICAST_TTL, 256), -EINVAL);
    cr_assert_eq(set_number(id, IP_MULTICAST_TTL, -2), -EINVAL);
    cr_assert_eq(set_number(id, IP_MULTICAST_TTL, 33), 0);
    say(id, GROUP);
    cr_assert_eq(left_outside()->ttl, 33);
    cr_assert_eq(heard(ear), OUR_ADDRESS);
    cr_assert_eq(set_number(id, IP_MULTICAST_TTL, -1), 0);
    cr_assert_eq(get_number(id, IP_MULTICAST_TTL), 1);
    cr_assert_eq(missing_packets(), 0);
}

Test(multicast_options, bound_to_a_group_a_socket_hears_that_group_alone)
{
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);
    int ear = listener(GROUP);
    int any = listener(INADDR_ANY);

    join(ear, GROUP, OUR_ADDRESS);
    join(any, OTHER_GROUP, OUR_ADDRESS);
    say(id, OTHER_GROUP);
    cr_assert_eq(heard(ear), 0);
    cr_assert_eq(heard(any), OUR_ADDRESS);
    say(id, GROUP);
    cr_assert_eq(heard(ear), OUR_ADDRESS);
    cr_assert_eq(heard(any), OUR_ADDRESS);
    say(id, OUR_ADDRESS);
    cr_assert_eq(heard(ear), 0);
}

Test(multicast_options, what_a_socket_bound_to_a_group_sends_has_our_address)
{
    struct sockaddr_in to = at(GROUP);
    int id = listener(GROUP);

    say(id, GROUP);
    cr_assert_eq(be32_get(left_outside()->source), OUR_ADDRESS);
    say(id, PEER_ADDRESS);
    cr_assert_eq(be32_get(received_ip(IPPROTO_UDP, 1)->source), OUR_ADDRESS);
    cr_assert_eq(socket_connect(id, (void *)&to, sizeof(to)), 0);
    say(id, GROUP);
    cr_assert_eq(be32_get(received_ip(IPPROTO_UDP, 2)->source), OUR_ADDRESS);
}

Test(multicast_options, streams_do_not_listen_at_groups)
{
    struct sockaddr_in local = at(GROUP);
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(socket_bind(id, (void *)&local, sizeof(local)),
                 -EADDRNOTAVAIL);
    cr_assert_eq(set_number(id, IP_MULTICAST_LOOP, 1), -ENOPROTOOPT);
}
