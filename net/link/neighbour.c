/* SPDX-License-Identifier: MIT */
/*
 * Neighbours (neighbour_table.c): the states of neighbour unreachability
 * detection (RFC 4861 7.3) carried over to ARP, and the way to the link.
 */
#include "net/attributes.h"
#include "net/link/neighbour_table.h"

#include "net/link/arp.h"
#include "net/link/ethernet.h"
#include "net/link/segment.h"
#include "net/platform.h"

#include <string.h>

static void neighbour_expire(struct timer *timer, uint64_t now_ns);

static COLD void refused_expire(struct timer *timer, uint64_t now_ns)
{
    struct packet_queue waiting = neighbours.refused;
    struct packet *packet;

    (void)timer;
    neighbours.refused = (struct packet_queue){0};
    while ((packet = packet_queue_take(&waiting)) != NULL)
        neighbours.unreachable(packet, now_ns);
}

static void refuse(struct packet *packet, uint64_t now_ns)
{
    if (neighbours.refused.count >= NEIGHBOUR_QUEUE_MAX) {
        packet_drop(packet, DROP_NEIGHBOUR_FAILED);
        return;
    }
    packet_queue_append(&neighbours.refused, packet);
    if (!timer_is_set(&neighbours.refused_timer))
        timer_set(&neighbours.refused_timer, now_ns);
}

COLD void neighbour_init(void (*unreachable)(struct packet *packet,
                                             uint64_t now_ns))
{
    size_t limit = buffer_count_total() / NEIGHBOUR_QUEUED_POOL_DIVISOR;

    memset(&neighbours, 0, sizeof(neighbours));
    memset(&neighbour_counters, 0, sizeof(neighbour_counters));
    for (size_t i = NEIGHBOUR_MAX; i > 0; i--) {
        neighbours.entries[i - 1].bucket_next = neighbours.free;
        neighbours.entries[i - 1].timer.expire = neighbour_expire;
        neighbours.free = &neighbours.entries[i - 1];
    }
    neighbours.refused_timer.expire = refused_expire;
    hash_key_generate(&neighbours.key);
    neighbours.queued_limit =
        limit < NEIGHBOUR_QUEUED_TOTAL_MAX ? limit : NEIGHBOUR_QUEUED_TOTAL_MAX;
    neighbours.unreachable = unreachable;
}

/* ---- states -------------------------------------------------------------- */

static COLD void ask(struct neighbour *n, bool by_broadcast, uint64_t now_ns)
{
    n->probes++;
    arp_send_request(n->netif, n->address,
                     by_broadcast ? &ethernet_broadcast : &n->hardware);
    timer_set(&n->timer, now_ns + NEIGHBOUR_RETRANSMIT_NS);
}

static COLD void fail(struct neighbour *n, uint64_t now_ns)
{
    struct packet_queue waiting = n->queue;
    struct packet *packet;

    neighbour_counters.failed++;
    neighbours.queued -= waiting.count;
    n->queue = (struct packet_queue){0};
    neighbour_set_state(n, NEIGHBOUR_FAILED);
    timer_set(&n->timer, now_ns + NEIGHBOUR_FAILED_NS);
    while ((packet = packet_queue_take(&waiting)) != NULL)
        neighbours.unreachable(packet, now_ns);
}

static COLD void neighbour_expire(struct timer *timer, uint64_t now_ns)
{
    struct neighbour *n = container_of(timer, struct neighbour, timer);

    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
        if (n->probes < NEIGHBOUR_REQUESTS)
            ask(n, true, now_ns);
        else
            fail(n, now_ns);
        return;
    case NEIGHBOUR_DELAY:
        neighbour_set_state(n, NEIGHBOUR_PROBE);
        ask(n, false, now_ns);
        return;
    case NEIGHBOUR_PROBE:
        /* First the old address, then anybody: it may have moved. */
        if (n->probes < NEIGHBOUR_UNICAST_PROBES)
            ask(n, false, now_ns);
        else if (n->probes < NEIGHBOUR_UNICAST_PROBES + NEIGHBOUR_REQUESTS)
            ask(n, true, now_ns);
        else
            fail(n, now_ns);
        return;
    case NEIGHBOUR_FAILED:
        neighbour_remove(n);
        return;
    case NEIGHBOUR_FREE:
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_STALE:
        return;
    }
}

static inline void send_to(struct neighbour *n, struct packet *packet)
{
    ASSERT(packet_headroom(packet) >= ETHERNET_HEADER_LENGTH);
    packet->data -= ETHERNET_HEADER_LENGTH;
    packet->length += ETHERNET_HEADER_LENGTH;
    memcpy(packet->data, &n->header, sizeof(n->header));
    netif_transmit(n->netif, packet);
}

/* The packet waits; the oldest ones make room. */
static COLD void queue(struct neighbour *n, struct packet *packet)
{
    if (n->queue.count >= NEIGHBOUR_QUEUE_MAX) {
        neighbour_counters.queue_dropped++;
        packet_drop(neighbour_take_queued(n), DROP_NEIGHBOUR_QUEUE_FULL);
    }
    if (neighbours.queued >= neighbours.queued_limit) {
        neighbour_counters.queue_dropped++;
        packet_drop(packet, DROP_NEIGHBOUR_QUEUE_FULL);
        return;
    }
    packet_queue_append(&n->queue, packet);
    neighbours.queued++;
}

/* What GRO joined is many buffers, and waits as what it was. */
static COLD void queue_any(struct neighbour *n, struct packet *large)
{
    struct segment_cursor cursor = {.done = 0};
    struct packet *segment;

    if (large->segment_size == 0 || large->segment_count == 0) {
        queue(n, large);
        return;
    }
    do {
        segment = segment_next(large, &cursor);
        if (segment != NULL)
            queue(n, segment);
        else
            packet_drop(large, DROP_NO_MEMORY);
    } while (segment != NULL && segment != large);
}

static void mark_used(struct neighbour *n, uint64_t now_ns)
{
    n->used_ns = now_ns;
    if (n->was_used)
        return;
    n->was_used = true;
    neighbour_make_newest(n);
}

static COLD NOINLINE void send_any(struct netif *netif, struct be32 next_hop,
                                   struct packet *packet, uint64_t now_ns)
{
    struct neighbour *n = neighbour_find(netif, next_hop);

    if (!netif->link_up) { /* nobody can be asked */
        packet_drop(packet, DROP_LINK_DOWN);
        return;
    }
    if (n == NULL) {
        n = neighbour_create(netif, next_hop, true, now_ns);
        if (n == NULL) {
            packet_drop(packet, DROP_NEIGHBOUR_QUEUE_FULL);
            return;
        }
        neighbour_set_state(n, NEIGHBOUR_INCOMPLETE);
        queue_any(n, packet);
        ask(n, true, now_ns);
        return;
    }
    mark_used(n, now_ns);
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
        queue_any(n, packet);
        return;
    case NEIGHBOUR_FAILED:
        refuse(packet, now_ns);
        return;
    case NEIGHBOUR_REACHABLE:
        if (now_ns - n->confirmed_ns <= NEIGHBOUR_REACHABLE_NS)
            break;
        /* fall through */
    case NEIGHBOUR_STALE:
        neighbour_set_state(n, NEIGHBOUR_DELAY);
        timer_set(&n->timer, now_ns + NEIGHBOUR_DELAY_NS);
        break;
    case NEIGHBOUR_FREE:
    case NEIGHBOUR_DELAY:
    case NEIGHBOUR_PROBE:
        break;
    }
    send_to(n, packet);
}

void neighbour_send(struct netif *netif, struct be32 next_hop,
                    struct packet *packet, uint64_t now_ns)
{
    struct neighbour *n = *neighbour_recent(netif, next_hop);

    if (n != NULL && neighbour_is(n, netif, next_hop) &&
        n->state == NEIGHBOUR_REACHABLE && n->was_used &&
        now_ns - n->confirmed_ns <= NEIGHBOUR_REACHABLE_NS) {
        n->used_ns = now_ns;
        send_to(n, packet); /* a link that is down is met there */
    } else {
        send_any(netif, next_hop, packet, now_ns);
    }
}

/* ---- what is heard --------------------------------------------------------
 */

static void confirm(struct neighbour *n, uint64_t now_ns)
{
    n->confirmed_ns = now_ns;
    if (n->state == NEIGHBOUR_REACHABLE)
        return;
    neighbour_set_state(n, NEIGHBOUR_REACHABLE);
    timer_cancel(&n->timer);
}

/* Takes over the hardware address; false when it is too early to believe in
 * a change. */
static COLD bool take_hardware(struct neighbour *n,
                               const struct ethernet_address *hardware,
                               uint64_t now_ns)
{
    bool is_known = n->state != NEIGHBOUR_INCOMPLETE &&
                    n->state != NEIGHBOUR_FAILED && n->state != NEIGHBOUR_FREE;

    if (is_known && ethernet_address_equal(&n->hardware, hardware))
        return true;
    if (is_known && now_ns - n->changed_ns < NEIGHBOUR_LOCK_NS)
        return false;
    if (is_known)
        neighbour_counters.changed++;
    n->hardware = *hardware;
    n->header = (struct ethernet_header){*hardware, n->netif->address,
                                         be16_from(ETHERNET_TYPE_IPV4)};
    n->changed_ns = now_ns;
    return true;
}

void neighbour_hear(struct netif *netif, struct be32 address,
                    const struct ethernet_address *hardware,
                    enum neighbour_news news, uint64_t now_ns)
{
    struct neighbour *n = neighbour_find(netif, address);
    struct packet_queue waiting;
    struct packet *packet;
    struct ethernet_address before;

    if (n == NULL && news == NEIGHBOUR_ASKED_US)
        n = neighbour_create(netif, address, false, now_ns);
    if (n == NULL)
        return;
    before = n->hardware;
    if (!take_hardware(n, hardware, now_ns))
        return;
    if (news == NEIGHBOUR_ANSWERED || n->state == NEIGHBOUR_INCOMPLETE) {
        confirm(n, now_ns);
    } else if (n->state == NEIGHBOUR_FREE || n->state == NEIGHBOUR_FAILED ||
               !ethernet_address_equal(&before, hardware)) {
        timer_cancel(&n->timer);
        neighbour_set_state(n, NEIGHBOUR_STALE);
    }
    waiting = n->queue;
    neighbours.queued -= waiting.count;
    n->queue = (struct packet_queue){0};
    while ((packet = packet_queue_take(&waiting)) != NULL)
        send_to(n, packet);
}

void neighbour_confirm(struct netif *netif, struct be32 address,
                       uint64_t now_ns)
{
    struct neighbour *n = neighbour_find(netif, address);

    if (n != NULL && n->state != NEIGHBOUR_INCOMPLETE &&
        n->state != NEIGHBOUR_FAILED)
        confirm(n, now_ns);
}

COLD void neighbour_flush(struct netif *netif)
{
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++)
        if (neighbours.entries[i].state != NEIGHBOUR_FREE &&
            neighbours.entries[i].netif == netif)
            neighbour_remove(&neighbours.entries[i]);
}
