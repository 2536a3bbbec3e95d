/* SPDX-License-Identifier: MIT */
/*
 * Floods in full size, in virtual time (`make floods`): a million spoofed SYNs
 * a second for ten seconds beside honest clients; ten minutes of connections
 * that leave a million TIME-WAITs. Prints what it saw, one claim a line, and
 * fails when one does not hold. `host_floods SYNS SECONDS MINUTES` scales it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/host_world.h"

enum {
    PORT = 80,
    PORTS = 60,
    STEP_US = 50, /* one way over the cable */
    CARD = NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS | NETIF_RX_CHECKSUM,
    BATCH = 64,
    CONNECT_EVERY = 20, /* steps: a thousand a second */
    PENDING_MAX = 4096,
    LATENCIES_MAX = 1 << 20,
    SYN_LENGTH = 74,
    CLAIMS = 3, /* of the flood of SYNs */
};

static struct tcp_listener *listeners[PORTS];
static int owner;
static unsigned passed;
static unsigned failures;

static void claim(bool holds, const char *text)
{
    printf("%s %s\n", holds ? "ok" : "not ok", text);
    passed += holds;
    failures += !holds;
}

static void listen_on(size_t ports)
{
    for (size_t i = 0; i < ports; i++) {
        struct tcp_endpoint local = {.port = (uint16_t)(PORT + i)};
        if (ends[1].call->tcp_listen(&local, 1024, true, &owner,
                                     &listeners[i]) != 0)
            fail("tcp_listen");
    }
}

static struct tcp_connection *connect_to(size_t number)
{
    struct tcp_endpoint any = {.port = 0};
    struct tcp_endpoint remote = {ip_address_from_ipv4(be32_from(0x0a000002)),
                                  (uint16_t)(PORT + number)};
    struct tcp_connection *c;

    if (ends[0].call->tcp_connect(&any, &remote, NULL, &owner, world_ns, &c) !=
        0)
        return NULL;
    end_leave(&ends[0]);
    return c;
}

static uint64_t found_value;
static const char *found_name;

static void find_counter(void *context, const char *name, uint64_t value,
                         const char *help)
{
    (void)context;
    (void)help;
    if (strcmp(name, found_name) == 0)
        found_value = value;
}

static uint64_t counter(size_t end, const char *name)
{
    found_name = name;
    found_value = UINT64_MAX;
    ends[end].call->tcp_visit_counters(find_counter, NULL);
    if (found_value == UINT64_MAX)
        fail(name);
    return found_value;
}

/* ---- SYNs -----------------------------------------------------------------
 */

static uint8_t syn[SYN_LENGTH] = {
    2,    0,  0, 0,    0,  2, 2,    0, 0,  0,    0, 1, 8,    0, /* Ethernet */
    0x45, 0,  0, 60,   0,  0, 0x40, 0, 64, 6,    0, 0,          /* IP */
    0,    0,  0, 0,    10, 0, 0,    2,                          /* addresses */
    0,    0,  0, PORT, 0,  0, 0,    0, 0,  0,    0, 0, 0xa0, 2, /* TCP */
    0x72, 16, 0, 0,    0,  0, 2,    4, 5,  0xb4, 4, 2, 8,    10,
    0,    1,  2, 3,    0,  0, 0,    0, 1,  3,    3, 7};

static uint64_t syns_due;
static uint64_t syns_made;

static size_t make_syn(struct end *end, uint8_t *frame)
{
    uint32_t number = (uint32_t)++syns_made * 2654435761U;
    uint32_t sum = 0;

    (void)end;
    if (syns_due == 0) {
        syns_made--;
        return 0;
    }
    syns_due--;
    syn[26] = (uint8_t)(20 + number % 100);
    for (size_t i = 27; i < 30; i++)
        syn[i] = (uint8_t)(number >> (8 * (i - 26)));
    for (size_t i = 34; i < 42; i++)
        if (i != 36 && i != 37)
            syn[i] = (uint8_t)(syns_made >> (8 * (i & 3)) | 1);
    syn[24] = 0;
    syn[25] = 0;
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)syn[i] << 8 | syn[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    syn[24] = (uint8_t)(sum >> 8);
    syn[25] = (uint8_t)sum;
    for (size_t i = 0; i < SYN_LENGTH; i++)
        frame[i] = syn[i];
    return SYN_LENGTH;
}

static struct {
    struct tcp_connection *connection;
    uint64_t began_ns;
} pending[PENDING_MAX];
static size_t pending_count;
static uint32_t latencies_us[LATENCIES_MAX];
static size_t latency_count;
static size_t asked;

/* The honest clients: one connects, some are done, and go again. */
static void clients_step(bool may_begin)
{
    struct tcp_connection *c;

    if (may_begin && pending_count < PENDING_MAX) {
        asked++;
        c = connect_to(0);
        if (c != NULL) {
            pending[pending_count].connection = c;
            pending[pending_count++].began_ns = world_ns;
        }
    }
    for (size_t i = 0; i < pending_count;) {
        c = pending[i].connection;
        if ((ends[0].call->tcp_ready(c) & (TCP_WRITABLE | TCP_FAILED)) == 0) {
            i++;
            continue;
        }
        if (ends[0].call->tcp_get_state(c) == TCP_ESTABLISHED)
            latencies_us[latency_count++] =
                (uint32_t)((world_ns - pending[i].began_ns) / NS_PER_US);
        ends[0].call->tcp_abort(c);
        pending[i] = pending[--pending_count];
    }
    end_leave(&ends[0]);
    while ((c = ends[1].call->tcp_accept(listeners[0], &owner)) != NULL)
        ends[1].call->tcp_abort(c);
    end_leave(&ends[1]);
}

static void step_timers(void)
{
    world_ns += STEP_US * NS_PER_US;
    for (size_t i = 0; i < 2; i++)
        if (ends[i].call->net_next_deadline() <= world_ns)
            ends[i].call->net_timer_softirq(world_ns);
}

static void clients_run(uint64_t duration_ns, uint64_t syns_per_s)
{
    uint64_t until = world_ns + duration_ns;
    uint64_t parts = 0;

    for (uint64_t step = 0; world_ns < until; step++) {
        parts += syns_per_s * STEP_US;
        syns_due += parts / 1000000;
        parts %= 1000000;
        (void)end_poll(&ends[1]);
        (void)end_poll(&ends[0]);
        clients_step(step % CONNECT_EVERY == 0);
        step_timers();
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The 99th percentile of what was measured since the last call, in us. */
static uint32_t take_p99(void)
{
    uint32_t p99 = 0;

    qsort(latencies_us, latency_count, sizeof(latencies_us[0]), compare);
    if (latency_count != 0)
        p99 = latencies_us[latency_count * 99 / 100];
    return p99;
}

static void flood_with_syns(uint64_t per_s, uint64_t seconds)
{
    char text[200];

    ends_start(64 << 20, CARD, BATCH);
    listen_on(1);
    clients_run(2 * NS_PER_S, 0);
    uint32_t idle = take_p99();
    latency_count = 0;
    asked = 0;
    size_t packets = ends[1].call->packet_count_free();
    size_t buffers = ends[1].call->buffer_count_free();
    ends[1].generate = make_syn;
    /* What is not for the client is for those who do not exist. */
    clients_run(seconds * NS_PER_S, per_s);
    uint32_t flooded = take_p99();
    double share = 100.0 * (double)latency_count / (double)asked;
    (void)snprintf(text, sizeof(text),
                   "%lu SYNs in %lu s: %.3f %% of %zu honest connects succeed",
                   (unsigned long)syns_made, (unsigned long)seconds, share,
                   asked);
    claim(share >= 99.9, text);
    (void)snprintf(text, sizeof(text), "p99 of connecting: %u us, idle %u us",
                   flooded, idle);
    claim(flooded < 2 * idle, text);
    syns_due = 0;
    ends[1].generate = NULL;
    uint64_t kept = counter(1, "tcp_connections{state=\"syn-received\"}");
    ends_settle();
    clients_step(false);
    ends_settle();
    ends[1].is_raised = true; /* what it sent is found at a poll */
    (void)end_poll(&ends[1]);
    (void)snprintf(text, sizeof(text),
                   "memory: %zu packets and %zu buffers free before, %zu and "
                   "%zu behind; %lu half-open; %lu cookies",
                   packets, buffers, ends[1].call->packet_count_free(),
                   ends[1].call->buffer_count_free(), (unsigned long)kept,
                   (unsigned long)counter(1, "tcp_syncookies_sent_total"));
    claim(ends[1].call->packet_count_free() + 16 >= packets && kept <= 1024,
          text);
}

/* ---- TIME-WAITs -----------------------------------------------------------
 */

enum {
    CHURN_PER_S = 17000,
    FEW = 1000,
    FEW_SAMPLE = 20000,
    ROUNDS = 15,
};

static size_t churned;

static bool churn_one(void)
{
    size_t port = churned % PORTS;
    struct tcp_connection *client = connect_to(port);

    if (client == NULL)
        return false;
    ends_settle();
    struct tcp_connection *server =
        ends[1].call->tcp_accept(listeners[port], &owner);
    if (server == NULL)
        return false;
    ends[0].call->tcp_close(client, world_ns);
    end_leave(&ends[0]);
    ends_settle();
    ends[1].call->tcp_close(server, world_ns);
    end_leave(&ends[1]);
    ends_settle();
    churned++;
    return true;
}

/* Of this process: what else the machine does is not in it. */
static double cpu_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Connections that failed. */
static size_t churn_for(uint64_t duration_ns)
{
    uint64_t until = world_ns + duration_ns;
    size_t failed = 0;

    while (world_ns < until) {
        failed += !churn_one();
        ends_wait(NS_PER_S / CHURN_PER_S);
    }
    return failed;
}

static void start_churn(void)
{
    ends_start(UINT64_C(1200) << 20, CARD, BATCH);
    listen_on(PORTS);
}

/* Microseconds of CPU a connection, with no more TIME-WAITs than FEW. */
static double churn_few(void)
{
    double from = cpu_seconds();

    churned = 0;
    while (churned < FEW_SAMPLE) {
        if (churn_for(FEW * NS_PER_S / CHURN_PER_S) != 0)
            fail("a connection among few");
        ends_wait(61 * NS_PER_S);
    }
    return (cpu_seconds() - from) * 1e6 / (double)churned;
}

/* Answers each byte with a figure, in a process of its own: stacks start once
 * in a process, and both are to be asked in turns. */
static pid_t serve_few(int *ask, int *answer)
{
    int asked_by[2];
    int answered[2];
    char byte;

    if (pipe(asked_by) != 0 || pipe(answered) != 0)
        fail("pipe");
    pid_t child = fork();
    if (child != 0) {
        (void)close(asked_by[0]);
        (void)close(answered[1]);
        *ask = asked_by[1];
        *answer = answered[0];
        return child;
    }
    (void)close(asked_by[1]);
    start_churn();
    (void)churn_few(); /* warm */
    while (read(asked_by[0], &byte, 1) == 1) {
        double figure = churn_few();
        if (write(answered[1], &figure, sizeof(figure)) != sizeof(figure))
            break;
    }
    _exit(0);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare_doubles);
    return values[count / 2];
}

static void churn_time_waits(uint64_t minutes)
{
    static double few[ROUNDS];
    static double many[ROUNDS];
    static double ratio[ROUNDS];
    size_t failed = 0;
    size_t made = 0;
    char text[200];
    int ask;
    int answer;

    (void)fflush(stdout);
    pid_t child = serve_few(&ask, &answer);
    start_churn();
    failed += churn_for(62 * NS_PER_S);
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < ROUNDS; i++) {
        if (write(ask, "?", 1) != 1 ||
            read(answer, &few[i], sizeof(few[i])) != sizeof(few[i]))
            fail("the process with few");
        churned = 0;
        double from = cpu_seconds();
        failed += churn_for(minutes * 60 * NS_PER_S / ROUNDS);
        many[i] = (cpu_seconds() - from) * 1e6 / (double)churned;
        ratio[i] = few[i] / many[i];
        made += churned;
        uint64_t waits = counter(0, "tcp_connections{state=\"time-wait\"}");
        least = waits < least ? waits : least;
    }
    (void)close(ask);
    (void)waitpid(child, NULL, 0);
    (void)snprintf(text, sizeof(text),
                   "%lu TIME-WAITs or more, %lu minutes: %zu connections, "
                   "%zu failed, %lu evicted",
                   (unsigned long)least, (unsigned long)minutes, made, failed,
                   (unsigned long)counter(0, "tcp_time_wait_evictions_total"));
    claim(failed == 0 && least >= 1000000 &&
              counter(0, "tcp_time_wait_evictions_total") == 0,
          text);
    double rate = median(ratio, ROUNDS);
    (void)snprintf(text, sizeof(text),
                   "connections a second of CPU, both ends: %.3f of what they "
                   "are with %d TIME-WAITs (%.2f and %.2f us each, medians "
                   "of %d rounds in turns)",
                   rate, FEW, median(many, ROUNDS), median(few, ROUNDS),
                   ROUNDS);
    claim(rate >= 0.95, text);
}

int main(int count, char **words)
{
    unsigned long syns = count > 1 ? strtoul(words[1], NULL, 10) : 1000000;
    unsigned long seconds = count > 2 ? strtoul(words[2], NULL, 10) : 10;
    unsigned long minutes = count > 3 ? strtoul(words[3], NULL, 10) : 10;
    int status = 0;

    /* The stacks start once in a process. */
    pid_t child = fork();
    if (child == 0) {
        flood_with_syns(syns, seconds);
        (void)fflush(stdout);
        _exit((int)failures);
    }
    (void)waitpid(child, &status, 0);
    failures += WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : CLAIMS;
    passed += CLAIMS - failures;
    if (minutes != 0)
        churn_time_waits(minutes);
    printf("%u passed, %u failed\n", passed, failures);
    return failures != 0;
}
