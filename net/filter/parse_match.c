/* SPDX-License-Identifier: MIT */
/*
 * Comparisons: a field with a value, a range, a list of flags, a set or a map
 * of verdicts, with nft's meaning of each form.
 */
#include "net/filter/parse.h"

static struct rule_map shape_of(const struct rule_key *key)
{
    struct rule_map shape = {.key_count = key->count};

    for (size_t i = 0; i < key->count; i++)
        shape.key_type[i] = (uint8_t)parse_type_of(key->field[i]);
    return shape;
}

static bool is_comparable(enum rule_type a, enum rule_type b)
{
    return a == b || (a == TYPE_IFNAME && b == TYPE_IFINDEX) ||
           (a == TYPE_IFINDEX && b == TYPE_IFNAME);
}

/* `@name` or `{ ... }`. */
static struct rule_map *parse_map(struct parser *parser,
                                  const struct rule_map *shape,
                                  const struct rule_key *key)
{
    struct token at = parser->token;
    struct rule_map *map;

    if (!parse_at(parser, "@"))
        return parse_set_anonymous(parser, shape, key);
    map = parse_set_named(parser);
    if (map == NULL)
        return NULL;
    if (map->key_count != shape->key_count ||
        map->data_count != shape->data_count ||
        (map->data_count == 1 && (map->data_type[0] == TYPE_VERDICT) !=
                                     (shape->data_type[0] == TYPE_VERDICT))) {
        parse_fail(parser, &at, "expected a set of as many fields");
        return NULL;
    }
    for (size_t i = 0; i < map->key_count; i++)
        if (!is_comparable(map->key_type[i], shape->key_type[i])) {
            parse_fail(parser, &at, "expected a set of this type");
            return NULL;
        }
    return map;
}

/* From here on the rule is about packets with this value. */
static void note_value(struct parser *parser, uint8_t field, uint32_t value)
{
    if (field == FIELD_IP_PROTOCOL)
        parser->protocol = (uint8_t)value;
    if (field == FIELD_NFPROTO && value == NFPROTO_IPV4)
        parser->is_ip = true;
    else if (field == FIELD_NFPROTO)
        parser->is_other = true;
}

static void note_set(struct parser *parser, uint8_t field,
                     const struct rule_map *map)
{
    if (map->name != NULL || map->key_count > 1 || map->is_interval)
        return;
    for (size_t i = 0; i < map->count; i++)
        note_value(parser, field, map->elements[i * map->stride]);
    if (field == FIELD_IP_PROTOCOL && map->count > 1)
        parser->protocol = UINT8_MAX;
}

static bool parse_lookup(struct parser *parser, const struct rule_key *key,
                         enum rule_step_kind kind, bool is_not)
{
    struct rule_map shape = shape_of(key);
    struct rule_step *step;
    struct rule_map *map;

    if (kind == STEP_VMAP) {
        shape.data_count = 1;
        shape.data_type[0] = TYPE_VERDICT;
    }
    map = parse_map(parser, &shape, key);
    if (map == NULL)
        return false;
    if (kind == STEP_LOOKUP && !is_not)
        note_set(parser, key->field[0], map);
    step = parse_add_step(parser, kind);
    if (step == NULL)
        return false;
    step->lookup = (struct rule_lookup){map, *key, is_not};
    return true;
}

static bool add_match(struct parser *parser, const struct rule_match *match)
{
    struct rule_step *step = parse_add_step(parser, STEP_MATCH);

    if (step == NULL)
        return false;
    step->match = *match;
    return true;
}

/* a,b,c: all their bits. */
static bool parse_any_flag(struct parser *parser, enum rule_type type,
                           uint32_t *flags, size_t *count)
{
    *flags = 0;
    *count = 0;
    do {
        uint32_t flag;

        if (!parse_flags(parser, type, &flag))
            return false;
        *flags |= flag;
        ++*count;
    } while (parse_accept(parser, ","));
    return true;
}

/* `tcp flags syn,ack`: any of them; with an operator: these, exactly. */
static bool parse_flag_list(struct parser *parser, struct rule_match *match,
                            bool is_explicit, enum rule_type type)
{
    uint32_t flags;
    size_t count;

    if (!parse_any_flag(parser, type, &flags, &count))
        return false;
    match->first = flags;
    match->last = flags;
    if (parse_accept(parser, "/")) { /* flags / mask */
        if (!parse_any_flag(parser, type, &match->mask, &count))
            return false;
        if (count < 2)
            return parse_fail(parser, &parser->token,
                              "expected ',' and more flags");
    } else if (!is_explicit && match->mask == UINT32_MAX) {
        match->mask = flags;
        match->first = 0;
        match->compare = COMPARE_NOT_EQUAL;
    }
    return add_match(parser, match);
}

static bool parse_operator(struct parser *parser, uint8_t *compare)
{
    static const struct {
        const char *text;
        uint8_t compare;
    } operators[] = {
        {"==", COMPARE_EQUAL},       {"!=", COMPARE_NOT_EQUAL},
        {"<", COMPARE_LESS},         {">", COMPARE_GREATER},
        {"<=", COMPARE_NOT_GREATER}, {">=", COMPARE_NOT_LESS},
    };

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (parse_accept(parser, operators[i].text)) {
            *compare = operators[i].compare;
            return true;
        }
    *compare = COMPARE_EQUAL;
    return false;
}

/* `iifname "eth*"`. */
static bool parse_wildcard(struct parser *parser, uint8_t field, bool is_not)
{
    struct token token = parser->token;
    struct rule_step *step;
    const char *text =
        rule_copy_text(parser->set, token.text, token.length - 1);

    parse_next(parser);
    if (text == NULL)
        return parse_no_room(parser);
    step = parse_add_step(parser, STEP_NAME);
    if (step == NULL)
        return false;
    step->name = (struct rule_name){text, field, is_not};
    return true;
}

static bool is_wildcard(const struct parser *parser, uint8_t field)
{
    const struct token *token = &parser->token;

    return (field == FIELD_IIFNAME || field == FIELD_OIFNAME) &&
           (token->kind == TOKEN_WORD || token->kind == TOKEN_TEXT) &&
           token->length > 1 && token->text[token->length - 1] == '*';
}

static bool parse_scalar(struct parser *parser, uint8_t field,
                         struct rule_match *match, bool is_explicit)
{
    enum rule_type type = parse_type_of(field);
    struct token start = parser->token;

    if (is_wildcard(parser, field) && match->compare <= COMPARE_NOT_EQUAL)
        return parse_wildcard(parser, field,
                              match->compare == COMPARE_NOT_EQUAL);
    if (parse_is_flags(type))
        return parse_flag_list(parser, match, is_explicit, type);
    if ((type == TYPE_IFNAME || type == TYPE_IFINDEX) &&
        match->compare > COMPARE_NOT_EQUAL)
        return parse_fail(parser, &start, "expected '==' or '!=' before it");
    if (!parse_value_of(parser, field, &match->first, &match->last))
        return false;
    if (match->first != match->last) {
        if (match->compare > COMPARE_NOT_EQUAL)
            return parse_fail(parser, &start, "expected a single value");
        match->compare =
            match->compare == COMPARE_EQUAL ? COMPARE_WITHIN : COMPARE_OUTSIDE;
    }
    if (match->compare == COMPARE_EQUAL && match->mask == UINT32_MAX)
        note_value(parser, field, match->first);
    return add_match(parser, match);
}

/* `field & mask`. */
static bool parse_mask(struct parser *parser, uint8_t field, uint32_t *mask)
{
    enum rule_type type = parse_type_of(field);
    uint32_t last;

    if (parse_is_flags(type))
        return parse_flags(parser, type, mask);
    return parse_value_of(parser, field, mask, &last);
}

bool parse_match(struct parser *parser)
{
    struct rule_key key = {0};
    struct rule_match match = {.mask = UINT32_MAX};
    bool is_explicit;
    size_t count;

    if (!parse_key(parser, &key))
        return false;
    if (parse_accept(parser, "vmap"))
        return parse_lookup(parser, &key, STEP_VMAP, false);
    match.field = key.field[0];
    if (key.count == 1 && parse_accept(parser, "&") &&
        !parse_mask(parser, match.field, &match.mask))
        return false;
    if (parse_is_flags(parse_type_of(match.field)) &&
        parse_accept(parser, "!")) { /* none of them */
        match.compare = COMPARE_EQUAL;
        return parse_any_flag(parser, parse_type_of(match.field), &match.mask,
                              &count) &&
               add_match(parser, &match);
    }
    is_explicit = parse_operator(parser, &match.compare);
    if (match.compare <= COMPARE_NOT_EQUAL &&
        (parse_at(parser, "{") || parse_at(parser, "@"))) {
        struct token start = parser->token;

        if (match.mask != UINT32_MAX)
            return parse_fail(parser, &start, "expected a value");
        return parse_lookup(parser, &key, STEP_LOOKUP,
                            match.compare == COMPARE_NOT_EQUAL);
    }
    if (key.count > 1)
        return parse_fail(parser, &parser->token, "expected a set");
    return parse_scalar(parser, key.field[0], &match, is_explicit);
}
