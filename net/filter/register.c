/* SPDX-License-Identifier: MIT */
/*
 * Functions on the hooks, sorted by priority.
 */
#include "net/filter/filter.h"

#include "net/link/gro.h"

#include <errno.h>
#include <string.h>

struct entry {
    int priority;
    filter_function *function;
};

static struct {
    struct entry entries[FILTER_FUNCTIONS_MAX];
    size_t count;
} hooks[FILTER_HOOK_COUNT];

static enum filter_verdict run(struct packet *packet,
                               const struct filter_context *at)
{
    for (size_t i = 0; i < hooks[at->hook].count; i++) {
        enum filter_verdict verdict =
            hooks[at->hook].entries[i].function(packet, at);

        if (verdict != FILTER_ACCEPT)
            return verdict;
    }
    return FILTER_ACCEPT;
}

COLD int filter_register(enum filter_hook hook, int priority,
                         filter_function *function)
{
    struct entry *entries = hooks[hook].entries;
    size_t at = hooks[hook].count;

    if (at == FILTER_FUNCTIONS_MAX)
        return -ENOSPC;
    for (; at > 0 && entries[at - 1].priority > priority; at--)
        entries[at] = entries[at - 1];
    entries[at] = (struct entry){priority, function};
    hooks[hook].count++;
    /* Who hangs there alone is called without the list. */
    filter_runners[hook] = hooks[hook].count == 1 ? function : run;
    filter_express = NULL; /* unless its owner says that he is alone */
    gro_set_hooked(true);  /* they see single packets */
    return 0;
}

void filter_clear(void)
{
    memset(hooks, 0, sizeof(hooks));
    memset(filter_runners, 0, sizeof(filter_runners));
    filter_express = NULL;
    gro_set_hooked(false);
}

void filter_suspend(bool is_suspended)
{
    bool is_hooked = false;

    for (size_t hook = 0; hook < FILTER_HOOK_COUNT; hook++) {
        if (hooks[hook].count == 1)
            filter_runners[hook] =
                is_suspended ? NULL : hooks[hook].entries[0].function;
        is_hooked |= filter_runners[hook] != NULL;
    }
    gro_set_hooked(is_hooked);
}
