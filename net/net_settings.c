/* SPDX-License-Identifier: MIT */
/*
 * The settings of the stack (`net.NAME=VALUE` on the command line), under the
 * names Linux's sysctl has for them. Those of TCP are TCP's.
 */
#include "net/net.h"

#include "net/ip/icmp.h"
#include "net/ip/output.h"
#include "net/tcp/tcp.h"

#include <errno.h>
#include <string.h>

struct setting {
    const char *name;
    int (*set)(unsigned value);
};

static int set_echo_ignore_all(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    icmp_set_echo_ignored(value == 1);
    return 0;
}

static const struct setting settings[] = {
    {"ipv4.ip_default_ttl", ip_set_default_ttl},
    {"ipv4.icmp_echo_ignore_all", set_echo_ignore_all},
};

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

int net_set(const char *name, const char *value)
{
    unsigned number;

    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (strcmp(settings[i].name, name) != 0)
            continue;
        if (!parse_number(value, &number))
            return -EINVAL;
        return settings[i].set(number);
    }
    return tcp_set(name, value);
}
