/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from the wire to a handler: vectors, messages (MSI) and PCI INTx
 * lines behind them, sharing, and what is done when a line cries without end or
 * never speaks at all. Handlers run in hardirq context with interrupts off.
 */
#pragma once

#include "kernel/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_device;
struct interrupt_frame; /* kernel/trap.h */

enum {
    INTERRUPT_VECTOR_FIRST = 0x20, /* below are the CPU's exceptions */
    INTERRUPT_VECTOR_LINE = 0x30,  /* first of the IOAPIC lines in use */
    INTERRUPT_VECTOR_TIMER = 0x4D, /* few vectors: each costs a stub */
    INTERRUPT_VECTOR_ERROR = 0x4E,
    INTERRUPT_VECTOR_SPURIOUS = 0x4F, /* old APICs set the low four bits */
    INTERRUPT_VECTOR_COUNT = 0x50,
};

/*
 * Returns whether the device had something to say ("it was mine"): a cause
 * the driver has enabled, not merely a pending one. It must acknowledge the
 * device, raise a softirq and return; nothing more. It is also called by the
 * poll that replaces a line which does not work.
 */
typedef bool interrupt_handler(void *context);

/* Silences the 8259s, starts the local APIC and the IOAPICs, all lines
 * masked. Interrupts stay off until interrupt_enable(). */
void interrupt_init(void);
void interrupt_enable(void);

/* By messages if the device has them, else by its line. 0, or -ENOSPC: too many
 * handlers. A device without a usable line is polled, which is a success, too.
 * From now on the handler may be called. The device must stay. */
MUST_CHECK int interrupt_request_pci(const struct pci_device *device,
                                     interrupt_handler *handler, void *context);

/* From the entry code of every vector >= INTERRUPT_VECTOR_FIRST, interrupts
 * off. Acknowledges, and runs softirqs on the way out. */
void interrupt_dispatch(unsigned int vector, struct interrupt_frame *frame);

/* From the clock's interrupt: asks the devices of lines that need it. When
 * it wants to be called again; UINT64_MAX: never. */
uint64_t interrupt_poll(uint64_t now_ns);

/* What /metrics and the console show; index by vector. */
uint64_t interrupt_count(unsigned int vector);

struct interrupt_counters {
    uint64_t spurious;     /* vector 0xFF, nobody was to blame */
    uint64_t unhandled;    /* a line spoke, no handler claimed it */
    uint64_t storms;       /* lines masked for crying without end */
    uint64_t polls;        /* turns of the fall-back poll */
    uint64_t lines_polled; /* lines now served by polling */
    uint64_t apic_errors;
};

const struct interrupt_counters *interrupt_counters(void);
