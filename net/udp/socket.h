/* SPDX-License-Identifier: MIT */
/*
 * Inside of a UDP socket, for the files of this room.
 */
#pragma once

#include "net/udp/udp.h"
#include "net/wire/udp.h"

struct udp_socket {
    struct udp_socket *next;  /* in its bucket */
    struct udp_socket **link; /* what points at it; NULL: not bound */
    void *owner;
    udp_notify *notify;
    struct netif *netif;       /* bound to this interface, or NULL */
    struct netif *group_netif; /* packets to groups leave here, or NULL */
    struct udp_endpoint local;
    struct udp_endpoint remote; /* valid when connected */
    struct ip_route route;      /* to `remote`, cached */
    struct packet_queue queue;
    size_t receive_limit; /* bytes by true size */
    int send_buffer;
    int error; /* positive errno, 0 = none */
    uint8_t ttl;
    uint8_t tos;
    uint8_t multicast_ttl;
    uint8_t mtu_discover; /* enum ip_mtu_discover */
    bool loops_to_groups;
    bool is_open;
    bool is_connected;
    bool may_broadcast;
    bool reuses_address;
    /* Bound to "any" by connect or send only, and so unbound with it. */
    bool has_chosen_address;
};

/* As RFC 4113 names them. */
struct udp_counters {
    uint64_t in_datagrams;
    uint64_t no_ports;
    uint64_t in_errors;
    uint64_t receive_buffer_errors;
    uint64_t checksum_errors;
    uint64_t out_datagrams;
    uint64_t out_errors;
};

extern struct udp_counters udp_counters;

struct udp_ports {
    struct udp_socket *bucket[UDP_BUCKETS]; /* not connected, by their port */
    size_t connected_count;                 /* in another table */
};

extern struct udp_ports udp_ports;

/* The one socket on a port, bound to any address and any interface: the usual
 * case. NULL: udp_find() has to look. */
static inline struct udp_socket *udp_find_alone(uint16_t local_port)
{
    struct udp_socket *socket = udp_ports.bucket[local_port % UDP_BUCKETS];

    if (socket == NULL || socket->next != NULL ||
        udp_ports.connected_count != 0 || socket->local.port != local_port ||
        socket->netif != NULL || !ip_address_is_any(&socket->local.address))
        return NULL;
    return socket;
}

/* Who gets a datagram: the socket connected to the sender, else the most
 * specific one bound to the port. */
struct udp_socket *udp_find(const struct ip_receive_info *info,
                            uint16_t local_port, uint16_t remote_port);

/* The socket connected so, or NULL. */
struct udp_socket *udp_find_connected(const struct udp_endpoint *local,
                                      const struct udp_endpoint *remote);

/* The next socket, after `last` or from the beginning when NULL, that hears
 * group addresses on this port. */
struct udp_socket *udp_find_group(struct udp_socket *last,
                                  const struct ip_receive_info *info,
                                  uint16_t local_port);

/* Before sending: the way to `remote` (the connected peer when NULL), and a
 * port of our own. 0 or -errno. */
int udp_prepare(struct udp_socket *socket, const struct udp_endpoint *remote,
                struct ip_route *route) MUST_CHECK;

/* True size that all queues hold, and may hold. */
extern size_t udp_queued_size;
extern size_t udp_queued_limit;

/* Takes the first datagram out of the queue. */
struct packet *udp_dequeue(struct udp_socket *socket);

/* Records an error and tells the owner. */
void udp_fail(struct udp_socket *socket, int error);
