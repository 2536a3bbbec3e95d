/* SPDX-License-Identifier: MIT */
/*
 * RFC 6298 in integers: alpha 1/8, beta 1/4, K 4.
 */
#include "net/tcp/rtt.h"

#include "net/limits.h"
#include "net/tcp/internal.h"

enum {
    BACKOFF_MAX = 10,
};

/* A sample beyond this is worth no more than this (and keeps 32 bits). */
#define SAMPLE_MAX_US (TCP_RTO_MAX_NS / NS_PER_US)

/* At most TCP_RTO_MAX_NS, which 28 bits hold. */
static void set_timeout(struct tcp_rtt *rtt, uint32_t us)
{
    rtt->timeout_us = us & ((UINT32_C(1) << 28) - 1);
}

_Static_assert(TCP_RTO_MAX_NS / NS_PER_US < UINT32_C(1) << 28,
               "the field holds it");

void rtt_init(struct tcp_rtt *rtt)
{
    *rtt = (struct tcp_rtt){.smoothed_us = 0};
    set_timeout(rtt, (uint32_t)(TCP_RTO_INITIAL_NS / NS_PER_US));
}

static uint32_t clamp_timeout(uint64_t us)
{
    if (us < tcp_settings.rto_min_us)
        return tcp_settings.rto_min_us;
    if (us > TCP_RTO_MAX_NS / NS_PER_US)
        return (uint32_t)(TCP_RTO_MAX_NS / NS_PER_US);
    return (uint32_t)us;
}

uint32_t rtt_sample(struct tcp_rtt *rtt, uint64_t sample_ns)
{
    uint64_t wide = sample_ns / NS_PER_US;

    return rtt_sample_us(
        rtt, (uint32_t)(wide > SAMPLE_MAX_US ? SAMPLE_MAX_US : wide));
}

uint32_t rtt_sample_us(struct tcp_rtt *rtt, uint32_t us)
{
    us = us > SAMPLE_MAX_US ? (uint32_t)SAMPLE_MAX_US : us;
    us = us == 0 ? 1 : us; /* 0 stands for "none yet" */
    if (rtt->smoothed_us == 0) {
        rtt->smoothed_us = us;
        rtt->variation_us = us / 2;
    } else {
        uint32_t apart = us > rtt->smoothed_us ? us - rtt->smoothed_us
                                               : rtt->smoothed_us - us;
        rtt->variation_us =
            (uint32_t)((3 * (uint64_t)rtt->variation_us + apart) / 4);
        rtt->smoothed_us =
            (uint32_t)((7 * (uint64_t)rtt->smoothed_us + us) / 8);
        rtt->smoothed_us = rtt->smoothed_us == 0 ? 1 : rtt->smoothed_us;
    }
    uint64_t slack = 4 * (uint64_t)rtt->variation_us;
    if (slack < tcp_settings.rto_slack_us)
        slack = tcp_settings.rto_slack_us;
    set_timeout(rtt, clamp_timeout(rtt->smoothed_us + slack));
    rtt->backoff = 0;
    return us;
}

void rtt_back_off(struct tcp_rtt *rtt)
{
    if (rtt->backoff < BACKOFF_MAX)
        rtt->backoff = (rtt->backoff + 1U) & 15;
}

void rtt_syn_was_lost(struct tcp_rtt *rtt)
{
    rtt->backoff = 0;
    if (rtt->smoothed_us == 0)
        set_timeout(rtt, (uint32_t)(TCP_RTO_AFTER_SYN_NS / NS_PER_US));
}
