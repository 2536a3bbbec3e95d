/* SPDX-License-Identifier: MIT */
/*
 * Chained, with at most one node per chain on average: it is sized once, for
 * all objects that can exist. The key is random, so that a peer cannot choose
 * ports that fall into one chain.
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

    while (count < nodes)
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

struct tcp_node *table_find(const struct tcp_tuple *tuple)
{
    struct tcp_node *node = *table_chain(tuple);

    while (node != NULL && !tuple_equal(&node->tuple, tuple))
        node = node->next;
    return node;
}

void table_insert(struct tcp_node *node)
{
    struct tcp_node **chain = table_chain(&node->tuple);

    ASSERT(table_find(&node->tuple) == NULL);
    node->next = *chain;
    *chain = node;
}

void table_remove(struct tcp_node *node)
{
    struct tcp_node **link = table_chain(&node->tuple);

    while (*link != node) {
        ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
}
