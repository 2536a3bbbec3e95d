/* SPDX-License-Identifier: MIT */
/*
 * The round-trip time and what follows from it, the retransmission timeout
 * (RFC 6298, with a minimum that is a setting: 200 ms, as everybody has it).
 */
#pragma once

#include <stdint.h>

#include "net/limits.h"
#include "net/platform.h"

struct tcp_rtt {
    uint32_t smoothed_us; /* SRTT; 0: no sample yet */
    uint32_t variation_us;
    uint32_t timeout_us : 28; /* RTO, without backoff: up to 120 s */
    uint32_t backoff : 4;     /* doublings until the next sample (Karn) */
};

void rtt_init(struct tcp_rtt *rtt);
/* They return the sample as it counts, 1 to TCP_RTO_MAX. */
uint32_t rtt_sample(struct tcp_rtt *rtt, uint64_t sample_ns);
uint32_t rtt_sample_us(struct tcp_rtt *rtt, uint32_t us);
void rtt_back_off(struct tcp_rtt *rtt);

/* RFC 6298 5.7: the SYN had to be sent again, and nothing was measured. */
void rtt_syn_was_lost(struct tcp_rtt *rtt);

static inline uint64_t rtt_timeout_ns(const struct tcp_rtt *rtt)
{
    uint64_t ns = ((uint64_t)rtt->timeout_us * NS_PER_US) << rtt->backoff;

    return ns > TCP_RTO_MAX_NS ? TCP_RTO_MAX_NS : ns;
}
