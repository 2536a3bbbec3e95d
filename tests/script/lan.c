/* SPDX-License-Identifier: MIT */
/*
 * The LAN: Ethernet and ARP, written out a second time on purpose, so that an
 * error in net/wire does not confirm itself.
 */
#include "tests/script/lan.h"
#include "tests/script/bytes.h"
#include "tests/script/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ETHERNET = 14,
    ARP = 28,
    FRAME_MIN = 60,
    IPV4 = 20,
    MEMORY = 16 << 20,
    PAYLOAD_MAX = 1400, /* of a part of what is longer than a frame */
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 0x99};

static void answer_arp(struct lan *lan, const struct frame *frame)
{
    const uint8_t *arp = frame->bytes + ETHERNET;
    static const uint8_t nobody[4];

    /* Requests only; a probe (sender 0.0.0.0) and an announcement (for the
     * sender itself) must stay unanswered: the address is the stack's. */
    if (frame->length < ETHERNET + ARP || get16(arp + 6) != 1 ||
        memcmp(arp + 14, nobody, 4) == 0 || memcmp(arp + 14, arp + 24, 4) == 0)
        return;
    struct frame *reply = frame_new(NULL, FRAME_MIN);
    uint8_t *out = reply->bytes;
    memset(out, 0, FRAME_MIN);
    memcpy(out, arp + 8, 6);
    memcpy(out + 6, our_mac, 6);
    memcpy(out + 12, frame->bytes + 12, 2);
    out += ETHERNET;
    memcpy(out, arp, 6);
    put16(out + 6, 2);
    memcpy(out + 8, our_mac, 6);
    memcpy(out + 14, arp + 24, 4);
    memcpy(out + 18, arp + 8, 10);
    world_port_send(&lan->port, reply);
}

static void arrive(struct world_port *port, struct frame *frame)
{
    struct lan *lan = container_of(port, struct lan, port);
    uint16_t type = frame->length < ETHERNET ? 0 : get16(frame->bytes + 12);

    if (type == 0x0806)
        answer_arp(lan, frame);
    if (type == 0x0800 && frame->length >= ETHERNET + IPV4) {
        size_t length = get16(frame->bytes + ETHERNET + 2);
        struct stage_packet *packet = calloc(1, sizeof(*packet) + length);
        if (packet == NULL || length > frame->length - ETHERNET)
            world_fail("an IPv4 packet longer than its frame");
        packet->time_ns = world_now();
        packet->length = length;
        memcpy(packet->bytes, frame->bytes + ETHERNET, length);
        if (lan->first == NULL)
            lan->first = packet;
        else
            lan->last->next = packet;
        lan->last = packet;
    }
    free(frame);
}

struct stage_packet *lan_take(struct lan *lan)
{
    struct stage_packet *packet = lan->first;

    if (packet != NULL)
        lan->first = packet->next;
    return packet;
}

void lan_start(struct lan *lan, const char *address)
{
    unsigned octet[4];
    char text[96];

    if (sscanf(address, "%u.%u.%u.%u", &octet[0], &octet[1], &octet[2],
               &octet[3]) != 4)
        world_fail("not an address");
    snprintf(text, sizeof(text), "%s::%u.%u.255.254:255.255.0.0:host:eth0:none",
             address, octet[0], octet[1]);
    world_start(1);
    lan->stack = world_stack_add("host", MEMORY);
    lan->device =
        device_add(lan->stack, 1, NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS);
    lan->port.arrive = arrive;
    world_port_join(&lan->device->port, &lan->port);
    const struct stack_functions *call = world_enter(lan->stack);
    if (call->net_configure_ip(text) != 0)
        world_fail("net_configure_ip failed");
    call->net_start(world_now());
    world_leave(lan->stack);
    world_run_for(10 * NS_PER_S);
    for (struct stage_packet *packet; (packet = lan_take(lan)) != NULL;)
        free(packet);
}

static struct frame *frame_of(struct lan *lan, const uint8_t *packet,
                              size_t length)
{
    size_t total = ETHERNET + length;
    struct frame *frame =
        frame_new(NULL, total < FRAME_MIN ? FRAME_MIN : total);

    memset(frame->bytes, 0, frame->length);
    memcpy(frame->bytes, lan->device->netif.address.octet, 6);
    memcpy(frame->bytes + 6, our_mac, 6);
    put16(frame->bytes + 12, 0x0800);
    memcpy(frame->bytes + ETHERNET, packet, length);
    return frame;
}

/* A part of a long TCP segment: headers again, PSH and FIN in the last. */
static void send_part(struct lan *lan, const uint8_t *packet, size_t headers,
                      size_t at, size_t length, bool is_last)
{
    uint8_t part[BUFFER_SIZE];
    size_t ip = (size_t)(packet[0] & 0x0f) * 4;
    uint8_t *tcp = part + ip;

    memcpy(part, packet, headers);
    memcpy(part + headers, packet + headers + at, length);
    put16(part + 2, (unsigned)(headers + length));
    put16(part + 10, 0);
    put16(part + 10, internet_checksum(part, ip, 0));
    uint32_t seq = (uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6);
    seq += (uint32_t)at;
    put16(tcp + 4, seq >> 16);
    put16(tcp + 6, seq & 0xffff);
    if (!is_last)
        tcp[13] &= 0xf6;
    put16(tcp + 16, 0);
    put16(tcp + 16,
          internet_checksum(tcp, headers + length - ip, pseudo_sum(part)));
    /* Straight into the card's ring, past the cable: so that one poll finds
     * them all. */
    lan->device->port.arrive(&lan->device->port,
                             frame_of(lan, part, headers + length));
}

/* What a router before the LAN makes of a packet longer than a frame. */
static void send_fragments(struct lan *lan, const uint8_t *packet,
                           size_t headers, size_t length)
{
    uint8_t part[ETHERNET_MTU];
    size_t most = (sizeof(part) - headers) & ~(size_t)7;

    for (size_t at = 0; at < length - headers; at += most) {
        size_t left = length - headers - at;
        size_t piece = left < most ? left : most;
        memcpy(part, packet, headers);
        memcpy(part + headers, packet + headers + at, piece);
        put16(part + 2, (unsigned)(headers + piece));
        put16(part + 6, (unsigned)(at / 8) | (piece < left ? 0x2000 : 0));
        put16(part + 10, 0);
        put16(part + 10, internet_checksum(part, headers, 0));
        world_port_send(&lan->port, frame_of(lan, part, headers + piece));
    }
}

void lan_inject(struct lan *lan, const uint8_t *packet, size_t length)
{
    size_t ip = (size_t)(packet[0] & 0x0f) * 4;

    if (length <= ETHERNET_MTU) {
        world_port_send(&lan->port, frame_of(lan, packet, length));
        return;
    }
    if (packet[9] != 6) {
        send_fragments(lan, packet, ip, length);
        return;
    }
    size_t headers = ip + (size_t)(packet[ip + 12] >> 4) * 4;
    size_t payload = length - headers;
    for (size_t at = 0; at < payload; at += PAYLOAD_MAX) {
        size_t left = payload - at;
        size_t part = left < PAYLOAD_MAX ? left : PAYLOAD_MAX;
        send_part(lan, packet, headers, at, part, part == left);
    }
}
