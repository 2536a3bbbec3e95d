/* SPDX-License-Identifier: MIT */
/*
 * The `ip=` words of the command line, in the syntax of Linux's nfsroot
 * documentation: client[/prefix]:server:gateway:netmask:host:device:
 * autoconf:dns0:dns1:ntp0, or autoconf alone. Server and ntp0 are checked and
 * not used.
 */
#include "net/net_config.h"

#include "net/platform.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

enum field {
    FIELD_CLIENT,
    FIELD_SERVER,
    FIELD_GATEWAY,
    FIELD_NETMASK,
    FIELD_HOST,
    FIELD_DEVICE,
    FIELD_AUTOCONF,
    FIELD_DNS0,
    FIELD_DNS1,
    FIELD_NTP0,
    FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
    "client address", "server address",    "gateway", "netmask", "host name",
    "device",         "autoconfiguration", "dns0",    "dns1",    "ntp0",
};

/* A part of the value; not ended by a zero. */
struct text {
    const char *at;
    size_t length;
};

static struct net_config configs[NETIF_MAX];
static size_t config_count;

void net_config_init(void)
{
    memset(configs, 0, sizeof(configs));
    config_count = 0;
}

static int complain(enum field field, struct text text)
{
    platform_log(PLATFORM_ERROR, "ip", "bad %s \"%.*s\", word ignored",
                 field_names[field], (int)text.length, text.at);
    return -EINVAL;
}

static bool equals(struct text text, const char *word)
{
    return strlen(word) == text.length &&
           memcmp(text.at, word, text.length) == 0;
}

static bool is_one_of(struct text text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (equals(text, *words))
            return true;
    return false;
}

static bool parse_method(struct text text, enum net_config_method *method)
{
    static const char *const dhcp[] = {"dhcp", "on", "any", "both", NULL};
    static const char *const off[] = {"off", "none", "static", NULL};

    if (is_one_of(text, dhcp))
        *method = NET_CONFIG_DHCP;
    else if (is_one_of(text, off))
        *method = NET_CONFIG_OFF;
    else
        return false;
    return true;
}

/* Empty is fine and leaves 0.0.0.0. */
static int parse_address(struct text text, enum field field,
                         struct be32 *address)
{
    *address = be32_from(0);
    if (text.length == 0)
        return 0;
    if (!ipv4_parse(text.at, text.length, address) ||
        (be32_get(*address) != 0 && !ipv4_is_unicast(*address)))
        return complain(field, text);
    return 0;
}

/* RFC 791 3.2: the network size an address had before masks. */
static unsigned classful_prefix(struct be32 address)
{
    if (address.octet[0] < 128)
        return 8;
    return address.octet[0] < 192 ? 16 : 24;
}

/* From the digits behind a slash up to `end`; 0 when they are no prefix. */
static unsigned parse_prefix(const char *at, const char *end)
{
    unsigned value = 0;

    if (end - at > 2)
        return 0;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return 0;
        value = value * 10 + (unsigned)(*at - '0');
    }
    return value <= 32 ? value : 0;
}

static int parse_client(struct text text, struct net_config *config)
{
    const char *slash = memchr(text.at, '/', text.length);
    struct text address = text;

    if (slash != NULL) {
        config->prefix_length = parse_prefix(slash + 1, text.at + text.length);
        address.length = (size_t)(slash - text.at);
        if (config->prefix_length == 0 || address.length == 0)
            return complain(FIELD_CLIENT, text);
    }
    return parse_address(address, FIELD_CLIENT, &config->address);
}

static int parse_netmask(struct text text, struct net_config *config)
{
    struct be32 mask;

    if (text.length == 0) {
        if (config->prefix_length == 0)
            config->prefix_length = classful_prefix(config->address);
        return 0;
    }
    if (!ipv4_parse(text.at, text.length, &mask) || !ipv4_is_netmask(mask) ||
        be32_get(mask) == 0 ||
        (config->prefix_length != 0 &&
         config->prefix_length != ipv4_prefix_length(mask)))
        return complain(FIELD_NETMASK, text);
    config->prefix_length = ipv4_prefix_length(mask);
    return 0;
}

static int copy_text(struct text text, enum field field, char *to, size_t size)
{
    if (text.length >= size)
        return complain(field, text);
    memcpy(to, text.at, text.length);
    to[text.length] = '\0';
    return 0;
}

static int parse_autoconf(struct text text, struct net_config *config)
{
    config->method = NET_CONFIG_DHCP;
    if (text.length != 0 && !parse_method(text, &config->method))
        return complain(FIELD_AUTOCONF, text);
    /* As Linux: an address that is given needs nobody to give one. */
    if (be32_get(config->address) != 0)
        config->method = NET_CONFIG_STATIC;
    return 0;
}

static int parse_field(enum field field, struct text text,
                       struct net_config *config)
{
    struct be32 unused;

    switch (field) {
    case FIELD_CLIENT:
        return parse_client(text, config);
    case FIELD_SERVER:
    case FIELD_NTP0:
        return parse_address(text, field, &unused);
    case FIELD_GATEWAY:
        return parse_address(text, field, &config->gateway);
    case FIELD_NETMASK:
        return parse_netmask(text, config);
    case FIELD_HOST:
        return copy_text(text, field, config->host, sizeof(config->host));
    case FIELD_DEVICE:
        return copy_text(text, field, config->device, sizeof(config->device));
    case FIELD_AUTOCONF:
        return parse_autoconf(text, config);
    case FIELD_DNS0:
        return parse_address(text, field, &config->dns[0]);
    case FIELD_DNS1:
        return parse_address(text, field, &config->dns[1]);
    case FIELD_COUNT:
        break;
    }
    return -EINVAL;
}

static int refuse(const char *why)
{
    platform_log(PLATFORM_ERROR, "ip", "%s, word ignored", why);
    return -EINVAL;
}

/* What each field alone cannot tell. */
static int check(const struct net_config *config)
{
    uint32_t address = be32_get(config->address);
    struct be32 mask = ipv4_netmask(config->prefix_length);
    uint32_t host = address & ~be32_get(mask);

    if (address == 0 || config->prefix_length == 32)
        return 0;
    if (config->prefix_length < 31 &&
        (host == 0 || (host | be32_get(mask)) == UINT32_MAX))
        return refuse("client address is the network's or broadcast");
    if (be32_get(config->gateway) != 0 &&
        !ipv4_same_network(config->address, config->gateway, mask))
        return refuse("gateway is not in the network of the client address");
    return 0;
}

static int parse(const char *value, struct net_config *config)
{
    struct text whole = {value, strlen(value)};

    if (parse_method(whole, &config->method))
        return 0;
    for (enum field field = FIELD_CLIENT; field < FIELD_COUNT; field++) {
        struct text text = {value, strcspn(value, ":")};
        int status = parse_field(field, text, config);

        if (status != 0)
            return status;
        value += text.length;
        if (*value == ':')
            value++;
    }
    return *value != '\0' ? refuse("too many fields") : check(config);
}

int net_config_add(const char *value)
{
    struct net_config config = {0};
    int status;

    if (config_count == NETIF_MAX) {
        platform_log(PLATFORM_ERROR, "ip", "more than %d words", NETIF_MAX);
        return -ENOSPC;
    }
    status = parse(value, &config);
    if (status == 0)
        configs[config_count++] = config;
    return status;
}

const struct net_config *net_config_find(const struct netif *netif)
{
    for (size_t i = 0; i < config_count; i++) {
        if (strcmp(configs[i].device, netif->name) == 0) {
            configs[i].is_taken = true;
            return &configs[i];
        }
    }
    for (size_t i = 0; i < config_count; i++) {
        struct net_config *config = &configs[i];

        if (config->device[0] != '\0' ||
            (config->is_taken && config->method == NET_CONFIG_STATIC))
            continue;
        config->is_taken = true;
        return config;
    }
    return NULL;
}

bool net_config_speaks_of(const char *device)
{
    size_t nameless = 0;

    for (size_t i = 0; i < config_count; i++) {
        const struct net_config *config = &configs[i];

        if (strcmp(config->device, device) == 0)
            return true;
        if (config->device[0] != '\0')
            continue;
        if (config->method != NET_CONFIG_STATIC || nameless++ > 0)
            return true;
    }
    return false;
}

const char *net_config_device(size_t index)
{
    return index < config_count ? configs[index].device : NULL;
}

void net_config_report_unused(void)
{
    for (size_t i = 0; i < config_count; i++)
        if (!configs[i].is_taken)
            platform_log(PLATFORM_ERROR, "ip",
                         "word for \"%s\" is left over: no such "
                         "interface, or it has one",
                         configs[i].device);
}
