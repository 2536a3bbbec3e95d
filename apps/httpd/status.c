/* SPDX-License-Identifier: MIT */
/*
 * Counters come as lines, "name value help", where a name may carry labels:
 * from the kernel's COUNTERS_PATH, and from httpd itself in the same form. A
 * name whose base ends in _total is a counter, any other a gauge.
 */
#include "status.h"

#include "clock.h"
#include "counters.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef COUNTERS_PATH
#define COUNTERS_PATH "/proc/ferrule/counters"
#endif

enum { SAMPLES_LIMIT = 4096 };

struct counters counters;
static uint64_t started_ms;
static const struct status_extra *extra;

struct sample {
    struct slice name;  /* with its labels */
    struct slice base;  /* without */
    struct slice value; /* digits */
    struct slice help;
    bool is_written;
};

void status_set_extra(const struct status_extra *added)
{
    extra = added;
}

void status_init(void)
{
    started_ms = clock_ms();
}

/* ---- where the lines come from ------------------------------------------ */

void status_add_line(struct text *out, const char *name, uint64_t value,
                     const char *help)
{
    text_add(out, name);
    text_add(out, " ");
    text_add_number(out, value);
    text_add(out, " ");
    text_add(out, help);
    text_add(out, "\n");
}

static void add_own_lines(struct text *out)
{
    static const char *const classes[] = {
        "httpd_responses_total{class=\"1xx\"}",
        "httpd_responses_total{class=\"2xx\"}",
        "httpd_responses_total{class=\"3xx\"}",
        "httpd_responses_total{class=\"4xx\"}",
        "httpd_responses_total{class=\"5xx\"}"};
    const struct counters *c = &counters;

    status_add_line(out, "httpd_uptime_seconds",
                    (clock_ms() - started_ms) / 1000,
                    "Seconds since httpd started.");
    status_add_line(out, "httpd_connections", c->open, "Open connections.");
    status_add_line(out, "httpd_connections_idle", c->idle,
                    "Open connections between two requests.");
    status_add_line(out, "httpd_connections_total", c->accepted,
                    "Connections accepted.");
    status_add_line(out, "httpd_requests_total", c->requests,
                    "Requests answered.");
    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        status_add_line(out, classes[i], c->responses[i + 1],
                        "Responses by the class of their status.");
    status_add_line(out, "httpd_received_bytes_total", c->received_bytes,
                    "Bytes received from clients.");
    status_add_line(out, "httpd_sent_bytes_total", c->sent_bytes,
                    "Bytes sent to clients.");
    status_add_line(out, "httpd_evicted_total", c->evicted,
                    "Connections closed to make room for new ones.");
    status_add_line(out, "httpd_timeouts_total{phase=\"header\"}",
                    c->header_timeouts, "Connections cut off for being slow.");
    status_add_line(out, "httpd_timeouts_total{phase=\"idle\"}",
                    c->idle_timeouts, "Connections cut off for being slow.");
    status_add_line(out, "httpd_timeouts_total{phase=\"send\"}",
                    c->send_timeouts, "Connections cut off for being slow.");
    status_add_line(out, "httpd_aborted_total", c->aborted,
                    "Responses that did not reach their end.");
    status_add_line(out, "httpd_out_of_memory_total", c->short_of_memory,
                    "Times that memory was short.");
}

static void add_kernel_lines(struct text *out)
{
    char chunk[2048];
    int file = open(COUNTERS_PATH, O_RDONLY);
    ssize_t length;

    if (file < 0)
        return;
    while ((length = read(file, chunk, sizeof(chunk))) > 0)
        text_add_slice(out, (struct slice){chunk, (size_t)length});
    close(file);
}

/* ---- reading them -------------------------------------------------------- */

static struct slice take_until(struct slice *rest, char end)
{
    const char *at = memchr(rest->bytes, end, rest->length);
    size_t length = at ? (size_t)(at - rest->bytes) : rest->length;
    struct slice taken = {rest->bytes, length};

    length += at ? 1 : 0;
    rest->bytes += length;
    rest->length -= length;
    return taken;
}

/* The name ends at the first blank outside of quotes. */
static struct slice take_name(struct slice *rest)
{
    size_t length = 0;
    bool is_quoted = false;

    while (length < rest->length && (is_quoted || rest->bytes[length] != ' ')) {
        if (rest->bytes[length] == '"')
            is_quoted = !is_quoted;
        length++;
    }
    struct slice name = {rest->bytes, length};
    length += length < rest->length ? 1 : 0;
    rest->bytes += length;
    rest->length -= length;
    return name;
}

static bool is_plain_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        bool is_digit = byte >= '0' && byte <= '9';

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
            byte != '_' && byte != ':' && !(is_digit && i > 0))
            return false;
    }
    return name.length > 0;
}

/* A line that is not of the form is left out. */
static bool parse_sample(struct slice line, struct sample *sample)
{
    uint64_t number;
    struct slice name = take_name(&line);
    struct slice rest = name;

    sample->name = name;
    sample->base = take_until(&rest, '{');
    sample->value = take_until(&line, ' ');
    sample->help = line;
    sample->is_written = false;
    return is_plain_name(sample->base) &&
           slice_to_number(sample->value, &number) &&
           (sample->base.length == name.length ||
            name.bytes[name.length - 1] == '}');
}

static size_t count_lines(struct slice lines)
{
    size_t count = 0;

    while (lines.length > 0 && count < SAMPLES_LIMIT) {
        take_until(&lines, '\n');
        count++;
    }
    return count;
}

static size_t parse_samples(struct slice lines, struct sample *samples,
                            size_t limit)
{
    size_t count = 0;

    while (lines.length > 0 && limit-- > 0) {
        struct slice line = take_until(&lines, '\n');

        if (parse_sample(line, &samples[count]))
            count++;
    }
    return count;
}

/* ---- writing them ---------------------------------------------------------
 */

static bool is_same(struct slice a, struct slice b)
{
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static bool is_counter(struct slice base)
{
    return base.length > 6 &&
           memcmp(base.bytes + base.length - 6, "_total", 6) == 0;
}

static void write_family_head(struct text *out, const struct sample *sample)
{
    text_add(out, "# HELP ");
    text_add_slice(out, sample->base);
    text_add(out, " ");
    for (size_t i = 0; i < sample->help.length; i++) {
        if (sample->help.bytes[i] == '\\')
            text_add(out, "\\");
        text_add_slice(out, (struct slice){sample->help.bytes + i, 1});
    }
    text_add(out, "\n# TYPE ");
    text_add_slice(out, sample->base);
    text_add(out, is_counter(sample->base) ? " counter\n" : " gauge\n");
}

/* The format wants all samples of one base together, whatever order they
 * came in. Quadratic in the number of bases, which is some hundreds. */
static void write_families(struct text *out, struct sample *samples,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (samples[i].is_written)
            continue;
        write_family_head(out, &samples[i]);
        for (size_t j = i; j < count; j++) {
            if (samples[j].is_written ||
                !is_same(samples[j].base, samples[i].base))
                continue;
            samples[j].is_written = true;
            text_add_slice(out, samples[j].name);
            text_add(out, " ");
            text_add_slice(out, samples[j].value);
            text_add(out, "\n");
        }
    }
}

void status_format_metrics(struct slice lines, struct text *out)
{
    size_t limit = count_lines(lines);
    struct sample *samples = calloc(limit + 1, sizeof(*samples));

    out->is_cut = out->is_cut || !samples;
    if (samples)
        write_families(out, samples, parse_samples(lines, samples, limit));
    free(samples);
}

/* Each as one string of lines. */
static void add_tables(struct text *out)
{
    bool is_first = true;
    const char *name;

    text_add(out, ",\"tables\":{");
    for (size_t i = 0; (name = extra->table_name(i)) != NULL; i++) {
        struct text table = text_growing();

        if (extra->table(name, &table)) {
            text_add(out, is_first ? "\n\"" : ",\n\"");
            text_add(out, name);
            text_add(out, "\":\"");
            text_add_json(out, (struct slice){table.bytes, table.length});
            text_add(out, "\"");
            is_first = false;
        }
        out->is_cut = out->is_cut || table.is_cut;
        free(table.bytes);
    }
    text_add(out, "}");
}

void status_format_json(struct slice lines, struct text *out)
{
    bool is_first = true;

    text_add(out, "{\"uptime_ms\":");
    text_add_number(out, clock_ms() - started_ms);
    text_add(out, ",\"counters\":{");
    while (lines.length > 0) {
        struct sample sample;

        if (!parse_sample(take_until(&lines, '\n'), &sample))
            continue;
        text_add(out, is_first ? "\n\"" : ",\n\"");
        text_add_json(out, sample.name);
        text_add(out, "\":");
        text_add_slice(out, sample.value);
        is_first = false;
    }
    text_add(out, "}");
    if (extra)
        add_tables(out);
    text_add(out, "}\n");
}

static void write_with(void (*format)(struct slice lines, struct text *out),
                       struct text *out)
{
    struct text lines = text_growing();

    add_own_lines(&lines);
    add_kernel_lines(&lines);
    if (extra)
        extra->counters(&lines);
    out->is_cut = lines.is_cut;
    if (!lines.is_cut)
        format((struct slice){lines.bytes, lines.length}, out);
    free(lines.bytes);
}

void status_write_metrics(struct text *out)
{
    write_with(status_format_metrics, out);
}

void status_write_json(struct text *out)
{
    write_with(status_format_json, out);
}
