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

static struct {
    struct hash_key sequence; /* and timestamps: the other half of the hash */
    struct hash_key port;
    uint16_t port_count[TCP_PORT_TABLE];
} secret;

void identity_init(void)
{
    hash_key_generate(&secret.sequence);
    hash_key_generate(&secret.port);
}

/* SipHash-2-4: these values are seen by others. IPv4 tuples, whose addresses
 * are mapped, cost less. */
static uint64_t tuple_hash(const struct hash_key *key,
                           const struct tcp_tuple *tuple, uint16_t local_port)
{
    uint64_t mapped =
        ip_address_half(&tuple->local, 0) | ip_address_half(&tuple->remote, 0);
    uint64_t ports = (uint64_t)local_port << 16 | tuple->remote_port;
    const uint64_t words[4] = {
        ip_address_half(&tuple->local, 1),
        ip_address_half(&tuple->remote, 1),
        ip_address_half(&tuple->local, 0),
        ip_address_half(&tuple->remote, 0),
    };

    if (mapped == 0) {
        const uint64_t hosts = words[0] >> 32 | (words[1] >> 32) << 32;
        return hash_words_strong(key, &hosts, 1, UINT64_C(12) << 56 | ports);
    }
    return hash_words_strong(key, words, 4, UINT64_C(36) << 56 | ports);
}

struct tcp_identity identity_make(const struct tcp_tuple *tuple,
                                  uint64_t now_ns)
{
    uint64_t hash = tuple_hash(&secret.sequence, tuple, tuple->local_port);

    return (struct tcp_identity){
        .sequence =
            seq_from((uint32_t)hash + (uint32_t)(now_ns / TCP_ISN_TICK_NS)),
        .timestamp_offset = (uint32_t)(hash >> 32),
    };
}

uint16_t identity_port(const struct tcp_tuple *wanted)
{
    struct tcp_tuple tuple = *wanted;
    uint32_t range = TCP_PORT_LAST - TCP_PORT_FIRST + 1;
    uint64_t hash = tuple_hash(&secret.port, &tuple, 0);
    uint32_t offset = (uint32_t)hash;
    uint16_t *count = &secret.port_count[(hash >> 32) % TCP_PORT_TABLE];

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
