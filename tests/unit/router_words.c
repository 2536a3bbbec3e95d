/* SPDX-License-Identifier: MIT */
/*
 * The words of a router: what they set, and which are refused.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/route.h"
#include "net/link/qdisc.h"
#include "net/net_router.h"

TestSuite(router_words, .timeout = 60);

static char lines[2000];

static void add_line(void *context, const char *line)
{
    (void)context;
    cr_assert_lt(strlen(lines) + strlen(line) + 2, sizeof(lines));
    strcat(strcat(lines, line), "\n");
}

static void assert_routes(const char *expected)
{
    lines[0] = '\0';
    net_router_visit_routes(add_line, NULL);
    cr_assert_str_eq(lines, expected);
}

Test(router_words, routes_hold_once_their_interface_has_its_address)
{
    static const char *const words[] = {
        "route", "10.1.0.0/16:10.0.0.9",
        "route", "10.2.0.0/16:192.168.1.9:eth1:50",
        "route", "10.3.0.0/16::eth1",
        "route", "10.4.0.0/16:blackhole",
        "route", "10.5.0.1:unreachable",
        NULL};

    router_words = words;
    router_world();
    assert_routes("blackhole 10.4.0.0/16\n"
                  "unreachable 10.5.0.1/32\n"
                  "10.0.0.0/24 dev eth0\n"
                  "10.1.0.0/16 via 10.0.0.9 dev eth0\n"
                  "default via 10.0.0.254 dev eth0\n"
                  "192.168.1.0/24 dev eth1\n"
                  "10.2.0.0/16 via 192.168.1.9 dev eth1 metric 50\n"
                  "10.3.0.0/16 dev eth1\n");
}

Test(router_words, routes_come_back_with_the_address)
{
    static const char *const words[] = {"route", "10.1.0.0/16:10.0.0.9", NULL};
    size_t before;

    router_words = words;
    router_world();
    before = ip_route_count();
    (void)world_enter(stack);
    ip_deconfigure(&device->netif);
    cr_assert_eq(ip_route_count(), before - 3);
    ip_configure(&device->netif, be32_from(OUR_ADDRESS), 24, world_now());
    world_leave(stack);
    cr_assert_eq(ip_route_count(), before - 1); /* the gateway was ip='s */
}

Test(router_words, a_route_can_be_added_while_all_runs)
{
    size_t before;

    router_words = NULL;
    router_world();
    before = ip_route_count();
    (void)world_enter(stack);
    cr_assert_eq(net_router_route_now("10.1.0.0/16:10.0.0.9"), 0);
    cr_assert_eq(net_router_route_now("10.1.0.0/16:10.0.0.9"), 0);
    cr_assert_eq(net_router_route_now("10.2.0.0/16::eth1"), 0);
    cr_assert_eq(net_router_route_now("10.3.0.0/16:blackhole"), 0);
    cr_assert_eq(net_router_route_now("10.4.0.0/16:172.16.0.1"), -ENETUNREACH);
    cr_assert_eq(net_router_route_now("10.5.0.0/16::eth9"), -ENETUNREACH);
    cr_assert_eq(net_router_route_now("10.6.0.0/8:10.0.0.9"), -EINVAL);
    cr_assert_eq(ip_route_count(), before + 3);
    ip_deconfigure(&device->netif);
    cr_assert_eq(net_router_route_now("10.1.0.0/16:10.0.0.9"), -ENETUNREACH);
    world_leave(stack);
}

Test(router_words, a_discipline_is_attached_by_name)
{
    static const char *const words[] = {"qdisc", "eth1:fq_codel", "qdisc",
                                        "eth9:pfifo", NULL};

    router_words = words;
    router_world();
    cr_assert_str_eq(qdisc_of(&inside_device->netif)->operations->name,
                     "fq_codel");
    cr_assert_null(qdisc_of(&device->netif));
    cr_assert_not_null(strstr(world_log_text(), "there is no eth9"));
}

Test(router_words, nonsense_is_refused)
{
    static const char *const routes[] = {
        "",
        "10.0.0.0",
        "10.0.0.0/8",
        "10.0.0.0/8:",
        "10.0.0.0/33:10.0.0.1",
        "10.0.0.0/:10.0.0.1",
        "10.0.0.1/8:10.0.0.1",
        "10.0.0/8:10.0.0.1",
        "10.0.0.0/8:224.0.0.1",
        "10.0.0.0/8:10.0.0.1:eth0:x",
        "10.0.0.0/8:10.0.0.1:eth0:1:2",
        "10.0.0.0/8:10.0.0.1:averyveryverylongname",
        "default:nowhere",
    };

    router_words = NULL;
    router_world();
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++)
        cr_assert_eq(net_router_word("route", routes[i]), -EINVAL, "%s",
                     routes[i]);
    cr_assert_eq(net_router_word("qdisc", "eth1"), -EINVAL);
    cr_assert_eq(net_router_word("qdisc", ":pfifo"), -EINVAL);
    cr_assert_eq(net_router_word("rout", "x"), -ENOENT);
}
