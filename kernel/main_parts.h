/* SPDX-License-Identifier: MIT */
/*
 * Parts of the machine that only some apps want. The Makefile links one of
 * kernel/main_parts_*.c, by PARTS_<app>; what that file does not call is not
 * in the image.
 */
#pragma once

/* Right after net_init: starts the parts and takes their words off the command
 * line. Panics when there is not enough memory. */
void main_parts_start(void);

/* All cards are registered, and none is configured yet. Softirqs are locked
 * out. */
void main_parts_prepare_network(void);

/* Adds the parts' own files below /proc/ferrule. */
void main_parts_report(void);
