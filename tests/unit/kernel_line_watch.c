/* SPDX-License-Identifier: MIT */
/*
 * When an interrupt line is given up, and when it is not.
 */
#include "kernel/line_watch.h"

#include <criterion/criterion.h>

#define MS UINT64_C(1000000)

static bool any_storm(struct line_watch *watch, int count, int claimed_every,
                      uint64_t gap_ns)
{
    bool is_storm = false;

    for (int i = 1; i <= count; i++)
        is_storm |= line_watch_interrupt(watch, i % claimed_every == 0) &&
                    line_watch_judge(watch, (uint64_t)i * gap_ns);
    return is_storm;
}

Test(line_watch, unclaimed_interrupts_without_end_are_a_storm)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    cr_assert_not(any_storm(&watch, LINE_STORM_WINDOW - 1, 1 << 30, 500));
    cr_assert(line_watch_interrupt(&watch, false));
    cr_assert(line_watch_judge(&watch, 100 * MS));
    cr_assert_eq(watch.state, LINE_POLLED);
    cr_assert_eq(watch.next_look_ns, 100 * MS + LINE_POLL_NS);
}

Test(line_watch, a_busy_device_that_claims_its_interrupts_is_no_storm)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    cr_assert_not(any_storm(&watch, 5 * LINE_STORM_WINDOW, 1, 500));
    cr_assert_eq(watch.state, LINE_WORKS);
}

Test(line_watch, one_claimed_in_fifty_is_no_storm)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    cr_assert_not(any_storm(&watch, 5 * LINE_STORM_WINDOW, 50, 500));
}

Test(line_watch, a_screaming_neighbour_is_a_storm_despite_our_rare_claims)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    cr_assert(any_storm(&watch, LINE_STORM_WINDOW, 200, 500));
}

Test(line_watch, rare_strays_over_a_long_time_are_no_storm)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    cr_assert_not(any_storm(&watch, 3 * LINE_STORM_WINDOW, 1 << 30, 2 * MS));
}

Test(line_watch, a_line_that_has_spoken_is_not_looked_at)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    line_watch_interrupt(&watch, true);
    cr_assert_eq(watch.next_look_ns, UINT64_MAX);
}

Test(line_watch, three_finds_on_a_silent_line_give_it_up)
{
    struct line_watch watch;

    line_watch_start(&watch, 0);
    cr_assert_not(line_watch_look(&watch, true, watch.next_look_ns));
    cr_assert_not(line_watch_look(&watch, true, watch.next_look_ns));
    cr_assert_lt(watch.next_look_ns, 50 * MS);
    cr_assert(line_watch_look(&watch, true, watch.next_look_ns));
    cr_assert_eq(watch.state, LINE_POLLED);
}

Test(line_watch, a_silent_line_without_work_is_kept_and_looked_at_more_rarely)
{
    struct line_watch watch;
    uint64_t before = 0;

    line_watch_start(&watch, 0);
    for (int i = 0; i < 100; i++) {
        before = watch.next_look_ns;
        cr_assert_not(line_watch_look(&watch, false, before));
    }
    cr_assert_eq(watch.state, LINE_WATCHED);
    cr_assert_eq(watch.next_look_ns - before, LINE_LOOK_LAST_NS);
}

Test(line_watch, a_polled_line_is_polled_for_good)
{
    struct line_watch watch;

    line_watch_poll(&watch, 0);
    for (uint64_t turn = 1; turn < 100; turn++) {
        cr_assert_eq(watch.next_look_ns, turn * LINE_POLL_NS);
        cr_assert_not(line_watch_look(&watch, turn % 2, watch.next_look_ns));
    }
    line_watch_interrupt(&watch, true);
    cr_assert_eq(watch.state, LINE_POLLED);
}
