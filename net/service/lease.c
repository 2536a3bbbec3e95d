/* SPDX-License-Identifier: MIT */
/*
 * Leases (RFC 2131 4.4.5): pure arithmetic on what was received.
 */
#include "net/service/lease.h"

#include "net/limits.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

void lease_compute_times(const struct dhcp_reply *reply, uint64_t sent_ns,
                         struct lease_times *times)
{
    uint64_t lease_s = reply->lease_s;
    uint64_t t1_s = reply->has_t1 ? reply->t1_s : 0;
    uint64_t t2_s = reply->has_t2 ? reply->t2_s : 0;

    if (reply->lease_s == DHCP_LEASE_INFINITE) {
        *times = (struct lease_times){PLATFORM_NEVER, PLATFORM_NEVER,
                                      PLATFORM_NEVER};
        return;
    }
    if (lease_s < DHCP_LEASE_MIN_S)
        lease_s = DHCP_LEASE_MIN_S;
    /* Left out, out of order, or so soon that it would be a storm. */
    if (t2_s < DHCP_LEASE_MIN_S * 7 / 8 || t2_s >= lease_s)
        t2_s = lease_s * 7 / 8;
    if (t1_s < DHCP_LEASE_MIN_S / 2 || t1_s >= t2_s)
        t1_s = lease_s / 2 < t2_s ? lease_s / 2 : t2_s / 2;
    times->t1_ns = sent_ns + t1_s * NS_PER_S;
    times->t2_ns = sent_ns + t2_s * NS_PER_S;
    times->expires_ns = sent_ns + lease_s * NS_PER_S;
}

unsigned lease_prefix_length(const struct dhcp_reply *reply)
{
    uint8_t first = reply->your_address.octet[0];

    if (reply->has_netmask)
        return ipv4_prefix_length(reply->netmask);
    /* Without a mask, the network size of old. */
    if (first < 128)
        return 8;
    return first < 192 ? 16 : 24;
}

bool lease_is_usable(const struct dhcp_reply *reply)
{
    uint32_t network;
    uint32_t host;

    if (!ipv4_is_unicast(reply->your_address))
        return false;
    if (reply->has_netmask &&
        (!ipv4_is_netmask(reply->netmask) || be32_get(reply->netmask) == 0))
        return false;
    if (lease_prefix_length(reply) >= 31)
        return true;
    network = be32_get(ipv4_netmask(lease_prefix_length(reply)));
    host = be32_get(reply->your_address) & ~network;
    return host != 0 && host != ~network;
}
