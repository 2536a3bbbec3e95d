/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo and getnameinfo (RFC 3493 6.1, 6.2) for IPv4. Names go to the
 * resolver of the stack; services are numbers or one of a short list. Looking
 * an address up backwards is left out: getnameinfo answers in figures.
 */
#include "net/socket/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESSES_MAX = 8, PORT_MAX = 65535 };

static const struct {
    const char *name;
    uint16_t port;
} services[] = {
    {"echo", 7},  {"discard", 9}, {"ssh", 22},    {"domain", 53},
    {"http", 80}, {"ntp", 123},   {"https", 443}, {"iperf3", 5201},
};

static const struct {
    int type;
    int protocol;
} kinds[] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}};

/* One result with what it points at, in one block. */
struct entry {
    struct addrinfo info;
    struct sockaddr_in address;
    char name[];
};

static int find_service(const char *service, int flags, uint16_t *port)
{
    char *end;
    unsigned long number;

    *port = 0;
    if (service == NULL)
        return 0;
    number = strtoul(service, &end, 10);
    if (end != service && *end == '\0') {
        *port = (uint16_t)number;
        return number <= PORT_MAX ? 0 : EAI_SERVICE;
    }
    if ((flags & AI_NUMERICSERV) != 0)
        return EAI_NONAME;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (strcmp(services[i].name, service) == 0) {
            *port = services[i].port;
            return 0;
        }
    }
    return EAI_SERVICE;
}

/* How many addresses, or an EAI_ error. */
static int find_node(const char *node, int flags, uint8_t (*addresses)[4])
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    struct in_addr numeric;
    int count;

    if (node == NULL) {
        memset(addresses[0], 0, 4);
        if ((flags & AI_PASSIVE) == 0)
            memcpy(addresses[0], loopback, 4);
        return 1;
    }
    if (inet_aton(node, &numeric)) {
        memcpy(addresses[0], &numeric, 4);
        return 1;
    }
    if ((flags & AI_NUMERICHOST) != 0)
        return EAI_NONAME;
    count = socket_resolve(node, addresses, ADDRESSES_MAX);
    if (count >= 0)
        return count > 0 ? count : EAI_NONAME;
    return count == -EAGAIN ? EAI_AGAIN : EAI_NONAME;
}

static struct entry *make_entry(const uint8_t address[4], uint16_t port,
                                size_t kind, const char *name)
{
    size_t name_size = name != NULL ? strlen(name) + 1 : 0;
    struct entry *entry = calloc(1, sizeof(*entry) + name_size);

    if (entry == NULL)
        return NULL;
    entry->address.sin_family = AF_INET;
    entry->address.sin_port = htons(port);
    memcpy(&entry->address.sin_addr, address, 4);
    entry->info.ai_family = AF_INET;
    entry->info.ai_socktype = kinds[kind].type;
    entry->info.ai_protocol = kinds[kind].protocol;
    entry->info.ai_addrlen = sizeof(entry->address);
    entry->info.ai_addr = (struct sockaddr *)&entry->address;
    if (name != NULL)
        entry->info.ai_canonname = memcpy(entry->name, name, name_size);
    return entry;
}

static bool is_wanted(const struct addrinfo *hints, size_t kind)
{
    return (hints->ai_socktype == 0 ||
            hints->ai_socktype == kinds[kind].type) &&
           (hints->ai_protocol == 0 ||
            hints->ai_protocol == kinds[kind].protocol);
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints,
                struct addrinfo **restrict result)
{
    static const struct addrinfo no_hints;
    uint8_t addresses[ADDRESSES_MAX][4];
    struct addrinfo **link = result;
    uint16_t port;
    int count;

    *result = NULL;
    if (hints == NULL)
        hints = &no_hints;
    if (node == NULL && service == NULL)
        return EAI_NONAME;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET)
        return EAI_FAMILY;
    count = find_service(service, hints->ai_flags, &port);
    if (count == 0)
        count = find_node(node, hints->ai_flags, addresses);
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++) {
        for (size_t kind = 0; kind < 2; kind++) {
            bool has_name = (hints->ai_flags & AI_CANONNAME) != 0 &&
                            link == result && node != NULL;
            struct entry *entry;

            if (!is_wanted(hints, kind))
                continue;
            entry =
                make_entry(addresses[i], port, kind, has_name ? node : NULL);
            if (entry == NULL) {
                freeaddrinfo(*result);
                *result = NULL;
                return EAI_MEMORY;
            }
            *link = &entry->info;
            link = &entry->info.ai_next;
        }
    }
    return *result != NULL ? 0 : EAI_SOCKTYPE;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

int getnameinfo(const struct sockaddr *restrict address, socklen_t length,
                char *restrict host, socklen_t host_size,
                char *restrict service, socklen_t service_size, int flags)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;

    if (length < sizeof(*ipv4) || ipv4->sin_family != AF_INET)
        return EAI_FAMILY;
    if ((flags & NI_NAMEREQD) != 0)
        return EAI_NONAME;
    if (host != NULL && host_size > 0 &&
        inet_ntop(AF_INET, &ipv4->sin_addr, host, host_size) == NULL)
        return EAI_OVERFLOW;
    if (service != NULL && service_size > 0 &&
        snprintf(service, service_size, "%u", ntohs(ipv4->sin_port)) >=
            (int)service_size)
        return EAI_OVERFLOW;
    return 0;
}

const char *gai_strerror(int error)
{
    switch (error) {
    case 0:
        return "Success";
    case EAI_NONAME:
        return "Name or service not known";
    case EAI_AGAIN:
        return "Temporary failure in name resolution";
    case EAI_FAMILY:
        return "Address family not supported";
    case EAI_SOCKTYPE:
        return "Socket type not supported";
    case EAI_SERVICE:
        return "Service not supported for this socket type";
    case EAI_MEMORY:
        return "Memory allocation failure";
    case EAI_OVERFLOW:
        return "Argument buffer too small";
    default:
        return "Name resolution failed";
    }
}
