/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from the wire to a handler. PCI INTx arrives at the IOAPIC pin
 * that firmware's Interrupt Line names, through the MADT's overrides: without
 * AML nothing better is known, and where it is wrong the line stays silent
 * and is polled. A device that can send messages has a line of its own, made of
 * them: a vector and no pin. Left out: more than one processor.
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

#include <errno.h>

enum {
    LINES_MAX = 24,
    HANDLERS_MAX = 48,
    NO_LINE = 0xFF,

    PIC_1_COMMAND = 0x20, /* 8259A, two of them */
    PIC_1_DATA = 0x21,
    PIC_2_COMMAND = 0xA0,
    PIC_2_DATA = 0xA1,
    PIC_INIT = 0x11,      /* ICW1: edge, cascade, ICW4 follows */
    PIC_CASCADE_LINE = 2, /* ICW3 */
    PIC_8086 = 0x01,      /* ICW4 */
    PIC_LINES = 8,
};

/* Neither pin nor sender: only polled. */
struct line {
    const struct pci_device *sender; /* of messages, which nobody shares */
    uint32_t gsi;
    uint8_t firmware_line; /* Interrupt Line, how devices share */
    bool has_pin;          /* of an IOAPIC */
    struct line_watch watch;
};

struct registration {
    interrupt_handler *handler;
    void *context;
    size_t line;
};

_Static_assert(INTERRUPT_VECTOR_LINE + LINES_MAX <= INTERRUPT_VECTOR_TIMER,
               "every line has a vector");

static struct line lines[LINES_MAX];
static size_t line_count;
static struct registration registrations[HANDLERS_MAX];
static size_t registration_count;
static uint64_t counts[INTERRUPT_VECTOR_COUNT];
static struct interrupt_counters counters;

/* Moves the 8259s' vectors away from the exceptions, for the spurious ones
 * they may send even when masked, and masks all they have. */
static void silence_8259(void)
{
    cpu_out8(PIC_1_COMMAND, PIC_INIT);
    cpu_out8(PIC_2_COMMAND, PIC_INIT);
    cpu_out8(PIC_1_DATA, INTERRUPT_VECTOR_FIRST);
    cpu_out8(PIC_2_DATA, INTERRUPT_VECTOR_FIRST + PIC_LINES);
    cpu_out8(PIC_1_DATA, 1 << PIC_CASCADE_LINE);
    cpu_out8(PIC_2_DATA, PIC_CASCADE_LINE);
    cpu_out8(PIC_1_DATA, PIC_8086);
    cpu_out8(PIC_2_DATA, PIC_8086);
    cpu_out8(PIC_1_DATA, UINT8_MAX);
    cpu_out8(PIC_2_DATA, UINT8_MAX);
}

void interrupt_init(void)
{
    const struct acpi_madt *madt = acpi_madt();
    struct apic_vectors vectors = {
        .timer = INTERRUPT_VECTOR_TIMER,
        .error = INTERRUPT_VECTOR_ERROR,
        .spurious = INTERRUPT_VECTOR_SPURIOUS,
    };

    silence_8259();
    if (!apic_init(madt->apic_address, vectors))
        panic("this CPU has no usable local APIC");
    uint32_t pins = ioapic_init(madt);
    log_print(LOG_INFO, "interrupt", "%s, %u IOAPIC pins, 1 of %zu CPUs",
              apic_is_x2() ? "x2APIC" : "xAPIC", pins, madt->cpu_count);
}

void interrupt_enable(void)
{
    cpu_interrupts_enable();
}

static uint8_t line_vector(size_t line)
{
    return (uint8_t)(INTERRUPT_VECTOR_LINE + line);
}

static bool ask_handlers(size_t line)
{
    bool is_claimed = false;

    /* All of them: a level line stays up until each device is content. */
    for (size_t i = 0; i < registration_count; i++) {
        if (registrations[i].line == line &&
            registrations[i].handler(registrations[i].context))
            is_claimed = true;
    }
    return is_claimed;
}

static void set_masked(const struct line *line, bool is_masked)
{
    if (line->sender != NULL)
        msi_set_masked(line->sender, is_masked);
    else if (line->has_pin)
        ioapic_set_masked(line->gsi, is_masked);
}

static void give_up(struct line *line, const char *why)
{
    set_masked(line, true);
    counters.lines_polled++;
    if (line->sender != NULL)
        log_print(LOG_WARN, "interrupt",
                  "%02x:%02x.%u, by message, %s, polling it", line->sender->bus,
                  line->sender->slot, line->sender->function, why);
    else
        log_print(LOG_WARN, "interrupt",
                  "line %u (pin %u) %s, polling its devices",
                  line->firmware_line, line->gsi, why);
}

static struct line *start_line(void)
{
    struct line *line = &lines[line_count];

    *line = (struct line){.firmware_line = NO_LINE};
    line_watch_start(&line->watch, clock_now_ns());
    return line;
}

/* A new line, masked. The shared one for devices without any is polled. */
static struct line *add_line(uint8_t firmware_line, bool has_line)
{
    struct line *line = start_line();

    line->firmware_line = firmware_line;
    if (has_line) {
        struct acpi_route route =
            acpi_route_isa(acpi_madt(), firmware_line, true);
        line->gsi = route.gsi;
        line->has_pin = ioapic_route(route, line_vector(line_count), apic_id());
    }
    if (!line->has_pin) {
        line_watch_poll(&line->watch, clock_now_ns());
        give_up(line, "leads nowhere");
    }
    line_count++;
    return line;
}

/* A new line, masked; NULL: the device sends no messages. */
static struct line *add_sender(const struct pci_device *device)
{
    if (line_count == LINES_MAX ||
        !msi_route(device, line_vector(line_count), apic_id()))
        return NULL;
    struct line *line = start_line();

    line->sender = device;
    line_count++;
    return line;
}

static struct line *find_line(uint8_t firmware_line)
{
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].sender == NULL && lines[i].firmware_line == firmware_line)
            return &lines[i];
    }
    return NULL;
}

/* NULL: there are too many. */
static struct line *line_for(const struct pci_device *device)
{
    bool has_line = device->interrupt_pin != 0 && device->interrupt_line != 0;
    uint8_t wanted = has_line ? device->interrupt_line : NO_LINE;
    struct line *line = add_sender(device);

    if (line == NULL)
        line = find_line(wanted);
    if (line == NULL && line_count < LINES_MAX)
        line = add_line(wanted, has_line && wanted != NO_LINE);
    return line;
}

int interrupt_request_pci(const struct pci_device *device,
                          interrupt_handler *handler, void *context)
{
    int error = -ENOSPC;

    bool were_enabled = cpu_interrupts_save();
    struct line *line =
        registration_count < HANDLERS_MAX ? line_for(device) : NULL;
    if (line == NULL)
        goto out;
    registrations[registration_count++] = (struct registration){
        .handler = handler,
        .context = context,
        .line = (size_t)(line - lines),
    };
    if (line->watch.state != LINE_POLLED)
        set_masked(line, false);
    clock_arm(line->watch.next_look_ns);
    error = 0;
out:
    cpu_interrupts_restore(were_enabled);
    return error;
}

static void receive_line(size_t index)
{
    struct line *line = &lines[index];
    bool is_claimed = ask_handlers(index);

    if (!is_claimed)
        counters.unhandled++;
    if (line_watch_interrupt(&line->watch, is_claimed) &&
        line_watch_judge(&line->watch, clock_now_ns())) {
        counters.storms++;
        give_up(line, "cries without end");
        clock_arm(line->watch.next_look_ns);
    }
}

uint64_t interrupt_poll(uint64_t now_ns)
{
    uint64_t next_ns = UINT64_MAX;

    for (size_t i = 0; i < line_count; i++) {
        struct line_watch *watch = &lines[i].watch;
        if (now_ns >= watch->next_look_ns) {
            counters.polls++;
            if (line_watch_look(watch, ask_handlers(i), now_ns))
                give_up(&lines[i], "is silent");
        }
        if (watch->next_look_ns < next_ns)
            next_ns = watch->next_look_ns;
    }
    return next_ns;
}

static void receive(unsigned int vector)
{
    if (vector == INTERRUPT_VECTOR_TIMER) {
        apic_acknowledge();
        clock_interrupt();
    } else if (vector - INTERRUPT_VECTOR_LINE < line_count) {
        entropy_stir(cpu_rdtsc());
        receive_line(vector - INTERRUPT_VECTOR_LINE);
        apic_acknowledge(); /* the devices no longer hold the line up */
    } else if (vector == INTERRUPT_VECTOR_ERROR) {
        counters.apic_errors++;
        apic_errors();
        apic_acknowledge();
    } else {
        /* The APIC's spurious vector and those of the masked 8259s must not
         * be acknowledged; the 8259s', because nothing is in service. */
        counters.spurious++;
        if (vector >= INTERRUPT_VECTOR_LINE &&
            vector != INTERRUPT_VECTOR_SPURIOUS)
            apic_acknowledge();
    }
}

void interrupt_dispatch(unsigned int vector, struct interrupt_frame *frame)
{
    enum softirq_context before = softirq_enter_hardirq();

    (void)frame;
    if (vector < INTERRUPT_VECTOR_COUNT)
        counts[vector]++;
    receive(vector);
    softirq_leave_hardirq(before);
}

uint64_t interrupt_count(unsigned int vector)
{
    return vector < INTERRUPT_VECTOR_COUNT ? counts[vector] : 0;
}

const struct interrupt_counters *interrupt_counters(void)
{
    return &counters;
}
