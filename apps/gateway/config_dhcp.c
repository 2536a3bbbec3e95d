/* SPDX-License-Identifier: MIT */
/*
 * The lines of the DHCP server: ranges, hosts, options.
 */
#include "config_lines.h"

#include <string.h>

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

/* Behind a key there is always a byte in front of a word. What is quoted is
 * text, as in dnsmasq. */
static bool is_quoted(struct word word)
{
    return word.bytes[-1] == '"';
}

static bool to_address(struct word word, uint32_t *address)
{
    return !is_quoted(word) && word_to_address(word, address);
}

static bool is_netmask(uint32_t mask)
{
    return mask != 0 && (~mask & (~mask + 1)) == 0;
}

/* start,end[,netmask[,broadcast]][,lease], or start,static[,...] */
bool config_read_range(struct config *config, struct words *words)
{
    struct config_range range = {.lease_s = CONFIG_LEASE_S};
    struct word first = words_take(words, ',');
    struct word last = words_take(words, ',');
    bool has_broadcast = false;

    if (config->range_count == CONFIG_RANGES_MAX)
        return words_fail(words, first.bytes, "8 ranges are the most");
    if (!to_address(first, &range.first))
        return words_fail(words, first.bytes,
                          "a range begins with an IPv4 address");
    range.last = range.first;
    range.is_static_only = word_is(last, "static");
    if (!range.is_static_only && !to_address(last, &range.last))
        return words_fail(words, last.bytes,
                          "expected the range's last address or 'static'");
    if (range.last < range.first)
        return words_fail(words, last.bytes, "the range ends before it begins");
    while (words_have_more(words)) {
        struct word word = words_take(words, ',');
        uint32_t address;

        if (!to_address(word, &address)) {
            if (!read_lease(words, word, &range.lease_s))
                return false;
            if (words->has_next)
                return words_fail(words, words->at, "the lease comes last");
            break;
        }
        if (has_broadcast)
            return words_fail(words, word.bytes, "expected a lease");
        if (range.netmask != 0)
            has_broadcast = true; /* follows from the mask */
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
    } else if (word.length == 0 || to_address(word, &host->address)) {
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
bool config_read_host(struct config *config, struct words *words)
{
    struct config_host host = {0};
    struct word first = words_take(words, ',');

    if (config->host_count == CONFIG_HOSTS_MAX)
        return words_fail(words, first.bytes, "256 hosts are the most");
    if (is_quoted(first) || !word_to_hardware(first, host.hardware))
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

static bool add_number_word(struct words *words, enum option_form form,
                            struct config_option *option)
{
    struct word word = words_take(words, ',');
    uint32_t most = form == FORM_NUMBER16 ? UINT16_MAX : UINT32_MAX;
    bool is_negative =
        form == FORM_NUMBER32 && word.length > 0 && *word.bytes == '-';
    struct word digits = {word.bytes + is_negative, word.length - is_negative};
    uint32_t number;

    if (word.length == 0 && !words->has_next)
        return true;
    if (!word_to_number(digits, most, &number))
        return words_fail(words, word.bytes, "expected a number");
    if (words->has_next)
        return words_fail(words, words->at, "one number is enough");
    add_number(option, is_negative ? -number : number,
               form == FORM_NUMBER16 ? 2 : 4);
    return true;
}

/* One more address, or text, of which commas are a part. */
static bool add_value(struct words *words, enum option_form form,
                      struct config_option *option, bool is_first)
{
    struct word word = words_take(words, ',');
    uint32_t number;

    if (option->length + word.length > CONFIG_OPTION_SIZE - 4)
        return words_fail(words, word.bytes, "the option gets too long");
    if (form == FORM_TEXT) {
        if (!is_first)
            option->bytes[option->length++] = ',';
        memcpy(option->bytes + option->length, word.bytes, word.length);
        option->length = (uint8_t)(option->length + word.length);
        return true;
    }
    if (!to_address(word, &number))
        return words_fail(words, word.bytes, "expected an IPv4 address");
    add_number(option, number, 4);
    return true;
}

/* Text that is nothing but addresses is addresses. */
static enum option_form form_of(struct words words)
{
    uint32_t address;

    do {
        if (!to_address(words_take(&words, ','), &address))
            return FORM_TEXT;
    } while (words_have_more(&words));
    return FORM_ADDRESSES;
}

/* code or option:name, then values. No value: the option is not sent. */
bool config_read_option(struct config *config, struct words *words)
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
    if (form == FORM_TEXT)
        form = form_of(*words);
    if (words->has_next && (form == FORM_NUMBER16 || form == FORM_NUMBER32) &&
        !add_number_word(words, form, &option))
        return false;
    for (bool is_first = true; words->has_next; is_first = false) {
        if (!add_value(words, form, &option, is_first))
            return false;
    }
    config->options[config->option_count++] = option;
    return true;
}
