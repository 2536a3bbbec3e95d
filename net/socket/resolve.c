/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses for getaddrinfo: waits for the asynchronous resolver.
 */
#include "net/socket/socket.h"
#include "net/socket/table.h"

#include "net/platform.h"
#include "net/service/dns.h"

#include <errno.h>
#include <string.h>

struct lookup {
    struct dns_result result;
    volatile bool is_done; /* set by a softirq */
};

static void done(void *context, const struct dns_result *result)
{
    struct lookup *lookup = context;

    lookup->result = *result;
    lookup->is_done = true;
}

static int to_errno(enum dns_status status)
{
    switch (status) {
    case DNS_OK:
        return 0;
    case DNS_NO_NAME:
    case DNS_NO_ADDRESS:
    case DNS_BAD_NAME:
        return -ENOENT;
    case DNS_PENDING:
    case DNS_TEMPORARY:
    case DNS_FAILED:
    case DNS_NOT_STARTED:
        return -EAGAIN;
    }
    return -EAGAIN;
}

int socket_resolve(const char *name, uint8_t (*addresses)[4], size_t size)
{
    static struct lookup lookup; /* large; one app, one lookup at a time */
    struct dns_query *query;
    uint64_t now_ns = socket_enter();
    enum dns_status status;
    size_t count = 0;

    lookup.is_done = false;
    status =
        dns_query_address(name, done, &lookup, &query, &lookup.result, now_ns);
    if (status == DNS_PENDING) {
        while (!lookup.is_done)
            now_ns = socket_sleep(now_ns, PLATFORM_NEVER);
        status = lookup.result.status;
    }
    socket_leave(now_ns);
    if (status != DNS_OK)
        return to_errno(status);
    for (; count < lookup.result.count && count < size; count++) {
        struct be32 ipv4 = ip_address_ipv4(&lookup.result.addresses[count]);
        memcpy(addresses[count], ipv4.octet, sizeof(addresses[count]));
    }
    return count > 0 ? (int)count : -ENOENT;
}
