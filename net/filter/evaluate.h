/* SPDX-License-Identifier: MIT */
/*
 * Rules at work on a packet.
 */
#pragma once

#include "net/filter/rule_set.h"

/* A packet as rules see it. */
struct rule_view {
    struct packet *packet;
    const struct filter_context *at;
    struct rule_set *set;
    struct ipv4_header *ip;
    uint8_t *transport;
    size_t linear; /* bytes at `transport` */
};

void rule_view_init(struct rule_view *view, struct packet *packet,
                    const struct filter_context *at, struct rule_set *set);

/* The verdict of a base chain, its policy included. */
enum filter_verdict rule_run_chain(struct rule_view *view,
                                   struct rule_chain *chain);

/* Whether the chain accepts every packet of that state, and has nothing else to
 * do for it: no counter, no log, no field is asked but the state. */
bool rule_chain_passes(const struct rule_chain *chain,
                       const struct rule_set *set, unsigned state);

/* Of a packet that is not tracked: invalid. */
static inline uint32_t rule_ct_state(const struct rule_view *view)
{
    uint32_t state = view->packet->flow_state & ~(uint32_t)TRACK_IS_REPLY;

    return state == 0 ? TRACK_INVALID : state;
}

/* field.c: false: the packet has no such field. */
bool rule_field_get(const struct rule_view *view, uint8_t field,
                    uint32_t *value);
/* The interface of a field of interfaces; NULL: none at this hook. */
const struct netif *rule_netif(const struct rule_view *view, uint8_t field);

/* statement.c */
bool rule_limit_passes(struct rule_limit *limit, const struct rule_view *view);
void rule_log_packet(const struct rule_log *log, const struct rule_view *view);
/* False: no map element, the rule ends. */
bool rule_translate(struct rule_nat *nat, struct rule_view *view,
                    enum filter_verdict *verdict);
/* False: no TCP, the rule ends. */
bool rule_set_mss(uint32_t mss, const struct rule_view *view);
bool rule_get_key(const struct rule_view *view, const struct rule_key *key,
                  uint32_t words[KEY_WORDS_MAX]);
