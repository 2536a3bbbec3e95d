/* SPDX-License-Identifier: MIT */
/*
 * Raw, ping and packet sockets (raw(7), icmp(7), packet(7) of Linux): copies of
 * what passes by, and packets of the app's own making. Linked only by who calls
 * raw_init; while no such socket is open nothing on the way of a packet is
 * slower. Left out: filters on sockets, promiscuous mode, rings shared with
 * the app. Everything with the lock held, or softirq.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/address.h"
#include "net/link/netif.h"
#include "net/packet_pieces.h"

enum raw_kind {
    RAW_IP,           /* packets of one IP protocol, from the IP header on */
    RAW_PING,         /* ICMP echo, by identifier */
    RAW_FRAME,        /* whole frames of one interface, or of all */
    RAW_FRAME_COOKED, /* the same without the Ethernet header */
};

/* As in sockaddr_ll. */
enum raw_frame_type {
    RAW_TO_US,
    RAW_TO_ALL,
    RAW_TO_GROUP,
    RAW_TO_OTHER,
    RAW_OUTGOING,
};

enum {
    RAW_PROTOCOL_MADE = 255, /* RAW_IP: only sends, headers of its own */
    RAW_ETHERTYPE_ALL = 3,   /* as ETH_P_ALL */
    RAW_ETHERTYPE_NONE = 0,  /* hears nothing yet */
};

/* One end. IP and ping use the first two, frames the others. */
struct raw_address {
    struct ip_address ip;
    uint16_t identifier; /* ping */
    uint16_t ethertype;
    uint8_t type; /* enum raw_frame_type */
    bool has_hardware;
    struct ethernet_address hardware;
    struct netif *netif; /* NULL: any */
};

struct raw_socket;

enum raw_ready {
    RAW_READABLE = 1 << 0,
    RAW_WRITABLE = 1 << 1,
    RAW_FAILED = 1 << 2,
};

enum raw_option {
    RAW_OPTION_BROADCAST,
    RAW_OPTION_RECEIVE_BUFFER, /* bytes by true size */
    RAW_OPTION_TTL,
    RAW_OPTION_TOS,
    RAW_OPTION_MULTICAST_TTL,
    RAW_OPTION_MULTICAST_LOOP,
    RAW_OPTION_HEADER_INCLUDED,
    RAW_OPTION_DONT_FRAGMENT,
};

typedef void raw_notify(void *owner, uint32_t ready);

/* Takes the sockets. -ENOMEM. Boot. */
int raw_init(void) MUST_CHECK;

/* -ENOBUFS. `protocol`: of IP, or an ethertype. */
int raw_open(enum raw_kind kind, uint16_t protocol,
             struct raw_socket **socket) MUST_CHECK;
void raw_set_owner(struct raw_socket *socket, void *owner, raw_notify *notify);
void raw_close(struct raw_socket *socket);

/* -EADDRNOTAVAIL, -EADDRINUSE (ping). */
int raw_bind(struct raw_socket *socket,
             const struct raw_address *local) MUST_CHECK;
void raw_bind_netif(struct raw_socket *socket, struct netif *netif);

/* Where to groups leave what is not bound to an interface; NULL: by the table.
 * Not of frames. */
struct netif **raw_group_netif(struct raw_socket *socket);

/* NULL: from nobody in particular again. -EOPNOTSUPP (frames), -ENETUNREACH,
 * -EACCES. */
int raw_connect(struct raw_socket *socket,
                const struct raw_address *remote) MUST_CHECK;

/* To `remote`, or the connected end when NULL. The length, or -errno. */
int raw_send(struct raw_socket *socket, const struct raw_address *remote,
             const struct packet_piece *pieces, size_t count,
             uint64_t now_ns) MUST_CHECK;

/* The first packet's whole length, -EAGAIN, or the pending error. */
int raw_read(struct raw_socket *socket, const struct packet_room *rooms,
             size_t count, bool is_peek, struct raw_address *from) MUST_CHECK;
size_t raw_read_queued(const struct raw_socket *socket);

uint32_t raw_ready(const struct raw_socket *socket);
int raw_take_error(struct raw_socket *socket);
int raw_set_option(struct raw_socket *socket, enum raw_option option,
                   int value) MUST_CHECK;
int raw_get_option(const struct raw_socket *socket, enum raw_option option);

const struct raw_address *raw_local(const struct raw_socket *socket);
/* NULL: not connected. */
const struct raw_address *raw_remote(const struct raw_socket *socket);
enum raw_kind raw_kind_of(const struct raw_socket *socket);
uint16_t raw_protocol_of(const struct raw_socket *socket);

/* The path MTU to the connected end. */
uint32_t raw_path_mtu(const struct raw_socket *socket,
                      uint64_t now_ns) MUST_CHECK;

struct raw_counters {
    uint64_t received;
    uint64_t buffer_errors; /* the queue was full, or memory short */
    uint64_t sent;
};

extern struct raw_counters raw_counters;
