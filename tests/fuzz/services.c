/* SPDX-License-Identifier: MIT */
/*
 * The DHCP client and the DNS resolver over the wire, with time: the input is
 * what a server, or somebody who pretends to be one, answers. Commands: a
 * byte, a length of two bytes, bytes. The harness addresses each answer to
 * what was last asked (ports, transaction, question) unless told not to. At
 * the end both are stopped, and nothing may be left.
 * test-links: tests/fuzz/support/records.c
 */
#include "tests/fuzz/support/checksum.h"
#include "tests/host/device.h"
#include "tests/host/world.h"

#include "net/service/dhcp.h"
#include "net/service/dns.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ETHERNET = 14,
    IP = 20,
    UDP = 8,
    BOOTP = 240, /* with the cookie */
    DHCP_HEAD = 44,
    DNS_HEAD = 12,
    QUESTION_MAX = 64,
    COMMAND_HEADER = 3,
    COMMANDS_MAX = 64,
    PAYLOAD_MAX = 1400,
    QUERIES = 4,
};

static struct {
    struct world_stack *stack;
    struct device *device;
    struct world_port peer;
    uint8_t dhcp[DHCP_HEAD]; /* the head of the client's last message */
    uint8_t dns[DNS_HEAD + QUESTION_MAX];
    size_t question;
    uint16_t port; /* that the last query came from */
    struct dns_query *queries[QUERIES];
} w;

static void note_dns(const uint8_t *message, size_t length)
{
    w.question = length - DNS_HEAD < QUESTION_MAX ? length - DNS_HEAD : 0;
    memcpy(w.dns, message, DNS_HEAD + w.question);
}

static void peer_arrive(struct world_port *port, struct frame *frame)
{
    const uint8_t *udp = frame->bytes + ETHERNET + IP;
    const uint8_t *message = udp + UDP;

    (void)port;
    if (frame->length >= ETHERNET + IP + UDP + DNS_HEAD &&
        frame->bytes[12] == 8 && frame->bytes[13] == 0 &&
        frame->bytes[ETHERNET + 9] == 17) {
        size_t length = frame->length - ETHERNET - IP - UDP;
        if (udp[3] == 67 && length >= BOOTP)
            memcpy(w.dhcp, message, DHCP_HEAD);
        else if (udp[3] == 53)
            note_dns(message, length);
        if (udp[3] == 53)
            w.port = (uint16_t)(udp[0] << 8 | udp[1]);
    }
    free(frame);
}

static void must(bool condition)
{
    if (!condition)
        abort();
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
    net_start(world_now());
    world_leave(w.stack);
    world_run_for(NS_PER_S);
}

/* A datagram from 10.0.0.2 around what lies behind the headers. */
static void send_datagram(uint8_t *frame, size_t length, uint16_t from,
                          uint16_t to)
{
    static const uint8_t server[4] = {10, 0, 0, 2};
    uint8_t *ip = frame + ETHERNET;

    memset(frame, 0xff, 6);
    memcpy(frame + 6, "\2\0\0\0\0\2\x08\0", 8);
    memset(ip, 0, IP + UDP);
    ip[0] = 0x45;
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, server, 4);
    memset(ip + 16, 0xff, 4);
    fuzz_put_16(ip + IP, from);
    fuzz_put_16(ip + IP + 2, to);
    fuzz_put_16(ip + IP + 4, UDP + length);
    fuzz_put_16(ip + 2, IP + UDP + length);
    fuzz_put_sum(ip + 10, fuzz_sum(0, ip, IP));
    world_port_send(&w.peer, frame_new(frame, ETHERNET + IP + UDP + length));
}

/* Options from the input behind a head that answers the last request; the
 * first eight bytes are the address offered and the server's. */
static void answer_dhcp(const uint8_t *bytes, size_t length, bool is_right)
{
    uint8_t frame[ETHERNET + IP + UDP + BOOTP + PAYLOAD_MAX] = {0};
    uint8_t *message = frame + ETHERNET + IP + UDP;

    memcpy(message, w.dhcp, DHCP_HEAD);
    message[0] = 2;
    memset(message + 12, 0, 16);
    if (length >= 8) {
        memcpy(message + 16, bytes, 8);
        bytes += 8;
        length -= 8;
    }
    if (!is_right && length != 0)
        message[bytes[0] % DHCP_HEAD] ^= 0xff;
    memcpy(message + 236, "\x63\x82\x53\x63", 4);
    memcpy(message + BOOTP, bytes, length);
    send_datagram(frame, BOOTP + length, 67, 68);
}

/* Counts and records from the input behind the question that was asked. */
static void answer_dns(const uint8_t *bytes, size_t length, bool is_right)
{
    uint8_t frame[ETHERNET + IP + UDP + DNS_HEAD + QUESTION_MAX + PAYLOAD_MAX];
    uint8_t *message = frame + ETHERNET + IP + UDP;

    memcpy(message, w.dns, DNS_HEAD + w.question);
    message[2] = 0x81;
    message[3] = 0x80;
    if (length >= 6) {
        message[3] = bytes[0];
        message[7] = bytes[1];
        message[9] = bytes[2];
        message[2] = bytes[3] | 0x80;
        bytes += 6;
        length -= 6;
    }
    if (!is_right && length != 0)
        message[bytes[0] % DNS_HEAD] ^= 1;
    memcpy(message + DNS_HEAD + w.question, bytes, length);
    send_datagram(frame, DNS_HEAD + w.question + length, 53, w.port);
}

static void answered(void *context, const struct dns_result *result)
{
    (void)result;
    *(struct dns_query **)context = NULL;
}

static void ask(uint8_t which)
{
    static const char *const names[QUERIES] = {"www.example.org", "a.example",
                                               "www.example.org", "b"};
    struct dns_query **query = &w.queries[which % QUERIES];
    struct dns_result result;

    if (*query != NULL)
        return;
    (void)world_enter(w.stack);
    if (dns_query_address(names[which % QUERIES], answered, query, query,
                          &result, world_now()) != DNS_PENDING)
        *query = NULL;
    world_leave(w.stack);
}

static void one_command(uint8_t command, const uint8_t *bytes, size_t length)
{
    bool is_right = (command & 0x40) == 0;
    uint8_t frame[ETHERNET + PAYLOAD_MAX];

    switch (command & 7) {
    case 0:
    case 1:
    case 2:
        answer_dhcp(bytes, length, is_right);
        break;
    case 3:
    case 4:
        answer_dns(bytes, length, is_right);
        break;
    case 5:
        ask(command >> 3);
        break;
    case 6: /* ARP: perhaps somebody has our address */
        memcpy(frame, "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\x08\x06", ETHERNET);
        memcpy(frame + ETHERNET, bytes, length);
        world_port_send(&w.peer, frame_new(frame, ETHERNET + length));
        break;
    default:
        world_run_for((length == 0 ? 1 : bytes[0] * UINT64_C(60)) * NS_PER_S);
        break;
    }
    world_run_for(10 * NS_PER_US + (command & 0x80 ? NS_PER_S : UINT64_C(0)));
}

static bool is_whole(void)
{
    return packet_count_free() == packet_count_total() &&
           buffer_count_free() == buffer_count_total();
}

static void end(void)
{
    (void)world_enter(w.stack);
    for (size_t i = 0; i < QUERIES; i++)
        if (w.queries[i] != NULL)
            dns_cancel(w.queries[i]);
    world_leave(w.stack);
    /* A renewal may wait for the server's MAC address, for some seconds. */
    for (int i = 0; i < 12 && !is_whole(); i++)
        world_run_for(5 * NS_PER_S);
    must(is_whole());
    must(dhcp_state(&w.device->netif) != DHCP_STOPPED);
    free(w.device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    for (int i = 0; i < COMMANDS_MAX && size >= COMMAND_HEADER; i++) {
        uint8_t command = data[0];
        size_t length = data[1] | (size_t)(data[2] & 7) << 8;

        data += COMMAND_HEADER;
        size -= COMMAND_HEADER;
        length = length < size ? length : size;
        length = length < PAYLOAD_MAX ? length : PAYLOAD_MAX;
        one_command(command, data, length);
        data += length;
        size -= length;
    }
    end();
    return 0;
}
