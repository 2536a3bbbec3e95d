/* SPDX-License-Identifier: MIT */
/*
 * Stub resolver. Each question goes out from a socket of its own, with a
 * random port and identification (RFC 5452), to one server after the other; an
 * answer counts only from the server that was asked, for the question that was
 * asked. Deliberately absent: TCP for truncated answers (they fail), EDNS,
 * search domains.
 */
#include "net/service/dns.h"

#include "net/service/dns_cache.h"

#include "net/bounds.h"
#include "net/counter.h"
#include "net/platform.h"
#include "net/timer.h"
#include "net/udp/udp.h"
#include "net/wire/dns.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)DNS_NAME_SIZE == (int)DNS_TEXT_SIZE, "the same names");
_Static_assert((int)DNS_ADDRESSES_MAX == (int)DNS_ADDRESSES,
               "the same answers");

struct dns_query {
    struct timer timer;
    struct udp_socket *socket; /* of the question that is out, or NULL */
    dns_done *done;
    void *context;
    enum dns_type type;
    uint16_t id;
    unsigned attempts; /* questions sent */
    unsigned answers;  /* read for the last question */
    bool is_used;
    bool has_failure; /* some server answered, but not well */
    char name[DNS_NAME_SIZE];
};

struct server {
    const void *owner;
    struct ip_address address;
};

static struct dns_query queries[DNS_QUERIES_MAX];
static struct server servers[DNS_SERVERS_MAX];
static size_t server_count;

static struct {
    uint64_t queries;
    uint64_t cache_hits;
    uint64_t sent;
    uint64_t answered;
    uint64_t ignored;
    uint64_t malformed;
    uint64_t timeouts;
} counters;

static void query_expire(struct timer *timer, uint64_t now_ns);

int dns_init(void)
{
    memset(queries, 0, sizeof(queries));
    memset(&counters, 0, sizeof(counters));
    server_count = 0;
    dns_cache_init();
    return 0;
}

/* ---- servers --------------------------------------------------------------
 */

void dns_set_servers(const void *owner, const struct ip_address *list,
                     size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < server_count; i++)
        if (servers[i].owner != owner)
            servers[kept++] = servers[i];
    for (size_t i = 0; i < count && kept < DNS_SERVERS_MAX; i++)
        if (!ip_address_is_any(&list[i]))
            servers[kept++] = (struct server){owner, list[i]};
    server_count = kept;
    dns_cache_flush();
}

size_t dns_servers(struct ip_address list[DNS_SERVERS_MAX])
{
    for (size_t i = 0; i < server_count; i++)
        list[i] = servers[i].address;
    return server_count;
}

/* ---- a query's life -------------------------------------------------------
 */

static void close_socket(struct dns_query *query)
{
    if (query->socket != NULL)
        udp_close(query->socket);
    query->socket = NULL;
}

void dns_cancel(struct dns_query *query)
{
    ASSERT(query->is_used);
    close_socket(query);
    timer_cancel(&query->timer);
    query->is_used = false;
}

static void finish(struct dns_query *query, struct dns_result *result)
{
    dns_done *done = query->done;
    void *context = query->context;

    dns_cancel(query);
    done(context, result);
}

static void finish_failed(struct dns_query *query)
{
    struct dns_result result = {.status = query->has_failure ? DNS_FAILED
                                                             : DNS_TEMPORARY};

    finish(query, &result);
}

static void socket_ready(void *owner, uint32_t ready);

/* A socket that only hears this server, on a port nobody can guess. */
static int open_socket(struct dns_query *query, const struct ip_address *server)
{
    struct udp_endpoint remote = {*server, DNS_PORT};
    int status = udp_open(query, socket_ready, &query->socket);

    if (status != 0)
        return status;
    for (int tries = 0; tries < 8; tries++) {
        struct udp_endpoint local = {.port = 0};

        platform_random(&local.port, sizeof(local.port));
        local.port |= 0x0400; /* not a port of the system */
        status = udp_bind(query->socket, &local);
        if (status != -EADDRINUSE)
            break;
    }
    if (status == 0)
        status = udp_connect(query->socket, &remote);
    if (status != 0)
        close_socket(query);
    return status;
}

/* Asks the next server; the timer brings the one after it. */
static void ask(struct dns_query *query, uint64_t now_ns)
{
    uint8_t bytes[DNS_QUERY_MAX];
    unsigned round;

    close_socket(query);
    if (server_count == 0 ||
        query->attempts >= DNS_ROUNDS * (unsigned)server_count) {
        finish_failed(query);
        return;
    }
    round = query->attempts / (unsigned)server_count;
    platform_random(&query->id, sizeof(query->id));
    query->answers = 0;
    timer_set(&query->timer, now_ns + (DNS_TIMEOUT_NS << round));
    if (open_socket(query,
                    &servers[query->attempts++ % server_count].address) != 0)
        return; /* no way there: the timer goes on */
    counters.sent++;
    if (udp_send(query->socket, NULL, bytes,
                 dns_build_query(bytes, query->id, query->name, query->type),
                 now_ns) < 0)
        close_socket(query);
}

static void query_expire(struct timer *timer, uint64_t now_ns)
{
    struct dns_query *query = container_of(timer, struct dns_query, timer);

    counters.timeouts++;
    ask(query, now_ns);
}

/* ---- answers --------------------------------------------------------------
 */

/* What the caller learns from an answer without failure. */
static void make_result(const struct dns_query *query,
                        const struct dns_answer *answer,
                        struct dns_result *result)
{
    bool is_name = query->type == DNS_TYPE_PTR;
    const char *name = is_name ? answer->pointer : answer->name;

    memset(result, 0, sizeof(*result));
    memcpy(result->name, name, strlen(name) + 1);
    result->ttl_s = smaller(answer->ttl_s, DNS_TTL_MAX_S);
    result->count = answer->count;
    for (size_t i = 0; i < answer->count; i++)
        result->addresses[i] = ip_address_from_ipv4(answer->addresses[i]);
    if (answer->count != 0 || (is_name && name[0] != '\0')) {
        result->status = DNS_OK;
        return;
    }
    result->status =
        answer->code == DNS_CODE_NO_NAME ? DNS_NO_NAME : DNS_NO_ADDRESS;
    result->ttl_s = smaller(answer->ttl_s, DNS_NEGATIVE_TTL_MAX_S);
}

/* This server is of no use: the next one, at once, but from the timer. */
static void give_up_server(struct dns_query *query)
{
    query->has_failure = true;
    close_socket(query);
    timer_set(&query->timer, 0);
}

/* True when the query is over or asks elsewhere. */
static bool receive(struct dns_query *query, const uint8_t *bytes,
                    size_t length, uint64_t now_ns)
{
    struct dns_answer answer;
    struct dns_result result;

    switch (dns_parse_answer(bytes, length, query->id, query->name, query->type,
                             &answer)) {
    case DNS_NOT_FOR_US:
        counters.ignored++;
        return false;
    case DNS_MALFORMED:
        counters.malformed++;
        return false;
    case DNS_IS_ANSWER:
        break;
    }
    counters.answered++;
    if (answer.is_truncated ||
        (answer.code != DNS_CODE_OK && answer.code != DNS_CODE_NO_NAME)) {
        give_up_server(query);
        return true;
    }
    make_result(query, &answer, &result);
    dns_cache_add(query->name, query->type, &result, now_ns);
    finish(query, &result);
    return true;
}

static void socket_ready(void *owner, uint32_t ready)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    struct dns_query *query = owner;

    if ((ready & UDP_FAILED) != 0) { /* nobody there */
        close_socket(query);
        timer_set(&query->timer, 0);
        return;
    }
    while (query->answers++ < DNS_ANSWERS_MAX) {
        uint64_t now_ns = udp_read_time_ns(query->socket);
        int length =
            udp_read(query->socket, bytes, sizeof(bytes), 0, NULL, NULL);

        if (length < 0)
            return;
        if ((size_t)length > sizeof(bytes))
            counters.ignored++;
        else if (receive(query, bytes, (size_t)length, now_ns))
            return;
    }
    give_up_server(query);
}

/* ---- questions ------------------------------------------------------------
 */

static enum dns_status fail(struct dns_result *result, enum dns_status status)
{
    memset(result, 0, sizeof(*result));
    result->status = status;
    return status;
}

static enum dns_status start(const char *name, enum dns_type type,
                             dns_done *done, void *context,
                             struct dns_query **query, uint64_t now_ns)
{
    for (size_t i = 0; i < DNS_QUERIES_MAX; i++) {
        struct dns_query *q = &queries[i];

        if (q->is_used)
            continue;
        q->done = done;
        q->context = context;
        q->type = type;
        q->attempts = 0;
        q->socket = NULL;
        q->is_used = true;
        /* Here, so that the link drops the resolver for who never asks. */
        q->timer.expire = query_expire;
        q->has_failure = false;
        memcpy(q->name, name, strlen(name) + 1);
        *query = q;
        ask(q, now_ns);
        return DNS_PENDING;
    }
    return DNS_TEMPORARY;
}

static enum dns_status query_any(const char *name, enum dns_type type,
                                 dns_done *done, void *context,
                                 struct dns_query **query,
                                 struct dns_result *result, uint64_t now_ns)
{
    enum dns_status status;

    counters.queries++;
    if (dns_cache_find(name, type, result, now_ns)) {
        counters.cache_hits++;
        return result->status;
    }
    if (server_count == 0)
        return fail(result, DNS_NOT_STARTED);
    status = start(name, type, done, context, query, now_ns);
    return status == DNS_PENDING ? status : fail(result, status);
}

/* RFC 6761 6.3. */
static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    size_t length = strlen(name);
    size_t own = sizeof(localhost) - 1;

    return length >= own && strcmp(name + length - own, localhost) == 0 &&
           (length == own || name[length - own - 1] == '.');
}

enum dns_status dns_query_address(const char *name, dns_done *done,
                                  void *context, struct dns_query **query,
                                  struct dns_result *result, uint64_t now_ns)
{
    char text[DNS_NAME_SIZE];
    struct be32 address;
    bool is_known = ipv4_parse(name, strlen(name), &address);

    if (!dns_normalise(name, text))
        return fail(result, DNS_BAD_NAME);
    if (!is_known && is_localhost(text)) {
        address = be32_from(0x7f000001);
        is_known = true;
    }
    if (!is_known)
        return query_any(text, DNS_TYPE_A, done, context, query, result,
                         now_ns);
    memset(result, 0, sizeof(*result));
    result->status = DNS_OK;
    result->count = 1;
    result->addresses[0] = ip_address_from_ipv4(address);
    memcpy(result->name, text, strlen(text) + 1);
    return DNS_OK;
}

enum dns_status dns_query_name(const struct ip_address *address, dns_done *done,
                               void *context, struct dns_query **query,
                               struct dns_result *result, uint64_t now_ns)
{
    static const char suffix[] = ".in-addr.arpa";
    struct be32 ipv4 = ip_address_ipv4(address);
    struct be32 reversed = {
        {ipv4.octet[3], ipv4.octet[2], ipv4.octet[1], ipv4.octet[0]}};
    char name[DNS_NAME_SIZE];

    ipv4_format(reversed, name);
    memcpy(name + strlen(name), suffix, sizeof(suffix));
    return query_any(name, DNS_TYPE_PTR, done, context, query, result, now_ns);
}

static const struct counter shown[] = {
    {"dns_queries_total", &counters.queries, "names and addresses looked up"},
    {"dns_cache_hits_total", &counters.cache_hits,
     "lookups answered from the cache"},
    {"dns_sent_total", &counters.sent, "questions sent"},
    {"dns_answered_total", &counters.answered, "answers to our questions"},
    {"dns_ignored_total", &counters.ignored,
     "DNS messages that answer nothing we asked"},
    {"dns_malformed_total", &counters.malformed,
     "DNS answers that are malformed"},
    {"dns_timeouts_total", &counters.timeouts,
     "questions that were asked elsewhere"},
};

void dns_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context)
{
    counters_visit(shown, ARRAY_COUNT(shown), visit, context);
}
