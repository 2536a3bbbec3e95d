/* SPDX-License-Identifier: MIT */
/*
 * The settings of the stack (`net.NAME=VALUE` on the command line), under the
 * names Linux's sysctl has for them. Those of TCP are TCP's.
 */
#include "net/net_settings.h"

#include "net/ip/icmp.h"
#include "net/ip/output.h"
#include "net/limits.h"
#include "net/link/gro.h"
#include "net/net.h"
#include "net/net_trace.h"
#include "net/platform.h"
#include "net/tcp/tcp.h"

#include <errno.h>
#include <string.h>

static int set_echo_ignore_all(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    icmp_set_echo_ignored(value == 1);
    return 0;
}

static int set_gro(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    gro_set_enabled(value == 1);
    return 0;
}

static const struct net_setting settings[] = {
    {"gro", set_gro, "0 or 1"},
    {"trace_drops", net_trace_drops, "0 or 1"},
    {"ipv4.ip_default_ttl", ip_set_default_ttl, "1 to 255"},
    {"ipv4.icmp_echo_ignore_all", set_echo_ignore_all, "0 or 1"},
};

static struct {
    struct {
        const struct net_setting *table;
        size_t count;
    } list[NET_SETTING_TABLES_MAX];
    size_t count;
} tables;

enum {
    DIGITS_MAX = 9, /* fits 32 bits */
};

static bool parse_number(const char *text, unsigned *value)
{
    size_t length = strlen(text);

    if (length == 0 || length > DIGITS_MAX)
        return false;
    *value = 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *value = *value * 10 + (unsigned)(*text - '0');
    }
    return true;
}

void net_settings_init(void)
{
    tables.count = 0;
    net_settings_add(settings, ARRAY_COUNT(settings));
}

void net_settings_add(const struct net_setting *table, size_t count)
{
    ASSERT(tables.count < NET_SETTING_TABLES_MAX);
    tables.list[tables.count].table = table;
    tables.list[tables.count].count = count;
    tables.count++;
}

static const struct net_setting *find(const char *name)
{
    for (size_t i = 0; i < tables.count; i++)
        for (size_t j = 0; j < tables.list[i].count; j++)
            if (strcmp(tables.list[i].table[j].name, name) == 0)
                return &tables.list[i].table[j];
    return NULL;
}

int net_set(const char *name, const char *value)
{
    const struct net_setting *setting = find(name);
    unsigned number;

    if (setting == NULL) {
        int error = tcp_set(name, value);

        if (error == -ENOENT)
            platform_log(PLATFORM_WARN, "net", "no setting %s", name);
        return error;
    }
    if (parse_number(value, &number) && setting->set(number) == 0)
        return 0;
    platform_log(PLATFORM_WARN, "net", "%s takes %s, not %s", name,
                 setting->allowed, value);
    return -EINVAL;
}
