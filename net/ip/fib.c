/* SPDX-License-Identifier: MIT */
/*
 * Longest-prefix match in the manner of DXR (Zec, Rizzo, Mikuc 2012): the
 * upper 16 bits of an address choose a chunk, which is either one set of paths
 * or a sorted array of ranges, searched by halves. A chunk with many ranges
 * has them indexed by the third octet, so that no search takes more than
 * eight steps. The prefixes themselves are kept apart (hashed, and chained per
 * chunk); a change only marks the chunks it touches, and the next lookup in
 * one builds its ranges anew.
 */
#include "net/ip/fib.h"

#include "net/ip/fib_set.h"
#include "net/ip/fib_table.h"
#include "net/limits.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct fib *fib;

COLD int fib_init(void)
{
    size_t capacity =
        platform_memory_size() / FIB_MEMORY_DIVISOR / FIB_BYTES_PER_ROUTE;
    uint32_t buckets = 1;

    if (capacity > FIB_ROUTES_MAX)
        capacity = FIB_ROUTES_MAX;
    if (capacity < FIB_ROUTES_MIN)
        capacity = FIB_ROUTES_MIN;
    while (buckets < capacity)
        buckets *= 2;
    fib = platform_memory(sizeof(*fib), 64);
    if (fib == NULL)
        return -ENOMEM;
    fib->capacity = (uint32_t)capacity;
    fib->word_count =
        (uint32_t)(FIB_WORDS_PER_ROUTE * capacity + BUILD_SLACK_WORDS + 1);
    fib->buckets = platform_memory(buckets * sizeof(uint32_t), 64);
    fib->bucket_mask = buckets - 1;
    fib->routes = platform_memory_untouched(
        (capacity + 1) * sizeof(struct fib_route), 64);
    fib->order = platform_memory_untouched(capacity * sizeof(uint32_t), 64);
    fib->words =
        platform_memory_untouched(fib->word_count * sizeof(uint32_t), 64);
    if (fib->buckets == NULL || fib->routes == NULL || fib->order == NULL ||
        fib->words == NULL)
        return -ENOMEM;
    fib->words[0] = 0;
    fib->words[1] = SET_STALE;
    fib->words_used = FIB_WORDS_FIRST;
    fib->high = 1;
    fib_sets_init();
    return 0;
}

size_t fib_capacity(void)
{
    return fib->capacity;
}

static size_t fib_count(void)
{
    return fib->count;
}

/* ---- the prefixes --------------------------------------------------------
 */

static uint32_t *bucket_of(uint32_t address, unsigned length)
{
    uint64_t mixed = ((uint64_t)address << 6 | length) * FIB_HASH_FACTOR;

    return &fib->buckets[(uint32_t)(mixed >> 32) & fib->bucket_mask];
}

COLD uint32_t fib_find_prefix(uint32_t address, unsigned length)
{
    uint32_t i = *bucket_of(address, length);

    while (i != NOWHERE && (fib->routes[i].address != address ||
                            fib->routes[i].length != length))
        i = fib->routes[i].hash_next;
    return i;
}

static COLD void chain(uint32_t i)
{
    struct fib_route *route = &fib->routes[i];
    uint32_t *first = &fib->chunk_first[route->address >> CHUNK_BITS];

    route->chunk_next = *first;
    route->chunk_previous = NOWHERE;
    if (*first != NOWHERE)
        fib->routes[*first].chunk_previous = i;
    *first = i;
}

static COLD void unchain(uint32_t i)
{
    const struct fib_route *route = &fib->routes[i];

    if (route->chunk_previous != NOWHERE)
        fib->routes[route->chunk_previous].chunk_next = route->chunk_next;
    else
        fib->chunk_first[route->address >> CHUNK_BITS] = route->chunk_next;
    if (route->chunk_next != NOWHERE)
        fib->routes[route->chunk_next].chunk_previous = route->chunk_previous;
}

static COLD void mark_stale(const struct fib_route *route)
{
    uint32_t first = route->address >> CHUNK_BITS;
    uint32_t count =
        route->length < CHUNK_BITS ? 1U << (CHUNK_BITS - route->length) : 1;

    memset(&fib->direct[first], 0, count * sizeof(fib->direct[0]));
}

static COLD uint32_t create(uint32_t address, unsigned length, uint16_t set)
{
    uint32_t *bucket = bucket_of(address, length);
    uint32_t i = fib->free;

    if (i != NOWHERE)
        fib->free = fib->routes[i].hash_next;
    else if (fib->high <= fib->capacity)
        i = fib->high++;
    else
        return NOWHERE;
    fib->routes[i] = (struct fib_route){.address = address,
                                        .hash_next = *bucket,
                                        .set = set,
                                        .length = (uint8_t)length};
    *bucket = i;
    if (length > CHUNK_BITS)
        chain(i);
    fib->count++;
    return i;
}

static COLD void destroy(uint32_t i)
{
    struct fib_route *route = &fib->routes[i];
    uint32_t *link = bucket_of(route->address, route->length);

    while (*link != i)
        link = &fib->routes[*link].hash_next;
    *link = route->hash_next;
    if (route->length > CHUNK_BITS)
        unchain(i);
    mark_stale(route);
    route->set = FIB_SET_NONE;
    route->hash_next = fib->free;
    fib->free = i;
    fib->count--;
}

static COLD int fib_add(struct ip_prefix prefix, const struct ip_path *path,
                        uint32_t metric)
{
    uint32_t address = prefix.address & be32_get(ipv4_netmask(prefix.length));
    uint32_t i = fib_find_prefix(address, prefix.length);
    uint16_t before = i == NOWHERE ? FIB_SET_NONE : fib->routes[i].set;
    uint16_t set;
    int status = fib_set_with(before, path, metric, &set);

    if (status != 0)
        return status;
    if (i == NOWHERE)
        i = create(address, prefix.length, set);
    if (i == NOWHERE) {
        fib_set_release(set);
        return -ENOSPC;
    }
    fib->routes[i].set = set;
    fib_set_release(before);
    mark_stale(&fib->routes[i]);
    return 0;
}

static COLD void fib_remove_of_netif(const struct netif *netif,
                                     unsigned longest)
{
    for (uint32_t i = 1; i < fib->high; i++) {
        uint16_t before = fib->routes[i].set;
        uint16_t set;

        if (before == FIB_SET_NONE || fib->routes[i].length > longest ||
            !fib_set_uses(before, netif))
            continue;
        fib_set_release(before); /* its place may be taken at once */
        set = fib_set_without(before, netif);
        if (set == FIB_SET_NONE) {
            destroy(i);
            continue;
        }
        fib->routes[i].set = set;
        mark_stale(&fib->routes[i]);
    }
}

static COLD void fib_visit(ip_route_visit *visit, void *context)
{
    for (uint32_t i = 1; i < fib->high; i++) {
        const struct fib_route *route = &fib->routes[i];
        const struct fib_set *set = &fib_sets[route->set];
        struct ip_prefix prefix = {route->address, route->length};

        for (size_t j = 0; j < set->count; j++)
            visit(context, prefix, &set->paths[j].path, set->paths[j].metric);
    }
}

/* ---- lookup --------------------------------------------------------------
 */

static NOINLINE const struct ip_path *find_choice(const struct fib_set *set,
                                                  uint32_t destination,
                                                  struct be32 source,
                                                  const struct packet *packet)
{
    return set->active == 0 ? NULL
                            : fib_set_choose(set, destination, source, packet);
}

static const struct ip_path *fib_find(uint32_t destination, struct be32 source,
                                      const struct packet *packet);

static COLD NOINLINE const struct ip_path *
find_anew(uint32_t destination, struct be32 source, const struct packet *packet)
{
    fib_build(destination >> CHUNK_BITS);
    return fib_find(destination, source, packet);
}

static const struct ip_path *fib_find(uint32_t destination, struct be32 source,
                                      const struct packet *packet)
{
    uint32_t number = fib_look(destination);
    const struct fib_set *set;

    if (number == SET_STALE)
        return find_anew(destination, source, packet);
    set = &fib_sets[number & ~SET_SPECIAL];
    return set->active == 1 ? &set->paths[0].path
                            : find_choice(set, destination, source, packet);
}

static COLD void fib_addresses_changed(void)
{
    memset(fib->direct, 0, sizeof(fib->direct));
}

const struct ip_route_table fib_table = {
    .find = fib_find,
    .add = fib_add,
    .remove_of_netif = fib_remove_of_netif,
    .count = fib_count,
    .visit = fib_visit,
    .addresses_changed = fib_addresses_changed,
};
