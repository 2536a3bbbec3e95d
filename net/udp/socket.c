/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets: their pool, their names, and the tables they are found in:
 * connected ones by a keyed hash of both ends, the others by port. Ports are
 * chosen as RFC 6056 3.3.4 (double hash) says.
 */
#include "net/udp/socket.h"

#include "net/hash.h"
#include "net/ip/flow.h"
#include "net/ip/path_mtu.h"
#include "net/ip/route.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

static struct {
    struct pool pool;
    struct udp_socket *sockets; /* the pool's */
    struct udp_socket *by_flow[UDP_BUCKETS];
    struct hash_key flow_key;
    struct hash_key port_key;
    uint16_t port_counters[UDP_PORT_COUNTERS];
    size_t receive_default;
} table;

struct udp_ports udp_ports;
struct udp_counters udp_counters;
size_t udp_queued_size;
size_t udp_queued_limit;

enum {
    /* Memory for one socket each of so many bytes. */
    BYTES_PER_SOCKET = 64 * 1024,
};

int udp_init(void)
{
    size_t pool = buffer_count_total() * BUFFER_SIZE;
    size_t count = platform_memory_size() / BYTES_PER_SOCKET;

    if (count < UDP_SOCKETS_MIN)
        count = UDP_SOCKETS_MIN;
    if (count > UDP_SOCKETS_MAX)
        count = UDP_SOCKETS_MAX;
    memset(&table, 0, sizeof(table));
    udp_ports = (struct udp_ports){0};
    memset(&udp_counters, 0, sizeof(udp_counters));
    if (pool_init(&table.pool, count, sizeof(*table.sockets),
                  _Alignof(struct udp_socket)) != 0)
        return -ENOMEM;
    table.sockets = (void *)table.pool.objects;
    hash_key_generate(&table.flow_key);
    hash_key_generate(&table.port_key);
    platform_random(table.port_counters, sizeof(table.port_counters));
    table.receive_default = pool / UDP_RECEIVE_POOL_DIVISOR;
    if (table.receive_default > UDP_RECEIVE_BUFFER)
        table.receive_default = UDP_RECEIVE_BUFFER;
    udp_queued_size = 0;
    udp_queued_limit = pool / UDP_TOTAL_POOL_DIVISOR;
    return 0;
}

/* ---- the tables -----------------------------------------------------------
 */

static struct udp_socket **port_bucket(uint16_t port)
{
    return &udp_ports.bucket[port % UDP_BUCKETS];
}

static struct udp_socket **flow_bucket(const struct udp_endpoint *local,
                                       const struct udp_endpoint *remote)
{
    uint64_t hash = ip_flow_hash(&table.flow_key, &local->address, local->port,
                                 &remote->address, remote->port);

    return &table.by_flow[hash % UDP_BUCKETS];
}

static void unlink_socket(struct udp_socket *socket)
{
    if (socket->link == NULL)
        return;
    *socket->link = socket->next;
    if (socket->next != NULL)
        socket->next->link = socket->link;
    socket->link = NULL;
    if (socket->is_connected)
        udp_ports.connected_count--;
}

/* Into the table its present state belongs to. */
static void link_socket(struct udp_socket *socket)
{
    struct udp_socket **bucket =
        socket->is_connected ? flow_bucket(&socket->local, &socket->remote)
                             : port_bucket(socket->local.port);

    socket->next = *bucket;
    socket->link = bucket;
    if (*bucket != NULL)
        (*bucket)->link = &socket->next;
    *bucket = socket;
    if (socket->is_connected)
        udp_ports.connected_count++;
}

static bool same_endpoint(const struct udp_endpoint *a,
                          const struct udp_endpoint *b)
{
    return a->port == b->port && ip_address_equal(&a->address, &b->address);
}

struct udp_socket *udp_find_connected(const struct udp_endpoint *local,
                                      const struct udp_endpoint *remote)
{
    struct udp_socket *socket;

    if (udp_ports.connected_count == 0)
        return NULL;
    socket = *flow_bucket(local, remote);
    while (socket != NULL && !(same_endpoint(&socket->local, local) &&
                               same_endpoint(&socket->remote, remote)))
        socket = socket->next;
    return socket;
}

static bool hears(const struct udp_socket *socket,
                  const struct ip_receive_info *info, uint16_t local_port)
{
    return socket->local.port == local_port &&
           (socket->netif == NULL || socket->netif == info->netif) &&
           (ip_address_is_any(&socket->local.address) ||
            ip_address_equal(&socket->local.address, &info->destination));
}

static struct udp_socket *find_flow(const struct ip_receive_info *info,
                                    uint16_t local_port, uint16_t remote_port)
{
    struct udp_endpoint local = {info->destination, local_port};
    struct udp_endpoint remote = {info->source, remote_port};
    struct udp_socket *socket = udp_find_connected(&local, &remote);

    if (socket == NULL || socket->netif == NULL || socket->netif == info->netif)
        return socket;
    return NULL;
}

struct udp_socket *udp_find(const struct ip_receive_info *info,
                            uint16_t local_port, uint16_t remote_port)
{
    struct udp_socket *best = NULL;
    int best_score = -1;

    if (udp_ports.connected_count != 0)
        best = find_flow(info, local_port, remote_port);
    if (best != NULL)
        return best;
    for (struct udp_socket *socket = *port_bucket(local_port); socket != NULL;
         socket = socket->next) {
        int score;

        if (!hears(socket, info, local_port))
            continue;
        score = (ip_address_is_any(&socket->local.address) ? 0 : 2) +
                (socket->netif == NULL ? 0 : 1);
        if (score > best_score) {
            best = socket;
            best_score = score;
        }
    }
    return best;
}

struct udp_socket *udp_find_group(struct udp_socket *last,
                                  const struct ip_receive_info *info,
                                  uint16_t local_port)
{
    struct udp_socket *socket =
        last == NULL ? *port_bucket(local_port) : last->next;

    while (socket != NULL && !hears(socket, info, local_port))
        socket = socket->next;
    return socket;
}

/* ---- names ----------------------------------------------------------------
 */

static bool conflicts(const struct udp_socket *other,
                      const struct udp_socket *socket,
                      const struct udp_endpoint *local)
{
    if (!other->is_open || other->link == NULL || other == socket ||
        other->local.port != local->port)
        return false;
    if (other->netif != NULL && socket->netif != NULL &&
        other->netif != socket->netif)
        return false;
    if (other->reuses_address && socket->reuses_address)
        return false;
    return ip_address_is_any(&other->local.address) ||
           ip_address_is_any(&local->address) ||
           ip_address_equal(&other->local.address, &local->address);
}

static bool is_taken(const struct udp_socket *socket,
                     const struct udp_endpoint *local)
{
    for (size_t i = 0; i < table.pool.used; i++)
        if (conflicts(&table.sockets[i], socket, local))
            return true;
    return false;
}

/* RFC 6056 3.3.4: per-destination order from a secret, advanced by one of a
 * few counters, so that ports neither repeat soon nor tell about others. When
 * the destination is not known yet, any. */
static uint16_t choose_port(const struct udp_socket *socket,
                            struct udp_endpoint *local,
                            const struct udp_endpoint *remote)
{
    const uint32_t range = UDP_PORT_LAST - UDP_PORT_FIRST + 1;
    uint32_t offset;
    uint16_t *counter;

    if (remote == NULL) {
        platform_random(&offset, sizeof(offset));
        counter = &table.port_counters[0];
    } else {
        uint64_t hash = ip_flow_hash(&table.port_key, &local->address, 0,
                                     &remote->address, remote->port);

        offset = (uint32_t)hash;
        counter = &table.port_counters[(hash >> 32) % UDP_PORT_COUNTERS];
    }
    for (uint32_t tries = 0; tries < range; tries++) {
        uint32_t number = (offset % range + (*counter)++) % range;

        local->port = (uint16_t)(UDP_PORT_FIRST + number);
        if (!is_taken(socket, local))
            return local->port;
    }
    return 0;
}

static int bind_socket(struct udp_socket *socket,
                       const struct udp_endpoint *wanted,
                       const struct udp_endpoint *remote)
{
    struct udp_endpoint local = *wanted;

    if (local.port == 0) {
        if (choose_port(socket, &local, remote) == 0)
            return -EADDRINUSE;
    } else if (is_taken(socket, &local)) {
        return -EADDRINUSE;
    }
    socket->local = local;
    link_socket(socket);
    return 0;
}

int udp_bind(struct udp_socket *socket, const struct udp_endpoint *local)
{
    if (socket->link != NULL)
        return -EINVAL;
    if (!ip_address_is_any(&local->address) &&
        !ip_address_is_multicast(&local->address) &&
        !ip_is_local(ip_address_ipv4(&local->address)))
        return -EADDRNOTAVAIL;
    return bind_socket(socket, local, NULL);
}

void udp_bind_netif(struct udp_socket *socket, struct netif *netif)
{
    socket->netif = netif;
}

/* Finds the way and checks that it may be gone. */
static int check_remote(const struct udp_socket *socket,
                        const struct udp_endpoint *remote,
                        struct ip_route *route)
{
    bool is_group = ip_address_is_multicast(&remote->address);
    struct ip_address from = ip_address_from_ipv4(be32_from(0));
    struct netif *netif = socket->netif;

    if (netif == NULL && is_group)
        netif = socket->group_netif;
    if (!ip_address_is_multicast(&socket->local.address))
        from = socket->local.address;
    if (netif != NULL)
        ip_route_on_netif(netif, &remote->address, route);
    else if (ip_route_lookup(&remote->address, &from, route) != 0)
        return -ENETUNREACH;
    if (route->is_broadcast && !socket->may_broadcast)
        return -EACCES;
    if (!ip_address_is_any(&from))
        route->source = from;
    return 0;
}

int udp_connect(struct udp_socket *socket, const struct udp_endpoint *remote)
{
    struct udp_endpoint before = socket->local;
    struct ip_route route;
    int status;

    if (socket->has_chosen_address)
        socket->local.address = ip_address_from_ipv4(be32_from(0));
    status = check_remote(socket, remote, &route);
    socket->local = before;
    if (status != 0)
        return status; /* and the old peer stays, as on Linux */
    udp_disconnect(socket);
    if (socket->link == NULL) {
        struct udp_endpoint local = {route.source, 0};

        status = bind_socket(socket, &local, remote);
        if (status != 0)
            return status;
        socket->has_chosen_address = true;
    }
    unlink_socket(socket);
    if (ip_address_is_any(&socket->local.address)) {
        socket->local.address = route.source;
        socket->has_chosen_address = true;
    }
    socket->remote = *remote;
    socket->route = route;
    socket->is_connected = true;
    link_socket(socket);
    return 0;
}

void udp_disconnect(struct udp_socket *socket)
{
    if (!socket->is_connected)
        return;
    unlink_socket(socket);
    socket->is_connected = false;
    if (socket->has_chosen_address)
        socket->local.address = ip_address_from_ipv4(be32_from(0));
    socket->has_chosen_address = false;
    link_socket(socket);
}

int udp_prepare(struct udp_socket *socket, const struct udp_endpoint *remote,
                struct ip_route *route)
{
    static const struct udp_endpoint any;
    int status;

    if (socket->is_connected &&
        (remote == NULL || same_endpoint(remote, &socket->remote))) {
        if (socket->route.generation != ip_route_generation()) {
            status = check_remote(socket, &socket->remote, &socket->route);
            if (status != 0)
                return status;
        }
        *route = socket->route;
        return 0;
    }
    if (remote == NULL)
        return -EDESTADDRREQ;
    if (remote->port == 0)
        return -EINVAL;
    status = check_remote(socket, remote, route);
    if (status == 0 && socket->link == NULL)
        status = bind_socket(socket, &any, remote);
    return status;
}

/* ---- life -----------------------------------------------------------------
 */

int udp_open(void *owner, udp_notify *notify, struct udp_socket **socket)
{
    struct udp_socket *new = pool_take(&table.pool);

    if (new == NULL)
        return -ENOBUFS;
    memset(new, 0, sizeof(*new));
    new->multicast_ttl = UDP_MULTICAST_TTL;
    new->loops_to_groups = true;
    new->owner = owner;
    new->notify = notify;
    new->is_open = true;
    new->receive_limit = table.receive_default;
    new->send_buffer = UDP_SEND_BUFFER;
    new->local.address = ip_address_from_ipv4(be32_from(0));
    *socket = new;
    return 0;
}

void udp_close(struct udp_socket *socket)
{
    struct packet *packet;

    ASSERT(socket->is_open);
    unlink_socket(socket);
    while ((packet = udp_dequeue(socket)) != NULL)
        packet_drop(packet, DROP_SOCKET_CLOSED);
    socket->is_open = false;
    pool_give(&table.pool, socket);
}

uint32_t udp_ready(const struct udp_socket *socket)
{
    uint32_t ready = UDP_WRITABLE;

    if (socket->queue.count != 0)
        ready |= UDP_READABLE;
    if (socket->error != 0)
        ready |= UDP_FAILED;
    return ready;
}

void udp_fail(struct udp_socket *socket, int error)
{
    socket->error = error;
    if (socket->notify != NULL)
        socket->notify(socket->owner, UDP_FAILED);
}

int udp_take_error(struct udp_socket *socket)
{
    int error = socket->error;

    socket->error = 0;
    return error;
}

struct udp_endpoint udp_local(const struct udp_socket *socket)
{
    return socket->local;
}

struct udp_endpoint udp_remote(const struct udp_socket *socket)
{
    return socket->remote;
}

bool udp_is_connected(const struct udp_socket *socket)
{
    return socket->is_connected;
}

uint32_t udp_path_mtu(const struct udp_socket *socket, uint64_t now_ns)
{
    return ip_path_mtu_of(&socket->route, &socket->remote.address, now_ns);
}
