/* SPDX-License-Identifier: MIT */
/*
 * S2 of the checklist: memory fails at the k-th place, for every k. Nothing is
 * lost, nothing breaks, and the next attempt gets through.
 * test-links: tests/unit/support_net.c
 * test-flags: -Wl,--wrap=buffer_alloc,--wrap=packet_alloc
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/buffer.h"
#include "net/service/dns.h"
#include "net/udp/udp.h"

uint8_t *__real_buffer_alloc(void);
uint8_t *__wrap_buffer_alloc(void);
struct packet *__real_packet_alloc(size_t headroom);
struct packet *__wrap_packet_alloc(size_t headroom);

static size_t calls;
static size_t failing; /* the number of the call that fails; 0: none */

uint8_t *__wrap_buffer_alloc(void)
{
    return ++calls == failing ? NULL : __real_buffer_alloc();
}

struct packet *__wrap_packet_alloc(size_t headroom)
{
    return ++calls == failing ? NULL : __real_packet_alloc(headroom);
}

static struct test_frame frame;
static struct test_frame whole;

static void send_pieces(void)
{
    static uint8_t payload[5000];

    make_icmp(&whole, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1,
              payload, sizeof(payload));
    for (size_t at = 0; at < 5008; at += 1480) {
        size_t left = 5008 - at;
        size_t length = left < 1480 ? left : 1480;

        make_ip(&frame, 1, PEER_ADDRESS, OUR_ADDRESS,
                ip_payload_of(&whole) + at, length);
        ip_of(&frame)->fragment = be16_from(
            (uint16_t)(at / 8 | (left > 1480 ? IPV4_MORE_FRAGMENTS : 0)));
        fix_ip(&frame);
        inject(&frame);
    }
}

static void answered(void *context, const struct dns_result *result)
{
    (void)result;
    *(bool *)context = true;
}

static void use_udp(void)
{
    static uint8_t bytes[6000];
    struct udp_endpoint local = {mapped(0), 5000};
    struct udp_endpoint remote = {mapped(PEER_ADDRESS), 4000};
    struct udp_endpoint here = {mapped(0x7f000001), 5000};
    struct udp_socket *socket;

    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &local), 0);
    for (int i = 0; i < 2; i++) {
        (void)world_enter(stack);
        (void)!udp_send(socket, &remote, bytes, sizeof(bytes), world_now());
        (void)!udp_send(socket, &here, bytes, sizeof(bytes), world_now());
        world_leave(stack);
        settle();
    }
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 5000, "x", 1);
    inject(&frame);
    udp_close(socket);
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 9999, "x", 1);
    inject(&frame);
}

static void use_dns(void)
{
    struct dns_query *query;
    struct dns_result result;
    bool is_done = false;

    (void)world_enter(stack);
    if (dns_query_address("a.example", answered, &is_done, &query, &result,
                          world_now()) != DNS_PENDING)
        is_done = true;
    world_leave(stack);
    world_run_for(60 * NS_PER_S);
    cr_assert(is_done);
}

/* A connection to ourselves that carries some data both ways. */
static void use_tcp(void)
{
    static int listener_owner;
    static int owner;
    struct tcp_endpoint local = {mapped(0), 80};
    struct tcp_endpoint any = {mapped(0), 0};
    struct tcp_endpoint remote = {mapped(0x7f000001), 80};
    struct tcp_connection *client = NULL;
    struct tcp_connection *server = NULL;
    struct tcp_listener *listener;
    static uint8_t bytes[3000];
    size_t received = 0;
    size_t written = 0;

    cr_assert_eq(tcp_listen(&local, 4, true, &listener_owner, &listener), 0);
    (void)world_enter(stack);
    cr_assert_eq(tcp_connect(&any, &remote, NULL, &owner, world_now(), &client),
                 0);
    world_leave(stack);
    for (int i = 0; i < 2000 && received < sizeof(bytes); i++) {
        int length;

        (void)world_enter(stack);
        if (server == NULL)
            server = tcp_accept(listener, &owner);
        if (written < sizeof(bytes)) {
            length = tcp_write(client, bytes, sizeof(bytes) - written, 0,
                               world_now());
            written += length > 0 ? (size_t)length : 0;
        }
        if (server != NULL) {
            length = tcp_read(server, bytes, sizeof(bytes), 0, world_now());
            received += length > 0 ? (size_t)length : 0;
        }
        world_leave(stack);
        world_run_for(20 * NS_PER_MS);
    }
    cr_assert_eq(received, sizeof(bytes), "the connection survives");
    (void)world_enter(stack);
    tcp_close(client, world_now());
    tcp_close(server, world_now());
    tcp_listener_close(listener);
    world_leave(stack);
}

static void notify_nobody(void *owner, uint32_t ready)
{
    (void)owner;
    (void)ready;
}

/* Uses everything; true when the k-th call was reached. */
static bool use_everything(size_t k)
{
    net_world_with("10.0.0.1/24::10.0.0.254::web:eth0:none:10.0.0.2",
                   16 * 1024 * 1024, 0);
    tcp_set_notify(notify_nobody);
    calls = 0;
    failing = k;
    peer.answers_arp = k % 2 == 0;
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    send_pieces();
    use_udp();
    use_dns();
    use_tcp();
    world_run_for(3600 * NS_PER_S);
    cr_assert_eq(buffer_count_free(), buffer_count_total(), "k = %zu", k);
    cr_assert_eq(packet_count_free(), packet_count_total(), "k = %zu", k);
    bool was_reached = calls >= k;
    failing = 0;
    peer.answers_arp = true;
    forget_received();
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    settle();
    settle();
    cr_assert_not_null(received_icmp(0), "k = %zu", k);
    return was_reached;
}

Test(hostile, S2_failing_memory_loses_nothing_and_breaks_nothing,
     .timeout = 240)
{
    size_t k = 1;

    while (use_everything(k))
        k++;
    cr_assert_gt(k, 50);
}
