/* SPDX-License-Identifier: MIT */
/*
 * Socket options as an app sees them, and closing with SO_LINGER.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"
#include "tests/host/pair.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/time.h>

/* <netinet/tcp.h>, whose state names collide with those of net/tcp. */
enum {
    NUMBER_NODELAY = 1,
    NUMBER_MAXSEG = 2,
    NUMBER_KEEPIDLE = 4,
    NUMBER_KEEPINTVL = 5,
    NUMBER_KEEPCNT = 6,
    NUMBER_INFO = 11,
};

enum {
    MEMORY = 16 << 20,
    FAR_PORT = 9000,
    FAR_ADDRESS = 0x0a000002, /* 10.0.0.2 */
    BULK = 100000,
};

TestSuite(socket_option, .init = socket_world);

/* Set on the socket in every state; each must read it back. */
static void keeps(int level, int option, int value)
{
    int ends[2];
    int fresh = socket_open(AF_INET, SOCK_STREAM, 0);
    int listener = socket_open(AF_INET, SOCK_STREAM, 0);

    make_connection(ends);
    cr_assert_eq(socket_listen(listener, 1), 0);
    cr_assert_eq(set_option(fresh, level, option, value), 0, "%d", option);
    cr_assert_eq(get_option(fresh, level, option), value, "%d", option);
    cr_assert_eq(set_option(listener, level, option, value), 0, "%d", option);
    cr_assert_eq(get_option(listener, level, option), value, "%d", option);
    cr_assert_eq(set_option(ends[0], level, option, value), 0, "%d", option);
    cr_assert_eq(get_option(ends[0], level, option), value, "%d", option);
}

enum {
    NUMBER_CONGESTION = 13,
};

static void congestion_is(int id, const char *name)
{
    char text[16];
    socklen_t length = sizeof(text);

    cr_assert_eq(
        socket_getsockopt(id, IPPROTO_TCP, NUMBER_CONGESTION, text, &length),
        0);
    cr_assert_str_eq(text, name);
}

Test(socket_option, congestion_control_is_chosen_by_name)
{
    static const char *const names[] = {"reno", "vegas", "westwood", "bic",
                                        "cubic"};
    int ends[2];
    int listener = make_listener(1);
    int fresh = socket_open(AF_INET, SOCK_STREAM, 0);

    congestion_is(fresh, "cubic");
    congestion_is(listener, "cubic");
    cr_assert_eq(socket_close(listener), 0);
    make_connection(ends);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        socklen_t length = (socklen_t)strlen(names[i]); /* no zero */
        cr_assert_eq(socket_setsockopt(ends[0], IPPROTO_TCP, NUMBER_CONGESTION,
                                       names[i], length),
                     0);
        congestion_is(ends[0], names[i]);
    }
    congestion_is(ends[1], "cubic");
}

Test(socket_option, an_unknown_congestion_control_is_refused)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);
    int datagram = make_datagram(5000);

    cr_assert_eq(
        socket_setsockopt(id, IPPROTO_TCP, NUMBER_CONGESTION, "fast", 5),
        -ENOENT);
    cr_assert_eq(
        socket_setsockopt(id, IPPROTO_TCP, NUMBER_CONGESTION, "reno", 0),
        -EINVAL);
    cr_assert_eq(
        socket_setsockopt(datagram, IPPROTO_TCP, NUMBER_CONGESTION, "reno", 5),
        -ENOPROTOOPT);
    congestion_is(id, "cubic");
}

Test(socket_option, each_is_kept_in_every_state)
{
    keeps(SOL_SOCKET, SO_REUSEADDR, 1);
    keeps(SOL_SOCKET, SO_KEEPALIVE, 1);
    keeps(IPPROTO_TCP, NUMBER_NODELAY, 1);
    keeps(IPPROTO_TCP, NUMBER_KEEPIDLE, 77);
    keeps(IPPROTO_TCP, NUMBER_KEEPINTVL, 7);
    keeps(IPPROTO_TCP, NUMBER_KEEPCNT, 3);
    keeps(IPPROTO_IP, IP_TTL, 9);
    keeps(IPPROTO_IP, IP_TOS, 0x10);
}

static void doubles(int id, int option, int value, int told)
{
    cr_assert_eq(set_option(id, SOL_SOCKET, option, value), 0);
    cr_assert_eq(get_option(id, SOL_SOCKET, option), told);
}

Test(socket_option, buffers_take_twice_what_is_asked_for_as_on_linux)
{
    int ends[2];
    int fresh = socket_open(AF_INET, SOCK_STREAM, 0);
    int datagram = make_datagram(5000);

    make_connection(ends);
    doubles(fresh, SO_SNDBUF, 65536, 131072);
    doubles(fresh, SO_RCVBUF, 65536, 131072);
    doubles(ends[0], SO_RCVBUF, 65536, 131072);
    doubles(ends[1], SO_SNDBUF, 65536, 131072);
    doubles(datagram, SO_RCVBUF, 65536, 131072);
    doubles(datagram, SO_SNDBUF, 65536, 131072);
    doubles(fresh, SO_RCVBUF, 1, 2 * TCP_BUFFER_MIN);
    doubles(fresh, SO_RCVBUF, INT_MAX, 2 * TCP_BUFFER_MAX);
}

Test(socket_option, what_is_set_before_connecting_survives_it)
{
    int listener = make_listener(1);
    int id = socket_open(AF_INET, SOCK_STREAM, 0);
    int accepted;

    cr_assert_eq(set_option(id, IPPROTO_TCP, NUMBER_NODELAY, 1), 0);
    cr_assert_eq(set_option(listener, IPPROTO_TCP, NUMBER_KEEPIDLE, 55), 0);
    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), 0);
    accepted = socket_accept(listener, NULL, NULL, 0);
    cr_assert_eq(get_option(id, IPPROTO_TCP, NUMBER_NODELAY), 1);
    cr_assert_eq(get_option(accepted, IPPROTO_TCP, NUMBER_KEEPIDLE), 55);
}

Test(socket_option, what_a_socket_is_can_be_asked)
{
    int stream = make_listener(1);
    int datagram = make_datagram(5000);

    cr_assert_eq(get_option(stream, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    cr_assert_eq(get_option(datagram, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    cr_assert_eq(get_option(stream, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    cr_assert_eq(get_option(datagram, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    cr_assert_eq(get_option(stream, SOL_SOCKET, SO_DOMAIN), AF_INET);
    cr_assert_eq(get_option(stream, SOL_SOCKET, SO_ACCEPTCONN), 1);
}

Test(socket_option, unknown_ones_are_enoprotoopt)
{
    int stream = make_listener(1);
    int datagram = make_datagram(5000);

    cr_assert_eq(set_option(stream, SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
    cr_assert_eq(get_option(stream, SOL_SOCKET, 9999), -ENOPROTOOPT);
    cr_assert_eq(set_option(stream, 77, 1, 1), -ENOPROTOOPT);
    cr_assert_eq(set_option(datagram, IPPROTO_TCP, NUMBER_NODELAY, 1),
                 -ENOPROTOOPT);
}

Test(socket_option, values_too_short_or_absurd_are_refused)
{
    int id = make_listener(1);
    char byte = 1;
    struct timeval bad = {1, 2000000};
    struct linger linger = {1, -1};

    cr_assert_eq(socket_setsockopt(id, SOL_SOCKET, SO_REUSEADDR, &byte, 1),
                 -EINVAL);
    cr_assert_eq(
        socket_setsockopt(id, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)),
        -EDOM);
    cr_assert_eq(
        socket_setsockopt(id, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
        -EINVAL);
    linger.l_linger = 1;
    cr_assert_eq(socket_setsockopt(id, SOL_SOCKET, SO_LINGER, &linger,
                                   sizeof(linger) - 1),
                 -EINVAL);
    cr_assert_eq(set_option(id, IPPROTO_TCP, NUMBER_KEEPCNT, 0), -EINVAL);
    cr_assert_eq(set_option(id, IPPROTO_IP, IP_TTL, 256), -EINVAL);
    cr_assert_eq(set_option(id, IPPROTO_TCP, NUMBER_MAXSEG, 1), -EINVAL);
}

Test(socket_option, the_ttl_reads_as_what_is_sent)
{
    const int ids[] = {make_listener(1), make_datagram(5000)};

    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(get_option(ids[i], IPPROTO_IP, IP_TTL), 64);
        cr_assert_eq(set_option(ids[i], IPPROTO_IP, IP_TTL, 9), 0);
        cr_assert_eq(set_option(ids[i], IPPROTO_IP, IP_TTL, 0), -EINVAL);
        cr_assert_eq(get_option(ids[i], IPPROTO_IP, IP_TTL), 9);
        cr_assert_eq(set_option(ids[i], IPPROTO_IP, IP_TTL, -1), 0);
        cr_assert_eq(get_option(ids[i], IPPROTO_IP, IP_TTL), 64);
    }
}

Test(socket_option, timeouts_are_read_back)
{
    int id = make_listener(1);
    struct timeval time = {0, 0};
    socklen_t length = sizeof(time);

    set_timeouts(id, 1250);
    cr_assert_eq(socket_getsockopt(id, SOL_SOCKET, SO_RCVTIMEO, &time, &length),
                 0);
    cr_assert_eq(time.tv_sec, 1);
    cr_assert_eq(time.tv_usec, 250000);
}

Test(socket_option, tcp_info_tells_linux_states)
{
    uint8_t info[104];
    socklen_t length = sizeof(info);
    int ends[2];

    make_connection(ends);
    cr_assert_eq(
        socket_getsockopt(ends[0], IPPROTO_TCP, NUMBER_INFO, info, &length), 0);
    cr_assert_eq(length, sizeof(info));
    cr_assert_eq(info[0], 1, "ESTABLISHED");
    cr_assert_eq(socket_shutdown(ends[0], SHUT_WR), 0);
    world_run_for(NS_PER_MS);
    length = 1;
    cr_assert_eq(
        socket_getsockopt(ends[0], IPPROTO_TCP, NUMBER_INFO, info, &length), 0);
    cr_assert_eq(length, 1);
    cr_assert_eq(info[0], 5, "FIN-WAIT-2");
}

Test(socket_option, tcp_info_of_a_listener_tells_its_queue)
{
    uint32_t info[80];
    socklen_t length = sizeof(info);
    int id = make_listener(7);

    cr_assert_eq(socket_getsockopt(id, IPPROTO_TCP, NUMBER_INFO, info, &length),
                 0);
    cr_assert_eq(length, 248, "as much as Linux has");
    cr_assert_eq(info[6], 0, "tcpi_unacked: who waits");
    cr_assert_eq(info[7], 7, "tcpi_sacked: how many may");
}

static void set_linger(int id, int seconds)
{
    struct linger linger = {1, seconds};

    cr_assert_eq(
        socket_setsockopt(id, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
        0);
}

Test(socket_option, a_linger_of_zero_resets_the_peer)
{
    int ends[2];
    char byte;

    make_connection(ends);
    set_linger(ends[0], 0);
    cr_assert_eq(socket_close(ends[0]), 0);
    cr_assert_eq(receive_bytes(ends[1], &byte, 1, 0), -ECONNRESET);
}

/* A connection from here to a second stack, whose app reads nothing. */
static int connect_far(struct pair *pair)
{
    const struct stack_functions *far;
    struct tcp_listener *listener;
    struct tcp_endpoint local = {.port = FAR_PORT};
    int id;

    *pair = pair_start(3, MEMORY);
    local.address = ip_address_from_ipv4(be32_from(0));
    far = world_enter(pair->stack[1]);
    cr_assert_eq(far->tcp_listen(&local, 1, false, pair, &listener), 0);
    world_leave(pair->stack[1]);
    socket_world_use(pair->stack[0]);
    id = socket_open(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect_to(id, FAR_ADDRESS, FAR_PORT), 0);
    return id;
}

Test(socket_option, lingering_waits_until_the_peer_has_everything)
{
    static uint8_t bytes[BULK];
    static const struct world_path slow = {.rate_bits_s = 1000000};
    struct pair pair;
    int id = connect_far(&pair);
    uint64_t start_ns;

    pair_set_path(&pair, &slow);
    set_linger(id, 30);
    start_ns = world_now();
    cr_assert_eq(send_bytes(id, bytes, 30000, 0), 30000);
    cr_assert_eq(socket_close(id), 0);
    /* 30,000 bytes at 1 Mbit/s. */
    cr_assert_geq(world_now() - start_ns, 240 * NS_PER_MS);
    cr_assert_lt(world_now() - start_ns, 2 * NS_PER_S);
}

Test(socket_option, lingering_ends_with_its_time)
{
    static const struct world_path cut = {.is_cut = true};
    struct pair pair;
    int id = connect_far(&pair);
    uint64_t start_ns;

    pair_set_path(&pair, &cut);
    set_linger(id, 2);
    cr_assert_eq(send_bytes(id, "never", 5, 0), 5);
    start_ns = world_now();
    cr_assert_eq(socket_close(id), 0);
    cr_assert_eq(world_now() - start_ns, 2 * NS_PER_S);
}

Test(socket_option, connecting_into_the_void_gives_up_after_the_send_timeout)
{
    static const struct world_path cut = {.is_cut = true};
    struct pair pair;
    uint64_t start_ns;
    int id = connect_far(&pair);

    cr_assert_eq(socket_close(id), 0);
    pair_set_path(&pair, &cut);
    id = socket_open(AF_INET, SOCK_STREAM, 0);
    set_timeouts(id, 3000);
    start_ns = world_now();
    cr_assert_eq(connect_to(id, FAR_ADDRESS, FAR_PORT), -EINPROGRESS);
    cr_assert_eq(world_now() - start_ns, 3 * NS_PER_S);
}
