/* SPDX-License-Identifier: MIT */
/*
 * The timer wheel: levels of 64 slots, each level 64 times as coarse as the
 * one below. A timer lies on the level of the highest 6-bit digit in which
 * its tick differs from the current one, so every occupied slot of a level
 * lies ahead of the current digit, and the earliest is found by the lowest
 * set bit of the lowest occupied level. When time enters a slot above level
 * 0, its timers move down ("cascade").
 */
#include "net/timer.h"

#include "net/platform.h"

#include <string.h>

enum {
    TICK_SHIFT = 17, /* 131 us */
    DIGIT_BITS = 6,
    SLOTS = 1 << DIGIT_BITS,
    LEVELS = 8, /* 8 * 6 bits of ticks: all of 64-bit nanoseconds */
    MOVES_PER_RUN = 8 * TIMERS_PER_RUN,
};

_Static_assert(TIMER_RESOLUTION_NS == UINT64_C(1) << TICK_SHIFT,
               "the header tells the truth");
_Static_assert(LEVELS *DIGIT_BITS + TICK_SHIFT >= 64, "every deadline fits");

#define NO_TICK UINT64_MAX

static struct {
    struct timer *slots[LEVELS][SLOTS];
    uint64_t occupied[LEVELS]; /* one bit a slot */
    unsigned levels;           /* one bit a level that has an occupied slot */
    uint64_t tick;             /* everything before it has fired */
    uint64_t next;             /* what find_next() would say, if known */
    bool is_next_known;
    size_t count;
} wheel;

/* Rounded up, so that no timer fires early. */
static inline uint64_t tick_of(uint64_t deadline_ns)
{
    return (deadline_ns >> TICK_SHIFT) +
           ((deadline_ns & (TIMER_RESOLUTION_NS - 1)) != 0);
}

static inline unsigned digit(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (level * DIGIT_BITS)) & (SLOTS - 1);
}

/* The first tick of the slot in which a tick lies. */
static inline uint64_t slot_start(uint64_t tick, unsigned level)
{
    return tick >> level * DIGIT_BITS << level * DIGIT_BITS;
}

static void insert(struct timer *timer)
{
    uint64_t tick = tick_of(timer->deadline_ns);
    unsigned level = 0;
    unsigned slot;
    struct timer **head;

    if (tick < wheel.tick)
        tick = wheel.tick;
    if (tick != wheel.tick)
        level =
            (63 - (unsigned)__builtin_clzll(tick ^ wheel.tick)) / DIGIT_BITS;
    slot = digit(tick, level);
    head = &wheel.slots[level][slot];
    timer->next = *head;
    timer->link = head;
    if (*head != NULL)
        (*head)->link = &timer->next;
    *head = timer;
    wheel.occupied[level] |= UINT64_C(1) << slot;
    wheel.levels |= 1U << level;
    tick = slot_start(tick, level);
    if (tick < wheel.next)
        wheel.next = tick;
}

static void take_out(struct timer *timer)
{
    struct timer **first = &wheel.slots[0][0];
    struct timer **link = timer->link;

    *link = timer->next;
    if (timer->next != NULL)
        timer->next->link = link;
    else if (link >= first && link < first + LEVELS * SLOTS) {
        size_t index = (size_t)(link - first);
        size_t level = index / SLOTS;

        wheel.occupied[level] &= ~(UINT64_C(1) << index % SLOTS);
        if (wheel.occupied[level] == 0)
            wheel.levels &= ~(1U << level);
        if (slot_start(tick_of(timer->deadline_ns), (unsigned)level) <=
            wheel.next)
            wheel.is_next_known = false;
    }
    timer->link = NULL;
}

void timers_init(uint64_t now_ns)
{
    memset(&wheel, 0, sizeof(wheel));
    wheel.tick = now_ns >> TICK_SHIFT;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    ASSERT(timer->expire != NULL);
    timer_cancel(timer);
    if (deadline_ns == PLATFORM_NEVER)
        return;
    timer->deadline_ns = deadline_ns;
    wheel.count++;
    insert(timer);
}

void timer_cancel(struct timer *timer)
{
    if (timer->link == NULL)
        return;
    wheel.count--;
    take_out(timer);
}

/* Where the next work lies and when: a slot of an upper level that time has
 * already entered first, else the earliest one ahead. False, and NO_TICK, when
 * the wheel is empty. */
static bool find_next(unsigned *level_found, uint64_t *tick_found)
{
    *tick_found = NO_TICK;
    if (wheel.levels == 0)
        return false;
    for (unsigned above = wheel.levels & ~1U; above != 0;) {
        unsigned level = 31 - (unsigned)__builtin_clz(above);

        if (wheel.occupied[level] >> digit(wheel.tick, level) & 1) {
            *level_found = level;
            *tick_found = wheel.tick;
            return true;
        }
        above &= ~(1U << level);
    }
    unsigned level = (unsigned)__builtin_ctz(wheel.levels);
    unsigned shift = level * DIGIT_BITS;
    unsigned slot = (unsigned)__builtin_ctzll(wheel.occupied[level]);
    uint64_t above = wheel.tick >> shift >> DIGIT_BITS;
    *level_found = level;
    *tick_found = (above << DIGIT_BITS | slot) << shift;
    return true;
}

size_t timers_run(uint64_t now_ns)
{
    uint64_t target = now_ns >> TICK_SHIFT;
    size_t fired = 0;
    size_t moves = 0;
    unsigned level;
    uint64_t tick;

    while (find_next(&level, &tick) && tick <= target) {
        struct timer *timer;

        if (fired == TIMERS_PER_RUN || moves == MOVES_PER_RUN)
            return fired;
        wheel.tick = tick;
        wheel.is_next_known = false;
        timer = wheel.slots[level][digit(tick, level)];
        if (level != 0) {
            take_out(timer);
            insert(timer);
            moves++;
        } else {
            timer_cancel(timer);
            fired++;
            timer->expire(timer, now_ns);
        }
    }
    /* No slot between here and there has begun: what is next stays so. */
    if (wheel.tick < target)
        wheel.tick = target;
    wheel.next = tick;
    wheel.is_next_known = true;
    return fired;
}

/* Asked many times a packet, while timers are mostly moved further away: the
 * last answer is kept. */
uint64_t timers_next_deadline(void)
{
    if (!wheel.is_next_known) {
        unsigned level;

        (void)find_next(&level, &wheel.next);
        wheel.is_next_known = true;
    }
    return wheel.next == NO_TICK ? PLATFORM_NEVER : wheel.next << TICK_SHIFT;
}

size_t timers_count(void)
{
    return wheel.count;
}
