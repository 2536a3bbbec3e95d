/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many sockets at a cost that follows those that are ready, with
 * the meaning of Linux's epoll(7): level, edge (EPOLLET), EPOLLONESHOT. What
 * TCP and UDP tell puts a watch on the list of its epoll; waiting takes from
 * there. The caller owns the memory of both. Left out: an epoll in an epoll.
 */
#pragma once

#include "net/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* One socket in one epoll. */
struct epoll_watch {
    struct epoll *epoll;
    struct epoll_watch *next; /* of the same socket */
    struct epoll_watch *previous_ready;
    struct epoll_watch *next_ready;
    uint64_t data;
    uint32_t events; /* asked for, and how */
    int id;          /* of the socket */
};

/* All zero but for `release`, and `is_corked`, in the beginning. */
struct epoll {
    struct epoll_watch *first_ready; /* the one that has waited longest */
    struct epoll_watch *last_ready;
    bool is_corked; /* what is sent after a wait leaves with the next one */
    /* Gives a watch's memory back. App, lock held. */
    void (*release)(struct epoll_watch *watch);
};

/* Takes `watch`, which may hold anything, if it returns 0. -EBADF: no such
 * socket; -EEXIST: it is in there. */
int socket_epoll_add(struct epoll *epoll, struct epoll_watch *watch, int id,
                     const struct epoll_event *event) MUST_CHECK;

/* -EBADF, or -ENOENT: it is not in there. */
int socket_epoll_modify(struct epoll *epoll, int id,
                        const struct epoll_event *event) MUST_CHECK;
int socket_epoll_remove(struct epoll *epoll, int id) MUST_CHECK;

/* Up to `size` events, those first that have waited longest; 0 when none came
 * before the deadline (0: do not wait). */
int socket_epoll_wait(struct epoll *epoll, struct epoll_event *events, int size,
                      uint64_t deadline_ns) MUST_CHECK;

/* Is something on the list? It may turn out not to be ready any more. */
bool socket_epoll_may_be_ready(const struct epoll *epoll);

/* Releases every watch. Looks at every socket. */
void socket_epoll_close(struct epoll *epoll);
