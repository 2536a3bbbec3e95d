/* SPDX-License-Identifier: MIT */
/*
 * Whole frames into a configured stack with a TCP and a UDP echo server, a
 * connected UDP socket and a DNS question under way. An input is a list of
 * records (records.h); the control byte lets the harness (never the stack)
 * put right what a fuzzer cannot guess: addresses, lengths, checksums,
 * sequence numbers. At the end everything is closed and must be back in its
 * pool, with no timer left.
 * test-links: tests/fuzz/support/records.c
 */
#include "tests/fuzz/support/checksum.h"
#include "tests/fuzz/support/records.h"
#include "tests/host/device.h"
#include "tests/host/world.h"

#include "net/service/dns.h"
#include "net/udp/udp.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum control {
    FIX_ADDRESSES = 1 << 0,
    FIX_IP = 1 << 1,
    FIX_TRANSPORT = 1 << 2,
    FIX_SEQUENCE = 1 << 3,
    WAIT_SHIFT = 4, /* two bits: 0, 1 ms, 1 s, 40 s */
    APP_SENDS = 1 << 6,
    FIX_PORTS = 1 << 7,
};

enum {
    FRAME_MAX = 1600,
    CONNECTIONS_MAX = 8,
};

static struct {
    struct world_stack *stack;
    struct device *device;
    struct world_port peer;
    struct tcp_listener *listener;
    struct tcp_connection *connections[CONNECTIONS_MAX];
    struct udp_socket *server;
    struct udp_socket *client;
    struct dns_query *query;
    /* What the stack last said on TCP and UDP: for FIX_SEQUENCE, FIX_PORTS. */
    uint8_t heard_ports[2][4];
    uint8_t heard_sequence[8];
} w;

static void peer_arrive(struct world_port *port, struct frame *frame)
{
    const uint8_t *ip = frame->bytes + ETHERNET_HEADER_LENGTH;

    (void)port;
    if (frame->length >= 14 + 20 + 20 && frame->bytes[12] == 8 &&
        frame->bytes[13] == 0 && ip[0] == 0x45) {
        if (ip[9] == 6) {
            memcpy(w.heard_ports[0], ip + 20, 4);
            memcpy(w.heard_sequence, ip + 24, 8);
        } else if (ip[9] == 17) {
            memcpy(w.heard_ports[1], ip + 20, 4);
        }
    }
    free(frame);
}

static void tcp_notify(void *owner, uint32_t ready)
{
    (void)owner;
    (void)ready;
}

static void serve_tcp(void)
{
    uint8_t bytes[600];

    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        int length;

        if (w.connections[i] == NULL)
            w.connections[i] = tcp_accept(w.listener, &w);
        if (w.connections[i] == NULL)
            continue;
        length =
            tcp_read(w.connections[i], bytes, sizeof(bytes), 0, world_now());
        if (length > 0 && tcp_write(w.connections[i], bytes, (size_t)length, 0,
                                    world_now()) > 0)
            continue;
        if (length == 0) {
            tcp_close(w.connections[i], world_now());
            w.connections[i] = NULL;
        }
    }
}

static void serve_udp(struct udp_socket *socket)
{
    struct udp_endpoint from;
    uint8_t bytes[2048];

    for (;;) {
        int length = udp_read(socket, bytes, sizeof(bytes), 0, &from, NULL);

        if (length < 0)
            return;
        if (length <= (int)sizeof(bytes) &&
            udp_send(socket, &from, bytes, (size_t)length, world_now()) < 0)
            return;
    }
}

static void application(void *context)
{
    (void)context;
    (void)world_enter(w.stack);
    serve_tcp();
    serve_udp(w.server);
    serve_udp(w.client);
    world_leave(w.stack);
}

static void dns_answered(void *context, const struct dns_result *result)
{
    (void)context;
    (void)result;
    w.query = NULL;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void open_sockets(void)
{
    struct tcp_endpoint web = {ip_address_from_ipv4(be32_from(0)), 80};
    struct udp_endpoint echo = {ip_address_from_ipv4(be32_from(0)), 7};
    struct udp_endpoint far = {ip_address_from_ipv4(be32_from(0x0a000002)), 9};
    struct dns_result result;

    tcp_set_notify(tcp_notify);
    must(tcp_listen(&web, 4, true, &w, &w.listener) == 0);
    must(udp_open(NULL, NULL, &w.server) == 0);
    must(udp_bind(w.server, &echo) == 0);
    must(udp_open(NULL, NULL, &w.client) == 0);
    must(udp_connect(w.client, &far) == 0);
    must(udp_send(w.client, NULL, "x", 1, world_now()) == 1);
    must(dns_query_address("www.example.org", dns_answered, NULL, &w.query,
                           &result, world_now()) == DNS_PENDING);
}

static void start(void)
{
    memset(&w, 0, sizeof(w));
    world_start(1);
    w.stack = world_stack_add("a", 3 * 1024 * 1024);
    w.device = device_add(w.stack, 1, 0);
    w.peer.arrive = peer_arrive;
    world_port_join(&w.device->port, &w.peer);
    (void)world_enter(w.stack);
    must(net_configure_ip("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none:"
                          "10.0.0.2") == 0);
    net_start(world_now());
    world_leave(w.stack);
}

/* ---- putting right --------------------------------------------------------
 */

static void fix_sequence(uint8_t *tcp)
{
    uint32_t theirs = (uint32_t)w.heard_sequence[4] << 24 |
                      (uint32_t)w.heard_sequence[5] << 16 |
                      (uint32_t)w.heard_sequence[6] << 8 | w.heard_sequence[7];
    uint32_t ours = (uint32_t)w.heard_sequence[0] << 24 |
                    (uint32_t)w.heard_sequence[1] << 16 |
                    (uint32_t)w.heard_sequence[2] << 8 | w.heard_sequence[3];

    /* The fuzzer's own numbers become small distances. */
    theirs += (uint32_t)(int32_t)(int16_t)(tcp[6] << 8 | tcp[7]);
    ours += (uint32_t)(int32_t)(int16_t)(tcp[10] << 8 | tcp[11]);
    for (int i = 0; i < 4; i++) {
        tcp[4 + i] = (uint8_t)(theirs >> (24 - 8 * i));
        tcp[8 + i] = (uint8_t)(ours >> (24 - 8 * i));
    }
}

static void fix_transport(uint8_t *ip, size_t length, uint8_t control)
{
    size_t header = (size_t)(ip[0] & 15) * 4;
    uint8_t *payload = ip + header;
    size_t field = ip[9] == 1 ? 2 : ip[9] == 17 ? 6 : 16;
    uint32_t sum = 0;

    if (header < 20 || header > length || length - header < field + 2)
        return;
    length -= header;
    if ((control & FIX_PORTS) != 0 && ip[9] != 1) {
        const uint8_t *heard = w.heard_ports[ip[9] == 6 ? 0 : 1];

        memcpy(payload, heard + 2, 2);
        memcpy(payload + 2, heard, 2);
    }
    if ((control & FIX_SEQUENCE) != 0 && ip[9] == 6)
        fix_sequence(payload);
    if ((control & FIX_TRANSPORT) == 0)
        return;
    if (ip[9] != 1)
        sum = fuzz_sum((uint32_t)length + ip[9], ip + 12, 8);
    memset(payload + field, 0, 2);
    fuzz_put_sum(payload + field, fuzz_sum(sum, payload, length));
}

static void fix(uint8_t *bytes, size_t length, uint8_t control)
{
    uint8_t *ip = bytes + ETHERNET_HEADER_LENGTH;

    if (length < ETHERNET_HEADER_LENGTH)
        return;
    if ((control & FIX_ADDRESSES) != 0) {
        memcpy(bytes, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    }
    if (length < ETHERNET_HEADER_LENGTH + 20 || bytes[12] != 8 ||
        bytes[13] != 0)
        return;
    length -= ETHERNET_HEADER_LENGTH;
    if ((control & FIX_IP) != 0) {
        size_t header = (size_t)(ip[0] & 15) * 4;

        ip[2] = (uint8_t)(length >> 8);
        ip[3] = (uint8_t)length;
        memcpy(ip + 12, "\x0a\0\0\2\x0a\0\0\1", 8);
        memset(ip + 10, 0, 2);
        if (header <= length)
            fuzz_put_sum(ip + 10, fuzz_sum(0, ip, header));
    }
    if ((control & (FIX_TRANSPORT | FIX_SEQUENCE | FIX_PORTS)) != 0)
        fix_transport(ip, length, control);
}

/* ---- one input ------------------------------------------------------------
 */

static void app_sends(void)
{
    (void)world_enter(w.stack);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (w.connections[i] != NULL &&
            tcp_write(w.connections[i], "hello, world", 12, 0, world_now()) < 0)
            continue;
    }
    if (udp_send(w.client, NULL, "again", 5, world_now()) < 0)
        (void)udp_take_error(w.client);
    world_leave(w.stack);
}

static void one_record(uint8_t control, const uint8_t *bytes, size_t length)
{
    static const uint64_t waits[4] = {0, NS_PER_MS, NS_PER_S, 40 * NS_PER_S};
    struct frame *frame = frame_new(bytes, length);

    fix(frame->bytes, frame->length, control);
    world_port_send(&w.peer, frame);
    world_run_for(10 * NS_PER_US + waits[control >> WAIT_SHIFT & 3]);
    if ((control & APP_SENDS) != 0)
        app_sends();
}

static void close_all(void)
{
    (void)world_enter(w.stack);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (w.connections[i] != NULL)
            tcp_abort(w.connections[i]);
    memset(w.connections, 0, sizeof(w.connections));
    tcp_listener_close(w.listener);
    udp_close(w.server);
    udp_close(w.client);
    if (w.query != NULL)
        dns_cancel(w.query);
    w.stack->application = NULL;
    world_leave(w.stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    (void)world_enter(w.stack);
    open_sockets();
    world_leave(w.stack);
    w.stack->application = application;
    fuzz_each_record(data, size, FRAME_MAX, one_record);
    close_all();
    world_run_for(3600 * NS_PER_S);
    if (buffer_count_free() != buffer_count_total() ||
        packet_count_free() != packet_count_total()) {
        fprintf(stderr, "lost: %zu buffers, %zu packets\n",
                buffer_count_total() - buffer_count_free(),
                packet_count_total() - packet_count_free());
        abort();
    }
    free(w.device);
    return 0;
}
