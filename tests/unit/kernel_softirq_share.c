/* SPDX-License-Identifier: MIT */
/*
 * How long softirqs run: the bounds of a round, and the app's share.
 */
/* test-links: kernel/softirq.c tests/unit/support_softirq.c */
/* test-flags: -iquote tests/unit/fake */

#include "kernel/clock.h"
#include "kernel/softirq.h"
#include "kernel/softirq_policy.h"
#include "tests/unit/support_softirq.h"

#include <criterion/criterion.h>

/* The bookkeeping alone. */

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

Test(softirq_policy, debt_of_an_exhausted_round_is_paid_three_to_one)
{
    struct softirq_policy policy = {0};

    softirq_policy_round_ran(&policy, MS, true);
    softirq_policy_app_ran(&policy, 3 * MS - 1);
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

/* With a processor. */

TestSuite(softirq_share, .init = fake_start);

Test(softirq_share, a_round_ends_after_ten_restarts)
{
    fake.receive_cost_ns = US;
    fake.receive_again = 1000;
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, SOFTIRQ_ROUND_TURNS + 1);
    cr_assert_eq(softirq_counters()->squeezed, 1);
}

Test(softirq_share, a_round_ends_after_two_milliseconds)
{
    fake.receive_cost_ns = 700 * US;
    fake.receive_again = 1000;
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 3);
}

Test(softirq_share, what_is_left_over_waits_for_the_apps_share)
{
    fake.receive_cost_ns = 700 * US;
    fake.receive_again = 1000;
    fake_interrupt(fake_raise_receive);
    fake_work(MS);
    softirq_lock();
    softirq_unlock();
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 3,
                 "an unlock or an interrupt broke the share");
    cr_assert_gt(softirq_counters()->deferred, 0);
}

Test(softirq_share, what_is_left_over_runs_after_the_apps_share_without_help)
{
    fake.receive_cost_ns = 700 * US;
    fake.receive_again = 3;
    fake_interrupt(fake_raise_receive);
    fake_work(8 * MS);
    cr_assert_eq(fake.receive_runs, 4);
}

Test(softirq_share, the_timer_is_programmed_once_for_a_share)
{
    fake.receive_cost_ns = 700 * US;
    fake.receive_again = 1000;
    fake_interrupt(fake_raise_receive);
    int before = fake.armings;
    for (int calls = 0; calls < 100; calls++) {
        fake_work(10 * US);
        softirq_lock();
        softirq_unlock();
    }
    cr_assert_eq(fake.receive_runs, 3, "the share has not ended");
    cr_assert_eq(fake.armings, before);
}

Test(softirq_share, an_app_that_idles_gives_its_share_away)
{
    fake.receive_cost_ns = 700 * US;
    fake.receive_again = 1000;
    fake_interrupt(fake_raise_receive);
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.receive_runs, 4);
    cr_assert_eq(fake.idled_ns, 0);
}

/* It would else wait behind a flood for packets that are there. */
Test(softirq_share, an_app_that_waits_looks_after_each_turn)
{
    fake.receive_cost_ns = 50 * US;
    fake.receive_again = 1000;
    softirq_raise(SOFTIRQ_NET_RX);
    softirq_lock();
    for (int turns = 1; turns <= 100; turns++) {
        softirq_idle(CLOCK_NEVER);
        cr_assert_eq(fake.receive_runs, turns);
    }
    cr_assert_eq(fake.armed_ns, CLOCK_NEVER, "no share began");
    softirq_unlock();
    cr_assert_eq(fake.idled_ns, 0);
    cr_assert_eq(softirq_counters()->squeezed, 0, "nobody was held up");
}

Test(softirq_share, a_timer_that_came_meanwhile_has_its_turn_before_the_app)
{
    fake.receive_cost_ns = 50 * US;
    fake.receive_again = 1000;
    fake.deadline_ns = fake.armed_ns = fake.now_ns + 20 * US;
    softirq_raise(SOFTIRQ_NET_RX);
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.timer_runs, 1);
    cr_assert_eq(fake.receive_runs, 2, "it was pending in that turn, too");
}

Test(softirq_share, what_a_waiting_app_finds_it_may_work_on_undisturbed)
{
    fake.receive_cost_ns = 50 * US;
    fake.receive_again = 1000;
    softirq_raise(SOFTIRQ_NET_RX);
    fake_idle(CLOCK_NEVER); /* and unlocks */
    fake_work(90 * US);
    cr_assert_eq(fake.receive_runs, 1);
    fake_work(100 * US);
    cr_assert_gt(fake.receive_runs, 1);
}

Test(softirq_share,
     an_interrupt_that_ends_an_idle_is_served_at_once_whatever_the_debt)
{
    fake.receive_cost_ns = 3 * MS;
    fake_interrupt(fake_raise_receive);
    fake.device_interrupt_ns = fake.now_ns + 100 * US;
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.receive_runs, 2);
    cr_assert_eq(softirq_counters()->deferred, 0);
}

/* Receive livelock: work without end must leave the app three quarters of the
 * time. */
static void expect_the_app_gets_on(void (*app)(void))
{
    const struct softirq_counters *counters = softirq_counters();

    fake.receive_cost_ns = 50 * US;
    fake.receive_again = 1 << 30;
    fake_interrupt(fake_raise_receive);
    for (uint64_t end_ns = fake.now_ns + 1000 * MS; fake.now_ns < end_ns;)
        app();
    cr_assert_gt(counters->context_ns[CONTEXT_APP], 700 * MS);
    cr_assert_gt(counters->context_ns[CONTEXT_SOFTIRQ], 200 * MS);
}

static void busy_app(void)
{
    fake_work(10 * US);
}

static void locking_app(void)
{
    softirq_lock();
    fake_work(10 * US);
    softirq_unlock();
}

Test(softirq_share, a_flood_leaves_a_busy_app_three_quarters_of_the_time)
{
    expect_the_app_gets_on(busy_app);
}

Test(softirq_share, a_flood_leaves_an_app_that_locks_three_quarters_of_the_time)
{
    expect_the_app_gets_on(locking_app);
}

Test(softirq_share, short_rounds_one_after_another_are_a_flood_too)
{
    /* No round is long, and moderation lets 50 us pass between two. */
    fake.receive_cost_ns = 300 * US;
    for (uint64_t end_ns = fake.now_ns + 100 * MS; fake.now_ns < end_ns;) {
        fake.device_interrupt_ns = fake.now_ns + 50 * US;
        fake_work(50 * US);
    }
    cr_assert_gt(softirq_counters()->context_ns[CONTEXT_APP], 45 * MS);
}

Test(softirq_share, light_load_is_never_deferred)
{
    fake.receive_cost_ns = 100 * US;
    for (int i = 0; i < 1000; i++) {
        fake_interrupt(fake_raise_receive);
        cr_assert_eq(fake.receive_runs, i + 1);
        fake_work(200 * US);
    }
    cr_assert_eq(softirq_counters()->deferred, 0);
}
