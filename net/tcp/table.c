/* SPDX-License-Identifier: MIT */
/*
 * Chained, with at most two nodes per chain on average, when all objects that
 * can exist do, for which it is sized once. The key is random, so that a peer
 * cannot choose ports that fall into one chain.
 */
#include "net/tcp/table.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "net/hash.h"
#include "net/ip/flow.h"
#include "net/platform.h"

static struct {
    struct tcp_node **chains;
    size_t mask;
    struct hash_key key;
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
    return 0;
}

static struct tcp_node **table_chain(const struct tcp_tuple *tuple)
{
    uint64_t hash = ip_flow_hash(&table.key, &tuple->local, tuple->local_port,
                                 &tuple->remote, tuple->remote_port);

    return &table.chains[hash & table.mask];
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
    return chain_find(*table_chain(tuple), tuple);
}

void table_insert(struct tcp_node *node)
{
    struct tcp_node **chain = table_chain(&node->tuple);

    ASSERT(chain_find(*chain, &node->tuple) == NULL);
    node->next = *chain;
    *chain = node;
}

static struct tcp_node **link_of(struct tcp_node *node)
{
    struct tcp_node **link = table_chain(&node->tuple);

    while (*link != node) {
        ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    return link;
}

void table_remove(struct tcp_node *node)
{
    *link_of(node) = node->next;
    node->next = NULL;
}

void table_replace(struct tcp_node *old, struct tcp_node *node)
{
    ASSERT(tuple_equal(&old->tuple, &node->tuple));
    *link_of(old) = node;
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
