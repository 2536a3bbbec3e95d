/* SPDX-License-Identifier: MIT */
/*
 * What rules do besides giving verdicts: limit, translate, and write the MSS
 * of a SYN.
 */
#include "net/filter/balance.h"
#include "net/filter/evaluate.h"

#include "net/hash.h"
#include "net/link/netif.h"
#include "net/platform.h"
#include "net/wire/checksum.h"
#include "net/wire/tcp.h"

/* Rising with every byte or packet, never above a burst. */
bool rule_limit_passes(struct rule_limit *limit, const struct rule_view *view)
{
    uint64_t now_ns = view->at->now_ns;
    uint64_t tokens = limit->tokens_ns + (now_ns - limit->last_ns);
    uint64_t cost = limit->unit_ns / limit->rate;

    if (limit->is_bytes)
        cost = limit->unit_ns / limit->rate >= UINT32_MAX
                   ? cost * packet_total_length(view->packet)
                   : limit->unit_ns / NS_PER_S * NS_PER_S / NS_PER_US *
                         packet_total_length(view->packet) * NS_PER_US /
                         limit->rate;
    if (tokens > limit->tokens_max_ns || now_ns < limit->last_ns)
        tokens = limit->tokens_max_ns;
    limit->last_ns = now_ns;
    if (tokens >= cost) {
        limit->tokens_ns = tokens - cost;
        return !limit->is_over;
    }
    limit->tokens_ns = tokens;
    return limit->is_over;
}

/* ---- translation -----------------------------------------------------------
 */

/* Only of backends: everybody may know it, and reloads must not change it. */
static const struct hash_key spread_key = {
    {UINT64_C(0x7370726561642062), UINT64_C(0x79206a6861736820)}};

static uint32_t hash_of(const struct rule_spread *spread,
                        const uint32_t words[KEY_WORDS_MAX])
{
    uint64_t wide[3] = {
        (uint64_t)words[0] << 32 | words[1],
        (uint64_t)words[2] << 32 | words[3],
        spread->seed,
    };

    return (uint32_t)hash_words(&spread_key, wide, 3);
}

static bool use_balancer(struct rule_nat *nat, const uint32_t *words,
                         struct nat_range *range)
{
    struct filter_backend *backend =
        balancer_choose(nat->spread.balancer, hash_of(&nat->spread, words));

    backend->flows++;
    if (nat->map_has_address)
        range->first = range->last = backend->address;
    if (nat->map_has_port)
        range->port_first = range->port_last = backend->port;
    return true;
}

static uint32_t next_number(struct rule_spread *spread)
{
    uint32_t number;

    if (spread->kind == SPREAD_ROUND)
        return spread->next++ % spread->modulus + spread->offset;
    platform_random(&number, sizeof(number));
    return number % spread->modulus + spread->offset;
}

static bool use_map(struct rule_nat *nat, const struct rule_view *view,
                    struct nat_range *range)
{
    const struct rule_key *key = &nat->key;
    uint32_t words[KEY_WORDS_MAX] = {0};
    const uint32_t *data;

    if (nat->spread.kind == SPREAD_HASH)
        key = &nat->spread.key;
    if (!rule_get_key(view, key, words))
        return false;
    if (nat->spread.kind == SPREAD_HASH)
        return use_balancer(nat, words, range);
    if (nat->spread.kind != SPREAD_NONE)
        words[0] = next_number(&nat->spread);
    data = rule_map_find(nat->map, words);
    if (data == NULL)
        return false;
    if (nat->map_has_address)
        range->first = range->last = *data++;
    if (nat->map_has_port)
        range->port_first = range->port_last = (uint16_t)*data;
    return true;
}

/* The address of ours that masquerade and redirect mean. */
static uint32_t own_address(const struct rule_nat *nat,
                            const struct rule_view *view)
{
    const struct netif *netif = view->packet->netif;

    if (nat->kind == NAT_MASQUERADE)
        netif = view->at->out;
    else if (view->at->hook == FILTER_OUTPUT)
        return 0x7f000001;
    return netif == NULL ? 0 : be32_get(netif->ip.address);
}

bool rule_translate(struct rule_nat *nat, struct rule_view *view,
                    enum filter_verdict *verdict)
{
    struct nat_range range = nat->range;
    enum nat_side side = nat->kind == NAT_DNAT || nat->kind == NAT_REDIRECT
                             ? NAT_DESTINATION
                             : NAT_SOURCE;
    struct flow *flow = view->packet->flow;

    *verdict = FILTER_DROP;
    /* A chain of translations that a filter jumped to. */
    if (!track_is_fresh(view->packet) || nat_is_settled(view->packet, side))
        return false;
    if (nat->map != NULL && !use_map(nat, view, &range))
        return false;
    if (nat->kind == NAT_MASQUERADE || nat->kind == NAT_REDIRECT) {
        range.first = range.last = own_address(nat, view);
        if (range.first == 0)
            return true;
    }
    if (nat->kind == NAT_MASQUERADE)
        flow->out = (uint8_t)(view->at->out->index + 1);
    *verdict = nat_settle(view->packet, side, &range, view->at->now_ns);
    return true;
}

/* ---- MSS -------------------------------------------------------------------
 */

static uint32_t route_mss(const struct rule_view *view)
{
    uint32_t mtu = UINT32_MAX;

    if (view->at->out != NULL)
        mtu = view->at->out->mtu;
    if (view->packet->netif != NULL && view->packet->netif->mtu < mtu)
        mtu = view->packet->netif->mtu;
    return mtu - IPV4_HEADER_LENGTH - TCP_HEADER_LENGTH;
}

static bool has_tcp_header(const struct rule_view *view)
{
    const struct tcp_header *tcp = (const void *)view->transport;

    return view->ip->protocol == FLOW_TCP && view->linear >= sizeof(*tcp) &&
           tcp_header_length(tcp) >= sizeof(*tcp) &&
           tcp_header_length(tcp) <= view->linear;
}

/* The place of the option's value, NULL: a SYN without one. */
static uint8_t *find_mss(const struct rule_view *view)
{
    struct tcp_header *tcp = (void *)view->transport;
    uint8_t *at = (uint8_t *)(tcp + 1);
    uint8_t *end = view->transport + tcp_header_length(tcp);

    while (at < end && *at != TCP_KIND_END) {
        if (*at == TCP_KIND_NOP) {
            at++;
        } else if (end - at < 2 || at[1] < 2 || at[1] > end - at) {
            return NULL;
        } else if (*at == TCP_KIND_MSS && at[1] == 4) {
            return at + 2;
        } else {
            at += at[1];
        }
    }
    return NULL;
}

/* The sum of words as they lie in the segment, one of them odd or not. */
static void replace(struct be16 *checksum, uint8_t *at, uint16_t value,
                    bool is_odd)
{
    uint16_t before = (uint16_t)(at[0] << 8 | at[1]);
    uint16_t after = value;

    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    if (is_odd) {
        before = (uint16_t)(before << 8 | before >> 8);
        after = (uint16_t)(after << 8 | after >> 8);
    }
    *checksum = checksum_update_16(*checksum, before, after);
}

/* As the kernel does: never raises what is announced. */
bool rule_set_mss(uint32_t mss, const struct rule_view *view)
{
    struct tcp_header *tcp = (void *)view->transport;
    uint8_t *at;

    if (!has_tcp_header(view))
        return false;
    at = find_mss(view);
    if (mss == 0)
        mss = route_mss(view);
    if (at == NULL || mss >= (uint32_t)(at[0] << 8 | at[1]))
        return true;
    if (view->packet->checksum == PACKET_CHECKSUM_PARTIAL) {
        at[0] = (uint8_t)(mss >> 8);
        at[1] = (uint8_t)mss;
    } else {
        replace(&tcp->checksum, at, (uint16_t)mss,
                ((at - view->transport) & 1) != 0);
    }
    return true;
}
