/* SPDX-License-Identifier: MIT */
/*
 * The server of support_dhcp.h. It reads and writes messages by code of its
 * own.
 */
#include "tests/unit/support_dhcp.h"

#include <stdlib.h>
#include <string.h>

struct dhcp_server server;

static uint32_t read_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static void write_32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The value of an option in a request, or NULL. */
static const uint8_t *find_option(const uint8_t *message, size_t length,
                                  uint8_t option)
{
    for (size_t at = 240; at + 1 < length && message[at] != 255;) {
        if (message[at] == option)
            return message + at + 2;
        at += message[at] == 0 ? 1 : 2u + message[at + 1];
    }
    return NULL;
}

static uint8_t *put_32(uint8_t *at, uint8_t option, uint32_t value)
{
    *at++ = option;
    *at++ = 4;
    write_32(at, value);
    return at + 4;
}

static void reply(const uint8_t *request, enum dhcp_type type)
{
    uint8_t message[600] = {2, 1, 6};
    struct test_frame *frame = malloc(sizeof(*frame));
    uint8_t *at = message + 240;
    size_t length;
    bool broadcast = !server.unicasts || (request[10] & 0x80) != 0;

    memcpy(message + 4, request + 4, 4); /* transaction */
    memcpy(message + 28, request + 28, 16);
    memcpy(message + 236, "\x63\x82\x53\x63", 4);
    if (type != DHCP_NAK)
        write_32(message + 16, server.offers);
    *at++ = 53;
    *at++ = 1;
    *at++ = (uint8_t)type;
    at = put_32(at, 54, PEER_ADDRESS);
    if (type != DHCP_NAK) {
        at = put_32(at, 51, server.lease_s);
        if (server.t1_s != 0)
            at = put_32(at, 58, server.t1_s);
        if (server.t2_s != 0)
            at = put_32(at, 59, server.t2_s);
        at = put_32(at, 1, server.netmask);
        if (server.router != 0)
            at = put_32(at, 3, server.router);
        at = put_32(at, 6, server.name_server);
    }
    *at++ = 255;
    length = (size_t)(at - message);
    if (server.bend != NULL)
        length = server.bend(message, length, type);
    if (read_32(request + 12) != 0) /* it has its address */
        make_udp(frame, PEER_ADDRESS, 67, read_32(request + 12), 68, message,
                 length);
    else
        make_udp(frame, PEER_ADDRESS, 67,
                 broadcast ? 0xffffffff : server.offers, 68, message, length);
    if (broadcast && read_32(request + 12) == 0)
        memset(&ethernet_of(frame)->destination, 0xff, 6);
    world_port_send(&peer.port, frame_new(frame->bytes, frame->length));
    free(frame);
}

static void serve(const uint8_t *message, size_t length)
{
    const uint8_t *type = find_option(message, length, 53);
    const uint8_t *requested = find_option(message, length, 50);
    const uint8_t *identifier = find_option(message, length, 54);

    if (type == NULL || *type >= 16)
        world_fail("a DHCP message without a type");
    server.heard[*type]++;
    server.last = (struct dhcp_request){
        .type = (enum dhcp_type) * type,
        .transaction = read_32(message + 4),
        .wants_broadcast = (message[10] & 0x80) != 0,
        .client_address = be32_from(read_32(message + 12)),
        .requested_address =
            be32_from(requested == NULL ? 0 : read_32(requested)),
        .server = be32_from(identifier == NULL ? 0 : read_32(identifier)),
    };
    if (server.is == SERVER_SILENT)
        return;
    if (*type == DHCP_DISCOVER)
        reply(message, DHCP_OFFER);
    else if (*type == DHCP_REQUEST)
        reply(message, server.is == SERVER_REFUSES ? DHCP_NAK : DHCP_ACK);
}

static void hear(const struct frame *frame)
{
    const struct ipv4_header *ip =
        (const void *)(frame->bytes + ETHERNET_HEADER_LENGTH);
    const uint8_t *udp = (const uint8_t *)ip + 20;

    if (frame->bytes[12] != 8 || frame->bytes[13] != 0 || ip->protocol != 17 ||
        udp[2] != 0 || udp[3] != 67)
        return;
    server.last_source = be32_get(ip->source);
    server.last_destination = be32_get(ip->destination);
    serve(udp + 8, (size_t)(udp[4] << 8 | udp[5]) - 8);
}

void dhcp_world_with(void (*prepare)(void))
{
    server = (struct dhcp_server){
        .offers = OUR_ADDRESS,
        .netmask = 0xffffff00,
        .router = PEER_ADDRESS,
        .name_server = PEER_ADDRESS,
        .lease_s = 3600,
    };
    if (prepare != NULL)
        prepare();
    net_world_with(NULL, 16 * 1024 * 1024, 0);
    peer.react = hear;
}

void dhcp_world(void)
{
    dhcp_world_with(NULL);
}

bool has_address(uint32_t address)
{
    return be32_get(device->netif.ip.address) == address;
}
