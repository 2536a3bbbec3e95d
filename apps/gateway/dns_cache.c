/* SPDX-License-Identifier: MIT */
/*
 * A chained hash, keyed against chosen names, and a list by last use.
 */
#include "dns_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    KEPT_MESSAGE_MAX = 4096,
    KEPT_MIN_S = 1,
    KEPT_MAX_S = 86400, /* RFC 8767 4 */
};

struct kept {
    struct kept *next;          /* of the bucket */
    struct kept *newer, *older; /* by use */
    struct dns_question question;
    uint64_t stored_s, ends_s;
    size_t length;
    uint8_t message[];
};

struct dns_cache_counters dns_cache_counters;

static struct kept **buckets;
static size_t bucket_count, kept_count, kept_limit;
static struct kept *newest, *oldest;
static uint64_t secret;
static uint8_t aged[KEPT_MESSAGE_MAX];

static struct kept **bucket_of(const struct dns_question *question)
{
    uint64_t hash = secret ^ question->type;

    for (size_t i = 0; i < question->name_length; i++) {
        hash = (hash ^ question->name[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return &buckets[(hash ^ hash >> 32) & (bucket_count - 1)];
}

bool dns_cache_start(uint32_t capacity)
{
    kept_limit = capacity;
    bucket_count = 16;
    while (bucket_count < capacity)
        bucket_count *= 2;
    buckets = calloc(bucket_count, sizeof(struct kept *));
    if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
        secret = (uint64_t)(uintptr_t)buckets;
    return buckets != NULL;
}

static void detach(struct kept *kept)
{
    *(kept->newer != NULL ? &kept->newer->older : &newest) = kept->older;
    *(kept->older != NULL ? &kept->older->newer : &oldest) = kept->newer;
}

static void make_newest(struct kept *kept)
{
    kept->newer = NULL;
    kept->older = newest;
    *(newest != NULL ? &newest->newer : &oldest) = kept;
    newest = kept;
}

static void forget(struct kept *kept)
{
    struct kept **at = bucket_of(&kept->question);

    while (*at != kept)
        at = &(*at)->next;
    *at = kept->next;
    detach(kept);
    kept_count--;
    free(kept);
}

void dns_cache_clear(void)
{
    while (oldest != NULL)
        forget(oldest);
}

void dns_cache_stop(void)
{
    dns_cache_clear();
    free(buckets);
    buckets = NULL;
}

size_t dns_cache_count(void)
{
    return kept_count;
}

static struct kept *find(const struct dns_question *question)
{
    struct kept *kept = *bucket_of(question);

    while (kept != NULL && !dns_question_equal(&kept->question, question))
        kept = kept->next;
    return kept;
}

void dns_cache_add(const struct dns_question *question, const uint8_t *message,
                   size_t length, uint32_t ttl_s, uint64_t now_s)
{
    struct kept *kept = find(question);
    struct kept **bucket;

    if (kept != NULL)
        forget(kept);
    if (kept_limit == 0 || ttl_s < KEPT_MIN_S || length > KEPT_MESSAGE_MAX)
        return;
    if (kept_count == kept_limit) {
        forget(oldest);
        dns_cache_counters.evictions++;
    }
    kept = malloc(sizeof(*kept) + length);
    if (kept == NULL)
        return;
    kept->question = *question;
    kept->stored_s = now_s;
    kept->ends_s = now_s + (ttl_s < KEPT_MAX_S ? ttl_s : KEPT_MAX_S);
    kept->length = length;
    memcpy(kept->message, message, length);
    bucket = bucket_of(question);
    kept->next = *bucket;
    *bucket = kept;
    make_newest(kept);
    kept_count++;
    dns_cache_counters.insertions++;
}

const uint8_t *dns_cache_find(const struct dns_question *question,
                              uint64_t now_s, size_t *length)
{
    struct kept *kept = find(question);

    if (kept != NULL && now_s >= kept->ends_s) {
        forget(kept);
        kept = NULL;
    }
    if (kept == NULL) {
        dns_cache_counters.misses++;
        return NULL;
    }
    dns_cache_counters.hits++;
    detach(kept);
    make_newest(kept);
    memcpy(aged, kept->message, kept->length);
    dns_answer_age(aged, kept->length, (uint32_t)(now_s - kept->stored_s));
    *length = kept->length;
    return aged;
}
