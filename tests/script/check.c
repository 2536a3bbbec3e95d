/* SPDX-License-Identifier: MIT */
/*
 * The evaluator: Python's operators on integers, as far as assertions need
 * them. Names are members of TCP_INFO, counter("name"), and the symbols calls
 * may use.
 */
#include "tests/script/check.h"
#include "tests/script/calls.h"
#include "tests/script/script.h"
#include "tests/script/stage.h"

#include "net/socket/socket.h"

#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO(name)                                                             \
    {                                                                          \
#name, offsetof(struct tcp_info, name),                                \
            sizeof(((struct tcp_info *)0)->name)                               \
    }

/* With what <netinet/tcp.h> here may not have yet, and <linux/tcp.h>, which
 * has it, collides with that. */
struct info {
    uint8_t state;
    uint8_t others[103]; /* to tcpi_total_retrans */
    uint64_t tcpi_pacing_rate;
    uint64_t tcpi_max_pacing_rate;
    uint64_t tcpi_bytes_acked;
    uint64_t tcpi_bytes_received;
    uint32_t tcpi_segs_out;
    uint32_t tcpi_segs_in;
    uint32_t tcpi_notsent_bytes;
    uint32_t tcpi_min_rtt;
    uint32_t tcpi_data_segs_in;
    uint32_t tcpi_data_segs_out;
    uint64_t tcpi_delivery_rate;
    uint64_t tcpi_busy_time;
    uint64_t tcpi_rwnd_limited;
    uint64_t tcpi_sndbuf_limited;
    uint32_t tcpi_delivered;
    uint32_t tcpi_delivered_ce;
    uint64_t tcpi_bytes_sent;
    uint64_t tcpi_bytes_retrans;
    uint32_t tcpi_dsack_dups;
    uint32_t tcpi_reord_seen;
    uint32_t tcpi_rcv_ooopack;
    uint32_t tcpi_snd_wnd;
    uint32_t tcpi_rcv_wnd;
    uint32_t tcpi_rehash;
};

#define LATER(name)                                                            \
    {                                                                          \
#name, offsetof(struct info, name), sizeof(((struct info *)0)->name)   \
    }

static const struct {
    const char *name;
    size_t offset;
    size_t size;
} members[] = {
    INFO(tcpi_ca_state),
    INFO(tcpi_retransmits),
    INFO(tcpi_probes),
    INFO(tcpi_backoff),
    INFO(tcpi_options),
    INFO(tcpi_rto),
    INFO(tcpi_ato),
    INFO(tcpi_snd_mss),
    INFO(tcpi_rcv_mss),
    INFO(tcpi_unacked),
    INFO(tcpi_sacked),
    INFO(tcpi_lost),
    INFO(tcpi_retrans),
    INFO(tcpi_fackets),
    INFO(tcpi_last_data_sent),
    INFO(tcpi_last_data_recv),
    INFO(tcpi_last_ack_recv),
    INFO(tcpi_pmtu),
    INFO(tcpi_rcv_ssthresh),
    INFO(tcpi_rtt),
    INFO(tcpi_rttvar),
    INFO(tcpi_snd_ssthresh),
    INFO(tcpi_snd_cwnd),
    INFO(tcpi_advmss),
    INFO(tcpi_reordering),
    INFO(tcpi_rcv_rtt),
    INFO(tcpi_rcv_space),
    INFO(tcpi_total_retrans),
    LATER(tcpi_bytes_acked),
    LATER(tcpi_bytes_received),
    LATER(tcpi_segs_out),
    LATER(tcpi_segs_in),
    LATER(tcpi_notsent_bytes),
    LATER(tcpi_min_rtt),
    LATER(tcpi_data_segs_in),
    LATER(tcpi_data_segs_out),
    LATER(tcpi_delivered),
    LATER(tcpi_bytes_sent),
    LATER(tcpi_bytes_retrans),
    LATER(tcpi_dsack_dups),
    LATER(tcpi_reord_seen),
    LATER(tcpi_snd_wnd),
    LATER(tcpi_rcv_wnd),
};

struct evaluation {
    const char *at;
    const char *error; /* NULL: none */
    char values[160];  /* "name=1 ..." of what was looked at */
    struct info info;
    bool has_info;
};

static long long evaluate(struct evaluation *e);

static void skip(struct evaluation *e)
{
    while (*e->at == ' ' || *e->at == '\t')
        e->at++;
}

static bool take(struct evaluation *e, const char *text)
{
    size_t length = strlen(text);

    skip(e);
    if (strncmp(e->at, text, length) != 0)
        return false;
    if (isalpha((unsigned char)*text) &&
        (isalnum((unsigned char)e->at[length]) || e->at[length] == '_'))
        return false;
    e->at += length;
    return true;
}

static void note(struct evaluation *e, const char *name, size_t length,
                 long long value)
{
    size_t used = strlen(e->values);

    snprintf(e->values + used, sizeof(e->values) - used, " %.*s=%lld",
             (int)length, name, value);
}

static bool find_member(struct evaluation *e, const char *name, size_t length,
                        long long *value)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strlen(members[i].name) != length ||
            memcmp(members[i].name, name, length) != 0)
            continue;
        const uint8_t *from = (const uint8_t *)&e->info + members[i].offset;
        uint64_t number = 0; /* little-endian, as the struct is */
        memcpy(&number, from, members[i].size);
        *value = (long long)number;
        if (!e->has_info)
            e->error = "there is no socket to ask for TCP_INFO";
        return true;
    }
    return false;
}

static long long evaluate_counter(struct evaluation *e)
{
    const char *start = strchr(e->at, '"');
    const char *end = start == NULL ? NULL : strchr(start + 1, '"');
    char name[96];
    uint64_t value = 0;

    if (end == NULL || end - start > (int)sizeof(name)) {
        e->error = "counter(\"name\") expected";
        return 0;
    }
    memcpy(name, start + 1, (size_t)(end - start - 1));
    name[end - start - 1] = '\0';
    e->at = end + 1;
    if (!take(e, ")") || !stage_counter(name, &value))
        e->error = "no such counter";
    note(e, name, strlen(name), (long long)value);
    return (long long)value;
}

static long long evaluate_name(struct evaluation *e)
{
    const char *name = e->at;
    size_t length = 0;
    long long value = 0;

    while (isalnum((unsigned char)name[length]) || name[length] == '_')
        length++;
    e->at += length;
    if (length == 0)
        e->error = "a value expected";
    else if (length == 7 && memcmp(name, "counter", 7) == 0)
        return evaluate_counter(e);
    else if (length == 10 && memcmp(name, "tcpi_state", 10) == 0)
        value = e->has_info ? e->info.state : stage_state();
    else if (length == 5 && memcmp(name, "state", 5) == 0)
        value = stage_state();
    else if (find_member(e, name, length, &value))
        ;
    else if (symbol_find(name, length, &value))
        return value;
    else
        e->error = "unknown name";
    note(e, name, length, value);
    return value;
}

static long long evaluate_primary(struct evaluation *e)
{
    char *end;

    if (take(e, "-"))
        return -evaluate_primary(e);
    if (take(e, "(")) {
        long long value = evaluate(e);
        if (!take(e, ")"))
            e->error = "')' expected";
        return value;
    }
    if (take(e, "True"))
        return 1;
    if (take(e, "False"))
        return 0;
    skip(e);
    if (isdigit((unsigned char)*e->at)) {
        long long value = strtoll(e->at, &end, 0);
        e->at = end;
        return value;
    }
    return evaluate_name(e);
}

static long long evaluate_product(struct evaluation *e)
{
    long long value = evaluate_primary(e);

    for (;;) {
        if (take(e, "*")) {
            value *= evaluate_primary(e);
        } else if (take(e, "//") || take(e, "/")) {
            long long by = evaluate_primary(e);
            value = by == 0 ? 0 : value / by;
        } else if (take(e, "&")) {
            value &= evaluate_primary(e);
        } else {
            return value;
        }
    }
}

static long long evaluate_sum(struct evaluation *e)
{
    long long value = evaluate_product(e);

    for (;;) {
        if (take(e, "+"))
            value += evaluate_product(e);
        else if (take(e, "-"))
            value -= evaluate_product(e);
        else
            return value;
    }
}

/* a == b, and a <= b <= c, as in Python. */
static long long evaluate_comparison(struct evaluation *e)
{
    long long left = evaluate_sum(e);
    bool is_chain = false;
    bool holds = true;

    for (;;) {
        bool result;
        long long right;
        if (take(e, "=="))
            result = left == (right = evaluate_sum(e));
        else if (take(e, "!="))
            result = left != (right = evaluate_sum(e));
        else if (take(e, "<="))
            result = left <= (right = evaluate_sum(e));
        else if (take(e, ">="))
            result = left >= (right = evaluate_sum(e));
        else if (take(e, "<"))
            result = left < (right = evaluate_sum(e));
        else if (take(e, ">"))
            result = left > (right = evaluate_sum(e));
        else
            return is_chain ? holds : left;
        holds = holds && result;
        is_chain = true;
        left = right;
    }
}

static long long evaluate_not(struct evaluation *e)
{
    return take(e, "not") ? !evaluate_not(e) : evaluate_comparison(e);
}

static long long evaluate_and(struct evaluation *e)
{
    long long value = evaluate_not(e);

    while (take(e, "and")) {
        long long right = evaluate_not(e);
        value = value && right;
    }
    return value;
}

static long long evaluate(struct evaluation *e)
{
    long long value = evaluate_and(e);

    while (take(e, "or")) {
        long long right = evaluate_and(e);
        value = value || right;
    }
    return value;
}

static void read_info(struct evaluation *e)
{
    socklen_t length = sizeof(e->info);

    memset(&e->info, 0, sizeof(e->info));
    e->has_info = call_socket() >= 0 &&
                  socket_getsockopt(call_socket(), IPPROTO_TCP, TCP_INFO,
                                    &e->info, &length) == 0;
}

bool check_run(const char *text, char *why, size_t size)
{
    struct evaluation e = {.at = text};

    read_info(&e);
    for (;;) {
        while (isspace((unsigned char)*e.at) || *e.at == ';')
            e.at++;
        if (*e.at == '\0')
            return true;
        const char *start = e.at;
        e.values[0] = '\0';
        bool holds = false;
        if (take(&e, "assert"))
            holds = evaluate(&e) != 0;
        else
            e.error = "only 'assert' is understood";
        if (e.error != NULL || !holds) {
            snprintf(why, size, "%.*s: %s%s", (int)strcspn(start, "\n;"), start,
                     e.error == NULL ? "does not hold:" : e.error, e.values);
            return false;
        }
        /* The message after the comma is Python's business. */
        if (take(&e, ","))
            e.at += strcspn(e.at, "\n;");
        skip(&e);
        if (*e.at != '\0' && *e.at != '\n' && *e.at != ';') {
            snprintf(why, size, "not understood: %.40s", e.at);
            return false;
        }
    }
}
