/* SPDX-License-Identifier: MIT */
/*
 * What runs on each hook, and in which order.
 */
#pragma once

#include "net/filter/rule_set.h"

/* Puts the set's chains, tracking and translation in order. -ENOSPC. */
int engine_prepare(struct rule_set *set) MUST_CHECK;

/* The one function on every hook. */
enum filter_verdict engine_run(struct packet *packet,
                               const struct filter_context *at);

/* rules.c: memory for two files. -ENOMEM. Boot. */
int rules_init(void) MUST_CHECK;
struct rule_set *rules_active(void);
