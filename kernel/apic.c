/* SPDX-License-Identifier: MIT */
/*
 * The local APIC (Intel SDM 3A 10.4 xAPIC, 10.5.4 timer, 10.12 x2APIC).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"

#include <stddef.h>

enum {
    CPUID_1_EDX_APIC = 1 << 9,
    CPUID_1_ECX_X2APIC = 1 << 21,
    CPUID_1_ECX_TSC_DEADLINE = 1 << 24,

    MSR_APIC_BASE = 0x1B,
    MSR_APIC_BASE_X2 = 1 << 10,
    MSR_APIC_BASE_ENABLE = 1 << 11,
    MSR_TSC_DEADLINE = 0x6E0,
    MSR_X2APIC = 0x800, /* plus the register's offset / 16 */

    APIC_ID = 0x20,
    APIC_TASK_PRIORITY = 0x80,
    APIC_EOI = 0xB0,
    APIC_SPURIOUS = 0xF0,
    APIC_ERROR_STATUS = 0x280,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3E0,
    APIC_BYTES = 0x400,

    SPURIOUS_ENABLE = 1 << 8,
    LVT_NMI = 4 << 8,
    LVT_MASKED = 1 << 16,
    LVT_DEADLINE = 2 << 17,
    DIVIDE_BY_16 = 3, /* ns at 1 GHz become 16 ns: a minute fits 32 bits */
};

static volatile uint8_t *registers; /* NULL: x2APIC */
static uint32_t timer_vector;

static uint32_t read(uint32_t offset)
{
    if (registers != NULL)
        return mmio_read32(registers + offset);
    return (uint32_t)cpu_rdmsr(MSR_X2APIC + offset / 16);
}

static void write(uint32_t offset, uint32_t value)
{
    if (registers != NULL)
        mmio_write32(registers + offset, value);
    else
        cpu_wrmsr(MSR_X2APIC + offset / 16, value);
}

/* SDM 10.12.5: x2APIC cannot be left again but through "disabled", so what
 * firmware chose is kept, and it is chosen where it exists. */
static bool open_registers(uint64_t address)
{
    struct cpuid features = cpu_cpuid(1, 0);
    uint64_t base = cpu_rdmsr(MSR_APIC_BASE);

    if ((features.edx & CPUID_1_EDX_APIC) == 0)
        return false;
    base |= MSR_APIC_BASE_ENABLE;
    cpu_wrmsr(MSR_APIC_BASE, base);
    if (features.ecx & CPUID_1_ECX_X2APIC) {
        cpu_wrmsr(MSR_APIC_BASE, base | MSR_APIC_BASE_X2);
        return true;
    }
    registers = memory_map_device(address, APIC_BYTES);
    return registers != NULL;
}

bool apic_init(uint64_t address, struct apic_vectors vectors)
{
    if (!open_registers(address))
        return false;
    timer_vector = vectors.timer;
    write(APIC_TASK_PRIORITY, 0);
    write(APIC_LVT_TIMER, LVT_MASKED | timer_vector);
    write(APIC_LVT_LINT0, LVT_MASKED);
    write(APIC_LVT_LINT1, LVT_NMI);
    write(APIC_LVT_ERROR, vectors.error);
    write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
    write(APIC_TIMER_INITIAL, 0);
    write(APIC_SPURIOUS, SPURIOUS_ENABLE | vectors.spurious);
    apic_errors();
    apic_acknowledge(); /* one may be in service since the firmware */
    return true;
}

bool apic_is_x2(void)
{
    return registers == NULL;
}

uint32_t apic_id(void)
{
    uint32_t id = read(APIC_ID);

    return registers != NULL ? id >> 24 : id;
}

void apic_acknowledge(void)
{
    write(APIC_EOI, 0);
}

uint32_t apic_errors(void)
{
    write(APIC_ERROR_STATUS, 0); /* latches, SDM 10.5.3 */
    return read(APIC_ERROR_STATUS);
}

void apic_timer_start(uint32_t count)
{
    write(APIC_TIMER_INITIAL, count);
}

void apic_timer_unmask(void)
{
    write(APIC_LVT_TIMER, timer_vector);
}

uint32_t apic_timer_count(void)
{
    return read(APIC_TIMER_CURRENT);
}

bool apic_has_deadline(void)
{
    return (cpu_cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE) != 0;
}

void apic_deadline_enable(void)
{
    write(APIC_LVT_TIMER, LVT_DEADLINE | timer_vector);
    /* SDM 10.5.4.1: the memory-mapped LVT write must be seen before the MSR
     * that depends on it. */
    cpu_barrier_full();
}

void apic_deadline_set(uint64_t tsc)
{
    cpu_wrmsr(MSR_TSC_DEADLINE, tsc);
}
