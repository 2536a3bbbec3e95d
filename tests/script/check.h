/* SPDX-License-Identifier: MIT */
/*
 * %{ assert tcpi_snd_cwnd == 10 }%: assertions on TCP_INFO and counters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if all hold; else `why` says which does not, with its values. */
bool check_run(const char *text, char *why, size_t size);
