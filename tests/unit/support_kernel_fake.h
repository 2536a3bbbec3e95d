/* SPDX-License-Identifier: MIT */
/*
 * The kernel as a driver under test sees it: memory that counts, a clock that
 * moves only by delays, configuration space, a log to look into. One device
 * model at a time answers for device memory.
 */
#pragma once

#include "kernel/interrupt.h"
#include "kernel/pci.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_DEVICES_MAX = 20, FAKE_LOG_BYTES = 16384 };

struct fake_device {
    struct pci_device pci;
    uint16_t command;
    bool is_gone;
    bool keeps_bus; /* whatever its command register is told */
    interrupt_handler *handler;
    void *handler_context;
};

struct fake_kernel {
    struct fake_device devices[FAKE_DEVICES_MAX];
    size_t device_count;
    uint64_t now_ns;
    size_t memory_available;
    size_t memory_limit; /* memory_take() fails beyond */
    size_t memory_taken;
    bool interrupts_enabled;
    bool (*idle_look)(void); /* softirq_set_idle_look() */
    char log[FAKE_LOG_BYTES];
    size_t log_length;
};

extern struct fake_kernel fake_kernel;

/* What the bus shows of an address of ours, and back. */
uint64_t fake_bus_address(const void *address);
void *fake_bus_memory(uint64_t address);

struct fake_device *fake_device_add(uint16_t device, void *registers);
bool fake_log_has(const char *text);
