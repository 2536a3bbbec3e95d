/* SPDX-License-Identifier: MIT */
/*
 * The wiring of a router: what net.c leaves out for hosts.
 */
#include "net/counter.h"
#include "net/net_router.h"

#include "net/filter/firewall.h"
#include "net/filter/flow.h"
#include "net/ip/fib.h"
#include "net/ip/forward.h"
#include "net/ip/igmp.h"
#include "net/ip/path_mtu.h"
#include "net/ip/route.h"
#include "net/link/qdisc.h"
#include "net/link/vlan.h"
#include "net/net.h"
#include "net/net_config.h"
#include "net/net_router_words.h"
#include "net/net_settings.h"
#include "net/platform.h"
#include "net/raw/raw.h"
#include "net/socket/raw.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

enum {
    ROUTER_LANS_MAX = 4, /* cards: 192.168.77.1, 78.1 and 79.1 unasked */
};

static const struct net_setting settings[] = {
    {"ipv4.ip_forward", ip_forward_set, "0 or 1"},
    {"ipv4.ip_forward_gro", ip_forward_gro_set, "0 or 1"},
    {"ipv4.route.min_pmtu", path_mtu_set_floor, "68 to 1500 bytes"},
    {"ipv4.route.mtu_expires", path_mtu_set_expiry, "seconds"},
    {"ipv4.conf.all.proxy_arp", ip_proxy_arp_set, "0 or 1"},
    {"ipv4.conf.all.rp_filter", ip_source_filter_set, "0, 1 or 2"},
    {"ipv4.conf.default.rp_filter", ip_source_filter_set, "0, 1 or 2"},
};

static void visit_counters(void (*visit)(void *context, const char *name,
                                         uint64_t value, const char *help),
                           void *context)
{
    static const struct counter counters[] = {
        {"raw_received_total", &raw_counters.received,
         "packets queued for raw, ping and packet sockets"},
        {"raw_buffer_errors_total", &raw_counters.buffer_errors,
         "such packets for which there was no room"},
        {"raw_sent_total", &raw_counters.sent, "packets sent by such sockets"},
        {"path_mtu_learned_total", &path_mtu_counters.learned,
         "path MTUs learned for UDP and raw sockets"},
        {"path_mtu_ignored_total", &path_mtu_counters.ignored,
         "claims of a path MTU that were no news, or made no sense"},
        {"path_mtu_evicted_total", &path_mtu_counters.evicted,
         "path MTUs that made room for younger ones"},
        {"igmp_in_queries_total", &igmp_counters.in_queries,
         "IGMP queries received"},
        {"igmp_in_reports_total", &igmp_counters.in_reports,
         "IGMP reports received"},
        {"igmp_in_errors_total", &igmp_counters.in_errors,
         "IGMP messages that were malformed or from elsewhere"},
        {"igmp_out_reports_total", &igmp_counters.out_reports,
         "IGMP reports sent"},
        {"igmp_out_leaves_total", &igmp_counters.out_leaves,
         "IGMP leaves sent"},
        {"filter_flows_created_total", &flow_counters.created, "flows begun"},
        {"filter_flows_expired_total", &flow_counters.expired,
         "flows that were silent too long"},
        {"filter_flows_evicted_total", &flow_counters.evicted,
         "flows dropped early to make room for others"},
        {"filter_flows_refused_total", &flow_counters.refused,
         "flows there was no room for"},
        {"filter_invalid_total", &flow_counters.invalid,
         "packets that belong to no flow and begin none"},
    };

    visit(context, "filter_flows", flow_count(), "flows now");
    visit(context, "filter_flows_max", flow_table_limit_now(),
          "flows there is room for");
    visit(context, "filter_logs_suppressed_total", filter_logs_suppressed(),
          "lines that rules would have logged too fast");
    counters_visit(counters, ARRAY_COUNT(counters), visit, context);
}

int net_router_init(uint64_t now_ns)
{
    (void)now_ns;
    if (fib_init() != 0) {
        platform_log(PLATFORM_ERROR, "router", "not enough memory for routes");
        return -ENOMEM;
    }
    if (socket_raw_start() != 0) {
        platform_log(PLATFORM_ERROR, "router", "no memory for raw sockets");
        return -ENOMEM;
    }
    net_router_words_init();
    vlan_init();
    ip_route_use(&fib_table, net_router_routes_of);
    ip_forward_start();
    igmp_start();
    path_mtu_start();
    net_settings_add(settings, ARRAY_COUNT(settings));
    net_visit_more_counters = visit_counters;
    return 0;
}

int net_router_word(const char *name, const char *value)
{
    static const struct {
        const char *name;
        int (*add)(const char *value);
    } words[] = {
        {"route", net_router_add_route},
        {"qdisc", net_router_add_qdisc},
        {"vlan", net_router_add_vlan},
    };

    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (strcmp(words[i].name, name) == 0)
            return words[i].add(value);
    return -ENOENT;
}

/* A router's first card is its uplink; the others lead to networks that have
 * nobody else to give them addresses. */
static void configure_lans(void)
{
    struct netif *netif;
    unsigned number = 0;

    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        char word[] = "192.168.77.1/24::::gateway:eth##:none";
        size_t length = strlen(netif->name);
        size_t at = sizeof("192.168.77.1/24::::gateway:") - 1;

        if ((netif->features & NETIF_LOOPBACK) != 0 || number++ == 0)
            continue;
        if (number > ROUTER_LANS_MAX || net_config_speaks_of(netif->name))
            continue;
        word[sizeof("192.168.7") - 1] = (char)('7' + (int)number - 2);
        memcpy(word + at, netif->name, length);
        memcpy(word + at + length, ":none", sizeof(":none"));
        if (net_config_add(word) != 0)
            platform_log(PLATFORM_ERROR, netif->name, "no room for its ip=");
    }
}

void net_router_start(uint64_t now_ns)
{
    const char *device;

    (void)now_ns;
    configure_lans();
    for (size_t i = 0; (device = net_config_device(i)) != NULL; i++)
        if (strchr(device, '.') != NULL)
            net_router_create_vlan(device);
    net_router_apply_words();
}

/* ---- for people ----------------------------------------------------------
 */

struct route_lines {
    void (*visit)(void *context, const char *line);
    void *context;
};

enum {
    LINE_BYTES = 128,
};

static char *add_text(char *at, const char *text)
{
    size_t length = strlen(text);

    memcpy(at, text, length + 1);
    return at + length;
}

static char *add_number(char *at, uint32_t number)
{
    char digits[12];
    size_t count = sizeof(digits);

    digits[--count] = '\0';
    do {
        digits[--count] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return add_text(at, digits + count);
}

static void visit_route(void *context, struct ip_prefix prefix,
                        const struct ip_path *path, uint32_t metric)
{
    static const char *const kinds[] = {"", "blackhole ", "unreachable "};
    const struct route_lines *lines = context;
    char address[IPV4_TEXT_SIZE];
    char line[LINE_BYTES];
    char *at = add_text(line, kinds[path->kind]);

    if (prefix.length == 0) {
        at = add_text(at, "default");
    } else {
        at = add_text(at, ipv4_format(be32_from(prefix.address), address));
        at = add_text(at, "/");
        at = add_number(at, prefix.length);
    }
    if (be32_get(path->gateway) != 0) {
        at = add_text(at, " via ");
        at = add_text(at, ipv4_format(path->gateway, address));
    }
    if (path->netif != NULL) {
        at = add_text(at, " dev ");
        at = add_text(at, path->netif->name);
    }
    if (metric != 0) {
        at = add_text(at, " metric ");
        (void)add_number(at, metric);
    }
    lines->visit(lines->context, line);
}

static void visit_path_mtu(void *context, struct be32 remote, uint32_t mtu,
                           uint64_t expires_ns)
{
    const struct route_lines *lines = context;
    uint64_t left_ns = expires_ns - platform_now_ns();
    char address[IPV4_TEXT_SIZE];
    char line[LINE_BYTES];
    char *at = add_text(line, ipv4_format(remote, address));

    at = add_text(at, " cache expires ");
    at = add_number(at, (uint32_t)(left_ns / NS_PER_S));
    at = add_text(at, "sec mtu ");
    (void)add_number(at, mtu);
    lines->visit(lines->context, line);
}

void net_router_visit_routes(void (*visit)(void *context, const char *line),
                             void *context)
{
    struct route_lines lines = {visit, context};

    ip_route_visit_all(visit_route, &lines);
    path_mtu_visit(visit_path_mtu, &lines, platform_now_ns());
}

void net_router_visit_qdiscs(void (*visit)(void *context, const char *netif,
                                           const char *discipline,
                                           const char *name, uint64_t value),
                             void *context)
{
    struct netif *netif;

    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        const struct qdisc *q = qdisc_of(netif);
        const char *discipline;

        if (q == NULL)
            continue;
        discipline = q->operations->name;
        visit(context, netif->name, discipline, "packets",
              netif->counters.tx_packets);
        visit(context, netif->name, discipline, "bytes",
              netif->counters.tx_bytes);
        visit(context, netif->name, discipline, "dropped", q->counters.dropped);
        visit(context, netif->name, discipline, "overlimits",
              q->counters.overlimits);
        visit(context, netif->name, discipline, "requeues",
              q->counters.requeues);
        visit(context, netif->name, discipline, "marked", q->counters.marked);
        visit(context, netif->name, discipline, "backlog", q->backlog_packets);
    }
}
