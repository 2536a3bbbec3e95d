/* SPDX-License-Identifier: MIT */
/*
 * References for the TSC: HPET (IA-PC HPET specification 1.0a), ACPI PM timer
 * (ACPI 4.8.2.1), 8254 PIT; CPUID leaves 15H and 16H (SDM 18.7.3), 40000010H
 * (VMware's, KVM's too), and KVM's clock page (its MSR documentation).
 */
#include "kernel/clock_reference.h"
#include "kernel/acpi.h"
#include "kernel/clock_scale.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    HPET_CAPABILITIES = 0x00,
    HPET_CONFIGURATION = 0x10,
    HPET_COUNTER = 0xF0,
    HPET_BYTES = 0x400,
    HPET_ENABLE = 1 << 0,
    HPET_PERIOD_MAX_FS = 100000000, /* the specification's own limit */

    PM_TIMER_HZ = 3579545,

    PIT_HZ = 1193182,
    PIT_CHANNEL_2 = 0x42,
    PIT_CONTROL = 0x43,
    PIT_START_MODE_0 = 0xB0, /* channel 2, low then high byte, count down */
    PIT_LATCH = 0x80,
    SPEAKER_PORT = 0x61,
    SPEAKER_GATE = 1 << 0,
    SPEAKER_SOUND = 1 << 1,

    MOVES_WITHIN_READS = 1000,

    KVM_CLOCK_MSR = 0x4B564D01,
    KVM_CLOCK_ENABLE = 1,
    KVM_FEATURE_CLOCK_2 = 1 << 3,
};

#define CPUID_HYPERVISOR      (UINT32_C(1) << 31)
#define CPUID_HYPERVISOR_LEAF UINT32_C(0x40000000)
#define CPUID_KVM_FEATURES    UINT32_C(0x40000001)
#define CPUID_FREQUENCIES     UINT32_C(0x40000010)

static volatile uint8_t *hpet_registers;

static uint64_t read_hpet(void)
{
    return mmio_read32(hpet_registers + HPET_COUNTER);
}

static uint64_t read_pm_timer(void)
{
    return cpu_in32(acpi_fadt()->pm_timer_port);
}

static uint64_t read_pit(void)
{
    cpu_out8(PIT_CONTROL, PIT_LATCH);
    uint32_t low = cpu_in8(PIT_CHANNEL_2);
    uint32_t high = cpu_in8(PIT_CHANNEL_2);
    return UINT16_MAX - (high << 8 | low);
}

static struct clock_reference hpet = {
    .name = "hpet", .mask = UINT32_MAX, .read = read_hpet};
static const struct clock_reference pm_timer = {.name = "pm timer",
                                                .hz = PM_TIMER_HZ,
                                                .mask = 0xFFFFFF,
                                                .read = read_pm_timer};
static const struct clock_reference pit = {
    .name = "pit", .hz = PIT_HZ, .mask = UINT16_MAX, .read = read_pit};

static bool moves(const struct clock_reference *reference)
{
    uint64_t first = reference->read();

    for (int i = 0; i < MOVES_WITHIN_READS; i++) {
        if (reference->read() != first)
            return true;
    }
    return false;
}

const struct clock_reference *clock_reference_pit(void)
{
    uint8_t speaker = cpu_in8(SPEAKER_PORT);

    speaker = (uint8_t)((speaker & ~SPEAKER_SOUND) | SPEAKER_GATE);
    cpu_out8(SPEAKER_PORT, speaker);
    cpu_out8(PIT_CONTROL, PIT_START_MODE_0);
    cpu_out8(PIT_CHANNEL_2, UINT8_MAX);
    cpu_out8(PIT_CHANNEL_2, UINT8_MAX);
    return &pit;
}

/* Reads the low half of the counter only: 40 s at 100 MHz are enough, and a
 * 64-bit access is two on some buses. */
static bool open_hpet(void)
{
    if (acpi_hpet() == NULL)
        return false;
    hpet_registers = memory_map_device(acpi_hpet()->address, HPET_BYTES);
    if (hpet_registers == NULL)
        return false;
    uint32_t period_fs = mmio_read32(hpet_registers + HPET_CAPABILITIES + 4);
    if (period_fs == 0 || period_fs > HPET_PERIOD_MAX_FS)
        return false;
    hpet.hz = UINT64_C(1000000000000000) / period_fs;
    uint32_t setting = mmio_read32(hpet_registers + HPET_CONFIGURATION);
    mmio_write32(hpet_registers + HPET_CONFIGURATION, setting | HPET_ENABLE);
    return moves(&hpet);
}

const struct clock_reference *clock_reference_best(void)
{
    if (open_hpet())
        return &hpet;
    if (acpi_fadt() != NULL && acpi_fadt()->pm_timer_port != 0 &&
        moves(&pm_timer))
        return &pm_timer;
    return clock_reference_pit();
}

/* What KVM writes where its clock MSR points. */
struct kvm_clock {
    uint32_t version;
    uint32_t padding;
    uint64_t tsc;
    uint64_t system_time_ns;
    uint32_t tsc_to_ns_multiplier; /* ns = (tsc << shift) * this / 2^32 */
    int8_t tsc_shift;
    uint8_t flags;
    uint8_t padding_2[2];
};

static uint64_t kvm_clock_hz(void)
{
    static union { /* may not cross a page */
        struct kvm_clock clock;
        uint64_t alignment[4];
    } page;
    const volatile struct kvm_clock *clock = &page.clock;

    cpu_wrmsr(KVM_CLOCK_MSR, memory_physical(&page) | KVM_CLOCK_ENABLE);
    uint32_t multiplier = clock->tsc_to_ns_multiplier;
    int shift = clock->tsc_shift;
    cpu_wrmsr(KVM_CLOCK_MSR, 0);
    if (multiplier == 0 || shift < -31 || shift > 31)
        return 0;
    uint64_t hz = (NS_PER_SECOND << 32) / multiplier;
    return shift < 0 ? hz << -shift : hz >> shift;
}

static uint64_t hypervisor_hz(const char **claimed_by)
{
    if ((cpu_cpuid(1, 0).ecx & CPUID_HYPERVISOR) == 0)
        return 0;
    struct cpuid id = cpu_cpuid(CPUID_HYPERVISOR_LEAF, 0);
    if (id.eax >= CPUID_FREQUENCIES) {
        *claimed_by = "hypervisor";
        uint32_t khz = cpu_cpuid(CPUID_FREQUENCIES, 0).eax;
        if (khz != 0)
            return khz * UINT64_C(1000);
    }
    bool is_kvm = id.ebx == 0x4B4D564B && id.ecx == 0x564B4D56 &&
                  id.edx == 0x4D; /* "KVMKVMKVM" */
    if (!is_kvm ||
        (cpu_cpuid(CPUID_KVM_FEATURES, 0).eax & KVM_FEATURE_CLOCK_2) == 0)
        return 0;
    *claimed_by = "kvmclock";
    return kvm_clock_hz();
}

static uint64_t cpuid_hz(const char **claimed_by)
{
    uint32_t leaves = cpu_cpuid(0, 0).eax;

    if (leaves < 0x15)
        return 0;
    struct cpuid ratio = cpu_cpuid(0x15, 0); /* TSC / crystal = EBX / EAX */
    *claimed_by = "cpuid";
    if (ratio.eax == 0 || ratio.ebx == 0)
        return 0;
    if (ratio.ecx != 0)
        return clock_multiply_divide(ratio.ecx, ratio.ebx, ratio.eax);
    /* Crystal not told: the base frequency is the TSC's to a MHz, 16H. */
    if (leaves < 0x16)
        return 0;
    return (cpu_cpuid(0x16, 0).eax & UINT16_MAX) * UINT64_C(1000000);
}

uint64_t clock_claimed_hz(const char **claimed_by)
{
    uint64_t hz = hypervisor_hz(claimed_by);

    return hz != 0 ? hz : cpuid_hz(claimed_by);
}
