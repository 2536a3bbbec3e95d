/* SPDX-License-Identifier: MIT */
/*
 * The requests that sockets answer, Linux values.
 */
#pragma once

#define FIONREAD   0x541b
#define FIONBIO    0x5421
#define SIOCATMARK 0x8905
#define SIOCINQ    FIONREAD
#define SIOCOUTQ   0x5411
#define TIOCOUTQ   SIOCOUTQ

/* Bytes that were not sent yet. */
#define SIOCOUTQNSD 0x894b

/* With a struct ifreq of <net/if.h>. */
#define SIOCGIFNAME    0x8910
#define SIOCGIFFLAGS   0x8913
#define SIOCGIFADDR    0x8915
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMTU     0x8921
#define SIOCGIFHWADDR  0x8927
#define SIOCGIFINDEX   0x8933

int ioctl(int descriptor, unsigned long request, ...);
