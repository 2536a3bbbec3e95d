/* SPDX-License-Identifier: MIT */
/*
 * Time from the TSC, and the one-shot timer. The scale from TSC to time may
 * change (rough, measured, refined): each change starts a new line from the
 * present moment, so time never steps back. Interrupts are off wherever the
 * line or the timer is changed.
 */
#include "kernel/clock.h"
#include "kernel/acpi.h"
#include "kernel/apic.h"
#include "kernel/calendar.h"
#include "kernel/clock_reference.h"
#include "kernel/clock_scale.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/interrupt.h"
#include "kernel/softirq.h"

#include <stddef.h>

enum {
    SAMPLE_TRIES = 16,
    CLAIM_PARTS = 50, /* a claim must be within 1/50 of the rough measure */
    NS_PER_TSC_SHIFT = 40, /* no TSC is faster than 256 GHz */
    PIT_READS = 2000,      /* take milliseconds everywhere */
};

/* Where nothing counts and nobody claims: delays are rather too long. */
#define GUESSED_HZ UINT64_C(5000000000)

#define ROUGH_NS   UINT64_C(200000)
#define MEASURE_NS UINT64_C(5000000)
/* One refinement, late enough that reading errors no longer matter. */
#define REFINE_NS UINT64_C(2000000000)
/* Longer waits are cut into pieces of this: products stay small. */
#define ARM_MAX_NS UINT64_C(3600000000000)

/* A TSC reading, and what the two other counters said at that moment. */
struct sample {
    uint64_t tsc;
    uint64_t reference;
    uint64_t timer_tsc;
    uint32_t timer;
};

/* From a moment on. Replaced as a whole, and the last one is kept: a reading
 * may be interrupted by its refinement. */
struct line {
    uint64_t tsc, ns;
    uint64_t ns_per_tsc; /* in 1/2^NS_PER_TSC_SHIFT */
};

static uint64_t entry_tsc;
static struct line lines[2];
static const struct line *volatile line = &lines[0];
static struct clock_scale tsc_to_ns;
static uint64_t tsc_hz;
static const char *source = "none";
static bool is_claimed;

static const struct clock_reference *reference;
static struct sample first_sample;

static enum { TIMER_NONE, TIMER_APIC, TIMER_DEADLINE } timer;
static struct clock_scale ns_to_tsc, ns_to_timer;
static uint64_t armed_ns = CLOCK_NEVER;
static uint64_t refine_at_ns = CLOCK_NEVER;
static uint64_t calendar_ns; /* 1970 to kernel entry, 0 if unknown */

/* Asked several times a packet. */
uint64_t clock_now_ns(void)
{
    const struct line *now = line;
    uint64_t high;
    uint64_t low = cpu_multiply(cpu_rdtsc() - now->tsc, now->ns_per_tsc, &high);

    return now->ns +
           (high << (64 - NS_PER_TSC_SHIFT) | low >> NS_PER_TSC_SHIFT);
}

uint64_t clock_from_tsc(uint64_t tsc)
{
    return tsc > entry_tsc ? clock_scale_apply(tsc_to_ns, tsc - entry_tsc) : 0;
}

uint64_t clock_tsc_hz(void)
{
    return tsc_hz;
}

const char *clock_source_name(void)
{
    return source;
}

static const char *timer_name(void)
{
    switch (timer) {
    case TIMER_APIC:
        return "apic timer";
    case TIMER_DEADLINE:
        return "tsc deadline";
    case TIMER_NONE:
        break;
    }
    return "none";
}

/* The reading in the narrowest bracket: whatever interrupted the others, a
 * host's scheduler included, did not interrupt this one. */
static void read_bracketed(uint64_t (*read)(void), uint64_t *tsc,
                           uint64_t *value)
{
    uint64_t narrowest = UINT64_MAX;

    *tsc = 0;
    *value = 0;
    for (int i = 0; i < SAMPLE_TRIES; i++) {
        uint64_t before = cpu_rdtsc();
        uint64_t reading = read();
        uint64_t width = cpu_rdtsc() - before;
        if (width < narrowest) {
            narrowest = width;
            *tsc = before + width / 2;
            *value = reading;
        }
    }
}

static uint64_t read_timer(void)
{
    return apic_timer_count();
}

static struct sample take_sample(void)
{
    struct sample sample;
    uint64_t timer_count;

    read_bracketed(reference->read, &sample.tsc, &sample.reference);
    read_bracketed(read_timer, &sample.timer_tsc, &timer_count);
    sample.timer = (uint32_t)timer_count;
    return sample;
}

/* Time goes on from here by this frequency; never back. */
static void use_frequency(uint64_t hz)
{
    bool were_enabled = cpu_interrupts_save();
    struct line *next = &lines[line == &lines[0]];
    uint64_t now_ns = clock_now_ns();

    next->tsc = cpu_rdtsc();
    tsc_hz = hz;
    tsc_to_ns = clock_scale_make(hz, NS_PER_SECOND);
    next->ns_per_tsc = (uint64_t)tsc_to_ns.multiplier
                       << (NS_PER_TSC_SHIFT - tsc_to_ns.shift);
    ns_to_tsc = clock_scale_make(NS_PER_SECOND, hz);
    next->ns = clock_from_tsc(next->tsc);
    if (next->ns < now_ns)
        next->ns = now_ns;
    line = next;
    cpu_interrupts_restore(were_enabled);
}

/* 0: the PIT stands still. Chip sets of today may have switched it off. */
static uint64_t measure_rough_hz(void)
{
    const struct clock_reference *pit = clock_reference_pit();
    uint64_t want = pit->hz * ROUGH_NS / NS_PER_SECOND;
    uint64_t tsc, start, end_tsc, end;

    read_bracketed(pit->read, &tsc, &start);
    for (int i = 0; i < PIT_READS; i++) {
        read_bracketed(pit->read, &end_tsc, &end);
        end = (end - start) & pit->mask;
        if (end >= want)
            return clock_rate(end_tsc - tsc, end, pit->hz);
    }
    return 0;
}

void clock_init(uint64_t tsc_at_entry)
{
    entry_tsc = tsc_at_entry;
    lines[0].tsc = tsc_at_entry;

    const char *claimed_by = NULL;
    uint64_t measured_hz = measure_rough_hz();
    uint64_t claimed_hz = clock_claimed_hz(&claimed_by);
    source = "pit";
    if (measured_hz == 0) {
        source = "guess";
        measured_hz = claimed_hz != 0 ? claimed_hz : GUESSED_HZ;
    }
    is_claimed = clock_rates_agree(measured_hz, claimed_hz, CLAIM_PARTS);
    if (is_claimed)
        source = claimed_by;
    use_frequency(is_claimed ? claimed_hz : measured_hz);
}

void clock_sample(void)
{
    reference = clock_reference_best();
    apic_timer_start(UINT32_MAX);
    first_sample = take_sample();
}

static void measure(void)
{
    while (clock_scale_apply(tsc_to_ns, cpu_rdtsc() - first_sample.tsc) <
           MEASURE_NS)
        cpu_pause();
    struct sample second = take_sample();
    uint64_t passed =
        (second.reference - first_sample.reference) & reference->mask;

    if (!is_claimed && passed != 0) {
        use_frequency(
            clock_rate(second.tsc - first_sample.tsc, passed, reference->hz));
        source = reference->name;
        refine_at_ns = clock_now_ns() + REFINE_NS;
    }
    uint64_t timer_hz =
        clock_rate(first_sample.timer - second.timer,
                   second.timer_tsc - first_sample.timer_tsc, tsc_hz);
    ns_to_timer = clock_scale_make(NS_PER_SECOND, timer_hz);
}

/* Two seconds later the same readings give a hundred times the precision. */
static void refine(void)
{
    uint64_t tsc, value;

    refine_at_ns = CLOCK_NEVER;
    read_bracketed(reference->read, &tsc, &value);
    uint64_t passed_tsc = tsc - first_sample.tsc;
    uint64_t expected = clock_rate(passed_tsc, tsc_hz, reference->hz);
    uint64_t passed =
        clock_unwrap(expected, value - first_sample.reference, reference->mask);
    uint64_t hz = clock_rate(passed_tsc, passed, reference->hz);

    if (clock_rates_agree(hz, tsc_hz, CLAIM_PARTS))
        use_frequency(hz);
}

static void start_timer(void)
{
    if (apic_has_deadline()) {
        apic_deadline_enable();
        timer = TIMER_DEADLINE;
    } else {
        apic_timer_start(0);
        apic_timer_unmask();
        timer = TIMER_APIC;
    }
}

/* Interrupts off. A deadline in the past fires at once. */
static void program(uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t wait_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;

    if (wait_ns > ARM_MAX_NS)
        wait_ns = ARM_MAX_NS;
    armed_ns = now_ns + wait_ns;
    if (timer == TIMER_DEADLINE) {
        apic_deadline_set(cpu_rdtsc() + clock_scale_apply(ns_to_tsc, wait_ns));
    } else if (timer == TIMER_APIC) {
        uint64_t count = clock_scale_apply(ns_to_timer, wait_ns) + 1;
        if (count > UINT32_MAX)
            count = UINT32_MAX; /* too early: whoever waits asks again */
        apic_timer_start((uint32_t)count);
    }
}

void clock_calibrate(void)
{
    const struct acpi_fadt *fadt = acpi_fadt();
    bool has_century = fadt != NULL && fadt->has_century;

    if (!is_claimed || !apic_has_deadline())
        measure();
    start_timer();
    uint64_t seconds =
        calendar_read(has_century, has_century ? fadt->century_register : 0);
    if (seconds != 0)
        calendar_ns = seconds * NS_PER_SECOND - clock_now_ns();

    bool were_enabled = cpu_interrupts_save();
    if (armed_ns != CLOCK_NEVER)
        program(armed_ns);
    cpu_interrupts_restore(were_enabled);
    log_print(LOG_INFO, "clock", "TSC %llu.%03llu MHz by %s, %s",
              (unsigned long long)(tsc_hz / 1000000),
              (unsigned long long)(tsc_hz / 1000 % 1000), source, timer_name());
}

uint64_t clock_realtime_ns(void)
{
    return calendar_ns != 0 ? calendar_ns + clock_now_ns() : 0;
}

void clock_delay_us(uint32_t microseconds)
{
    uint64_t end_ns = clock_now_ns() + microseconds * UINT64_C(1000);

    while (clock_now_ns() < end_ns)
        cpu_pause();
}

void clock_arm(uint64_t deadline_ns)
{
    /* The usual case. If the timer fires right now, it raises SOFTIRQ_TIMER,
     * and after that everybody is asked again. */
    if (deadline_ns >= armed_ns)
        return;
    bool were_enabled = cpu_interrupts_save();

    if (deadline_ns < armed_ns) {
        if (timer == TIMER_NONE)
            armed_ns = deadline_ns; /* clock_calibrate() programs it */
        else
            program(deadline_ns);
    }
    cpu_interrupts_restore(were_enabled);
}

void clock_interrupt(void)
{
    uint64_t now_ns = clock_now_ns();

    armed_ns = CLOCK_NEVER;
    if (now_ns >= refine_at_ns)
        refine();
    clock_arm(interrupt_poll(now_ns));
    softirq_raise(SOFTIRQ_TIMER);
}
