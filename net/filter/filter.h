/* SPDX-License-Identifier: MIT */
/*
 * The five hooks of the packet's way (as netfilter names them). A hook
 * returns a verdict, the caller acts on it. No rules exist yet: each table is
 * empty and costs one comparison.
 */
#pragma once

#include <stddef.h>

#include "net/packet.h"

enum filter_hook {
    FILTER_PREROUTING,
    FILTER_INPUT,
    FILTER_FORWARD,
    FILTER_OUTPUT,
    FILTER_POSTROUTING,
    FILTER_HOOK_COUNT,
};

enum filter_verdict {
    FILTER_ACCEPT,
    FILTER_DROP,
    FILTER_REJECT, /* drop, and tell the sender */
};

/* A rule set of one hook; borrows the packet, data at the IP header or, in
 * INPUT, at the transport header. */
typedef enum filter_verdict filter_rules(const struct packet *packet);

extern filter_rules *filter_tables[FILTER_HOOK_COUNT];

static inline enum filter_verdict filter_run(enum filter_hook hook,
                                             const struct packet *packet)
{
    if (filter_tables[hook] == NULL)
        return FILTER_ACCEPT;
    return filter_tables[hook](packet);
}
