/* SPDX-License-Identifier: MIT */
/*
 * BSD sockets (POSIX.1-2017 2.10) over tcp/ and udp/. Calls are named
 * after the ones they serve and mean what those mean on Linux; they take a
 * socket id instead of a descriptor and return 0, a count, or -errno. All run
 * in the app, without the lock: each takes it, and gives it back after the
 * stack has sent what the call made it owe.
 */
#pragma once

#include "net/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Takes the table of sockets. -ENOMEM. Boot. */
int socket_init(void) MUST_CHECK;

/* A new socket's id, small and >= 0. `type` may carry SOCK_NONBLOCK. */
int socket_open(int domain, int type, int protocol) MUST_CHECK;
int socket_bind(int id, const struct sockaddr *address,
                socklen_t length) MUST_CHECK;
int socket_listen(int id, int backlog) MUST_CHECK;

/* `flags`: SOCK_NONBLOCK. */
int socket_accept(int id, struct sockaddr *address, socklen_t *length,
                  int flags) MUST_CHECK;
int socket_connect(int id, const struct sockaddr *address,
                   socklen_t length) MUST_CHECK;
ssize_t socket_sendmsg(int id, const struct msghdr *message,
                       int flags) MUST_CHECK;
ssize_t socket_recvmsg(int id, struct msghdr *message, int flags) MUST_CHECK;

/* Several messages by one call: so many were done, or the error of the first.
 * The deadline is looked at after each message, as on Linux. */
struct mmsghdr;
int socket_sendmmsg(int id, struct mmsghdr *messages, unsigned count,
                    int flags) MUST_CHECK;
int socket_recvmmsg(int id, struct mmsghdr *messages, unsigned count, int flags,
                    uint64_t deadline_ns) MUST_CHECK;

/* Sends memory that never changes and never goes (files of the module)
 * without copying it: sendfile. TCP only (-EINVAL otherwise). */
ssize_t socket_send_static(int id, const void *bytes, size_t length,
                           int flags) MUST_CHECK;
int socket_shutdown(int id, int how) MUST_CHECK;
int socket_close(int id) MUST_CHECK;
int socket_getsockopt(int id, int level, int option, void *value,
                      socklen_t *length) MUST_CHECK;
int socket_setsockopt(int id, int level, int option, const void *value,
                      socklen_t length) MUST_CHECK;
int socket_getsockname(int id, struct sockaddr *address,
                       socklen_t *length) MUST_CHECK;
int socket_getpeername(int id, struct sockaddr *address,
                       socklen_t *length) MUST_CHECK;

int socket_set_nonblocking(int id, bool nonblocking) MUST_CHECK;
bool socket_is_nonblocking(int id);

/* FIONREAD: bytes a read would return now. */
int socket_readable_bytes(int id, int *bytes) MUST_CHECK;

/* SIOCOUTQ: bytes that are not acknowledged; SIOCOUTQNSD: not sent. */
int socket_written_bytes(int id, bool is_unsent, int *bytes) MUST_CHECK;

/* SIOCATMARK: 1 when the next byte is the last urgent one (sockatmark). */
int socket_at_mark(int id) MUST_CHECK;

/* The POLL* events of <poll.h> that hold now; POLLNVAL: no such socket. */
short socket_poll_events(int id);

/* The same for many sockets: the lock is taken once, and between begin and end
 * only socket_look() is called. End takes what begin returned. */
uint64_t socket_look_begin(void);
short socket_look(int id);
void socket_look_end(uint64_t now_ns);

/* To wait for any of many: read the generation, look at each, and sleep only
 * if it has not moved. It moves whenever some socket becomes ready. */
uint64_t socket_generation(void);
void socket_wait(uint64_t generation, uint64_t deadline_ns);

/* The same clock as every deadline here. */
uint64_t socket_now_ns(void);

/* Looks a host name up, waiting for DNS. IPv4 only; `addresses` in network
 * order. Returns how many were stored, or -errno: -ENOENT no such host,
 * -EAGAIN no server answered. */
int socket_resolve(const char *name, uint8_t (*addresses)[4],
                   size_t size) MUST_CHECK;

/* For leak checks. */
size_t socket_count_total(void);
size_t socket_count_free(void);
