/* SPDX-License-Identifier: MIT */
/*
 * Stands in for kernel/cpu.h in host tests of drivers: device memory leads to
 * a fake device, interrupts are a flag, barriers stop the compiler only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint32_t mmio_read32(const volatile void *address);
void mmio_write32(volatile void *address, uint32_t value);

bool cpu_interrupts_save(void);
void cpu_interrupts_restore(bool enabled);

static inline void cpu_barrier_read(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline void cpu_barrier_write(void)
{
    __asm__ volatile("" ::: "memory");
}
