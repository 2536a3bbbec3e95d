/* SPDX-License-Identifier: MIT */
/*
 * Walks the rules of a chain, and those it jumps to, until one gives a
 * verdict: netfilter's order and meaning.
 */
#include "net/filter/evaluate.h"

#include "net/link/netif.h"
#include "net/platform.h"

#include <string.h>

static bool compare(const struct rule_match *match, uint32_t value)
{
    value &= match->mask;
    switch ((enum rule_compare)match->compare) {
    case COMPARE_EQUAL:
        return value == match->first;
    case COMPARE_NOT_EQUAL:
        return value != match->first;
    case COMPARE_LESS:
        return value < match->first;
    case COMPARE_GREATER:
        return value > match->first;
    case COMPARE_NOT_GREATER:
        return value <= match->first;
    case COMPARE_NOT_LESS:
        return value >= match->first;
    case COMPARE_WITHIN:
        return value >= match->first && value <= match->last;
    case COMPARE_OUTSIDE:
        return value < match->first || value > match->last;
    }
    return false;
}

static bool matches(const struct rule_view *view,
                    const struct rule_match *match)
{
    uint32_t value;

    /* What most rule files ask first, of every packet. */
    if (match->field == FIELD_CT_STATE)
        return compare(match, rule_ct_state(view));
    return rule_field_get(view, match->field, &value) && compare(match, value);
}

static bool has_name(const struct rule_view *view, const struct rule_name *name)
{
    const struct netif *netif = rule_netif(view, name->field);
    bool begins = netif != NULL &&
                  strncmp(netif->name, name->text, strlen(name->text)) == 0;

    return begins != name->is_not;
}

static bool is_in(const struct rule_view *view,
                  const struct rule_lookup *lookup)
{
    uint32_t key[KEY_WORDS_MAX];

    if (!rule_get_key(view, &lookup->key, key))
        return false;
    return (rule_map_find(lookup->map, key) != NULL) != lookup->is_not;
}

static bool look_up_verdict(const struct rule_view *view,
                            const struct rule_lookup *lookup,
                            struct rule_target *target)
{
    uint32_t key[KEY_WORDS_MAX];
    const uint32_t *data;

    if (!rule_get_key(view, &lookup->key, key))
        return false;
    data = rule_map_find(lookup->map, key);
    if (data == NULL)
        return false;
    *target = rule_unpack_target(view->set, *data);
    return true;
}

static void count(struct rule_counter *counter, const struct rule_view *view)
{
    counter->packets++;
    counter->bytes += packet_total_length(view->packet);
}

/* Does one step; false ends the rule. */
static bool step_on(struct rule_step *step, struct rule_view *view,
                    struct rule_target *target)
{
    enum filter_verdict verdict;

    switch (step->kind) {
    case STEP_MATCH:
        return matches(view, &step->match);
    case STEP_NAME:
        return has_name(view, &step->name);
    case STEP_LOOKUP:
        return is_in(view, &step->lookup);
    case STEP_VMAP:
        return look_up_verdict(view, &step->lookup, target) &&
               target->verdict == RULE_CONTINUE;
    case STEP_COUNTER:
        count(&step->counter, view);
        return true;
    case STEP_LIMIT:
        return rule_limit_passes(&step->limit, view);
    case STEP_LOG:
        rule_log_packet(&step->log, view);
        return true;
    case STEP_VERDICT:
        *target = step->verdict;
        return true;
    case STEP_NAT:
        if (!rule_translate(&step->nat, view, &verdict))
            return false;
        target->verdict = verdict;
        return true;
    case STEP_UNTRACK:
        if (view->packet->flow == NULL) /* else it comes too late */
            view->packet->flow_state = TRACK_UNTRACKED;
        return true;
    case STEP_MSS:
        return rule_set_mss(step->mss, view);
    }
    return false;
}

/* The rule's verdict, CONTINUE if it has none for this packet. */
static struct rule_target run_rule(const struct rule *rule,
                                   struct rule_view *view)
{
    struct rule_target target = {NULL, RULE_CONTINUE};

    struct rule_step *step = rule->steps;

    while (step != NULL && step_on(step, view, &target))
        step = step->next;
    return target;
}

enum filter_verdict rule_run_chain(struct rule_view *view,
                                   struct rule_chain *chain)
{
    const struct rule *back[RULES_DEPTH_MAX + 1];
    const struct rule *rule = chain->rules;
    size_t depth = 0;

    for (;;) {
        struct rule_target target = {NULL, RULE_RETURN};

        if (rule != NULL)
            target = run_rule(rule, view);
        switch (target.verdict) {
        case RULE_CONTINUE:
            rule = rule->next;
            continue;
        case RULE_JUMP:
            ASSERT(depth <= RULES_DEPTH_MAX);
            back[depth++] = rule->next;
            /* fall through */
        case RULE_GOTO:
            rule = target.chain->rules;
            continue;
        case RULE_RETURN:
            if (depth == 0)
                break;
            rule = back[--depth];
            continue;
        default:
            return (enum filter_verdict)target.verdict;
        }
        count(&chain->policy, view);
        return chain->policy_drop ? FILTER_DROP : FILTER_ACCEPT;
    }
}

/* What a rule says of a state by itself. */
enum said {
    SAID_NOTHING, /* it is not about that state */
    SAID_TARGET,
    SAID_MORE, /* depends on the packet, or does something */
};

static enum said say(const struct rule_set *set, const struct rule_step *step,
                     unsigned state, struct rule_target *target)
{
    const uint32_t key[KEY_WORDS_MAX] = {state};
    const struct rule_lookup *lookup = &step->lookup;
    const uint32_t *data;

    if (step->kind == STEP_VERDICT) {
        *target = step->verdict;
        return SAID_TARGET;
    }
    if (step->kind == STEP_MATCH && step->match.field == FIELD_CT_STATE)
        return compare(&step->match, state) ? SAID_TARGET : SAID_NOTHING;
    if ((step->kind != STEP_LOOKUP && step->kind != STEP_VMAP) ||
        lookup->key.count != 1 || lookup->key.field[0] != FIELD_CT_STATE)
        return SAID_MORE;
    data = rule_map_find(lookup->map, key);
    if (step->kind == STEP_LOOKUP)
        return (data != NULL) != lookup->is_not ? SAID_TARGET : SAID_NOTHING;
    if (data == NULL)
        return SAID_NOTHING;
    *target = rule_unpack_target(set, *data);
    return SAID_TARGET;
}

static enum said rule_says(const struct rule_set *set, const struct rule *rule,
                           unsigned state, struct rule_target *target)
{
    *target = (struct rule_target){NULL, RULE_CONTINUE};
    for (const struct rule_step *step = rule->steps; step != NULL;
         step = step->next) {
        enum said said = say(set, step, state, target);

        if (said != SAID_TARGET || target->verdict != RULE_CONTINUE)
            return said;
    }
    return SAID_TARGET;
}

bool rule_chain_passes(const struct rule_chain *chain,
                       const struct rule_set *set, unsigned state)
{
    const struct rule *rule = chain->rules;

    while (rule != NULL) {
        struct rule_target target;
        enum said said = rule_says(set, rule, state, &target);

        if (said == SAID_MORE)
            return false;
        if (said == SAID_TARGET && target.verdict != RULE_CONTINUE)
            return target.verdict == (unsigned)FILTER_ACCEPT;
        rule = rule->next;
    }
    return false; /* the policy counts */
}
