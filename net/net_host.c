/* SPDX-License-Identifier: MIT */
/* See net_host.h. */
#include "net/net_host.h"

#include "net/socket/zerocopy.h"

void net_host_init(void)
{
    socket_zerocopy_start();
}
