/* SPDX-License-Identifier: MIT */
/*
 * The table of leases: found by client and by address through two keyed
 * hashes, so that a flood of invented clients does not make it slow.
 */
#include "lease.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    OFFER_S = 30,      /* how long an offer is kept for its client */
    DECLINED_S = 600,  /* before the address is tried again */
    VICTIMS_MAX = 256, /* entries looked at to find one to reuse */
};

static const struct config *config;
static uint32_t own_address, own_netmask;
static struct lease *leases;
static uint32_t *by_key, *by_address; /* index + 1 of the first */
static size_t bucket_count;           /* a power of two */
static size_t lease_count, lease_limit;
static size_t hand; /* where reuse looks next */
static uint64_t secret;

/* ---- hashing ------------------------------------------------------------- */

static size_t bucket_of(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t hash = secret;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return (hash ^ hash >> 32) & (bucket_count - 1);
}

static uint32_t *key_bucket(const uint8_t *key, size_t length)
{
    return &by_key[bucket_of(key, length)];
}

static uint32_t *address_bucket(uint32_t address)
{
    return &by_address[bucket_of(&address, sizeof(address))];
}

static void link_lease(struct lease *lease)
{
    uint32_t number = (uint32_t)(lease - leases) + 1;
    uint32_t *key = key_bucket(lease->key, lease->key_length);
    uint32_t *address = address_bucket(lease->address);

    lease->next_of_key = *key;
    *key = number;
    lease->next_of_address = *address;
    *address = number;
}

static void unlink_lease(struct lease *lease)
{
    uint32_t number = (uint32_t)(lease - leases) + 1;
    uint32_t *at = key_bucket(lease->key, lease->key_length);

    while (*at != number)
        at = &leases[*at - 1].next_of_key;
    *at = lease->next_of_key;
    at = address_bucket(lease->address);
    while (*at != number)
        at = &leases[*at - 1].next_of_address;
    *at = lease->next_of_address;
}

/* ---- start --------------------------------------------------------------- */

bool leases_start(const struct config *settings, uint32_t own, uint32_t netmask)
{
    size_t count = settings->leases_max;

    config = settings;
    lease_limit = count;
    own_address = own;
    own_netmask = netmask;
    lease_count = 0;
    hand = 0;
    bucket_count = 16;
    while (bucket_count < count)
        bucket_count *= 2;
    leases = calloc(count + 1, sizeof(*leases));
    by_key = calloc(bucket_count, sizeof(*by_key));
    by_address = calloc(bucket_count, sizeof(*by_address));
    if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
        secret = (uint64_t)(uintptr_t)leases;
    if (leases != NULL && by_key != NULL && by_address != NULL)
        return true;
    leases_stop();
    return false;
}

void leases_stop(void)
{
    free(leases);
    free(by_key);
    free(by_address);
    leases = NULL;
    by_key = by_address = NULL;
    lease_count = 0;
}

/* ---- finding ------------------------------------------------------------- */

struct lease *lease_of_client(const struct lease_client *client)
{
    uint32_t number = *key_bucket(client->key, client->key_length);

    while (number != 0) {
        struct lease *lease = &leases[number - 1];

        if (lease->key_length == client->key_length &&
            memcmp(lease->key, client->key, lease->key_length) == 0)
            return lease;
        number = lease->next_of_key;
    }
    return NULL;
}

struct lease *lease_of_address(uint32_t address)
{
    uint32_t number = *address_bucket(address);

    while (number != 0 && leases[number - 1].address != address)
        number = leases[number - 1].next_of_address;
    return number != 0 ? &leases[number - 1] : NULL;
}

struct lease *lease_of_name(const char *name, uint64_t now_s)
{
    for (size_t i = 0; i < lease_count; i++) {
        if (leases[i].state == LEASE_BOUND &&
            lease_is_in_force(&leases[i], now_s) &&
            strcmp(leases[i].host, name) == 0)
            return &leases[i];
    }
    return NULL;
}

const struct lease *lease_at(size_t index)
{
    return index < lease_count ? &leases[index] : NULL;
}

bool lease_is_in_force(const struct lease *lease, uint64_t now_s)
{
    return lease->state != LEASE_FREE && now_s < lease->ends_s;
}

const struct config_host *lease_reservation(const uint8_t hardware[6])
{
    for (size_t i = 0; i < config->host_count; i++) {
        if (memcmp(config->hosts[i].hardware, hardware, 6) == 0)
            return &config->hosts[i];
    }
    return NULL;
}

static const struct config_host *reservation_of_address(uint32_t address)
{
    for (size_t i = 0; i < config->host_count; i++) {
        if (config->hosts[i].address == address)
            return &config->hosts[i];
    }
    return NULL;
}

static const struct config_range *range_of(uint32_t address)
{
    for (size_t i = 0; i < config->range_count; i++) {
        const struct config_range *range = &config->ranges[i];

        if (address >= range->first && address <= range->last)
            return range;
    }
    return NULL;
}

/* Not ours, not the network's own two. */
static bool is_host_address(uint32_t address)
{
    uint32_t host = address & ~own_netmask;

    return address != own_address &&
           (address & own_netmask) == (own_address & own_netmask) &&
           host != 0 && host != ~own_netmask;
}

bool lease_may_give(uint32_t address, const struct config_host *host)
{
    const struct config_range *range = range_of(address);
    const struct config_host *owner = reservation_of_address(address);

    if (!is_host_address(address) || (owner != NULL && owner != host))
        return false;
    if (owner != NULL)
        return true;
    return range != NULL && !range->is_static_only;
}

uint32_t lease_length_s(uint32_t address, const struct config_host *host)
{
    const struct config_range *range = range_of(address);

    if (host != NULL && host->lease_s != 0)
        return host->lease_s;
    return range != NULL ? range->lease_s : CONFIG_LEASE_S;
}

/* ---- choosing ------------------------------------------------------------ */

static bool is_available(uint32_t address, const struct lease_client *client,
                         const struct config_host *host, uint64_t now_s)
{
    const struct lease *lease;

    if (!lease_may_give(address, host))
        return false;
    lease = lease_of_address(address);
    return lease == NULL || !lease_is_in_force(lease, now_s) ||
           (lease->state != LEASE_DECLINED &&
            lease->key_length == client->key_length &&
            memcmp(lease->key, client->key, lease->key_length) == 0);
}

/* An address nobody has: first such that nobody ever had, from a place that
 * depends on the client, so that it tends to get the same one again; then one
 * whose lease is over. */
static uint32_t find_free(const struct lease_client *client,
                          const struct config_host *host, uint64_t now_s)
{
    uint32_t over = 0;

    for (size_t r = 0; r < config->range_count; r++) {
        const struct config_range *range = &config->ranges[r];
        uint32_t size = range->last - range->first + 1;
        uint32_t start =
            size != 0 ? (uint32_t)(bucket_of(client->hardware, 6) % size) : 0;

        for (uint32_t i = 0; i < size && !range->is_static_only; i++) {
            uint32_t address = range->first + (start + i) % size;
            bool is_known = lease_of_address(address) != NULL;

            if (is_known && over != 0)
                continue;
            if (!is_available(address, client, host, now_s))
                continue;
            if (!is_known)
                return address;
            over = address;
        }
    }
    return over;
}

static uint32_t choose_address(const struct lease_client *client,
                               const struct lease *current,
                               const struct config_host *host, uint64_t now_s)
{
    if (host != NULL && host->address != 0)
        return is_available(host->address, client, host, now_s) ? host->address
                                                                : 0;
    if (current != NULL && current->state != LEASE_DECLINED &&
        is_available(current->address, client, host, now_s))
        return current->address;
    if (client->wanted != 0 &&
        is_available(client->wanted, client, host, now_s))
        return client->wanted;
    return find_free(client, host, now_s);
}

/* A place in the table: a new one, or one whose lease is over or was only
 * offered. Bounded; NULL when all near the hand are held. */
static struct lease *find_place(uint64_t now_s)
{
    if (lease_count < lease_limit)
        return &leases[lease_count++];
    for (size_t i = 0; i < VICTIMS_MAX && i < lease_count; i++) {
        struct lease *lease = &leases[hand];

        hand = (hand + 1) % lease_count;
        if (lease->state == LEASE_OFFERED || !lease_is_in_force(lease, now_s)) {
            unlink_lease(lease);
            return lease;
        }
    }
    return NULL;
}

struct lease *lease_offer(const struct lease_client *client, uint64_t now_s)
{
    const struct config_host *host = lease_reservation(client->hardware);
    struct lease *lease = lease_of_client(client);
    uint32_t address;
    struct lease *former;

    if (host != NULL && host->is_ignored)
        return NULL;
    address = choose_address(client, lease, host, now_s);
    if (address == 0)
        return NULL;
    former = lease_of_address(address);
    if (lease != NULL && lease == former) {
        if (lease->state != LEASE_BOUND || !lease_is_in_force(lease, now_s)) {
            lease->state = LEASE_OFFERED;
            lease->ends_s = now_s + OFFER_S;
        }
        return lease;
    }
    /* Whoever had the address has it no longer; whatever this client had,
     * neither. One of the two places serves. */
    if (former != NULL)
        unlink_lease(former);
    if (lease != NULL && former != NULL)
        lease_release(lease);
    else if (lease != NULL)
        unlink_lease(lease);
    if (former != NULL)
        lease = former;
    else if (lease == NULL)
        lease = find_place(now_s);
    if (lease == NULL)
        return NULL;
    *lease = (struct lease){.address = address,
                            .state = LEASE_OFFERED,
                            .ends_s = now_s + OFFER_S,
                            .key_length = client->key_length};
    memcpy(lease->key, client->key, client->key_length);
    memcpy(lease->hardware, client->hardware, sizeof(lease->hardware));
    link_lease(lease);
    return lease;
}

/* ---- its life ------------------------------------------------------------ */

void lease_bind(struct lease *lease, uint32_t length_s, uint64_t now_s)
{
    lease->state = LEASE_BOUND;
    lease->length_s = length_s;
    lease->ends_s =
        length_s == CONFIG_LEASE_INFINITE ? UINT64_MAX : now_s + length_s;
}

void lease_release(struct lease *lease)
{
    lease->state = LEASE_FREE;
    lease->ends_s = 0;
}

void lease_decline(struct lease *lease, uint64_t now_s)
{
    unlink_lease(lease);
    lease->key_length = 0; /* nobody's: its client will get another */
    lease->host[0] = '\0';
    link_lease(lease);
    lease->state = LEASE_DECLINED;
    lease->ends_s = now_s + DECLINED_S;
}
