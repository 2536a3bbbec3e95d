/* SPDX-License-Identifier: MIT */
/*
 * Words of a configuration line: what is left of it, and where it stands, so
 * that an error can name the column.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct words {
    const char *start; /* of the line */
    const char *at;
    const char *end;
    const char *error;    /* the first one; NULL: none */
    const char *error_at; /* where */
    bool has_next;        /* a separator was taken: a word follows, or none */
};

struct word {
    const char *bytes;
    size_t length;
};

/* Takes what stands before the next `separator`, without blanks and quotes
 * around it, and the separator. Empty at the end. */
struct word words_take(struct words *words, char separator);
bool words_have_more(const struct words *words);
/* Each quote has its other end, and they stand around whole words. */
bool words_check_quotes(struct words *words);
/* Notes the first error; returns false. */
bool words_fail(struct words *words, const char *at, const char *error);

bool word_is(struct word word, const char *text);
/* Copies it, in lower case, with a 0. False when it does not fit `size`. */
bool word_copy(struct word word, char *text, size_t size);
bool word_to_number(struct word word, uint32_t most, uint32_t *number);
/* Dotted quad, nothing else; host order. */
bool word_to_address(struct word word, uint32_t *address);
/* Six bytes in hexadecimal between colons. */
bool word_to_hardware(struct word word, uint8_t hardware[6]);
/* Labels of letters, digits, - and _; lower case; without a last dot. */
bool word_to_domain(struct word word, char *text, size_t size);
/* 90, 45m, 12h, 2d, 1w or infinite (UINT32_MAX); in seconds. */
bool word_to_duration(struct word word, uint32_t *seconds);
