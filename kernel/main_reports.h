/* SPDX-License-Identifier: MIT */
/*
 * The files below /proc/ferrule that the kernel provides: "counters",
 * "loglevel" and "log".
 */
#pragma once

void main_reports_register(void);
