/* SPDX-License-Identifier: MIT */
/*
 * The canary is drawn before the entropy pool exists: from the CPU's own
 * generator where it has one, and from the time it takes to ask for things.
 */
#include "kernel/stack_protector.h"

#include "kernel/attributes.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"

#include <stdint.h>

enum {
    CPUID_ECX_RDRAND = 1 << 30, /* leaf 1 */
    TRIES = 10,                 /* Intel SDM 1 7.3.17.1 */
    TIMINGS = 64,
};

#define MIX UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */

uintptr_t __stack_chk_guard;

_Noreturn void __stack_chk_fail(void);

WITHOUT_STACK_PROTECTOR void stack_protector_start(void)
{
    uint64_t canary = cpu_rdtsc(), random;

    if ((cpu_cpuid(1, 0).ecx & CPUID_ECX_RDRAND) != 0) {
        for (unsigned i = 0; i < TRIES; i++) {
            if (cpu_rdrand(&random)) {
                canary ^= random;
                break;
            }
        }
    }
    for (unsigned i = 0; i < TIMINGS; i++) {
        (void)cpu_in8(0x61); /* leaves the CPU, and takes its time */
        canary = (canary ^ cpu_rdtsc()) * MIX;
        canary ^= canary >> 32;
    }
    /* A zero byte first: copying a string cannot reproduce it. */
    __stack_chk_guard = canary & ~UINT64_C(0xff);
}

void __stack_chk_fail(void)
{
    panic("a buffer on the stack was overrun");
}
