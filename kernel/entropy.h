/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: RDRAND, RDSEED and timing jitter are gathered into the key of
 * a ChaCha20 generator (RFC 8439 2.3) whose key is replaced after every use
 * (fast key erasure), so that what was given out cannot be computed later.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Before anything that must be unpredictable: stack canary, ISN secret. */
void entropy_init(void);

/* Any context. */
void entropy_bytes(void *destination, size_t length);

/* Adds a value an observer on the wire cannot know exactly (interrupt times);
 * cheap, never lowers what is there. Any context. */
void entropy_stir(uint64_t value);
