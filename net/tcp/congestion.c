/* SPDX-License-Identifier: MIT */
/*
 * What the congestion modules share (congestion_growth.h), the initial window
 * of RFC 6928, and the list of modules.
 */
#include "net/tcp/congestion.h"

#include "net/tcp/congestion_growth.h"
#include "net/tcp/internal.h"
#include "net/tcp/tcp.h"

#include <errno.h>
#include <string.h>

/* SSTHRESH_MIN_SEGMENTS of the largest segment is a window. */
_Static_assert(SSTHRESH_MIN_SEGMENTS *UINT64_C(65535) <= CWND_MAX,
               "ssthresh lies in the range of cwnd");
_Static_assert((int)TCP_THRESHOLD_NONE == (int)CWND_MAX,
               "where ssthresh begins");
_Static_assert(TCP_RTO_MAX_NS / NS_PER_US < 1 << 27,
               "a sample has 27 bits of microseconds");

const struct tcp_congestion_module
    *const congestion_modules[CONGESTION_MODULES] = {
        [CONGESTION_CUBIC] = &cubic_module,
        [CONGESTION_NEWRENO] = &newreno_module,
        [CONGESTION_VEGAS] = &vegas_module,
        [CONGESTION_WESTWOOD] = &westwood_module,
        [CONGESTION_BIC] = &bic_module,
};

const struct tcp_congestion_module *congestion_module(size_t number)
{
    return number < CONGESTION_MODULES ? congestion_modules[number] : NULL;
}

int tcp_congestion_number(const char *name)
{
    for (size_t i = 0; i < CONGESTION_MODULES; i++)
        if (strcmp(congestion_modules[i]->name, name) == 0)
            return (int)i;
    return -ENOENT;
}

const char *tcp_congestion_name(int number)
{
    return congestion_modules[number]->name;
}

uint32_t congestion_initial_window(uint32_t mss)
{
    /* RFC 6928 (1): min(10 * MSS, max(2 * MSS, 14600)) */
    return smaller(tcp_settings.initial_window * mss, larger(2 * mss, 14600));
}

void congestion_init(struct tcp_congestion *congestion, uint32_t mss,
                     struct seq32 iss)
{
    *congestion = (struct tcp_congestion){
        .number = CONGESTION_NEWRENO,
        .cwnd = congestion_initial_window(mss),
        .ssthresh = CWND_MAX,
        .mss = (uint16_t)mss,
        .recover = iss,
        .round_end = iss,
    };
}

void congestion_select(struct tcp_congestion *congestion, size_t number)
{
    /* cubic is the union's largest member. */
    congestion->number = (uint8_t)number;
    congestion->cubic = (struct cubic){.maximum = 0};
    congestion->counted = 0;
}

_Static_assert(sizeof(struct cubic) >= sizeof(struct westwood) &&
                   sizeof(struct cubic) >= sizeof(struct vegas) &&
                   sizeof(struct cubic) >= sizeof(struct bic),
               "clearing it clears every module's memory");

void congestion_set_mss(struct tcp_congestion *congestion, uint32_t mss)
{
    /* RFC 1191 6.3: the window in segments stays as it was. */
    uint64_t segments = congestion->cwnd / congestion->mss;
    uint64_t cwnd = larger_64(segments, 1) * mss;

    congestion->cwnd = (uint32_t)smaller_64(cwnd, CWND_MAX);
    congestion->mss = (uint16_t)mss;
}

void congestion_grow(struct tcp_congestion *congestion, uint32_t increment,
                     uint32_t acked)
{
    uint32_t cwnd = congestion->cwnd;
    /* increment, acked, cwnd <= 2^30: below 2^60 + 2^32. */
    uint64_t credit =
        (uint64_t)smaller(increment, CWND_MAX) * smaller(acked, cwnd) +
        congestion->counted;

    congestion->counted = (uint32_t)(credit % cwnd);
    congestion->cwnd = smaller(cwnd + (uint32_t)(credit / cwnd), CWND_MAX);
}

void congestion_reduce(struct tcp_congestion *congestion, uint64_t threshold,
                       enum tcp_congestion_signal signal)
{
    uint32_t least = SSTHRESH_MIN_SEGMENTS * congestion->mss;

    congestion->ssthresh =
        larger((uint32_t)smaller_64(threshold, CWND_MAX), least);
    congestion->counted = 0;
    if (signal == TCP_SIGNAL_TIMEOUT)
        congestion->cwnd = congestion->mss;
}

void congestion_recovered(struct tcp_congestion *congestion, uint32_t flight)
{
    /* RFC 6582 3.2 step 3, first choice: no burst. */
    uint32_t mss = congestion->mss;

    congestion->cwnd = smaller(congestion->ssthresh,
                               larger(smaller(flight, CWND_MAX), mss) + mss);
    congestion->counted = 0;
}

void congestion_idle(struct tcp_congestion *congestion)
{
    /* RFC 5681 4.1: the restart window. Slow start leads back to what was
     * used before (RFC 2861 2), not beyond. */
    uint32_t three_quarters = congestion->cwnd - congestion->cwnd / 4;

    congestion->ssthresh = larger(congestion->ssthresh, three_quarters);
    congestion->cwnd =
        smaller(congestion->cwnd, congestion_initial_window(congestion->mss));
}
