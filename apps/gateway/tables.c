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
#include "events.h"
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
    {"qdiscs", NULL},     {"backends", NULL}, {"events", events_write},
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

static const struct counter {
    const char *name;
    const uint64_t *value;
    const char *help;
} counters[] = {
    {"dhcp_server_malformed_total", &dhcp_counters.malformed,
     "Messages that were no client's."},
    {"dhcp_server_discovers_total", &dhcp_counters.discovers,
     "DHCPDISCOVER received."},
    {"dhcp_server_offers_total", &dhcp_counters.offers, "DHCPOFFER sent."},
    {"dhcp_server_requests_total", &dhcp_counters.requests,
     "DHCPREQUEST received."},
    {"dhcp_server_acks_total", &dhcp_counters.acks, "DHCPACK sent."},
    {"dhcp_server_naks_total", &dhcp_counters.naks, "DHCPNAK sent."},
    {"dhcp_server_declines_total", &dhcp_counters.declines,
     "Addresses that clients found in use."},
    {"dhcp_server_releases_total", &dhcp_counters.releases,
     "DHCPRELEASE received."},
    {"dhcp_server_informs_total", &dhcp_counters.informs,
     "DHCPINFORM received."},
    {"dhcp_server_exhausted_total", &dhcp_counters.exhausted,
     "Clients for whom no address was left."},
    {"dns_service_queries_total", &dns_service_counters.queries,
     "Questions of the LAN."},
    {"dns_service_malformed_total", &dns_service_counters.malformed,
     "Questions not understood."},
    {"dns_local_total", &dns_service_counters.local,
     "Questions answered from here."},
    {"dns_cached_total", &dns_service_counters.cached,
     "Questions answered from the cache."},
    {"dns_forwarded_total", &dns_service_counters.forwarded,
     "Questions passed on."},
    {"dns_failed_total", &dns_service_counters.failed,
     "Questions that nobody could answer."},
    {"dns_truncated_total", &dns_service_counters.truncated,
     "Answers cut to what fits a datagram."},
    {"dns_dropped_total", &dns_service_counters.dropped,
     "Questions from a port that nobody listens on."},
    {"dns_tcp_clients_total", &dns_service_counters.streams,
     "Clients over TCP."},
    {"dns_tcp_refused_total", &dns_service_counters.streams_refused,
     "Clients over TCP for whom there was no place."},
    {"dns_cache_evictions_total", &dns_cache_counters.evictions,
     "Answers given up for newer ones."},
    {"dns_upstream_asked_total", &dns_relay_counters.asked, "Questions asked."},
    {"dns_upstream_answered_total", &dns_relay_counters.answered,
     "Good answers."},
    {"dns_upstream_failed_total", &dns_relay_counters.failed,
     "Questions no server answered."},
    {"dns_upstream_shared_total", &dns_relay_counters.shared,
     "Questions that were being asked already."},
    {"dns_upstream_refused_total", &dns_relay_counters.refused,
     "Questions not asked for want of room or of a server."},
    {"dns_upstream_retried_total", &dns_relay_counters.retried,
     "Questions repeated."},
    {"dns_upstream_forged_total", &dns_relay_counters.forged,
     "Answers to something that was not asked."},
    {"dns_upstream_tcp_total", &dns_relay_counters.over_tcp,
     "Questions asked again over TCP."},
    {"ntp_asked_total", &sntp_counters.asked, "Questions for the time."},
    {"ntp_answered_total", &sntp_counters.answered, "Good answers to them."},
    {"syslog_sent_total", &log_counters.sent, "Messages to the server."},
    {"syslog_lost_total", &log_counters.lost,
     "Messages that could not be sent."},
};

void tables_write_counters(struct text *out)
{
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        status_add_line(out, counters[i].name, *counters[i].value,
                        counters[i].help);
    status_add_line(out, "dns_cache_entries", dns_cache_count(),
                    "Answers kept.");
    status_add_line(out, "ntp_synchronised", sntp_counters.is_synchronised,
                    "1 once the clock was set.");
}
