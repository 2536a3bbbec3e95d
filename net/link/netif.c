/* SPDX-License-Identifier: MIT */
/*
 * Interfaces: their names, the polling of those that have work (as Linux's
 * NAPI does it: round-robin, a weight for each, a budget for all), and the
 * way of a frame into the device, with what the device cannot do itself done
 * here. A full ring holds packets back in a bounded queue.
 */
#include "net/link/netif.h"

#include "net/link/ethernet.h"
#include "net/link/gro.h"
#include "net/link/segment.h"
#include "net/platform.h"
#include "net/timer.h"

#include <errno.h>
#include <string.h>

enum {
    /* What a device needs to be given large packets. */
    LARGE_FEATURES = NETIF_TX_SEGMENT | NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS,
};

static struct {
    struct netif *list[NETIF_MAX];
    size_t count;
    size_t next; /* whose turn it is to be polled */
    unsigned ethernets;
    uint64_t now_ns; /* of the poll that is running */
    uint64_t budget_exhausted;
    size_t queue_limit;
    const struct netif_wiring *wiring;
    netif_capture *capture;
    struct timer seconds; /* runs once a device wants to be looked at */
} interfaces;

void netif_init(const struct netif_wiring *wiring)
{
    size_t limit = buffer_count_total() / NETIF_QUEUE_POOL_DIVISOR;

    memset(&interfaces, 0, sizeof(interfaces));
    gro_init();
    interfaces.wiring = wiring;
    interfaces.queue_limit = limit < NETIF_QUEUE_MAX ? limit : NETIF_QUEUE_MAX;
}

netif_capture *netif_set_capture(netif_capture *capture)
{
    netif_capture *before = interfaces.capture;

    interfaces.capture = capture;
    return before;
}

/* "eth" and a number below NETIF_MAX. */
static void name_ethernet(char *name, unsigned number)
{
    char *at = name + 3;

    memcpy(name, "eth", 3);
    if (number >= 10)
        *at++ = (char)('0' + number / 10);
    *at++ = (char)('0' + number % 10);
    *at = '\0';
}

static void tick(struct timer *timer, uint64_t now_ns)
{
    timer_set(timer, now_ns + NS_PER_S);
    for (size_t i = 0; i < interfaces.count; i++) {
        struct netif *netif = interfaces.list[i];

        if (netif->operations->tick != NULL)
            netif->operations->tick(netif, now_ns);
    }
}

int netif_register(struct netif *netif)
{
    ASSERT(netif->operations->transmit != NULL);
    ASSERT(netif->operations->poll != NULL);
    ASSERT(netif->mtu != 0);
    if (interfaces.count == NETIF_MAX)
        return -ENOSPC;
    if ((netif->features & NETIF_LOOPBACK) != 0)
        memcpy(netif->name, "lo", sizeof("lo"));
    else if (netif->parent == NULL)
        name_ethernet(netif->name, interfaces.ethernets++);
    netif->index = (uint8_t)interfaces.count;
    netif->ip = (struct netif_ip){0};
    netif->counters = (struct netif_counters){0};
    netif->queue = (struct packet_queue){0};
    netif->queueing = NULL;
    interfaces.list[interfaces.count++] = netif;
    if (netif->operations->tick != NULL && !timer_is_set(&interfaces.seconds)) {
        interfaces.seconds.expire = tick;
        timer_set(&interfaces.seconds, platform_now_ns() + NS_PER_S);
    }
    return 0;
}

void netif_schedule(struct netif *netif)
{
    netif->poll_scheduled = true;
    platform_raise_receive();
}

bool netif_poll(uint64_t now_ns)
{
    size_t budget = NETIF_POLL_BUDGET;
    size_t idle = 0;

    interfaces.now_ns = now_ns;
    while (idle < interfaces.count && budget != 0) {
        struct netif *netif = interfaces.list[interfaces.next];
        size_t weight = budget < NETIF_POLL_WEIGHT ? budget : NETIF_POLL_WEIGHT;
        size_t received;

        interfaces.next = (interfaces.next + 1) % interfaces.count;
        if (!netif->poll_scheduled) {
            idle++;
            continue;
        }
        /* First cleared, then polled: an interrupt that comes while the ring
         * is being emptied sets it again, and no wake-up is lost. */
        netif->poll_scheduled = false;
        received = netif->operations->poll(netif, weight);
        gro_flush();
        ASSERT(received <= weight);
        if (received == weight)
            netif->poll_scheduled = true;
        budget -= received;
        idle = 0;
    }
    for (size_t i = 0; i < interfaces.count; i++) {
        if (interfaces.list[i]->poll_scheduled) {
            interfaces.budget_exhausted++;
            return true;
        }
    }
    return false;
}

void netif_receive(struct netif *netif, struct packet *packet)
{
    packet->netif = netif;
    if (packet->time_ns == 0)
        packet->time_ns = interfaces.now_ns;
    netif->counters.rx_packets++;
    netif->counters.rx_bytes += packet->length;
    if (interfaces.capture != NULL)
        interfaces.capture(netif, packet, false);
    gro_receive(netif, packet);
}

/* Zeros up to the smallest frame: what lay in the buffer before is nobody's
 * business. */
static bool pad(struct packet *packet)
{
    size_t missing;

    if (!packet_linearise(packet))
        return false;
    missing = ETHERNET_MINIMUM_LENGTH - packet->length;
    if (missing > packet_tailroom(packet))
        return false;
    memset(packet_append(packet, missing), 0, missing);
    return true;
}

/* A tag in the frame does not count (802.3 3.2.7). */
static size_t frame_limit(const struct netif *netif,
                          const struct packet *packet)
{
    const struct ethernet_header *frame = (const void *)packet->data;
    size_t limit = ETHERNET_HEADER_LENGTH + (size_t)netif->mtu;

    return be16_get(frame->type) == ETHERNET_TYPE_VLAN
               ? limit + ETHERNET_VLAN_LENGTH
               : limit;
}

/* Does what the device cannot. DROP_NONE: the frame is as it takes them. */
static enum drop_reason prepare(struct netif *netif, struct packet *packet)
{
    size_t length = packet_total_length(packet);

    if (packet->segment_size != 0)
        return DROP_NONE;
    if (length > frame_limit(netif, packet))
        return DROP_TRANSMIT_TOO_LONG;
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL &&
        (netif->features & NETIF_TX_CHECKSUM) == 0)
        packet_finish_checksum(packet);
    if (packet->fragment_count != 0 &&
        (netif->features & NETIF_TX_FRAGMENTS) == 0 &&
        !packet_linearise(packet))
        return DROP_TRANSMIT_TOO_LONG;
    if (length < ETHERNET_MINIMUM_LENGTH &&
        (netif->features & NETIF_LOOPBACK) == 0 && !pad(packet))
        return DROP_TRANSMIT_TOO_LONG;
    return DROP_NONE;
}

void netif_give(struct netif *netif, struct packet *packet)
{
    netif->counters.tx_packets++;
    netif->counters.tx_bytes += packet_total_length(packet);
    netif->needs_kick = true;
    if (packet->segment_size != 0)
        segment_make_template(packet);
    netif->operations->transmit(netif, packet);
}

/* A large packet for a device that cannot cut it. What there is no packet for
 * is lost, as on a wire. */
static void transmit_segments(struct netif *netif, struct packet *large)
{
    struct segment_cursor cursor = {.done = 0};

    while (cursor.done < large->fragments_length) {
        struct packet *segment = segment_next(large, &cursor);

        if (segment == NULL) {
            netif->counters.tx_dropped++;
            packet_drop(large, DROP_NO_MEMORY);
            return;
        }
        netif_transmit(netif, segment);
    }
    packet_free(large);
}

void netif_transmit(struct netif *netif, struct packet *packet)
{
    enum drop_reason reason = DROP_LINK_DOWN;

    if (packet->segment_size != 0 &&
        (netif->queueing != NULL ||
         (netif->features & LARGE_FEATURES) != LARGE_FEATURES)) {
        transmit_segments(netif, packet);
        return;
    }
    packet->netif = netif;
    if (netif->link_up)
        reason = prepare(netif, packet);
    if (reason == DROP_NONE && netif->queue.count >= interfaces.queue_limit)
        reason = DROP_TRANSMIT_FULL;
    if (reason != DROP_NONE) {
        netif->counters.tx_dropped++;
        packet_drop(packet, reason);
        return;
    }
    if (interfaces.capture != NULL)
        interfaces.capture(netif, packet, true);
    if (netif->queueing != NULL)
        netif->queueing->transmit(netif->queueing, packet);
    else if (netif->transmit_stopped || netif->queue.count != 0)
        packet_queue_append(&netif->queue, packet);
    else
        netif_give(netif, packet);
}

void netif_transmit_resume(struct netif *netif)
{
    netif->transmit_stopped = false;
    if (netif->queueing != NULL)
        netif->queueing->resume(netif->queueing);
    while (!netif->transmit_stopped) {
        struct packet *packet = packet_queue_take(&netif->queue);

        if (packet == NULL)
            return;
        netif_give(netif, packet);
    }
}

void netif_flush(void)
{
    for (size_t i = 0; i < interfaces.count; i++) {
        struct netif *netif = interfaces.list[i];

        if (!netif->needs_kick)
            continue;
        netif->needs_kick = false;
        netif->operations->kick(netif);
    }
}

static void drop_queued(struct netif *netif)
{
    packet_queue_drop_all(&netif->queue, DROP_LINK_DOWN);
    if (netif->queueing != NULL)
        netif->queueing->clear(netif->queueing);
}

void netif_link_changed(struct netif *netif, bool up)
{
    if (netif->link_up == up)
        return;
    netif->link_up = up;
    netif->counters.link_changes++;
    if (up && netif->link_speed != 0)
        platform_log(PLATFORM_INFO, netif->name, "link up, %u Mbit/s",
                     (unsigned)netif->link_speed);
    else
        platform_log(PLATFORM_INFO, netif->name, up ? "link up" : "link down");
    if (!up)
        drop_queued(netif);
    if (interfaces.wiring != NULL && interfaces.wiring->link_changed != NULL)
        interfaces.wiring->link_changed(netif, platform_now_ns());
    for (size_t i = 0; i < interfaces.count; i++)
        if (interfaces.list[i]->parent == netif)
            netif_link_changed(interfaces.list[i], up);
}

struct netif *netif_by_index(size_t index)
{
    return index < interfaces.count ? interfaces.list[index] : NULL;
}

struct netif *netif_by_name(const char *name)
{
    for (size_t i = 0; i < interfaces.count; i++)
        if (strcmp(interfaces.list[i]->name, name) == 0)
            return interfaces.list[i];
    return NULL;
}

size_t netif_count(void)
{
    return interfaces.count;
}

uint64_t netif_budget_exhausted(void)
{
    return interfaces.budget_exhausted;
}
