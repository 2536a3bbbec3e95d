/* SPDX-License-Identifier: MIT */
#include "tests/unit/support_kernel_fake.h"

#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/softirq.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bus addresses differ from ours, so that a pointer given to a device by
 * mistake is noticed. */
#define BUS_OFFSET UINT64_C(0x0100000000000000)

struct fake_kernel fake_kernel = {
    .memory_available = 62 << 20,
    .memory_limit = 64 << 20,
    .interrupts_enabled = true,
};

/* Boot memory is never given back: kept reachable, so that it is no leak. */
static void *blocks[1024];
static size_t block_count;

uint64_t fake_bus_address(const void *address)
{
    return (uint64_t)(uintptr_t)address + BUS_OFFSET;
}

void *fake_bus_memory(uint64_t address)
{
    if (address < BUS_OFFSET)
        abort(); /* the device was given one of our pointers */
    return (void *)(uintptr_t)(address - BUS_OFFSET);
}

uint64_t memory_physical(const void *address)
{
    return fake_bus_address(address);
}

void *memory_take(size_t bytes, size_t alignment)
{
    void *block;

    if (alignment < 16)
        alignment = 16;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    if (bytes > fake_kernel.memory_limit - fake_kernel.memory_taken)
        return NULL;
    fake_kernel.memory_taken += bytes;
    block = aligned_alloc(alignment, bytes);
    if (block == NULL || block_count == sizeof(blocks) / sizeof(blocks[0]))
        abort();
    blocks[block_count++] = block;
    return memset(block, 0, bytes);
}

size_t memory_available(void)
{
    return fake_kernel.memory_available;
}

uint64_t clock_now_ns(void)
{
    return fake_kernel.now_ns;
}

void clock_delay_us(uint32_t microseconds)
{
    fake_kernel.now_ns += UINT64_C(1000) * microseconds;
}

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    char line[LOG_LINE_BYTES];
    va_list arguments;
    size_t length;

    (void)level;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    length = fake_kernel.log_length;
    fake_kernel.log_length += (size_t)snprintf(fake_kernel.log + length,
                                               sizeof(fake_kernel.log) - length,
                                               "%s: %s\n", part, line);
    if (fake_kernel.log_length >= sizeof(fake_kernel.log))
        fake_kernel.log_length = sizeof(fake_kernel.log) - 1;
}

bool fake_log_has(const char *text)
{
    return strstr(fake_kernel.log, text) != NULL;
}

bool cpu_interrupts_save(void)
{
    bool were_enabled = fake_kernel.interrupts_enabled;

    fake_kernel.interrupts_enabled = false;
    return were_enabled;
}

void cpu_interrupts_restore(bool enabled)
{
    fake_kernel.interrupts_enabled = enabled;
}

static struct fake_device *device_of(const struct pci_device *pci)
{
    return (struct fake_device *)(uintptr_t)pci; /* its first member */
}

struct fake_device *fake_device_add(uint16_t device, void *registers)
{
    struct fake_device *fake = &fake_kernel.devices[fake_kernel.device_count];

    fake->pci = (struct pci_device){
        .slot = (uint8_t)(fake_kernel.device_count + 2),
        .vendor = 0x8086,
        .device = device,
        .class_code = PCI_CLASS_NETWORK,
        .interrupt_pin = 1,
        .bar = {{(uint64_t)(uintptr_t)registers, 0x20000, PCI_BAR_MEMORY,
                 false}},
    };
    ++fake_kernel.device_count;
    return fake;
}

size_t pci_count(void)
{
    return fake_kernel.device_count;
}

struct pci_device *pci_at(size_t index)
{
    return &fake_kernel.devices[index].pci;
}

uint16_t pci_read16(const struct pci_device *pci, uint16_t offset)
{
    const struct fake_device *fake = device_of(pci);

    if (fake->is_gone)
        return UINT16_MAX;
    if (offset == 0)
        return pci->vendor;
    return offset == PCI_COMMAND ? fake->command : 0;
}

void pci_write16(const struct pci_device *pci, uint16_t offset, uint16_t value)
{
    struct fake_device *fake = device_of(pci);

    if (fake->is_gone || offset != PCI_COMMAND)
        return;
    fake->command = value;
    if (fake->keeps_bus)
        fake->command |= PCI_COMMAND_BUS_MASTER;
}

void pci_enable(struct pci_device *pci)
{
    device_of(pci)->command = PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER;
}

void *pci_map_bar(const struct pci_device *pci, unsigned int index)
{
    return (void *)(uintptr_t)pci->bar[index].address;
}

void softirq_set_idle_look(bool (*look)(void))
{
    fake_kernel.idle_look = look;
}

int interrupt_request_pci(const struct pci_device *pci,
                          interrupt_handler *handler, void *context)
{
    device_of(pci)->handler = handler;
    device_of(pci)->handler_context = context;
    return 0;
}
