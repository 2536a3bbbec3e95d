/* SPDX-License-Identifier: MIT */
/*
 * A router: its words, and /proc/ferrule/routes and qdiscs.
 */
#include "kernel/main_parts.h"

#include "drivers/e1000/e1000.h"
#include "kernel/clock.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/main_text.h"
#include "kernel/main_views.h"
#include "kernel/panic.h"
#include "kernel/report.h"
#include "kernel/softirq.h"
#include "net/filter/firewall.h"
#include "net/net_router.h"

#include <errno.h>
#include <string.h>

enum {
    ROUTE_LINE_BYTES = 80,
    ROUTES_PER_TURN = 256, /* softirqs wait no longer than this takes */
    BAD_ROUTES_SHOWN = 20,
};

static bool set_word(const char *name, const char *value)
{
    return value != NULL && net_router_word(name, value) == 0;
}

static const struct command_word words[] = {
    {"route", set_word},
    {"qdisc", set_word},
    {"vlan", set_word},
};

void main_parts_start(void)
{
    if (net_router_init(clock_now_ns()) != 0)
        panic("not enough memory for the router");
    if (filter_start(clock_now_ns()) != 0)
        panic("not enough memory for the firewall");
    command_line_apply(words, sizeof(words) / sizeof(words[0]));
    /* QEMU's 82574L also vouches for frames of its own host whose checksum
     * was never made: good enough to be read, not to be sent on. */
    (void)e1000_set_option("rx_checksum", "0");
}

void main_parts_prepare_network(void)
{
    net_router_start(clock_now_ns());
}

static void add_route(void *context, const char *line)
{
    report_add(context, "%s\n", line);
}

static size_t write_routes(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    report_add(&text, "route\n");
    softirq_lock();
    net_router_visit_routes(add_route, &text);
    softirq_unlock();
    return text.length;
}

/* Lines as behind `route=`; blank ones and those behind a # do not count. The
 * lock is let go now and then: a full table is 100,000 lines. */
static int accept_routes(const char *text, size_t length)
{
    const char *end = text + length;
    unsigned number = 0, bad = 0;
    int result = 0;

    softirq_lock();
    while (text < end) {
        const char *mark = memchr(text, '\n', (size_t)(end - text));
        size_t size = (size_t)((mark != NULL ? mark : end) - text);
        char line[ROUTE_LINE_BYTES];
        bool is_long = size >= sizeof(line);
        int status = 0;

        if (size != 0 && text[0] != '#') {
            memcpy(line, text, is_long ? 0 : size);
            line[is_long ? 0 : size] = '\0'; /* which is not understood */
            status = net_router_route_now(line);
        }
        number++;
        if (status != 0 && ++bad <= BAD_ROUTES_SHOWN)
            log_print(LOG_ERROR, "route", "line %u: %s", number,
                      status == -EINVAL   ? "not understood"
                      : status == -ENOSPC ? "no room"
                                          : "its gateway is not reached");
        if (result == 0)
            result = status;
        text += mark != NULL ? size + 1 : size;
        if (number % ROUTES_PER_TURN == 0) {
            softirq_unlock();
            softirq_lock();
        }
    }
    softirq_unlock();
    if (bad > BAD_ROUTES_SHOWN)
        log_print(LOG_ERROR, "route", "and %u lines more",
                  bad - BAD_ROUTES_SHOWN);
    return result;
}

static void add_qdisc(void *context, const char *netif, const char *discipline,
                      const char *name, uint64_t value)
{
    report_add(context, "%s  %s  %s  %lu\n", netif, discipline, name, value);
}

static size_t write_qdiscs(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    report_add(&text, "interface  discipline  counter  value\n");
    softirq_lock();
    net_router_visit_qdiscs(add_qdisc, &text);
    softirq_unlock();
    return text.length;
}

void main_parts_report(void)
{
    static const struct report reports[] = {
        {"routes", write_routes, accept_routes},
        {"qdiscs", write_qdiscs, NULL},
    };

    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
        if (report_register(&reports[i]) != 0)
            log_print(LOG_ERROR, "report", "no room for %s", reports[i].name);
    }
    main_views_register();
    main_firewall_register();
}
