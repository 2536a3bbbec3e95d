/* SPDX-License-Identifier: MIT */
/*
 * See filter_path.h.
 */
#include "tests/host/filter_path.h"

#include <string.h>

#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

struct netif path_netifs[2];
static struct path_result result;
static uint8_t held[70000]; /* what does not fit the first buffer */

enum {
    FIRST_BYTES = 1200,
};

void path_start(size_t memory_size)
{
    world_start(1);
    world_stack_add("a", memory_size);
    memset(path_netifs, 0, sizeof(path_netifs));
    strcpy(path_netifs[PATH_WAN].name, "eth0");
    strcpy(path_netifs[PATH_LAN].name, "eth1");
    path_netifs[PATH_WAN].index = 1;
    path_netifs[PATH_LAN].index = 2;
    path_netifs[PATH_WAN].mtu = 1500;
    path_netifs[PATH_LAN].mtu = 1500;
    path_netifs[PATH_WAN].ip.address = be32_from(PATH_WAN_ADDRESS);
    path_netifs[PATH_LAN].ip.address = be32_from(PATH_LAN_ADDRESS);
    filter_clear();
    if (filter_start(world_now()) != 0)
        world_fail("no memory for the firewall");
}

static struct netif *route(uint32_t destination)
{
    if (destination == PATH_WAN_ADDRESS || destination == PATH_LAN_ADDRESS ||
        destination >> 24 == 127 || destination == UINT32_MAX)
        return NULL;
    return &path_netifs[destination >> 8 == PATH_LAN_ADDRESS >> 8 ? PATH_LAN
                                                                  : PATH_WAN];
}

static uint32_t destination_of(const struct packet *packet)
{
    return be32_get(((const struct ipv4_header *)packet->data)->destination);
}

static struct packet *make(const void *bytes, size_t length)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    size_t first = length < FIRST_BYTES ? length : FIRST_BYTES;

    if (packet == NULL)
        world_fail("no packet");
    packet->network_offset = PACKET_HEADROOM;
    memcpy(packet_append(packet, first), bytes, first);
    if (length > first) {
        memcpy(held, (const uint8_t *)bytes + first, length - first);
        packet_add_fragment(packet, held, (uint32_t)(length - first),
                            LOAN_NONE);
    }
    return packet;
}

static bool passes(enum filter_hook hook, struct packet *packet,
                   const struct netif *out, uint64_t now_ns)
{
    result.verdict = filter_run(hook, packet, out, now_ns);
    if (hook == FILTER_PREROUTING || hook == FILTER_OUTPUT)
        result.flow_state = packet->flow_state;
    return result.verdict == FILTER_ACCEPT;
}

/* A router counts the hop before FORWARD (net/ip/forward.c). */
static void take_hop(struct packet *packet)
{
    struct ipv4_header *header = (void *)packet->data;

    header->ttl--;
    header->checksum = be16_from(0);
    header->checksum =
        checksum_finish(checksum_add(0, header, ipv4_header_length(header)));
}

enum path_end path_run(struct packet *packet, enum path_netif in,
                       uint64_t now_ns)
{
    packet->netif = &path_netifs[in];
    if (!passes(FILTER_PREROUTING, packet, NULL, now_ns))
        return PATH_REFUSED;
    result.out = route(destination_of(packet));
    if (result.out == NULL)
        return passes(FILTER_INPUT, packet, NULL, now_ns) ? PATH_LOCAL
                                                          : PATH_REFUSED;
    take_hop(packet);
    if (!passes(FILTER_FORWARD, packet, result.out, now_ns) ||
        !passes(FILTER_POSTROUTING, packet, result.out, now_ns))
        return PATH_REFUSED;
    return PATH_FORWARDED;
}

static const struct path_result *finish(struct packet *packet,
                                        enum path_end end)
{
    result.end = end;
    result.length = packet_total_length(packet);
    if (!packet_copy_out(packet, 0, result.bytes, result.length))
        world_fail("a packet shorter than it is");
    packet_free(packet);
    return &result;
}

const struct path_result *path_receive(enum path_netif in, const void *bytes,
                                       size_t length, uint64_t now_ns)
{
    struct packet *packet = make(bytes, length);

    return finish(packet, path_run(packet, in, now_ns));
}

const struct path_result *path_send(const void *bytes, size_t length,
                                    uint64_t now_ns)
{
    struct packet *packet = make(bytes, length);

    result.out = route(destination_of(packet));
    if (!passes(FILTER_OUTPUT, packet, result.out, now_ns))
        return finish(packet, PATH_REFUSED);
    result.out = route(destination_of(packet));
    if (!passes(FILTER_POSTROUTING, packet, result.out, now_ns))
        return finish(packet, PATH_REFUSED);
    return finish(packet, PATH_SENT);
}
