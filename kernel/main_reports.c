/* SPDX-License-Identifier: MIT */
/*
 * The counters of the machine and of the stack as lines "name value help",
 * with Prometheus labels in the name. Lives beside main.c because it sees
 * both the kernel and the stack.
 */
#include "kernel/main_reports.h"

#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/interrupt.h"
#include "kernel/main_text.h"
#include "kernel/memory.h"
#include "kernel/report.h"
#include "kernel/softirq.h"
#include "libc/pure/format.h"
#include "net/net.h"

#include <string.h>

enum { NAME_BYTES = 80, LINE_BYTES = 320 };

static const char *const context_names[CONTEXT_COUNT] = {
    [CONTEXT_APP] = "app",
    [CONTEXT_SOFTIRQ] = "softirq",
    [CONTEXT_HARDIRQ] = "hardirq",
    [CONTEXT_IDLE] = "idle",
};

static const char *const softirq_names[SOFTIRQ_COUNT] = {
    [SOFTIRQ_TIMER] = "TIMER",
    [SOFTIRQ_NET_TX] = "NET_TX",
    [SOFTIRQ_NET_RX] = "NET_RX",
};

static void add_line(void *context, const char *name, uint64_t value,
                     const char *help)
{
    char line[LINE_BYTES];
    size_t length =
        format_print(line, sizeof(line), "%s %lu %s\n", name, value, help);

    if (length < sizeof(line))
        report_add_bytes(context, line, length);
}

static void add_labelled(struct report_text *text, const char *name,
                         const char *label, uint64_t value, const char *help)
{
    char whole[NAME_BYTES];

    (void)format_print(whole, sizeof(whole), name, label);
    add_line(text, whole, value, help);
}

static void add_softirqs(struct report_text *text)
{
    const struct softirq_counters *counters = softirq_counters();

    for (unsigned i = 0; i < CONTEXT_COUNT; i++) {
        add_labelled(text, "cpu_ns_total{context=\"%s\"}", context_names[i],
                     counters->context_ns[i], "Where the CPU's time went.");
    }
    for (unsigned i = 0; i < SOFTIRQ_COUNT; i++) {
        add_labelled(text, "softirq_runs_total{vector=\"%s\"}",
                     softirq_names[i], counters->runs[i],
                     "Times a softirq handler ran.");
    }
    for (unsigned i = 0; i < SOFTIRQ_COUNT; i++) {
        add_labelled(text, "softirq_ns_total{vector=\"%s\"}", softirq_names[i],
                     counters->run_ns[i], "Time spent in softirq handlers.");
    }
    add_line(text, "softirq_squeezed_total", counters->squeezed,
             "Rounds that ended with work left over.");
    add_line(text, "softirq_deferred_total", counters->deferred,
             "Rounds put off so that the app could run.");
    add_line(text, "idle_spins_total", counters->spins,
             "Times an idle CPU looked for frames before it halted.");
    add_line(text, "idle_spins_hit_total", counters->spun, "...and some came.");
}

static void add_interrupts(struct report_text *text)
{
    const struct interrupt_counters *counters = interrupt_counters();

    for (unsigned i = 0; i < INTERRUPT_VECTOR_COUNT; i++) {
        char vector[sizeof("255")];
        uint64_t count = interrupt_count(i);

        if (count == 0)
            continue;
        (void)format_print(vector, sizeof(vector), "%u", i);
        add_labelled(text, "interrupts_total{vector=\"%s\"}", vector, count,
                     "Interrupts received.");
    }
    add_line(text, "interrupts_spurious_total", counters->spurious,
             "Interrupts nobody was to blame for.");
    add_line(text, "interrupts_unhandled_total", counters->unhandled,
             "Interrupts of a line that no handler claimed.");
    add_line(text, "interrupts_storms_total", counters->storms,
             "Lines masked for crying without end.");
    add_line(text, "interrupts_polls_total", counters->polls,
             "Turns of the poll that stands in for a dead line.");
    add_line(text, "interrupts_lines_polled", counters->lines_polled,
             "Lines served by polling.");
}

static size_t write_counters(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    add_line(&text, "uptime_ns_total", clock_now_ns(),
             "Time since the kernel was entered.");
    add_line(&text, "memory_bytes", memory_total(), "Usable RAM.");
    add_line(&text, "memory_available_bytes", memory_available(),
             "RAM that nobody has taken.");
    add_softirqs(&text);
    add_interrupts(&text);
    softirq_lock();
    net_visit_counters(add_line, &text);
    softirq_unlock();
    return text.length;
}

/* As loglevel= takes it: lines of a lower number are shown. */
static size_t write_level(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};
    char line[sizeof("15\n")];

    report_add_bytes(
        &text, line,
        format_print(line, sizeof(line), "%d\n", log_shown_below()));
    return text.length;
}

static size_t write_log(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};
    char part[LINE_BYTES];
    uint64_t position = 0;
    size_t length;

    while ((length = console_history(&position, part, sizeof(part))) > 0)
        report_add_bytes(&text, part, length);
    return text.length;
}

void main_reports_register(void)
{
    static const struct report reports[] = {
        {"counters", write_counters, NULL},
        {"loglevel", write_level, NULL},
        {"log", write_log, NULL},
    };

    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
        if (report_register(&reports[i]) != 0)
            log_print(LOG_ERROR, "report", "no room for %s", reports[i].name);
    }
}
