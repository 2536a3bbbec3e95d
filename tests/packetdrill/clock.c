/* SPDX-License-Identifier: MIT */
/*
 * Virtual time for packetdrill. It advances by 1 us with every reading of the
 * main thread, because packetdrill spins on the clock shortly before an event,
 * and by 20 us more than a sleep asks for, because that is where it begins to
 * spin.
 *
 * A call that may block is made on a second thread, which must really sleep
 * in the kernel. When it wakes, time stands still until it has read the clock
 * once after its call: that is how packetdrill learns when the call ended.
 */
#include "tests/packetdrill/adapter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { OVERSHOOT_US = 20 };

/* Any time of day will do. */
#define EPOCH_US 1000000000000000LL

enum waiter {
    WAITER_NONE,
    WAITER_SLEEPS,
    WAITER_RUNS,     /* woken; looks at its condition */
    WAITER_RETURNED, /* its call has ended; the clock is yet to be read */
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t woken;   /* for the second thread */
    pthread_cond_t settled; /* for the main thread */
    pthread_t main_thread;
    pthread_t waiting_thread;
    enum waiter waiter;
    jmp_buf deadlock;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER,
            .woken = PTHREAD_COND_INITIALIZER,
            .settled = PTHREAD_COND_INITIALIZER};

struct lan adapter_lan;

void clock_init(void)
{
    shared.main_thread = pthread_self();
    shared.waiter = WAITER_NONE;
}

static bool is_main(void)
{
    return pthread_equal(pthread_self(), shared.main_thread);
}

static bool is_waiter(void)
{
    return shared.waiter != WAITER_NONE &&
           pthread_equal(pthread_self(), shared.waiting_thread);
}

void adapter_enter(void)
{
    pthread_mutex_lock(&shared.mutex);
}

void adapter_leave(void)
{
    if (!is_main() && is_waiter() && shared.waiter == WAITER_RUNS) {
        shared.waiter = WAITER_RETURNED;
        pthread_cond_broadcast(&shared.settled);
    }
    pthread_mutex_unlock(&shared.mutex);
}

jmp_buf *adapter_deadlock(void)
{
    return &shared.deadlock;
}

int adapter_give_up(void)
{
    adapter_leave();
    errno = EDEADLK;
    return -1;
}

static void settle(void)
{
    while (shared.waiter == WAITER_RUNS || shared.waiter == WAITER_RETURNED)
        pthread_cond_wait(&shared.settled, &shared.mutex);
}

bool clock_step(uint64_t until_ns)
{
    settle();
    bool more = world_step(until_ns);
    if (shared.waiter == WAITER_SLEEPS) {
        shared.waiter = WAITER_RUNS;
        pthread_cond_broadcast(&shared.woken);
        settle();
    }
    return more;
}

void clock_run_until(uint64_t time_ns)
{
    while (clock_step(time_ns)) {
    }
}

static void wake(void *context)
{
    (void)context;
}

/* The main thread sleeps in a call: nobody else will advance time. */
static void idle_alone(uint64_t deadline_ns)
{
    static uint64_t patience_ns;
    static uint64_t last_ns;

    if (world_now() != last_ns || patience_ns <= world_now())
        patience_ns = world_now() + PATIENCE_S * NS_PER_S;
    uint64_t until_ns = deadline_ns < patience_ns ? deadline_ns : patience_ns;
    bool more = world_step(until_ns);
    last_ns = world_now();
    if (!more && until_ns == patience_ns)
        longjmp(shared.deadlock, 1);
}

void __wrap_platform_idle(uint64_t deadline_ns);

void __wrap_platform_idle(uint64_t deadline_ns)
{
    adapter_lan.stack->is_locked = false;
    if (is_main()) {
        idle_alone(deadline_ns);
        adapter_lan.stack->is_locked = true;
        return;
    }
    if (deadline_ns != PLATFORM_NEVER)
        world_at(deadline_ns, wake, NULL);
    shared.waiting_thread = pthread_self();
    shared.waiter = WAITER_SLEEPS;
    pthread_cond_broadcast(&shared.settled);
    while (shared.waiter == WAITER_SLEEPS)
        pthread_cond_wait(&shared.woken, &shared.mutex);
    adapter_lan.stack->is_locked = true;
}

long long clock_time_us(uint64_t time_ns)
{
    return EPOCH_US + (long long)(time_ns / NS_PER_US);
}

int clock_usleep(void *userdata, useconds_t length_us)
{
    (void)userdata;
    adapter_enter();
    clock_run_until(world_now() + (length_us + OVERSHOOT_US) * NS_PER_US);
    adapter_leave();
    return 0;
}

int clock_gettimeofday(void *userdata, struct timeval *time,
                       struct timezone *zone)
{
    (void)userdata;
    (void)zone;
    adapter_enter();
    if (is_main()) {
        clock_run_until(world_now() + NS_PER_US);
        states_write();
    }
    long long now_us = clock_time_us(world_now());
    time->tv_sec = (time_t)(now_us / 1000000);
    time->tv_usec = (suseconds_t)(now_us % 1000000);
    if (is_waiter() && shared.waiter == WAITER_RETURNED) {
        shared.waiter = WAITER_NONE;
        pthread_cond_broadcast(&shared.settled);
    }
    pthread_mutex_unlock(&shared.mutex);
    return 0;
}
