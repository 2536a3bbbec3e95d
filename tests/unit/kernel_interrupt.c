/* SPDX-License-Identifier: MIT */
/*
 * Lines and their handlers on a machine made of functions: sharing, storms,
 * silence, messages, and devices without any line.
 * test-links: kernel/interrupt.c kernel/acpi_parse.c
 * test-flags: -iquote tests/unit/fake
 */
#include "kernel/interrupt.h"
#include "kernel/acpi.h"
#include "kernel/apic.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/entropy.h"
#include "kernel/ioapic.h"
#include "kernel/line_watch.h"
#include "kernel/msi.h"
#include "kernel/panic.h"
#include "kernel/pci.h"
#include "kernel/softirq.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

enum { PINS = 24, CARDS = 3 };

static uint64_t now_ns, armed_ns;
static bool is_masked[PINS];
static int vector_of[PINS];
static int message_vector;
static bool are_messages_masked = true;
static int acknowledged, timer_fired, warnings;
static struct acpi_madt madt;

/* A card: wants attention until its handler is called. */
static struct card {
    bool wants, is_deaf;
    int calls;
} cards[CARDS];

/* The machine. */

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void clock_arm(uint64_t at_ns)
{
    if (at_ns < armed_ns)
        armed_ns = at_ns;
}

void clock_interrupt(void)
{
    timer_fired++;
}

const struct acpi_madt *acpi_madt(void)
{
    return &madt;
}

bool apic_init(uint64_t address, struct apic_vectors vectors)
{
    (void)address;
    (void)vectors;
    return true;
}

bool apic_is_x2(void)
{
    return false;
}

uint32_t apic_id(void)
{
    return 0;
}

void apic_acknowledge(void)
{
    acknowledged++;
}

uint32_t apic_errors(void)
{
    return 0;
}

uint32_t ioapic_init(const struct acpi_madt *table)
{
    (void)table;
    return PINS;
}

bool ioapic_route(struct acpi_route route, uint8_t vector, uint32_t id)
{
    (void)id;
    if (route.gsi >= PINS)
        return false;
    cr_assert(route.is_level);
    is_masked[route.gsi] = true;
    vector_of[route.gsi] = vector;
    return true;
}

void ioapic_set_masked(uint32_t gsi, bool masked)
{
    is_masked[gsi] = masked;
}

bool msi_route(const struct pci_device *device, uint8_t vector, uint32_t id)
{
    cr_assert_eq(id, 0);
    if (device->msi_capability == 0)
        return false;
    message_vector = vector;
    return true;
}

void msi_set_masked(const struct pci_device *device, bool masked)
{
    cr_assert_neq(device->msi_capability, 0);
    are_messages_masked = masked;
}

enum softirq_context softirq_enter_hardirq(void)
{
    return CONTEXT_IDLE;
}

void softirq_leave_hardirq(enum softirq_context before)
{
    cr_assert_eq(before, CONTEXT_IDLE);
}

void entropy_stir(uint64_t value)
{
    (void)value;
}

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    (void)part;
    (void)format;
    warnings += level == LOG_WARN;
}

void panic(const char *format, ...)
{
    cr_log_error("%s", format);
    abort();
}

uint64_t cpu_rdtsc(void)
{
    return now_ns;
}

void cpu_out8(uint16_t port, uint8_t value)
{
    (void)port;
    (void)value;
}

bool cpu_interrupts_save(void)
{
    return true;
}

void cpu_interrupts_restore(bool enabled)
{
    cr_assert(enabled);
}

void cpu_interrupts_enable(void)
{
}

/* The cards. */

static bool answer(void *context)
{
    struct card *card = context;

    card->calls++;
    if (card->is_deaf || !card->wants)
        return false;
    card->wants = false;
    return true;
}

static void request(struct card *card, uint8_t line)
{
    struct pci_device device = {.interrupt_pin = 1, .interrupt_line = line};

    cr_assert_eq(interrupt_request_pci(&device, answer, card), 0);
}

static void raise(unsigned int pin)
{
    cr_assert_not(is_masked[pin]);
    interrupt_dispatch((unsigned int)vector_of[pin], NULL);
}

static void start(void)
{
    armed_ns = UINT64_MAX;
    for (size_t i = 0; i < PINS; i++)
        is_masked[i] = true;
    interrupt_init();
}

TestSuite(interrupt, .init = start);

Test(interrupt, the_line_of_a_device_is_open_after_the_request_and_not_before)
{
    cr_assert(is_masked[11]);
    request(&cards[0], 11);
    cr_assert_not(is_masked[11]);
    cr_assert(is_masked[10]);
}

Test(interrupt, a_line_leads_where_the_override_says)
{
    madt.override_count = 1;
    madt.override[0] = (struct acpi_override){.isa_line = 11, .gsi = 20};
    request(&cards[0], 11);
    cr_assert_not(is_masked[20]);
    cr_assert(is_masked[11]);
}

Test(interrupt, everybody_on_a_shared_line_is_asked)
{
    request(&cards[0], 11);
    request(&cards[1], 11);
    request(&cards[2], 10);
    cards[0].wants = cards[1].wants = true;
    raise(11);
    cr_assert_not(cards[0].wants);
    cr_assert_not(cards[1].wants);
    cr_assert_eq(cards[2].calls, 0);
    cr_assert_eq(interrupt_counters()->unhandled, 0);
    cr_assert_eq(acknowledged, 1);
}

Test(interrupt, a_stray_is_counted_and_the_line_stays_open)
{
    request(&cards[0], 11);
    raise(11);
    cr_assert_eq(interrupt_counters()->unhandled, 1);
    cr_assert_not(is_masked[11]);
}

Test(interrupt, a_storm_masks_the_line_and_its_devices_are_polled)
{
    request(&cards[0], 11);
    armed_ns = UINT64_MAX;
    for (int i = 0; i < LINE_STORM_WINDOW; i++) {
        now_ns += 500;
        raise(11);
    }
    cr_assert(is_masked[11]);
    cr_assert_eq(interrupt_counters()->storms, 1);
    cr_assert_eq(armed_ns, now_ns + LINE_POLL_NS);

    cards[0].wants = true;
    now_ns = armed_ns;
    cr_assert_eq(interrupt_poll(now_ns), now_ns + LINE_POLL_NS);
    cr_assert_not(cards[0].wants);
    cr_assert_eq(warnings, 1);
}

Test(interrupt, a_storm_on_one_line_leaves_the_others_alone)
{
    request(&cards[0], 11);
    request(&cards[1], 10);
    for (int i = 0; i < LINE_STORM_WINDOW; i++)
        raise(11);
    cr_assert(is_masked[11]);
    cr_assert_not(is_masked[10]);
    cards[1].wants = true;
    raise(10);
    cr_assert_not(cards[1].wants);
}

Test(interrupt, a_silent_line_is_polled_and_no_work_is_lost_meanwhile)
{
    int found = 0;

    request(&cards[0], 3);
    for (uint64_t next_ns = armed_ns; now_ns < 100000000; next_ns = armed_ns) {
        now_ns = next_ns;
        cards[0].wants = true;
        armed_ns = interrupt_poll(now_ns);
        found += !cards[0].wants;
    }
    cr_assert_gt(found, 50);
    cr_assert(is_masked[3]);
    cr_assert_eq(interrupt_counters()->lines_polled, 1);
    cr_assert_eq(warnings, 1, "said once");
}

Test(interrupt, a_line_that_works_is_not_polled)
{
    request(&cards[0], 11);
    cards[0].wants = true;
    raise(11);
    cards[0].calls = 0;
    cr_assert_eq(interrupt_poll(UINT64_MAX - 1), UINT64_MAX);
    cr_assert_eq(cards[0].calls, 0);
}

Test(interrupt, devices_without_a_line_are_polled_from_the_start)
{
    request(&cards[0], 0);
    request(&cards[1], 255);
    request(&cards[2], 24); /* beyond the last pin */
    for (size_t i = 0; i < CARDS; i++)
        cards[i].wants = true;
    interrupt_poll(armed_ns);
    for (size_t i = 0; i < CARDS; i++)
        cr_assert_not(cards[i].wants, "%zu", i);
}

static struct pci_device sender = {
    .interrupt_pin = 1, .interrupt_line = 11, .msi_capability = 0xd0};

Test(interrupt, who_sends_messages_shares_no_line)
{
    cr_assert_eq(interrupt_request_pci(&sender, answer, &cards[0]), 0);
    cr_assert_not(are_messages_masked);
    cr_assert(is_masked[11], "its pin is not used");
    request(&cards[1], 11);
    cards[0].wants = cards[1].wants = true;
    interrupt_dispatch((unsigned int)message_vector, NULL);
    cr_assert_not(cards[0].wants);
    cr_assert_eq(cards[1].calls, 0);
    raise(11);
    cr_assert_not(cards[1].wants);
    cr_assert_eq(cards[0].calls, 1);
    cr_assert_eq(acknowledged, 2);
}

Test(interrupt, messages_without_end_are_masked_and_their_sender_is_polled)
{
    cr_assert_eq(interrupt_request_pci(&sender, answer, &cards[0]), 0);
    for (int i = 0; i < LINE_STORM_WINDOW; i++)
        interrupt_dispatch((unsigned int)message_vector, NULL);
    cr_assert(are_messages_masked);
    cr_assert_eq(interrupt_counters()->storms, 1);
    cards[0].wants = true;
    interrupt_poll(armed_ns);
    cr_assert_not(cards[0].wants);
    cr_assert_eq(warnings, 1);
}

Test(interrupt, messages_that_never_come_are_polled_for)
{
    cr_assert_eq(interrupt_request_pci(&sender, answer, &cards[0]), 0);
    for (uint64_t next_ns = armed_ns; now_ns < 100000000; next_ns = armed_ns) {
        now_ns = next_ns;
        cards[0].wants = true;
        armed_ns = interrupt_poll(now_ns);
    }
    cr_assert(are_messages_masked);
    cr_assert_eq(interrupt_counters()->lines_polled, 1);
}

Test(interrupt, too_many_handlers_are_refused)
{
    struct pci_device device = {.interrupt_pin = 1, .interrupt_line = 11};
    int accepted = 0;

    while (accepted < 1000 &&
           interrupt_request_pci(&device, answer, &cards[0]) == 0)
        accepted++;
    cr_assert_geq(accepted, 32);
    cr_assert_eq(interrupt_request_pci(&device, answer, &cards[0]), -ENOSPC);
}

Test(interrupt, the_timer_goes_to_the_clock)
{
    interrupt_dispatch(INTERRUPT_VECTOR_TIMER, NULL);
    cr_assert_eq(timer_fired, 1);
    cr_assert_eq(acknowledged, 1);
    cr_assert_eq(interrupt_count(INTERRUPT_VECTOR_TIMER), 1);
}

Test(interrupt, spurious_ones_are_counted_and_not_acknowledged)
{
    interrupt_dispatch(INTERRUPT_VECTOR_SPURIOUS, NULL);
    interrupt_dispatch(INTERRUPT_VECTOR_FIRST + 7, NULL);  /* 8259, IRQ 7 */
    interrupt_dispatch(INTERRUPT_VECTOR_FIRST + 15, NULL); /* and IRQ 15 */
    cr_assert_eq(interrupt_counters()->spurious, 3);
    cr_assert_eq(acknowledged, 0);
}

Test(interrupt, an_unknown_vector_is_acknowledged)
{
    interrupt_dispatch(0x80, NULL);
    cr_assert_eq(interrupt_counters()->spurious, 1);
    cr_assert_eq(acknowledged, 1);
}
