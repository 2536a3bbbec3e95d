/* SPDX-License-Identifier: MIT */
/*
 * Sets and maps. Exact keys are hashed with a key of our own; intervals are
 * sorted, joined where that changes nothing, and searched by halves, which
 * for ten thousand of them are fourteen comparisons.
 */
#include "net/filter/rule_set.h"

#include "net/attributes.h"
#include "net/hash.h"

#include <errno.h>
#include <string.h>

static struct hash_key key;

void rule_map_init_key(void)
{
    hash_key_generate(&key);
}

void *rule_alloc(struct rule_set *set, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if ((size_t)(set->high - set->low) < size)
        return NULL;
    set->high -= size;
    memset(set->high, 0, size);
    return set->high;
}

char *rule_copy_text(struct rule_set *set, const char *text, size_t length)
{
    char *copy = rule_alloc(set, length + 1);

    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

uint32_t *rule_map_place(struct rule_set *set, struct rule_map *map)
{
    size_t bytes = map->stride * sizeof(uint32_t);
    uint32_t *place;

    if (map->count == 0)
        map->elements = (uint32_t *)(void *)set->low;
    place = map->elements + (size_t)map->count * map->stride;
    if ((size_t)(set->high - (uint8_t *)place) < bytes)
        return NULL;
    set->low = (uint8_t *)place + bytes;
    memset(place, 0, bytes);
    return place;
}

/* ---- building --------------------------------------------------------------
 */

static void swap(uint32_t *a, uint32_t *b, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word = a[i];

        a[i] = b[i];
        b[i] = word;
    }
}

/* Heap sort by the first word: no memory, no bad case. */
static COLD void sift(uint32_t *elements, size_t root, size_t count,
                      size_t stride)
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= count)
            return;
        if (child + 1 < count &&
            elements[child * stride] < elements[(child + 1) * stride])
            child++;
        if (elements[root * stride] >= elements[child * stride])
            return;
        swap(elements + root * stride, elements + child * stride, stride);
        root = child;
    }
}

static COLD void sort(uint32_t *elements, size_t count, size_t stride)
{
    for (size_t i = count / 2; i-- > 0;)
        sift(elements, i, count, stride);
    for (size_t end = count; end-- > 1;) {
        swap(elements, elements + end * stride, stride);
        sift(elements, 0, end, stride);
    }
}

/* Overlaps are joined if the set may (it then has no data), or refused. */
static COLD int join(struct rule_map *map)
{
    size_t stride = map->stride;
    size_t kept = 0;

    for (size_t i = 1; i < map->count; i++) {
        uint32_t *last = map->elements + kept * stride;
        uint32_t *next = map->elements + i * stride;

        if (next[0] > last[1]) {
            kept++;
            memmove(map->elements + kept * stride, next,
                    stride * sizeof(*next));
            continue;
        }
        if (next[0] == last[0] && next[1] == last[1] &&
            memcmp(next + 2, last + 2, (stride - 2) * sizeof(*next)) == 0)
            continue;
        if (!map->merges || map->data_count != 0)
            return -EEXIST;
        if (next[1] > last[1])
            last[1] = next[1];
    }
    map->count = (uint32_t)kept + 1;
    return 0;
}

static uint32_t hash_of(const struct rule_map *map, const uint32_t *words)
{
    uint64_t wide[KEY_WORDS_MAX / 2] = {0};
    size_t count = ((size_t)map->key_count + 1) / 2;

    memcpy(wide, words, map->key_count * sizeof(*words));
    return (uint32_t)hash_words(&key, wide, count);
}

static bool equals(const struct rule_map *map, const uint32_t *a,
                   const uint32_t *b)
{
    for (size_t i = 0; i < map->key_count; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static COLD int build_index(struct rule_set *set, struct rule_map *map)
{
    uint32_t size = 4;

    while (size < map->count * 2)
        size *= 2;
    set->low = (uint8_t *)(map->elements + (size_t)map->count * map->stride);
    if ((size_t)(set->high - set->low) < size * sizeof(uint32_t))
        return -ENOMEM;
    map->index = (uint32_t *)(void *)set->low;
    map->index_mask = size - 1;
    set->low += size * sizeof(uint32_t);
    memset(map->index, 0, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < map->count; i++) {
        const uint32_t *element = map->elements + (size_t)i * map->stride;
        uint32_t at = hash_of(map, element) & map->index_mask;

        for (; map->index[at] != 0; at = (at + 1) & map->index_mask) {
            const uint32_t *other =
                map->elements + (size_t)(map->index[at] - 1) * map->stride;

            if (!equals(map, element, other))
                continue;
            if (memcmp(element, other, map->stride * sizeof(*other)) != 0)
                return -EEXIST;
            break;
        }
        map->index[at] = i + 1;
    }
    return 0;
}

int rule_map_finish(struct rule_set *set, struct rule_map *map)
{
    int status = 0;

    map->index = NULL;
    if (map->count == 0)
        return 0;
    if (!map->is_interval) {
        status = build_index(set, map);
    } else {
        sort(map->elements, map->count, map->stride);
        status = join(map);
    }
    /* Pointers may follow. */
    set->low += -(uintptr_t)set->low & 7;
    if (set->low > set->high)
        status = -ENOMEM;
    return status;
}

/* ---- looking up ------------------------------------------------------------
 */

static const uint32_t *find_exact(const struct rule_map *map,
                                  const uint32_t *words)
{
    uint32_t at = hash_of(map, words) & map->index_mask;

    for (; map->index[at] != 0; at = (at + 1) & map->index_mask) {
        const uint32_t *element =
            map->elements + (size_t)(map->index[at] - 1) * map->stride;

        if (equals(map, element, words))
            return element + map->key_count;
    }
    return NULL;
}

static const uint32_t *find_interval(const struct rule_map *map, uint32_t value)
{
    const uint32_t *base = map->elements;
    size_t stride = map->stride;
    size_t count = map->count;

    while (count > 1) {
        size_t half = count / 2;

        if (base[half * stride] <= value)
            base += half * stride;
        count -= half;
    }
    return base[0] <= value && value <= base[1] ? base + 2 : NULL;
}

const uint32_t *rule_map_find(const struct rule_map *map,
                              const uint32_t words[KEY_WORDS_MAX])
{
    const uint32_t *found = NULL;

    if (map->count != 0)
        found = map->is_interval ? find_interval(map, words[0])
                                 : find_exact(map, words);
    if (found == NULL && map->has_default)
        return map->default_data;
    return found;
}

/* ---- verdicts as data ------------------------------------------------------
 * The chain's place in the arena above the verdict. */

enum {
    VERDICT_BITS = 4,
};

_Static_assert(RULE_GOTO < 1 << VERDICT_BITS, "every verdict fits");

uint32_t rule_pack_target(const struct rule_set *set,
                          const struct rule_target *target)
{
    uint32_t place = 0;

    if (target->chain != NULL)
        place = (uint32_t)((uintptr_t)target->chain - (uintptr_t)set);
    return place << VERDICT_BITS | target->verdict;
}

struct rule_target rule_unpack_target(const struct rule_set *set, uint32_t word)
{
    struct rule_target target = {NULL, word & ((1 << VERDICT_BITS) - 1)};
    uint32_t place = word >> VERDICT_BITS;

    if (place != 0)
        target.chain = (void *)((uintptr_t)set + place);
    return target;
}
