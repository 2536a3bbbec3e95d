/* SPDX-License-Identifier: MIT */
/*
 * The processor's instructions that C has no words for: all inline assembly
 * of ferrule. Names follow the Intel SDM volume 2 where one instruction is
 * one function. Entry and exit paths are in boot/start.S and kernel/entry.S.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    CPU_FLAGS_INTERRUPT = 1 << 9,

    CPU_SELECTOR_CODE = 0x08,
    CPU_SELECTOR_DATA = 0x10,
    CPU_SELECTOR_TASK = 0x18,
};

/* Operand of LGDT and LIDT; packed by hand because the base is unaligned. */
struct cpu_table_pointer {
    uint16_t padding[3];
    uint16_t limit;
    uint64_t base;
};

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Ports. */

static inline uint8_t cpu_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t cpu_in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t cpu_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void cpu_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* Device memory. One access each, never merged, split or moved. */

static inline uint32_t mmio_read32(const volatile void *address)
{
    uint32_t value;
    __asm__ volatile("movl %1, %0"
                     : "=r"(value)
                     : "m"(*(const volatile uint32_t *)address)
                     : "memory");
    return value;
}

static inline void mmio_write8(volatile void *address, uint8_t value)
{
    __asm__ volatile("movb %1, %0"
                     : "=m"(*(volatile uint8_t *)address)
                     : "q"(value)
                     : "memory");
}

static inline void mmio_write16(volatile void *address, uint16_t value)
{
    __asm__ volatile("movw %1, %0"
                     : "=m"(*(volatile uint16_t *)address)
                     : "r"(value)
                     : "memory");
}

static inline void mmio_write32(volatile void *address, uint32_t value)
{
    __asm__ volatile("movl %1, %0"
                     : "=m"(*(volatile uint32_t *)address)
                     : "r"(value)
                     : "memory");
}

static inline uint64_t mmio_read64(const volatile void *address)
{
    uint64_t value;
    __asm__ volatile("movq %1, %0"
                     : "=r"(value)
                     : "m"(*(const volatile uint64_t *)address)
                     : "memory");
    return value;
}

static inline void mmio_write64(volatile void *address, uint64_t value)
{
    __asm__ volatile("movq %1, %0"
                     : "=m"(*(volatile uint64_t *)address)
                     : "r"(value)
                     : "memory");
}

/*
 * Barriers. x86 keeps loads in order with loads and stores with stores in
 * ordinary memory, so against a DMA device the read and write barriers only
 * have to stop the compiler; a store followed by a load needs the full one.
 */

static inline void cpu_barrier_compiler(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline void cpu_barrier_read(void)
{
    cpu_barrier_compiler();
}

static inline void cpu_barrier_write(void)
{
    cpu_barrier_compiler();
}

static inline void cpu_barrier_full(void)
{
    __asm__ volatile("mfence" : : : "memory");
}

/* Identification and model specific registers. */

static inline struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid id;
    __asm__ volatile("cpuid"
                     : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
                     : "a"(leaf), "c"(subleaf));
    return id;
}

static inline uint64_t cpu_rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t cpu_rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Only where CPUID reports the instruction; false when it came up empty. */
static inline bool cpu_rdrand(uint64_t *value)
{
    bool carry;
    __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(carry));
    return carry;
}

static inline bool cpu_rdseed(uint64_t *value)
{
    bool carry;
    __asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(carry));
    return carry;
}

/* The low half of a 128-bit product; the high half goes to `high`. */
static inline uint64_t cpu_multiply(uint64_t a, uint64_t b, uint64_t *high)
{
    uint64_t low;
    __asm__("mulq %3" : "=a"(low), "=d"(*high) : "a"(a), "rm"(b) : "cc");
    return low;
}

/* Control registers and address translation. */

static inline uint64_t cpu_read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr0, %0" : "=r"(value) : : "memory");
    return value;
}

static inline void cpu_write_cr0(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr2, %0" : "=r"(value) : : "memory");
    return value;
}

static inline uint64_t cpu_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr3, %0" : "=r"(value) : : "memory");
    return value;
}

/* Also forgets every cached translation (CR4.PGE is never set). */
static inline void cpu_write_cr3(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("movq %%cr4, %0" : "=r"(value) : : "memory");
    return value;
}

static inline void cpu_write_cr4(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

static inline void cpu_invlpg(const void *address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Interrupt flag. */

static inline uint64_t cpu_flags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
    return flags;
}

static inline void cpu_interrupts_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline void cpu_interrupts_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline bool cpu_interrupts_enabled(void)
{
    return (cpu_flags() & CPU_FLAGS_INTERRUPT) != 0;
}

/* Returns whether they were enabled, for cpu_interrupts_restore. */
static inline bool cpu_interrupts_save(void)
{
    bool enabled = cpu_interrupts_enabled();
    cpu_interrupts_disable();
    return enabled;
}

static inline void cpu_interrupts_restore(bool enabled)
{
    if (enabled)
        cpu_interrupts_enable();
}

/*
 * Sleeps until an interrupt. STI takes effect after the instruction that
 * follows it, so an interrupt cannot slip in between and be slept through.
 * Call with interrupts disabled and nothing pending; returns with them on.
 */
static inline void cpu_idle_enable_interrupts(void)
{
    __asm__ volatile("sti\n\thlt" : : : "memory");
}

/* Sleeps for good: only an NMI or a reset follows. */
static inline void cpu_halt(void)
{
    __asm__ volatile("cli\n\thlt" : : : "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Descriptor tables. */

static inline void cpu_lgdt(const struct cpu_table_pointer *table)
{
    __asm__ volatile("lgdt (%0)" : : "r"(&table->limit) : "memory");
}

static inline void cpu_lidt(const struct cpu_table_pointer *table)
{
    __asm__ volatile("lidt (%0)" : : "r"(&table->limit) : "memory");
}

static inline void cpu_ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

/* Reloads every segment register from the current GDT. */
static inline void cpu_load_segments(void)
{
    __asm__ volatile("pushq %0\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %1, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%fs\n\t"
                     "movl %%eax, %%gs"
                     :
                     : "i"(CPU_SELECTOR_CODE), "i"(CPU_SELECTOR_DATA)
                     : "rax", "memory");
}

/* Deliberate faults, for the self tests and the last way to reset. */

static inline void cpu_breakpoint(void)
{
    __asm__ volatile("int3" : : : "memory");
}

static inline void cpu_undefined_instruction(void)
{
    __asm__ volatile("ud2" : : : "memory");
}

static inline void cpu_divide_by_zero(void)
{
    __asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0) : "cc");
}
