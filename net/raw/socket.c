/* SPDX-License-Identifier: MIT */
/*
 * Raw sockets: their life, names and options.
 */
#include "net/raw/socket.h"

#include "net/ip/path_mtu.h"
#include "net/ip/route.h"
#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct raw_socket *raw_sockets;
struct raw_counters raw_counters;
size_t raw_queued_size;
size_t raw_queued_limit;

static struct pool pool;

int raw_init(void)
{
    raw_sockets = NULL;
    raw_counters = (struct raw_counters){0};
    raw_queued_size = 0;
    raw_queued_limit =
        buffer_count_total() * BUFFER_SIZE / RAW_TOTAL_POOL_DIVISOR;
    return pool_init(&pool, RAW_SOCKETS_MAX, sizeof(struct raw_socket),
                     _Alignof(struct raw_socket));
}

static bool is_of_frames(const struct raw_socket *socket)
{
    return socket->kind == RAW_FRAME || socket->kind == RAW_FRAME_COOKED;
}

/* Only who has listeners pays. */
static void watch_for_all(void)
{
    bool has_ip = false;
    bool has_frames = false;

    for (const struct raw_socket *s = raw_sockets; s != NULL; s = s->next) {
        if (is_of_frames(s))
            has_frames = true;
        else
            has_ip = true;
    }
    raw_watch(has_ip, has_frames);
}

int raw_open(enum raw_kind kind, uint16_t protocol, struct raw_socket **socket)
{
    struct raw_socket *new = pool_take(&pool);

    if (new == NULL)
        return -ENOBUFS;
    memset(new, 0, sizeof(*new));
    new->kind = (uint8_t)kind;
    new->protocol = protocol;
    new->local.ip = ip_address_from_ipv4(be32_from(0));
    new->local.ethertype = protocol;
    new->spoken_to = new->local.ip;
    new->multicast_ttl = UDP_MULTICAST_TTL;
    new->loops_to_groups = true;
    new->has_header = kind == RAW_IP &&protocol == RAW_PROTOCOL_MADE;
    new->receive_limit = raw_queued_limit / 2 < UDP_RECEIVE_BUFFER
                             ? raw_queued_limit / 2
                             : UDP_RECEIVE_BUFFER;
    new->next = raw_sockets;
    raw_sockets = new;
    watch_for_all();
    *socket = new;
    return 0;
}

void raw_set_owner(struct raw_socket *socket, void *owner, raw_notify *notify)
{
    socket->owner = owner;
    socket->notify = notify;
}

void raw_close(struct raw_socket *socket)
{
    struct raw_socket **link = &raw_sockets;
    struct packet *packet;

    while (*link != socket)
        link = &(*link)->next;
    *link = socket->next;
    watch_for_all();
    while ((packet = raw_dequeue(socket)) != NULL)
        packet_drop(packet, DROP_SOCKET_CLOSED);
    pool_give(&pool, socket);
}

/* ---- names ----------------------------------------------------------------
 */

static bool is_identifier_taken(const struct raw_socket *socket,
                                uint16_t identifier)
{
    for (const struct raw_socket *s = raw_sockets; s != NULL; s = s->next)
        if (s != socket && s->kind == RAW_PING && s->is_bound &&
            s->local.identifier == identifier)
            return true;
    return false;
}

int raw_choose_identifier(struct raw_socket *socket)
{
    uint16_t identifier;

    if (socket->is_bound && socket->local.identifier != 0)
        return 0;
    platform_random(&identifier, sizeof(identifier));
    for (size_t tries = 0; tries <= RAW_SOCKETS_MAX; tries++) {
        if (++identifier == 0)
            identifier++;
        if (!is_identifier_taken(socket, identifier)) {
            socket->local.identifier = identifier;
            socket->is_bound = true;
            return 0;
        }
    }
    return -EADDRINUSE;
}

int raw_bind(struct raw_socket *socket, const struct raw_address *local)
{
    if (is_of_frames(socket)) {
        socket->local.netif = local->netif;
        if (local->ethertype != RAW_ETHERTYPE_NONE)
            socket->local.ethertype = local->ethertype;
        socket->protocol = socket->local.ethertype;
        return 0;
    }
    if (!ip_address_is_any(&local->ip) &&
        !ip_is_local(ip_address_ipv4(&local->ip)))
        return -EADDRNOTAVAIL;
    if (socket->kind == RAW_PING) {
        if (socket->is_bound)
            return -EINVAL;
        if (local->identifier != 0 &&
            is_identifier_taken(socket, local->identifier))
            return -EADDRINUSE;
        socket->local.identifier = local->identifier;
        if (local->identifier == 0) {
            int status = raw_choose_identifier(socket);

            if (status != 0)
                return status;
        }
    }
    socket->local.ip = local->ip;
    socket->is_bound = true;
    return 0;
}

void raw_bind_netif(struct raw_socket *socket, struct netif *netif)
{
    socket->netif = netif;
}

int raw_route(const struct raw_socket *socket, const struct ip_address *remote,
              struct ip_route *route)
{
    struct netif *netif = socket->netif;

    if (netif == NULL && ip_address_is_multicast(remote))
        netif = socket->group_netif;
    if (netif != NULL) {
        ip_route_on_netif(netif, remote, route);
    } else {
        int status = ip_route_lookup(remote, &socket->local.ip, route);

        if (status != 0)
            return status;
    }
    if (route->is_broadcast && !socket->may_broadcast)
        return -EACCES;
    if (!ip_address_is_any(&socket->local.ip))
        route->source = socket->local.ip;
    return 0;
}

struct netif **raw_group_netif(struct raw_socket *socket)
{
    return &socket->group_netif;
}

int raw_connect(struct raw_socket *socket, const struct raw_address *remote)
{
    struct ip_route route;
    int status = 0;

    if (is_of_frames(socket))
        return -EOPNOTSUPP;
    socket->is_connected = false;
    if (remote == NULL)
        return 0;
    status = raw_route(socket, &remote->ip, &route);
    if (status == 0 && socket->kind == RAW_PING)
        status = raw_choose_identifier(socket);
    if (status != 0)
        return status;
    socket->remote = *remote;
    socket->is_connected = true;
    return 0;
}

const struct raw_address *raw_local(const struct raw_socket *socket)
{
    return &socket->local;
}

const struct raw_address *raw_remote(const struct raw_socket *socket)
{
    return socket->is_connected ? &socket->remote : NULL;
}

enum raw_kind raw_kind_of(const struct raw_socket *socket)
{
    return (enum raw_kind)socket->kind;
}

uint16_t raw_protocol_of(const struct raw_socket *socket)
{
    return socket->protocol;
}

uint32_t raw_path_mtu(const struct raw_socket *socket, uint64_t now_ns)
{
    struct ip_route route;

    if (raw_route(socket, &socket->remote.ip, &route) != 0)
        return IPV4_MINIMUM_MTU;
    return ip_path_mtu_of(&route, &socket->remote.ip, now_ns);
}

/* ---- state and options ----------------------------------------------------
 */

uint32_t raw_ready(const struct raw_socket *socket)
{
    return (uint32_t)RAW_WRITABLE |
           (socket->queue.count != 0 ? (uint32_t)RAW_READABLE : 0) |
           (socket->error != 0 ? (uint32_t)RAW_FAILED : 0);
}

int raw_take_error(struct raw_socket *socket)
{
    int error = socket->error;

    socket->error = 0;
    return error;
}

static int set_receive_buffer(struct raw_socket *socket, int value)
{
    size_t wanted = (size_t)value;
    size_t least = raw_true_size(ETHERNET_MTU, 0);

    if (wanted < least)
        wanted = least;
    socket->receive_limit =
        wanted < raw_queued_limit ? wanted : raw_queued_limit;
    return 0;
}

int raw_set_option(struct raw_socket *socket, enum raw_option option, int value)
{
    if (option == RAW_OPTION_MULTICAST_TTL && value == -1)
        value = UDP_MULTICAST_TTL;
    if (value < 0 || (option != RAW_OPTION_RECEIVE_BUFFER && value > 255))
        return -EINVAL;
    switch (option) {
    case RAW_OPTION_BROADCAST:
        socket->may_broadcast = value != 0;
        return 0;
    case RAW_OPTION_RECEIVE_BUFFER:
        return set_receive_buffer(socket, value);
    case RAW_OPTION_TTL:
        socket->ttl = (uint8_t)value;
        return 0;
    case RAW_OPTION_TOS:
        socket->tos = (uint8_t)value;
        return 0;
    case RAW_OPTION_MULTICAST_TTL:
        socket->multicast_ttl = (uint8_t)value;
        return 0;
    case RAW_OPTION_MULTICAST_LOOP:
        socket->loops_to_groups = value != 0;
        return 0;
    case RAW_OPTION_HEADER_INCLUDED:
        if (socket->kind != RAW_IP)
            return -ENOPROTOOPT;
        socket->has_header = value != 0;
        return 0;
    case RAW_OPTION_DONT_FRAGMENT:
        if (value >= IP_MTU_DISCOVER_COUNT)
            return -EINVAL;
        socket->dont_fragment = (uint8_t)value;
        return 0;
    }
    return -EINVAL;
}

int raw_get_option(const struct raw_socket *socket, enum raw_option option)
{
    switch (option) {
    case RAW_OPTION_BROADCAST:
        return socket->may_broadcast;
    case RAW_OPTION_RECEIVE_BUFFER:
        return (int)socket->receive_limit;
    case RAW_OPTION_TTL:
        return socket->ttl;
    case RAW_OPTION_TOS:
        return socket->tos;
    case RAW_OPTION_MULTICAST_TTL:
        return socket->multicast_ttl;
    case RAW_OPTION_MULTICAST_LOOP:
        return socket->loops_to_groups;
    case RAW_OPTION_HEADER_INCLUDED:
        return socket->has_header;
    case RAW_OPTION_DONT_FRAGMENT:
        return socket->dont_fragment;
    }
    return -EINVAL;
}
