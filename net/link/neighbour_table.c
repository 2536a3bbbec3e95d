/* SPDX-License-Identifier: MIT */
/*
 * The neighbour table: hashed by a keyed hash, and bounded. One list in the
 * order in which entries may be replaced: what a peer made us enter and was
 * never used comes first, then by last use. Entries in use are never replaced.
 */
#include "net/link/neighbour_table.h"

struct neighbours neighbours;
struct neighbour_counters neighbour_counters;

static struct neighbour **bucket_of(const struct netif *netif,
                                    struct be32 address)
{
    uint64_t word = (uint64_t)netif->index << 32 | be32_get(address);

    return &neighbours.buckets[hash_words(&neighbours.key, &word, 1) %
                               NEIGHBOUR_BUCKETS];
}

struct neighbour *neighbour_find(const struct netif *netif, struct be32 address)
{
    struct neighbour **recent = neighbour_recent(netif, address);
    struct neighbour *n = *recent;

    if (n != NULL && neighbour_is(n, netif, address))
        return n;
    for (n = *bucket_of(netif, address); n != NULL; n = n->bucket_next) {
        if (neighbour_is(n, netif, address)) {
            *recent = n;
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
        neighbours.oldest = n->newer;
    if (n->newer != NULL)
        n->newer->older = n->older;
    else
        neighbours.newest = n->older;
}

static void list_add_newest(struct neighbour *n)
{
    n->newer = NULL;
    n->older = neighbours.newest;
    if (neighbours.newest != NULL)
        neighbours.newest->newer = n;
    else
        neighbours.oldest = n;
    neighbours.newest = n;
}

static void list_add_oldest(struct neighbour *n)
{
    n->older = NULL;
    n->newer = neighbours.oldest;
    if (neighbours.oldest != NULL)
        neighbours.oldest->older = n;
    else
        neighbours.newest = n;
    neighbours.oldest = n;
}

void neighbour_make_newest(struct neighbour *n)
{
    list_remove(n);
    list_add_newest(n);
}

void neighbour_set_state(struct neighbour *n, enum neighbour_state state)
{
    if (n->state == NEIGHBOUR_INCOMPLETE)
        neighbours.incomplete--;
    if (state == NEIGHBOUR_INCOMPLETE)
        neighbours.incomplete++;
    n->state = (uint8_t)state;
    n->probes = 0;
}

struct packet *neighbour_take_queued(struct neighbour *n)
{
    struct packet *packet = packet_queue_take(&n->queue);

    if (packet != NULL)
        neighbours.queued--;
    return packet;
}

void neighbour_remove(struct neighbour *n)
{
    struct neighbour **link = bucket_of(n->netif, n->address);
    struct packet *packet;

    while (*link != n)
        link = &(*link)->bucket_next;
    *link = n->bucket_next;
    list_remove(n);
    timer_cancel(&n->timer);
    while ((packet = neighbour_take_queued(n)) != NULL)
        packet_drop(packet, DROP_NEIGHBOUR_FAILED);
    neighbour_set_state(n, NEIGHBOUR_FREE);
    if (*neighbour_recent(n->netif, n->address) == n)
        *neighbour_recent(n->netif, n->address) = NULL;
    n->bucket_next = neighbours.free;
    neighbours.free = n;
    neighbours.count--;
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
        struct neighbour *n = neighbours.oldest;

        if (n == NULL)
            return false;
        if (is_replaceable(n, now_ns)) {
            neighbour_counters.replaced++;
            neighbour_remove(n);
            return true;
        }
        neighbour_make_newest(n);
    }
    return false;
}

struct neighbour *neighbour_create(struct netif *netif, struct be32 address,
                                   bool for_us, uint64_t now_ns)
{
    struct neighbour **bucket;
    struct neighbour *n;

    if ((for_us && neighbours.incomplete >= NEIGHBOUR_INCOMPLETE_MAX) ||
        (neighbours.free == NULL && !replace_one(now_ns))) {
        neighbour_counters.refused++;
        return NULL;
    }
    n = neighbours.free;
    neighbours.free = n->bucket_next;
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
    neighbours.count++;
    neighbour_counters.created++;
    return n;
}

size_t neighbour_count(void)
{
    return neighbours.count;
}

enum neighbour_state neighbour_state(const struct netif *netif,
                                     struct be32 address)
{
    const struct neighbour *n = neighbour_find(netif, address);

    return n == NULL ? NEIGHBOUR_FREE : (enum neighbour_state)n->state;
}

void neighbour_visit_all(void (*visit)(void *context,
                                       const struct neighbour_view *view),
                         void *context)
{
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++) {
        const struct neighbour *n = &neighbours.entries[i];
        const struct neighbour_view view = {n->netif, n->address, &n->hardware,
                                            n->state};

        if (n->state != NEIGHBOUR_FREE)
            visit(context, &view);
    }
}
