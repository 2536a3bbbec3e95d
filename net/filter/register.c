/* SPDX-License-Identifier: MIT */
/*
 * The functions on the hooks, and their rest.
 */
#include "net/filter/filter.h"

#include "net/link/gro.h"

#include <string.h>

static filter_function *functions[FILTER_HOOK_COUNT];

COLD void filter_register(enum filter_hook hook, filter_function *function)
{
    functions[hook] = function;
    filter_runners[hook] = function;
    filter_express = NULL; /* unless its owner says so anew */
    gro_set_hooked(true);  /* they see single packets */
}

void filter_clear(void)
{
    memset(functions, 0, sizeof(functions));
    memset(filter_runners, 0, sizeof(filter_runners));
    filter_express = NULL;
    gro_set_hooked(false);
}

void filter_suspend(bool is_suspended)
{
    bool is_hooked = false;

    for (size_t hook = 0; hook < FILTER_HOOK_COUNT; hook++) {
        filter_runners[hook] = is_suspended ? NULL : functions[hook];
        is_hooked |= filter_runners[hook] != NULL;
    }
    gro_set_hooked(is_hooked);
}
