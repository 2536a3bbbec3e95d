/* SPDX-License-Identifier: MIT */
/*
 * In dnsmasq's order: names of the file and of leases, then address=, then
 * what is kept from being forwarded, then server=.
 */
#include "dns_local.h"
#include "lease.h"

#include <string.h>

enum { CLASS_INTERNET = 1, FILE_TTL_S = 60, LEASE_TTL_S = 0 };

/* "b.c" is below "c", and is "b.c". Everything is below "". */
static bool is_below(const char *name, const char *domain)
{
    size_t name_length = strlen(name);
    size_t length = strlen(domain);

    if (length == 0)
        return true;
    if (name_length < length ||
        strcmp(name + name_length - length, domain) != 0)
        return false;
    return name_length == length || name[name_length - length - 1] == '.';
}

/* One question in hand. */
struct asking {
    const struct dns_place *place;
    const uint8_t *bytes;
    const struct dns_query *query;
    uint8_t *reply;
    uint64_t now_s;
    char name[DNS_TEXT_NAME_SIZE];
};

static size_t answer_code(const struct asking *asking, enum dns_code code)
{
    return dns_reply_empty(asking->reply, asking->bytes, asking->query, code);
}

/* An address for type A; for other types the name exists without such. */
static size_t answer_address(const struct asking *asking, uint32_t address,
                             uint32_t ttl_s)
{
    size_t length = answer_code(asking, DNS_NO_ERROR);
    const uint8_t bytes[4] = {(uint8_t)(address >> 24),
                              (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                              (uint8_t)address};

    if (asking->query->question.type != DNS_A &&
        asking->query->question.type != DNS_ANY)
        return length;
    return dns_reply_record(asking->reply, length, DNS_A, ttl_s, bytes, 4);
}

/* ---- hosts of the LAN ---------------------------------------------------- */

/* The name without our domain, if it has no dot then. */
static bool host_part(const struct asking *asking, char *host)
{
    const char *domain = asking->place->config->domain;
    size_t length = strlen(asking->name);
    size_t cut = strlen(domain);

    if (cut != 0 && length > cut + 1 && is_below(asking->name, domain))
        length -= cut + 1;
    if (length == 0 || length >= CONFIG_HOST_SIZE ||
        memchr(asking->name, '.', length) != NULL)
        return false;
    memcpy(host, asking->name, length);
    host[length] = '\0';
    return true;
}

static size_t answer_host(const struct asking *asking)
{
    const struct config *config = asking->place->config;
    const struct lease *lease;
    char host[CONFIG_HOST_SIZE];

    if (is_below(asking->name, "localhost")) /* RFC 6761 6.3 */
        return answer_address(asking, UINT32_C(0x7f000001), FILE_TTL_S);
    if (!host_part(asking, host))
        return 0;
    if (strcmp(host, asking->place->own_name) == 0)
        return answer_address(asking, asking->place->own_address, FILE_TTL_S);
    lease = lease_of_name(host, asking->now_s);
    if (lease != NULL)
        return answer_address(asking, lease->address, LEASE_TTL_S);
    for (size_t i = 0; i < config->host_count; i++) {
        if (config->hosts[i].address != 0 &&
            strcmp(config->hosts[i].name, host) == 0)
            return answer_address(asking, config->hosts[i].address, FILE_TTL_S);
    }
    return 0;
}

/* ---- and back ------------------------------------------------------------ */

static const char *host_of_address(const struct asking *asking,
                                   uint32_t address)
{
    const struct config *config = asking->place->config;
    const struct lease *lease = lease_of_address(address);

    if (address == asking->place->own_address)
        return asking->place->own_name;
    if (lease != NULL && lease->state == LEASE_BOUND &&
        lease_is_in_force(lease, asking->now_s) && lease->host[0] != '\0')
        return lease->host;
    for (size_t i = 0; i < config->host_count; i++) {
        if (config->hosts[i].address == address &&
            config->hosts[i].name[0] != '\0')
            return config->hosts[i].name;
    }
    return NULL;
}

static bool is_private(uint32_t address)
{
    return address >> 24 == 10 || address >> 20 == 0xac1 ||
           address >> 16 == 0xc0a8 || address >> 16 == 0xa9fe ||
           address >> 24 == 127;
}

static size_t answer_pointer(const struct asking *asking)
{
    const struct dns_place *place = asking->place;
    char text[CONFIG_HOST_SIZE + CONFIG_NAME_SIZE + 1];
    uint8_t name[DNS_WIRE_NAME_MAX];
    uint32_t address;
    const char *host;
    size_t length;

    if (asking->query->question.type != DNS_PTR ||
        !dns_name_to_address(asking->name, &address))
        return 0;
    host = host_of_address(asking, address);
    if (host == NULL) {
        bool is_ours = ((address ^ place->own_address) & place->netmask) == 0;

        if (is_ours || (place->config->keeps_private && is_private(address)))
            return answer_code(asking, DNS_NO_SUCH_NAME);
        return 0;
    }
    strcpy(text, host);
    if (place->config->domain[0] != '\0') {
        strcat(text, ".");
        strcat(text, place->config->domain);
    }
    length = dns_name_from_text(text, name);
    if (length == 0)
        return 0;
    return dns_reply_record(asking->reply, answer_code(asking, DNS_NO_ERROR),
                            DNS_PTR, LEASE_TTL_S, name, length);
}

/* ---- what the file says -------------------------------------------------- */

static size_t answer_from_file(const struct asking *asking)
{
    const struct config *config = asking->place->config;
    const struct config_address *best = NULL;

    for (size_t i = 0; i < config->address_count; i++) {
        const struct config_address *address = &config->addresses[i];

        if (is_below(asking->name, address->domain) &&
            (best == NULL || strlen(address->domain) > strlen(best->domain)))
            best = address;
    }
    if (best == NULL)
        return 0;
    if (best->address == 0)
        return answer_code(asking, DNS_NO_SUCH_NAME);
    return answer_address(asking, best->address, FILE_TTL_S);
}

static size_t refuse_what_must_stay(const struct asking *asking)
{
    const struct config *config = asking->place->config;
    struct config_server server;
    unsigned type = asking->query->question.type;

    if (config->needs_domain && (type == DNS_A || type == DNS_AAAA) &&
        strchr(asking->name, '.') == NULL)
        return answer_code(asking, DNS_NO_SUCH_NAME);
    if (dns_local_servers(config, &asking->query->question, &server, 1) == 1 &&
        server.address == 0)
        return answer_code(asking, DNS_NO_SUCH_NAME);
    return 0;
}

size_t dns_local_answer(const struct dns_place *place, const uint8_t *bytes,
                        const struct dns_query *query, uint64_t now_s,
                        uint8_t *reply)
{
    struct asking asking = {place, bytes, query, reply, now_s, ""};
    size_t length;

    if (query->question.class != CLASS_INTERNET)
        return answer_code(&asking, DNS_REFUSED);
    if (!dns_name_to_text(query->question.name, asking.name))
        return 0;
    length = answer_host(&asking);
    if (length == 0)
        length = answer_pointer(&asking);
    if (length == 0)
        length = answer_from_file(&asking);
    if (length == 0)
        length = refuse_what_must_stay(&asking);
    return length;
}

size_t dns_local_servers(const struct config *config,
                         const struct dns_question *question,
                         struct config_server *servers, size_t limit)
{
    char name[DNS_TEXT_NAME_SIZE];
    size_t longest = 0;
    size_t count = 0;

    if (!dns_name_to_text(question->name, name))
        name[0] = '\0';
    for (size_t i = 0; i < config->server_count; i++) {
        size_t length = strlen(config->servers[i].domain);

        if (length > longest && is_below(name, config->servers[i].domain))
            longest = length;
    }
    for (size_t i = 0; i < config->server_count && count < limit; i++) {
        const struct config_server *server = &config->servers[i];

        if (strlen(server->domain) == longest && is_below(name, server->domain))
            servers[count++] = *server;
    }
    return count;
}
