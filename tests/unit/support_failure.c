/* SPDX-License-Identifier: MIT */
/*
 * See support_failure.h.
 */
#include "tests/unit/support_failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/buffer.h"
#include "net/timer.h"
#include "tests/host/apart.h"
#include "tests/host/invariants.h"
#include "tests/host/world.h"

#undef pool_take

enum {
    POOLS_MAX = 8,
    DENSE = 24, /* so many k are played one by one */
    SPREAD = 6, /* then every k / SPREAD */
};

void (*failure_hook)(void);

/* As they stood before the run, or when they were first seen. */
static struct {
    struct pool *pool;
    size_t level;
} pools[POOLS_MAX];
static size_t pool_count;

static struct failure_plan plan;
static uint64_t requests;
static uint64_t failed;
static uint64_t until_ns;
static bool is_armed;

bool failure_is_now(void)
{
    if (!is_armed)
        return false;
    requests++;
    if (plan.first == 0 || requests < plan.first)
        return false;
    if (requests == plan.first)
        until_ns = world_now() + plan.duration_ns;
    if (requests >= plan.first + plan.count && world_now() >= until_ns)
        return false;
    failed++;
    if (failure_hook != NULL)
        failure_hook();
    return true;
}

static void remember(struct pool *pool)
{
    for (size_t i = 0; i < pool_count; i++)
        if (pools[i].pool == pool)
            return;
    if (pool_count == POOLS_MAX)
        world_fail("more pools than POOLS_MAX");
    pools[pool_count].pool = pool;
    pools[pool_count++].level = pool->available;
}

void *failing_pool_take(struct pool *pool)
{
    remember(pool);
    return failure_is_now() ? NULL : pool_take(pool);
}

uint8_t *__real_buffer_alloc(void);
uint8_t *__wrap_buffer_alloc(void);
struct packet *__real_packet_alloc(size_t headroom);
struct packet *__wrap_packet_alloc(size_t headroom);
bool __real_connection_is_available(void);
bool __wrap_connection_is_available(void);

uint8_t *__wrap_buffer_alloc(void)
{
    return failure_is_now() ? NULL : __real_buffer_alloc();
}

struct packet *__wrap_packet_alloc(size_t headroom)
{
    return failure_is_now() ? NULL : __real_packet_alloc(headroom);
}

bool __wrap_connection_is_available(void)
{
    return !failure_is_now() && __real_connection_is_available();
}

/* ---- a run ----------------------------------------------------------------
 */

struct run {
    const struct failure_scenario *scenario;
    struct failure_plan plan;
};

void failure_fault(struct failure_report *report, const char *format, ...)
{
    va_list values;

    if (report->fault[0] != '\0')
        return;
    va_start(values, format);
    (void)vsnprintf(report->fault, sizeof(report->fault), format, values);
    va_end(values);
}

static void play(void *context, void *result)
{
    const struct run *run = context;
    struct failure_report *report = result;
    size_t buffers = buffer_count_free();
    size_t timers = timers_count();

    for (size_t i = 0; i < pool_count; i++)
        pools[i].level = pools[i].pool->available;
    plan = run->plan;
    is_armed = true;
    run->scenario->play(report);
    is_armed = false;
    report->requests = requests;
    report->failed = failed;
    const char *what = tcp_check_invariants();
    if (what != NULL)
        failure_fault(report, "%s", what);
    if (buffer_count_free() != buffers)
        failure_fault(report, "%zu of %zu buffers are free",
                      buffer_count_free(), buffers);
    if (timers_count() != timers)
        failure_fault(report, "%zu timers, %zu before", timers_count(), timers);
    for (size_t i = 0; i < pool_count; i++)
        if (pools[i].pool->available != pools[i].level)
            failure_fault(report, "pool %zu has %zu, %zu before", i,
                          pools[i].pool->available, pools[i].level);
}

struct failure_report failure_run(const struct failure_scenario *scenario,
                                  struct failure_plan with)
{
    struct run run = {scenario, with};
    struct failure_report report = {.requests = 0};

    if (!apart_run(play, &run, &report, sizeof(report)))
        failure_fault(&report, "it died");
    return report;
}

/* ---- all runs -------------------------------------------------------------
 */

static const struct failure_plan plans[] = {
    {.name = "alone", .count = 1},
    {.name = "and 15 behind it", .count = 16},
    {.name = "and all within 2 s", .count = 1, .duration_ns = 2 * NS_PER_S},
};

static uint64_t after(uint64_t k)
{
    const char *every = getenv("FAILURE_EVERY");

    if (every != NULL || k < DENSE)
        return k + 1;
    return k + k / SPREAD;
}

static void sweep(const struct failure_scenario *scenario,
                  struct failure_plan with, struct failure_sums *sums)
{
    for (with.first = 1; sums->fault[0] == '\0';
         with.first = after(with.first)) {
        struct failure_report report = failure_run(scenario, with);

        if (report.fault[0] != '\0')
            (void)snprintf(sums->fault, sizeof(sums->fault),
                           "request %lu fails, %s: %s",
                           (unsigned long)with.first, with.name, report.fault);
        if (report.failed == 0)
            return;
        sums->runs++;
        sums->whole += report.is_whole;
        if (with.count == 1 && with.duration_ns == 0) {
            sums->single++;
            sums->whole_single += report.is_whole;
        }
    }
}

struct failure_sums failure_sweep(const struct failure_scenario *scenario)
{
    struct failure_sums sums = {.runs = 0};

    scenario->prepare();
    struct failure_report report =
        failure_run(scenario, (struct failure_plan){.first = 0});
    if (report.fault[0] != '\0' || !report.is_whole)
        (void)snprintf(sums.fault, sizeof(sums.fault),
                       "nothing fails, and yet: %s", report.fault);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
        sweep(scenario, plans[i], &sums);
    if (getenv("FAILURE_EVERY") != NULL)
        (void)printf("%lu runs, %lu of them whole; %lu of %lu with a single "
                     "failure\n",
                     (unsigned long)sums.runs, (unsigned long)sums.whole,
                     (unsigned long)sums.whole_single,
                     (unsigned long)sums.single);
    return sums;
}
