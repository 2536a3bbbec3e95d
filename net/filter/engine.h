/* SPDX-License-Identifier: MIT */
/*
 * What runs on each hook, and in which order.
 */
#pragma once

#include "net/filter/rule_set.h"

/* Puts the set's chains, tracking and translation in order. -ENOSPC. */
int engine_prepare(struct rule_set *set) MUST_CHECK;

/* What hangs on each hook. */
extern filter_function *const engine_functions[FILTER_HOOK_COUNT];
extern const struct filter_express engine_express; /* usual.c's */

/* rules.c: memory for two files. -ENOMEM. Boot. */
int rules_init(void) MUST_CHECK;
extern struct rule_set *rules_in_use; /* NULL: none */
static inline struct rule_set *rules_active(void)
{
    return rules_in_use;
}
