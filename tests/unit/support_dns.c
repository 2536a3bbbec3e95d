/* SPDX-License-Identifier: MIT */
/*
 * The server of support_dns.h.
 */
#include "tests/unit/support_dns.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct name_server name_server;
struct dns_result result;
bool is_done;

void put_bytes(struct dns_message *message, const void *bytes, size_t length)
{
    cr_assert_leq(length, sizeof(message->bytes) - message->length);
    memcpy(message->bytes + message->length, bytes, length);
    message->length += length;
}

void put_record(struct dns_message *message, const char *name,
                size_t name_length, uint16_t type, uint32_t ttl_s,
                const void *data, size_t length)
{
    uint8_t tail[10] = {(uint8_t)(type >> 8),
                        (uint8_t)type,
                        0,
                        1,
                        (uint8_t)(ttl_s >> 24),
                        (uint8_t)(ttl_s >> 16),
                        (uint8_t)(ttl_s >> 8),
                        (uint8_t)ttl_s,
                        (uint8_t)(length >> 8),
                        (uint8_t)length};

    put_bytes(message, name, name_length);
    put_bytes(message, tail, sizeof(tail));
    put_bytes(message, data, length);
}

void put_address(struct dns_message *message, uint32_t ttl_s, uint32_t address)
{
    struct be32 bytes = be32_from(address);

    put_record(message, "\xc0\x0c", 2, 1, ttl_s, &bytes, 4);
}

void set_counts(struct dns_message *message, uint16_t answers,
                uint16_t authorities)
{
    message->bytes[6] = (uint8_t)(answers >> 8);
    message->bytes[7] = (uint8_t)answers;
    message->bytes[8] = (uint8_t)(authorities >> 8);
    message->bytes[9] = (uint8_t)authorities;
}

void set_code(struct dns_message *message, uint8_t code)
{
    message->bytes[3] = (uint8_t)((message->bytes[3] & 0xf0) | code);
}

void send_answer(const struct dns_message *message, uint32_t source)
{
    struct test_frame *frame = malloc(sizeof(*frame));

    make_udp(frame, source, 53, OUR_ADDRESS, name_server.port, message->bytes,
             message->length);
    world_port_send(&peer.port, frame_new(frame->bytes, frame->length));
    free(frame);
}

static void hear(const struct frame *frame)
{
    const struct ipv4_header *ip =
        (const void *)(frame->bytes + ETHERNET_HEADER_LENGTH);
    const uint8_t *udp = (const uint8_t *)ip + 20;
    struct dns_message message = {.length = 0};

    if (frame->bytes[12] != 8 || frame->bytes[13] != 0 || ip->protocol != 17 ||
        udp[2] != 0 || udp[3] != 53)
        return;
    name_server.heard++;
    name_server.port = (uint16_t)(udp[0] << 8 | udp[1]);
    name_server.id = (uint16_t)(udp[8] << 8 | udp[9]);
    name_server.server = be32_get(ip->destination);
    put_bytes(&message, udp + 8, (size_t)(udp[4] << 8 | udp[5]) - 8);
    message.bytes[2] |= 0x80;
    message.bytes[3] |= 0x80;
    if (name_server.answer != NULL && name_server.answer(&message))
        send_answer(&message, name_server.server);
}

void dns_world(void)
{
    net_world_with("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none:"
                   "10.0.0.2:10.0.0.3",
                   16 * 1024 * 1024, 0);
    memset(&name_server, 0, sizeof(name_server));
    peer.react = hear;
    peer.answers_arp = true;
}

static void done(void *context, const struct dns_result *given)
{
    (void)context;
    result = *given;
    is_done = true;
}

enum dns_status look_up_for(const char *name, uint64_t limit_s)
{
    uint64_t end_ns = world_now() + limit_s * NS_PER_S;
    struct dns_query *query;
    enum dns_status status;

    is_done = false;
    (void)world_enter(stack);
    status = dns_query_address(name, done, NULL, &query, &result, world_now());
    world_leave(stack);
    if (status != DNS_PENDING)
        return status;
    while (!is_done && world_now() < end_ns)
        world_run_for(NS_PER_MS);
    return is_done ? result.status : DNS_PENDING;
}

enum dns_status look_up(const char *name)
{
    return look_up_for(name, 60);
}
