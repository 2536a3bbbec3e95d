/* SPDX-License-Identifier: MIT */
/*
 * What the stack costs per unit of work: two whole stacks back to back, as
 * compiled for the image. `host` lists its rows; `host ROW COUNT` does COUNT
 * units and then three times as many between marks for callgrind, so that
 * what is constant falls out (host_run reads the marks). `host --rate ROW
 * UNITS` tells by the processor's time instead.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

#include "tests/bench/host_world.h"

#include "net/socket/table.h"
#include "net/tcp/connection.h"
#include "net/tcp/half_open.h"
#include "net/udp/udp.h"

enum {
    PORT = 5000,
    PORTS = 16,
    ACTIVE_MAX = 256, /* of many connections so many talk */
    WARM_UP = 32,
    CHUNK = 64 * 1024,
    CARD = NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS | NETIF_RX_CHECKSUM,
    MEMORY = 64 << 20,
};

#define MEMORY_PER_CONNECTION UINT64_C(10240)
#define TURN_NS               UINT64_C(200)

static uint8_t bytes[CHUNK];
static struct tcp_listener *listeners[PORTS];
static struct tcp_connection **clients;
static struct tcp_connection **servers;
static size_t connections;
static size_t turn;

/* ---- connections ----------------------------------------------------------
 */

static void set(const char *name, const char *value)
{
    for (size_t i = 0; i < 2; i++)
        if (ends[i].call->net_set(name, value) != 0)
            fail(name);
}

static void listen_all(void)
{
    for (uint16_t i = 0; i < PORTS; i++) {
        struct tcp_endpoint local = {.port = (uint16_t)(PORT + i)};
        if (ends[1].call->tcp_listen(&local, 128, true, &listeners[i],
                                     &listeners[i]) != 0)
            fail("tcp_listen");
    }
}

static struct tcp_connection *connect_one(size_t number)
{
    struct tcp_connection *c;
    struct tcp_endpoint any = {.port = 0};
    struct tcp_endpoint remote = {ip_address_from_ipv4(be32_from(0x0a000002)),
                                  (uint16_t)(PORT + number % PORTS)};

    if (ends[0].call->tcp_connect(&any, &remote, NULL, &turn, world_ns, &c) !=
        0)
        fail("tcp_connect");
    end_leave(&ends[0]);
    return c;
}

static struct tcp_connection *accept_one(size_t number)
{
    struct tcp_connection *c =
        ends[1].call->tcp_accept(listeners[number % PORTS], &turn);

    if (c == NULL)
        fail("tcp_accept");
    end_leave(&ends[1]);
    return c;
}

static void open_connections(size_t count)
{
    connections = count;
    clients = calloc(count, sizeof(*clients));
    servers = calloc(count, sizeof(*servers));
    listen_all();
    for (size_t i = 0; i < count; i++) {
        clients[i] = connect_one(i);
        ends_settle();
        servers[i] = accept_one(i);
        if (i % 64 == 0)
            ends_wait(NS_PER_MS);
    }
}

static void write_all(struct end *end, struct tcp_connection *c, size_t length)
{
    if (end->call->tcp_write(c, bytes, length, 0, world_ns) != (int)length)
        fail("tcp_write");
    end_leave(end);
}

static void read_all(struct end *end, struct tcp_connection *c, size_t length)
{
    if (end->call->tcp_read(c, bytes, CHUNK, 0, world_ns) != (int)length)
        fail("tcp_read");
    end_leave(end);
}

/* Everything the other end has sent. */
static void receive_all(struct end *end)
{
    while (end_poll(end)) {
    }
}

/* ---- rows -----------------------------------------------------------------
 */

/* Less than was asked for: there is no more. */
static void read_queued(struct end *end, struct tcp_connection *c)
{
    while (end->call->tcp_read(c, bytes, CHUNK, 0, world_ns) == CHUNK) {
    }
    end_leave(end);
}

/* Bulk: what of CHUNK bytes fits goes out, all is read; an app asks again when
 * something has come. One unit: a segment delivered. */
static void bulk(size_t count)
{
    uint64_t until = ends[1].frames + count;
    bool is_acknowledged = true;

    while (ends[1].frames < until) {
        if (is_acknowledged) {
            int done =
                ends[0].call->tcp_write(clients[0], bytes, CHUNK, 0, world_ns);
            if (done < 0 && done != -EAGAIN)
                fail("tcp_write");
            end_leave(&ends[0]);
        }
        bool is_received = end_poll(&ends[1]);
        if (is_received)
            read_queued(&ends[1], servers[0]);
        is_acknowledged = end_poll(&ends[0]);
        world_ns += 10 * NS_PER_US;
        if (!is_received && !is_acknowledged) {
            ends_wait(NS_PER_MS);
            is_acknowledged = true;
        }
    }
}

static void bulk_start(uint32_t features, uint32_t batch)
{
    ends_start(MEMORY, features, batch);
    set("ipv4.tcp_timestamps", "0"); /* 1460 bytes a segment, as measured of
                                        others */
    open_connections(1);
    bulk(4000);
}

static void bulk_plain_start(void)
{
    bulk_start(CARD, 1);
}

static void bulk_software_start(void)
{
    bulk_start(0, 1);
}

static void bulk_software_batch_start(void)
{
    bulk_start(NETIF_TX_FRAGMENTS, 16);
}

static void bulk_batch_start(void)
{
    bulk_start(CARD | NETIF_TX_SEGMENT, 16);
}

static void echo(size_t count)
{
    size_t active = connections < ACTIVE_MAX ? connections : ACTIVE_MAX;

    for (size_t i = 0; i < count; i++) {
        size_t at = turn++ % active * (connections / active);
        write_all(&ends[0], clients[at], 1);
        receive_all(&ends[1]);
        read_all(&ends[1], servers[at], 1);
        write_all(&ends[1], servers[at], 1);
        receive_all(&ends[0]);
        read_all(&ends[0], clients[at], 1);
        world_ns += TURN_NS;
    }
}

static void echo_start(size_t count)
{
    size_t active = count < ACTIVE_MAX ? count : ACTIVE_MAX;
    size_t memory = count * MEMORY_PER_CONNECTION;

    ends_start(memory > MEMORY ? memory : MEMORY, CARD, 1);
    open_connections(count);
    ends_wait(NS_PER_S);
    echo(WARM_UP * active);
}

static void echo_1_start(void)
{
    echo_start(1);
}

static void echo_1000_start(void)
{
    echo_start(1000);
}

static void echo_100000_start(void)
{
    echo_start(100000);
}

/* The client closes first, so its end has the TIME-WAIT; 100 ms lie between
 * two units, so as many end as begin. */
static void churn(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tcp_connection *client = connect_one(0);
        ends_settle();
        write_all(&ends[0], client, 1);
        struct tcp_connection *server = accept_one(0);
        ends_settle();
        read_all(&ends[1], server, 1);
        ends[0].call->tcp_close(client, world_ns);
        end_leave(&ends[0]);
        ends_settle();
        ends[1].call->tcp_close(server, world_ns);
        end_leave(&ends[1]);
        ends_settle();
        ends_wait(100 * NS_PER_MS);
    }
}

static void churn_start(void)
{
    ends_start(MEMORY, CARD, 1);
    listen_all();
    churn(700);
}

/* ---- frames from nobody ---------------------------------------------------
 */

enum {
    SYN_LENGTH = 14 + 20 + 40,
    UDP_PAYLOAD = 60,
    UDP_LENGTH = 14 + 20 + 8 + UDP_PAYLOAD,
};

static size_t frames_left;
static uint32_t frame_number;
static uint8_t template[END_FRAME];
static size_t template_length;

static void put(size_t at, uint32_t value, size_t length)
{
    for (size_t i = length; i > 0; i--, value >>= 8)
        template[at + i - 1] = (uint8_t)value;
}

static void put_ip(uint8_t protocol, uint32_t source, size_t length)
{
    uint32_t sum = 0;

    put(14, 0x4500, 2);
    put(16, (uint32_t)length - 14, 2);
    put(18, 0x00004000, 4);
    put(22, 0x4000U | protocol, 2);
    put(24, 0, 2);
    put(26, source, 4);
    put(30, 0x0a000001, 4);
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t) template[i] << 8 | template[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put(24, ~((sum & 0xffff) + (sum >> 16)), 2);
}

static void put_ethernet(void)
{
    static const uint8_t header[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8};

    for (size_t i = 0; i < sizeof(header); i++)
        template[i] = header[i];
}

static size_t next_frame(struct end *end, uint8_t *frame)
{
    (void)end;
    if (frames_left == 0)
        return 0;
    frames_left--;
    frame_number++;
    put_ip(template[23], 0x14000000 + frame_number * 2654435761U % 0x40000000,
           template_length);
    if (template[23] == IP_PROTOCOL_TCP) {
        put(34, 1024 + frame_number % 60000, 2);
        put(38, frame_number * 2246822519U, 4);
    }
    world_copy(frame, template, template_length);
    return template_length;
}

static void frames_start(uint8_t protocol, size_t length)
{
    put_ethernet();
    template_length = length;
    put_ip(protocol, 0, length);
    ends[0].generate = next_frame;
}

static void flood(size_t count)
{
    frames_left = count;
    while (frames_left != 0) {
        (void)end_poll(&ends[0]);
        world_ns += 64 * NS_PER_US;
    }
}

/* Sixty-four a poll, as under a flood; a million a second. The SYN of a Linux
 * host: MSS, SACK, timestamps, window scale. */
static void syn_start(void)
{
    static const uint8_t options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 1,
                                        2, 3, 0, 0,    0, 0, 1, 3,  3, 7};
    struct tcp_endpoint local = {.port = PORT};
    static struct tcp_listener *listener;

    ends_start(MEMORY, CARD, 64);
    open_connections(1); /* so that the gateway is known */
    set("ipv4.tcp_syncookies", "2");
    if (ends[0].call->tcp_listen(&local, 128, true, &listener, &listener) != 0)
        fail("tcp_listen");
    frames_start(IP_PROTOCOL_TCP, SYN_LENGTH);
    put(36, PORT, 2);
    put(46, 0xa0027210, 4);
    for (size_t i = 0; i < sizeof(options); i++)
        template[54 + i] = options[i];
    ends[0].other = NULL;
    flood(2000);
}

static struct udp_socket *datagrams;

static void udp_in(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct udp_endpoint remote;
        frames_left = 1;
        (void)end_poll(&ends[0]);
        if (udp_read(datagrams, bytes, CHUNK, 0, &remote, NULL) != UDP_PAYLOAD)
            fail("udp_read");
    }
}

static void udp_start(void)
{
    struct udp_endpoint local = {.port = PORT};

    ends_start(MEMORY, CARD, 1);
    if (udp_open(NULL, NULL, &datagrams) != 0 ||
        udp_bind(datagrams, &local) != 0)
        fail("udp_bind");
    frames_start(IP_PROTOCOL_UDP, UDP_LENGTH);
    put(34, PORT, 2);
    put(36, PORT, 2);
    put(38, UDP_LENGTH - 34, 2);
    udp_in(100);
}

/* ---- main ------------------------------------------------------------------
 */

static const struct row {
    const char *name;
    void (*start)(void);
    void (*run)(size_t count);
    size_t count;
} rows[] = {
    {"segment", bulk_plain_start, bulk, 2000},
    {"segment-software", bulk_software_start, bulk, 2000},
    {"segment-software-batch", bulk_software_batch_start, bulk, 4000},
    {"segment-batch", bulk_batch_start, bulk, 4000},
    {"echo-1", echo_1_start, echo, 1000},
    {"echo-1000", echo_1000_start, echo, 1024},
    {"echo-100000", echo_100000_start, echo, 1024},
    {"connect", churn_start, churn, 300},
    {"syn-cookie", syn_start, flood, 2048},
    {"udp-receive", udp_start, udp_in, 1000},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void mark(const char *name, size_t count)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s:%zu", name, count);
    CALLGRIND_DUMP_STATS_AT(text);
}

static void count_row(const struct row *row)
{
    row->start();
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    row->run(row->count);
    mark(row->name, row->count);
    row->run(3 * row->count);
    mark(row->name, 3 * row->count);
}

static void time_row(const struct row *row, size_t units)
{
    struct timespec from;
    struct timespec to;

    row->start();
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    row->run(units);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 +
                (double)(to.tv_nsec - from.tv_nsec);
    printf("%.1f\n", ns / (double)units);
}

/* Bytes of what is kept, per object. */
static void print_sizes(void)
{
    /* Chains of the table: at most one for each object there may be. */
    printf("idle-connection %zu\n", sizeof(struct tcp_connection) +
                                        sizeof(void *) + sizeof(struct socket));
    printf("time-wait %u\n", 40U); /* asserted in timewait.c */
    printf("half-open %zu\n", sizeof(struct half_open));
    printf("cookie 0\n");
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "--sizes") == 0) {
        print_sizes();
        return 0;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (count == 1)
            printf("%s\n", rows[i].name);
        if (count == 2 && strcmp(words[1], rows[i].name) == 0)
            count_row(&rows[i]);
        if (count == 4 && strcmp(words[1], "--rate") == 0 &&
            strcmp(words[2], rows[i].name) == 0)
            time_row(&rows[i], strtoul(words[3], NULL, 10));
    }
    return 0;
}
