/* SPDX-License-Identifier: MIT */
/*
 * TCP (RFC 9293 and what it refers to) as the rest of net/ sees it: listeners
 * and connections for net/socket, four entries for net.c.
 *
 * Nothing here blocks, allocates or sends: calls note what is owed, and
 * tcp_run_pending(), which every entry into the stack makes before it calls
 * netif_flush(), sends it, once per touched connection. All of it runs in the
 * app with the platform lock held, or in a softirq; results are 0 or positive,
 * or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/address.h"
#include "net/ip/ip.h"
#include "net/packet.h"

struct tcp_connection;
struct tcp_listener;

struct tcp_endpoint {
    struct ip_address address;
    uint16_t port; /* host order; 0: any */
};

/* What poll() reports, and what the notify function is told. */
enum tcp_ready {
    TCP_READABLE = 1 << 0,    /* data or end of file to read, or an error */
    TCP_WRITABLE = 1 << 1,    /* a fair part of the send buffer is free */
    TCP_PEER_CLOSED = 1 << 2, /* FIN arrived: POLLRDHUP */
    TCP_HANGUP = 1 << 3,      /* both directions are over: POLLHUP */
    TCP_FAILED = 1 << 4,      /* tcp_take_error() has something: POLLERR */
    TCP_ACCEPTABLE = 1 << 5,  /* listener: tcp_accept() has something */
    TCP_URGENT = 1 << 6,      /* urgent data not read yet: POLLPRI */
};

/* Options, in the units of Linux's setsockopt. On a listener they are what
 * accepted connections start with. */
enum tcp_option {
    TCP_OPTION_SEND_BUFFER,    /* bytes of payload */
    TCP_OPTION_RECEIVE_BUFFER, /* bytes, bounds the window offered */
    TCP_OPTION_NO_DELAY,
    TCP_OPTION_CORK,
    TCP_OPTION_QUICK_ACK,
    TCP_OPTION_KEEP_ALIVE,
    TCP_OPTION_KEEP_IDLE_S,
    TCP_OPTION_KEEP_INTERVAL_S,
    TCP_OPTION_KEEP_COUNT,
    TCP_OPTION_USER_TIMEOUT_MS,
    TCP_OPTION_MAXIMUM_SEGMENT, /* get: the effective send MSS */
    TCP_OPTION_SYN_COUNT,
    TCP_OPTION_DEFER_ACCEPT_S, /* listener: accept with the first data */
    TCP_OPTION_LINGER2_S,      /* life of an orphan in FIN-WAIT-2 */
    TCP_OPTION_TTL,
    TCP_OPTION_TOS,
    TCP_OPTION_MTU_DISCOVER, /* enum ip_mtu_discover */
    TCP_OPTION_CONGESTION,   /* a number of tcp_congestion_number() */
    TCP_OPTION_UNSENT_LOW,   /* bytes beyond what may be sent; 0: any number */
    /* Set alone: what a receive buffer that was not set grows to; the result
     * is what it holds then. */
    TCP_OPTION_RECEIVE_LEAST,
    TCP_OPTION_COUNT,
};

enum tcp_state {
    TCP_CLOSED,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_STATE_COUNT,
};

/* --- for net.c ---------------------------------------------------------- */

/* Takes all memory TCP will ever use, by platform_memory_size(). -ENOMEM. */
int tcp_init(void) MUST_CHECK;

/* The struct ip_transport entries for protocol 6. */
void tcp_receive(struct packet *packet, uint64_t now_ns);
void tcp_error(const struct ip_error_info *info, uint64_t now_ns);

/* Sends what the connections touched since the last call owe, and all else
 * that was left for it: most entries into the stack leave nothing. */
extern bool tcp_is_owed; /* pending.c's */
void tcp_run_owed(uint64_t now_ns);
static inline void tcp_run_pending(uint64_t now_ns)
{
    if (tcp_is_owed)
        tcp_run_owed(now_ns);
}

/* One named setting: `ipv4.tcp_...` as Linux's sysctl, or `tcp_...` alone.
 * -ENOENT; -EINVAL after saying in the log what it takes. */
int tcp_set(const char *name, const char *value) MUST_CHECK;

void tcp_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context);

/* --- for net/socket ----------------------------------------------------- */

/* `notify` is told the enum tcp_ready bits that have just become true for
 * `owner` (never NULL). It may be called from inside any function here, and
 * must not call back into TCP. */
void tcp_set_notify(void (*notify)(void *owner, uint32_t ready));

/* May a socket be bound here? Chooses a port when it is 0. Nothing is
 * reserved: the socket that is bound is. -EADDRINUSE. */
int tcp_bind_check(struct tcp_endpoint *local, bool reuse_address) MUST_CHECK;

/* The port must be chosen. -EADDRINUSE, -ENOBUFS. */
int tcp_listen(const struct tcp_endpoint *local, int backlog,
               bool reuse_address, void *owner,
               struct tcp_listener **listener) MUST_CHECK;
/* Connections that wait to be accepted, and how many may. */
void tcp_listener_count(const struct tcp_listener *listener, uint32_t *waiting,
                        uint32_t *backlog);
void tcp_listener_set_backlog(struct tcp_listener *listener, int backlog);

/* Ends it: connections not yet accepted are reset (RFC 9293 3.10.4). */
void tcp_listener_close(struct tcp_listener *listener);

/* The next connection that is established, or NULL. It now belongs to
 * `owner`, until tcp_close or tcp_abort. */
struct tcp_connection *tcp_accept(struct tcp_listener *listener,
                                  void *owner) MUST_CHECK;

/* Starts to connect. `local` may have any address and port 0. `from`, which
 * may be NULL, are options as tcp_options_init() and tcp_options_set() made
 * them. TCP_WRITABLE tells success, TCP_FAILED the contrary. -ENETUNREACH,
 * -EADDRNOTAVAIL (no port free, or this one not), -ENOBUFS, -EINVAL. */
struct tcp_options;
int tcp_connect(const struct tcp_endpoint *local,
                const struct tcp_endpoint *remote,
                const struct tcp_options *from, void *owner, uint64_t now_ns,
                struct tcp_connection **connection) MUST_CHECK;

enum tcp_write_flags {
    TCP_WRITE_MORE = 1 << 0, /* MSG_MORE: hold back a partial segment */
    /* The bytes stay where they are, unchanged, for ever (a file of the
     * module): they are sent from there, not copied. */
    TCP_WRITE_STATIC = 1 << 1,
    TCP_WRITE_URGENT = 1 << 2, /* MSG_OOB: urgent to the last of them */
    TCP_WRITE_REST = 1 << 3,   /* of a call that wrote: see TCP_READ_REST */
    /* MSG_EOR: what follows the last of them begins a segment. */
    TCP_WRITE_RECORD = 1 << 4,
    /* From this bit on, with TCP_WRITE_STATIC: the loan (net/loan.h) that the
     * bytes are of, which stay unchanged until it is given back. */
    TCP_WRITE_LOAN_SHIFT = 8,
};

/* Queues as many bytes as fit. Positive, or -EAGAIN (full, or connecting),
 * -EPIPE, -ENOTCONN, or the connection's error. */
int tcp_write(struct tcp_connection *connection, const void *bytes,
              size_t length, uint32_t flags, uint64_t now_ns) MUST_CHECK;

enum tcp_read_flags {
    TCP_READ_PEEK = 1 << 0,
    TCP_READ_DISCARD = 1 << 1, /* MSG_TRUNC: bytes may be NULL */
    /* The call has read before, and will not tell of an error: it stays. */
    TCP_READ_REST = 1 << 2,
};

/* Copies out. 0 at the end of file, -EAGAIN when there is nothing yet, or
 * the connection's error. */
int tcp_read(struct tcp_connection *connection, void *bytes, size_t length,
             uint32_t flags, uint64_t now_ns) MUST_CHECK;

/* The same for MSG_PEEK into several pieces: copies from `skip` bytes further
 * on, which were looked at before; 0: no more come, or urgent ones do. */
int tcp_peek(struct tcp_connection *connection, size_t skip, void *bytes,
             size_t length) MUST_CHECK;

/* SIOCATMARK: the next byte is the last urgent one. Reads stop here once. */
bool tcp_is_at_mark(const struct tcp_connection *connection);

/* -ENOTCONN when it is not connected. */
int tcp_shutdown(struct tcp_connection *connection, bool read,
                 bool write) MUST_CHECK;

/* The owner lets go: what is queued is still delivered, then FIN; unread data
 * makes it a reset (RFC 2525 2.17). The pointer is dead afterwards. To linger
 * (SO_LINGER), first shut down writing and wait until tcp_write_queued() is 0;
 * with a linger time of 0, or when it is over, use tcp_abort. */
void tcp_close(struct tcp_connection *connection, uint64_t now_ns);

/* The owner lets go with a reset. The pointer is dead afterwards. */
void tcp_abort(struct tcp_connection *connection);

/* What is not ready now will be notified when it is. */
uint32_t tcp_ready(struct tcp_connection *connection);
uint32_t tcp_listener_ready(const struct tcp_listener *listener);

/* SO_ERROR: a positive errno, or 0; forgets it. */
int tcp_take_error(struct tcp_connection *connection);

enum tcp_state tcp_get_state(const struct tcp_connection *connection);
const char *tcp_state_name(enum tcp_state state);
struct tcp_endpoint tcp_local(const struct tcp_connection *connection);
struct tcp_endpoint tcp_remote(const struct tcp_connection *connection);
struct tcp_endpoint tcp_listener_local(const struct tcp_listener *listener);
size_t tcp_read_queued(const struct tcp_connection *connection);
size_t tcp_write_queued(const struct tcp_connection *connection); /* unacked */
size_t tcp_write_unsent(const struct tcp_connection *connection);
/* What was received is all that can come before some of it is read, or nearly:
 * to wait for more could be in vain. */
bool tcp_receive_is_full(const struct tcp_connection *connection);
/* TCP_CM_INQ: bytes to be read, and one more when the end has come. */
int tcp_read_hint(const struct tcp_connection *connection);

/* -EINVAL: not a value it takes; -ENOPROTOOPT. */
int tcp_set_option(struct tcp_connection *connection, enum tcp_option option,
                   int value, uint64_t now_ns) MUST_CHECK;
int tcp_get_option(const struct tcp_connection *connection,
                   enum tcp_option option);

/* Options of their own, for a socket that is not connected or listens. */
struct tcp_options {
    uint32_t send_buffer;
    uint32_t receive_buffer;
    uint32_t user_timeout_ms;
    uint32_t unsent_low;
    uint16_t keep_idle_s;
    uint16_t keep_interval_s;
    uint16_t maximum_segment; /* 0: by the path */
    uint16_t linger2_s;       /* 0: none */
    uint8_t keep_count;
    uint8_t syn_count;
    uint8_t defer_accept; /* in waits for the SYN-ACK; 0: do not */
    uint8_t ttl;          /* 0: the default */
    uint8_t tos;
    uint8_t congestion;
    uint8_t mtu_discover;       /* enum ip_mtu_discover */
    bool send_buffer_fixed : 1; /* set by the app: not grown */
    bool receive_buffer_fixed : 1;
    bool no_delay : 1;
    bool cork : 1;
    bool keep_alive : 1;
    bool quick_ack : 1;   /* every segment is acknowledged at once */
    bool delayed_ack : 1; /* the first ones are not, either */
};

void tcp_options_init(struct tcp_options *options);
int tcp_options_set(struct tcp_options *options, enum tcp_option option,
                    int value) MUST_CHECK;
int tcp_options_get(const struct tcp_options *options, enum tcp_option option);
struct tcp_options *tcp_listener_options(struct tcp_listener *listener);
const struct tcp_options *
tcp_connection_options(const struct tcp_connection *connection);

/* Congestion control by name ("cubic"), for TCP_CONGESTION: -ENOENT. */
int tcp_congestion_number(const char *name) MUST_CHECK;
const char *tcp_congestion_name(int number);

/* A look at one connection, for /status, TCP_INFO and tests. */
enum { TCP_THRESHOLD_NONE = 1 << 30 };

struct tcp_status {
    enum tcp_state state;
    struct tcp_endpoint local;
    struct tcp_endpoint remote;
    uint64_t rtt_ns; /* smoothed; 0 before the first sample */
    uint64_t rtt_variation_ns;
    uint64_t rto_ns;
    uint32_t congestion_window;    /* bytes */
    uint32_t slow_start_threshold; /* TCP_THRESHOLD_NONE: never reduced */
    uint32_t send_window;
    uint32_t receive_window;
    uint32_t flight; /* bytes sent and not acknowledged */
    uint32_t sacked; /* of them */
    uint32_t lost;   /* of them, not sent again yet */
    uint32_t read_queued;
    uint32_t write_queued;
    uint32_t retransmits; /* segments, in its whole life */
    /* When it last was, in milliseconds modulo 2^32. */
    uint32_t data_sent_ms; /* 0: never */
    uint32_t heard_ms;     /* a segment that was acceptable */
    uint32_t text_ms;      /* text that came, or it was established */
    uint64_t bytes_acknowledged;
    uint64_t bytes_received;
    uint64_t bytes_again; /* sent, with SACK */
    uint32_t segments_in;
    uint32_t segments_out;
    uint32_t text_in; /* of them, with text */
    uint32_t text_out;
    uint32_t unsent;
    uint32_t again; /* of the flight, sent again */
    uint32_t rtt_least_us;
    uint32_t dsacks;
    uint32_t reorderings;
    uint32_t reordered_most; /* bytes */
    uint32_t receive_limit;  /* the most that is offered */
    uint32_t path_mtu;
    uint16_t send_mss;
    uint16_t announced_mss;
    uint16_t receive_mss; /* the largest segment seen */
    uint8_t send_scale;
    uint8_t receive_scale;
    uint8_t timeouts; /* of the retransmission timer, in a row */
    uint8_t probes;   /* keep-alive or window probes not answered */
    uint8_t backoff;
    bool is_recovering;
    bool is_reducing; /* for a mark (RFC 3168), within the same window */
    bool has_gaps;    /* the peer holds something beyond what it acknowledges */
    bool has_timestamps;
    bool has_sack;
    bool has_ecn;
    bool is_orphan;
};

void tcp_get_status(const struct tcp_connection *connection,
                    struct tcp_status *status);

/* Every listener, connection and TIME-WAIT there is; as CLOSED those that
 * are over (or are TIME-WAITs now) while an app still holds them. */
void tcp_visit_connections(void (*visit)(void *context,
                                         const struct tcp_status *status),
                           void *context);
