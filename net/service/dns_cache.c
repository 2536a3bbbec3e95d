/* SPDX-License-Identifier: MIT */
/*
 * The resolver's cache: a small table searched by a keyed hash of the name.
 * The entry that runs out first makes room.
 */
#include "net/service/dns_cache.h"

#include "net/hash.h"
#include "net/limits.h"

#include <string.h>

struct entry {
    uint64_t hash;
    uint64_t expires_ns; /* 0: free */
    enum dns_type type;
    char name[DNS_NAME_SIZE];
    struct dns_result result;
};

static struct entry entries[DNS_CACHE_MAX];
static struct hash_key key;

void dns_cache_init(void)
{
    hash_key_generate(&key);
    dns_cache_flush();
}

void dns_cache_flush(void)
{
    for (size_t i = 0; i < DNS_CACHE_MAX; i++)
        entries[i].expires_ns = 0;
}

static bool matches(const struct entry *entry, uint64_t hash, const char *name,
                    enum dns_type type)
{
    return entry->expires_ns != 0 && entry->hash == hash &&
           entry->type == type && strcmp(entry->name, name) == 0;
}

bool dns_cache_find(const char *name, enum dns_type type,
                    struct dns_result *result, uint64_t now_ns)
{
    uint64_t hash = hash_bytes(&key, name, strlen(name));

    for (size_t i = 0; i < DNS_CACHE_MAX; i++) {
        const struct entry *entry = &entries[i];

        if (!matches(entry, hash, name, type) || entry->expires_ns <= now_ns)
            continue;
        *result = entry->result;
        result->ttl_s = (uint32_t)((entry->expires_ns - now_ns) / NS_PER_S);
        return true;
    }
    return false;
}

void dns_cache_add(const char *name, enum dns_type type,
                   const struct dns_result *result, uint64_t now_ns)
{
    uint64_t hash = hash_bytes(&key, name, strlen(name));
    struct entry *entry = &entries[0];

    if (result->ttl_s == 0)
        return;
    for (size_t i = 0; i < DNS_CACHE_MAX; i++) {
        if (matches(&entries[i], hash, name, type)) {
            entry = &entries[i];
            break;
        }
        if (entries[i].expires_ns < entry->expires_ns)
            entry = &entries[i];
    }
    entry->hash = hash;
    entry->expires_ns = now_ns + result->ttl_s * NS_PER_S;
    entry->type = type;
    memcpy(entry->name, name, strlen(name) + 1);
    entry->result = *result;
}
