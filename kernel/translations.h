/* SPDX-License-Identifier: MIT */
/*
 * Page tables of a guest that runs under QEMU's translator (-accel tcg) are
 * looked up in a table of the translator's own. It has 256 places at first,
 * enough for one megabyte, and is made to measure only when the guest flushes
 * it; a kernel that lives in one address space never would, and every message
 * would pay for dozens of walks through its page tables. A real processor
 * hardly notices ten flushes a second.
 */
#pragma once

#include <stdint.h>

/* To be called by whoever works, as often as it likes. */
void translations_refresh(uint64_t now_ns);
