/* SPDX-License-Identifier: MIT */
/*
 * Everything beside TCP while requests for memory fail: UDP both ways,
 * reassembly and pieces of our own, packets that wait for a neighbour, DHCP,
 * the resolver, sockets on a loopback. What fails may lose a
 * packet, as any path may, and may tell the app; never more, and the next try
 * succeeds.
 * test-links: tests/unit/support_failure.c net/udp/socket.c
 * test-links: net/socket/table.c tests/unit/support_net.c
 * test-links: tests/unit/support_dhcp.c tests/unit/support_dns.c
 * test-links: tests/unit/support_socket.c
 * test-flags: -include tests/unit/support_failure_pool.h
 * test-flags: -Wl,--wrap=buffer_alloc,--wrap=packet_alloc
 * test-flags: -Wl,--wrap=connection_is_available
 */
#include "tests/unit/support_failure.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "net/ip/reassembly.h"
#include "net/service/dhcp.h"
#include "net/udp/udp.h"
#include "tests/unit/support_dhcp.h"
#include "tests/unit/support_dns.h"
#include "tests/unit/support_socket.h"

enum {
    TRIES = 24, /* more than fail one after another */
    LARGE = 4000,
};

static struct test_frame frame;
static uint8_t bytes[LARGE];

/* ---- UDP ------------------------------------------------------------------
 */

static void expect_error(struct failure_report *report, int status,
                         const char *call)
{
    if (status < 0 && status != -ENOBUFS && status != -ENOMEM &&
        status != -EAGAIN && status != -EMFILE && status != -ENFILE)
        failure_fault(report, "%s says %d", call, status);
}

static struct udp_socket *open_bound(struct failure_report *report)
{
    const struct udp_endpoint local = {mapped(OUR_ADDRESS), 7};
    struct udp_socket *socket;

    for (int i = 0; i < TRIES; i++) {
        int status = udp_open(NULL, NULL, &socket);
        expect_error(report, status, "udp_open");
        if (status == 0 && udp_bind(socket, &local) == 0)
            return socket;
        world_run_for(NS_PER_S);
    }
    failure_fault(report, "no socket");
    return NULL;
}

static int send_once(struct udp_socket *socket, size_t length)
{
    const struct udp_endpoint remote = {mapped(PEER_ADDRESS), 9};
    int status;

    (void)world_enter(stack);
    status = udp_send(socket, &remote, bytes, length, world_now());
    world_leave(stack);
    settle();
    return status;
}

/* Until the peer has it, in so many pieces. */
static bool send_until_there(struct udp_socket *socket, size_t length,
                             size_t pieces, struct failure_report *report)
{
    for (int i = 0; i < TRIES; i++) {
        forget_received();
        int status = send_once(socket, length);
        expect_error(report, status, "udp_send");
        world_run_for(NS_PER_S);
        size_t n = 0;
        while (received_ip(IP_PROTOCOL_UDP, n) != NULL)
            n++;
        if (n == pieces)
            return true;
    }
    return false;
}

static bool receive_until_there(struct udp_socket *socket,
                                struct failure_report *report)
{
    uint8_t got[8];

    for (int i = 0; i < TRIES; i++) {
        make_udp(&frame, PEER_ADDRESS, 9, OUR_ADDRESS, 7, "hello", 5);
        inject(&frame);
        int length = udp_read(socket, got, sizeof(got), 0, NULL, NULL);
        if (length == 5 && memcmp(got, "hello", 5) == 0)
            return true;
        if (length != -EAGAIN)
            failure_fault(report, "udp_read says %d", length);
        world_run_for(NS_PER_S);
    }
    return false;
}

static void prepare_known(void)
{
    net_world();
    learn_peer();
    peer.answers_arp = true;
}

static void play_udp(struct failure_report *report)
{
    struct udp_socket *socket = open_bound(report);

    if (socket == NULL)
        return;
    report->is_whole = send_until_there(socket, 100, 1, report) &&
                       send_until_there(socket, LARGE, 3, report) &&
                       receive_until_there(socket, report);
    if (!report->is_whole)
        failure_fault(report, "a datagram never came");
    udp_close(socket);
    world_run_for(100 * NS_PER_S);
}

/* ---- fragments for us -----------------------------------------------------
 */

static void send_piece(const uint8_t *whole, size_t from, size_t to,
                       size_t length)
{
    make_ip(&frame, IP_PROTOCOL_ICMP, PEER_ADDRESS, OUR_ADDRESS, whole + from,
            to - from);
    ip_of(&frame)->fragment = be16_from(
        (uint16_t)(from / 8 | (to < length ? IPV4_MORE_FRAGMENTS : 0)));
    fix_ip(&frame);
    inject(&frame);
}

/* An echo request in three pieces, the middle one last; its answer comes in
 * pieces, too. */
static void play_pieces(struct failure_report *report)
{
    static uint8_t whole[LARGE];
    size_t answers = 0;

    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, bytes,
              LARGE - 8);
    memcpy(whole, ip_payload_of(&frame), LARGE);
    for (int i = 0; i < TRIES && answers < 3; i++) {
        forget_received();
        send_piece(whole, 0, 1480, LARGE);
        send_piece(whole, 2960, LARGE, LARGE);
        send_piece(whole, 1480, 2960, LARGE);
        world_run_for(REASSEMBLY_TIMEOUT_NS + NS_PER_S);
        for (answers = 0; received_ip(IP_PROTOCOL_ICMP, answers) != NULL;)
            answers++;
    }
    report->is_whole = answers == 3;
    if (!report->is_whole)
        failure_fault(report, "never answered");
    if (reassembly_buffers() != 0 || reassembly_count() != 0)
        failure_fault(report, "pieces are left");
    world_run_for(100 * NS_PER_S);
}

/* ---- neighbours -----------------------------------------------------------
 */

static void prepare_unknown(void)
{
    net_world();
}

/* Three wait, then the peer answers; nobody answers for another. */
static void play_neighbour(struct failure_report *report)
{
    const struct udp_endpoint nobody = {mapped(OTHER_ADDRESS), 9};
    struct udp_socket *socket = open_bound(report);

    if (socket == NULL)
        return;
    for (int i = 0; i < 3; i++)
        expect_error(report, send_once(socket, 100), "udp_send");
    (void)world_enter(stack);
    expect_error(report, udp_send(socket, &nobody, "x", 1, world_now()),
                 "udp_send");
    world_leave(stack);
    world_run_for(NS_PER_S / 2);
    make_arp(&frame, ARP_REPLY, PEER_NUMBER, PEER_ADDRESS, OUR_NUMBER,
             OUR_ADDRESS);
    inject(&frame);
    world_run_for(30 * NS_PER_S);
    (void)udp_take_error(socket); /* nobody was there */
    peer.answers_arp = true;
    report->is_whole = send_until_there(socket, 100, 1, report);
    if (!report->is_whole)
        failure_fault(report, "the peer is not reached");
    udp_close(socket);
    world_run_for(200 * NS_PER_S);
}

/* ---- services -------------------------------------------------------------
 */

static void be_silent(void)
{
    server.is = SERVER_SILENT;
}

/* Nobody has answered yet, and nothing is under way. */
static void prepare_silence(void)
{
    dhcp_world_with(be_silent);
    world_run_for(NS_PER_S);
}

static void play_dhcp(struct failure_report *report)
{
    const uint64_t limit = world_now() + 300 * NS_PER_S;

    server.is = SERVER_HONEST;
    while (!has_address(OUR_ADDRESS) && world_now() < limit)
        world_run_for(NS_PER_S);
    /* Renewed twice, and T1 and T2 armed again. */
    world_run_for(2 * 3600 * NS_PER_S);
    report->is_whole =
        has_address(OUR_ADDRESS) && dhcp_state(&device->netif) == DHCP_BOUND;
    if (!report->is_whole)
        failure_fault(report, "no address");
}

static bool one_address(struct dns_message *message)
{
    put_address(message, 60, 0x01020304);
    set_counts(message, 1, 0);
    return true;
}

static void play_dns(struct failure_report *report)
{
    enum dns_status status = DNS_PENDING;

    name_server.answer = one_address;
    for (int i = 0; i < TRIES && status != DNS_OK; i++) {
        status = look_up("www.example.org");
        if (status == DNS_PENDING)
            failure_fault(report, "a query is never over");
        world_run_for(20 * NS_PER_S);
    }
    report->is_whole = status == DNS_OK;
    if (!report->is_whole)
        failure_fault(report, "no answer: %d", (int)status);
    world_run_for(200 * NS_PER_S);
}

/* ---- sockets --------------------------------------------------------------
 */

static int open_until_there(int type, struct failure_report *report)
{
    int id = -1;

    for (int i = 0; i < TRIES && id < 0; i++) {
        id = socket_open(AF_INET, type, 0);
        expect_error(report, id, "socket");
        if (id < 0)
            world_run_for(NS_PER_S);
    }
    return id;
}

static void let_go(int id)
{
    cr_assert(id < 0 || socket_close(id) == 0);
}

/* Who finds no slot for a connection leaves it in the backlog, as Linux. */
static int accept_until_there(int listener, struct failure_report *report)
{
    int id = -1;

    for (int i = 0; i < TRIES && id < 0; i++) {
        id = socket_accept(listener, NULL, NULL, 0);
        expect_error(report, id, "accept");
        if (id < 0)
            world_run_for(NS_PER_S);
    }
    return id;
}

static bool converse(int listener, struct failure_report *report)
{
    char got[8];
    int client = open_until_there(SOCK_STREAM, report);
    bool is_right = false;

    set_timeouts(listener, 10000);
    set_timeouts(client, 10000);
    int status = connect_to(client, LOOPBACK, TEST_PORT);
    expect_error(report, status == -EINPROGRESS ? 0 : status, "connect");
    int other = status == 0 ? accept_until_there(listener, report) : -1;
    if (other >= 0) {
        set_timeouts(other, 10000);
        is_right = send_bytes(client, "ping", 4, 0) == 4 &&
                   receive_bytes(other, got, sizeof(got), 0) == 4 &&
                   send_bytes(other, "pong!", 5, 0) == 5 &&
                   receive_bytes(client, got, sizeof(got), 0) == 5;
    }
    let_go(other);
    let_go(client);
    return is_right;
}

static void play_sockets(struct failure_report *report)
{
    int listener = open_until_there(SOCK_STREAM, report);
    int datagram = open_until_there(SOCK_DGRAM, report);

    for (int i = 0; i < TRIES && !report->is_whole; i++) {
        (void)bind_to(listener, LOOPBACK, TEST_PORT);
        int status = socket_listen(listener, 4);
        expect_error(report, status, "listen");
        report->is_whole = status == 0 && converse(listener, report);
        world_run_for(3 * NS_PER_S);
    }
    if (!report->is_whole)
        failure_fault(report, "no conversation");
    let_go(datagram);
    let_go(listener);
    world_run_for(1000 * NS_PER_S);
}

/* ---- all of them ----------------------------------------------------------
 */

static void expect_all_right(void (*prepare)(void),
                             void (*play)(struct failure_report *),
                             uint64_t requests)
{
    const struct failure_scenario scenario = {prepare, play};

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    struct failure_sums sums = failure_sweep(&scenario);
    cr_assert_eq(sums.fault[0], '\0', "%s", sums.fault);
    cr_assert_geq(sums.single, requests, "%lu requests only",
                  (unsigned long)sums.single);
    cr_assert_eq(sums.whole, sums.runs);
}

TestSuite(hostile, .timeout = 3600);

Test(hostile, S2_datagrams_both_ways_while_memory_fails)
{
    expect_all_right(prepare_known, play_udp, 8);
}

Test(hostile, S2_pieces_put_together_while_memory_fails)
{
    expect_all_right(prepare_known, play_pieces, 8);
}

Test(hostile, S2_packets_that_wait_for_a_neighbour_while_memory_fails)
{
    expect_all_right(prepare_unknown, play_neighbour, 10);
}

Test(hostile, S2_an_address_by_DHCP_while_memory_fails)
{
    expect_all_right(prepare_silence, play_dhcp, 10);
}

Test(hostile, S2_a_name_looked_up_while_memory_fails)
{
    expect_all_right(dns_world, play_dns, 4);
}

Test(hostile, S2_sockets_on_the_loopback_while_memory_fails)
{
    expect_all_right(socket_world, play_sockets, 16);
}
