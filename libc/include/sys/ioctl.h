/* SPDX-License-Identifier: MIT */
/*
 * The requests that sockets answer, Linux values.
 */
#pragma once

#define FIONREAD   0x541b
#define FIONBIO    0x5421
#define SIOCATMARK 0x8905

int ioctl(int descriptor, unsigned long request, ...);
