/* SPDX-License-Identifier: MIT */
/*
 * The table of path MTUs: of fixed size, in sets chosen by a keyed hash, so
 * that nobody can aim at the place of another. What is known is forgotten after
 * ten minutes (RFC 1191 6.3), and then tried again. Claims never raise a value,
 * nor lower it below the floor (RFC 1191 7, RFC 5927 7).
 */
#include "net/ip/path_mtu.h"

#include "net/hash.h"
#include "net/limits.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct path {
    struct be32 remote; /* 0.0.0.0: free */
    uint32_t mtu;
    uint64_t expires_ns;
};

struct path_mtu_counters path_mtu_counters;

static struct {
    struct path sets[PATH_MTU_SETS][PATH_MTU_WAYS];
    struct hash_key key;
    uint64_t expiry_ns;
    uint32_t floor;
} table;

static struct path *set_of(struct be32 remote)
{
    uint64_t hash = hash_three(&table.key, be32_get(remote), 0);

    return table.sets[hash % PATH_MTU_SETS];
}

static struct path *find_path(struct be32 remote, uint64_t now_ns)
{
    struct path *set = set_of(remote);

    for (size_t i = 0; i < PATH_MTU_WAYS; i++)
        if (be32_equal(set[i].remote, remote) && set[i].expires_ns > now_ns)
            return &set[i];
    return NULL;
}

static uint32_t find(const struct ip_address *remote, uint64_t now_ns)
{
    const struct path *path = find_path(ip_address_ipv4(remote), now_ns);

    return path == NULL ? 0 : path->mtu;
}

/* Its own, an empty or expired one, or the one that goes soonest. */
static struct path *place_for(struct be32 remote, uint64_t now_ns)
{
    struct path *set = set_of(remote);
    struct path *best = &set[0];

    for (size_t i = 0; i < PATH_MTU_WAYS; i++) {
        if (be32_equal(set[i].remote, remote))
            return &set[i];
        if (set[i].expires_ns < best->expires_ns)
            best = &set[i];
    }
    if (best->expires_ns > now_ns)
        path_mtu_counters.evicted++;
    return best;
}

static void learn(const struct ip_error_info *info, uint64_t now_ns)
{
    struct be32 remote = ip_address_ipv4(&info->remote);
    uint32_t mtu = info->mtu > table.floor ? info->mtu : table.floor;
    struct ip_route route;

    if (ip_route_lookup(&info->remote, &info->local, &route) != 0 ||
        route.is_local || route.is_broadcast ||
        ip_address_is_multicast(&info->remote) ||
        mtu >= ip_path_mtu_of(&route, &info->remote, now_ns)) {
        path_mtu_counters.ignored++;
        return;
    }
    path_mtu_counters.learned++;
    *place_for(remote, now_ns) = (struct path){
        .remote = remote,
        .mtu = mtu,
        .expires_ns = now_ns + table.expiry_ns,
    };
}

void path_mtu_start(void)
{
    static const struct ip_path_mtu functions = {learn, find};

    memset(&table, 0, sizeof(table));
    path_mtu_counters = (struct path_mtu_counters){0};
    hash_key_generate(&table.key);
    table.expiry_ns = PATH_MTU_EXPIRY_NS;
    table.floor = PATH_MTU_FLOOR;
    ip_path_mtu = &functions;
}

int path_mtu_set_floor(unsigned bytes)
{
    if (bytes < IPV4_MINIMUM_MTU || bytes > ETHERNET_MTU)
        return -EINVAL;
    table.floor = bytes;
    return 0;
}

int path_mtu_set_expiry(unsigned seconds)
{
    if (seconds == 0)
        return -EINVAL;
    table.expiry_ns = seconds * NS_PER_S;
    return 0;
}

void path_mtu_visit(void (*visit)(void *context, struct be32 remote,
                                  uint32_t mtu, uint64_t expires_ns),
                    void *context, uint64_t now_ns)
{
    for (size_t i = 0; i < PATH_MTU_SETS * PATH_MTU_WAYS; i++) {
        const struct path *path =
            &table.sets[i / PATH_MTU_WAYS][i % PATH_MTU_WAYS];

        if (path->expires_ns > now_ns)
            visit(context, path->remote, path->mtu, path->expires_ns);
    }
}
