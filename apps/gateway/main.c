/* SPDX-License-Identifier: MIT */
/*
 * gateway: a router between an uplink and a LAN. The machine routes, filters
 * and translates; this app gives it its rules, gives the LAN addresses and
 * names, keeps the time and shows what goes on. One thread, one loop. Compiles
 * on Linux unchanged, where the machine's own files are missing.
 */
#include "apps/httpd/clock.h"
#include "apps/httpd/connection.h"
#include "apps/httpd/content.h"
#include "apps/httpd/listener.h"
#include "apps/httpd/loop.h"
#include "apps/httpd/options.h"
#include "apps/httpd/status.h"
#include "balancer.h"
#include "command.h"
#include "config.h"
#include "device.h"
#include "dhcp_service.h"
#include "dns_cache.h"
#include "dns_service.h"
#include "firewall.h"
#include "log.h"
#include "routes.h"
#include "settings.h"
#include "sntp.h"
#include "tables.h"
#include "uplink.h"
#include "whole_file.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DNS_PORT = 53,
    /* Typed keys do not wake anybody: soon looked for again while somebody
     * types, else once a second. */
    CONSOLE_INTERVAL_MS = 100,
    CONSOLE_BUSY_MS = 30000,
    SECOND_MS = 1000,
    POOL_FIRST = 100, /* of a /24, without a file */
    POOL_LAST = 199,
    LEASE_S = 12 * 3600,
};

static const char lan_default[] = "eth1";

static struct settings settings;
static struct config config;
static struct dns_place place;
static struct dhcp_server dhcp;
static bool is_lan_up;
static bool is_built_in; /* there is no file */
static uint64_t typing_until_ms;

static const struct status_extra page_extra = {
    .counters = tables_write_counters,
    .table_name = tables_name,
    .table = tables_write,
};

/* ---- the configuration --------------------------------------------------- */

static void report_line(void *context, unsigned line, unsigned column,
                        const char *message)
{
    log_line(LOG_ERROR, "config", "%s:%u:%u: %s; the line is left out",
             (const char *)context, line, column, message);
}

static const char *lan_device(void)
{
    if (settings.lan != NULL)
        return settings.lan;
    return config.device[0] != '\0' ? config.device : lan_default;
}

/* Without a file: a pool in the middle, a domain of our own, and nothing
 * private asked outside. */
static void configure_by_default(void)
{
    static const char text[] = "domain=lan\nlocal=/lan/\ndomain-needed\n"
                               "bogus-priv\ndhcp-authoritative\n";

    (void)config_parse(&config, text, sizeof(text) - 1, report_line,
                       (void *)(uintptr_t) "built-in");
    log_line(LOG_NOTICE, "config", "no %s: built-in configuration",
             settings.config_path);
}

static void read_config(void)
{
    size_t length;
    char *text = whole_file_read(settings.config_path, &length);

    is_built_in = text == NULL && errno == ENOENT;
    config_set_defaults(&config);
    if (is_built_in)
        configure_by_default();
    else if (text == NULL)
        log_line(LOG_ERROR, "config", "%s: %s", settings.config_path,
                 strerror(errno));
    else
        (void)config_parse(&config, text, length, report_line,
                           (void *)(uintptr_t)settings.config_path);
    free(text);
}

/* No file: the hundred addresses in the middle of what the LAN has. */
static void add_default_range(uint32_t address, uint32_t netmask)
{
    uint32_t network = address & netmask;

    if (!is_built_in || ~netmask < POOL_LAST)
        return;
    config.ranges[config.range_count++] =
        (struct config_range){.first = network + POOL_FIRST,
                              .last = network + POOL_LAST,
                              .lease_s = LEASE_S};
}

/* ---- the LAN ------------------------------------------------------------- */

static void start_page(uint32_t address)
{
    static struct options page;

    if (settings.page_port == 0)
        return;
    options_set_defaults(&page);
    page.port = settings.page_port;
    page.address = htonl(address);
    connections_init(&page);
    status_set_extra(&page_extra);
    content_init(true);
    if (listener_open(&page) < 0)
        log_line(LOG_ERROR, "page", "port %u: %s", page.port, strerror(errno));
}

/* Once its interface has an address: everything that is offered there. */
static void start_lan(void)
{
    const char *device = lan_device();
    uint32_t address, netmask;

    if (!device_address(device, &address, &netmask))
        return;
    is_lan_up = true;
    add_default_range(address, netmask);
    place = (struct dns_place){&config, settings.name, address, netmask};
    dhcp = (struct dhcp_server){&config, address, netmask};
    if (!leases_start(&config, address, netmask))
        log_line(LOG_ERROR, "dhcp", "no memory for %u leases",
                 config.leases_max);
    else if (config.range_count == 0)
        log_line(LOG_WARNING, "dhcp", "off: there is no dhcp-range");
    else if (!dhcp_service_start(&dhcp, device))
        log_line(LOG_ERROR, "dhcp", "%s: %s", device, strerror(errno));
    if (!dns_service_start(&place, DNS_PORT))
        log_line(LOG_ERROR, "dns", "%s: %s", device, strerror(errno));
    start_page(address);
    log_line(LOG_NOTICE, "gateway", "serving %s on %s", log_address(address),
             device);
}

/* Leases and the cache stay; what is given from now on is as the new file
 * says. */
static void reload(void)
{
    uint32_t address, netmask;

    config_free(&config);
    read_config();
    if (device_address(lan_device(), &address, &netmask))
        add_default_range(address, netmask);
    dns_cache_clear();
    (void)firewall_load(settings.rules_path, settings.uplink, lan_device());
    routes_reload();
}

/* ---- the loop ------------------------------------------------------------ */

static int earlier(int a_ms, int b_ms)
{
    if (a_ms < 0)
        return b_ms;
    return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

static int next_timeout_ms(void)
{
    int timeout_ms =
        clock_ms() < typing_until_ms ? CONSOLE_INTERVAL_MS : SECOND_MS;

    timeout_ms = earlier(timeout_ms, sntp_timeout_ms());
    if (is_lan_up) {
        timeout_ms = earlier(timeout_ms, dns_service_timeout_ms());
        if (settings.page_port != 0) {
            timeout_ms = earlier(timeout_ms, listener_refresh());
            timeout_ms = earlier(timeout_ms, connections_timeout_ms());
        }
    }
    return timeout_ms;
}

static void turn(void)
{
    loop_turn(next_timeout_ms());
    if (!is_lan_up)
        start_lan();
    if (is_lan_up) {
        dns_service_expire();
        if (settings.page_port != 0)
            connections_expire();
    }
    sntp_expire();
    uplink_refresh(settings.uplink);
    routes_refresh(settings.uplink, lan_device());
    firewall_forward_log();
    balancer_turn();
    if (settings.is_console_on && command_poll())
        typing_until_ms = clock_ms() + CONSOLE_BUSY_MS;
}

static void start(void)
{
    log_start(settings.name, settings.syslog_address, settings.syslog_port);
    read_config();
    if (strcmp(settings.uplink, lan_device()) == 0) {
        log_line(LOG_ERROR, "gateway", "%s cannot be uplink and LAN at once",
                 settings.uplink);
        exit(1);
    }
    (void)firewall_load(settings.rules_path, settings.uplink, lan_device());
    if (!device_exists(lan_device()))
        log_line(LOG_WARNING, "gateway",
                 "there is no %s: attach a second network card", lan_device());
    start_lan();
    if (!is_lan_up)
        log_line(LOG_NOTICE, "gateway", "waiting for an address on %s",
                 lan_device());
    uplink_refresh(settings.uplink);
    routes_refresh(settings.uplink, lan_device());
    if (settings.ntp_address != 0)
        sntp_start(settings.ntp_address, settings.ntp_port);
    if (settings.is_console_on)
        settings.is_console_on = command_start(reload);
}

int main(int argc, char **argv)
{
    const char *bad_word;
    bool is_help;

    settings_set_defaults(&settings);
    bad_word = settings_parse(&settings, argc, argv, &is_help);
    if (bad_word != NULL) {
        fprintf(stderr, "gateway: '%s' is not understood\n%s", bad_word,
                settings_usage());
        return 2;
    }
    if (is_help) {
        fputs(settings_usage(), stdout);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!loop_init()) {
        fprintf(stderr, "gateway: %s\n", strerror(errno));
        return 1;
    }
    start();
    for (;;)
        turn();
}
