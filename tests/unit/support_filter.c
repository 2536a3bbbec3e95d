/* SPDX-License-Identifier: MIT */
/*
 * See support_filter.h.
 */
#include "tests/unit/support_filter.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/wire/checksum.h"

uint64_t test_now;

void start_filter_with(size_t memory_size)
{
    path_start(memory_size);
    rules_unload();
    test_now = 1000 * NS_PER_S;
}

void start_filter(void)
{
    start_filter_with(16 << 20);
}

void load(const char *text)
{
    struct rules_error error;

    cr_assert_eq(rules_load("test", text, strlen(text), &error), 0, "%s",
                 error.text);
}

static uint32_t transport_sum(const uint8_t *bytes, size_t length)
{
    const struct ipv4_header *ip = (const void *)bytes;
    size_t header = ipv4_header_length(ip);
    uint32_t sum = checksum_add(0, bytes + header, length - header);

    if (ip->protocol == FLOW_ICMP)
        return sum;
    sum = checksum_add_32(sum, be32_get(ip->source));
    sum = checksum_add_32(sum, be32_get(ip->destination));
    return checksum_add_32(sum, (uint32_t)(length - header) + ip->protocol);
}

static struct be16 *checksum_of(uint8_t *bytes)
{
    const struct ipv4_header *ip = (const void *)bytes;
    uint8_t *transport = bytes + ipv4_header_length(ip);

    switch (ip->protocol) {
    case FLOW_TCP:
        return &((struct tcp_header *)(void *)transport)->checksum;
    case FLOW_UDP:
        return &((struct udp_header *)(void *)transport)->checksum;
    case FLOW_ICMP:
        return &((struct icmp_header *)(void *)transport)->checksum;
    default:
        return NULL;
    }
}

void fix_packet(struct test_packet *packet)
{
    struct ipv4_header *ip = (void *)packet->bytes;
    struct be16 *field = checksum_of(packet->bytes);

    ip->total_length = be16_from((uint16_t)packet->length);
    ip->checksum = be16_from(0);
    ip->checksum = checksum_finish(checksum_add(0, ip, ipv4_header_length(ip)));
    if (ip->protocol == FLOW_UDP) {
        struct udp_header *udp = (void *)(ip + 1);

        udp->length = be16_from((uint16_t)(packet->length - sizeof(*ip)));
    }
    if (field == NULL)
        return;
    *field = be16_from(0);
    *field = checksum_finish(transport_sum(packet->bytes, packet->length));
}

static struct test_packet packet_of(uint32_t from, uint32_t to,
                                    uint8_t protocol, size_t length)
{
    struct test_packet packet = {.length = sizeof(struct ipv4_header) + length};
    struct ipv4_header *ip = (void *)packet.bytes;

    ip->version_ihl = 0x45;
    ip->ttl = 64;
    ip->protocol = protocol;
    ip->source = be32_from(from);
    ip->destination = be32_from(to);
    return packet;
}

struct test_packet tcp_packet(uint32_t from, uint16_t from_port, uint32_t to,
                              uint16_t to_port, uint8_t flags)
{
    struct test_packet packet = packet_of(from, to, FLOW_TCP, 20);
    struct tcp_header *tcp = (void *)(packet.bytes + 20);

    tcp->source_port = be16_from(from_port);
    tcp->destination_port = be16_from(to_port);
    tcp->data_offset = 0x50;
    tcp->flags = flags;
    tcp->window = be16_from(10000);
    fix_packet(&packet);
    return packet;
}

void tcp_number(struct test_packet *packet, uint32_t sequence, uint32_t ack,
                size_t payload)
{
    struct tcp_header *tcp = (void *)(packet->bytes + 20);

    tcp->sequence = be32_from(sequence);
    tcp->acknowledgement = be32_from(ack);
    packet->length = 40 + payload;
    fix_packet(packet);
}

struct test_packet udp_packet(uint32_t from, uint16_t from_port, uint32_t to,
                              uint16_t to_port)
{
    struct test_packet packet = packet_of(from, to, FLOW_UDP, 16);
    struct udp_header *udp = (void *)(packet.bytes + 20);

    udp->source_port = be16_from(from_port);
    udp->destination_port = be16_from(to_port);
    fix_packet(&packet);
    return packet;
}

struct test_packet icmp_packet(uint32_t from, uint32_t to, uint8_t type,
                               uint16_t id)
{
    struct test_packet packet = packet_of(from, to, FLOW_ICMP, 16);
    struct icmp_header *icmp = (void *)(packet.bytes + 20);

    icmp->type = type;
    icmp->rest[0] = (uint8_t)(id >> 8);
    icmp->rest[1] = (uint8_t)id;
    fix_packet(&packet);
    return packet;
}

struct test_packet icmp_error(uint32_t from, uint32_t to, uint8_t type,
                              uint8_t code, const void *about, size_t length)
{
    struct test_packet packet = packet_of(from, to, FLOW_ICMP, 8 + length);
    struct icmp_header *icmp = (void *)(packet.bytes + 20);

    icmp->type = type;
    icmp->code = code;
    memcpy(icmp + 1, about, length);
    fix_packet(&packet);
    return packet;
}

const struct path_result *from_lan(const struct test_packet *packet)
{
    return path_receive(PATH_LAN, packet->bytes, packet->length, test_now);
}

const struct path_result *from_wan(const struct test_packet *packet)
{
    return path_receive(PATH_WAN, packet->bytes, packet->length, test_now);
}

uint32_t source_of(const void *bytes)
{
    return be32_get(((const struct ipv4_header *)bytes)->source);
}

uint32_t destination_of(const void *bytes)
{
    return be32_get(((const struct ipv4_header *)bytes)->destination);
}

static const struct udp_header *ports_of(const void *bytes)
{
    return (const void *)((const uint8_t *)bytes + 20);
}

uint16_t source_port_of(const void *bytes)
{
    return be16_get(ports_of(bytes)->source_port);
}

uint16_t destination_port_of(const void *bytes)
{
    return be16_get(ports_of(bytes)->destination_port);
}

bool is_intact(const void *bytes, size_t length)
{
    const struct ipv4_header *ip = bytes;
    uint32_t sum = transport_sum(bytes, length);

    if (!checksum_is_valid(checksum_add(0, ip, ipv4_header_length(ip))))
        return false;
    if (ip->protocol == FLOW_UDP && be16_get(ports_of(bytes)->checksum) == 0)
        return true;
    return checksum_is_valid(sum);
}

unsigned state_of(const struct path_result *result)
{
    return result->flow_state & ~(unsigned)TRACK_IS_REPLY;
}
