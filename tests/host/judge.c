/* SPDX-License-Identifier: MIT */
/*
 * What both kinds of run share.
 */
#include "tests/host/judge.h"

#include <stdarg.h>
#include <stdio.h>

void judge_fault(struct judge_result *result, const char *format, ...)
{
    va_list values;

    if (result->fault[0] != '\0')
        return;
    va_start(values, format);
    (void)vsnprintf(result->fault, sizeof(result->fault), format, values);
    va_end(values);
}

void judge_mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    *hash ^= *hash >> 29;
}

uint64_t judge_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint8_t judge_byte(uint64_t key, uint32_t offset)
{
    uint64_t state = key << 32 | offset / 8;

    return (uint8_t)(judge_random(&state) >> (offset % 8 * 8));
}
