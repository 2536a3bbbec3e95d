/* SPDX-License-Identifier: MIT */
/*
 * The words `e1000.NAME=VALUE` of the command line (docs/e1000.md).
 */
#include "drivers/e1000/e1000.h"

#include "drivers/e1000/device.h"

#include <errno.h>
#include <string.h>

struct e1000_options e1000_options = {
    .checksum = true,
    .rx_checksum = true,
    .tso = true,
    .look = true,
    .gather = true,
    .interrupt_gap = E1000_GAP_ADAPTIVE,
};

enum {
    HOLD_MAX = 60,
    VLAN_MAX = 4094,
    DIGITS_MAX = 6,
};

/* Reads digits up to `end`; returns where it stopped, NULL if that is not a
 * number within the limits. */
static const char *number(const char *text, char end, uint32_t low,
                          uint32_t high, uint32_t *value)
{
    uint32_t sum = 0;
    size_t digits = 0;

    while (text[digits] >= '0' && text[digits] <= '9') {
        if (digits == DIGITS_MAX)
            return NULL;
        sum = sum * 10 + (uint32_t)(text[digits++] - '0');
    }
    if (digits == 0 || (text[digits] != '\0' && text[digits] != end) ||
        sum < low || sum > high)
        return NULL;
    *value = sum;
    return text + digits;
}

static int plain(const char *text, uint32_t low, uint32_t high, uint32_t *value)
{
    return number(text, '\0', low, high, value) == NULL ? -EINVAL : 0;
}

static int flag(const char *text, bool *value)
{
    uint32_t word;

    if (plain(text, 0, 1, &word) != 0)
        return -EINVAL;
    *value = word == 1;
    return 0;
}

static int ring_size(const char *text, uint32_t low, uint32_t *value)
{
    uint32_t size;

    if (plain(text, low, E1000_RING_SIZE_MAX, &size) != 0 ||
        (size & (size - 1)) != 0)
        return -EINVAL;
    *value = size;
    return 0;
}

static int vlans(const char *text)
{
    uint32_t count = 0;

    for (;;) {
        uint32_t vlan;
        text = number(text, ',', 1, VLAN_MAX, &vlan);
        if (text == NULL || count == ARRAY_COUNT(e1000_options.vlans))
            return -EINVAL;
        e1000_options.vlans[count++] = (uint16_t)vlan;
        if (*text == '\0')
            break;
        ++text;
    }
    e1000_options.vlan_count = count;
    return 0;
}

int e1000_set_option(const char *name, const char *value)
{
    if (value == NULL)
        return -EINVAL;
    if (strcmp(name, "rx_ring") == 0)
        return ring_size(value, E1000_RING_SIZE_MIN, &e1000_options.rx_ring);
    if (strcmp(name, "tx_ring") == 0)
        return ring_size(value, E1000_TX_RING_SIZE_MIN, &e1000_options.tx_ring);
    if (strcmp(name, "itr") == 0)
        return plain(value, 0, UINT16_MAX, &e1000_options.interrupt_gap);
    if (strcmp(name, "vlans") == 0)
        return vlans(value);
    if (strcmp(name, "long_packets") == 0)
        return flag(value, &e1000_options.long_packets);
    if (strcmp(name, "checksum") == 0)
        return flag(value, &e1000_options.checksum);
    if (strcmp(name, "rx_checksum") == 0)
        return flag(value, &e1000_options.rx_checksum);
    if (strcmp(name, "tso") == 0)
        return flag(value, &e1000_options.tso);
    if (strcmp(name, "look") == 0)
        return flag(value, &e1000_options.look);
    if (strcmp(name, "gather") == 0)
        return flag(value, &e1000_options.gather);
    if (strcmp(name, "hold") == 0)
        return plain(value, 0, HOLD_MAX, &e1000_options.hold);
    if (strcmp(name, "statistics") == 0)
        return flag(value, &e1000_options.log_statistics);
    return -ENOENT;
}
