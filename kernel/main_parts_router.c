/* SPDX-License-Identifier: MIT */
/*
 * A router: forwarding, its settings and its words.
 */
#include "kernel/main_parts.h"

#include "kernel/clock.h"
#include "kernel/panic.h"
#include "net/net_router.h"

void main_parts_start(void)
{
    if (net_router_init(clock_now_ns()) != 0)
        panic("not enough memory for the router");
}

void main_parts_prepare_network(void)
{
}

void main_parts_report(void)
{
}
