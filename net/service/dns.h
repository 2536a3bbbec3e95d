/* SPDX-License-Identifier: MIT */
/*
 * Stub resolver (RFC 1035, RFC 5452): names to IPv4 addresses and back, over
 * UDP, with a cache. Asynchronous: a query ends by calling back, or by being
 * cancelled. All functions: softirq, or app with the lock held.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/address.h"

enum {
    DNS_ADDRESSES_MAX = 8,
    DNS_NAME_SIZE = 254, /* 253 characters (RFC 1035 2.3.4) and a zero */
    DNS_SERVERS_MAX = 4,
};

enum dns_status {
    DNS_OK,
    DNS_PENDING,     /* start only: the callback will tell */
    DNS_NO_NAME,     /* NXDOMAIN */
    DNS_NO_ADDRESS,  /* the name exists, without such a record */
    DNS_TEMPORARY,   /* no server answered in time, or no resources */
    DNS_FAILED,      /* servers answered with errors or nonsense */
    DNS_BAD_NAME,    /* not a name that can be asked for */
    DNS_NOT_STARTED, /* no server is configured */
};

struct dns_result {
    enum dns_status status;
    uint32_t ttl_s;
    size_t count; /* of addresses; 0 for a reverse query */
    struct ip_address addresses[DNS_ADDRESSES_MAX];
    char name[DNS_NAME_SIZE]; /* the canonical name, after CNAMEs */
};

struct dns_query;

typedef void dns_done(void *context, const struct dns_result *result);

/* Starts a lookup. When the answer is known at once (cache, dotted quad,
 * "localhost", or a failure) fills in `result`, returns its status and calls
 * nobody. Otherwise returns DNS_PENDING, sets `*query`, and `done` is called
 * once later, from a softirq; `*query` is dead by then. */
enum dns_status dns_query_address(const char *name, dns_done *done,
                                  void *context, struct dns_query **query,
                                  struct dns_result *result,
                                  uint64_t now_ns) MUST_CHECK;

/* The name of an address (PTR). */
enum dns_status dns_query_name(const struct ip_address *address, dns_done *done,
                               void *context, struct dns_query **query,
                               struct dns_result *result,
                               uint64_t now_ns) MUST_CHECK;

/* `done` will not be called. */
void dns_cancel(struct dns_query *query);

/* Who is asked, in this order; what an earlier call of the same `owner` (an
 * interface, or NULL for the command line) set is replaced. */
void dns_set_servers(const void *owner, const struct ip_address *servers,
                     size_t count);
size_t dns_servers(struct ip_address servers[DNS_SERVERS_MAX]);

/* --- for net.c ---------------------------------------------------------- */

int dns_init(void) MUST_CHECK;
void dns_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context);
