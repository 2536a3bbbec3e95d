/* SPDX-License-Identifier: MIT */
/*
 * The neighbour table: hashed by a keyed hash, bounded, with the states of
 * neighbour unreachability detection (RFC 4861 7.3) carried over to ARP. One
 * list in the order in which entries may be replaced: what a peer made us
 * enter and was never used comes first, then by last use. Entries in use are
 * never replaced.
 */
#include "net/link/neighbour.h"

#include "net/hash.h"
#include "net/link/arp.h"
#include "net/link/ethernet.h"
#include "net/platform.h"
#include "net/timer.h"

#include <string.h>

struct neighbour {
    struct neighbour *bucket_next;
    struct neighbour *older; /* the order of replacement */
    struct neighbour *newer;
    struct netif *netif;
    struct be32 address;
    struct ethernet_address hardware;
    uint8_t state; /* enum neighbour_state */
    uint8_t probes;
    bool was_used;
    uint64_t used_ns;
    uint64_t confirmed_ns;
    uint64_t changed_ns;
    struct timer timer;
    struct packet_queue queue;
};

static struct {
    struct neighbour entries[NEIGHBOUR_MAX];
    struct neighbour *buckets[NEIGHBOUR_BUCKETS];
    struct neighbour *free;
    struct neighbour *oldest;
    struct neighbour *newest;
    struct neighbour *last; /* most traffic goes to one gateway */
    struct hash_key key;
    size_t count;
    size_t incomplete;
    size_t queued;
    size_t queued_limit;
    /* Told to be unreachable in a moment: not from inside neighbour_send,
     * whose caller may be the very transport that must hear it. */
    struct packet_queue refused;
    struct timer refused_timer;
    void (*unreachable)(struct packet *packet, uint64_t now_ns);
} table;

struct neighbour_counters neighbour_counters;

static void neighbour_expire(struct timer *timer, uint64_t now_ns);

static void refused_expire(struct timer *timer, uint64_t now_ns)
{
    struct packet_queue waiting = table.refused;
    struct packet *packet;

    (void)timer;
    table.refused = (struct packet_queue){0};
    while ((packet = packet_queue_take(&waiting)) != NULL)
        table.unreachable(packet, now_ns);
}

static void refuse(struct packet *packet, uint64_t now_ns)
{
    if (table.refused.count >= NEIGHBOUR_QUEUE_MAX) {
        packet_drop(packet, DROP_NEIGHBOUR_FAILED);
        return;
    }
    packet_queue_append(&table.refused, packet);
    if (!timer_is_set(&table.refused_timer))
        timer_set(&table.refused_timer, now_ns);
}

void neighbour_init(void (*unreachable)(struct packet *packet, uint64_t now_ns))
{
    size_t limit = buffer_count_total() / NEIGHBOUR_QUEUED_POOL_DIVISOR;

    memset(&table, 0, sizeof(table));
    memset(&neighbour_counters, 0, sizeof(neighbour_counters));
    for (size_t i = NEIGHBOUR_MAX; i > 0; i--) {
        table.entries[i - 1].bucket_next = table.free;
        table.entries[i - 1].timer.expire = neighbour_expire;
        table.free = &table.entries[i - 1];
    }
    table.refused_timer.expire = refused_expire;
    hash_key_generate(&table.key);
    table.queued_limit =
        limit < NEIGHBOUR_QUEUED_TOTAL_MAX ? limit : NEIGHBOUR_QUEUED_TOTAL_MAX;
    table.unreachable = unreachable;
}

/* ---- the table ---------------------------------------------------------- */

static struct neighbour **bucket_of(const struct netif *netif,
                                    struct be32 address)
{
    uint64_t word = (uint64_t)netif->index << 32 | be32_get(address);

    return &table.buckets[hash_words(&table.key, &word, 1) % NEIGHBOUR_BUCKETS];
}

static struct neighbour *find(const struct netif *netif, struct be32 address)
{
    struct neighbour *n = table.last;

    if (n != NULL && n->netif == netif && be32_equal(n->address, address))
        return n;
    for (n = *bucket_of(netif, address); n != NULL; n = n->bucket_next) {
        if (n->netif == netif && be32_equal(n->address, address)) {
            table.last = n;
            return n;
        }
    }
    return NULL;
}

static void list_remove(struct neighbour *n)
{
    if (n->older != NULL)
        n->older->newer = n->newer;
    else
        table.oldest = n->newer;
    if (n->newer != NULL)
        n->newer->older = n->older;
    else
        table.newest = n->older;
}

static void list_add_newest(struct neighbour *n)
{
    n->newer = NULL;
    n->older = table.newest;
    if (table.newest != NULL)
        table.newest->newer = n;
    else
        table.oldest = n;
    table.newest = n;
}

static void list_add_oldest(struct neighbour *n)
{
    n->older = NULL;
    n->newer = table.oldest;
    if (table.oldest != NULL)
        table.oldest->older = n;
    else
        table.newest = n;
    table.oldest = n;
}

static void set_state(struct neighbour *n, enum neighbour_state state)
{
    if (n->state == NEIGHBOUR_INCOMPLETE)
        table.incomplete--;
    if (state == NEIGHBOUR_INCOMPLETE)
        table.incomplete++;
    n->state = (uint8_t)state;
    n->probes = 0;
}

static struct packet *take_queued(struct neighbour *n)
{
    struct packet *packet = packet_queue_take(&n->queue);

    if (packet != NULL)
        table.queued--;
    return packet;
}

static void remove_entry(struct neighbour *n)
{
    struct neighbour **link = bucket_of(n->netif, n->address);
    struct packet *packet;

    while (*link != n)
        link = &(*link)->bucket_next;
    *link = n->bucket_next;
    list_remove(n);
    timer_cancel(&n->timer);
    while ((packet = take_queued(n)) != NULL)
        packet_drop(packet, DROP_NEIGHBOUR_FAILED);
    set_state(n, NEIGHBOUR_FREE);
    if (table.last == n)
        table.last = NULL;
    n->bucket_next = table.free;
    table.free = n;
    table.count--;
}

static bool is_replaceable(const struct neighbour *n, uint64_t now_ns)
{
    if (n->queue.count != 0 || n->state == NEIGHBOUR_INCOMPLETE)
        return false;
    return !n->was_used || n->state == NEIGHBOUR_FAILED ||
           now_ns - n->used_ns > NEIGHBOUR_IN_USE_NS;
}

/* Makes room. Looks at a bounded number of entries; those in use go to the
 * far end of the list, so that the next call finds others. */
static bool replace_one(uint64_t now_ns)
{
    for (size_t i = 0; i < NEIGHBOUR_VICTIMS_MAX; i++) {
        struct neighbour *n = table.oldest;

        if (n == NULL)
            return false;
        if (is_replaceable(n, now_ns)) {
            neighbour_counters.replaced++;
            remove_entry(n);
            return true;
        }
        list_remove(n);
        list_add_newest(n);
    }
    return false;
}

static struct neighbour *create(struct netif *netif, struct be32 address,
                                bool for_us, uint64_t now_ns)
{
    struct neighbour **bucket;
    struct neighbour *n;

    if ((for_us && table.incomplete >= NEIGHBOUR_INCOMPLETE_MAX) ||
        (table.free == NULL && !replace_one(now_ns))) {
        neighbour_counters.refused++;
        return NULL;
    }
    n = table.free;
    table.free = n->bucket_next;
    bucket = bucket_of(netif, address);
    n->bucket_next = *bucket;
    *bucket = n;
    n->netif = netif;
    n->address = address;
    n->was_used = for_us;
    n->used_ns = now_ns;
    n->confirmed_ns = 0;
    n->changed_ns = 0;
    n->queue = (struct packet_queue){0};
    if (for_us)
        list_add_newest(n);
    else
        list_add_oldest(n);
    table.count++;
    neighbour_counters.created++;
    return n;
}

/* ---- states -------------------------------------------------------------- */

static void ask(struct neighbour *n, bool by_broadcast, uint64_t now_ns)
{
    n->probes++;
    arp_send_request(n->netif, n->address,
                     by_broadcast ? &ethernet_broadcast : &n->hardware);
    timer_set(&n->timer, now_ns + NEIGHBOUR_RETRANSMIT_NS);
}

static void fail(struct neighbour *n, uint64_t now_ns)
{
    struct packet_queue waiting = n->queue;
    struct packet *packet;

    neighbour_counters.failed++;
    table.queued -= waiting.count;
    n->queue = (struct packet_queue){0};
    set_state(n, NEIGHBOUR_FAILED);
    timer_set(&n->timer, now_ns + NEIGHBOUR_FAILED_NS);
    while ((packet = packet_queue_take(&waiting)) != NULL)
        table.unreachable(packet, now_ns);
}

static void neighbour_expire(struct timer *timer, uint64_t now_ns)
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
        set_state(n, NEIGHBOUR_PROBE);
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
        remove_entry(n);
        return;
    case NEIGHBOUR_FREE:
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_STALE:
        return;
    }
}

static void send_to(struct neighbour *n, struct packet *packet)
{
    ethernet_send(n->netif, packet, &n->hardware, ETHERNET_TYPE_IPV4);
}

/* The packet waits; the oldest ones make room. */
static void queue(struct neighbour *n, struct packet *packet)
{
    if (n->queue.count >= NEIGHBOUR_QUEUE_MAX) {
        neighbour_counters.queue_dropped++;
        packet_drop(take_queued(n), DROP_NEIGHBOUR_QUEUE_FULL);
    }
    if (table.queued >= table.queued_limit) {
        neighbour_counters.queue_dropped++;
        packet_drop(packet, DROP_NEIGHBOUR_QUEUE_FULL);
        return;
    }
    packet_queue_append(&n->queue, packet);
    table.queued++;
}

static void mark_used(struct neighbour *n, uint64_t now_ns)
{
    n->used_ns = now_ns;
    if (n->was_used)
        return;
    n->was_used = true;
    list_remove(n);
    list_add_newest(n);
}

void neighbour_send(struct netif *netif, struct be32 next_hop,
                    struct packet *packet, uint64_t now_ns)
{
    struct neighbour *n = find(netif, next_hop);

    if (!netif->link_up) { /* nobody can be asked */
        packet_drop(packet, DROP_LINK_DOWN);
        return;
    }
    if (n == NULL) {
        n = create(netif, next_hop, true, now_ns);
        if (n == NULL) {
            packet_drop(packet, DROP_NEIGHBOUR_QUEUE_FULL);
            return;
        }
        set_state(n, NEIGHBOUR_INCOMPLETE);
        queue(n, packet);
        ask(n, true, now_ns);
        return;
    }
    mark_used(n, now_ns);
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
        queue(n, packet);
        return;
    case NEIGHBOUR_FAILED:
        refuse(packet, now_ns);
        return;
    case NEIGHBOUR_REACHABLE:
        if (now_ns - n->confirmed_ns <= NEIGHBOUR_REACHABLE_NS)
            break;
        /* fall through */
    case NEIGHBOUR_STALE:
        set_state(n, NEIGHBOUR_DELAY);
        timer_set(&n->timer, now_ns + NEIGHBOUR_DELAY_NS);
        break;
    case NEIGHBOUR_FREE:
    case NEIGHBOUR_DELAY:
    case NEIGHBOUR_PROBE:
        break;
    }
    send_to(n, packet);
}

/* ---- what is heard --------------------------------------------------------
 */

static void confirm(struct neighbour *n, uint64_t now_ns)
{
    n->confirmed_ns = now_ns;
    if (n->state == NEIGHBOUR_REACHABLE)
        return;
    set_state(n, NEIGHBOUR_REACHABLE);
    timer_cancel(&n->timer);
}

/* Takes over the hardware address; false when it is too early to believe in
 * a change. */
static bool take_hardware(struct neighbour *n,
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
    n->changed_ns = now_ns;
    return true;
}

void neighbour_hear(struct netif *netif, struct be32 address,
                    const struct ethernet_address *hardware,
                    enum neighbour_news news, uint64_t now_ns)
{
    struct neighbour *n = find(netif, address);
    struct packet_queue waiting;
    struct packet *packet;
    struct ethernet_address before;

    if (n == NULL && news == NEIGHBOUR_ASKED_US)
        n = create(netif, address, false, now_ns);
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
        set_state(n, NEIGHBOUR_STALE);
    }
    waiting = n->queue;
    table.queued -= waiting.count;
    n->queue = (struct packet_queue){0};
    while ((packet = packet_queue_take(&waiting)) != NULL)
        send_to(n, packet);
}

void neighbour_confirm(struct netif *netif, struct be32 address,
                       uint64_t now_ns)
{
    struct neighbour *n = find(netif, address);

    if (n != NULL && n->state != NEIGHBOUR_INCOMPLETE &&
        n->state != NEIGHBOUR_FAILED)
        confirm(n, now_ns);
}

void neighbour_flush(struct netif *netif)
{
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++)
        if (table.entries[i].state != NEIGHBOUR_FREE &&
            table.entries[i].netif == netif)
            remove_entry(&table.entries[i]);
}

size_t neighbour_count(void)
{
    return table.count;
}

enum neighbour_state neighbour_state(const struct netif *netif,
                                     struct be32 address)
{
    const struct neighbour *n = find(netif, address);

    return n == NULL ? NEIGHBOUR_FREE : (enum neighbour_state)n->state;
}

void neighbour_visit_all(void (*visit)(void *context,
                                       const struct neighbour_view *view),
                         void *context)
{
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++) {
        const struct neighbour *n = &table.entries[i];
        const struct neighbour_view view = {n->netif, n->address, &n->hardware,
                                            n->state};

        if (n->state != NEIGHBOUR_FREE)
            visit(context, &view);
    }
}
