/* SPDX-License-Identifier: MIT */
/*
 * The firewall's files below /proc/ferrule: `nftables` takes a rule file and
 * shows the rules, `nftables-error` says what was wrong with the last one,
 * `rules`, `flows` and `backends` are tables, `firewall-log` is what `log`
 * rules wrote on the console, each line with a number that only grows.
 */
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/main_text.h"
#include "kernel/main_views.h"
#include "kernel/report.h"
#include "kernel/softirq.h"
#include "net/filter/firewall.h"
#include "net/filter/rules.h"

#include <errno.h>
#include <string.h>

enum {
    FLOWS_PER_TURN = 1024, /* softirqs wait no longer than this takes */
    PART_BYTES = 512,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

static struct rules_error last_error;

/* ---- rules ----------------------------------------------------------------
 */

static int accept_rules(const char *text, size_t length)
{
    int status;

    memset(&last_error, 0, sizeof(last_error));
    softirq_lock();
    status = rules_load("nftables.conf", text, length, &last_error);
    softirq_unlock();
    return status;
}

static size_t write_error(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    if (last_error.text[0] != '\0')
        report_add(&text, "%s\n", last_error.text);
    return text.length;
}

static void add_rule(void *context, const struct rules_line *line)
{
    struct report_text *text = context;

    report_add(text, "%s  %s  ", line->table, line->chain);
    if (line->text != NULL)
        report_add_bytes(text, line->text, line->length);
    else
        report_add(text, "(chain)");
    report_add(text, "  %u", line->line);
    if (line->has_counter)
        report_add(text, "  %lu  %lu\n", line->packets, line->bytes);
    else
        report_add(text, "  -  -\n");
}

static size_t write_rules(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    report_add(&text, "table  chain  rule  line  packets  bytes\n");
    softirq_lock();
    rules_visit(add_rule, &text);
    softirq_unlock();
    return text.length;
}

/* ---- flows ----------------------------------------------------------------
 */

static const char *protocol_name(uint8_t protocol)
{
    switch (protocol) {
    case PROTOCOL_ICMP:
        return "icmp";
    case PROTOCOL_TCP:
        return "tcp";
    case PROTOCOL_UDP:
        return "udp";
    default:
        return "other";
    }
}

static void add_flow(void *context, const struct filter_flow_view *flow)
{
    struct report_text *text = context;

    report_add(text, "%s  %s", protocol_name(flow->protocol),
               flow->state[0] != '\0' ? flow->state
               : flow->is_seen_reply  ? "replied"
                                      : "unreplied");
    for (unsigned i = 0; i < 2; i++) {
        uint32_t from = flow->direction[i].source;
        uint32_t to = flow->direction[i].destination;
        unsigned port = flow->direction[i].destination_port;

        if (flow->protocol == PROTOCOL_ICMP)
            report_add(text,
                       "  " REPORT_ADDRESS " > " REPORT_ADDRESS
                       " type %u code %u id %u",
                       REPORT_ADDRESS_OF(from), REPORT_ADDRESS_OF(to),
                       port >> 8, port & 255, flow->direction[i].source_port);
        else
            report_add(text, "  " REPORT_ADDRESS ":%u > " REPORT_ADDRESS ":%u",
                       REPORT_ADDRESS_OF(from), flow->direction[i].source_port,
                       REPORT_ADDRESS_OF(to), port);
        report_add(text, "  %lu", flow->direction[i].bytes);
    }
    report_add(text, "  %u\n", flow->seconds_left);
}

static size_t write_flows(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};
    size_t next = 0;

    report_add(
        &text,
        "protocol  state  original  bytes  reply  bytes  seconds left\n");
    do {
        softirq_lock();
        next = filter_visit_flows(next, FLOWS_PER_TURN, clock_now_ns(),
                                  add_flow, &text);
        softirq_unlock();
    } while (next != 0);
    return text.length;
}

static void add_backend(void *context, const struct filter_backend *backend)
{
    static const char *const states[] = {
        [FILTER_BACKEND_UP] = "up",
        [FILTER_BACKEND_DRAINING] = "draining",
        [FILTER_BACKEND_DOWN] = "down",
    };

    report_add(context, REPORT_ADDRESS "  %u  %s  %lu\n",
               REPORT_ADDRESS_OF(backend->address), backend->port,
               states[backend->state], backend->flows);
}

static size_t write_backends(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    report_add(&text, "address  port  state  flows\n");
    softirq_lock();
    filter_visit_backends(add_backend, &text);
    softirq_unlock();
    return text.length;
}

/* "ADDRESS PORT STATE": what a health check found. */
static int accept_backend(const char *text, size_t length)
{
    static const char *const states[] = {"up", "draining", "down"};
    unsigned numbers[5] = {0};
    size_t at = 0;

    for (unsigned i = 0; i < 5; i++) {
        size_t start = at;

        while (at < length && text[at] >= '0' && text[at] <= '9' &&
               at - start < 5)
            numbers[i] = numbers[i] * 10 + (unsigned)(text[at++] - '0');
        if (at == start || at == length || text[at++] != (i < 3 ? '.' : ' ') ||
            numbers[i] > (i < 4 ? 255U : 65535U))
            return -EINVAL;
    }
    for (unsigned state = 0; state < 3; state++) {
        size_t size = strlen(states[state]);
        uint32_t address =
            numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3];
        size_t count;

        if (length - at < size || memcmp(text + at, states[state], size) != 0)
            continue;
        softirq_lock();
        count = filter_backend_set(address, (uint16_t)numbers[4],
                                   (enum filter_backend_state)state);
        softirq_unlock();
        return count != 0 ? 0 : -ENOENT;
    }
    return -EINVAL;
}

/* ---- the log --------------------------------------------------------------
 */

/* The part of a console line behind "[    1.234567] filter: ", or NULL. */
static const char *log_text(const char *line, size_t length, size_t *left)
{
    static const char mark[] = "] filter: ";
    size_t size = sizeof(mark) - 1;
    const char *at = memchr(line, ']', length);

    if (at == NULL || length - (size_t)(at - line) < size ||
        memcmp(at, mark, size) != 0)
        return NULL;
    *left = length - (size_t)(at - line) - size;
    return at + size;
}

static void add_log_line(struct report_text *text, const char *line,
                         size_t length, uint64_t number)
{
    size_t left;
    const char *rest = log_text(line, length, &left);

    if (rest == NULL)
        return;
    report_add(text, "%lu ", number);
    report_add_bytes(text, rest, left);
    report_add_bytes(text, "\n", 1);
}

/* The end of a part that is no whole line moves to the front. */
static size_t write_log(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};
    char part[PART_BYTES];
    uint64_t position = 0;
    size_t used = 0;
    size_t length;

    while ((length = console_history(&position, part + used,
                                     sizeof(part) - used)) > 0) {
        const char *line = part;
        const char *end = part + used + length;
        const char *mark;

        while ((mark = memchr(line, '\n', (size_t)(end - line))) != NULL) {
            add_log_line(&text, line, (size_t)(mark - line),
                         position - (uint64_t)(end - mark));
            line = mark + 1;
        }
        used = (size_t)(end - line);
        memmove(part, line, used);
        if (used == sizeof(part))
            used = 0; /* no line of ours is that long */
    }
    return text.length;
}

void main_firewall_register(void)
{
    static const struct report reports[] = {
        {"nftables", write_rules, accept_rules},
        {"nftables-error", write_error, NULL},
        {"rules", write_rules, NULL},
        {"flows", write_flows, NULL},
        {"backends", write_backends, accept_backend},
        {"firewall-log", write_log, NULL},
    };

    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
        if (report_register(&reports[i]) != 0)
            log_print(LOG_ERROR, "report", "no room for %s", reports[i].name);
    }
}
