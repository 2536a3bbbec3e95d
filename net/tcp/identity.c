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

/* SipHash-2-4: these values are seen by others. */
struct tcp_identity identity_make(const struct tcp_tuple *tuple,
                                  uint64_t now_ns)
{
    uint64_t hash = hash_three_strong(
        &secret.sequence, ip_flow_hosts(&tuple->local, &tuple->remote),
        (uint32_t)tuple->local_port << 16 | tuple->remote_port);

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
    uint64_t hash = ip_flow_hash(&secret.port, &tuple.local, 0, &tuple.remote,
                                 tuple.remote_port);
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
