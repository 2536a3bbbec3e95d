/* SPDX-License-Identifier: MIT */
/*
 * A discipline in words: "tbf,rate=10mbit,burst=16kb,child=fq_codel,limit=N".
 * Rates as tc has them (bit, kbit, mbit, gbit: powers of 1000), sizes in bytes
 * or with k, kb, m, mb (powers of 1024).
 */
#include "net/link/qdisc.h"

#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit rates[] = {
    {"bit", 1},
    {"kbit", 1000},
    {"mbit", 1000 * 1000},
    {"gbit", 1000 * 1000 * 1000},
    {NULL, 0},
};

static const struct unit sizes[] = {
    {"", 1},      {"b", 1},           {"k", 1024},
    {"kb", 1024}, {"m", 1024 * 1024}, {"mb", 1024 * 1024},
    {NULL, 0},
};

static const struct unit numbers[] = {{"", 1}, {NULL, 0}};

enum {
    DIGITS_MAX = 9,
};

static bool parse_number(const char *text, size_t length,
                         const struct unit *units, uint64_t *value)
{
    size_t digits = 0;

    *value = 0;
    for (; digits < length && text[digits] >= '0' && text[digits] <= '9';
         digits++)
        *value = *value * 10 + (uint64_t)(text[digits] - '0');
    if (digits == 0 || digits > DIGITS_MAX)
        return false;
    for (; units->name != NULL; units++) {
        if (strlen(units->name) != length - digits ||
            memcmp(units->name, text + digits, length - digits) != 0)
            continue;
        *value *= units->factor;
        return *value != 0;
    }
    return false;
}

static bool parse_name(const char *text, size_t length, char name[16])
{
    if (length == 0 || length >= 16)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    return true;
}

static bool starts_with(const char *text, size_t length, const char *key,
                        const char **value, size_t *value_length)
{
    size_t key_length = strlen(key);

    if (length < key_length || memcmp(text, key, key_length) != 0)
        return false;
    *value = text + key_length;
    *value_length = length - key_length;
    return true;
}

static bool parse_field(const char *text, size_t length,
                        struct qdisc_settings *settings)
{
    const char *value;
    size_t size;
    uint64_t number = 0;
    bool is_good = false;

    if (starts_with(text, length, "child=", &value, &size))
        return parse_name(value, size, settings->child);
    if (starts_with(text, length, "rate=", &value, &size)) {
        is_good = parse_number(value, size, rates, &number) && number >= 8000;
        settings->rate_bytes_s = number / 8;
    } else if (starts_with(text, length, "burst=", &value, &size)) {
        is_good =
            parse_number(value, size, sizes, &number) && number <= UINT32_MAX;
        settings->burst_bytes = (uint32_t)number;
    } else if (starts_with(text, length, "limit=", &value, &size)) {
        is_good =
            parse_number(value, size, numbers, &number) && number <= UINT32_MAX;
        settings->limit = (uint32_t)number;
    }
    return is_good;
}

bool qdisc_parse(const char *text, struct qdisc_settings *settings)
{
    size_t length = strcspn(text, ",");

    *settings = (struct qdisc_settings){.child = "fq_codel",
                                        .burst_bytes = QDISC_BURST_BYTES};
    if (!parse_name(text, length, settings->name))
        return false;
    while (text[length] == ',') {
        text += length + 1;
        length = strcspn(text, ",");
        if (!parse_field(text, length, settings))
            return false;
    }
    return strcmp(settings->name, "tbf") != 0 ||
           (settings->rate_bytes_s != 0 && strcmp(settings->child, "tbf") != 0);
}
