/* SPDX-License-Identifier: MIT */
/*
 * Sets of paths, and the choice among equal ones (RFC 2992: by a hash of the
 * flow, modulo; weights are left out).
 */
#include "net/ip/fib_set.h"

#include "net/hash.h"
#include "net/ip/ip.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct fib_set fib_sets[FIB_SETS_MAX];

static struct hash_key key;
static size_t highest; /* sets beyond were never used */

void fib_sets_init(void)
{
    memset(fib_sets, 0, sizeof(fib_sets));
    hash_key_generate(&key);
    highest = FIB_SET_NONE + 1;
}

static bool is_same_path(const struct ip_path *a, const struct ip_path *b)
{
    return a->netif == b->netif && be32_equal(a->gateway, b->gateway) &&
           a->kind == b->kind;
}

static bool is_same_set(const struct fib_set *a, const struct fib_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->paths[i].metric != b->paths[i].metric ||
            !is_same_path(&a->paths[i].path, &b->paths[i].path))
            return false;
    return true;
}

/* The one that is kept, held; FIB_SET_NONE: no room. */
static uint16_t intern(struct fib_set *set)
{
    size_t place = 0;

    set->active = 0;
    while (set->active < set->count &&
           set->paths[set->active].metric == set->paths[0].metric)
        set->active++;
    for (size_t i = FIB_SET_NONE + 1; i < highest; i++) {
        if (fib_sets[i].references == 0) {
            place = i;
        } else if (is_same_set(&fib_sets[i], set)) {
            fib_sets[i].references++;
            return (uint16_t)i;
        }
    }
    if (place == 0) {
        if (highest == FIB_SETS_MAX)
            return FIB_SET_NONE;
        place = highest++;
    }
    fib_sets[place] = *set;
    fib_sets[place].references = 1;
    return (uint16_t)place;
}

int fib_set_with(uint16_t set, const struct ip_path *path, uint32_t metric,
                 uint16_t *result)
{
    struct fib_set new = fib_sets[set];
    size_t at = new.count;

    for (size_t i = 0; i < new.count; i++)
        if (is_same_path(&new.paths[i].path, path))
            return -EEXIST;
    if (new.count == FIB_PATHS_MAX)
        return -ENOSPC;
    for (; at > 0 && new.paths[at - 1].metric > metric; at--)
        new.paths[at] = new.paths[at - 1];
    new.paths[at] = (struct fib_path){*path, metric};
    new.count++;
    *result = intern(&new);
    return *result == FIB_SET_NONE ? -ENOSPC : 0;
}

/* A smaller set takes the place of the one it came from, if need be. */
uint16_t fib_set_without(uint16_t set, const struct netif *netif)
{
    struct fib_set new = {0};
    uint16_t result;

    for (size_t i = 0; i < fib_sets[set].count; i++)
        if (fib_sets[set].paths[i].path.netif != netif)
            new.paths[new.count++] = fib_sets[set].paths[i];
    if (new.count == 0)
        return FIB_SET_NONE;
    result = intern(&new);
    return result;
}

bool fib_set_uses(uint16_t set, const struct netif *netif)
{
    for (size_t i = 0; i < fib_sets[set].count; i++)
        if (fib_sets[set].paths[i].path.netif == netif)
            return true;
    return false;
}

void fib_set_release(uint16_t set)
{
    if (set != FIB_SET_NONE)
        fib_sets[set].references--;
}

static uint32_t ports_of(const struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;
    size_t length = ipv4_header_length(header);
    uint32_t ports = 0;

    if ((header->protocol == IP_PROTOCOL_TCP ||
         header->protocol == IP_PROTOCOL_UDP) &&
        !ipv4_is_fragment(header) && packet->length >= length + sizeof(ports))
        memcpy(&ports, packet->data + length, sizeof(ports));
    return ports;
}

static uint32_t flow_hash(uint32_t destination, struct be32 source,
                          const struct packet *packet)
{
    uint64_t words[2] = {(uint64_t)destination << 32 | be32_get(source), 0};

    if (packet != NULL) {
        const struct ipv4_header *header = (const void *)packet->data;

        words[0] |= be32_get(header->source);
        words[1] = (uint64_t)header->protocol << 32 | ports_of(packet);
    }
    return (uint32_t)hash_words(&key, words, 2);
}

static bool is_up(const struct ip_path *path)
{
    return path->netif == NULL || path->netif->link_up;
}

const struct ip_path *fib_set_choose(const struct fib_set *set,
                                     uint32_t destination, struct be32 source,
                                     const struct packet *packet)
{
    size_t first;

    if (be32_get(source) != 0)
        for (size_t i = 0; i < set->active; i++)
            if (set->paths[i].path.netif != NULL &&
                be32_equal(set->paths[i].path.netif->ip.address, source))
                return &set->paths[i].path;
    first =
        (uint64_t)flow_hash(destination, source, packet) * set->active >> 32;
    for (size_t i = 0; i < set->active; i++) {
        const struct ip_path *path =
            &set->paths[(first + i) % set->active].path;

        if (is_up(path))
            return path;
    }
    return &set->paths[first].path;
}
