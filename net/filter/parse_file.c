/* SPDX-License-Identifier: MIT */
/*
 * A rule file as a whole: definitions, tables, chains; and what can only be
 * checked at its end: that jumps lead somewhere and in no circle.
 */
#include "net/filter/parse.h"

struct rule_chain *parse_chain_named(struct parser *parser,
                                     const struct token *name)
{
    struct rule_set *set = parser->set;
    struct rule_chain *chain;

    for (chain = set->chains; chain != NULL; chain = chain->next)
        if (chain->table == parser->table && token_is(name, chain->name))
            return chain;
    chain = rule_alloc(set, sizeof(*chain));
    if (chain == NULL)
        return NULL;
    chain->name = rule_copy_text(set, name->text, name->length);
    if (chain->name == NULL)
        return NULL;
    chain->table = parser->table;
    if (set->last_chain == NULL)
        set->chains = chain;
    else
        set->last_chain->next = chain;
    set->last_chain = chain;
    return chain;
}

/* ---- chains ----------------------------------------------------------------
 */

static bool parse_hook(struct parser *parser, struct rule_chain *chain)
{
    static const char *const hooks[FILTER_HOOK_COUNT] = {
        "prerouting", "input", "forward", "output", "postrouting"};

    if (!parse_expect(parser, "hook"))
        return false;
    for (unsigned i = 0; i < FILTER_HOOK_COUNT; i++)
        if (parse_accept(parser, hooks[i])) {
            chain->hook = (enum filter_hook)i;
            return true;
        }
    return parse_fail(parser, &parser->token,
                      "expected a hook (prerouting, input, forward, output, "
                      "postrouting)");
}

static bool parse_priority(struct parser *parser, struct rule_chain *chain)
{
    static const struct {
        const char *name;
        int16_t value;
        uint8_t hooks; /* where it means something */
    } names[] = {
        {"raw", FILTER_PRIORITY_RAW, UINT8_MAX},
        {"mangle", FILTER_PRIORITY_MANGLE, UINT8_MAX},
        {"dstnat", FILTER_PRIORITY_DESTINATION, 1 << FILTER_PREROUTING},
        {"filter", FILTER_PRIORITY_FILTER, UINT8_MAX},
        {"security", FILTER_PRIORITY_SECURITY, UINT8_MAX},
        {"srcnat", FILTER_PRIORITY_SOURCE, 1 << FILTER_POSTROUTING},
    };
    bool is_negative;
    bool has_name = false;
    uint64_t number;

    if (!parse_expect(parser, "priority"))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !has_name; i++)
        if ((names[i].hooks >> chain->hook & 1) != 0 &&
            parse_accept(parser, names[i].name)) {
            chain->priority = names[i].value;
            has_name = true;
        }
    is_negative = parse_accept(parser, "-");
    if (!is_negative && has_name && !parse_accept(parser, "+"))
        return true;
    if (!parse_number(parser, 1000000, &number))
        return false;
    chain->priority += is_negative ? -(int32_t)number : (int32_t)number;
    return true;
}

static bool parse_base(struct parser *parser, struct rule_chain *chain)
{
    struct token start = parser->token;

    bool is_route = parse_accept(parser, "route");

    if (is_route || parse_accept(parser, "filter"))
        chain->type = CHAIN_FILTER;
    else if (parse_accept(parser, "nat"))
        chain->type = CHAIN_NAT;
    else
        return parse_fail(parser, &start,
                          "expected 'filter', 'nat' or 'route'");
    if (!parse_hook(parser, chain))
        return false;
    if (is_route ? chain->hook != FILTER_OUTPUT
                 : chain->type == CHAIN_NAT && chain->hook == FILTER_FORWARD)
        return parse_fail(parser, &start, "expected a hook of this type");
    if (!parse_priority(parser, chain))
        return false;
    if (chain->type == CHAIN_NAT && chain->priority <= FILTER_PRIORITY_TRACK)
        return parse_fail(parser, &start,
                          "expected a priority above -200 for nat");
    return true;
}

static bool parse_policy(struct parser *parser, struct rule_chain *chain)
{
    if (chain->type == CHAIN_REGULAR)
        return parse_fail(parser, &parser->token,
                          "expected 'type' before 'policy'");
    if (parse_accept(parser, "drop"))
        chain->policy_drop = true;
    else if (!parse_accept(parser, "accept"))
        return parse_fail(parser, &parser->token,
                          "expected 'accept' or 'drop'");
    return true;
}

static bool parse_chain_item(struct parser *parser, struct rule_chain *chain)
{
    struct token start = parser->token;

    if (parse_accept(parser, "type")) {
        if (chain->type != CHAIN_REGULAR || chain->rules != NULL)
            return parse_fail(parser, &start,
                              "expected one 'type', before all rules");
        return parse_base(parser, chain);
    }
    if (parse_accept(parser, "policy"))
        return parse_policy(parser, chain);
    if (parse_accept(parser, "comment")) {
        parse_next(parser);
        return true;
    }
    return parse_rule(parser);
}

static bool parse_chain(struct parser *parser)
{
    struct token name = parser->token;
    struct rule_chain *chain;

    if (name.kind != TOKEN_WORD)
        return parse_fail(parser, &name, "expected the name of a chain");
    chain = parse_chain_named(parser, &name);
    if (chain == NULL)
        return parse_no_room(parser);
    chain->is_defined = true;
    parser->chain = chain;
    parse_next(parser);
    if (!parse_expect(parser, "{"))
        return false;
    for (;;) {
        parse_skip_lines(parser);
        if (parse_accept(parser, "}"))
            return true;
        if (!parse_chain_item(parser, chain))
            return false;
        if (parser->token.kind != TOKEN_LINE && !parse_at(parser, "}"))
            return parse_fail(parser, &parser->token,
                              "expected the end of the statement");
    }
}

/* ---- tables ----------------------------------------------------------------
 */

static bool parse_define(struct parser *parser)
{
    struct token name = parser->token;
    struct token sign;

    if (name.kind != TOKEN_WORD)
        return parse_fail(parser, &name, "expected a name");
    if (lexer_is_defined(&parser->lexer, &name))
        return parse_fail(parser, &name, "expected a new name");
    sign = lexer_next(&parser->lexer);
    if (!token_is(&sign, "="))
        return parse_fail(parser, &sign, "expected '='");
    if (lexer_define(&parser->lexer, &name) != 0)
        return parse_fail(parser, &name, "too many definitions");
    parse_next(parser);
    return true;
}

static bool enter_table(struct parser *parser)
{
    struct rule_set *set = parser->set;
    bool is_inet = parse_accept(parser, "inet");
    struct token name;

    if (!is_inet) {
        struct token family = parser->token;

        if (!parse_accept(parser, "ip") &&
            (token_is(&family, "ip6") || token_is(&family, "arp") ||
             token_is(&family, "bridge") || token_is(&family, "netdev")))
            return parse_fail(parser, &family, "expected 'inet' or 'ip'");
    }
    name = parser->token;
    if (name.kind != TOKEN_WORD)
        return parse_fail(parser, &name, "expected the name of a table");
    for (parser->table = set->tables; parser->table != NULL;
         parser->table = parser->table->next)
        if (parser->table->is_inet == is_inet &&
            token_is(&name, parser->table->name))
            break;
    if (parser->table == NULL) {
        parser->table = rule_alloc(set, sizeof(*parser->table));
        if (parser->table == NULL)
            return parse_no_room(parser);
        parser->table->name = rule_copy_text(set, name.text, name.length);
        if (parser->table->name == NULL)
            return parse_no_room(parser);
        parser->table->is_inet = is_inet;
        parser->table->next = set->tables;
        set->tables = parser->table;
    }
    parse_next(parser);
    return true;
}

static bool parse_table_item(struct parser *parser)
{
    if (parse_accept(parser, "chain"))
        return parse_chain(parser);
    if (parse_accept(parser, "set"))
        return parse_set_block(parser, false);
    if (parse_accept(parser, "map"))
        return parse_set_block(parser, true);
    if (parse_accept(parser, "define"))
        return parse_define(parser);
    if (parse_accept(parser, "comment")) {
        parse_next(parser);
        return true;
    }
    return parse_fail(parser, &parser->token,
                      "expected 'chain', 'set', 'map' or '}'");
}

static bool parse_table(struct parser *parser)
{
    if (!enter_table(parser))
        return false;
    if (parser->token.kind == TOKEN_LINE || parser->token.kind == TOKEN_END)
        return true; /* makes it be there: for a `delete` that follows */
    if (!parse_expect(parser, "{"))
        return false;
    for (;;) {
        parse_skip_lines(parser);
        if (parse_accept(parser, "}"))
            return true;
        if (!parse_table_item(parser))
            return false;
        if (parser->token.kind != TOKEN_LINE && !parse_at(parser, "}"))
            return parse_fail(parser, &parser->token,
                              "expected the end of the statement");
    }
}

static bool is_filled(const struct rule_set *set,
                      const struct rule_table *table)
{
    for (const struct rule_chain *c = set->chains; c != NULL; c = c->next)
        if (table == NULL || c->table == table)
            return true;
    return false;
}

/* `flush ruleset`, `delete table x`: a file replaces everything anyway, so they
 * say nothing unless they stand below what they would remove. */
static bool parse_removal(struct parser *parser)
{
    struct token start = parser->token;

    parser->table = NULL;
    if (parse_accept(parser, "ruleset")) {
        if (!parse_accept(parser, "inet"))
            parse_accept(parser, "ip");
    } else if (!parse_expect(parser, "table") || !enter_table(parser)) {
        return false;
    }
    return !is_filled(parser->set, parser->table) ||
           parse_fail(parser, &start, "expected this above all chains");
}

static bool parse_top_item(struct parser *parser)
{
    if (parse_accept(parser, "define"))
        return parse_define(parser);
    if (parse_accept(parser, "flush") || parse_accept(parser, "delete") ||
        parse_accept(parser, "destroy"))
        return parse_removal(parser);
    parse_accept(parser, "add");
    if (parse_accept(parser, "table"))
        return parse_table(parser);
    return parse_fail(parser, &parser->token,
                      "expected 'table', 'define' or 'flush ruleset'");
}

/* ---- the end of the file ---------------------------------------------------
 */

enum {
    FROM_NAT = 8, /* bits further than those of chains of type filter */
    FROM_ANY = 0x1f1f,
    FROM_POSTROUTING = 1 << FILTER_POSTROUTING,
    FROM_PREROUTING = 1 << FILTER_PREROUTING,
    FROM_INPUT = 1 << FILTER_INPUT,
    FROM_OUTPUT = 1 << FILTER_OUTPUT,
};

static unsigned where_translation_goes(uint8_t kind)
{
    if (kind == NAT_DNAT || kind == NAT_REDIRECT)
        return (FROM_PREROUTING | FROM_OUTPUT) << FROM_NAT;
    if (kind == NAT_SNAT)
        return (FROM_POSTROUTING | FROM_INPUT) << FROM_NAT;
    return FROM_POSTROUTING << FROM_NAT;
}

/* From which base chains a step may be reached. */
static unsigned where_it_goes(const struct rule_step *step)
{
    unsigned postrouting = FROM_POSTROUTING | FROM_POSTROUTING << FROM_NAT;
    unsigned incoming = FROM_PREROUTING | FROM_INPUT;

    if (step->kind == STEP_NAT)
        return where_translation_goes(step->nat.kind);
    if (step->kind == STEP_MSS && step->mss == 0)
        return FROM_ANY & ~(incoming | incoming << FROM_NAT);
    if (step->kind == STEP_VERDICT && step->verdict.verdict > FILTER_DROP &&
        step->verdict.verdict < FILTER_VERDICT_COUNT)
        return FROM_ANY & ~postrouting;
    return FROM_ANY;
}

static bool fail_at_rule(struct parser *parser, const struct rule *rule)
{
    struct token at = {.kind = TOKEN_WORD, .line = rule->line, .column = 1};
    const char *text = parser->set->text;

    at.text = text + rule->start;
    at.length = rule->length;
    for (const char *c = at.text; c > text && c[-1] != '\n'; c--)
        at.column++;
    return parse_fail(parser, &at, "expected a hook where this can be done");
}

static bool check_chain(struct parser *parser, struct rule_chain *chain,
                        unsigned above, unsigned from);

static bool follow(struct parser *parser, const struct rule_target *target,
                   unsigned above, unsigned from)
{
    struct token at = {.kind = TOKEN_SIGN};

    if (target->chain == NULL)
        return true;
    at.line = target->chain->line;
    at.column = target->chain->column;
    if (!target->chain->is_defined)
        return parse_fail(parser, &at, "expected a chain that is defined");
    if (target->chain->type != CHAIN_REGULAR)
        return parse_fail(parser, &at, "expected a chain without a hook");
    if (above == RULES_DEPTH_MAX)
        return parse_fail(parser, &at,
                          "expected jumps without a circle, "
                          "at most 16 deep");
    return check_chain(parser, target->chain, above + 1, from);
}

static bool follow_map(struct parser *parser, const struct rule_map *map,
                       unsigned above, unsigned from)
{
    size_t at = (size_t)map->key_count + (map->is_interval ? 1 : 0);

    for (size_t i = 0; i <= map->count; i++) {
        struct rule_target target = {0};

        if (i < map->count)
            target = rule_unpack_target(parser->set,
                                        map->elements[i * map->stride + at]);
        else if (map->has_default)
            target = rule_unpack_target(parser->set, map->default_data[0]);
        if (!follow(parser, &target, above, from))
            return false;
    }
    return true;
}

/* A chain is walked again only when it is reached from deeper than before or
 * from another base chain, so that chains times both bound the walk. */
static bool check_chain(struct parser *parser, struct rule_chain *chain,
                        unsigned above, unsigned from)
{
    if (chain->depth > above && (from & ~chain->comes_from) == 0)
        return true;
    if (chain->depth <= above)
        chain->depth = (uint8_t)(above + 1);
    chain->comes_from |= (uint16_t)from;
    for (const struct rule *rule = chain->rules; rule != NULL;
         rule = rule->next)
        for (const struct rule_step *step = rule->steps; step != NULL;
             step = step->next) {
            if ((from & ~where_it_goes(step)) != 0)
                return fail_at_rule(parser, rule);
            if (step->kind == STEP_VERDICT &&
                !follow(parser, &step->verdict, above, from))
                return false;
            if (step->kind == STEP_VMAP &&
                !follow_map(parser, step->lookup.map, above, from))
                return false;
        }
    return true;
}

static bool check_chains(struct parser *parser)
{
    for (struct rule_chain *chain = parser->set->chains; chain != NULL;
         chain = chain->next) {
        struct rule_target target = {chain, RULE_JUMP};
        unsigned from = 0;

        if (chain->type != CHAIN_REGULAR)
            from =
                1U << (chain->hook + (chain->type == CHAIN_NAT ? FROM_NAT : 0));
        if (chain->is_defined ? !check_chain(parser, chain, 0, from)
                              : !follow(parser, &target, 0, 0))
            return false;
    }
    for (const struct rule_map *map = parser->set->maps; map != NULL;
         map = map->next)
        if (map->data_type[0] == TYPE_VERDICT && !follow_map(parser, map, 0, 0))
            return false;
    return true;
}

bool parse_file(struct parser *parser)
{
    parse_next(parser);
    for (;;) {
        parse_skip_lines(parser);
        if (parser->token.kind == TOKEN_END)
            return check_chains(parser);
        if (!parse_top_item(parser))
            return false;
        if (parser->token.kind != TOKEN_LINE && parser->token.kind != TOKEN_END)
            return parse_fail(parser, &parser->token,
                              "expected the end of the statement");
    }
}
