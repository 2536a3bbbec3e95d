/* SPDX-License-Identifier: MIT */
/*
 * Chained, with at most two nodes per chain on average, when all objects that
 * can exist do, for which it is sized once. The key is random, so that a peer
 * cannot choose ports that fall into one chain. Before the hash is computed,
 * the node found last in the same place is tried: of a connection that is in
 * use, its own. With it stands its chain, for when it leaves.
 */
#include "net/tcp/table.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "net/hash.h"
#include "net/ip/flow.h"
#include "net/limits.h"
#include "net/platform.h"

struct found {
    struct tcp_node *node; /* NULL: none */
    struct tcp_node **chain;
};

static struct {
    struct tcp_node **chains;
    size_t mask;
    struct hash_key key;
    struct tcp_tuple missed;        /* what was looked for in vain lately... */
    struct tcp_node **missed_chain; /* ...is likely to be inserted */
    struct found found[TCP_TABLE_FOUND];
} table;

int table_init(size_t nodes)
{
    size_t count = 1;

    while (count <= nodes / 2)
        count *= 2;
    table.chains =
        platform_memory(count * sizeof(*table.chains), sizeof(void *));
    if (table.chains == NULL)
        return -ENOMEM;
    table.mask = count - 1;
    hash_key_generate(&table.key);
    memset(table.found, 0, sizeof(table.found));
    table.missed_chain = NULL;
    return 0;
}

static struct tcp_node **table_chain(const struct tcp_tuple *tuple)
{
    uint64_t hash = ip_flow_hash(&table.key, &tuple->local, tuple->local_port,
                                 &tuple->remote, tuple->remote_port);

    return &table.chains[hash & table.mask];
}

/* The place of a tuple among those found lately. Who picks ports that share
 * one loses no more than the shortcut. */
static struct found *found_place(const struct tcp_tuple *tuple)
{
    uint32_t mix = tuple->remote_port ^ (uint32_t)tuple->local_port << 4 ^
                   tuple->remote.octet[15];

    return &table.found[mix % TCP_TABLE_FOUND];
}

static bool tuple_equal(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
    return a->remote_port == b->remote_port && a->local_port == b->local_port &&
           ip_address_equal(&a->remote, &b->remote) &&
           ip_address_equal(&a->local, &b->local);
}

static struct tcp_node *chain_find(struct tcp_node *node,
                                   const struct tcp_tuple *tuple)
{
    while (node != NULL && !tuple_equal(&node->tuple, tuple))
        node = node->next;
    return node;
}

struct tcp_node *table_find(const struct tcp_tuple *tuple)
{
    struct found *found = found_place(tuple);

    if (found->node != NULL && tuple_equal(&found->node->tuple, tuple))
        return found->node;
    struct tcp_node **chain = table_chain(tuple);
    struct tcp_node *node = chain_find(*chain, tuple);
    if (node != NULL) {
        *found = (struct found){node, chain};
    } else {
        table.missed = *tuple;
        table.missed_chain = chain;
    }
    return node;
}

void table_insert(struct tcp_node *node)
{
    struct tcp_node **chain = table.missed_chain;

    if (chain == NULL || !tuple_equal(&table.missed, &node->tuple))
        chain = table_chain(&node->tuple);
    ASSERT(chain_find(*chain, &node->tuple) == NULL);
    node->next = *chain;
    *chain = node;
    *found_place(&node->tuple) = (struct found){node, chain};
}

/* What points at the node, which is `found` no longer: `other` is, or
 * nothing (NULL). */
static struct tcp_node **unlink_of(struct tcp_node *node,
                                   struct tcp_node *other)
{
    struct found *found = found_place(&node->tuple);
    struct tcp_node **link;

    if (found->node == node) {
        link = found->chain;
        found->node = other;
    } else {
        link = table_chain(&node->tuple);
    }
    while (*link != node) {
        ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    return link;
}

void table_remove(struct tcp_node *node)
{
    *unlink_of(node, NULL) = node->next;
    node->next = NULL;
}

void table_replace(struct tcp_node *old, struct tcp_node *node)
{
    ASSERT(tuple_equal(&old->tuple, &node->tuple));
    *unlink_of(old, node) = node;
    node->next = old->next;
    old->next = NULL;
}

size_t table_chain_longest(void)
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
