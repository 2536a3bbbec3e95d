/* SPDX-License-Identifier: MIT */
/*
 * A host.
 */
#include "kernel/main_parts.h"

#include "net/net_host.h"

void main_parts_start(void)
{
    net_host_init();
}

void main_parts_prepare_network(void)
{
}

void main_parts_report(void)
{
}
