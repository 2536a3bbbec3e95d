/* SPDX-License-Identifier: MIT */
/*
 * Translation statements: snat, dnat, masquerade, redirect, with addresses,
 * ports, ranges and maps; jhash and numgen spread over a map's values.
 */
#include "net/filter/balance.h"
#include "net/filter/parse.h"

#include <errno.h>

bool parse_is_nat(const struct parser *parser)
{
    return parse_at(parser, "snat") || parse_at(parser, "dnat") ||
           parse_at(parser, "masquerade") || parse_at(parser, "redirect");
}

static bool needs_transport(struct parser *parser, const struct token *at)
{
    if (parser->protocol == FLOW_TCP || parser->protocol == FLOW_UDP ||
        parser->protocol == UINT8_MAX)
        return true;
    return parse_fail(parser, at,
                      "expected a match of the transport protocol before "
                      "ports are translated");
}

/* What a map's values are, seen by the first: an address, a port, both. */
static void guess_data(const struct parser *parser, struct rule_map *shape,
                       bool has_address)
{
    shape->data_count = 1;
    shape->data_type[0] = has_address ? TYPE_IPV4_ADDR : TYPE_INET_SERVICE;
    if (has_address) {
        /* "{ KEY : 10.0.0.1 . 80": a dot after the first value. */
        struct lexer ahead = parser->lexer;
        struct token token = lexer_next(&ahead);

        while (token.kind != TOKEN_END && token.kind != TOKEN_BAD &&
               !token_is(&token, ":") && !token_is(&token, "}"))
            token = lexer_next(&ahead);
        do {
            token = lexer_next(&ahead);
        } while (token.kind == TOKEN_LINE);
        token = lexer_next(&ahead);
        if (token_is(&token, ".")) {
            shape->data_count = 2;
            shape->data_type[1] = TYPE_INET_SERVICE;
        }
    }
}

static bool adopt_map(struct parser *parser, struct rule_nat *nat,
                      const struct token *at, bool may_have_address)
{
    const struct rule_map *map = nat->map;

    nat->map_has_address =
        map->data_count > 0 && map->data_type[0] == TYPE_IPV4_ADDR;
    nat->map_has_port =
        map->data_count > 0 &&
        map->data_type[map->data_count - 1] == TYPE_INET_SERVICE;
    if (!nat->map_has_address && !nat->map_has_port)
        return parse_fail(parser, at, "expected a map of addresses or ports");
    if (!may_have_address && nat->map_has_address)
        return parse_fail(parser, at, "expected a map of ports");
    return !nat->map_has_port || needs_transport(parser, at);
}

static bool parse_data_map(struct parser *parser, struct rule_nat *nat,
                           struct rule_map *shape, bool may_have_address)
{
    struct token start = parser->token;

    if (parse_at(parser, "@")) {
        nat->map = parse_set_named(parser);
        if (nat->map != NULL && nat->map->key_count != shape->key_count) {
            parse_fail(parser, &start, "expected a map of as many fields");
            return false;
        }
    } else {
        guess_data(parser, shape, may_have_address);
        nat->map = parse_set_anonymous(
            parser, shape, nat->spread.kind == SPREAD_NONE ? &nat->key : NULL);
    }
    return nat->map != NULL && adopt_map(parser, nat, &start, may_have_address);
}

/* jhash FIELDS mod N [seed S] [offset O], numgen inc|random mod N. */
static bool parse_spread(struct parser *parser, struct rule_spread *spread)
{
    struct token start;
    uint64_t number;

    if (parse_accept(parser, "jhash")) {
        spread->kind = SPREAD_HASH;
        if (!parse_key(parser, &spread->key))
            return false;
    } else {
        parse_next(parser);
        spread->kind = parse_at(parser, "inc") ? SPREAD_ROUND : SPREAD_RANDOM;
        if (!parse_accept(parser, "inc") && !parse_expect(parser, "random"))
            return false;
    }
    if (!parse_expect(parser, "mod"))
        return false;
    start = parser->token;
    if (!parse_number(parser, UINT32_MAX, &number))
        return false;
    if (number == 0)
        return parse_fail(parser, &start, "expected a number above 0");
    spread->modulus = (uint32_t)number;
    if (spread->kind == SPREAD_HASH && parse_accept(parser, "seed")) {
        if (!parse_number(parser, UINT32_MAX, &number))
            return false;
        spread->seed = (uint32_t)number;
    }
    if (parse_accept(parser, "offset")) {
        if (!parse_number(parser, UINT32_MAX, &number))
            return false;
        spread->offset = (uint32_t)number;
    }
    return true;
}

static bool parse_mapped(struct parser *parser, struct rule_nat *nat,
                         bool may_have_address)
{
    struct rule_map shape = {0};
    struct token start = parser->token;
    int status;

    if (parse_at(parser, "jhash") || parse_at(parser, "numgen")) {
        if (!parse_spread(parser, &nat->spread))
            return false;
        shape.key_count = 1;
        shape.key_type[0] = TYPE_NUMBER;
    } else {
        if (!parse_key(parser, &nat->key))
            return false;
        shape.key_count = nat->key.count;
        for (size_t i = 0; i < nat->key.count; i++)
            shape.key_type[i] = (uint8_t)parse_type_of(nat->key.field[i]);
    }
    if (!parse_expect(parser, "map") ||
        !parse_data_map(parser, nat, &shape, may_have_address))
        return false;
    if (nat->spread.kind != SPREAD_HASH)
        return true;
    status = balancer_make(parser->set, nat);
    if (status == -ENOMEM)
        return parse_no_room(parser);
    return status == 0 ||
           parse_fail(parser, &start,
                      "expected a map of each number from 0 to below mod, "
                      "of at most 32 backends");
}

/* `:80`, `:80-90`, or `:FIELDS map { ... }`. */
static bool parse_ports(struct parser *parser, struct rule_nat *nat)
{
    struct token start = parser->token;
    uint32_t first;
    uint32_t last;

    if (!parse_accept(parser, ":"))
        return true;
    if (!needs_transport(parser, &start))
        return false;
    start = parser->token;
    if (parse_is_field(parser))
        return parse_mapped(parser, nat, false);
    if (!parse_value(parser, TYPE_INET_SERVICE, &first, &last))
        return false;
    if (first == 0)
        return parse_fail(parser, &start, "expected a port other than 0");
    nat->range.port_first = (uint16_t)first;
    nat->range.port_last = (uint16_t)last;
    return true;
}

static bool parse_target(struct parser *parser, struct rule_nat *nat)
{
    bool may_have_address = nat->kind == NAT_SNAT || nat->kind == NAT_DNAT;

    if (parse_is_field(parser) || parse_at(parser, "jhash") ||
        parse_at(parser, "numgen")) {
        if (!parse_mapped(parser, nat, may_have_address))
            return false;
    } else if (may_have_address && !parse_at(parser, ":")) {
        if (!parse_value(parser, TYPE_IPV4_ADDR, &nat->range.first,
                         &nat->range.last))
            return false;
    }
    return parse_ports(parser, nat);
}

static uint8_t kind_of(const struct token *token)
{
    if (token_is(token, "snat"))
        return NAT_SNAT;
    if (token_is(token, "dnat"))
        return NAT_DNAT;
    return token_is(token, "masquerade") ? NAT_MASQUERADE : NAT_REDIRECT;
}

/* `random,persistent`; the commas may be left out. */
static bool parse_nat_flags(struct parser *parser, struct nat_range *range)
{
    bool needs_one = false;

    for (;; needs_one = parse_accept(parser, ",")) {
        if (parse_accept(parser, "random") ||
            parse_accept(parser, "fully-random"))
            range->is_random = true;
        else if (parse_accept(parser, "persistent"))
            range->is_persistent = true;
        else
            return !needs_one || parse_expect(parser, "random");
    }
}

/* `to ...`, of a statement that says `ip` or not. */
static bool parse_to(struct parser *parser, struct rule_nat *nat,
                     const struct token *at, bool says_ip)
{
    bool takes_address = nat->kind == NAT_SNAT || nat->kind == NAT_DNAT;
    bool is_ip = says_ip || parser->is_ip;

    if (!parse_accept(parser, "to"))
        return !takes_address || parse_expect(parser, "to");
    if (takes_address && !parse_at(parser, ":")) {
        if (!is_ip)
            return parse_fail(parser, at,
                              "expected 'ip' behind it in a table of inet");
    } else if (says_ip) {
        return parse_fail(parser, &parser->token, "expected an address");
    }
    return parse_target(parser, nat);
}

bool parse_nat(struct parser *parser)
{
    struct rule_nat nat = {.kind = kind_of(&parser->token)};
    struct token start = parser->token;
    struct rule_step *step;
    bool says_ip, says_both;

    parse_next(parser);
    says_ip = (nat.kind == NAT_SNAT || nat.kind == NAT_DNAT) &&
              parse_accept(parser, "ip");
    if (says_ip && !parse_require_ip(parser, &start))
        return false;
    says_both = says_ip && parse_accept(parser, "addr");
    if (says_both &&
        !(parse_expect(parser, ".") && parse_expect(parser, "port")))
        return false;
    if (!parse_to(parser, &nat, &start, says_ip))
        return false;
    if (says_both && !(nat.map_has_address && nat.map_has_port))
        return parse_fail(parser, &start,
                          "expected a map of addresses and ports");
    if (!parse_nat_flags(parser, &nat.range))
        return false;
    parser->set->has_nat = true;
    step = parse_add_step(parser, STEP_NAT);
    if (step == NULL)
        return false;
    step->nat = nat;
    return true;
}
