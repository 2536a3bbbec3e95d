/* SPDX-License-Identifier: MIT */
/*
 * The table of everything that has both ends named: connections, half-open
 * ones and those in TIME-WAIT, found in one look by a keyed hash.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/address.h"
#include "net/ip/ip.h"
#include "net/limits.h"

struct tcp_tuple {
    struct ip_address local;
    struct ip_address remote;
    uint16_t local_port;
    uint16_t remote_port;
};

enum tcp_node_kind {
    TCP_NODE_CONNECTION,
    TCP_NODE_HALF_OPEN,
    TCP_NODE_TIME_WAIT,
};

struct tcp_node {
    struct tcp_node *next;
    struct tcp_tuple tuple;
    uint8_t kind;  /* enum tcp_node_kind */
    uint8_t flags; /* the kind's own, as is `value` */
    uint16_t value;
};

_Static_assert(sizeof(struct tcp_node) == 24, "counted in three objects");

/* What was found lately (table.c), by a part of the tuple. */
extern struct table_found {
    struct tcp_node *node; /* NULL: none */
    uint32_t ports;        /* the node's: others need not look at it */
    uint32_t chain;
} table_found[TCP_TABLE_FOUND];

/* The place of a tuple, by both ports (local first, as they lie in one) and the
 * last octet of the remote address. Who picks ports that share one loses no
 * more than the shortcut. */
static inline struct table_found *table_place(uint32_t ports,
                                              uint8_t remote_octet)
{
    uint32_t mix = ports >> 16 ^ ports << 4 ^ remote_octet;

    return &table_found[mix % TCP_TABLE_FOUND];
}

int table_init(size_t nodes) MUST_CHECK;
struct tcp_node *table_find(const struct tcp_tuple *tuple);

/* The same of a received segment, data at its header, and without the hash, if
 * it was found not long ago; NULL tells nothing. */
static inline struct tcp_node *table_find_recent(const struct packet *packet)
{
    const struct ipv4_header *ip = packet_network_header(packet);
    struct be32 wire;

    /* Remote first, in network order: turned round, as they lie in a tuple. */
    memcpy(&wire, packet->data, sizeof(wire));
    uint32_t ports = be32_get(wire);
    const struct table_found *found = table_place(ports, ip->source.octet[3]);
    struct tcp_node *node = found->node;
    if (found->ports == ports && node != NULL &&
        ip_is_between(packet, &node->tuple.remote, &node->tuple.local))
        return node;
    return NULL;
}

/* The keyed hash of a tuple, which nobody outside can tell. */
uint64_t table_hash_of(const struct tcp_tuple *tuple);
void table_insert(struct tcp_node *node);
void table_remove(struct tcp_node *node);

/* `node`, of the same tuple, takes the place of `old`. */
void table_replace(struct tcp_node *old, struct tcp_node *node);

/* For those who remove many: the chain a node is in, its memory asked for and
 * needed later; and to remove a node from it. */
struct tcp_node **table_prefetch(const struct tcp_node *node);
void table_remove_from(struct tcp_node **chain, struct tcp_node *node);

/* For tests and those who look: walks over the whole table. */
size_t table_chain_longest(void);
