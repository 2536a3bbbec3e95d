/* SPDX-License-Identifier: MIT */
/*
 * Loading rules: two arenas, one at work and one to compile the next file in;
 * a file that is good takes over at once, between two packets.
 */
#include "net/filter/rules.h"

#include "net/filter/balance.h"
#include "net/filter/engine.h"
#include "net/filter/parse.h"
#include "net/platform.h"

#include <errno.h>
#include <string.h>

static struct {
    uint8_t *arenas[2];
    size_t size;
    unsigned active;
} rules;

struct rule_set *rules_in_use;

static struct parser parser;

int rules_init(void)
{
    size_t size = platform_memory_size() / RULES_MEMORY_SHARE;

    if (size < RULES_MEMORY_MIN)
        size = RULES_MEMORY_MIN;
    if (size > RULES_MEMORY_MAX)
        size = RULES_MEMORY_MAX;
    memset(&rules, 0, sizeof(rules));
    rules_in_use = NULL;
    rules.size = size & ~(size_t)63;
    for (int i = 0; i < 2; i++) {
        rules.arenas[i] = platform_memory_untouched(rules.size, 64);
        if (rules.arenas[i] == NULL)
            return -ENOMEM;
    }
    rule_map_init_key();
    return 0;
}

static struct rule_set *prepare(uint8_t *arena, const char *name,
                                const char *text, size_t length)
{
    struct rule_set *set = (void *)arena;

    memset(set, 0, sizeof(*set));
    set->low = arena + ((sizeof(*set) + 63) & ~(size_t)63);
    set->high = arena + rules.size;
    set->name = "rules";
    set->name = rule_copy_text(set, name, strlen(name));
    set->text = rule_copy_text(set, text, length);
    set->text_length = length;
    return set->name == NULL || set->text == NULL ? NULL : set;
}

/* Backends that are not up stay so. */
static void keep_backends(struct rule_set *set)
{
    if (rules_in_use == NULL)
        return;
    for (struct balancer *new = set->balancers; new != NULL; new = new->next)
        for (uint32_t i = 0; i < new->count; i++)
            for (const struct balancer *old = rules_in_use->balancers;
                 old != NULL; old = old->next)
                for (uint32_t j = 0; j < old->count; j++)
                    if (old->backends[j].address == new->backends[i].address &&
                        old->backends[j].port == new->backends[i].port)
                        new->backends[i].state = old->backends[j].state;
}

static int check_size(const char *text, size_t length,
                      struct rules_error *error)
{
    static const char too_long[] = "the file is too long";

    (void)text;
    if (length <= rules.size / 2)
        return 0;
    *error = (struct rules_error){.line = 1, .column = 1};
    memcpy(error->text, too_long, sizeof(too_long));
    return -ENOMEM;
}

int rules_load(const char *name, const char *text, size_t length,
               struct rules_error *error)
{
    unsigned next = rules_in_use == NULL ? rules.active : !rules.active;
    struct rule_set *set;

    if (check_size(text, length, error) != 0)
        return -ENOMEM;
    set = prepare(rules.arenas[next], name, text, length);
    if (set == NULL)
        return check_size(text, SIZE_MAX, error);
    memset(&parser, 0, sizeof(parser));
    memset(error, 0, sizeof(*error));
    parser.set = set;
    parser.error = error;
    lexer_init(&parser.lexer, set->text, length);
    if (!parse_file(&parser))
        return -EINVAL;
    if (engine_prepare(set) != 0) {
        struct token start = {.kind = TOKEN_SIGN, .line = 1, .column = 1};

        parse_fail(&parser, &start, "expected at most 16 chains on a hook");
        return -EINVAL;
    }
    keep_backends(set);
    rules_in_use = set;
    rules.active = next;
    /* Without a chain on a hook nobody asks for flows, as on Linux. */
    filter_suspend(!set->has_base_chains);
    return 0;
}

void rules_unload(void)
{
    rules_in_use = NULL;
    filter_suspend(false);
}

const char *rules_name(void)
{
    return rules_in_use == NULL ? NULL : rules_in_use->name;
}

static void visit_rule(void (*visit)(void *, const struct rules_line *),
                       void *context, const struct rule_chain *chain,
                       const struct rule *rule)
{
    struct rules_line line = {
        .table = chain->table->name,
        .chain = chain->name,
        .text = rules_in_use->text + rule->start,
        .length = rule->length,
        .line = rule->line,
    };

    for (const struct rule_step *step = rule->steps;
         step != NULL && !line.has_counter; step = step->next) {
        if (step->kind != STEP_COUNTER)
            continue;
        line.has_counter = true;
        line.packets = step->counter.packets;
        line.bytes = step->counter.bytes;
    }
    visit(context, &line);
}

void rules_visit(void (*visit)(void *context, const struct rules_line *line),
                 void *context)
{
    const struct rule_chain *chain =
        rules_in_use == NULL ? NULL : rules_in_use->chains;

    for (; chain != NULL; chain = chain->next) {
        struct rules_line line = {
            .table = chain->table->name,
            .chain = chain->name,
            .line = chain->line,
            .has_counter = chain->type != CHAIN_REGULAR,
            .packets = chain->policy.packets,
            .bytes = chain->policy.bytes,
        };

        visit(context, &line);
        for (const struct rule *rule = chain->rules; rule != NULL;
             rule = rule->next)
            visit_rule(visit, context, chain, rule);
    }
}
