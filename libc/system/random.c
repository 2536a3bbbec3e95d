/* SPDX-License-Identifier: MIT */
/*
 * rand and random: repeatable by seed (xorshift64*, Vigna 2014), not secret;
 * getrandom: the kernel's generator, secret.
 */
#include "net/platform.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t state = 1;

static uint32_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33);
}

int rand(void)
{
    return (int)next();
}

void srand(unsigned seed)
{
    state = (uint64_t)seed + 1;
}

long random(void)
{
    return (long)next();
}

void srandom(unsigned seed)
{
    srand(seed);
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    if ((flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM)) != 0) {
        errno = EINVAL;
        return -1;
    }
    platform_random(buffer, size);
    return (ssize_t)size;
}
