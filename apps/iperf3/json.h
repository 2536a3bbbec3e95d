/* SPDX-License-Identifier: MIT */
/*
 * Just enough JSON (RFC 8259) to read what an iperf3 client says: a text is
 * checked as a whole first, then asked. Pure: nothing is copied or allocated.
 * Strings are compared as they stand, escapes included.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One value inside a text that was checked. */
struct json {
    const char *at;
    const char *end;
};

/* The value that is the whole text; false unless it is JSON, not nested
 * deeper than is of any use. */
bool json_parse(const char *text, size_t length, struct json *value);

/* A member of an object; false if there is none, or it is no object. */
bool json_member(struct json object, const char *name, struct json *value);

/* The elements of an array, one after another: `*rest` is the array at first.
 * False at its end, or if it is no array. */
bool json_next(struct json *rest, struct json *value);

bool json_is_true(struct json value);

/* Numbers are cut to whole ones and to the range; false if it is none. */
bool json_integer(struct json value, int64_t *number);

/* A string without escapes, into `text`; false if it is none or longer. */
bool json_string(struct json value, char *text, size_t size);
