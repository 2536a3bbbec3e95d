/* SPDX-License-Identifier: MIT */
/*
 * The parser of rule files: recursive descent, one token ahead, straight into
 * the compiled form. Every function that returns false has said why.
 */
#pragma once

#include "net/filter/lexer.h"
#include "net/filter/rule_set.h"
#include "net/filter/rules.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct rule_set *set;
    struct rules_error *error;
    struct rule_table *table;
    struct rule_chain *chain;
    struct rule *rule;
    struct rule_step **step;    /* where the rule goes on */
    const struct rule_key *key; /* of the anonymous set that is being read */
    uint8_t protocol; /* that the rule has asked for; 0: none, 255: several */
    bool is_ip;       /* it has asked for IPv4, or its table does */
    bool is_other;    /* it has asked for another family */
    size_t depth;
    bool has_failed;
};

/* parse.c */
bool parse_fail(struct parser *parser, const struct token *at,
                const char *expected);
bool parse_no_room(struct parser *parser);
void parse_next(struct parser *parser);
bool parse_at(const struct parser *parser, const char *text);
bool parse_accept(struct parser *parser, const char *text);
bool parse_expect(struct parser *parser, const char *text);
void parse_skip_lines(struct parser *parser);
bool parse_number(struct parser *parser, uint64_t max, uint64_t *value);
const char *parse_name(struct parser *parser, const char *expected);
struct rule_step *parse_add_step(struct parser *parser,
                                 enum rule_step_kind kind);

/* parse_file.c */
bool parse_file(struct parser *parser);
struct rule_chain *parse_chain_named(struct parser *parser,
                                     const struct token *name);

/* parse_rule.c */
bool parse_rule(struct parser *parser);
bool parse_verdict(struct parser *parser, struct rule_target *target,
                   bool *is_verdict);

/* parse_field.c: an expression that begins with this token is a field. */
bool parse_is_field(const struct parser *parser);
bool parse_field(struct parser *parser, uint8_t *field);
bool parse_key(struct parser *parser, struct rule_key *key);
/* From here on the rule is about that protocol; fails if it is about another.
 */
bool parse_require(struct parser *parser, const struct token *at,
                   uint8_t protocol);
bool parse_require_ip(struct parser *parser, const struct token *at);
enum rule_type parse_type_of(uint8_t field);

/* parse_value.c: from what to what a value of that type goes. */
bool parse_value(struct parser *parser, enum rule_type type, uint32_t *first,
                 uint32_t *last);
/* The same, and no more than the field holds. */
bool parse_value_of(struct parser *parser, uint8_t field, uint32_t *first,
                    uint32_t *last);
bool parse_flags(struct parser *parser, enum rule_type type, uint32_t *value);
bool parse_is_flags(enum rule_type type);
uint32_t parse_width(uint8_t field); /* its largest value */

/* parse_match.c */
bool parse_match(struct parser *parser);

/* parse_set.c */
bool parse_set_block(struct parser *parser, bool is_map);
struct rule_map *parse_set_named(struct parser *parser);
struct rule_map *parse_set_anonymous(struct parser *parser,
                                     const struct rule_map *shape,
                                     const struct rule_key *key);

/* parse_nat.c */
bool parse_is_nat(const struct parser *parser);
bool parse_nat(struct parser *parser);
