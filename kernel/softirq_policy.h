/* SPDX-License-Identifier: MIT */
/*
 * Who may run, the app or the softirqs: bookkeeping over durations, pure and
 * without a clock. Softirq time is a debt that app time pays back. At one
 * slice of debt, or when a round had to leave work behind, softirqs wait
 * until the debt is paid; an app that idles forgives it. A round that left
 * work behind counts threefold: softirqs do part of the app's work, too. So a
 * flood takes at most a quarter of the processor from an app that has work to
 * do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SOFTIRQ_ROUND_NS    UINT64_C(2000000) /* as Linux: 2 ms ... */
#define SOFTIRQ_ROUND_TURNS 10                /* ... or 10 restarts */
#define SOFTIRQ_SLICE_NS    SOFTIRQ_ROUND_NS
/* Least share of the app after an exhausted round: such a round may be short,
 * and switching must not cost more than either side gets. */
#define SOFTIRQ_SHARE_MIN_NS UINT64_C(100000)

struct softirq_policy {
    uint64_t debt_ns;
    bool is_deferred; /* softirqs wait until debt_ns is 0 */
};

static inline void softirq_policy_app_ran(struct softirq_policy *policy,
                                          uint64_t ns)
{
    policy->debt_ns = policy->debt_ns > ns ? policy->debt_ns - ns : 0;
    if (policy->debt_ns == 0)
        policy->is_deferred = false;
}

static inline void softirq_policy_app_idles(struct softirq_policy *policy)
{
    policy->debt_ns = 0;
    policy->is_deferred = false;
}

static inline void softirq_policy_round_ran(struct softirq_policy *policy,
                                            uint64_t ns, bool is_exhausted)
{
    policy->debt_ns += is_exhausted ? 3 * ns : ns;
    if (is_exhausted && policy->debt_ns < SOFTIRQ_SHARE_MIN_NS)
        policy->debt_ns = SOFTIRQ_SHARE_MIN_NS;
    if (is_exhausted || policy->debt_ns >= SOFTIRQ_SLICE_NS)
        policy->is_deferred = true;
}

/* Whether another turn of handlers may begin in a round that has made `turns`
 * turns in `ns`. */
static inline bool softirq_policy_may_restart(uint64_t ns, unsigned int turns)
{
    return turns <= SOFTIRQ_ROUND_TURNS && ns < SOFTIRQ_ROUND_NS;
}
