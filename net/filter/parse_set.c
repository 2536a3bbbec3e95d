/* SPDX-License-Identifier: MIT */
/*
 * Sets and maps of a rule file, named and anonymous. Timeouts, sets that rules
 * add to, and ranges within concatenations are left out.
 */
#include "net/filter/parse.h"

#include <errno.h>
#include <string.h>

static void set_stride(struct rule_map *map)
{
    map->stride = (uint8_t)(map->key_count + (map->is_interval ? 1 : 0) +
                            map->data_count);
}

/* ---- types -----------------------------------------------------------------
 */

static const struct {
    const char *name;
    uint8_t type;
} type_names[] = {
    {"ipv4_addr", TYPE_IPV4_ADDR},   {"inet_service", TYPE_INET_SERVICE},
    {"inet_proto", TYPE_INET_PROTO}, {"ifname", TYPE_IFNAME},
    {"iface_index", TYPE_IFINDEX},   {"icmp_type", TYPE_ICMP_TYPE},
    {"icmp_code", TYPE_ICMP_CODE},   {"tcp_flag", TYPE_TCP_FLAG},
    {"ct_state", TYPE_CT_STATE},     {"ct_status", TYPE_CT_STATUS},
    {"ct_dir", TYPE_CT_DIRECTION},   {"dscp", TYPE_DSCP},
    {"nf_proto", TYPE_NFPROTO},
};

static bool parse_type(struct parser *parser, uint8_t *type)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (parse_accept(parser, type_names[i].name)) {
            *type = type_names[i].type;
            return true;
        }
    }
    return parse_fail(parser, &parser->token,
                      "expected a type (ipv4_addr, inet_service, ...)");
}

static bool parse_types(struct parser *parser, struct rule_map *map,
                        bool is_map)
{
    do {
        if (map->key_count == KEY_WORDS_MAX)
            return parse_fail(parser, &parser->token,
                              "expected at most four types");
        if (!parse_type(parser, &map->key_type[map->key_count++]))
            return false;
    } while (parse_accept(parser, "."));
    if (!is_map)
        return true;
    if (!parse_expect(parser, ":"))
        return false;
    if (parse_accept(parser, "verdict")) {
        map->data_count = 1;
        map->data_type[0] = TYPE_VERDICT;
        return true;
    }
    do {
        if (map->data_count == DATA_WORDS_MAX)
            return parse_fail(parser, &parser->token,
                              "expected at most two types");
        if (!parse_type(parser, &map->data_type[map->data_count++]))
            return false;
    } while (parse_accept(parser, "."));
    return true;
}

/* ---- elements --------------------------------------------------------------
 */

static bool parse_key_words(struct parser *parser, struct rule_map *map,
                            uint32_t *words)
{
    for (size_t i = 0; i < map->key_count; i++) {
        enum rule_type type = map->key_type[i];
        struct token start;
        uint32_t last;

        if (i > 0 && !parse_expect(parser, "."))
            return false;
        start = parser->token;
        if (parse_is_flags(type)) {
            if (!parse_flags(parser, type, &words[i]))
                return false;
            last = words[i];
        } else if (parser->key != NULL
                       ? !parse_value_of(parser, parser->key->field[i],
                                         &words[i], &last)
                       : !parse_value(parser, type, &words[i], &last)) {
            return false;
        }
        if (map->is_interval)
            words[1] = last;
        else if (last != words[i])
            return parse_fail(parser, &start,
                              map->key_count > 1
                                  ? "expected no ranges in a concatenation"
                                  : "expected a single value (the set lacks "
                                    "'flags interval')");
    }
    return true;
}

static bool parse_data(struct parser *parser, struct rule_map *map,
                       uint32_t *words)
{
    if (map->data_count == 0)
        return true;
    if (!parse_expect(parser, ":"))
        return false;
    if (map->data_type[0] == TYPE_VERDICT) {
        struct rule_target target;
        struct token start = parser->token;
        bool is_verdict;

        if (!parse_verdict(parser, &target, &is_verdict))
            return false;
        if (!is_verdict)
            return parse_fail(parser, &start, "expected a verdict");
        words[0] = rule_pack_target(parser->set, &target);
        return true;
    }
    for (size_t i = 0; i < map->data_count; i++) {
        struct token start = parser->token;
        uint32_t last;

        if (i > 0 && !parse_expect(parser, "."))
            return false;
        if (!parse_value(parser, map->data_type[i], &words[i], &last))
            return false;
        if (last != words[i])
            return parse_fail(parser, &start, "expected a single value");
    }
    return true;
}

static bool parse_elements(struct parser *parser, struct rule_map *map);

static bool parse_element(struct parser *parser, struct rule_map *map)
{
    uint32_t *words;

    if (parse_at(parser, "{")) /* a definition with braces of its own */
        return parse_elements(parser, map);
    if (parse_accept(parser, "*")) {
        map->has_default = true;
        return parse_data(parser, map, map->default_data);
    }
    words = rule_map_place(parser->set, map);
    if (words == NULL)
        return parse_no_room(parser);
    if (!parse_key_words(parser, map, words))
        return false;
    if (parse_accept(parser, "comment"))
        parse_next(parser);
    if (!parse_data(parser, map,
                    words + map->key_count + (map->is_interval ? 1 : 0)))
        return false;
    map->count++;
    return true;
}

static void skip_newlines(struct parser *parser)
{
    while (parser->token.kind == TOKEN_LINE && *parser->token.text == '\n')
        parse_next(parser);
}

/* Commas between, one may follow; lines may end anywhere. */
static bool parse_elements(struct parser *parser, struct rule_map *map)
{
    if (parser->depth == RULES_DEPTH_MAX)
        return parse_fail(parser, &parser->token, "expected fewer braces");
    parser->depth++;
    if (!parse_expect(parser, "{"))
        return false;
    for (;;) {
        skip_newlines(parser);
        if (parse_at(parser, "}"))
            break;
        if (!parse_element(parser, map))
            return false;
        skip_newlines(parser);
        if (parse_at(parser, "}"))
            break;
        if (!parse_accept(parser, ","))
            return parse_fail(parser, &parser->token, "expected ',' or '}'");
    }
    parser->depth--;
    parse_next(parser);
    return true;
}

static bool finish(struct parser *parser, struct rule_map *map,
                   const struct token *start)
{
    int status = rule_map_finish(parser->set, map);

    if (status == -ENOMEM)
        return parse_no_room(parser);
    if (status != 0)
        return parse_fail(parser, start,
                          "expected elements that do not overlap in the set");
    return true;
}

/* ---- named -----------------------------------------------------------------
 */

static struct rule_map *find(const struct parser *parser,
                             const struct token *name)
{
    for (struct rule_map *m = parser->set->maps; m != NULL; m = m->next)
        if (m->table == parser->table && token_is(name, m->name))
            return m;
    return NULL;
}

struct rule_map *parse_set_named(struct parser *parser)
{
    struct rule_map *map;

    parse_next(parser); /* the '@' */
    map = find(parser, &parser->token);
    if (map == NULL) {
        parse_fail(parser, &parser->token,
                   "expected a set or map that stands above");
        return NULL;
    }
    parse_next(parser);
    return map;
}

static bool parse_set_flags(struct parser *parser, struct rule_map *map)
{
    struct token start = parser->token;

    if (map->count != 0)
        return parse_fail(parser, &parser->token,
                          "expected 'flags' before 'elements'");
    do {
        if (parse_accept(parser, "interval"))
            map->is_interval = true;
        else if (!parse_accept(parser, "constant"))
            return parse_fail(parser, &parser->token,
                              "expected 'interval' or 'constant'");
    } while (parse_accept(parser, ","));
    if (map->is_interval && map->key_count > 1)
        return parse_fail(parser, &start,
                          "expected no intervals in a concatenation");
    set_stride(map);
    return true;
}

static bool parse_set_item(struct parser *parser, struct rule_map *map,
                           bool is_map)
{
    struct token start = parser->token;
    uint64_t number;

    if (parse_accept(parser, "type")) {
        if (map->key_count != 0)
            return parse_fail(parser, &start, "expected one 'type'");
        if (!parse_types(parser, map, is_map))
            return false;
        set_stride(map);
        return true;
    }
    if (!is_map && parse_accept(parser, "auto-merge")) {
        map->merges = true;
        return true;
    }
    if (parse_accept(parser, "size"))
        return parse_number(parser, UINT32_MAX, &number);
    if (parse_accept(parser, "policy") || parse_accept(parser, "comment")) {
        parse_next(parser);
        return true;
    }
    if (map->key_count == 0)
        return parse_fail(parser, &start, "expected 'type' first");
    if (parse_accept(parser, "flags"))
        return parse_set_flags(parser, map);
    if (parse_accept(parser, "elements"))
        return parse_expect(parser, "=") && parse_elements(parser, map) &&
               finish(parser, map, &start);
    return parse_fail(parser, &start,
                      "expected 'type', 'flags', 'elements' or 'auto-merge'");
}

bool parse_set_block(struct parser *parser, bool is_map)
{
    struct token start = parser->token;
    struct rule_map *map = rule_alloc(parser->set, sizeof(*map));

    if (map == NULL)
        return parse_no_room(parser);
    if (find(parser, &start) != NULL)
        return parse_fail(parser, &start, "expected a new name");
    map->name = parse_name(parser, "expected the name of the set");
    map->table = parser->table;
    if (map->name == NULL || !parse_expect(parser, "{"))
        return false;
    map->next = parser->set->maps;
    parser->set->maps = map;
    for (;;) {
        parse_skip_lines(parser);
        if (parse_accept(parser, "}"))
            break;
        if (!parse_set_item(parser, map, is_map))
            return false;
        if (parser->token.kind != TOKEN_LINE && !parse_at(parser, "}"))
            return parse_fail(parser, &parser->token,
                              "expected the end of the statement");
    }
    if (map->key_count == 0)
        return parse_fail(parser, &start, "expected a 'type' in the set");
    return !map->merges || map->is_interval ||
           parse_fail(parser, &start,
                      "expected 'flags interval' for 'auto-merge'");
}

/* ---- anonymous -------------------------------------------------------------
 */

/* Without a single range it needs no intervals. */
static void make_exact(struct rule_map *map)
{
    size_t stride = map->stride;
    size_t kept = stride - 1;

    for (size_t i = 0; i < map->count; i++)
        if (map->elements[i * stride] != map->elements[i * stride + 1])
            return;
    for (size_t i = 0; i < map->count; i++) {
        uint32_t *to = map->elements + i * kept;
        const uint32_t *from = map->elements + i * stride;
        uint32_t first = from[0];

        memmove(to + 1, from + 2, (kept - 1) * sizeof(*to));
        to[0] = first;
    }
    map->is_interval = false;
    map->stride = (uint8_t)kept;
}

struct rule_map *parse_set_anonymous(struct parser *parser,
                                     const struct rule_map *shape,
                                     const struct rule_key *key)
{
    bool is_good;
    struct token start = parser->token;
    struct rule_map *map = rule_alloc(parser->set, sizeof(*map));

    if (map == NULL) {
        parse_no_room(parser);
        return NULL;
    }
    *map = *shape;
    map->table = parser->table;
    map->merges = true;
    map->is_interval = map->key_count == 1;
    set_stride(map);
    parser->key = key;
    is_good = parse_elements(parser, map);
    parser->key = NULL;
    if (!is_good)
        return NULL;
    if (map->count == 0 && !map->has_default) {
        parse_fail(parser, &start, "expected at least one element");
        return NULL;
    }
    if (map->is_interval && map->count != 0)
        make_exact(map);
    return finish(parser, map, &start) ? map : NULL;
}
