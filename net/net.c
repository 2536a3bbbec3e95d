/* SPDX-License-Identifier: MIT */
/*
 * The wiring diagram of the protocols: who takes which ethertype and which IP
 * protocol, who is told of links and of packets that cannot be delivered, in
 * which order everything starts, and what one entry into the stack does.
 */
#include "net/net.h"

#include "net/account.h"
#include "net/bounds.h"
#include "net/ip/input.h"
#include "net/ip/route.h"
#include "net/link/acd.h"
#include "net/link/arp.h"
#include "net/link/ethernet.h"
#include "net/link/loopback.h"
#include "net/link/neighbour.h"
#include "net/link/netif.h"
#include "net/net_config.h"
#include "net/net_settings.h"
#include "net/packet.h"
#include "net/platform.h"
#include "net/service/dhcp.h"
#include "net/service/dns.h"
#include "net/socket/socket.h"
#include "net/tcp/tcp.h"
#include "net/timer.h"
#include "net/udp/udp.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

static struct ethernet_receiver ethernet_receivers[] = {
    {ETHERNET_TYPE_IPV4, ip_receive},
    {ETHERNET_TYPE_ARP, arp_receive},
};

static struct ip_transport transports[] = {
    {IP_PROTOCOL_TCP, tcp_receive, tcp_error},
    {IP_PROTOCOL_UDP, udp_receive, udp_error},
};

/* ---- the same, with accounting: costs nothing while it is off -------------
 */

static void accounted_ip(struct packet *packet, uint64_t now_ns)
{
    enum account_stage previous = account_enter(ACCOUNT_IP);

    ip_receive(packet, now_ns);
    account_return(previous);
}

static void accounted_tcp(struct packet *packet, uint64_t now_ns)
{
    enum account_stage previous = account_enter(ACCOUNT_TRANSPORT);

    tcp_receive(packet, now_ns);
    account_return(previous);
}

static void accounted_udp(struct packet *packet, uint64_t now_ns)
{
    enum account_stage previous = account_enter(ACCOUNT_TRANSPORT);

    udp_receive(packet, now_ns);
    account_return(previous);
}

static int set_accounting(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    account_set(value == 1);
    ethernet_receivers[0].receive = value == 1 ? accounted_ip : ip_receive;
    transports[0].receive = value == 1 ? accounted_tcp : tcp_receive;
    transports[1].receive = value == 1 ? accounted_udp : udp_receive;
    return 0;
}

static const struct net_setting account_settings[] = {
    {"accounting", set_accounting, "0 or 1"},
};

static void link_changed(struct netif *netif, uint64_t now_ns)
{
    if (!netif->link_up)
        neighbour_flush(netif);
    else if (be32_get(netif->ip.address) != 0)
        acd_announce(netif, now_ns);
    if (netif->link_up && ip_multicast != NULL)
        ip_multicast->link_up(netif, now_ns);
    dhcp_link_changed(netif, now_ns);
}

static const struct netif_wiring netif_wiring = {
    .link_changed = link_changed,
};

/* ---- memory ---------------------------------------------------------------
 */

enum { POOL_PERCENT = 30 };

static size_t pool_buffers(void)
{
    return clamp_64(platform_memory_size() / 100 * POOL_PERCENT / BUFFER_SIZE,
                    POOL_BUFFERS_MIN, POOL_BUFFERS_MAX);
}

static int check_memory(int status, const char *who)
{
    if (status != 0)
        platform_log(PLATFORM_ERROR, "net", "not enough memory for %s", who);
    return status;
}

static int take_pools(void)
{
    return check_memory(packet_init(pool_buffers()), "packets");
}

/* ---- start ----------------------------------------------------------------
 */

int net_init(uint64_t now_ns)
{
    int status = take_pools();

    if (status != 0)
        return status;
    timers_init(now_ns);
    net_config_init();
    net_settings_init();
    (void)set_accounting(0);
    net_settings_add(account_settings, ARRAY_COUNT(account_settings));
    netif_init(&netif_wiring);
    ethernet_init(ethernet_receivers, ARRAY_COUNT(ethernet_receivers));
    arp_counters = (struct arp_counters){0};
    neighbour_init(ip_unreachable);
    acd_init();
    ip_init(transports, ARRAY_COUNT(transports));
    status = loopback_init();
    if (status != 0)
        return status;
    ip_configure(loopback_netif(), be32_from(0x7f000001), 8, now_ns);
    status = check_memory(udp_init(), "udp");
    if (status == 0)
        status = check_memory(tcp_init(), "tcp");
    if (status == 0)
        status = check_memory(socket_init(), "sockets");
    if (status == 0)
        status = check_memory(dns_init(), "dns");
    dhcp_init();
    return status;
}

int net_configure_ip(const char *value)
{
    return net_config_add(value);
}

static void configure(struct netif *netif, const struct net_config *config,
                      uint64_t now_ns)
{
    struct ip_address servers[ARRAY_COUNT(config->dns)];
    char address[IPV4_TEXT_SIZE];
    size_t count = 0;

    ip_configure(netif, config->address, config->prefix_length, now_ns);
    if (be32_get(config->gateway) != 0 &&
        ip_route_add(be32_from(0), 0, config->gateway, netif) != 0)
        platform_log(PLATFORM_ERROR, netif->name, "no room for its gateway");
    for (size_t i = 0; i < ARRAY_COUNT(config->dns); i++)
        if (be32_get(config->dns[i]) != 0)
            servers[count++] = ip_address_from_ipv4(config->dns[i]);
    if (count != 0)
        dns_set_servers(netif, servers, count);
    platform_log(PLATFORM_INFO, netif->name, "address %s/%u",
                 ipv4_format(config->address, address), config->prefix_length);
}

bool net_start(uint64_t now_ns)
{
    struct netif *netif;
    bool is_asking = false;

    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        const struct net_config *config;

        if ((netif->features & NETIF_LOOPBACK) != 0)
            continue;
        config = net_config_find(netif);
        if (config == NULL || config->method == NET_CONFIG_DHCP) {
            dhcp_start(netif, config == NULL ? "" : config->host, now_ns);
            is_asking = true;
        } else if (config->method == NET_CONFIG_STATIC) {
            configure(netif, config, now_ns);
        }
    }
    net_config_report_unused();
    netif_flush();
    return is_asking;
}

bool net_is_configured(char *text, size_t size)
{
    struct netif *netif;

    ASSERT(size >= IPV4_TEXT_SIZE);
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        if (be32_get(netif->ip.address) == 0 ||
            (netif->features & NETIF_LOOPBACK) != 0)
            continue;
        ipv4_format(netif->ip.address, text);
        return true;
    }
    text[0] = '\0';
    return false;
}

/* ---- the softirqs ---------------------------------------------------------
 */

/* What every entry into the stack ends with: transports answer, then the
 * devices hear of everything at once. (The socket layer does the same.) */
static void finish_entry(uint64_t now_ns)
{
    (void)account_enter(ACCOUNT_OUTPUT);
    tcp_run_pending(now_ns);
    netif_flush();
    account_return(ACCOUNT_OUTSIDE);
}

bool net_receive_softirq(uint64_t now_ns)
{
    bool is_work_left;

    (void)account_enter(ACCOUNT_POLL);
    is_work_left = netif_poll(now_ns);
    finish_entry(now_ns);
    return is_work_left;
}

void net_timer_softirq(uint64_t now_ns)
{
    (void)account_enter(ACCOUNT_TIMERS);
    timers_run(now_ns);
    finish_entry(now_ns);
}

uint64_t net_next_deadline(void)
{
    return timers_next_deadline();
}
