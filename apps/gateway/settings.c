/* SPDX-License-Identifier: MIT */
/*
 * Words of the form --name=value, all after " -- " on ferrule's command line.
 */
#include "settings.h"
#include "words.h"

#include <string.h>

enum {
    SYSLOG_PORT = 514,
    NTP_PORT = 123,
    PAGE_PORT = 80,
    NAME_MAX_LENGTH = 63,
};

static const char usage[] =
    "usage: gateway [--config=FILE] [--rules=FILE] [--uplink=eth0]\n"
    "               [--lan=eth1] [--name=gateway] [--syslog=ADDRESS[:PORT]]\n"
    "               [--ntp=ADDRESS[:PORT]] [--page=PORT] [--no-page]\n"
    "               [--no-console] [--help]\n"
    "FILE is /etc/dnsmasq.conf and /etc/nftables.conf of the module.\n";

void settings_set_defaults(struct settings *settings)
{
    *settings = (struct settings){
        .config_path = "/etc/dnsmasq.conf",
        .rules_path = "/etc/nftables.conf",
        .uplink = "eth0",
        .name = "gateway",
        .page_port = PAGE_PORT,
        .is_console_on = true,
    };
}

const char *settings_usage(void)
{
    return usage;
}

/* ADDRESS or ADDRESS:PORT. */
static bool read_server(const char *value, uint16_t port_if_none,
                        uint32_t *address, uint16_t *port)
{
    struct words words = {
        .start = value, .at = value, .end = value + strlen(value)};
    struct word host = words_take(&words, ':');
    uint32_t number = port_if_none;

    if (!word_to_address(host, address) || *address == 0)
        return false;
    if (words_have_more(&words) &&
        (!word_to_number(words_take(&words, '\0'), UINT16_MAX, &number) ||
         number == 0))
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool read_port(const char *value, unsigned *port)
{
    struct word word = {value, strlen(value)};
    uint32_t number;

    if (!word_to_number(word, UINT16_MAX, &number) || number == 0)
        return false;
    *port = number;
    return true;
}

static bool read_name(const char *value, const char **name)
{
    char text[NAME_MAX_LENGTH + 1];
    struct word word = {value, strlen(value)};

    if (!word_to_domain(word, text, sizeof(text)) || strchr(value, '.') != NULL)
        return false;
    *name = value;
    return true;
}

static bool read_text(const char *value, const char **text)
{
    *text = value;
    return value[0] != '\0';
}

/* The value behind "--name=", or NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, length) != 0 ||
        word[2 + length] != '=')
        return NULL;
    return word + 2 + length + 1;
}

static bool read_word(struct settings *settings, const char *word)
{
    const char *value;

    if ((value = value_of(word, "config")))
        return read_text(value, &settings->config_path);
    if ((value = value_of(word, "rules")))
        return read_text(value, &settings->rules_path);
    if ((value = value_of(word, "uplink")))
        return read_text(value, &settings->uplink);
    if ((value = value_of(word, "lan")))
        return read_text(value, &settings->lan);
    if ((value = value_of(word, "name")))
        return read_name(value, &settings->name);
    if ((value = value_of(word, "page")))
        return read_port(value, &settings->page_port);
    if ((value = value_of(word, "syslog")))
        return read_server(value, SYSLOG_PORT, &settings->syslog_address,
                           &settings->syslog_port);
    if ((value = value_of(word, "ntp")))
        return read_server(value, NTP_PORT, &settings->ntp_address,
                           &settings->ntp_port);
    if (strcmp(word, "--no-page") == 0)
        settings->page_port = 0;
    else if (strcmp(word, "--no-console") == 0)
        settings->is_console_on = false;
    else
        return false;
    return true;
}

const char *settings_parse(struct settings *settings, int count, char **words,
                           bool *is_help)
{
    *is_help = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            *is_help = true;
        else if (!read_word(settings, words[i]))
            return words[i];
    }
    return NULL;
}
