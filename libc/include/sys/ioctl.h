/* SPDX-License-Identifier: MIT */
/*
 * The two requests that sockets answer, Linux values.
 */
#pragma once

#define FIONREAD 0x541b
#define FIONBIO  0x5421

int ioctl(int descriptor, unsigned long request, ...);
