/* SPDX-License-Identifier: MIT */
/*
 * One raw socket, and what the files of net/raw share. Private to net/raw.
 */
#pragma once

#include "net/ip/ip.h"
#include "net/packet.h"
#include "net/raw/raw.h"

struct raw_socket {
    struct raw_socket *next; /* of those open */
    void *owner;
    raw_notify *notify;
    struct netif *netif;       /* bound to, or NULL */
    struct netif *group_netif; /* to groups, or NULL */
    struct raw_address local;
    struct raw_address remote; /* valid when connected */
    /* RAW_IP, RAW_PING: whom it spoke to last, so that errors about that are
     * believed and others are not. */
    struct ip_address spoken_to;
    struct packet_queue queue;
    size_t receive_limit;
    int error; /* positive errno, 0 = none */
    uint16_t protocol;
    uint8_t kind; /* enum raw_kind */
    uint8_t ttl;
    uint8_t tos;
    uint8_t multicast_ttl;
    bool loops_to_groups;
    uint8_t dont_fragment; /* IP_MTU_DISCOVER's number */
    bool is_connected;
    bool is_bound;
    bool may_broadcast;
    bool has_header; /* IP_HDRINCL */
};

/* Those open, the newest first. */
extern struct raw_socket *raw_sockets;

/* True size that all queues hold, and may hold. */
extern size_t raw_queued_size;
extern size_t raw_queued_limit;

/* Hangs both watchers in, or takes them out. */
void raw_watch(bool has_ip, bool has_frames);

/* A packet of these bytes behind `headroom` bytes, the first
 * RAW_LINEAR_BYTES of them linear; NULL when memory is short. */
struct packet *raw_build(const struct packet_piece *pieces, size_t count,
                         size_t headroom) MUST_CHECK;

/* Memory that a packet of `length` bytes takes when built so. */
size_t raw_true_size(size_t length, size_t headroom);

/* Takes the first packet out of the queue. */
struct packet *raw_dequeue(struct raw_socket *socket);

/* The identifier of a ping socket that has none yet. -EADDRINUSE. */
int raw_choose_identifier(struct raw_socket *socket) MUST_CHECK;

/* The way to `remote`, as far as the socket may go it. */
int raw_route(const struct raw_socket *socket, const struct ip_address *remote,
              struct ip_route *route) MUST_CHECK;
