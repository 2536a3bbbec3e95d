/* SPDX-License-Identifier: MIT */
/*
 * UDP (RFC 768, RFC 1122 4.1) as sockets and services see it. A socket is
 * taken from a pool, bound, perhaps connected, and closed. Datagrams wait in
 * a queue bounded by true size; the owner is told through `notify`. Nothing
 * here blocks. All functions: softirq, or app with the lock held; results are
 * 0 or positive, or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/address.h"
#include "net/ip/ip.h"
#include "net/packet.h"
#include "net/packet_pieces.h"

struct udp_socket;

struct udp_endpoint {
    struct ip_address address;
    uint16_t port; /* host order; 0: any */
};

enum udp_ready {
    UDP_READABLE = 1 << 0, /* a datagram waits */
    UDP_WRITABLE = 1 << 1, /* always: sending never waits */
    UDP_FAILED = 1 << 2,   /* udp_take_error() has something */
};

enum udp_option {
    UDP_OPTION_BROADCAST,      /* may send to broadcast addresses */
    UDP_OPTION_RECEIVE_BUFFER, /* bytes by true size */
    UDP_OPTION_SEND_BUFFER,    /* kept for getsockopt: nothing is queued */
    UDP_OPTION_REUSE_ADDRESS,
    UDP_OPTION_TTL, /* -1: the default */
    UDP_OPTION_TOS,
    UDP_OPTION_MTU_DISCOVER, /* enum ip_mtu_discover */
    /* 0 (not beyond this host) to 255; -1: 1 again (RFC 1112 6.1). */
    UDP_OPTION_MULTICAST_TTL,
    UDP_OPTION_MULTICAST_LOOP, /* our own members hear it, too */
};

/* Called with what each datagram or error makes true, from inside udp_receive
 * and udp_error only. It may read from, send on and close this very socket. */
typedef void udp_notify(void *owner, uint32_t ready);

/* -ENOBUFS when all sockets are taken. `notify` may be NULL. */
int udp_open(void *owner, udp_notify *notify,
             struct udp_socket **socket) MUST_CHECK;

/* Drops what is queued; the pointer is dead afterwards. */
void udp_close(struct udp_socket *socket);

/* Address any and port 0 (then one is chosen) are fine; bound to a group, a
 * socket hears that group alone and sends from any address. -EADDRINUSE,
 * -EADDRNOTAVAIL, -EINVAL when bound already. */
int udp_bind(struct udp_socket *socket,
             const struct udp_endpoint *local) MUST_CHECK;

/* Keeps the socket to one interface, addresses or not (DHCP). */
void udp_bind_netif(struct udp_socket *socket, struct netif *netif);

/* The interface by which packets to groups leave; NULL: none in particular.
 * -EINVAL when the socket is kept to another. */
int udp_set_group_netif(struct udp_socket *socket,
                        struct netif *netif) MUST_CHECK;
struct netif *udp_group_netif(const struct udp_socket *socket);

/* Fixes the peer: others are no longer heard, ICMP errors are. Binds if it is
 * not bound. Port 0 is nobody's: that way an app learns which address of ours
 * it would send from. -ENETUNREACH, -EACCES (broadcast not allowed). */
int udp_connect(struct udp_socket *socket,
                const struct udp_endpoint *remote) MUST_CHECK;
void udp_disconnect(struct udp_socket *socket);

/* Sends one datagram to `remote`, or to the connected peer when NULL. Returns
 * `length`; -EDESTADDRREQ, -EMSGSIZE, -ENETUNREACH, -EACCES, -ENOBUFS, or the
 * pending error of the socket. */
int udp_send(struct udp_socket *socket, const struct udp_endpoint *remote,
             const void *bytes, size_t length, uint64_t now_ns) MUST_CHECK;

/* As above, of several pieces. */
int udp_send_pieces(struct udp_socket *socket,
                    const struct udp_endpoint *remote,
                    const struct packet_piece *pieces, size_t count,
                    uint64_t now_ns) MUST_CHECK;

enum udp_read_flags {
    UDP_READ_PEEK = 1 << 0,
};

/* Copies the first datagram out. Returns its whole length, which may exceed
 * `length` (the rest is lost); -EAGAIN when there is none, or the pending
 * error. `remote` and `local` (the address it was sent to), if not NULL, are
 * filled in. */
int udp_read(struct udp_socket *socket, void *bytes, size_t length,
             uint32_t flags, struct udp_endpoint *remote,
             struct udp_endpoint *local) MUST_CHECK;

/* As above, into several pieces of memory. */
int udp_read_rooms(struct udp_socket *socket, const struct packet_room *rooms,
                   size_t count, uint32_t flags, struct udp_endpoint *remote,
                   struct udp_endpoint *local) MUST_CHECK;

/* IP_MTU: of the way to the connected peer. */
uint32_t udp_path_mtu(const struct udp_socket *socket, uint64_t now_ns);

uint32_t udp_ready(const struct udp_socket *socket);

/* SO_ERROR: a positive errno, or 0; forgets it. */
int udp_take_error(struct udp_socket *socket);

/* -EINVAL: not a value it takes. */
int udp_set_option(struct udp_socket *socket, enum udp_option option,
                   int value) MUST_CHECK;
int udp_get_option(const struct udp_socket *socket, enum udp_option option);

struct udp_endpoint udp_local(const struct udp_socket *socket);
struct udp_endpoint udp_remote(const struct udp_socket *socket);
bool udp_is_connected(const struct udp_socket *socket);

/* Of the next datagram: its length, and when it was received. */
size_t udp_read_queued(const struct udp_socket *socket);
uint64_t udp_read_time_ns(const struct udp_socket *socket);

/* --- for net.c ---------------------------------------------------------- */

int udp_init(void) MUST_CHECK;
void udp_receive(struct packet *packet, uint64_t now_ns);
void udp_error(const struct ip_error_info *info, uint64_t now_ns);
void udp_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context);
