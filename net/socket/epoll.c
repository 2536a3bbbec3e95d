/* SPDX-License-Identifier: MIT */
/*
 * See epoll.h. A watch on the list of the ready may have become unready since:
 * only waiting looks. A level-triggered one goes back to the list's end when it
 * has been reported, so that those behind it get their turn; it leaves when a
 * later look finds nothing.
 */
#include "net/socket/epoll.h"
#include "net/socket/socket.h"
#include "net/socket/table.h"

#include <errno.h>

/* How to report, not what. */
#define EPOLL_MANNER                                                           \
    ((uint32_t)EPOLLET | (uint32_t)EPOLLONESHOT | (uint32_t)EPOLLWAKEUP |      \
     (uint32_t)EPOLLEXCLUSIVE)
/* Reported whether asked for or not. */
#define EPOLL_ALWAYS ((uint32_t)EPOLLERR | (uint32_t)EPOLLHUP)

static bool is_queued(const struct epoll_watch *watch)
{
    return watch->previous_ready != NULL || watch->epoll->first_ready == watch;
}

static void queue(struct epoll_watch *watch)
{
    struct epoll *epoll = watch->epoll;

    watch->previous_ready = epoll->last_ready;
    watch->next_ready = NULL;
    if (epoll->last_ready != NULL)
        epoll->last_ready->next_ready = watch;
    else
        epoll->first_ready = watch;
    epoll->last_ready = watch;
}

static void unqueue(struct epoll_watch *watch)
{
    struct epoll *epoll = watch->epoll;

    if (watch->previous_ready != NULL)
        watch->previous_ready->next_ready = watch->next_ready;
    else
        epoll->first_ready = watch->next_ready;
    if (watch->next_ready != NULL)
        watch->next_ready->previous_ready = watch->previous_ready;
    else
        epoll->last_ready = watch->previous_ready;
    watch->previous_ready = NULL;
}

static void arm(struct epoll_watch *watch, const struct epoll_event *event)
{
    watch->data = event->data.u64;
    watch->events = event->events | EPOLL_ALWAYS;
}

static uint32_t look(const struct epoll_watch *watch)
{
    return (uint16_t)socket_look(watch->id) & watch->events;
}

static void queue_if_ready(struct epoll_watch *watch)
{
    if (!is_queued(watch) && look(watch) != 0)
        queue(watch);
}

void socket_wake(struct socket *socket, uint32_t events)
{
    struct epoll_watch *watch = socket->watches;

    for (; watch != NULL; watch = watch->next) {
        if ((watch->events & events & ~EPOLL_MANNER) != 0 && !is_queued(watch))
            queue(watch);
    }
}

/* The place of this epoll's watch in the socket's list, or of its end. */
static struct epoll_watch **find(struct socket *socket,
                                 const struct epoll *epoll)
{
    struct epoll_watch **place = &socket->watches;

    while (*place != NULL && (*place)->epoll != epoll)
        place = &(*place)->next;
    return place;
}

static void release_at(struct epoll_watch **place)
{
    struct epoll_watch *watch = *place;

    *place = watch->next;
    if (is_queued(watch))
        unqueue(watch);
    watch->epoll->release(watch);
}

void socket_unwatch(struct socket *socket)
{
    while (socket->watches != NULL)
        release_at(&socket->watches);
}

int socket_epoll_add(struct epoll *epoll, struct epoll_watch *watch, int id,
                     const struct epoll_event *event)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL)
        result = *find(socket, epoll) != NULL ? -EEXIST : 0;
    if (result == 0) {
        *watch = (struct epoll_watch){
            .epoll = epoll, .next = socket->watches, .id = id};
        socket->watches = watch;
        arm(watch, event);
        queue_if_ready(watch);
    }
    socket_leave(now_ns);
    return result;
}

/* `event` NULL: away with it. */
static int change(struct epoll *epoll, int id, const struct epoll_event *event)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    struct epoll_watch **place;
    int result = -EBADF;

    if (socket != NULL) {
        place = find(socket, epoll);
        result = *place != NULL ? 0 : -ENOENT;
        if (result == 0 && event != NULL) {
            arm(*place, event);
            queue_if_ready(*place);
        } else if (result == 0) {
            release_at(place);
        }
    }
    socket_leave(now_ns);
    return result;
}

int socket_epoll_modify(struct epoll *epoll, int id,
                        const struct epoll_event *event)
{
    return change(epoll, id, event);
}

int socket_epoll_remove(struct epoll *epoll, int id)
{
    return change(epoll, id, NULL);
}

/* Once through the list, at most: `again` is the first that went back. */
static int take_ready(struct epoll *epoll, struct epoll_event *events, int size)
{
    const struct epoll_watch *again = NULL;
    struct epoll_watch *watch;
    int count = 0;

    while (count < size && (watch = epoll->first_ready) != NULL &&
           watch != again) {
        uint32_t happened = look(watch);

        unqueue(watch);
        if (happened == 0)
            continue;
        events[count].events = happened;
        events[count++].data.u64 = watch->data;
        if ((watch->events & (uint32_t)EPOLLONESHOT) != 0) {
            watch->events &= EPOLL_MANNER;
        } else if ((watch->events & (uint32_t)EPOLLET) == 0) {
            queue(watch);
            again = again != NULL ? again : watch;
        }
    }
    return count;
}

int socket_epoll_wait(struct epoll *epoll, struct epoll_event *events, int size,
                      uint64_t deadline_ns)
{
    uint64_t now_ns = socket_enter();
    int count = take_ready(epoll, events, size);

    socket_hold(0);
    while (count == 0 && now_ns < deadline_ns) {
        now_ns = socket_sleep(now_ns, deadline_ns);
        count = take_ready(epoll, events, size);
    }
    socket_leave(now_ns);
    if (epoll->is_corked && count != 0)
        socket_hold(SOCKET_CALLS_HELD);
    return count;
}

bool socket_epoll_may_be_ready(const struct epoll *epoll)
{
    return epoll->first_ready != NULL;
}

void socket_epoll_close(struct epoll *epoll)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket;

    for (int id = 0; socket_next(&id, &socket);) {
        struct epoll_watch **place = find(socket, epoll);

        if (*place != NULL)
            release_at(place);
    }
    socket_leave(now_ns);
}
