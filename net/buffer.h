/* SPDX-License-Identifier: MIT */
/*
 * Buffers: the one pool of payload memory, for received frames, headers to
 * send and send queues. Each has BUFFER_SIZE bytes at a multiple of that (so
 * none crosses a page) and a reference count, because a packet on its way out
 * may point into a send queue that is acknowledged meanwhile. References are
 * found by address, and a large buffer has one count for all of it. Memory
 * outside the pool (files of the module) needs none, and holding or releasing
 * it does nothing. packet_init (packet.h) takes them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/limits.h"

/* A buffer with one reference, or NULL when the pool is empty (counted).
 * Contents are undefined. */
uint8_t *buffer_alloc(void) MUST_CHECK;

/* The same of BUFFER_LARGE_SIZE bytes, or NULL when there is none (not
 * counted: BUFFERS_OF_LARGE small ones may be there). */
uint8_t *buffer_alloc_large(void) MUST_CHECK;

/* One reference more or less to the buffer that `address` lies in, if it lies
 * in one. */
void buffer_hold(const void *address);
void buffer_release(const void *address);

size_t buffer_count_total(void);
size_t buffer_count_free(void);
size_t buffer_count_free_lowest(void);
uint64_t buffer_alloc_failures(void);
