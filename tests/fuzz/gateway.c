/* SPDX-License-Identifier: MIT */
/*
 * Bytes through the gateway's pure parts, chosen by the first of them:
 * dnsmasq.conf, messages to the DHCP server with time passing, questions to
 * and answers for the DNS forwarder. Besides memory errors it
 * looks for broken promises: a message longer than its buffer, an address
 * given to two clients, an answer that grows.
 * test-links: apps/gateway/config.c apps/gateway/words.c
 * test-links: apps/gateway/config_dhcp.c apps/gateway/config_dns.c
 * test-links: apps/gateway/dhcp_server.c apps/gateway/dhcp_message.c
 * test-links: apps/gateway/lease.c apps/gateway/dns_message.c
 * test-links: apps/gateway/dns_local.c apps/gateway/dns_cache.c
 */
#include "apps/gateway/dhcp_message.h"
#include "apps/gateway/dhcp_server.h"
#include "apps/gateway/dns_cache.h"
#include "apps/gateway/dns_local.h"

#include <stdlib.h>
#include <string.h>

enum { OWN = 0x0a000001, MESSAGE_MAX = 1500 };

static struct config config;
static const struct dns_place place = {&config, "gateway", OWN, 0xffffff00};

static void check(bool claim)
{
    if (!claim)
        abort();
}

static void report(void *context, unsigned line, unsigned column,
                   const char *message)
{
    (void)context;
    check(line > 0 && column > 0 && message[0] != '\0');
}

/* ---- the file ------------------------------------------------------------ */

static void try_config(const uint8_t *bytes, size_t length)
{
    struct config parsed;

    config_set_defaults(&parsed);
    config_parse(&parsed, (const char *)bytes, length, report, NULL);
    for (size_t i = 0; i < parsed.range_count; i++)
        check(parsed.ranges[i].first <= parsed.ranges[i].last);
    for (size_t i = 0; i < parsed.server_count; i++)
        check(parsed.servers[i].port != 0);
    config_free(&parsed);
}

/* ---- DHCP ---------------------------------------------------------------- */

static void check_leases(uint64_t now_s)
{
    const struct lease *lease;

    for (size_t i = 0; (lease = lease_at(i)) != NULL; i++) {
        const struct lease *other;

        for (size_t k = 0; k < i; k++) {
            other = lease_at(k);
            check(other->address != lease->address ||
                  !lease_is_in_force(other, now_s) ||
                  !lease_is_in_force(lease, now_s));
        }
        check(lease->address != OWN);
    }
}

/* Messages one after the other: two bytes of length, one of seconds. */
static void try_dhcp(const uint8_t *bytes, size_t length)
{
    static struct config lan;
    const struct dhcp_server server = {&lan, OWN, 0xffffff00};
    uint64_t now_s = 1000;

    config_set_defaults(&lan);
    lan.leases_max = 6;
    lan.is_authoritative = true;
    lan.range_count = 1;
    lan.ranges[0] = (struct config_range){
        .first = OWN + 9, .last = OWN + 12, .lease_s = 600};
    lan.host_count = 1;
    lan.hosts[0] = (struct config_host){.hardware = {2, 0, 0, 0, 0, 1},
                                        .address = OWN + 5};
    check(leases_start(&lan, OWN, 0xffffff00));
    while (length > 3) {
        size_t size = ((size_t)bytes[0] << 8 | bytes[1]) % MESSAGE_MAX;
        uint8_t reply[DHCP_MESSAGE_MAX];
        struct dhcp_event event;
        uint32_t to;
        uint16_t port;

        now_s += bytes[2] * 8U;
        bytes += 3;
        length -= 3;
        size = size < length ? size : length;
        check(dhcp_server_answer(&server, bytes, size, now_s, reply, &to, &port,
                                 &event) <= DHCP_MESSAGE_MAX);
        check_leases(now_s);
        bytes += size;
        length -= size;
    }
    leases_stop();
}

/* ---- DNS ----------------------------------------------------------------- */

static void try_question(const uint8_t *bytes, size_t length)
{
    static uint8_t reply[2048];
    struct dns_query query;
    enum dns_code code;
    size_t answer;

    if (length > 1024 ||
        dns_query_parse(bytes, length, &query, &code) == DNS_QUERY_DROP)
        return;
    check(query.question_end <= length || length < DNS_HEAD_SIZE);
    if (query.question_end == DNS_HEAD_SIZE)
        return;
    answer = dns_local_answer(&place, bytes, &query, 5, reply);
    check(answer <= DNS_UDP_SIZE);
    check(dns_query_build(reply, 1, &query.question, false) <= DNS_QUERY_SIZE);
}

/* The question asked is the one in the message: forgeries are unit tests'. */
static void try_answer(const uint8_t *bytes, size_t length)
{
    static uint8_t message[65535];
    struct dns_query query = {.id = 0};
    struct dns_answer answer;
    enum dns_code code;
    uint8_t first_flags;

    if (length < DNS_HEAD_SIZE || length > sizeof(message))
        return;
    memcpy(message, bytes, length);
    first_flags = message[2];
    message[2] &= 0x7f;
    if (dns_query_parse(message, length, &query, &code) == DNS_QUERY_DROP)
        return;
    query.question.is_dnssec_wanted = false;
    message[2] = first_flags;
    if (!dns_answer_parse(message, length, query.id, &query.question, &answer))
        return;
    check(answer.length <= length);
    if (!answer.may_be_kept)
        return;
    dns_cache_add(&query.question, message, answer.length, answer.ttl_s, 10);
    dns_answer_age(message, answer.length, 7);
    (void)dns_cache_find(&query.question, 12, &length);
}

int LLVMFuzzerInitialize(int *count, char ***words)
{
    static const char text[] =
        "domain=lan\nlocal=/lan/\nbogus-priv\ndhcp-lease-max=8\n"
        "address=/a.b/1.2.3.4\nserver=/c/1.1.1.1\n"
        "dhcp-host=02:00:00:00:00:01,10.0.0.5,host\n";

    (void)count;
    (void)words;
    config_set_defaults(&config);
    check(config_parse(&config, text, sizeof(text) - 1, report, NULL) == 0);
    check(leases_start(&config, OWN, 0xffffff00));
    leases_stop();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    switch (bytes[0] % 4) {
    case 0:
        try_config(bytes + 1, length - 1);
        break;
    case 1:
        try_dhcp(bytes + 1, length - 1);
        break;
    default:
        check(leases_start(&config, OWN, 0xffffff00));
        check(dns_cache_start(8));
        if (bytes[0] % 4 == 2)
            try_question(bytes + 1, length - 1);
        else
            try_answer(bytes + 1, length - 1);
        dns_cache_stop();
        leases_stop();
        break;
    }
    return 0;
}
