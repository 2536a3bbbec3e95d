/* SPDX-License-Identifier: MIT */
/*
 * The wiring of a router: what net.c leaves out for hosts.
 */
#include "net/net_router.h"

#include "net/ip/fib.h"
#include "net/ip/forward.h"
#include "net/ip/route.h"
#include "net/net_settings.h"
#include "net/platform.h"

#include <errno.h>

static const struct net_setting settings[] = {
    {"ipv4.ip_forward", ip_forward_set, "0 or 1"},
    {"ipv4.conf.all.rp_filter", ip_source_filter_set, "0 to 2"},
    {"ipv4.conf.default.rp_filter", ip_source_filter_set, "0 to 2"},
};

int net_router_init(uint64_t now_ns)
{
    (void)now_ns;
    if (fib_init() != 0) {
        platform_log(PLATFORM_ERROR, "router", "not enough memory for routes");
        return -ENOMEM;
    }
    ip_route_use(&fib_table, NULL);
    ip_forward_start();
    net_settings_add(settings, ARRAY_COUNT(settings));
    return 0;
}
