/* SPDX-License-Identifier: MIT */
/*
 * Chained, with at most two nodes per chain on average, when all objects that
 * can exist do, for which it is sized once. The key is random, so that a peer
 * cannot choose ports that fall into one chain. Before the hash is computed,
 * the node found last in the same place is tried: of a connection that is in
 * use, its own. With it stands its chain, for when it leaves. Beside each chain
 * stands what its nodes have in common with others, in one byte: who is looked
 * for in vain is mostly missed without a look at nodes that wait elsewhere, in
 * memory nobody used for a minute.
 */
#include "net/tcp/table.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "net/attributes.h"
#include "net/hash.h"
#include "net/ip/flow.h"
#include "net/limits.h"
#include "net/platform.h"

struct table_found table_found[TCP_TABLE_FOUND];

static struct {
    struct tcp_node **chains;
    uint8_t *marks; /* one a chain: a bit for every node in it, see mark() */
    size_t mask;
    struct hash_key key;
    struct tcp_tuple missed; /* what was looked for in vain lately... */
    uint64_t missed_hash;    /* ...is likely to be inserted */
    bool has_missed;
} table;

COLD int table_init(size_t nodes)
{
    size_t count = 1;

    while (count <= nodes / 2)
        count *= 2;
    table.chains =
        platform_memory(count * sizeof(*table.chains), sizeof(void *));
    table.marks = platform_memory(count, 1);
    if (table.chains == NULL || table.marks == NULL)
        return -ENOMEM;
    table.mask = count - 1;
    hash_key_generate(&table.key);
    memset(table_found, 0, sizeof(table_found));
    table.has_missed = false;
    return 0;
}

static uint64_t table_hash(const struct tcp_tuple *tuple)
{
    return ip_flow_hash(&table.key, &tuple->local, tuple->local_port,
                        &tuple->remote, tuple->remote_port);
}

static struct tcp_node **table_chain(uint64_t hash)
{
    return &table.chains[hash & table.mask];
}

/* The bit of a hash in its chain's byte. A node that leaves lets its bit
 * stand, for it may be another's, too; the last one clears them all. */
static uint8_t mark(uint64_t hash)
{
    return (uint8_t)(1U << (hash >> 61));
}

/* Both, in one look. */
static inline uint32_t ports_of(const struct tcp_tuple *tuple)
{
    uint32_t ports;

    memcpy(&ports, (const char *)tuple + offsetof(struct tcp_tuple, local_port),
           sizeof(ports));
    return ports;
}

static struct table_found *found_place(const struct tcp_tuple *tuple)
{
    return table_place(ports_of(tuple), tuple->remote.ipv4.octet[3]);
}

static bool tuple_equal(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
    return ports_of(a) == ports_of(b) &&
           ip_address_equal(&a->remote, &b->remote) &&
           ip_address_equal(&a->local, &b->local);
}

static void found_set(struct tcp_node *node, uint64_t hash)
{
    *found_place(&node->tuple) = (struct table_found){
        node, ports_of(&node->tuple), (uint32_t)(hash & table.mask)};
}

static struct tcp_node *chain_find(uint64_t hash, const struct tcp_tuple *tuple)
{
    struct tcp_node *node;

    if ((table.marks[hash & table.mask] & mark(hash)) == 0)
        return NULL;
    node = *table_chain(hash);
    while (node != NULL && !tuple_equal(&node->tuple, tuple))
        node = node->next;
    return node;
}

struct tcp_node *table_find(const struct tcp_tuple *tuple)
{
    uint64_t hash = table_hash(tuple);
    struct tcp_node *node = chain_find(hash, tuple);

    if (node != NULL) {
        found_set(node, hash);
    } else {
        __builtin_prefetch(table_chain(hash), 1);
        table.missed = *tuple;
        table.missed_hash = hash;
        table.has_missed = true;
    }
    return node;
}

uint64_t table_hash_of(const struct tcp_tuple *tuple)
{
    return table.has_missed && tuple_equal(&table.missed, tuple)
               ? table.missed_hash
               : table_hash(tuple);
}

void table_insert(struct tcp_node *node)
{
    uint64_t hash = table_hash_of(&node->tuple);

    ASSERT(chain_find(hash, &node->tuple) == NULL);
    struct tcp_node **chain = table_chain(hash);
    node->next = *chain;
    *chain = node;
    table.marks[hash & table.mask] |= mark(hash);
    found_set(node, hash);
}

/* Makes what points at a node point at another. */
static void relink(struct tcp_node **link, const struct tcp_node *node,
                   struct tcp_node *other)
{
    while (*link != node) {
        ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = other;
}

/* The chain of a node, which is `found` no longer: `other` is, or nothing. */
static struct tcp_node **chain_of(const struct tcp_node *node,
                                  struct tcp_node *other)
{
    struct table_found *found = found_place(&node->tuple);

    if (found->node != node)
        return table_chain(table_hash(&node->tuple));
    found->node = other;
    return &table.chains[found->chain];
}

static void leave(struct tcp_node **chain, struct tcp_node *node)
{
    relink(chain, node, node->next);
    node->next = NULL;
    if (*chain == NULL)
        table.marks[chain - table.chains] = 0;
}

void table_remove(struct tcp_node *node)
{
    leave(chain_of(node, NULL), node);
}

void table_replace(struct tcp_node *old, struct tcp_node *node)
{
    ASSERT(tuple_equal(&old->tuple, &node->tuple));
    node->next = old->next;
    relink(chain_of(old, node), old, node);
    old->next = NULL;
}

struct tcp_node **table_prefetch(const struct tcp_node *node)
{
    const struct table_found *found = found_place(&node->tuple);
    struct tcp_node **chain = found->node == node
                                  ? &table.chains[found->chain]
                                  : table_chain(table_hash(&node->tuple));

    __builtin_prefetch(chain, 1);
    __builtin_prefetch(&table.marks[chain - table.chains], 1);
    return chain;
}

void table_remove_from(struct tcp_node **chain, struct tcp_node *node)
{
    struct table_found *found = found_place(&node->tuple);

    if (found->node == node)
        found->node = NULL;
    leave(chain, node);
}

COLD size_t table_chain_longest(void)
{
    size_t longest = 0;

    for (size_t i = 0; i <= table.mask; i++) {
        size_t length = 0;
        for (const struct tcp_node *node = table.chains[i]; node != NULL;
             node = node->next)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}
