/* SPDX-License-Identifier: MIT */
/*
 * The order of things on a hook: chains by priority, tracking at -200,
 * destination translation at -100, source translation at 100, and last the
 * flow's entry into the table. Of one priority the last in the file comes
 * first, as Linux registers them: translation with its first chain, tracking
 * with the first rule, behind all chains. All of it is one list, made when a
 * file is loaded.
 */
#include "net/filter/engine.h"

#include "net/attributes.h"
#include "net/filter/evaluate.h"
#include "net/link/netif.h"
#include "net/wire/dhcp.h"
#include "net/wire/udp.h"

#include <errno.h>

static void insert(struct hook_program *program, struct hook_step step)
{
    size_t at = program->count++;

    for (; at > 0 && program->steps[at - 1].priority >= step.priority; at--)
        program->steps[at] = program->steps[at - 1];
    program->steps[at] = step;
}

static void insert_nat(struct hook_program *program, struct rule_chain *chain)
{
    size_t at = program->nat_count++;

    for (; at > 0 && program->nat_chains[at - 1]->priority >= chain->priority;
         at--)
        program->nat_chains[at] = program->nat_chains[at - 1];
    program->nat_chains[at] = chain;
}

static bool is_entry(enum filter_hook hook)
{
    return hook == FILTER_PREROUTING || hook == FILTER_OUTPUT;
}

static void add_translation(struct rule_set *set)
{
    for (unsigned hook = 0; hook < FILTER_HOOK_COUNT; hook++)
        if (hook != FILTER_FORWARD)
            insert(&set->hooks[hook],
                   (struct hook_step){is_entry(hook)
                                          ? FILTER_PRIORITY_DESTINATION
                                          : FILTER_PRIORITY_SOURCE,
                                      HOOK_NAT, NULL});
}

static void add_tracking(struct rule_set *set)
{
    for (unsigned hook = 0; hook < FILTER_HOOK_COUNT; hook++)
        if (hook != FILTER_FORWARD)
            insert(&set->hooks[hook],
                   is_entry(hook) ? (struct hook_step){FILTER_PRIORITY_TRACK,
                                                       HOOK_TRACK, NULL}
                                  : (struct hook_step){FILTER_PRIORITY_CONFIRM,
                                                       HOOK_CONFIRM, NULL});
}

static void look_ahead(const struct rule_set *set, struct hook_program *program)
{
    program->passes = TRACK_ESTABLISHED | TRACK_NEW;
    for (size_t i = 0; i < program->count; i++) {
        const struct hook_step *step = &program->steps[i];

        if (step->kind != HOOK_CHAIN)
            continue;
        program->has_chains = true;
        if (!rule_chain_passes(step->chain, set, TRACK_ESTABLISHED))
            program->passes &= (uint8_t)~TRACK_ESTABLISHED;
        if (!rule_chain_passes(step->chain, set, TRACK_NEW))
            program->passes &= (uint8_t)~TRACK_NEW;
    }
}

COLD int engine_prepare(struct rule_set *set)
{
    size_t chains[FILTER_HOOK_COUNT] = {0};
    bool translates = false;

    for (struct rule_chain *chain = set->chains; chain != NULL;
         chain = chain->next) {
        struct hook_program *program = &set->hooks[chain->hook];

        if (chain->type == CHAIN_REGULAR)
            continue;
        set->has_base_chains = true;
        if (chains[chain->hook]++ == RULES_BASE_CHAINS_MAX)
            return -ENOSPC;
        if (chain->type == CHAIN_NAT && !translates) {
            add_translation(set);
            translates = true;
        }
        if (chain->type == CHAIN_NAT)
            insert_nat(program, chain);
        else
            insert(program,
                   (struct hook_step){chain->priority, HOOK_CHAIN, chain});
    }
    if (!translates)
        add_translation(set);
    add_tracking(set);
    for (unsigned hook = 0; hook < FILTER_HOOK_COUNT; hook++)
        look_ahead(set, &set->hooks[hook]);
    set->passes_across = set->hooks[FILTER_FORWARD].passes &
                         set->hooks[FILTER_POSTROUTING].passes;
    return 0;
}

static enum nat_side side_of(enum filter_hook hook)
{
    return is_entry(hook) ? NAT_DESTINATION : NAT_SOURCE;
}

/* Rules are asked once, by the packet that begins the flow; then, if none
 * had anything to say, it is made sure that answers will be told apart. */
COLD static enum filter_verdict settle(struct rule_view *view,
                                       const struct hook_program *program,
                                       enum nat_side side)
{
    static const struct nat_range keep;

    for (size_t i = 0; i < program->nat_count; i++) {
        enum filter_verdict verdict =
            rule_run_chain(view, program->nat_chains[i]);

        if (verdict != FILTER_ACCEPT)
            return verdict;
        if (nat_is_settled(view->packet, side))
            return FILTER_ACCEPT;
    }
    if (side == NAT_DESTINATION || !view->set->has_nat)
        return FILTER_ACCEPT;
    return nat_settle(view->packet, side, &keep, view->at->now_ns);
}

COLD static enum filter_verdict translate(struct rule_view *view)
{
    enum nat_side side = side_of(view->at->hook);
    struct packet *packet = view->packet;

    if (track_is_fresh(packet) && !nat_is_settled(packet, side)) {
        enum filter_verdict verdict =
            settle(view, &view->set->hooks[view->at->hook], side);

        if (verdict != FILTER_ACCEPT)
            return verdict;
    }
    return nat_translate(packet, side);
}

static enum filter_verdict run_step(const struct hook_step *step,
                                    struct rule_view *view)
{
    struct packet *packet = view->packet;

    switch (step->kind) {
    case HOOK_CHAIN:
        return rule_run_chain(view, step->chain);
    case HOOK_TRACK:
        if (packet->flow_state == 0) /* not said yet by a rule or an answer */
            track_packet(packet, view->at->now_ns);
        return FILTER_ACCEPT;
    case HOOK_NAT:
        return packet->flow == NULL ? FILTER_ACCEPT : translate(view);
    case HOOK_CONFIRM:
        return track_confirm(packet, view->at->now_ns);
    }
    return FILTER_ACCEPT;
}

/* To whom a server answers: everybody, or the address we have or ask for. */
static bool is_to_client(const struct netif *netif, struct be32 destination)
{
    return be32_get(netif->ip.address) == 0 ||
           ipv4_is_limited_broadcast(destination) ||
           be32_equal(destination, netif->ip.address);
}

/* Our own DHCP client is heard and speaks below the rules, as on Linux, where
 * it uses packet sockets: an address is asked for before rules can know it.
 * Only on the interface that it runs on. */
COLD static bool is_dhcp_client(const struct packet *packet,
                                const struct filter_context *at)
{
    const struct ipv4_header *ip = (const void *)packet->data;
    size_t header = ipv4_header_length(ip);
    const struct udp_header *udp = (const void *)(packet->data + header);
    bool is_out = at->hook == FILTER_OUTPUT || at->hook == FILTER_POSTROUTING;
    const struct netif *netif = is_out ? at->out : packet->netif;
    uint16_t from;
    uint16_t to;

    if (netif == NULL || !netif->has_dhcp_client || ipv4_is_fragment(ip) ||
        packet->length - header < sizeof(*udp))
        return false;
    from = be16_get(udp->source_port);
    to = be16_get(udp->destination_port);
    if (is_out)
        return packet->netif == NULL && from == DHCP_CLIENT_PORT &&
               to == DHCP_SERVER_PORT;
    return from == DHCP_SERVER_PORT && to == DHCP_CLIENT_PORT &&
           is_to_client(netif, ip->destination);
}

/* Without rules: flows are followed, nothing else happens. */
COLD static enum filter_verdict run_bare(struct packet *packet,
                                         const struct filter_context *at)
{
    enum filter_verdict verdict = FILTER_ACCEPT;

    if (at->hook == FILTER_FORWARD)
        return FILTER_ACCEPT;
    if ((at->hook == FILTER_PREROUTING || at->hook == FILTER_OUTPUT) &&
        packet->flow_state == 0)
        track_packet(packet, at->now_ns);
    if (packet->flow != NULL)
        verdict = nat_translate(packet, side_of(at->hook));
    if (verdict == FILTER_ACCEPT &&
        (at->hook == FILTER_INPUT || at->hook == FILTER_POSTROUTING))
        verdict = track_confirm(packet, at->now_ns);
    return verdict;
}

static enum filter_verdict run_steps(struct packet *packet,
                                     const struct filter_context *at,
                                     struct rule_set *set)
{
    const struct hook_program *program = &set->hooks[at->hook];
    struct rule_view view;

    rule_view_init(&view, packet, at, set);
    if (at->hook != FILTER_FORWARD && view.ip->protocol == FLOW_UDP &&
        is_dhcp_client(packet, at))
        return FILTER_ACCEPT;
    for (size_t i = 0; i < program->count; i++) {
        enum filter_verdict verdict = run_step(&program->steps[i], &view);

        if (verdict == FILTER_REJECT_TCP_RESET)
            track_tcp_refused(packet, at->now_ns);
        if (verdict != FILTER_ACCEPT)
            return verdict;
    }
    return FILTER_ACCEPT;
}

/* What a flow's later packets need: translation, if there is any. */
static enum filter_verdict translate_known(struct packet *packet,
                                           enum nat_side side)
{
    return nat_changes(packet->flow, track_direction(packet), side)
               ? nat_change(packet, side)
               : FILTER_ACCEPT;
}

/* Nobody but tracking and translation wants to see such packets. */
static inline bool needs_no_rules(const struct packet *packet,
                                  const struct filter_context *at)
{
    const struct rule_set *set = rules_active();

    return set != NULL &&
           (packet->flow_state & set->hooks[at->hook].passes) != 0 &&
           !track_is_fresh(packet);
}

static NOINLINE enum filter_verdict enter_any(struct packet *packet,
                                              const struct filter_context *at,
                                              struct rule_set *set)
{
    const struct ipv4_header *ip = (const void *)packet->data;

    if (set == NULL)
        return run_bare(packet, at);
    if (set->hooks[at->hook].has_chains)
        return run_steps(packet, at, set);
    if (ip->protocol == FLOW_UDP && is_dhcp_client(packet, at))
        return FILTER_ACCEPT;
    track_unusual(packet, at->now_ns);
    if ((packet->flow_state & TRACK_ESTABLISHED) != 0)
        return translate_known(packet, NAT_DESTINATION);
    if (track_is_fresh(packet)) {
        struct rule_view view;

        rule_view_init(&view, packet, at, set);
        return translate(&view);
    }
    return nat_translate(packet, NAT_DESTINATION);
}

/* PREROUTING and OUTPUT. Only what begins a flow or meets chains takes the
 * long way. */
static enum filter_verdict enter(struct packet *packet,
                                 const struct filter_context *at)
{
    struct rule_set *set = rules_active();

    packet->flow = NULL;
    packet->flow_state = 0;
    if (set != NULL && !set->hooks[at->hook].has_chains &&
        track_usual(packet, flow_ticks(at->now_ns)))
        return translate_known(packet, NAT_DESTINATION);
    return enter_any(packet, at, set);
}

static enum filter_verdict run_rest(struct packet *packet,
                                    const struct filter_context *at)
{
    struct rule_set *set = rules_active();

    return set == NULL ? run_bare(packet, at) : run_steps(packet, at, set);
}

static enum filter_verdict enter_output(struct packet *packet,
                                        const struct filter_context *at)
{
    packet->netif = NULL;
    if ((packet->flow_state & FILTER_ANSWERS) == 0)
        return enter(packet, at);
    packet->flow_state =
        (uint8_t)(TRACK_RELATED | (packet->flow_state & TRACK_IS_REPLY));
    return run_rest(packet, at);
}

static enum filter_verdict cross(struct packet *packet,
                                 const struct filter_context *at)
{
    return needs_no_rules(packet, at) ? FILTER_ACCEPT : run_rest(packet, at);
}

/* INPUT and POSTROUTING. */
static enum filter_verdict leave(struct packet *packet,
                                 const struct filter_context *at)
{
    return needs_no_rules(packet, at) ? translate_known(packet, NAT_SOURCE)
                                      : run_rest(packet, at);
}

filter_function *const engine_functions[FILTER_HOOK_COUNT] = {
    [FILTER_PREROUTING] = enter,  [FILTER_INPUT] = leave,
    [FILTER_FORWARD] = cross,     [FILTER_OUTPUT] = enter_output,
    [FILTER_POSTROUTING] = leave,
};
