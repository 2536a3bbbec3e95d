/* SPDX-License-Identifier: MIT */
#include "net/net_trace.h"

#include "net/limits.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

#include <errno.h>

static struct {
    uint64_t since_ns; /* of the lines counted */
    unsigned lines;
} told;

static void tell(const struct packet *packet, enum drop_reason reason)
{
    const struct ipv4_header *ip = packet_network_header(packet);
    bool is_ip = packet->network_offset != 0; /* it came as far as that */
    uint64_t now_ns = platform_now_ns();
    char source[IPV4_TEXT_SIZE] = "";
    char destination[IPV4_TEXT_SIZE] = "";

    if (now_ns - told.since_ns >= NS_PER_S) {
        told.since_ns = now_ns;
        told.lines = 0;
    }
    if (told.lines++ >= DROP_TRACE_LINES)
        return;
    if (is_ip) {
        ipv4_format(ip->source, source);
        ipv4_format(ip->destination, destination);
    }
    platform_log(
        PLATFORM_INFO, packet->netif != NULL ? packet->netif->name : "net",
        "dropped %u bytes, %s%s%s%s%s", (unsigned)packet_total_length(packet),
        drop_reason_name(reason), is_ip ? ": " : "", source, is_ip ? " > " : "",
        destination);
}

int net_trace_drops(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    packet_set_drop_trace(value == 1 ? tell : NULL);
    return 0;
}
