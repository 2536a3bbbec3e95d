/* SPDX-License-Identifier: MIT */
/*
 * Maglev's table: each backend has a permutation of the places, drawn from its
 * address and port, and takes the first free one of it in turn. A place whose
 * backend is not up is answered for by the live backend with the highest score
 * for that place, so that nobody else's flows move.
 */
#include "net/filter/balance.h"

#include "net/filter/rule_set.h"
#include "net/hash.h"

#include <errno.h>
#include <string.h>

/* Not secret: every load must give the same places. */
static const struct hash_key fixed_key = {
    {UINT64_C(0x6d61676c65762070), UINT64_C(0x6c61636573206f66)}};

static uint64_t score(const struct filter_backend *backend, uint32_t salt)
{
    const uint64_t words[2] = {(uint64_t)backend->address << 32 | backend->port,
                               salt};

    return hash_words(&fixed_key, words, 2);
}

/* Whoever comes first takes a place first: by score, not by number. */
static void order(const struct balancer *balancer,
                  uint8_t turn[BALANCER_BACKENDS_MAX])
{
    for (uint32_t i = 0; i < balancer->count; i++) {
        uint32_t at = i;

        for (; at > 0 && score(&balancer->backends[turn[at - 1]], UINT32_MAX) >
                             score(&balancer->backends[i], UINT32_MAX);
             at--)
            turn[at] = turn[at - 1];
        turn[at] = (uint8_t)i;
    }
}

/* From the backends' addresses and ports alone, so that the same backends give
 * the same places in any order and after any reload. */
static void fill_places(struct balancer *balancer)
{
    uint32_t at[BALANCER_BACKENDS_MAX];
    uint32_t skip[BALANCER_BACKENDS_MAX];
    uint8_t turn[BALANCER_BACKENDS_MAX];
    uint32_t filled = 0;

    memset(balancer->places, UINT8_MAX, sizeof(balancer->places));
    order(balancer, turn);
    for (uint32_t i = 0; i < balancer->count; i++) {
        uint64_t hash = score(&balancer->backends[i], 0);

        at[i] = (uint32_t)(hash >> 32) % BALANCER_PLACES;
        skip[i] = (uint32_t)hash % (BALANCER_PLACES - 1) + 1;
    }
    for (uint32_t i = 0; filled < BALANCER_PLACES;
         i = (i + 1) % balancer->count) {
        uint32_t who = turn[i];

        while (balancer->places[at[who]] != UINT8_MAX)
            at[who] = (at[who] + skip[who]) % BALANCER_PLACES;
        balancer->places[at[who]] = (uint8_t)who;
        filled++;
    }
}

struct filter_backend *balancer_choose(struct balancer *balancer, uint32_t hash)
{
    uint32_t place = hash % BALANCER_PLACES;
    struct filter_backend *best = &balancer->backends[balancer->places[place]];
    uint64_t best_score = 0;

    if (best->state == FILTER_BACKEND_UP)
        return best;
    for (uint32_t i = 0; i < balancer->count; i++) {
        struct filter_backend *backend = &balancer->backends[i];
        uint64_t own = score(backend, place + 1);

        if (backend->state != FILTER_BACKEND_UP || own < best_score)
            continue;
        best = backend;
        best_score = own;
    }
    return best;
}

int balancer_make(struct rule_set *set, struct rule_nat *nat)
{
    uint32_t count = nat->spread.modulus;
    struct balancer *balancer;

    if (count > BALANCER_BACKENDS_MAX)
        return -EINVAL;
    balancer = rule_alloc(set, sizeof(*balancer));
    if (balancer == NULL)
        return -ENOMEM;
    balancer->count = count;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t key[KEY_WORDS_MAX] = {i + nat->spread.offset};
        const uint32_t *data = rule_map_find(nat->map, key);
        struct filter_backend *backend = &balancer->backends[i];

        if (data == NULL)
            return -EINVAL;
        if (nat->map_has_address)
            backend->address = *data++;
        if (nat->map_has_port)
            backend->port = (uint16_t)*data;
    }
    fill_places(balancer);
    balancer->next = set->balancers;
    set->balancers = balancer;
    nat->spread.balancer = balancer;
    return 0;
}
