/* SPDX-License-Identifier: MIT */
/*
 * Address conflict detection (RFC 5227). Of the three ways to react to a
 * conflict in use (2.4) this is (c): defend once in a while and keep the
 * address, since a server that steps aside is what an attacker would want.
 */
#include "net/link/acd.h"

#include "net/link/arp.h"
#include "net/platform.h"
#include "net/timer.h"
#include "net/wire/ipv4.h"

#include <string.h>

enum acd_phase {
    ACD_IDLE,
    ACD_PROBING,
    ACD_ANNOUNCING,
};

struct acd {
    struct timer timer;
    struct netif *netif;
    struct be32 address;
    enum acd_phase phase;
    unsigned sent;
    bool in_haste;
    acd_done *done;
    uint64_t defended_ns;
    bool has_defended;
};

static struct acd detections[NETIF_MAX];

struct acd_counters acd_counters;

static void acd_expire(struct timer *timer, uint64_t now_ns);

void acd_init(void)
{
    memset(detections, 0, sizeof(detections));
    memset(&acd_counters, 0, sizeof(acd_counters));
    for (size_t i = 0; i < NETIF_MAX; i++)
        detections[i].timer.expire = acd_expire;
}

static struct acd *acd_of(struct netif *netif)
{
    struct acd *acd = &detections[netif->index];

    acd->netif = netif;
    return acd;
}

static uint64_t random_between(uint64_t low_ns, uint64_t high_ns)
{
    uint64_t random;

    platform_random(&random, sizeof(random));
    return low_ns + random % (high_ns - low_ns);
}

void acd_probe(struct netif *netif, struct be32 address, bool in_haste,
               acd_done *done, uint64_t now_ns)
{
    struct acd *acd = acd_of(netif);

    acd->phase = ACD_PROBING;
    acd->address = address;
    acd->sent = 0;
    acd->in_haste = in_haste;
    acd->done = done;
    timer_set(&acd->timer, in_haste
                               ? now_ns
                               : now_ns + random_between(0, ACD_PROBE_WAIT_NS));
}

void acd_announce(struct netif *netif, uint64_t now_ns)
{
    struct acd *acd = acd_of(netif);

    acd->phase = ACD_ANNOUNCING;
    acd->address = netif->ip.address;
    acd->sent = 1;
    arp_send_announcement(netif, acd->address);
    timer_set(&acd->timer, now_ns + ACD_ANNOUNCE_INTERVAL_NS);
}

void acd_cancel(struct netif *netif)
{
    struct acd *acd = acd_of(netif);

    acd->phase = ACD_IDLE;
    timer_cancel(&acd->timer);
}

static void finish_probing(struct acd *acd, bool is_free, uint64_t now_ns)
{
    acd->phase = ACD_IDLE;
    timer_cancel(&acd->timer);
    acd->done(acd->netif, acd->address, is_free, now_ns);
}

static void probe_again(struct acd *acd, uint64_t now_ns)
{
    unsigned probes = acd->in_haste ? ACD_HASTE_PROBES : ACD_PROBES;
    uint64_t wait_ns = ACD_HASTE_NS;

    if (acd->sent == probes) {
        finish_probing(acd, true, now_ns);
        return;
    }
    arp_send_probe(acd->netif, acd->address);
    acd->sent++;
    if (!acd->in_haste)
        wait_ns = acd->sent < probes
                      ? random_between(ACD_PROBE_MIN_NS, ACD_PROBE_MAX_NS)
                      : ACD_ANNOUNCE_WAIT_NS;
    timer_set(&acd->timer, now_ns + wait_ns);
}

static void acd_expire(struct timer *timer, uint64_t now_ns)
{
    struct acd *acd = container_of(timer, struct acd, timer);

    switch (acd->phase) {
    case ACD_IDLE:
        return;
    case ACD_PROBING:
        probe_again(acd, now_ns);
        return;
    case ACD_ANNOUNCING:
        arp_send_announcement(acd->netif, acd->address);
        if (++acd->sent < ACD_ANNOUNCEMENTS)
            timer_set(timer, now_ns + ACD_ANNOUNCE_INTERVAL_NS);
        else
            acd->phase = ACD_IDLE;
        return;
    }
}

static void defend(struct acd *acd, const struct arp_message *message,
                   uint64_t now_ns)
{
    const uint8_t *other = message->sender_hardware.octet;
    char text[IPV4_TEXT_SIZE];

    acd_counters.conflicts_seen++;
    if (acd->has_defended && now_ns - acd->defended_ns < ACD_DEFEND_INTERVAL_NS)
        return;
    acd->has_defended = true;
    acd->defended_ns = now_ns;
    acd_counters.defences++;
    platform_log(PLATFORM_WARN, acd->netif->name,
                 "our address %s is also used by "
                 "%02x:%02x:%02x:%02x:%02x:%02x",
                 ipv4_format(acd->netif->ip.address, text), other[0], other[1],
                 other[2], other[3], other[4], other[5]);
    arp_send_announcement(acd->netif, acd->netif->ip.address);
}

bool acd_hear(struct netif *netif, const struct arp_message *message,
              uint64_t now_ns)
{
    struct acd *acd = acd_of(netif);
    bool is_probe = be32_get(message->sender_protocol) == 0;

    /* RFC 5227 2.1.1: anybody who has it, or who probes for it as we do. */
    if (acd->phase == ACD_PROBING &&
        (be32_equal(message->sender_protocol, acd->address) ||
         (is_probe && be16_get(message->operation) == ARP_REQUEST &&
          be32_equal(message->target_protocol, acd->address)))) {
        acd_counters.conflicts_found++;
        finish_probing(acd, false, now_ns);
        return true;
    }
    if (is_probe || be32_get(netif->ip.address) == 0 ||
        !be32_equal(message->sender_protocol, netif->ip.address))
        return false;
    defend(acd, message, now_ns);
    return true;
}
