/* SPDX-License-Identifier: MIT */
/*
 * The table of sockets, and how a call enters and leaves the stack. Private to
 * net/socket.
 */
#pragma once

#include "net/attributes.h"
#include "net/limits.h"
#include "net/tcp/tcp.h"
#include "net/udp/udp.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum socket_kind {
    SOCKET_FREE,
    SOCKET_STREAM,     /* TCP, neither listening nor connected yet */
    SOCKET_LISTENER,   /* TCP, after listen() */
    SOCKET_CONNECTION, /* TCP, after connect() or accept() */
    SOCKET_DATAGRAM,   /* UDP */
    SOCKET_RAW,        /* what socket_raw knows of */
};

struct epoll_watch;
struct raw_socket;
struct socket;
struct stream_draft;

/* Raw, ping and packet sockets, as raw.c hangs itself in: each call's half of
 * it, lock held. */
struct socket_family {
    int (*open)(struct socket *socket, int domain, int type, int protocol);
    void (*close)(struct socket *socket);
    int (*bind)(struct socket *socket, const struct sockaddr *address,
                socklen_t length);
    int (*connect)(struct socket *socket, const struct sockaddr *address,
                   socklen_t length);
    int (*name)(struct socket *socket, bool is_peer, struct sockaddr *address,
                socklen_t *length);
    ssize_t (*send)(struct socket *socket, const struct msghdr *message,
                    uint64_t now_ns);
    ssize_t (*receive)(struct socket *socket, struct msghdr *message, int flags,
                       uint64_t *now_ns);
    short (*poll_events)(const struct socket *socket);
    size_t (*queued)(const struct socket *socket);
    int (*set_option)(struct socket *socket, int level, int number,
                      const void *value, socklen_t length);
    int (*get_option)(struct socket *socket, int level, int number, int *value);
    int (*path_mtu)(const struct socket *socket, uint64_t now_ns);
};

/* NULL: the image has none of them. */
extern const struct socket_family *socket_raw;

/* MSG_ZEROCOPY, as zerocopy.c hangs itself in. Lock held. */
struct socket_zerocopy {
    /* SO_ZEROCOPY: 0, -EINVAL, -EOPNOTSUPP. */
    int (*set)(struct socket *socket, int value);
    /* MSG_ZEROCOPY: as stream_send(), or -ENOBUFS: too many sends are not
     * complete, or were not told. */
    ssize_t (*send)(struct socket *socket, const struct msghdr *message,
                    int flags, uint64_t *now_ns);
    /* Of one that has_lent: something is complete and was not told. */
    bool (*has_news)(const struct socket *socket);
    /* The same: recvmsg(MSG_ERRQUEUE), 0 or -EAGAIN. */
    ssize_t (*receive)(struct socket *socket, struct msghdr *message);
    /* The same: nobody reads what will be complete. */
    void (*close)(const struct socket *socket);
};

/* NULL: the image has none, and no socket lends. */
extern const struct socket_zerocopy *socket_zerocopy;

struct socket {
    union {
        struct tcp_listener *listener;
        struct tcp_connection *connection;
        struct udp_socket *udp;
        struct raw_socket *raw;
        struct stream_draft *draft; /* SOCKET_STREAM; NULL: told nothing */
    };
    struct epoll_watch *watches; /* in how many epolls it is */
    uint32_t receive_timeout_ms; /* 0: for ever (SO_RCVTIMEO) */
    uint32_t send_timeout_ms;
    uint32_t linger_s : 23;  /* SO_LINGER */
    bool sends_in_place : 1; /* SO_ZEROCOPY */
    uint8_t kind;            /* enum socket_kind */
    bool is_nonblocking : 1;
    bool is_bound : 1;
    bool is_connecting : 1; /* connect() has not told its result yet */
    bool reuse_address : 1;
    bool has_linger : 1;
    bool tells_queued : 1; /* TCP_INQ */
    bool read_shut : 1;    /* of datagrams; a stream's connection knows */
    bool write_shut : 1;
    uint32_t read_low : 23; /* SO_RCVLOWAT of streams; 0 is 1 */
    bool has_lent : 1;      /* zerocopy.c knows it, until it is closed */
};

_Static_assert(sizeof(struct socket) <= 32, "there are as many as clients");
_Static_assert(SOCKET_TIMEOUT_MAX_S < 1 << 23 && TCP_BUFFER_MAX < 1 << 23,
               "linger_s and read_low hold them");

/* A timeout that is over before it begins. */
#define SOCKET_TIMEOUT_NONE UINT32_MAX

/* App, lock held. NULL: no such socket. */
struct socket *socket_get(int id);

/* A free slot's id, or -EMFILE; and back. It is not seen under its id before
 * it is given a kind. */
int socket_take_slot(void) MUST_CHECK;
struct socket *socket_slot(int id);
void socket_free_slot(int id);

/* Is another socket bound here that does not listen or connect yet? Two that
 * both allow reuse do not hinder each other. A look at every socket: bind() is
 * rare. */
bool socket_is_bound_elsewhere(const struct socket *self,
                               const struct tcp_endpoint *local);

/* Every call: enter, work, leave. Entering takes the lock and reads the time;
 * leaving lets the stack send what is owed and gives the lock back. */
uint64_t socket_enter(void);
void socket_leave(uint64_t now_ns);
/* So many calls leave without sending; who sleeps, and every softirq, sends. */
void socket_hold(unsigned calls);

/* In between: sleeps until something may have changed, or the deadline.
 * Returns the time. */
uint64_t socket_sleep(uint64_t now_ns, uint64_t deadline_ns);

/* When a call that waits gives up: now + timeout, or never for 0. */
uint64_t socket_deadline(uint64_t now_ns, uint32_t timeout_ms);

/* The owner pointer given to TCP and UDP for a socket, and what they call with
 * it. */
void *socket_owner(struct socket *socket);
void socket_udp_notify(void *owner, uint32_t ready);
void socket_notify(void *owner, short events); /* POLL* */

/* It has no connection, and no stream. */
static inline bool socket_is_datagram(const struct socket *socket)
{
    return socket->kind >= SOCKET_DATAGRAM;
}

/* Walks over all sockets: `*id` is where to go on, 0 at first. */
bool socket_next(int *id, struct socket **socket);

/* --- epoll.c ------------------------------------------------------------ */

/* These POLL* events have just come true. Softirq, or app with the lock. */
void socket_wake(struct socket *socket, uint32_t events);

/* The socket goes away: no epoll knows it any more. */
void socket_unwatch(struct socket *socket);
