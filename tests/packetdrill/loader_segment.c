/* SPDX-License-Identifier: MIT */
/*
 * Segments of the loader, built and read by hand.
 */
#include "tests/packetdrill/loader.h"
#include "tests/script/bytes.h"

#include <string.h>

static uint16_t sum(const uint8_t *bytes, size_t length, uint32_t start)
{
    for (size_t i = 0; i < length; i++)
        start += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (start >> 16 != 0)
        start = (start & 0xffff) + (start >> 16);
    return (uint16_t)~start;
}

static void put_ip(uint8_t *ip, uint8_t protocol, size_t length)
{
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)length);
    ip[8] = 255;
    ip[9] = protocol;
    put32(ip + 12, 0xc0000201);
    put32(ip + 16, 0xc0a80001);
    put16(ip + 10, sum(ip, 20, 0));
}

static uint32_t pseudo(const uint8_t *ip, size_t length)
{
    uint32_t start = ip[9] + (uint32_t)length;

    for (int i = 12; i < 20; i += 2)
        start += get16(ip + i);
    return start;
}

int inject(const struct tcp *segment)
{
    static uint8_t packet[65536];
    uint8_t *tcp = packet + 20;
    size_t length = 20 + segment->length;

    memset(tcp, 0, length);
    put16(tcp, segment->from);
    put16(tcp + 2, segment->to);
    put32(tcp + 4, segment->seq);
    put32(tcp + 8, segment->ack);
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)segment->flags;
    put16(tcp + 14, 60000);
    put_ip(packet, 6, 20 + length);
    put16(tcp + 16, sum(tcp, length, pseudo(packet, length)));
    return t.netdev_send(u, packet, 20 + length);
}

int inject_datagram(uint16_t from, uint16_t to, size_t length)
{
    static uint8_t packet[65536];
    uint8_t *udp = packet + 20;

    memset(udp, 0, 8 + length);

    put16(udp, from);
    put16(udp + 2, to);
    put16(udp + 4, (unsigned)(8 + length));
    put_ip(packet, IPPROTO_UDP, 28 + length);
    put16(udp + 6, sum(udp, 8 + length, pseudo(packet, 8 + length)));
    return t.netdev_send(u, packet, 28 + length);
}

bool receive(struct tcp *segment)
{
    uint8_t packet[65536];
    size_t length = sizeof(packet);
    const uint8_t *tcp = packet + 20;

    *segment = (struct tcp){.seq = 0};
    if (t.netdev_receive(u, packet, &length, &segment->time_us) != 0 ||
        length < 40 || packet[9] != 6)
        return false;
    segment->from = get16(tcp);
    segment->to = get16(tcp + 2);
    segment->seq = get32(tcp + 4);
    segment->ack = get32(tcp + 8);
    segment->flags = tcp[13];
    segment->length = length - 20 - (size_t)(tcp[12] >> 4) * 4;
    return true;
}
