/* SPDX-License-Identifier: MIT */
/*
 * The clock on a machine made of functions: every read of a counter takes a
 * little time, and the TSC runs at a rate the clock has to find out.
 * test-links: kernel/clock.c kernel/clock_scale.c
 * test-flags: -iquote tests/unit/fake
 */
#include "kernel/acpi.h"
#include "kernel/apic.h"
#include "kernel/calendar.h"
#include "kernel/clock.h"
#include "kernel/clock_reference.h"
#include "kernel/clock_scale.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/interrupt.h"
#include "kernel/softirq.h"

#include <criterion/criterion.h>
#include <string.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

enum { TIMER_HZ = 62500000, TSC_AT_START = 123456789, CALENDAR = 1795228987 };

static uint64_t true_ns; /* since the kernel's entry */
static uint64_t tsc_hz, claimed_hz;
static bool has_deadline, is_interrupted;
static uint32_t timer_count;
static bool is_timer_masked;
static uint64_t timer_start_ns, deadline_tsc, poll_next_ns;
static int timers_raised, reads;
static void (*while_reading)(void); /* an interrupt behind the next RDTSC */
static bool is_pit_dead, is_hpet_dead;

/* The machine. A read takes 30 ns, and now and then the host is away. */

static void pass(uint64_t ns)
{
    true_ns += ns;
    if (is_interrupted && ++reads % 5 == 0)
        true_ns += 40 * US;
}

static uint64_t tsc_at(uint64_t ns)
{
    return TSC_AT_START + clock_multiply_divide(ns, tsc_hz, NS_PER_SECOND);
}

uint64_t cpu_rdtsc(void)
{
    void (*interrupt)(void) = while_reading;
    uint64_t tsc;

    true_ns += 15;
    tsc = tsc_at(true_ns);
    while_reading = NULL;
    if (interrupt != NULL)
        interrupt();
    return tsc;
}

static uint64_t read_hpet(void)
{
    pass(15);
    uint64_t now = is_hpet_dead ? 0 : true_ns / 10;
    pass(15);
    return now & UINT32_MAX;
}

static uint64_t read_pit(void)
{
    pass(45);
    uint64_t now = clock_multiply_divide(true_ns, 1193182, NS_PER_SECOND);
    pass(45);
    return is_pit_dead ? 0 : now & UINT16_MAX;
}

static struct clock_reference hpet = {
    .name = "hpet", .hz = 100000000, .mask = UINT32_MAX, .read = read_hpet};
static struct clock_reference pit = {
    .name = "pit", .hz = 1193182, .mask = UINT16_MAX, .read = read_pit};

const struct clock_reference *clock_reference_pit(void)
{
    return &pit;
}

const struct clock_reference *clock_reference_best(void)
{
    return &hpet;
}

uint64_t clock_claimed_hz(const char **claimed_by)
{
    *claimed_by = "cpuid";
    return claimed_hz;
}

void apic_timer_unmask(void)
{
    is_timer_masked = false;
}

void apic_timer_start(uint32_t count)
{
    timer_count = count;
    timer_start_ns = true_ns;
}

uint32_t apic_timer_count(void)
{
    pass(30);
    uint64_t passed = (true_ns - timer_start_ns) / (NS_PER_SECOND / TIMER_HZ);
    return passed < timer_count ? timer_count - (uint32_t)passed : 0;
}

bool apic_has_deadline(void)
{
    return has_deadline;
}

void apic_deadline_enable(void)
{
}

void apic_deadline_set(uint64_t tsc)
{
    deadline_tsc = tsc;
}

const struct acpi_fadt *acpi_fadt(void)
{
    return NULL;
}

uint64_t calendar_read(bool has_century, uint8_t century_register)
{
    cr_assert_not(has_century);
    cr_assert_eq(century_register, 0);
    return CALENDAR;
}

uint64_t interrupt_poll(uint64_t now_ns)
{
    (void)now_ns;
    return poll_next_ns;
}

void softirq_raise(enum softirq vector)
{
    timers_raised += vector == SOFTIRQ_TIMER;
}

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    (void)level;
    (void)part;
    (void)format;
}

bool cpu_interrupts_save(void)
{
    return false;
}

void cpu_interrupts_restore(bool enabled)
{
    (void)enabled;
}

static uint64_t error_ns(void)
{
    uint64_t now_ns = clock_now_ns();

    return now_ns > true_ns ? now_ns - true_ns : true_ns - now_ns;
}

static void boot(void)
{
    true_ns = 2 * MS; /* what came before */
    clock_init(TSC_AT_START);
    clock_sample();
    true_ns += MS;
    clock_calibrate();
}

static void start(void)
{
    tsc_hz = UINT64_C(2445434085);
    poll_next_ns = CLOCK_NEVER;
}

TestSuite(clock, .init = start);

Test(clock, stands_at_0_before_it_is_started)
{
    cr_assert_eq(clock_now_ns(), 0);
}

Test(clock, counts_from_the_kernels_entry)
{
    boot();
    cr_assert_lt(error_ns(), 100 * US);
    cr_assert_eq(clock_from_tsc(TSC_AT_START), 0);
}

Test(clock, the_first_measurement_is_good_to_a_percent)
{
    true_ns = 2 * MS;
    clock_init(TSC_AT_START);
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 100));
}

Test(clock, the_second_measurement_is_good_to_20_parts_in_a_million)
{
    boot();
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 50000));
    cr_assert_str_eq(clock_source_name(), "hpet");
}

Test(clock, a_host_that_interrupts_the_readings_does_no_harm)
{
    is_interrupted = true;
    boot();
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 50000));
}

Test(clock, calibration_takes_5_ms_with_the_work_done_meanwhile)
{
    boot();
    cr_assert_lt(true_ns, 9 * MS);
}

Test(clock, two_seconds_later_the_rate_is_refined_to_a_part_in_a_million)
{
    boot();
    true_ns += 2100 * MS;
    clock_interrupt();
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 1000000));
    true_ns += 100 * MS;
    cr_assert_lt(error_ns(), 10 * US);
}

Test(clock, a_refinement_after_the_reference_has_wrapped_is_right_all_the_same)
{
    hpet.mask = 0xFFFFFF; /* 168 ms */
    boot();
    true_ns += 30 * NS_PER_SECOND;
    clock_interrupt();
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 1000000));
}

Test(clock, a_refinement_between_two_steps_of_a_reading_does_not_spoil_it)
{
    boot();
    true_ns += 2100 * MS;
    while_reading = clock_interrupt;
    cr_assert_lt(error_ns(), MS);
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 1000000));
}

/* Chip sets of today may have switched it off. */
Test(clock, a_pit_that_stands_still_is_not_waited_for)
{
    is_pit_dead = true;
    boot();
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 50000));
    cr_assert_str_eq(clock_source_name(), "hpet");
}

Test(clock, a_claim_that_nobody_can_check_is_believed)
{
    is_pit_dead = true;
    claimed_hz = tsc_hz;
    boot();
    cr_assert_eq(clock_tsc_hz(), tsc_hz);
    cr_assert_str_eq(clock_source_name(), "cpuid");
}

Test(clock, without_any_reference_the_rate_is_a_guess_and_called_so)
{
    is_pit_dead = true;
    is_hpet_dead = true;
    boot();
    cr_assert_str_eq(clock_source_name(), "guess");
    cr_assert_geq(clock_tsc_hz(), tsc_hz, "delays are rather too long");
    cr_assert_gt(clock_now_ns(), 0);
}

Test(clock, never_goes_back)
{
    uint64_t last_ns = 0;

    for (int boot_step = 0; boot_step < 4; boot_step++) {
        if (boot_step == 0)
            clock_init(TSC_AT_START);
        else if (boot_step == 1)
            clock_sample();
        else if (boot_step == 2)
            clock_calibrate();
        else
            clock_interrupt();
        for (int i = 0; i < 1000; i++) {
            uint64_t now_ns = clock_now_ns();
            cr_assert_geq(now_ns, last_ns);
            last_ns = now_ns;
            true_ns += 3 * MS;
        }
    }
}

Test(clock, a_claim_near_the_measurement_is_believed_and_saves_the_wait)
{
    has_deadline = true;
    claimed_hz = tsc_hz;
    boot();
    cr_assert_eq(clock_tsc_hz(), tsc_hz);
    cr_assert_str_eq(clock_source_name(), "cpuid");
    cr_assert_lt(true_ns, 4 * MS);
}

Test(clock, a_false_claim_is_not_believed)
{
    claimed_hz = tsc_hz * 2;
    boot();
    cr_assert(clock_rates_agree(clock_tsc_hz(), tsc_hz, 50000));
    cr_assert_str_eq(clock_source_name(), "hpet");
}

Test(clock, a_delay_lasts_what_it_says)
{
    boot();
    uint64_t before_ns = true_ns;
    clock_delay_us(500);
    cr_assert_geq(true_ns - before_ns, 500 * US - 20);
    cr_assert_lt(true_ns - before_ns, 501 * US);
}

Test(clock, knows_the_calendar)
{
    boot();
    uint64_t seconds = clock_realtime_ns() / NS_PER_SECOND;
    cr_assert_eq(seconds, CALENDAR);
    true_ns += 3600 * NS_PER_SECOND;
    cr_assert_leq(clock_realtime_ns() / NS_PER_SECOND - seconds, 3601);
    cr_assert_geq(clock_realtime_ns() / NS_PER_SECOND - seconds, 3599);
}

/* The timer. */

/* When the APIC timer will fire. */
static uint64_t timer_fires_ns(void)
{
    return timer_start_ns + timer_count * (NS_PER_SECOND / TIMER_HZ);
}

Test(clock, the_timer_fires_at_its_deadline_and_not_before)
{
    boot();
    uint64_t wait_ns[] = {0, 1, 15, 16, 17, 10 * US, MS, NS_PER_SECOND};
    for (size_t i = 0; i < sizeof(wait_ns) / sizeof(wait_ns[0]); i++) {
        uint64_t asked_at_ns = true_ns;
        clock_arm(clock_now_ns() + wait_ns[i]);
        cr_assert_not(is_timer_masked);
        cr_assert_gt(timer_count, 0, "0 would stop the timer");
        /* 20 parts in a million of calibration, both ways. */
        uint64_t slack_ns = wait_ns[i] / 40000;
        cr_assert_geq(timer_fires_ns() + slack_ns, asked_at_ns + wait_ns[i]);
        cr_assert_leq(timer_fires_ns(),
                      asked_at_ns + wait_ns[i] + slack_ns + 200);
        clock_interrupt();
    }
}

Test(clock, only_an_earlier_deadline_programs_the_timer)
{
    boot();
    uint64_t now_ns = clock_now_ns();
    clock_arm(now_ns + 5 * MS);
    uint64_t started_ns = timer_start_ns;
    true_ns += MS;
    clock_arm(now_ns + 6 * MS);
    clock_arm(now_ns + 5 * MS);
    clock_arm(CLOCK_NEVER);
    cr_assert_eq(timer_start_ns, started_ns);
    clock_arm(now_ns + 4 * MS);
    cr_assert_gt(timer_start_ns, started_ns);
}

Test(clock, a_deadline_in_the_past_fires_at_once)
{
    boot();
    clock_arm(1);
    cr_assert_eq(timer_count, 1);
}

Test(clock, a_deadline_beyond_the_counter_is_waited_for_in_pieces)
{
    boot();
    clock_arm(clock_now_ns() + 86400 * NS_PER_SECOND);
    cr_assert_eq(timer_count, UINT32_MAX);
    clock_interrupt();
    cr_assert_eq(timers_raised, 1);
    clock_arm(clock_now_ns() + MS);
    cr_assert_lt(timer_count, 100000);
}

Test(clock, a_deadline_asked_for_before_the_timer_runs_is_not_lost)
{
    clock_init(TSC_AT_START);
    clock_sample();
    clock_arm(clock_now_ns() + 20 * MS);
    clock_calibrate();
    cr_assert_not(is_timer_masked);
    cr_assert_gt(timer_count, 0);
    cr_assert_leq(timer_fires_ns(), 22 * MS);
}

Test(clock, an_interrupt_arms_the_next_poll_of_a_broken_line)
{
    boot();
    poll_next_ns = clock_now_ns() + MS;
    clock_interrupt();
    cr_assert_leq(timer_fires_ns(), true_ns + MS + US);
    cr_assert_eq(timers_raised, 1);
}

Test(clock, the_tsc_deadline_is_the_deadline)
{
    has_deadline = true;
    claimed_hz = tsc_hz;
    boot();
    uint64_t at_ns = clock_now_ns() + 10 * MS;
    clock_arm(at_ns);
    cr_assert_geq(clock_from_tsc(deadline_tsc) + 2, at_ns);
    cr_assert_lt(clock_from_tsc(deadline_tsc), at_ns + 100);
    clock_arm(0);
    cr_assert_neq(deadline_tsc, 0, "0 would stop the timer");
    cr_assert_leq(deadline_tsc, tsc_at(true_ns));
}
