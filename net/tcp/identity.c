/* SPDX-License-Identifier: MIT */
/*
 * Numbers an off-path observer must not be able to predict: initial sequence
 * numbers (RFC 6528), timestamp offsets (RFC 7323 5.4) and ephemeral ports
 * (RFC 6056 3.3.4, double hash).
 */
#include "net/hash.h"
#include "net/ip/flow.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

#include <string.h>

static struct {
    struct hash_key sequence;
    struct hash_key timestamp;
    struct hash_key port;
    struct hash_key port_slot;
    uint16_t port_count[TCP_PORT_TABLE];
} secret;

void identity_init(void)
{
    hash_key_generate(&secret.sequence);
    hash_key_generate(&secret.timestamp);
    hash_key_generate(&secret.port);
    hash_key_generate(&secret.port_slot);
}

/* SipHash-2-4: these values are seen by others. IPv4 tuples, whose addresses
 * are mapped, cost half. */
static uint64_t tuple_hash(const struct hash_key *key,
                           const struct tcp_tuple *tuple)
{
    uint64_t mapped =
        ip_address_half(&tuple->local, 0) | ip_address_half(&tuple->remote, 0);
    uint8_t bytes[12];

    if (mapped == 0) {
        memcpy(bytes, tuple->local.octet + 12, 4);
        memcpy(bytes + 4, tuple->remote.octet + 12, 4);
        memcpy(bytes + 8, &tuple->local_port, 2);
        memcpy(bytes + 10, &tuple->remote_port, 2);
        return hash_bytes(key, bytes, sizeof(bytes));
    }
    return hash_bytes(key, tuple, sizeof(*tuple));
}

_Static_assert(sizeof(struct tcp_tuple) == 36, "hashed as bytes: no padding");

struct seq32 identity_sequence(const struct tcp_tuple *tuple, uint64_t now_ns)
{
    return seq_from((uint32_t)tuple_hash(&secret.sequence, tuple) +
                    (uint32_t)(now_ns / TCP_ISN_TICK_NS));
}

uint32_t identity_timestamp_offset(const struct tcp_tuple *tuple)
{
    return (uint32_t)tuple_hash(&secret.timestamp, tuple);
}

uint16_t identity_port(const struct tcp_tuple *wanted)
{
    struct tcp_tuple tuple = *wanted;
    uint32_t range = TCP_PORT_LAST - TCP_PORT_FIRST + 1;

    tuple.local_port = 0;
    uint32_t offset = (uint32_t)tuple_hash(&secret.port, &tuple);
    uint16_t *count = &secret.port_count[tuple_hash(&secret.port_slot, &tuple) %
                                         TCP_PORT_TABLE];
    for (uint32_t i = 0; i < range; i++) {
        uint16_t port =
            (uint16_t)(TCP_PORT_FIRST + (offset + (*count)++) % range);
        const struct tcp_endpoint local = {tuple.local, port};
        tuple.local_port = port;
        if (table_find(&tuple) == NULL && !listener_uses(&local))
            return port;
    }
    return 0;
}
