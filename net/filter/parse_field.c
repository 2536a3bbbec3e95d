/* SPDX-License-Identifier: MIT */
/*
 * What a rule looks at: `ip saddr`, `tcp dport`, `ct state`, `iifname`. A
 * field of a transport asks for its protocol first, unless the rule has.
 */
#include "net/filter/parse.h"

struct field {
    const char *header; /* "" for those of meta that may stand alone */
    const char *name;
    uint8_t field;
    uint8_t type;
    uint32_t max;
};

static const struct field fields[] = {
    {"ip", "version", FIELD_IP_VERSION, TYPE_NUMBER, 15},
    {"ip", "hdrlength", FIELD_IP_HDRLENGTH, TYPE_NUMBER, 15},
    {"ip", "dscp", FIELD_IP_DSCP, TYPE_DSCP, 63},
    {"ip", "length", FIELD_IP_LENGTH, TYPE_NUMBER, 65535},
    {"ip", "id", FIELD_IP_ID, TYPE_NUMBER, 65535},
    {"ip", "frag-off", FIELD_IP_FRAG_OFF, TYPE_NUMBER, 65535},
    {"ip", "ttl", FIELD_IP_TTL, TYPE_NUMBER, 255},
    {"ip", "protocol", FIELD_IP_PROTOCOL, TYPE_INET_PROTO, 255},
    {"ip", "saddr", FIELD_IP_SADDR, TYPE_IPV4_ADDR, UINT32_MAX},
    {"ip", "daddr", FIELD_IP_DADDR, TYPE_IPV4_ADDR, UINT32_MAX},
    {"tcp", "sport", FIELD_SPORT, TYPE_INET_SERVICE, 65535},
    {"tcp", "dport", FIELD_DPORT, TYPE_INET_SERVICE, 65535},
    {"tcp", "sequence", FIELD_TCP_SEQUENCE, TYPE_NUMBER, UINT32_MAX},
    {"tcp", "ackseq", FIELD_TCP_ACKSEQ, TYPE_NUMBER, UINT32_MAX},
    {"tcp", "flags", FIELD_TCP_FLAGS, TYPE_TCP_FLAG, 255},
    {"tcp", "window", FIELD_TCP_WINDOW, TYPE_NUMBER, 65535},
    {"udp", "sport", FIELD_SPORT, TYPE_INET_SERVICE, 65535},
    {"udp", "dport", FIELD_DPORT, TYPE_INET_SERVICE, 65535},
    {"udp", "length", FIELD_UDP_LENGTH, TYPE_NUMBER, 65535},
    {"th", "sport", FIELD_SPORT, TYPE_INET_SERVICE, 65535},
    {"th", "dport", FIELD_DPORT, TYPE_INET_SERVICE, 65535},
    {"icmp", "type", FIELD_ICMP_TYPE, TYPE_ICMP_TYPE, 255},
    {"icmp", "code", FIELD_ICMP_CODE, TYPE_ICMP_CODE, 255},
    {"icmp", "id", FIELD_ICMP_ID, TYPE_NUMBER, 65535},
    {"icmp", "sequence", FIELD_ICMP_SEQUENCE, TYPE_NUMBER, 65535},
    {"ct", "state", FIELD_CT_STATE, TYPE_CT_STATE, 255},
    {"ct", "status", FIELD_CT_STATUS, TYPE_CT_STATUS, 65535},
    {"ct", "direction", FIELD_CT_DIRECTION, TYPE_CT_DIRECTION, 1},
    {"meta", "nfproto", FIELD_NFPROTO, TYPE_NFPROTO, 255},
    {"meta", "l4proto", FIELD_IP_PROTOCOL, TYPE_INET_PROTO, 255},
    {"meta", "length", FIELD_LENGTH, TYPE_NUMBER, UINT32_MAX},
    {"meta", "iif", FIELD_IIF, TYPE_IFINDEX, 255},
    {"meta", "oif", FIELD_OIF, TYPE_IFINDEX, 255},
    {"meta", "iifname", FIELD_IIFNAME, TYPE_IFNAME, 255},
    {"meta", "oifname", FIELD_OIFNAME, TYPE_IFNAME, 255},
};

enum {
    FIELDS = sizeof(fields) / sizeof(fields[0]),
};

enum rule_type parse_type_of(uint8_t field)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].field == field)
            return fields[i].type;
    return TYPE_NUMBER;
}

uint32_t parse_width(uint8_t field)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].field == field)
            return fields[i].max;
    return UINT32_MAX;
}

/* iif, oif, iifname, oifname may do without `meta`. */
static const struct field *find_bare(const struct token *token)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].field >= FIELD_IIF && fields[i].field <= FIELD_OIFNAME &&
            token_is(token, fields[i].name))
            return &fields[i];
    return NULL;
}

static bool is_header(const struct token *token)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (token_is(token, fields[i].header))
            return true;
    return false;
}

bool parse_is_field(const struct parser *parser)
{
    return is_header(&parser->token) || find_bare(&parser->token) != NULL;
}

bool parse_require(struct parser *parser, const struct token *at,
                   uint8_t protocol)
{
    struct rule_step *step;

    if (parser->protocol == protocol)
        return true;
    if (parser->protocol != 0)
        return parse_fail(parser, at,
                          "expected no second protocol in one rule");
    step = parse_add_step(parser, STEP_MATCH);
    if (step == NULL)
        return false;
    step->match = (struct rule_match){FIELD_IP_PROTOCOL, COMPARE_EQUAL,
                                      UINT32_MAX, protocol, protocol};
    parser->protocol = protocol;
    return true;
}

bool parse_require_ip(struct parser *parser, const struct token *at)
{
    if (parser->is_other)
        return parse_fail(parser, at, "expected no second family in one rule");
    parser->is_ip = true;
    return true;
}

static bool require_header(struct parser *parser, const struct token *header)
{
    if ((token_is(header, "ip") || token_is(header, "icmp")) &&
        !parse_require_ip(parser, header))
        return false;
    if (token_is(header, "tcp"))
        return parse_require(parser, header, FLOW_TCP);
    if (token_is(header, "udp"))
        return parse_require(parser, header, FLOW_UDP);
    if (token_is(header, "icmp"))
        return parse_require(parser, header, FLOW_ICMP);
    return true;
}

bool parse_field(struct parser *parser, uint8_t *field)
{
    struct token header = parser->token;
    const struct field *bare = find_bare(&header);

    if (bare != NULL) {
        *field = bare->field;
        parse_next(parser);
        return true;
    }
    if (!is_header(&header))
        return parse_fail(parser, &header,
                          "expected a field (ip saddr, tcp dport, ...)");
    parse_next(parser);
    for (size_t i = 0; i < FIELDS; i++) {
        if (!token_is(&header, fields[i].header) ||
            !token_is(&parser->token, fields[i].name))
            continue;
        *field = fields[i].field;
        if (*field == FIELD_NFPROTO && !parser->chain->table->is_inet)
            return parse_fail(parser, &parser->token,
                              "expected a table of inet for this");
        parse_next(parser);
        return require_header(parser, &header);
    }
    return parse_fail(parser, &parser->token,
                      "expected a field that this header has");
}

bool parse_key(struct parser *parser, struct rule_key *key)
{
    key->count = 0;
    do {
        if (key->count == KEY_WORDS_MAX)
            return parse_fail(parser, &parser->token,
                              "expected at most four fields");
        if (!parse_field(parser, &key->field[key->count++]))
            return false;
    } while (parse_accept(parser, "."));
    return true;
}
