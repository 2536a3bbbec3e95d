/* SPDX-License-Identifier: MIT */
/*
 * The lines of the DNS forwarder: whom to ask for which domain, and what is
 * answered from here.
 */
#include "config_lines.h"

#include <stdlib.h>
#include <string.h>

enum { DNS_PORT = 53 };

/* The /domain/domain/ in front of a value. Calls `add` for each, with "" for
 * #; false when there is something wrong. Without a slash: not one call. */
static bool read_domains(struct config *config, struct words *words,
                         bool (*add)(struct config *config, const char *domain,
                                     struct words *words))
{
    char domain[CONFIG_NAME_SIZE];

    (void)words_take(words, '/');
    while (memchr(words->at, '/', (size_t)(words->end - words->at)) != NULL) {
        struct word word = words_take(words, '/');

        if (word_is(word, "#"))
            domain[0] = '\0';
        else if (!word_to_domain(word, domain, sizeof(domain)))
            return words_fail(words, word.bytes, "not a domain");
        if (!add(config, domain, words))
            return false;
    }
    return true;
}

static bool add_server(struct config *config, const char *domain,
                       struct words *words)
{
    struct config_server *server = &config->servers[config->server_count];

    if (config->server_count == CONFIG_SERVERS_MAX)
        return words_fail(words, words->at, "32 servers are the most");
    memset(server, 0, sizeof(*server));
    strcpy(server->domain, domain);
    server->port = DNS_PORT;
    config->server_count++;
    return true;
}

static bool read_server_address(struct words *words,
                                struct config_server *server)
{
    struct word address = words_take(words, '#');
    struct word port = words_take(words, '\0');
    uint32_t number = DNS_PORT;

    if (!word_to_address(address, &server->address) || server->address == 0)
        return words_fail(words, address.bytes, "expected a server's address");
    if (port.length != 0 &&
        (!word_to_number(port, UINT16_MAX, &number) || number == 0))
        return words_fail(words, port.bytes, "a port is 1 to 65535");
    server->port = (uint16_t)number;
    return true;
}

/* [/domain/...]address[#port]; /domain/ alone: answered from here only */
bool config_read_server(struct config *config, struct words *words)
{
    size_t first = config->server_count;
    struct config_server parsed = {.port = DNS_PORT};
    bool is_fine = true;

    if (words->at < words->end && *words->at == '/')
        is_fine = read_domains(config, words, add_server);
    else
        is_fine = add_server(config, "", words);
    if (is_fine && first == config->server_count)
        is_fine = words_fail(words, words->at, "expected /domain/");
    if (is_fine &&
        (words_have_more(words) || config->servers[first].domain[0] == '\0'))
        is_fine = read_server_address(words, &parsed);
    if (!is_fine) {
        config->server_count = first;
        return false;
    }
    for (size_t i = first; i < config->server_count; i++) {
        config->servers[i].address = parsed.address;
        config->servers[i].port = parsed.port;
    }
    return true;
}

static bool add_address(struct config *config, const char *domain,
                        struct words *words)
{
    struct config_address *address;

    if (config->address_count == CONFIG_ADDRESSES_MAX)
        return words_fail(words, words->at, "1024 addresses are the most");
    if (config->addresses == NULL)
        config->addresses =
            calloc(CONFIG_ADDRESSES_MAX, sizeof(*config->addresses));
    if (config->addresses == NULL)
        return words_fail(words, words->at, "memory is short");
    address = &config->addresses[config->address_count++];
    strcpy(address->domain, domain);
    return true;
}

/* /domain/[domain/...][address]; without one there is no such name */
bool config_read_address(struct config *config, struct words *words)
{
    size_t first = config->address_count;
    uint32_t value = 0;
    bool is_fine;

    if (words->at == words->end || *words->at != '/')
        return words_fail(words, words->at, "expected /domain/address");
    is_fine = read_domains(config, words, add_address);
    if (is_fine && first == config->address_count)
        is_fine = words_fail(words, words->at, "expected /domain/address");
    if (is_fine && words_have_more(words)) {
        struct word word = words_take(words, '\0');

        if (!word_to_address(word, &value))
            is_fine = words_fail(words, word.bytes, "expected an address");
    }
    if (!is_fine) {
        config->address_count = first;
        return false;
    }
    for (size_t i = first; i < config->address_count; i++)
        config->addresses[i].address = value;
    return true;
}
