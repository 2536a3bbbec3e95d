/* SPDX-License-Identifier: MIT */
/*
 * Rule files (docs/firewall.md has the language): loading, replacing, showing.
 * App or softirq, locked; boot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"

enum {
    RULES_ERROR_SIZE = 160,
};

struct rules_error {
    uint32_t line;
    uint32_t column;
    /* "FILE:LINE:COLUMN: what was expected, and what stands there". */
    char text[RULES_ERROR_SIZE];
};

/* Replaces all rules by those of the file; flows live on. -EINVAL or -ENOMEM:
 * the rules stay as they were, and *error says why. The text is copied. */
int rules_load(const char *name, const char *text, size_t length,
               struct rules_error *error) MUST_CHECK;

/* No rules: everything is accepted, flows are still followed. */
void rules_unload(void);

/* What `rules_load` was last given with success; NULL: none. */
const char *rules_name(void);

/* For people: every chain, then its rules, in the order of the file. */
struct rules_line {
    const char *table;
    const char *chain;
    const char *text; /* of the rule, not terminated; NULL: the chain itself */
    size_t length;
    uint32_t line;
    bool has_counter; /* of a rule's first counter, or of a chain's policy */
    uint64_t packets;
    uint64_t bytes;
};
void rules_visit(void (*visit)(void *context, const struct rules_line *line),
                 void *context);
