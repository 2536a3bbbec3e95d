/* SPDX-License-Identifier: MIT */
/*
 * Reading a file in dnsmasq's syntax, line by line: "key", "key=value", text
 * after # is comment. What each key takes is in docs/gateway.md; dnsmasq's
 * tags, scripts, TFTP and IPv6 are left out.
 */
#include "config.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

enum { DNS_PORT = 53 };

void config_set_defaults(struct config *config)
{
    memset(config, 0, sizeof(*config));
    config->cache_size = CONFIG_CACHE_DEFAULT;
    config->leases_max = CONFIG_LEASES_DEFAULT;
}

void config_free(struct config *config)
{
    free(config->addresses);
    config->addresses = NULL;
    config->address_count = 0;
}

/* ---- DHCP ---------------------------------------------------------------- */

static bool read_lease(struct words *words, struct word word, uint32_t *lease_s)
{
    if (!word_to_duration(word, lease_s))
        return words_fail(words, word.bytes,
                          "a lease is a number with s, m, h, d, w, or "
                          "'infinite'");
    if (*lease_s < CONFIG_LEASE_MIN_S)
        *lease_s = CONFIG_LEASE_MIN_S; /* as dnsmasq */
    return true;
}

static bool is_netmask(uint32_t mask)
{
    return mask != 0 && (~mask & (~mask + 1)) == 0;
}

/* start,end[,netmask[,broadcast]][,lease], or start,static[,...] */
static bool read_range(struct config *config, struct words *words)
{
    struct config_range range = {.lease_s = CONFIG_LEASE_S};
    struct word first = words_take(words, ',');
    struct word last = words_take(words, ',');

    if (config->range_count == CONFIG_RANGES_MAX)
        return words_fail(words, first.bytes, "8 ranges are the most");
    if (!word_to_address(first, &range.first))
        return words_fail(words, first.bytes,
                          "a range begins with an IPv4 address");
    range.last = range.first;
    range.is_static_only = word_is(last, "static");
    if (!range.is_static_only && !word_to_address(last, &range.last))
        return words_fail(words, last.bytes,
                          "expected the range's last address or 'static'");
    if (range.last < range.first)
        return words_fail(words, last.bytes, "the range ends before it begins");
    while (words_have_more(words)) {
        struct word word = words_take(words, ',');
        uint32_t address;

        if (!word_to_address(word, &address)) {
            if (!read_lease(words, word, &range.lease_s))
                return false;
            break;
        }
        if (range.netmask != 0)
            continue; /* the broadcast address: follows from the mask */
        else if (is_netmask(address))
            range.netmask = address;
        else
            return words_fail(words, word.bytes, "not a netmask");
    }
    config->ranges[config->range_count++] = range;
    return true;
}

static bool read_host_word(struct words *words, struct word word,
                           struct config_host *host)
{
    uint32_t lease_s;

    if (word_is(word, "ignore")) {
        host->is_ignored = true;
    } else if (word_to_address(word, &host->address)) {
        return true;
    } else if (word_to_duration(word, &lease_s)) {
        return read_lease(words, word, &host->lease_s);
    } else if (memchr(word.bytes, '.', word.length) != NULL ||
               !word_to_domain(word, host->name, sizeof(host->name))) {
        return words_fail(words, word.bytes,
                          "expected an address, a name of one label, a lease "
                          "or 'ignore'");
    }
    return true;
}

/* hardware[,address][,name][,lease][,ignore] */
static bool read_host(struct config *config, struct words *words)
{
    struct config_host host = {0};
    struct word first = words_take(words, ',');

    if (config->host_count == CONFIG_HOSTS_MAX)
        return words_fail(words, first.bytes, "256 hosts are the most");
    if (!word_to_hardware(first, host.hardware))
        return words_fail(words, first.bytes,
                          "a host begins with its hardware address, as in "
                          "52:54:00:12:34:56");
    while (words_have_more(words)) {
        if (!read_host_word(words, words_take(words, ','), &host))
            return false;
    }
    config->hosts[config->host_count++] = host;
    return true;
}

enum option_form { FORM_ADDRESSES, FORM_NUMBER16, FORM_NUMBER32, FORM_TEXT };

/* The options whose form is known (RFC 2132); any other is text, or
 * addresses when it looks like them. */
static const struct option_name {
    const char *name;
    uint8_t code;
    enum option_form form;
} option_names[] = {
    {"netmask", 1, FORM_ADDRESSES},     {"time-offset", 2, FORM_NUMBER32},
    {"router", 3, FORM_ADDRESSES},      {"dns-server", 6, FORM_ADDRESSES},
    {"log-server", 7, FORM_ADDRESSES},  {"hostname", 12, FORM_TEXT},
    {"domain-name", 15, FORM_TEXT},     {"mtu", 26, FORM_NUMBER16},
    {"broadcast", 28, FORM_ADDRESSES},  {"ntp-server", 42, FORM_ADDRESSES},
    {"netbios-ns", 44, FORM_ADDRESSES}, {"tftp-server", 66, FORM_TEXT},
    {"bootfile-name", 67, FORM_TEXT},
};

/* Those the protocol itself needs: a file must not set them. */
static bool is_reserved(uint32_t code)
{
    return code == 0 || code == 50 || code == 51 || code == 52 || code == 53 ||
           code == 54 || code == 55 || code == 61 || code >= 255;
}

static bool find_option(struct word word, struct config_option *option,
                        enum option_form *form)
{
    uint32_t code = 0;
    size_t prefix = sizeof("option:") - 1;

    if (word.length > prefix && memcmp(word.bytes, "option:", prefix) == 0) {
        word.bytes += prefix;
        word.length -= prefix;
    } else if (!word_to_number(word, UINT8_MAX, &code)) {
        return false;
    }
    *form = FORM_TEXT;
    for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]);
         i++) {
        if (word_is(word, option_names[i].name) ||
            code == option_names[i].code) {
            code = option_names[i].code;
            *form = option_names[i].form;
        }
    }
    option->code = (uint8_t)code;
    return !is_reserved(code);
}

static void add_number(struct config_option *option, uint32_t number,
                       unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--)
        option->bytes[option->length++] = (uint8_t)(number >> (i - 1) * 8);
}

static bool read_option_value(struct words *words, enum option_form form,
                              struct config_option *option)
{
    struct word word = words_take(words, ',');
    bool is_number = form == FORM_NUMBER16 || form == FORM_NUMBER32;
    uint32_t number;

    if (option->length + word.length > CONFIG_OPTION_SIZE - 4)
        return words_fail(words, word.bytes, "the option gets too long");
    if (is_number) {
        uint32_t most = form == FORM_NUMBER16 ? UINT16_MAX : UINT32_MAX;

        if (!word_to_number(word, most, &number))
            return words_fail(words, word.bytes, "expected a number");
        add_number(option, number, form == FORM_NUMBER16 ? 2 : 4);
    } else if (word_to_address(word, &number)) {
        add_number(option, number, 4);
    } else if (form == FORM_ADDRESSES) {
        return words_fail(words, word.bytes, "expected an IPv4 address");
    } else {
        memcpy(option->bytes + option->length, word.bytes, word.length);
        option->length = (uint8_t)(option->length + word.length);
    }
    return true;
}

/* code or option:name, then values. No value: the option is not sent. */
static bool read_option(struct config *config, struct words *words)
{
    struct config_option option = {0};
    struct word name = words_take(words, ',');
    enum option_form form;

    if (config->option_count == CONFIG_OPTIONS_MAX)
        return words_fail(words, name.bytes, "32 options are the most");
    if (!find_option(name, &option, &form))
        return words_fail(words, name.bytes,
                          "expected an option's number, or option:name (see "
                          "docs/gateway.md)");
    while (words_have_more(words)) {
        if (!read_option_value(words, form, &option))
            return false;
    }
    config->options[config->option_count++] = option;
    return true;
}

/* ---- DNS ----------------------------------------------------------------- */

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
static bool read_server(struct config *config, struct words *words)
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
static bool read_address(struct config *config, struct words *words)
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

/* ---- the rest ------------------------------------------------------------ */

static bool read_number(struct words *words, uint32_t most, uint32_t *number)
{
    struct word word = words_take(words, '\0');

    if (word_to_number(word, most, number))
        return true;
    return words_fail(words, word.bytes, "expected a number, or it is too big");
}

static bool read_cache_size(struct config *config, struct words *words)
{
    return read_number(words, CONFIG_CACHE_MAX, &config->cache_size);
}

static bool read_leases_max(struct config *config, struct words *words)
{
    return read_number(words, CONFIG_LEASES_MAX, &config->leases_max);
}

static bool read_device(struct config *config, struct words *words)
{
    struct word word = words_take(words, '\0');

    if (word.length > 0 &&
        word_copy(word, config->device, sizeof(config->device)))
        return true;
    return words_fail(words, word.bytes, "expected an interface, as in eth1");
}

static bool read_domain(struct config *config, struct words *words)
{
    struct word word = words_take(words, '\0');

    if (word_to_domain(word, config->domain, sizeof(config->domain)))
        return true;
    return words_fail(words, word.bytes, "not a domain");
}

static bool set_authoritative(struct config *config, struct words *words)
{
    (void)words;
    return config->is_authoritative = true;
}

static bool set_domain_needed(struct config *config, struct words *words)
{
    (void)words;
    return config->needs_domain = true;
}

static bool set_private_kept(struct config *config, struct words *words)
{
    (void)words;
    return config->keeps_private = true;
}

static bool set_uplink_ignored(struct config *config, struct words *words)
{
    (void)words;
    return config->ignores_uplink = true;
}

static const struct key {
    const char *name;
    bool takes_value;
    bool (*read)(struct config *config, struct words *words);
} keys[] = {
    {"address", true, read_address},
    {"bogus-priv", false, set_private_kept},
    {"cache-size", true, read_cache_size},
    {"dhcp-authoritative", false, set_authoritative},
    {"dhcp-host", true, read_host},
    {"dhcp-lease-max", true, read_leases_max},
    {"dhcp-option", true, read_option},
    {"dhcp-range", true, read_range},
    {"domain", true, read_domain},
    {"domain-needed", false, set_domain_needed},
    {"interface", true, read_device},
    {"local", true, read_server},
    {"no-resolv", false, set_uplink_ignored},
    {"server", true, read_server},
};

static bool read_line(struct config *config, struct words *words)
{
    bool has_value =
        memchr(words->at, '=', (size_t)(words->end - words->at)) != NULL;
    struct word name = words_take(words, '=');

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!word_is(name, keys[i].name))
            continue;
        if (has_value != keys[i].takes_value)
            return words_fail(words, name.bytes + name.length,
                              keys[i].takes_value ? "expected = and a value"
                                                  : "takes no value");
        while (words->at < words->end && *words->at == ' ')
            words->at++;
        if (!keys[i].read(config, words))
            return false;
        if (words_have_more(words))
            return words_fail(words, words->at, "more than is understood");
        return true;
    }
    return words_fail(words, name.bytes,
                      "not one of the keys of docs/gateway.md");
}

/* A # begins a comment at the start of a line or behind a blank. */
static const char *content_end(const char *line, const char *end)
{
    for (const char *at = line; at < end; at++) {
        if (*at == '#' && (at == line || at[-1] == ' ' || at[-1] == '\t'))
            return at;
    }
    return end;
}

unsigned config_parse(struct config *config, const char *text, size_t length,
                      config_report *report, void *context)
{
    const char *all_end = text + length;
    unsigned bad_lines = 0;

    for (unsigned line = 1; text < all_end; line++) {
        const char *end = memchr(text, '\n', (size_t)(all_end - text));
        struct words words = {.start = text, .at = text};

        end = end != NULL ? end : all_end;
        words.end = content_end(text, end);
        while (words.end > text &&
               (words.end[-1] == ' ' || words.end[-1] == '\r' ||
                words.end[-1] == '\t'))
            words.end--;
        if (words_have_more(&words) && !read_line(config, &words)) {
            bad_lines++;
            report(context, line, (unsigned)(words.error_at - words.start) + 1,
                   words.error);
        }
        text = end < all_end ? end + 1 : all_end;
    }
    return bad_lines;
}
