/* SPDX-License-Identifier: MIT */
/*
 * Packets that are discarded, one line each in the log: what counters only
 * count. For those who look for the reason of one.
 */
#pragma once

#include "net/attributes.h"

/* The setting `trace_drops`: 0 none, 1 at most 20 lines a second. -EINVAL. */
int net_trace_drops(unsigned value) MUST_CHECK;
