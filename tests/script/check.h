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

/* --- stack_view.c --------------------------------------------------------- */

struct lan;
void stack_view_init(const struct lan *lan);

/* Linux's number of the state of peer 1's connection, whoever owns it. */
int stack_view_state(void);

/* One of net_visit_counters(). */
bool stack_view_counter(const char *name, uint64_t *value);

/* One setting, `NAME=VALUE`. False if there is no such one, or not so. */
bool stack_view_set(const char *setting);

/* What of the stack's memory is out, as text; "" if all is back. */
const char *stack_view_leaks(void);
