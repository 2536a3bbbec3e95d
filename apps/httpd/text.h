/* SPDX-License-Identifier: MIT */
/*
 * Text that is being written: into a fixed place, or growing on the heap.
 * A write that does not fit sets `is_cut` and writes nothing more, so that
 * callers check once, at the end.
 */
#pragma once

#include "slice.h"

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool is_growing;
    bool is_cut;
};

struct text text_fixed(char *bytes, size_t capacity);
/* The owner frees `bytes`, which may be NULL. */
struct text text_growing(void);
void text_add_slice(struct text *text, struct slice slice);

static inline void text_add(struct text *text, const char *string)
{
    text_add_slice(text, slice_from(string));
}

void text_add_number(struct text *text, uint64_t number);
/* As the inside of a JSON string. */
void text_add_json(struct text *text, struct slice slice);
