/* SPDX-License-Identifier: MIT */
/*
 * Values of a rule file by their type: symbols, numbers, addresses, prefixes
 * and ranges.
 */
#include "net/filter/parse.h"

#include "net/link/netif.h"
#include "net/wire/icmp.h"
#include "net/wire/tcp.h"

#include <string.h>

struct symbol {
    const char *name;
    uint32_t value;
};

static const struct symbol protocols[] = {
    {"icmp", 1},   {"igmp", 2},       {"tcp", 6},     {"udp", 17},
    {"gre", 47},   {"esp", 50},       {"ah", 51},     {"ospf", 89},
    {"sctp", 132}, {"udplite", 136},  {"dccp", 33},   {"comp", 108},
    {"ipv6", 41},  {"ipv6-icmp", 58}, {"icmpv6", 58},
};

static const struct symbol services[] = {
    {"ftp", 21},     {"ssh", 22},          {"telnet", 23},
    {"smtp", 25},    {"domain", 53},       {"bootps", 67},
    {"bootpc", 68},  {"tftp", 69},         {"http", 80},
    {"pop3", 110},   {"sunrpc", 111},      {"ntp", 123},
    {"imap2", 143},  {"snmp", 161},        {"ldap", 389},
    {"https", 443},  {"submission", 587},  {"syslog", 514},
    {"imaps", 993},  {"pop3s", 995},       {"openvpn", 1194},
    {"mysql", 3306}, {"postgresql", 5432}, {"http-alt", 8080},
};

static const struct symbol icmp_types[] = {
    {"echo-reply", ICMP_ECHO_REPLY},
    {"destination-unreachable", ICMP_DESTINATION_UNREACHABLE},
    {"source-quench", ICMP_SOURCE_QUENCH},
    {"redirect", ICMP_REDIRECT},
    {"echo-request", ICMP_ECHO_REQUEST},
    {"router-advertisement", 9},
    {"router-solicitation", 10},
    {"time-exceeded", ICMP_TIME_EXCEEDED},
    {"parameter-problem", ICMP_PARAMETER_PROBLEM},
    {"timestamp-request", ICMP_TIMESTAMP},
    {"timestamp-reply", ICMP_TIMESTAMP_REPLY},
    {"info-request", ICMP_INFORMATION},
    {"info-reply", ICMP_INFORMATION_REPLY},
    {"address-mask-request", ICMP_ADDRESS_MASK},
    {"address-mask-reply", ICMP_ADDRESS_MASK_REPLY},
};

static const struct symbol icmp_codes[] = {
    {"net-unreachable", ICMP_NET_UNREACHABLE},
    {"host-unreachable", ICMP_HOST_UNREACHABLE},
    {"prot-unreachable", ICMP_PROTOCOL_UNREACHABLE},
    {"port-unreachable", ICMP_PORT_UNREACHABLE},
    {"frag-needed", ICMP_FRAGMENTATION_NEEDED},
    {"net-prohibited", ICMP_NET_PROHIBITED},
    {"host-prohibited", ICMP_HOST_PROHIBITED},
    {"admin-prohibited", ICMP_PROHIBITED},
};

static const struct symbol tcp_flags[] = {
    {"fin", TCP_FIN}, {"syn", TCP_SYN}, {"rst", TCP_RST}, {"psh", TCP_PSH},
    {"ack", TCP_ACK}, {"urg", TCP_URG}, {"ecn", TCP_ECE}, {"cwr", TCP_CWR},
};

static const struct symbol ct_states[] = {
    {"invalid", TRACK_INVALID},     {"established", TRACK_ESTABLISHED},
    {"related", TRACK_RELATED},     {"new", TRACK_NEW},
    {"untracked", TRACK_UNTRACKED},
};

static const struct symbol ct_statuses[] = {
    {"expected", 1},           {"seen-reply", FLOW_SEEN_REPLY},
    {"assured", FLOW_ASSURED}, {"confirmed", FLOW_CONFIRMED},
    {"snat", FLOW_SOURCE_NAT}, {"dnat", FLOW_DESTINATION_NAT},
};

static const struct symbol ct_directions[] = {
    {"original", 0},
    {"reply", 1},
};

static const struct symbol families[] = {
    {"ipv4", 2},
    {"ipv6", 10},
};

static const struct symbol dscps[] = {
    {"cs0", 0},   {"cs1", 8},   {"cs2", 16},  {"cs3", 24},  {"cs4", 32},
    {"cs5", 40},  {"cs6", 48},  {"cs7", 56},  {"be", 0},    {"df", 0},
    {"lephb", 1}, {"ef", 46},   {"va", 44},   {"af11", 10}, {"af12", 12},
    {"af13", 14}, {"af21", 18}, {"af22", 20}, {"af23", 22}, {"af31", 26},
    {"af32", 28}, {"af33", 30}, {"af41", 34}, {"af42", 36}, {"af43", 38},
};

struct type {
    const struct symbol *symbols;
    size_t count;
    uint32_t max;
    const char *expected;
};

#define SYMBOLS(table) (table), sizeof(table) / sizeof((table)[0])

static const struct type types[TYPE_COUNT] = {
    [TYPE_NUMBER] = {NULL, 0, UINT32_MAX, "expected a number"},
    [TYPE_IPV4_ADDR] = {NULL, 0, UINT32_MAX, "expected an IPv4 address"},
    [TYPE_INET_SERVICE] = {SYMBOLS(services), 65535,
                           "expected a port (0 to 65535) or a service"},
    [TYPE_INET_PROTO] = {SYMBOLS(protocols), 255, "expected a protocol"},
    [TYPE_IFNAME] = {NULL, 0, 0, "expected an interface's name"},
    [TYPE_IFINDEX] = {NULL, 0, 0, "expected an interface's name"},
    [TYPE_ICMP_TYPE] = {SYMBOLS(icmp_types), 255, "expected an ICMP type"},
    [TYPE_ICMP_CODE] = {SYMBOLS(icmp_codes), 255, "expected an ICMP code"},
    [TYPE_TCP_FLAG] = {SYMBOLS(tcp_flags), 255, "expected a TCP flag"},
    [TYPE_CT_STATE] = {SYMBOLS(ct_states), 255,
                       "expected a state (new, established, related, "
                       "invalid, untracked)"},
    [TYPE_CT_STATUS] = {SYMBOLS(ct_statuses), 65535, "expected a status"},
    [TYPE_CT_DIRECTION] = {SYMBOLS(ct_directions), 1,
                           "expected 'original' or 'reply'"},
    [TYPE_NFPROTO] = {SYMBOLS(families), 255, "expected 'ipv4' or 'ipv6'"},
    [TYPE_DSCP] = {SYMBOLS(dscps), 63, "expected a DSCP (0 to 63)"},
};

bool parse_is_flags(enum rule_type type)
{
    return type == TYPE_TCP_FLAG || type == TYPE_CT_STATE ||
           type == TYPE_CT_STATUS;
}

static bool find_symbol(const struct type *type, const struct token *token,
                        uint32_t *value)
{
    for (size_t i = 0; i < type->count; i++) {
        if (!token_is(token, type->symbols[i].name))
            continue;
        *value = type->symbols[i].value;
        return true;
    }
    return false;
}

/* Which nft reads as an octal number. */
static bool has_leading_zero(const struct token *token)
{
    for (size_t i = 0; i + 1 < token->length; i++)
        if (token->text[i] == '0' && token->text[i + 1] != '.' &&
            (i == 0 || token->text[i - 1] == '.'))
            return true;
    return false;
}

static bool parse_address(struct parser *parser, uint32_t *value)
{
    struct token token = parser->token;
    struct be32 address;

    if (token.kind != TOKEN_NUMBER || has_leading_zero(&token) ||
        !ipv4_parse(token.text, token.length, &address))
        return parse_fail(parser, &token, types[TYPE_IPV4_ADDR].expected);
    *value = be32_get(address);
    parse_next(parser);
    return true;
}

/* What begins the next part of a rule: the name was left out. */
static bool is_reserved(const struct token *token)
{
    static const char *const words[] = {"accept", "drop",  "counter", "jump",
                                        "goto",   "limit", "log",     "return"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (token->kind == TOKEN_WORD && token_is(token, words[i]))
            return true;
    return false;
}

/* The number of a name, given out as they come. */
static bool parse_interface(struct parser *parser, uint32_t *value)
{
    struct rule_set *set = parser->set;
    struct token token = parser->token;
    const char *name;

    if (token.length >= NETIF_NAME_SIZE)
        return parse_fail(parser, &token, "expected a shorter name");
    if (token.length == 0 || is_reserved(&token))
        return parse_fail(parser, &token, types[TYPE_IFNAME].expected);
    if (token.text[token.length - 1] == '*')
        return parse_fail(parser, &token, "expected a name without '*'");
    name = parse_name(parser, types[TYPE_IFNAME].expected);
    if (name == NULL)
        return false;
    for (*value = 0; *value < set->name_count; ++*value)
        if (strcmp(set->names[*value], name) == 0)
            return true;
    if (set->name_count == RULES_NAMES_MAX)
        return parse_fail(parser, &token, "too many names of interfaces");
    set->names[set->name_count++] = name;
    return true;
}

static bool parse_one(struct parser *parser, enum rule_type kind,
                      uint32_t *value)
{
    const struct type *type = &types[kind];
    uint64_t number;

    if (kind == TYPE_IPV4_ADDR)
        return parse_address(parser, value);
    if (kind == TYPE_IFNAME || kind == TYPE_IFINDEX)
        return parse_interface(parser, value);
    if (find_symbol(type, &parser->token, value)) {
        parse_next(parser);
        return true;
    }
    if (parser->token.kind != TOKEN_NUMBER)
        return parse_fail(parser, &parser->token, type->expected);
    if (!parse_number(parser, type->max, &number))
        return false;
    *value = (uint32_t)number;
    return true;
}

bool parse_value(struct parser *parser, enum rule_type type, uint32_t *first,
                 uint32_t *last)
{
    struct token start = parser->token;
    uint64_t length;

    if (!parse_one(parser, type, first))
        return false;
    *last = *first;
    if (type == TYPE_IPV4_ADDR && parse_accept(parser, "/")) {
        uint32_t mask;

        if (!parse_number(parser, 32, &length))
            return false;
        mask = be32_get(ipv4_netmask((unsigned)length));
        *first &= mask;
        *last = *first | ~mask;
        return true;
    }
    if (type == TYPE_IFNAME || type == TYPE_IFINDEX ||
        !parse_accept(parser, "-"))
        return true;
    if (!parse_one(parser, type, last))
        return false;
    if (*last < *first)
        return parse_fail(parser, &start, "expected a range that grows");
    return true;
}

bool parse_value_of(struct parser *parser, uint8_t field, uint32_t *first,
                    uint32_t *last)
{
    enum rule_type type = parse_type_of(field);
    struct token start = parser->token;

    if (!parse_value(parser, type, first, last))
        return false;
    return type == TYPE_IFNAME || type == TYPE_IFINDEX ||
           *last <= parse_width(field) ||
           parse_fail(parser, &start, "expected a smaller number");
}

/* a|b, (a|b), or a single one. */
bool parse_flags(struct parser *parser, enum rule_type type, uint32_t *value)
{
    bool has_parenthesis = parse_accept(parser, "(");

    *value = 0;
    do {
        uint32_t flag;

        if (!parse_one(parser, type, &flag))
            return false;
        *value |= flag;
    } while (parse_accept(parser, "|"));
    return !has_parenthesis || parse_expect(parser, ")");
}
