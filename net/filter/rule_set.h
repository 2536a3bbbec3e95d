/* SPDX-License-Identifier: MIT */
/*
 * A rule file in its compiled form: chains of rules, each a list of steps
 * that look at the packet or do something, and sets that are looked up in a
 * time that does not grow with their rules. All of it lies in one arena, and
 * goes with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/filter/filter.h"
#include "net/filter/nat.h"

/* What a rule may look at. Every value is a number in host order. */
enum rule_field {
    FIELD_NONE,
    FIELD_IP_VERSION,
    FIELD_IP_HDRLENGTH,
    FIELD_IP_DSCP,
    FIELD_IP_LENGTH,
    FIELD_IP_ID,
    FIELD_IP_FRAG_OFF,
    FIELD_IP_TTL,
    FIELD_IP_PROTOCOL,
    FIELD_IP_SADDR,
    FIELD_IP_DADDR,
    FIELD_SPORT,
    FIELD_DPORT,
    FIELD_TCP_SEQUENCE,
    FIELD_TCP_ACKSEQ,
    FIELD_TCP_FLAGS,
    FIELD_TCP_WINDOW,
    FIELD_UDP_LENGTH,
    FIELD_ICMP_TYPE,
    FIELD_ICMP_CODE,
    FIELD_ICMP_ID,
    FIELD_ICMP_SEQUENCE,
    FIELD_NFPROTO,
    FIELD_LENGTH,
    FIELD_IIF,
    FIELD_OIF,
    FIELD_IIFNAME,
    FIELD_OIFNAME,
    FIELD_CT_STATE,
    FIELD_CT_STATUS,
    FIELD_CT_DIRECTION,
    FIELD_COUNT,
};

/* How a value is written. */
enum rule_type {
    TYPE_NUMBER,
    TYPE_IPV4_ADDR,
    TYPE_INET_SERVICE,
    TYPE_INET_PROTO,
    TYPE_IFNAME, /* the number of a name of this rule set */
    TYPE_IFINDEX,
    TYPE_ICMP_TYPE,
    TYPE_ICMP_CODE,
    TYPE_TCP_FLAG,
    TYPE_CT_STATE,
    TYPE_CT_STATUS,
    TYPE_CT_DIRECTION,
    TYPE_NFPROTO,
    TYPE_DSCP,
    TYPE_VERDICT,
    TYPE_COUNT,
};

enum {
    NFPROTO_IPV4 = 2, /* linux/netfilter.h; what FIELD_NFPROTO always is */
};

enum {
    KEY_WORDS_MAX = 4, /* fields of a concatenation */
    DATA_WORDS_MAX = 2,
};

/* Where a rule may send the packet, beyond the verdicts of filter.h. */
enum rule_verdict {
    RULE_CONTINUE = FILTER_VERDICT_COUNT,
    RULE_RETURN,
    RULE_JUMP,
    RULE_GOTO,
};

struct rule_target {
    struct rule_chain *chain; /* JUMP, GOTO */
    unsigned verdict;         /* enum filter_verdict or rule_verdict */
};

struct rule_key {
    uint8_t count;
    uint8_t field[KEY_WORDS_MAX];
};

/* A set or a map. Elements are records of `stride` words: key, last key if it
 * is of intervals, then data. */
struct rule_map {
    struct rule_map *next;
    const char *name; /* NULL: anonymous */
    const struct rule_table *table;
    uint8_t key_count;
    uint8_t key_type[KEY_WORDS_MAX];
    uint8_t data_count; /* 0: a set */
    uint8_t data_type[DATA_WORDS_MAX];
    bool is_interval;
    bool merges;
    bool has_default;
    uint8_t stride;
    uint32_t count;
    uint32_t *elements;
    uint32_t *index; /* exact keys: places plus one, by hash */
    uint32_t index_mask;
    uint32_t default_data[DATA_WORDS_MAX];
};

enum rule_step_kind {
    STEP_MATCH,  /* (field & mask) compared with first (and last) */
    STEP_NAME,   /* an interface's name begins so: text */
    STEP_LOOKUP, /* key in map, or not */
    STEP_VMAP,   /* key in map: verdict */
    STEP_COUNTER,
    STEP_LIMIT,
    STEP_LOG,
    STEP_VERDICT,
    STEP_NAT,
    STEP_UNTRACK,
    STEP_MSS,
};

enum rule_compare {
    COMPARE_EQUAL,
    COMPARE_NOT_EQUAL,
    COMPARE_LESS,
    COMPARE_GREATER,
    COMPARE_NOT_GREATER,
    COMPARE_NOT_LESS,
    COMPARE_WITHIN,
    COMPARE_OUTSIDE,
};

struct rule_match {
    uint8_t field;
    uint8_t compare;
    uint32_t mask;
    uint32_t first;
    uint32_t last;
};

struct rule_name {
    const char *text;
    uint8_t field;
    bool is_not;
};

struct rule_lookup {
    struct rule_map *map;
    struct rule_key key;
    bool is_not;
};

struct rule_counter {
    uint64_t packets;
    uint64_t bytes;
};

/* A token bucket in nanoseconds, as the kernel keeps it. */
struct rule_limit {
    uint64_t unit_ns; /* of `rate` */
    uint64_t rate;    /* packets or bytes per unit */
    uint64_t tokens_max_ns;
    uint64_t tokens_ns;
    uint64_t last_ns;
    bool is_bytes;
    bool is_over;
};

struct rule_log {
    const char *prefix;
    uint8_t level; /* as syslog numbers them */
};

/* jhash or numgen: a number from 0 to modulus - 1. */
struct rule_spread {
    enum { SPREAD_NONE, SPREAD_HASH, SPREAD_ROUND, SPREAD_RANDOM } kind;
    struct rule_key key;
    uint32_t modulus;
    uint32_t offset;
    uint32_t seed;
    uint32_t next; /* SPREAD_ROUND */
    struct balancer *balancer;
};

enum rule_nat_kind {
    NAT_SNAT,
    NAT_DNAT,
    NAT_MASQUERADE,
    NAT_REDIRECT,
};

struct rule_nat {
    uint8_t kind;
    struct nat_range range;
    /* `to KEY map ...`: data is an address, a port, or both. */
    struct rule_map *map;
    struct rule_key key;
    struct rule_spread spread;
    bool map_has_address;
    bool map_has_port;
};

struct rule_step {
    struct rule_step *next;
    enum rule_step_kind kind;
    union {
        struct rule_match match;
        struct rule_name name;
        struct rule_lookup lookup; /* and VMAP */
        struct rule_counter counter;
        struct rule_limit limit;
        struct rule_log log;
        struct rule_target verdict;
        struct rule_nat nat;
        uint32_t mss; /* 0: what the route allows */
    };
};

struct rule {
    struct rule *next;
    struct rule_step *steps;
    uint32_t line;
    uint32_t start; /* of its text in the file, for people */
    uint32_t length;
};

enum rule_chain_type {
    CHAIN_REGULAR,
    CHAIN_FILTER,
    CHAIN_NAT,
};

struct rule_chain {
    struct rule_chain *next;
    const struct rule_table *table;
    const char *name;
    struct rule *rules;
    struct rule *last;
    enum rule_chain_type type;
    enum filter_hook hook;
    int32_t priority;
    bool is_defined; /* not only jumped to */
    bool policy_drop;
    /* Used while checking: the jumps above, and the base chains (a bit for each
     * hook, and again for those of nat) from which they come. */
    uint8_t depth;
    uint16_t comes_from;
    uint32_t line;
    uint32_t column;
    struct rule_counter policy; /* base chains: what reached the policy */
};

struct rule_table {
    struct rule_table *next;
    const char *name;
    bool is_inet;
};

/* What runs on one hook, in order: chains, tracking, translation. */
enum hook_step_kind {
    HOOK_CHAIN,
    HOOK_TRACK,
    HOOK_NAT,
    HOOK_CONFIRM,
};

struct hook_step {
    int32_t priority;
    enum hook_step_kind kind;
    struct rule_chain *chain; /* HOOK_CHAIN; HOOK_NAT: see nat_chains */
};

struct hook_program {
    /* Two more: translation, and tracking or its end. */
    struct hook_step steps[RULES_BASE_CHAINS_MAX + 2];
    size_t count;
    struct rule_chain *nat_chains[RULES_BASE_CHAINS_MAX];
    size_t nat_count;
    bool has_chains; /* besides those of translation */
    /* States (enum track_state) whose packets nobody but tracking and
     * translation wants to see, if they belong to a flow that is in the table:
     * each chain accepts them by the state alone and leaves no trace of having
     * done so. */
    uint8_t passes;
};

struct rule_set {
    uint8_t *low;  /* free memory: elements grow from here up */
    uint8_t *high; /* and all else from here down */
    const char *name;
    const char *text; /* a copy of the file */
    size_t text_length;
    struct rule_table *tables;
    struct rule_chain *chains;
    struct rule_chain *last_chain;
    struct rule_map *maps;
    struct balancer *balancers;
    const char *names[RULES_NAMES_MAX]; /* of interfaces */
    size_t name_count;
    size_t rule_count;
    /* The number of each interface's name, by index, plus one. */
    uint8_t name_of_netif[NETIF_MAX];
    struct hook_program hooks[FILTER_HOOK_COUNT];
    uint8_t passes_across; /* of both FORWARD and POSTROUTING */
    bool has_nat;
    bool has_base_chains;
};

/* Nodes; zeroed. NULL: the arena is full. */
void *rule_alloc(struct rule_set *set, size_t size) MUST_CHECK;
char *rule_copy_text(struct rule_set *set, const char *text,
                     size_t length) MUST_CHECK;

/* ---- maps ------------------------------------------------------------------
 */

/* The next record of a map being filled, not counted yet; NULL: no room. While
 * one map is being filled no other may be. */
uint32_t *rule_map_place(struct rule_set *set, struct rule_map *map) MUST_CHECK;

/* All records are there: makes them ready to be looked up. -ENOMEM, or
 * -EEXIST: two that overlap and must not. */
int rule_map_finish(struct rule_set *set, struct rule_map *map) MUST_CHECK;

/* The data of the key (any pointer for a set), NULL: not in it. */
const uint32_t *rule_map_find(const struct rule_map *map,
                              const uint32_t key[KEY_WORDS_MAX]);
void rule_map_init_key(void);

/* Data words of verdicts. */
uint32_t rule_pack_target(const struct rule_set *set,
                          const struct rule_target *target);
struct rule_target rule_unpack_target(const struct rule_set *set,
                                      uint32_t word);
