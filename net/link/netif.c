/* SPDX-License-Identifier: MIT */
/*
 * Interfaces: their names, the polling of those that have work (as Linux's
 * NAPI does it: round-robin, a budget for all), and the way of a frame into the
 * device, with what the device cannot do itself done here. A full ring holds
 * packets back in a bounded queue.
 */
#include "net/link/netif.h"

#include "net/attributes.h"
#include "net/bounds.h"
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

struct netif *netif_table[NETIF_MAX];

static struct {
    size_t count;
    size_t next; /* whose turn it is to be polled */
    unsigned ethernets;
    uint64_t now_ns;     /* of the poll that is running */
    struct netif *kicks; /* those that were given something */
    uint64_t budget_exhausted;
    size_t queue_limit;
    const struct netif_wiring *wiring;
    netif_capture *capture;
    struct timer seconds; /* runs once a device wants to be looked at */
} interfaces;

COLD void netif_init(const struct netif_wiring *wiring)
{
    while (interfaces.count != 0)
        netif_table[--interfaces.count] = NULL;
    memset(&interfaces, 0, sizeof(interfaces));
    gro_init();
    interfaces.wiring = wiring;
}

netif_capture *netif_set_capture(netif_capture *capture)
{
    netif_capture *before = interfaces.capture;

    interfaces.capture = capture;
    return before;
}

size_t netif_queue_share(void)
{
    return buffer_count_total() / NETIF_QUEUE_POOL_DIVISOR /
           (interfaces.ethernets != 0 ? interfaces.ethernets : 1);
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

static COLD void tick(struct timer *timer, uint64_t now_ns)
{
    timer_set(timer, now_ns + NS_PER_S);
    for (size_t i = 0; i < interfaces.count; i++) {
        struct netif *netif = netif_table[i];

        if (netif->operations->tick != NULL)
            netif->operations->tick(netif, now_ns);
    }
}

COLD int netif_register(struct netif *netif)
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
    netif->lone_turns = 0;
    netif->needs_kick = false;
    netif_table[interfaces.count++] = netif;
    interfaces.queue_limit = smaller_64(netif_queue_share(), NETIF_QUEUE_MAX);
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

/* One turn of one device, of `budget` frames at most. Returns how many. */
static inline size_t poll_one(struct netif *netif, size_t budget)
{
    size_t received;

    /* First cleared, then polled: an interrupt that comes while the ring is
     * being emptied sets it again, and no wake-up is lost. */
    netif->poll_scheduled = false;
    gro_begin_turn(netif->lone_turns == NETIF_LONE_TURNS);
    received = netif->operations->poll(netif, budget);
    if (gro_state.held != 0)
        gro_flush();
    ASSERT(received <= budget);
    if (received > 1)
        netif->lone_turns = 0;
    else if (received == 1 && netif->lone_turns < NETIF_LONE_TURNS)
        netif->lone_turns++;
    return received;
}

/* Until a whole round found nobody with more. Who is scheduled behind his turn
 * has raised the softirq once more. */
bool netif_poll(uint64_t now_ns)
{
    size_t budget = NETIF_POLL_BUDGET;
    size_t count = interfaces.count;
    size_t next = interfaces.next;

    interfaces.now_ns = now_ns;
    for (size_t left = count; left != 0; left--) {
        struct netif *netif = netif_table[next];

        next = next + 1 < count ? next + 1 : 0;
        if (!netif->poll_scheduled)
            continue;
        budget -= poll_one(netif, budget);
        if (budget == 0) {
            netif->poll_scheduled = true; /* it may have more */
            interfaces.next = next;
            interfaces.budget_exhausted++;
            return true;
        }
        if (netif->poll_scheduled)
            left = count + 1;
    }
    interfaces.next = next;
    return false;
}

static inline void pass_up(struct netif *netif, struct packet *packet)
{
    if (gro_wants(packet))
        gro_receive(netif, packet);
    else
        ethernet_receive(netif, packet);
}

static NOINLINE void show_and_pass_up(struct netif *netif,
                                      struct packet *packet)
{
    interfaces.capture(netif, packet, false);
    pass_up(netif, packet);
}

void netif_receive(struct netif *netif, struct packet *packet)
{
    packet->netif = netif;
    netif->counters.rx_packets++;
    if (packet->time_ns == 0)
        packet->time_ns = interfaces.now_ns;
    netif->counters.rx_bytes += packet->length;
    if (interfaces.capture != NULL)
        show_and_pass_up(netif, packet);
    else
        pass_up(netif, packet);
}

/* Zeros up to the smallest frame: what lay in the buffer before is nobody's
 * business. */
static bool pad(struct packet *packet)
{
    size_t missing;

    if (packet->fragment_count != 0 && !packet_linearise(packet))
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
    if (packet->fragment_count != 0 &&
        (netif->features & NETIF_TX_FRAGMENTS) == 0 &&
        !packet_linearise(packet))
        return DROP_TRANSMIT_TOO_LONG;
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL &&
        (netif->features & NETIF_TX_CHECKSUM) == 0)
        packet_finish_checksum(packet); /* of one piece, if gathered */
    if (length < ETHERNET_MINIMUM_LENGTH &&
        (netif->features & NETIF_LOOPBACK) == 0 && !pad(packet))
        return DROP_TRANSMIT_TOO_LONG;
    return DROP_NONE;
}

static inline void give(struct netif *netif, struct packet *packet)
{
    netif->counters.tx_packets++;
    netif->counters.tx_bytes += packet_total_length(packet);
    if (!netif->needs_kick) {
        netif->needs_kick = true;
        netif->kick_next = interfaces.kicks;
        interfaces.kicks = netif;
    }
    netif->operations->transmit(netif, packet);
}

void netif_give(struct netif *netif, struct packet *packet)
{
    give(netif, packet);
}

static NOINLINE void give_any(struct netif *netif, struct packet *packet)
{
    if (packet->segment_size != 0)
        segment_make_template(packet);
    give(netif, packet);
}

/* A large packet for a device that cannot cut it. What there is no packet for
 * is lost, as on a wire. */
static void transmit_segments(struct netif *netif, struct packet *large)
{
    struct segment_cursor cursor = {.done = 0};
    struct packet *segment;

    do {
        segment = segment_next(large, &cursor);
        if (segment == NULL) {
            netif->counters.tx_dropped++;
            packet_drop(large, DROP_NO_MEMORY);
            return;
        }
        netif_transmit(netif, segment);
    } while (segment != large);
}

/* Everything is checked: now, or when there is room. */
static void enqueue(struct netif *netif, struct packet *packet)
{
    if (netif->queueing != NULL)
        netif->queueing->transmit(netif->queueing, packet);
    else if (netif->transmit_stopped || netif->queue.count != 0)
        packet_queue_append(&netif->queue, packet);
    else
        give_any(netif, packet);
}

/* What waits is counted by packets: what GRO joined would be many buffers. */
static inline bool is_full(const struct netif *netif)
{
    return netif->transmit_stopped || netif->queue.count != 0;
}

static NOINLINE void transmit_any(struct netif *netif, struct packet *packet)
{
    enum drop_reason reason = DROP_LINK_DOWN;

    if (packet->length < ETHERNET_MINIMUM_LENGTH &&
        packet->fragment_count == 0 &&
        (netif->features & NETIF_LOOPBACK) == 0 && pad(packet)) {
        netif_transmit(netif, packet); /* an ACK: now it is plain */
        return;
    }
    if (packet->segment_size != 0 &&
        (netif->queueing != NULL ||
         (netif->features & LARGE_FEATURES) != LARGE_FEATURES ||
         (packet->segment_count != 0 && is_full(netif)))) {
        transmit_segments(netif, packet);
        return;
    }
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
    enqueue(netif, packet);
}

/* A frame that any device takes as it is, with room for it, and nobody looks
 * on. */
static inline bool is_plain(const struct netif *netif,
                            const struct packet *packet)
{
    size_t length = packet_total_length(packet);

    return packet->segment_size == 0 && length >= ETHERNET_MINIMUM_LENGTH &&
           length <= ETHERNET_HEADER_LENGTH + (size_t)netif->mtu &&
           netif->link_up && netif->queue.count == 0 &&
           interfaces.capture == NULL &&
           (packet->checksum != PACKET_CHECKSUM_PARTIAL ||
            (netif->features & NETIF_TX_CHECKSUM) != 0) &&
           (packet->fragment_count == 0 ||
            (netif->features & NETIF_TX_FRAGMENTS) != 0);
}

void netif_transmit(struct netif *netif, struct packet *packet)
{
    packet->netif = netif;
    if (!is_plain(netif, packet))
        transmit_any(netif, packet);
    else if (netif->queueing != NULL)
        netif->queueing->transmit(netif->queueing, packet);
    else if (netif->transmit_stopped)
        packet_queue_append(&netif->queue, packet);
    else
        give(netif, packet);
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
        give_any(netif, packet);
    }
}

void netif_flush(void)
{
    while (interfaces.kicks != NULL) {
        struct netif *netif = interfaces.kicks;

        interfaces.kicks = netif->kick_next;
        netif->needs_kick = false;
        netif->operations->kick(netif);
    }
}

static COLD void drop_queued(struct netif *netif)
{
    packet_queue_drop_all(&netif->queue, DROP_LINK_DOWN);
    if (netif->queueing != NULL)
        netif->queueing->clear(netif->queueing);
}

COLD void netif_link_changed(struct netif *netif, bool up)
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
        if (netif_table[i]->parent == netif)
            netif_link_changed(netif_table[i], up);
}

struct netif *netif_by_name(const char *name)
{
    for (size_t i = 0; i < interfaces.count; i++)
        if (strcmp(netif_table[i]->name, name) == 0)
            return netif_table[i];
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
