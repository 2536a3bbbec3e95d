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
    .msi = true,
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

/* The others are numbers; flags are 0 or 1, and what may not be 0 is a ring
 * and has a power of two. */
struct number_option {
    char name[13];
    bool is_flag;
    uint16_t low;
    uint16_t high;
    uint16_t offset; /* in struct e1000_options */
};

#define OPTION(member) offsetof(struct e1000_options, member)

static const struct number_option numbers[] = {
    {"rx_ring", false, E1000_RING_SIZE_MIN, E1000_RING_SIZE_MAX,
     OPTION(rx_ring)},
    {"tx_ring", false, E1000_TX_RING_SIZE_MIN, E1000_RING_SIZE_MAX,
     OPTION(tx_ring)},
    {"itr", false, 0, UINT16_MAX, OPTION(interrupt_gap)},
    {"hold", false, 0, HOLD_MAX, OPTION(hold)},
    {"long_packets", true, 0, 1, OPTION(long_packets)},
    {"checksum", true, 0, 1, OPTION(checksum)},
    {"rx_checksum", true, 0, 1, OPTION(rx_checksum)},
    {"tso", true, 0, 1, OPTION(tso)},
    {"look", true, 0, 1, OPTION(look)},
    {"msi", true, 0, 1, OPTION(msi)},
    {"gather", true, 0, 1, OPTION(gather)},
    {"statistics", true, 0, 1, OPTION(log_statistics)},
};

static int set_number(const struct number_option *option, const char *text)
{
    uint8_t *place = (uint8_t *)&e1000_options + option->offset;
    uint32_t value;

    if (number(text, '\0', option->low, option->high, &value) == NULL ||
        (option->low != 0 && (value & (value - 1)) != 0))
        return -EINVAL;
    if (option->is_flag)
        *place = (uint8_t)value;
    else
        memcpy(place, &value, sizeof(value));
    return 0;
}

int e1000_set_option(const char *name, const char *value)
{
    if (value == NULL)
        return -EINVAL;
    if (strcmp(name, "vlans") == 0)
        return vlans(value);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); ++i)
        if (strcmp(name, numbers[i].name) == 0)
            return set_number(&numbers[i], value);
    return -ENOENT;
}
