/* SPDX-License-Identifier: MIT */
/*
 * Who owes whom time, the app or the softirqs.
 */
#include "kernel/softirq_policy.h"

#include <criterion/criterion.h>

Test(softirq_policy, debt_is_paid_by_app_time_one_to_one)
{
    struct softirq_policy policy = {0};

    softirq_policy_round_ran(&policy, SOFTIRQ_SLICE_NS, false);
    cr_assert(policy.is_deferred);
    softirq_policy_app_ran(&policy, SOFTIRQ_SLICE_NS - 1);
    cr_assert(policy.is_deferred);
    softirq_policy_app_ran(&policy, 1);
    cr_assert_not(policy.is_deferred);
}

Test(softirq_policy, an_exhausted_short_round_still_buys_the_app_its_minimum)
{
    struct softirq_policy policy = {0};

    softirq_policy_round_ran(&policy, 1, true);
    softirq_policy_app_ran(&policy, SOFTIRQ_SHARE_MIN_NS - 1);
    cr_assert(policy.is_deferred);
}
