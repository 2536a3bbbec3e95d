/* SPDX-License-Identifier: MIT */
/*
 * `log` of a rule: one line for a packet, in the kernel's words. The number of
 * lines is limited over all rules, so that no peer floods the console.
 */
#include "net/filter/evaluate.h"

#include "net/filter/firewall.h"
#include "net/link/netif.h"
#include "net/platform.h"
#include "net/wire/udp.h"

static struct {
    uint64_t second;
    unsigned lines;
    uint64_t suppressed;
} limit;

uint64_t filter_logs_suppressed(void)
{
    return limit.suppressed;
}

static bool may_log(uint64_t now_ns)
{
    if (limit.second != now_ns / NS_PER_S) {
        limit.second = now_ns / NS_PER_S;
        limit.lines = 0;
    }
    if (limit.lines == RULES_LOGS_PER_S) {
        limit.suppressed++;
        return false;
    }
    limit.lines++;
    return true;
}

static const char *name_of(const struct netif *netif)
{
    return netif == NULL ? "" : netif->name;
}

void rule_log_packet(const struct rule_log *log, const struct rule_view *view)
{
    const struct ipv4_header *ip = view->ip;
    const struct udp_header *ports = (const void *)view->transport;
    char source[IPV4_TEXT_SIZE];
    char destination[IPV4_TEXT_SIZE];
    bool has_ports = (ip->protocol == FLOW_TCP || ip->protocol == FLOW_UDP) &&
                     view->linear >= sizeof(*ports);

    if (!may_log(view->at->now_ns))
        return;
    ipv4_format(ip->source, source);
    ipv4_format(ip->destination, destination);
    if (has_ports)
        platform_log(
            PLATFORM_INFO, "filter",
            "%sIN=%s OUT=%s SRC=%s DST=%s LEN=%u TTL=%u ID=%u "
            "PROTO=%s SPT=%u DPT=%u",
            log->prefix, name_of(view->packet->netif), name_of(view->at->out),
            source, destination, be16_get(ip->total_length), ip->ttl,
            be16_get(ip->identification),
            ip->protocol == FLOW_TCP ? "TCP" : "UDP",
            be16_get(ports->source_port), be16_get(ports->destination_port));
    else
        platform_log(PLATFORM_INFO, "filter",
                     "%sIN=%s OUT=%s SRC=%s DST=%s LEN=%u TTL=%u ID=%u "
                     "PROTO=%u",
                     log->prefix, name_of(view->packet->netif),
                     name_of(view->at->out), source, destination,
                     be16_get(ip->total_length), ip->ttl,
                     be16_get(ip->identification), ip->protocol);
}
