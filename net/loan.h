/* SPDX-License-Identifier: MIT */
/*
 * Memory of an app that packets may point at for a while (MSG_ZEROCOPY). A
 * number stands for each piece that was lent; it goes wherever a pointer into
 * it goes, into chunks of send queues and fragments of packets, and counts
 * them. When the last is gone no card reads the memory any more, and the lender
 * is told. All in softirq context, or in the app with the lock held.
 */
#pragma once

#include <stdint.h>

#include "net/attributes.h"
#include "net/limits.h"

/* The memory is no loan: a buffer of the pool, or what never goes. */
#define LOAN_NONE 0

/* All of it was given back: `lender` and `key` as at loan_open. */
typedef void loan_returned(void *lender, uint32_t key);

/* Boot. */
void loans_init(loan_returned *returned);

/* A loan with one reference, the caller's; LOAN_NONE: LOANS_MAX are out. */
uint8_t loan_open(void *lender, uint32_t key) MUST_CHECK;

/* Of a loan that is out. */
void loan_hold(uint32_t loan);
void loan_release(uint32_t loan);

/* For leak checks in tests. */
unsigned loans_out(void);
