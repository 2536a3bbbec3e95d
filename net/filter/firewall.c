/* SPDX-License-Identifier: MIT */
/*
 * The firewall's start, its clock, its default rules, and its windows for
 * people.
 */
#include "net/filter/firewall.h"

#include "net/filter/engine.h"
#include "net/link/netif.h"
#include "net/platform.h"
#include "net/timer.h"

#include <string.h>

static struct timer clock;

/* What holds without a good file: whoever we asked may answer, and a DHCP
 * server, if there is one, goes on giving addresses. */
static const char closed_rules[] =
    "table inet closed {\n"
    "    chain input {\n"
    "        type filter hook input priority filter; policy drop;\n"
    "        iifname \"lo\" accept\n"
    "        ct state established,related accept\n"
    "        ip protocol icmp accept\n"
    "        udp sport 68 udp dport 67 accept\n"
    "    }\n"
    "    chain forward {\n"
    "        type filter hook forward priority filter; policy drop;\n"
    "    }\n"
    "}\n";

static void tick(struct timer *timer, uint64_t now_ns)
{
    flow_table_age(flow_ticks(now_ns), flow_capacity() / FLOW_AGE_TURNS + 1);
    timer_set(timer, now_ns + FLOW_AGE_INTERVAL_NS);
}

static void load_closed(void)
{
    struct rules_error error;
    int status =
        rules_load("closed", closed_rules, sizeof(closed_rules) - 1, &error);

    ASSERT(status == 0);
}

int filter_start(uint64_t now_ns)
{
    int status = rules_init();

    if (status == 0)
        status = flow_table_init();
    if (status != 0)
        return status;
    track_init();
    nat_init();
    for (unsigned hook = 0; hook < FILTER_HOOK_COUNT; hook++)
        filter_register((enum filter_hook)hook, engine_functions[hook]);
    filter_express = &engine_express;
    load_closed();
    clock = (struct timer){.expire = tick};
    timer_set(&clock, now_ns + FLOW_AGE_INTERVAL_NS);
    platform_log(PLATFORM_INFO, "filter", "room for %zu flows",
                 flow_capacity());
    return 0;
}

void filter_boot(const char *name, const char *text, size_t length)
{
    struct rules_error error;

    if (text != NULL && rules_load(name, text, length, &error) == 0) {
        platform_log(PLATFORM_INFO, "filter", "rules of %s", name);
        return;
    }
    if (text == NULL)
        platform_log(PLATFORM_ERROR, "filter", "there is no %s", name);
    else
        platform_log(PLATFORM_ERROR, "filter", "%s", error.text);
    platform_log(PLATFORM_ERROR, "filter",
                 "CLOSED: only established flows and ICMP come in, "
                 "nothing is forwarded");
    load_closed();
}

int filter_set(const char *name, unsigned value)
{
    return track_set(name, value);
}

void filter_address_changed(const struct netif *netif)
{
    for (size_t i = 0; i < flow_capacity(); i++) {
        struct flow *flow = flow_at(i);

        if (flow != NULL && flow->out == netif->index + 1)
            flow_remove(flow);
    }
    flow_reap();
}

static struct filter_flow_view view_of(const struct flow *flow, uint32_t now)
{
    struct filter_flow_view view = {
        .protocol = flow->protocol,
        .state = flow->protocol == FLOW_TCP
                     ? track_tcp_state_name(flow->tcp.state)
                     : "",
        .seconds_left =
            (uint32_t)(((uint64_t)(flow->expires - now) << FLOW_TICK_SHIFT) /
                       NS_PER_S),
        .is_seen_reply = (flow->status & FLOW_SEEN_REPLY) != 0,
        .is_assured = (flow->status & FLOW_ASSURED) != 0,
    };

    for (int i = 0; i < 2; i++) {
        view.direction[i].source = flow->tuple[i].source;
        view.direction[i].destination = flow->tuple[i].destination;
        view.direction[i].source_port = flow->tuple[i].source_port;
        view.direction[i].destination_port = flow->tuple[i].destination_port;
        view.direction[i].packets = flow->packets[i];
        view.direction[i].bytes = flow->bytes[i];
    }
    return view;
}

size_t filter_visit_flows(size_t first, size_t count, uint64_t now_ns,
                          void (*visit)(void *context,
                                        const struct filter_flow_view *flow),
                          void *context)
{
    uint32_t now = flow_ticks(now_ns);
    size_t end = flow_capacity();

    for (size_t i = first; i < end; i++) {
        const struct flow *flow = flow_at(i);
        struct filter_flow_view view;

        if (i - first == count)
            return i;
        if (flow == NULL || flow_is_due(flow->expires, now))
            continue;
        view = view_of(flow, now);
        visit(context, &view);
    }
    return 0;
}

void filter_visit_backends(void (*visit)(void *context,
                                         const struct filter_backend *backend),
                           void *context)
{
    const struct rule_set *set = rules_active();
    const struct balancer *balancer = set == NULL ? NULL : set->balancers;

    for (; balancer != NULL; balancer = balancer->next)
        for (uint32_t i = 0; i < balancer->count; i++)
            visit(context, &balancer->backends[i]);
}

/* So that clients notice at once and come again. */
static void end_flows_to(uint32_t address, uint16_t port)
{
    for (size_t i = 0; i < flow_capacity(); i++) {
        struct flow *flow = flow_at(i);

        if (flow != NULL && (flow->status & FLOW_DESTINATION_NAT) != 0 &&
            flow->tuple[FLOW_REPLY].source == address &&
            (port == 0 || flow->tuple[FLOW_REPLY].source_port == port))
            flow_remove(flow);
    }
    flow_reap();
}

size_t filter_backend_set(uint32_t address, uint16_t port,
                          enum filter_backend_state state)
{
    struct rule_set *set = rules_active();
    struct balancer *balancer = set == NULL ? NULL : set->balancers;
    size_t found = 0;

    for (; balancer != NULL; balancer = balancer->next)
        for (uint32_t i = 0; i < balancer->count; i++) {
            struct filter_backend *backend = &balancer->backends[i];

            if (backend->address != address ||
                (port != 0 && backend->port != port))
                continue;
            backend->state = state;
            found++;
        }
    if (found != 0 && state == FILTER_BACKEND_DOWN)
        end_flows_to(address, port);
    return found;
}
