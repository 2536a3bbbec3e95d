/* SPDX-License-Identifier: MIT */
/*
 * Reading a file in dnsmasq's syntax, line by line: "key", "key=value", text
 * after # is comment. What each key takes is in docs/gateway.md; dnsmasq's
 * tags, scripts, TFTP and IPv6 are left out.
 */
#include "config.h"
#include "config_lines.h"

#include <stdlib.h>
#include <string.h>

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
    {"address", true, config_read_address},
    {"bogus-priv", false, set_private_kept},
    {"cache-size", true, read_cache_size},
    {"dhcp-authoritative", false, set_authoritative},
    {"dhcp-host", true, config_read_host},
    {"dhcp-lease-max", true, read_leases_max},
    {"dhcp-option", true, config_read_option},
    {"dhcp-range", true, config_read_range},
    {"domain", true, read_domain},
    {"domain-needed", false, set_domain_needed},
    {"interface", true, read_device},
    {"local", true, config_read_server},
    {"no-resolv", false, set_uplink_ignored},
    {"server", true, config_read_server},
};

static bool read_line(struct config *config, struct words *words)
{
    bool has_value =
        memchr(words->at, '=', (size_t)(words->end - words->at)) != NULL;
    struct word name;

    if (!words_check_quotes(words))
        return false;
    name = words_take(words, '=');
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
    bool is_quoted = false;

    for (const char *at = line; at < end; at++) {
        is_quoted ^= *at == '"';
        if (*at == '#' && !is_quoted &&
            (at == line || at[-1] == ' ' || at[-1] == '\t'))
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
