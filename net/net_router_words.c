/* SPDX-License-Identifier: MIT */
/*
 * `route=`, `qdisc=` and `vlan=` words. A route waits until an interface has
 * the address that its gateway is reached from, and comes back whenever that
 * interface is given an address again (DHCP).
 */
#include "net/net_router_words.h"

#include "net/ip/route.h"
#include "net/limits.h"
#include "net/link/qdisc.h"
#include "net/link/vlan.h"
#include "net/net_router.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct wanted_route {
    struct ip_prefix prefix;
    struct be32 gateway;
    uint32_t metric;
    uint8_t kind; /* enum ip_path_kind */
    char device[NETIF_NAME_SIZE];
};

struct wanted_qdisc {
    char device[NETIF_NAME_SIZE];
    struct qdisc_settings settings;
};

static struct {
    struct wanted_route routes[ROUTE_WORDS_MAX];
    size_t route_count;
    struct wanted_qdisc qdiscs[NETIF_MAX];
    size_t qdisc_count;
    char vlans[VLANS_MAX][NETIF_NAME_SIZE];
    size_t vlan_count;
} wanted;

enum {
    METRIC_DIGITS_MAX = 9,
};

void net_router_words_init(void)
{
    wanted.route_count = 0;
    wanted.qdisc_count = 0;
    wanted.vlan_count = 0;
}

/* A field up to the next ':' or the end; moves on behind it. */
static size_t next_field(const char **at, const char **field)
{
    size_t length = strcspn(*at, ":");

    *field = *at;
    *at += length;
    if (**at == ':')
        (*at)++;
    return length;
}

static bool parse_number(const char *text, size_t length, uint32_t *value)
{
    *value = 0;
    if (length == 0 || length > METRIC_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (uint32_t)(text[i] - '0');
    }
    return true;
}

static bool parse_prefix(const char *text, size_t length,
                         struct ip_prefix *prefix)
{
    const char *slash = memchr(text, '/', length);
    size_t address_length = slash == NULL ? length : (size_t)(slash - text);
    struct be32 address;
    uint32_t bits = 32;

    if (length == strlen("default") && memcmp(text, "default", length) == 0) {
        *prefix = (struct ip_prefix){0, 0};
        return true;
    }
    if (!ipv4_parse(text, address_length, &address) ||
        (slash != NULL &&
         !parse_number(slash + 1, length - address_length - 1, &bits)) ||
        bits > 32)
        return false;
    prefix->address = be32_get(address);
    prefix->length = (uint8_t)bits;
    /* Nothing beyond the prefix: a slip of the pen else. */
    return (prefix->address & ~be32_get(ipv4_netmask(bits))) == 0;
}

static bool equals(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool parse_gateway(const char *text, size_t length,
                          struct wanted_route *route)
{
    route->kind = IP_PATH_UNICAST;
    route->gateway = be32_from(0);
    if (equals(text, length, "blackhole"))
        route->kind = IP_PATH_BLACKHOLE;
    else if (equals(text, length, "unreachable"))
        route->kind = IP_PATH_UNREACHABLE;
    else if (length != 0)
        return ipv4_parse(text, length, &route->gateway) &&
               ipv4_is_unicast(route->gateway);
    return true;
}

static bool parse_device(const char *text, size_t length,
                         char device[NETIF_NAME_SIZE])
{
    if (length >= NETIF_NAME_SIZE)
        return false;
    memcpy(device, text, length);
    device[length] = '\0';
    return true;
}

static bool parse_route(const char *value, struct wanted_route *route)
{
    const char *field;
    size_t length = next_field(&value, &field);

    if (!parse_prefix(field, length, &route->prefix))
        return false;
    length = next_field(&value, &field);
    if (!parse_gateway(field, length, route))
        return false;
    length = next_field(&value, &field);
    if (!parse_device(field, length, route->device))
        return false;
    length = next_field(&value, &field);
    route->metric = 0;
    if (length != 0 && !parse_number(field, length, &route->metric))
        return false;
    return *value == '\0' &&
           (route->kind != IP_PATH_UNICAST || be32_get(route->gateway) != 0 ||
            route->device[0] != '\0');
}

int net_router_add_route(const char *value)
{
    if (wanted.route_count == ROUTE_WORDS_MAX)
        return -ENOSPC;
    if (!parse_route(value, &wanted.routes[wanted.route_count]))
        return -EINVAL;
    wanted.route_count++;
    return 0;
}

int net_router_add_qdisc(const char *value)
{
    struct wanted_qdisc *qdisc = &wanted.qdiscs[wanted.qdisc_count];
    const char *field;
    size_t length = next_field(&value, &field);

    if (wanted.qdisc_count == NETIF_MAX)
        return -ENOSPC;
    if (length == 0 || !parse_device(field, length, qdisc->device) ||
        !qdisc_parse(value, &qdisc->settings))
        return -EINVAL;
    wanted.qdisc_count++;
    return 0;
}

int net_router_add_vlan(const char *value)
{
    if (wanted.vlan_count == VLANS_MAX)
        return -ENOSPC;
    if (strchr(value, '.') == NULL ||
        !parse_device(value, strlen(value), wanted.vlans[wanted.vlan_count]))
        return -EINVAL;
    wanted.vlan_count++;
    return 0;
}

void net_router_create_vlan(const char *name)
{
    int status = vlan_create(name);

    if (status != 0)
        platform_log(PLATFORM_ERROR, "vlan", "%s: %s", name,
                     status == -ENODEV   ? "there is no such card"
                     : status == -ENOSPC ? "there are too many"
                                         : "not a VLAN's name");
}

static void add(const struct wanted_route *route, struct netif *netif)
{
    struct ip_path path = {netif, route->gateway, route->kind};
    int status = ip_route_add_path(route->prefix, &path, route->metric);
    char text[IPV4_TEXT_SIZE];

    if (status != 0 && status != -EEXIST)
        platform_log(PLATFORM_ERROR, "route", "no room for %s/%u",
                     ipv4_format(be32_from(route->prefix.address), text),
                     route->prefix.length);
}

static bool is_reached_by(const struct wanted_route *route,
                          const struct netif *netif)
{
    if (route->kind != IP_PATH_UNICAST)
        return false;
    if (route->device[0] != '\0')
        return strcmp(route->device, netif->name) == 0;
    return ipv4_same_network(route->gateway, netif->ip.address,
                             netif->ip.netmask);
}

/* One way without keeping the word: what a file says is said again. */
int net_router_route_now(const char *value)
{
    struct wanted_route route;
    struct netif *netif = NULL;
    size_t i = 0;
    int status;

    if (!parse_route(value, &route))
        return -EINVAL;
    if (route.kind == IP_PATH_UNICAST)
        do
            netif = netif_by_index(i++);
        while (netif != NULL && !(be32_get(netif->ip.address) != 0 &&
                                  is_reached_by(&route, netif)));
    if (netif == NULL && route.kind == IP_PATH_UNICAST)
        return -ENETUNREACH;
    status = ip_route_add_path(
        route.prefix, &(struct ip_path){netif, route.gateway, route.kind},
        route.metric);
    return status == -EEXIST ? 0 : status;
}

void net_router_routes_of(struct netif *netif)
{
    for (size_t i = 0; i < wanted.route_count; i++)
        if (is_reached_by(&wanted.routes[i], netif))
            add(&wanted.routes[i], netif);
}

void net_router_apply_words(void)
{
    for (size_t i = 0; i < wanted.vlan_count; i++)
        net_router_create_vlan(wanted.vlans[i]);
    for (size_t i = 0; i < wanted.route_count; i++)
        if (wanted.routes[i].kind != IP_PATH_UNICAST)
            add(&wanted.routes[i], NULL);
    for (size_t i = 0; i < wanted.qdisc_count; i++) {
        const struct wanted_qdisc *qdisc = &wanted.qdiscs[i];
        struct netif *netif = netif_by_name(qdisc->device);

        if (netif == NULL)
            platform_log(PLATFORM_ERROR, "qdisc", "there is no %s",
                         qdisc->device);
        else if (qdisc_attach(netif, &qdisc->settings) != 0)
            platform_log(PLATFORM_ERROR, netif->name, "no queueing by %s",
                         qdisc->settings.name);
        else
            platform_log(PLATFORM_INFO, netif->name, "queueing by %s",
                         qdisc->settings.name);
    }
}
