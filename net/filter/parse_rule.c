/* SPDX-License-Identifier: MIT */
/*
 * One rule: comparisons and statements, in the order they are to be done.
 */
#include "net/filter/parse.h"

#include <string.h>

enum {
    LOG_PREFIX_MAX = 127, /* nf_log.h: NF_LOG_PREFIXLEN */
};

/* ---- verdicts --------------------------------------------------------------
 */

static bool parse_jump(struct parser *parser, struct rule_target *target)
{
    struct token name = parser->token;

    if (name.kind != TOKEN_WORD)
        return parse_fail(parser, &name, "expected the name of a chain");
    target->chain = parse_chain_named(parser, &name);
    if (target->chain == NULL)
        return parse_no_room(parser);
    if (target->chain->line == 0) {
        target->chain->line = name.line;
        target->chain->column = name.column;
    }
    parse_next(parser);
    return true;
}

bool parse_verdict(struct parser *parser, struct rule_target *target,
                   bool *is_verdict)
{
    *target = (struct rule_target){0};
    *is_verdict = true;
    if (parse_accept(parser, "accept"))
        target->verdict = FILTER_ACCEPT;
    else if (parse_accept(parser, "drop"))
        target->verdict = FILTER_DROP;
    else if (parse_accept(parser, "continue"))
        target->verdict = RULE_CONTINUE;
    else if (parse_accept(parser, "return"))
        target->verdict = RULE_RETURN;
    else if (parse_accept(parser, "jump"))
        target->verdict = RULE_JUMP;
    else if (parse_accept(parser, "goto"))
        target->verdict = RULE_GOTO;
    else
        *is_verdict = false;
    if (*is_verdict &&
        (target->verdict == RULE_JUMP || target->verdict == RULE_GOTO))
        return parse_jump(parser, target);
    return true;
}

static const struct {
    const char *name;
    unsigned verdict;
    bool is_icmpx; /* not of ICMP itself, or of both */
    bool is_icmp;
} reject_kinds[] = {
    {"net-unreachable", FILTER_REJECT_NET_UNREACHABLE, false, true},
    {"host-unreachable", FILTER_REJECT_HOST_UNREACHABLE, true, true},
    {"prot-unreachable", FILTER_REJECT_PROTOCOL_UNREACHABLE, false, true},
    {"port-unreachable", FILTER_REJECT_PORT_UNREACHABLE, true, true},
    {"net-prohibited", FILTER_REJECT_NET_PROHIBITED, false, true},
    {"host-prohibited", FILTER_REJECT_HOST_PROHIBITED, false, true},
    {"admin-prohibited", FILTER_REJECT_ADMIN_PROHIBITED, true, true},
    {"no-route", FILTER_REJECT_NET_UNREACHABLE, true, false},
};

static bool parse_reject_kind(struct parser *parser, unsigned *verdict)
{
    struct token start = parser->token;
    bool is_icmpx = parse_at(parser, "icmpx");

    if (parse_accept(parser, "tcp")) {
        *verdict = FILTER_REJECT_TCP_RESET;
        return parse_expect(parser, "reset");
    }
    if (!parse_accept(parser, "icmp") && !parse_accept(parser, "icmpx"))
        return parse_fail(parser, &parser->token,
                          "expected 'icmp', 'icmpx' or 'tcp reset'");
    if (is_icmpx && !parser->chain->table->is_inet)
        return parse_fail(parser, &start, "expected 'icmp' in a table of ip");
    if (!is_icmpx && !parse_require_ip(parser, &start))
        return false;
    parse_accept(parser, "type");
    for (size_t i = 0; i < sizeof(reject_kinds) / sizeof(reject_kinds[0]);
         i++) {
        if (!(is_icmpx ? reject_kinds[i].is_icmpx : reject_kinds[i].is_icmp) ||
            !parse_accept(parser, reject_kinds[i].name))
            continue;
        *verdict = reject_kinds[i].verdict;
        return true;
    }
    return parse_fail(parser, &parser->token,
                      "expected a kind (port-unreachable, ...)");
}

/* A reset answers only TCP, so the rule must ask for it. */
static bool parse_reject(struct parser *parser)
{
    struct rule_target target = {NULL, FILTER_REJECT_PORT_UNREACHABLE};
    struct token start = parser->token;
    struct rule_step *step;

    if (parse_accept(parser, "with") &&
        !parse_reject_kind(parser, &target.verdict))
        return false;
    if (target.verdict == FILTER_REJECT_TCP_RESET &&
        !parse_require(parser, &start, FLOW_TCP))
        return false;
    step = parse_add_step(parser, STEP_VERDICT);
    if (step == NULL)
        return false;
    step->verdict = target;
    return true;
}

/* ---- statements ------------------------------------------------------------
 */

static bool parse_counter(struct parser *parser)
{
    struct rule_step *step = parse_add_step(parser, STEP_COUNTER);

    if (step == NULL)
        return false;
    if (parse_accept(parser, "packets") &&
        !(parse_number(parser, UINT64_MAX / 16, &step->counter.packets) &&
          parse_expect(parser, "bytes") &&
          parse_number(parser, UINT64_MAX / 16, &step->counter.bytes)))
        return false;
    return true;
}

static bool parse_unit_bytes(struct parser *parser, uint64_t *count)
{
    if (parse_accept(parser, "bytes"))
        return true;
    if (parse_accept(parser, "kbytes")) {
        *count <<= 10;
        return true;
    }
    if (parse_accept(parser, "mbytes")) {
        *count <<= 20;
        return true;
    }
    return false;
}

static bool parse_period(struct parser *parser, uint64_t *seconds)
{
    static const struct {
        const char *name;
        uint32_t seconds;
    } periods[] = {
        {"second", 1},  {"minute", 60},   {"hour", 3600},
        {"day", 86400}, {"week", 604800},
    };

    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
        if (parse_accept(parser, periods[i].name)) {
            *seconds = periods[i].seconds;
            return true;
        }
    return parse_fail(parser, &parser->token,
                      "expected 'second', 'minute', 'hour', 'day' or 'week'");
}

/* Tokens are nanoseconds of the period, as in the kernel: a packet costs one
 * rate-th of it. False: a number would not fit. */
static bool fill_limit(struct rule_limit *limit, uint64_t rate,
                       uint64_t seconds, uint64_t burst)
{
    limit->rate = rate;
    limit->unit_ns = seconds * NS_PER_S;
    if (limit->is_bytes)
        burst += rate;
    else if (burst == 0)
        burst = 5; /* packets; nft's default */
    if (burst > UINT64_MAX / limit->unit_ns)
        return false;
    limit->tokens_max_ns = limit->unit_ns * burst / rate;
    if (!limit->is_bytes)
        limit->tokens_max_ns = limit->unit_ns / rate * burst;
    limit->tokens_ns = limit->tokens_max_ns;
    return true;
}

static bool parse_limit(struct parser *parser)
{
    struct rule_step *step = parse_add_step(parser, STEP_LIMIT);
    struct token start;
    uint64_t rate;
    uint64_t seconds = 1;
    uint64_t burst = 0;

    if (step == NULL || !parse_expect(parser, "rate"))
        return false;
    step->limit.is_over = parse_accept(parser, "over");
    start = parser->token;
    if (!parse_number(parser, UINT32_MAX, &rate))
        return false;
    lexer_split(&parser->lexer, &parser->token);
    step->limit.is_bytes = parse_unit_bytes(parser, &rate);
    if (rate == 0)
        return parse_fail(parser, &start, "expected a rate above 0");
    if (!parse_expect(parser, "/") || !parse_period(parser, &seconds))
        return false;
    if (parse_accept(parser, "burst")) {
        if (!parse_number(parser, UINT32_MAX >> 4, &burst))
            return false;
        if (step->limit.is_bytes
                ? !parse_unit_bytes(parser, &burst)
                : burst == 0 || !parse_accept(parser, "packets"))
            return parse_fail(parser, &parser->token,
                              "expected the rate's unit");
    }
    return fill_limit(&step->limit, rate, seconds, burst) ||
           parse_fail(parser, &start, "expected a smaller rate");
}

static bool parse_level(struct parser *parser, uint8_t *level)
{
    static const char *const levels[] = {"emerg", "alert",  "crit", "err",
                                         "warn",  "notice", "info", "debug"};

    for (uint8_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (parse_accept(parser, levels[i])) {
            *level = i;
            return true;
        }
    return parse_fail(parser, &parser->token, "expected a level (info, ...)");
}

static bool parse_prefix(struct parser *parser, const char **prefix)
{
    struct token text = parser->token;

    if (text.length > LOG_PREFIX_MAX ||
        memchr(text.text, '$', text.length) != NULL)
        return parse_fail(parser, &text,
                          "expected at most 127 characters and no '$'");
    *prefix = parse_name(parser, "expected a text");
    return *prefix != NULL;
}

/* All is said anyway. */
static bool parse_log_flags(struct parser *parser)
{
    if (parse_accept(parser, "tcp")) {
        do {
            if (!parse_accept(parser, "sequence") &&
                !parse_expect(parser, "options"))
                return false;
        } while (parse_accept(parser, ","));
        return true;
    }
    if (parse_accept(parser, "ip"))
        return parse_expect(parser, "options");
    return parse_accept(parser, "skuid") || parse_accept(parser, "ether") ||
           parse_expect(parser, "all");
}

static bool parse_log(struct parser *parser)
{
    struct rule_step *step = parse_add_step(parser, STEP_LOG);
    bool has_level = false;
    bool has_group = false;
    uint64_t number;

    if (step == NULL)
        return false;
    step->log = (struct rule_log){"", 4};
    for (;;) {
        if (parse_accept(parser, "prefix")) {
            if (!parse_prefix(parser, &step->log.prefix))
                return false;
        } else if (parse_accept(parser, "level")) {
            has_level = true;
            if (!parse_level(parser, &step->log.level))
                return false;
        } else if (parse_accept(parser, "flags")) {
            if (!parse_log_flags(parser))
                return false;
        } else if (parse_accept(parser, "group")) {
            has_group = true;
            if (!parse_number(parser, 65535, &number))
                return false;
        } else {
            return !has_level || !has_group ||
                   parse_fail(parser, &parser->token,
                              "expected 'level' or 'group', not both");
        }
    }
}

/* tcp option maxseg size set NUMBER | rt mtu */
static bool parse_mss(struct parser *parser)
{
    struct rule_step *step;
    uint64_t size = 0;

    if (!parse_expect(parser, "maxseg") || !parse_expect(parser, "size") ||
        !parse_expect(parser, "set"))
        return false;
    if (parse_accept(parser, "rt")) {
        if (!parse_expect(parser, "mtu"))
            return false;
    } else if (!parse_number(parser, 65535, &size)) {
        return false;
    }
    step = parse_add_step(parser, STEP_MSS);
    if (step == NULL)
        return false;
    step->mss = (uint32_t)size;
    return true;
}

static bool is_tcp_option(const struct parser *parser)
{
    struct lexer ahead = parser->lexer;
    struct token token;

    if (!parse_at(parser, "tcp"))
        return false;
    token = lexer_next(&ahead);
    return token_is(&token, "option");
}

static bool is_end(const struct parser *parser)
{
    return parser->token.kind == TOKEN_LINE ||
           parser->token.kind == TOKEN_END || parse_at(parser, "}");
}

static bool parse_other(struct parser *parser)
{
    if (parse_accept(parser, "counter"))
        return parse_counter(parser);
    if (parse_accept(parser, "limit"))
        return parse_limit(parser);
    if (parse_accept(parser, "log"))
        return parse_log(parser);
    if (parse_accept(parser, "reject"))
        return parse_reject(parser);
    if (parse_accept(parser, "notrack"))
        return parse_add_step(parser, STEP_UNTRACK) != NULL;
    if (parse_accept(parser, "comment")) {
        if (parser->token.kind != TOKEN_TEXT &&
            parser->token.kind != TOKEN_WORD)
            return parse_fail(parser, &parser->token, "expected a text");
        parse_next(parser);
        return is_end(parser) ||
               parse_fail(parser, &parser->token,
                          "expected the comment at the end of the rule");
    }
    return parse_fail(parser, &parser->token,
                      "expected a match or a statement");
}

static bool parse_part(struct parser *parser)
{
    struct rule_target target;
    struct rule_step *step;
    bool is_verdict;

    if (is_tcp_option(parser)) {
        parse_next(parser);
        parse_next(parser);
        return parse_mss(parser);
    }
    if (parse_is_field(parser))
        return parse_match(parser);
    if (parse_is_nat(parser))
        return parse_nat(parser);
    if (!parse_verdict(parser, &target, &is_verdict))
        return false;
    if (!is_verdict)
        return parse_other(parser);
    step = parse_add_step(parser, STEP_VERDICT);
    if (step == NULL)
        return false;
    step->verdict = target;
    return true;
}

/* Behind these nothing is reached, and nft takes nothing. */
static bool is_terminal(const struct rule *rule)
{
    const struct rule_step *last = rule->steps;

    if (last == NULL)
        return false;
    while (last->next != NULL)
        last = last->next;
    return last->kind == STEP_NAT || (last->kind == STEP_VERDICT &&
                                      last->verdict.verdict != RULE_CONTINUE);
}

bool parse_rule(struct parser *parser)
{
    struct rule_chain *chain = parser->chain;
    struct rule *rule = rule_alloc(parser->set, sizeof(*rule));

    if (rule == NULL)
        return parse_no_room(parser);
    rule->line = parser->token.line;
    rule->start = (uint32_t)(parser->token.text - parser->set->text);
    parser->rule = rule;
    parser->step = &rule->steps;
    parser->protocol = 0;
    parser->is_ip = !chain->table->is_inet;
    parser->is_other = false;
    while (!is_end(parser)) {
        if (is_terminal(rule) && !parse_at(parser, "comment"))
            return parse_fail(parser, &parser->token,
                              "expected the end of the rule");
        if (!parse_part(parser))
            return false;
    }
    rule->length =
        (uint32_t)(parser->token.text - parser->set->text) - rule->start;
    if (chain->last == NULL)
        chain->rules = rule;
    else
        chain->last->next = rule;
    chain->last = rule;
    parser->set->rule_count++;
    return true;
}
