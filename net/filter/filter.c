/* SPDX-License-Identifier: MIT */
/*
 * The tables of the hooks. All empty: rules, tracking and NAT are not written
 * yet.
 */
#include "net/filter/filter.h"

filter_rules *filter_tables[FILTER_HOOK_COUNT];
