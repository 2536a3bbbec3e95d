/* SPDX-License-Identifier: MIT */
/*
 * Tables as text. Those of the machine are its files; a machine without such
 * a file (Linux) has no such table.
 */
#include "tables.h"

#include "apps/httpd/clock.h"
#include "apps/httpd/status.h"
#include "dhcp_server.h"
#include "dns_cache.h"
#include "dns_relay.h"
#include "dns_service.h"
#include "lease.h"
#include "log.h"
#include "sntp.h"
#include "whole_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MACHINE_FILES
#define MACHINE_FILES "/proc/ferrule/"
#endif

enum { ROW_SIZE = 256, PATH_SIZE = 64 };

static void write_leases(struct text *out)
{
    uint64_t now_s = clock_ms() / 1000;
    const struct lease *lease;

    text_add(out, "address  hardware  host  state  seconds left\n");
    for (size_t i = 0; (lease = lease_at(i)) != NULL; i++) {
        static const char *const states[] = {"free", "offered", "bound",
                                             "declined"};
        bool is_in_force = lease_is_in_force(lease, now_s);
        char row[ROW_SIZE];
        char left[24] = "never ends";

        if (lease->state == LEASE_FREE)
            continue;
        if (lease->ends_s != UINT64_MAX)
            snprintf(left, sizeof(left), "%llu",
                     is_in_force ? (unsigned long long)(lease->ends_s - now_s)
                                 : 0ULL);
        snprintf(row, sizeof(row), "%s  %s  %s  %s  %s\n",
                 log_address(lease->address), log_hardware(lease->hardware),
                 lease->host[0] != '\0' ? lease->host : "-",
                 is_in_force ? states[lease->state] : "over", left);
        text_add(out, row);
    }
}

static const struct table {
    const char *name;
    void (*write)(struct text *out); /* NULL: a file of the machine */
} tables[] = {
    {"interfaces", NULL}, {"routes", NULL},   {"neighbours", NULL},
    {"flows", NULL},      {"rules", NULL},    {"leases", write_leases},
    {"qdiscs", NULL},     {"backends", NULL},
};

const char *tables_name(size_t index)
{
    return index < sizeof(tables) / sizeof(tables[0]) ? tables[index].name
                                                      : NULL;
}

bool tables_write(const char *name, struct text *out)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char path[PATH_SIZE];
        size_t length;
        char *text;

        if (strcmp(name, tables[i].name) != 0)
            continue;
        if (tables[i].write != NULL) {
            tables[i].write(out);
            return true;
        }
        snprintf(path, sizeof(path), MACHINE_FILES "%s", name);
        text = whole_file_read(path, &length);
        if (text == NULL)
            return false;
        text_add_slice(out, (struct slice){text, length});
        free(text);
        return true;
    }
    return false;
}

/* ---- counters ------------------------------------------------------------ */

static void write_dhcp(struct text *out)
{
    const struct dhcp_counters *c = &dhcp_counters;

    status_add_line(out, "dhcp_server_malformed_total", c->malformed,
                    "Messages that were no client's.");
    status_add_line(out, "dhcp_server_discovers_total", c->discovers,
                    "DHCPDISCOVER received.");
    status_add_line(out, "dhcp_server_offers_total", c->offers,
                    "DHCPOFFER sent.");
    status_add_line(out, "dhcp_server_requests_total", c->requests,
                    "DHCPREQUEST received.");
    status_add_line(out, "dhcp_server_acks_total", c->acks, "DHCPACK sent.");
    status_add_line(out, "dhcp_server_naks_total", c->naks, "DHCPNAK sent.");
    status_add_line(out, "dhcp_server_declines_total", c->declines,
                    "Addresses that clients found in use.");
    status_add_line(out, "dhcp_server_releases_total", c->releases,
                    "DHCPRELEASE received.");
    status_add_line(out, "dhcp_server_informs_total", c->informs,
                    "DHCPINFORM received.");
    status_add_line(out, "dhcp_server_exhausted_total", c->exhausted,
                    "Clients for whom no address was left.");
}

static void write_dns(struct text *out)
{
    const struct dns_service_counters *c = &dns_service_counters;
    const struct dns_relay_counters *r = &dns_relay_counters;

    status_add_line(out, "dns_queries_total", c->queries,
                    "Questions of the LAN.");
    status_add_line(out, "dns_malformed_total", c->malformed,
                    "Questions not understood.");
    status_add_line(out, "dns_local_total", c->local,
                    "Questions answered from here.");
    status_add_line(out, "dns_cached_total", c->cached,
                    "Questions answered from the cache.");
    status_add_line(out, "dns_forwarded_total", c->forwarded,
                    "Questions passed on.");
    status_add_line(out, "dns_failed_total", c->failed,
                    "Questions that nobody could answer.");
    status_add_line(out, "dns_truncated_total", c->truncated,
                    "Answers cut to what fits a datagram.");
    status_add_line(out, "dns_dropped_total", c->dropped,
                    "Questions from a port that nobody listens on.");
    status_add_line(out, "dns_tcp_clients_total", c->streams,
                    "Clients over TCP.");
    status_add_line(out, "dns_tcp_refused_total", c->streams_refused,
                    "Clients over TCP for whom there was no place.");
    status_add_line(out, "dns_cache_entries", dns_cache_count(),
                    "Answers kept.");
    status_add_line(out, "dns_cache_evictions_total",
                    dns_cache_counters.evictions,
                    "Answers given up for newer ones.");
    status_add_line(out, "dns_upstream_asked_total", r->asked,
                    "Questions asked.");
    status_add_line(out, "dns_upstream_answered_total", r->answered,
                    "Good answers.");
    status_add_line(out, "dns_upstream_failed_total", r->failed,
                    "Questions no server answered.");
    status_add_line(out, "dns_upstream_shared_total", r->shared,
                    "Questions that were being asked already.");
    status_add_line(out, "dns_upstream_refused_total", r->refused,
                    "Questions not asked for want of room or of a server.");
    status_add_line(out, "dns_upstream_retried_total", r->retried,
                    "Questions repeated.");
    status_add_line(out, "dns_upstream_forged_total", r->forged,
                    "Answers to something that was not asked.");
    status_add_line(out, "dns_upstream_tcp_total", r->over_tcp,
                    "Questions asked again over TCP.");
}

void tables_write_counters(struct text *out)
{
    write_dhcp(out);
    write_dns(out);
    status_add_line(out, "ntp_asked_total", sntp_counters.asked,
                    "Questions for the time.");
    status_add_line(out, "ntp_answered_total", sntp_counters.answered,
                    "Good answers to them.");
    status_add_line(out, "ntp_synchronised", sntp_counters.is_synchronised,
                    "1 once the clock was set.");
    status_add_line(out, "syslog_sent_total", log_counters.sent,
                    "Messages to the server.");
    status_add_line(out, "syslog_lost_total", log_counters.lost,
                    "Messages that could not be sent.");
}
