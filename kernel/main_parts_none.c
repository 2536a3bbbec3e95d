/* SPDX-License-Identifier: MIT */
/*
 * No parts: a host.
 */
#include "kernel/main_parts.h"

void main_parts_start(void)
{
}

void main_parts_prepare_network(void)
{
}

void main_parts_report(void)
{
}
