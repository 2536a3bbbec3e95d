/* SPDX-License-Identifier: MIT */
/*
 * A borrowed run of bytes, not NUL-terminated: how the parsers hand out parts
 * of a request without copying. An absent header is a slice whose bytes are
 * NULL; an empty one is not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *bytes;
    size_t length;
};

/* Always inline, so that the lengths of literals are known when this is
 * compiled. */
#define FOLDED static inline __attribute__((always_inline))

FOLDED struct slice slice_from(const char *text)
{
    return (struct slice){text, strlen(text)};
}

bool slice_same(struct slice a, struct slice b);
bool slice_same_ignoring_case(struct slice a, struct slice b);

FOLDED bool slice_equals(struct slice a, const char *text)
{
    return slice_same(a, slice_from(text));
}

FOLDED bool slice_equals_ignoring_case(struct slice a, const char *text)
{
    return slice_same_ignoring_case(a, slice_from(text));
}

bool slice_starts_with(struct slice a, const char *text);
/* Without spaces and tabs at both ends. */
struct slice slice_trim(struct slice a);
/* Takes the next element of a comma-separated list off the front of `list`,
 * trimmed; false at the end. Empty elements are skipped. */
bool slice_next_element(struct slice *list, struct slice *element);
/* Decimal digits only, no sign, no overflow; false otherwise. */
bool slice_to_number(struct slice a, uint64_t *value);
