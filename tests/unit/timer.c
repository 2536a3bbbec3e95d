/* SPDX-License-Identifier: MIT */
/*
 * The timer wheel against a list that is searched.
 */
#include "net/platform.h"
#include "net/timer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "net/attributes.h"
#include "net/limits.h"

enum {
    TIMERS = 2000,
};

struct watched {
    struct timer timer;
    uint64_t fired_ns; /* 0: not yet */
    unsigned times;
};

static struct watched watched[TIMERS];

static void fire(struct timer *timer, uint64_t now_ns)
{
    struct watched *w = container_of(timer, struct watched, timer);

    w->fired_ns = now_ns;
    w->times++;
}

static void start(void)
{
    timers_init(0);
    for (size_t i = 0; i < TIMERS; i++)
        watched[i] = (struct watched){.timer.expire = fire};
}

TestSuite(timer, .init = start, .timeout = 60);

static uint64_t state = 88172645463325252;

static uint64_t random_64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Steps from deadline to deadline, as the platform does. */
static void run_to(uint64_t end_ns)
{
    for (;;) {
        uint64_t next = timers_next_deadline();

        if (next > end_ns)
            break;
        timers_run(next);
    }
    timers_run(end_ns);
}

Test(timer, never_early_and_less_than_a_resolution_late)
{
    for (size_t i = 0; i < TIMERS; i++) {
        uint64_t deadline = random_64() >> (14 + random_64() % 40);

        timer_set(&watched[i].timer, deadline);
    }
    cr_assert_eq(timers_count(), TIMERS);
    run_to(UINT64_C(1) << 51);
    for (size_t i = 0; i < TIMERS; i++) {
        cr_assert_eq(watched[i].times, 1);
        cr_assert_geq(watched[i].fired_ns, watched[i].timer.deadline_ns);
        cr_assert_lt(watched[i].fired_ns - watched[i].timer.deadline_ns,
                     TIMER_RESOLUTION_NS);
    }
    cr_assert_eq(timers_count(), 0);
    cr_assert_eq(timers_next_deadline(), PLATFORM_NEVER);
}

Test(timer, next_deadline_is_never_too_late)
{
    uint64_t now = 0;

    for (int step = 0; step < 20000; step++) {
        size_t i = random_64() % TIMERS;
        uint64_t earliest = PLATFORM_NEVER;

        timer_set(&watched[i].timer,
                  now + (random_64() >> (20 + random_64() % 40)));
        if (step % 3 == 0)
            timer_cancel(&watched[random_64() % TIMERS].timer);
        now += random_64() >> 44;
        while (timers_run(now) == TIMERS_PER_RUN)
            continue;
        if (step % 100 != 0)
            continue;
        for (size_t n = 0; n < TIMERS; n++)
            if (timer_is_set(&watched[n].timer) &&
                watched[n].timer.deadline_ns < earliest)
                earliest = watched[n].timer.deadline_ns;
        if (earliest == PLATFORM_NEVER)
            continue;
        cr_assert_lt(timers_next_deadline(), earliest + TIMER_RESOLUTION_NS);
        cr_assert_gt(earliest + TIMER_RESOLUTION_NS, now);
    }
}

/* A run that fires nothing makes it look anew. */
Test(timer, next_deadline_follows_every_change_at_once)
{
    uint64_t now = 0;

    for (int step = 0; step < 20000; step++) {
        struct timer *timer = &watched[random_64() % 20].timer;
        uint64_t remembered;

        if (step % 3 == 0)
            timer_cancel(timer);
        else
            timer_set(timer, now + (random_64() >> (20 + random_64() % 40)));
        remembered = timers_next_deadline();
        if (remembered > now) {
            cr_assert_eq(timers_run(now), 0);
            cr_assert_eq(timers_next_deadline(), remembered);
        }
        if (step % 10 == 0) {
            now += random_64() >> 44;
            timers_run(now);
        }
    }
}

Test(timer, cancelled_one_does_not_fire)
{
    for (size_t i = 0; i < TIMERS; i++)
        timer_set(&watched[i].timer, random_64() >> 30);
    for (size_t i = 0; i < TIMERS; i += 2)
        timer_cancel(&watched[i].timer);
    cr_assert_eq(timers_count(), TIMERS / 2);
    run_to(UINT64_C(1) << 35);
    for (size_t i = 0; i < TIMERS; i++)
        cr_assert_eq(watched[i].times, i % 2);
}

Test(timer, moved_one_fires_once_at_its_last_deadline)
{
    timer_set(&watched[0].timer, 10 * NS_PER_S);
    timer_set(&watched[0].timer, 20 * NS_PER_S);
    timer_set(&watched[0].timer, 5 * NS_PER_S);
    run_to(30 * NS_PER_S);
    cr_assert_eq(watched[0].times, 1);
    cr_assert_lt(watched[0].fired_ns, 6 * NS_PER_S);
}

Test(timer, never_means_cancelled)
{
    timer_set(&watched[0].timer, NS_PER_S);
    timer_set(&watched[0].timer, PLATFORM_NEVER);
    cr_assert_not(timer_is_set(&watched[0].timer));
    cr_assert_eq(timers_next_deadline(), PLATFORM_NEVER);
}

Test(timer, deadline_in_the_past_fires_on_the_next_run)
{
    timers_run(100 * NS_PER_S);
    timer_set(&watched[0].timer, 1);
    cr_assert_leq(timers_next_deadline(), 100 * NS_PER_S);
    cr_assert_eq(timers_run(100 * NS_PER_S), 1);
}

static struct watched *victim;

static void cancel_another(struct timer *timer, uint64_t now_ns)
{
    fire(timer, now_ns);
    timer_cancel(&victim->timer);
}

Test(timer, one_may_cancel_another_of_the_same_moment)
{
    watched[0].timer.expire = cancel_another;
    watched[1].timer.expire = cancel_another;
    timer_set(&watched[0].timer, NS_PER_S);
    timer_set(&watched[1].timer, NS_PER_S);
    /* Whichever comes first takes the other out. */
    victim = &watched[0];
    run_to(2 * NS_PER_S);
    cr_assert_geq(watched[0].times + watched[1].times, 1);
    cr_assert_eq(timers_count(), 0);
}

static void set_again(struct timer *timer, uint64_t now_ns)
{
    fire(timer, now_ns);
    timer_set(timer, now_ns);
}

Test(timer, one_that_sets_itself_for_now_does_not_hold_the_run)
{
    watched[0].timer.expire = set_again;
    timer_set(&watched[0].timer, 0);
    cr_assert_eq(timers_run(8000 * TIMER_RESOLUTION_NS), TIMERS_PER_RUN);
}

/* S3 of the checklist of hostile inputs. */
Test(timer, S3_hundred_thousand_on_one_tick_are_done_in_pieces)
{
    enum {
        MANY = 100000,
    };
    struct watched *many = calloc(MANY, sizeof(*many));
    size_t runs = 0;
    size_t fired = 0;

    for (size_t i = 0; i < MANY; i++) {
        many[i].timer.expire = fire;
        timer_set(&many[i].timer, 1000 * NS_PER_S);
    }
    /* Also when they lie far ahead and must come down the levels. */
    while (timers_count() != 0) {
        uint64_t next = timers_next_deadline();
        size_t now_fired;

        if (next < 1001 * NS_PER_S)
            next = 1001 * NS_PER_S;
        now_fired = timers_run(next);
        cr_assert_leq(now_fired, TIMERS_PER_RUN);
        if (timers_count() != 0)
            cr_assert_leq(timers_next_deadline(), 1001 * NS_PER_S);
        fired += now_fired;
        runs++;
    }
    cr_assert_eq(fired, MANY);
    cr_assert_geq(runs, MANY / TIMERS_PER_RUN);
    free(many);
}
