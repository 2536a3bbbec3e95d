/* SPDX-License-Identifier: MIT */
/*
 * A processor made of functions, for kernel files under test on the host
 * ("test-flags: -iquote tests/unit/fake"). Each test defines those that the
 * file it links asks for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint8_t cpu_in8(uint16_t port);
uint16_t cpu_in16(uint16_t port);
uint32_t cpu_in32(uint16_t port);
void cpu_out8(uint16_t port, uint8_t value);
void cpu_out16(uint16_t port, uint16_t value);
void cpu_out32(uint16_t port, uint32_t value);

uint32_t mmio_read32(const volatile void *address);
void mmio_write8(volatile void *address, uint8_t value);
void mmio_write16(volatile void *address, uint16_t value);
void mmio_write32(volatile void *address, uint32_t value);

uint64_t cpu_read_cr3(void);
void cpu_write_cr3(uint64_t value);

uint64_t cpu_rdtsc(void);
void cpu_interrupts_disable(void);
void cpu_interrupts_enable(void);
bool cpu_interrupts_save(void);
void cpu_interrupts_restore(bool enabled);
void cpu_idle_enable_interrupts(void);

static inline uint64_t cpu_multiply(uint64_t a, uint64_t b, uint64_t *high)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
}

static inline void cpu_barrier_compiler(void)
{
}

static inline void cpu_pause(void)
{
}
