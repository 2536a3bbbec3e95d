/* SPDX-License-Identifier: MIT */
/*
 * Feeding the generator. No source is trusted alone: the CPU's instructions
 * may be broken (a stuck value is thrown away), jitter may be weak under an
 * emulator; all are mixed, and the best of them decides.
 */
#include "kernel/entropy.h"
#include "kernel/cpu.h"
#include "kernel/generator.h"

#include <stdbool.h>
#include <string.h>

enum {
    CPUID_1_ECX_RDRAND = 1 << 30,
    CPUID_7_EBX_RDSEED = 1 << 18,
    INSTRUCTION_WORDS = 8, /* 512 bits from each */
    INSTRUCTION_TRIES = 32,
    JITTER_SAMPLES = 1024, /* at 1/4 bit each: 256 bits */
    JITTER_BATCH = 32,
    STIR_WORDS = 8,
};

static struct generator generator;

/* What entropy_stir() gathered since the generator was last used. */
static uint64_t stirred[STIR_WORDS];
static unsigned int stirred_count;

/* Some processors return the same word for ever after a suspend or a bad
 * microcode: not one of two equal words in a row is believed. */
static void absorb_instruction(bool (*instruction)(uint64_t *))
{
    uint64_t words[INSTRUCTION_WORDS];
    size_t count = 0;

    for (int i = 0; i < INSTRUCTION_TRIES && count < INSTRUCTION_WORDS; i++) {
        uint64_t word;
        if (!instruction(&word))
            continue;
        if (count != 0 && word == words[count - 1])
            return;
        words[count++] = word;
    }
    if (count == INSTRUCTION_WORDS)
        generator_absorb(&generator, words, sizeof(words));
}

/* How long the same few memory accesses take, again and again: caches, bus,
 * the host's other work. */
static void absorb_jitter(void)
{
    static uint8_t area[4096];
    uint32_t times[JITTER_BATCH];
    uint32_t last = (uint32_t)cpu_rdtsc();

    for (uint32_t i = 0; i < JITTER_SAMPLES; i++) {
        volatile uint8_t *byte = &area[(last * 64 + i) % sizeof(area)];
        *byte = (uint8_t)(*byte + 1);
        cpu_barrier_full();
        uint32_t now = (uint32_t)cpu_rdtsc();
        times[i % JITTER_BATCH] = now - last;
        last = now;
        if (i % JITTER_BATCH == JITTER_BATCH - 1)
            generator_absorb(&generator, times, sizeof(times));
    }
}

void entropy_init(void)
{
    uint64_t tsc = cpu_rdtsc();
    bool has_leaf_7 = cpu_cpuid(0, 0).eax >= 7;

    generator_init(&generator);
    generator_absorb(&generator, &tsc, sizeof(tsc));
    if (has_leaf_7 && cpu_cpuid(7, 0).ebx & CPUID_7_EBX_RDSEED)
        absorb_instruction(cpu_rdseed);
    if (cpu_cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND)
        absorb_instruction(cpu_rdrand);
    absorb_jitter();
}

void entropy_stir(uint64_t value)
{
    bool were_enabled = cpu_interrupts_save();
    uint64_t *word = &stirred[stirred_count++ % STIR_WORDS];

    *word = (*word << 7 | *word >> 57) ^ value;
    cpu_interrupts_restore(were_enabled);
}

void entropy_bytes(void *destination, size_t length)
{
    bool were_enabled = cpu_interrupts_save();

    if (stirred_count >= STIR_WORDS) {
        generator_absorb(&generator, stirred, sizeof(stirred));
        stirred_count = 0;
    }
    generator_bytes(&generator, destination, length);
    cpu_interrupts_restore(were_enabled);
}
