/* SPDX-License-Identifier: MIT */
/*
 * The tables of the hooks. All empty until filter_register is called.
 */
#include "net/filter/filter.h"

filter_function *filter_runners[FILTER_HOOK_COUNT];
const struct filter_express *filter_express;
