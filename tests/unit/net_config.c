/* SPDX-License-Identifier: MIT */
/*
 * The `ip=` words of the command line.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/ip.h"
#include "net/net_config.h"
#include "net/service/dhcp.h"
#include "net/service/dns.h"

static struct netif eth0 = {.name = "eth0"};
static struct netif eth1 = {.name = "eth1"};
static struct netif eth2 = {.name = "eth2"};

static void start(void)
{
    world_start(1);
    stack = world_stack_add("a", 16 * 1024 * 1024);
    net_config_init();
}

TestSuite(net_config, .init = start, .timeout = 60);

static const struct net_config *one(const char *value)
{
    net_config_init();
    cr_assert_eq(net_config_add(value), 0, "%s", value);
    return net_config_find(&eth0);
}

Test(net_config, full_word_of_linux_is_understood)
{
    const struct net_config *config =
        one("10.9.0.2:10.9.0.9:10.9.0.1:255.255.255.0:web:eth0:none:"
            "10.9.0.53:10.9.0.54:10.9.0.123");

    cr_assert_eq(config->method, NET_CONFIG_STATIC);
    cr_assert_eq(be32_get(config->address), 0x0a090002);
    cr_assert_eq(config->prefix_length, 24);
    cr_assert_eq(be32_get(config->gateway), 0x0a090001);
    cr_assert_str_eq(config->host, "web");
    cr_assert_str_eq(config->device, "eth0");
    cr_assert_eq(be32_get(config->dns[0]), 0x0a090035);
    cr_assert_eq(be32_get(config->dns[1]), 0x0a090036);
}

Test(net_config, prefix_may_stand_in_the_first_field)
{
    const struct net_config *config = one("10.9.0.2/20::10.9.0.1");

    cr_assert_eq(config->prefix_length, 20);
    cr_assert_eq(one("10.9.0.2/24:::255.255.255.0")->prefix_length, 24);
    cr_assert_eq(one("10.9.0.2/32")->prefix_length, 32);
}

Test(net_config, missing_mask_is_that_of_the_class)
{
    cr_assert_eq(one("10.9.0.2")->prefix_length, 8);
    cr_assert_eq(one("172.16.0.2")->prefix_length, 16);
    cr_assert_eq(one("192.168.0.2")->prefix_length, 24);
}

Test(net_config, method_alone_is_understood)
{
    static const char *const dhcp[] = {"dhcp", "on", "any", "both"};
    static const char *const off[] = {"off", "none"};

    for (size_t i = 0; i < ARRAY_COUNT(dhcp); i++)
        cr_assert_eq(one(dhcp[i])->method, NET_CONFIG_DHCP);
    for (size_t i = 0; i < ARRAY_COUNT(off); i++)
        cr_assert_eq(one(off[i])->method, NET_CONFIG_OFF);
    cr_assert_eq(one(":::::eth0:dhcp")->method, NET_CONFIG_DHCP);
    cr_assert_eq(one("::::web:eth0:dhcp")->method, NET_CONFIG_DHCP);
    cr_assert_str_eq(one("::::web:eth0:dhcp")->host, "web");
    cr_assert_eq(one(":::::eth0:off")->method, NET_CONFIG_OFF);
}

Test(net_config, words_belong_to_their_interfaces)
{
    cr_assert_eq(net_config_add("10.1.0.1:::::eth1:none"), 0);
    cr_assert_eq(net_config_add("10.0.0.1/24"), 0);
    cr_assert_eq(net_config_add(":::::eth9:dhcp"), 0);
    cr_assert_eq(be32_get(net_config_find(&eth0)->address), 0x0a000001);
    cr_assert_eq(be32_get(net_config_find(&eth1)->address), 0x0a010001);
    cr_assert_null(net_config_find(&eth2), "an address is for one only");
    net_config_report_unused();
    cr_assert_not_null(strstr(world_log_text(), "for \"eth9\" is left over"));
    cr_assert_null(strstr(world_log_text(), "\"eth1\""));
}

Test(net_config, method_without_a_name_is_for_all)
{
    cr_assert_eq(net_config_add("10.1.0.1:::::eth1:none"), 0);
    cr_assert_eq(net_config_add("off"), 0);
    cr_assert_eq(net_config_find(&eth0)->method, NET_CONFIG_OFF);
    cr_assert_eq(net_config_find(&eth1)->method, NET_CONFIG_STATIC);
    cr_assert_eq(net_config_find(&eth2)->method, NET_CONFIG_OFF);
}

static void assert_refused(const char *value, const char *why)
{
    size_t before = strlen(world_log_text());

    cr_assert_eq(net_config_add(value), -EINVAL, "%s", value);
    cr_assert_not_null(strstr(world_log_text() + before, why), "%s: %s", value,
                       world_log_text() + before);
    cr_assert_null(net_config_find(&eth0));
}

Test(net_config, what_is_wrong_is_named)
{
    assert_refused("10.0.0", "bad client address \"10.0.0\"");
    assert_refused("dhpc", "bad client address \"dhpc\"");
    assert_refused("10.0.0.1/33", "bad client address \"10.0.0.1/33\"");
    assert_refused("10.0.0.1/0", "bad client address \"10.0.0.1/0\"");
    assert_refused("10.0.0.1/", "bad client address \"10.0.0.1/\"");
    assert_refused("/24", "bad client address \"/24\"");
    assert_refused("224.0.0.1", "bad client address");
    assert_refused("10.0.0.1:x", "bad server address \"x\"");
    assert_refused("10.0.0.1::10.0.0.256", "bad gateway \"10.0.0.256\"");
    assert_refused("10.0.0.1:::255.0.255.0", "bad netmask \"255.0.255.0\"");
    assert_refused("10.0.0.1:::0.0.0.0", "bad netmask");
    assert_refused("10.0.0.1/24:::255.255.0.0", "bad netmask");
    assert_refused("10.0.0.1:::::abcdefghijklmnopq", "bad device");
    assert_refused("10.0.0.1::::::bootp", "bad autoconfiguration \"bootp\"");
    assert_refused("10.0.0.1:::::::1.2.3", "bad dns0 \"1.2.3\"");
    assert_refused("10.0.0.1::::::::x", "bad dns1 \"x\"");
    assert_refused("10.0.0.1:::::::::x", "bad ntp0 \"x\"");
    assert_refused("10.0.0.1::::::::::x", "too many fields");
    assert_refused("10.0.0.1/24::10.0.1.1", "gateway is not in the network");
    assert_refused("10.0.0.0/24", "the network's or broadcast");
    assert_refused("10.0.0.255/24", "the network's or broadcast");
    assert_refused("10.0.0.255:::255.255.255.0", "the network's or broadcast");
}

Test(net_config, small_networks_have_no_broadcasts)
{
    cr_assert_eq(one("10.0.0.0/31")->prefix_length, 31);
    cr_assert_eq(one("10.0.0.255/32")->prefix_length, 32);
}

Test(net_config, second_word_for_an_interface_is_named)
{
    cr_assert_eq(net_config_add("10.0.0.1/24:::::eth0"), 0);
    cr_assert_eq(net_config_add("10.0.0.2/24:::::eth0"), 0);
    cr_assert_eq(be32_get(net_config_find(&eth0)->address), 0x0a000001);
    net_config_report_unused();
    cr_assert_not_null(strstr(world_log_text(), "for \"eth0\" is left over"));
}

Test(net_config, empty_word_asks_dhcp)
{
    cr_assert_eq(one("")->method, NET_CONFIG_DHCP);
}

Test(net_config, static_word_configures_everything, .init = NULL)
{
    struct ip_address far = mapped(FAR_ADDRESS);
    struct ip_address any = mapped(0);
    struct ip_address servers[DNS_SERVERS_MAX];
    struct ip_route route;
    char text[64];

    net_world_with("10.0.0.1/24::10.0.0.254::web:eth0:none:10.0.0.53",
                   16 * 1024 * 1024, 0);
    cr_assert(net_is_configured(text, sizeof(text)));
    cr_assert_str_eq(text, "10.0.0.1");
    cr_assert_eq(ip_route_lookup(&far, &any, &route), 0);
    cr_assert_eq(be32_get(ip_address_ipv4(&route.gateway)), GATEWAY_ADDRESS);
    cr_assert_eq(dns_servers(servers), 1);
    cr_assert_eq(dhcp_state(&device->netif), DHCP_STOPPED);
}

Test(net_config, off_leaves_the_interface_alone, .init = NULL)
{
    char text[64];

    net_world_with("off", 16 * 1024 * 1024, 0);
    cr_assert_not(net_is_configured(text, sizeof(text)));
    cr_assert_eq(dhcp_state(&device->netif), DHCP_STOPPED);
    cr_assert_eq(received_count(), 0);
}

Test(net_config, nothing_said_asks_dhcp, .init = NULL)
{
    net_world_with(NULL, 16 * 1024 * 1024, 0);
    cr_assert_eq(dhcp_state(&device->netif), DHCP_SELECTING);
}

Test(net_config, little_memory_still_makes_a_stack, .init = NULL)
{
    net_world_with("10.0.0.1/24", 3 * 1024 * 1024, 0);
    cr_assert_geq(buffer_count_total(), 640);
    net_world_with("10.0.0.1/24", 256 * 1024 * 1024, 0);
    cr_assert_eq(buffer_count_total(), 16384);
}
