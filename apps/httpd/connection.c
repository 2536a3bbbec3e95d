/* SPDX-License-Identifier: MIT */
/*
 * Opening, closing, queueing, evicting. A connection costs a small struct;
 * its buffers come and go with its requests. At the limit, or when memory or
 * descriptors run out, the longest idle one makes room (a client will open
 * another), then the one that has waited longest with its request.
 */
#include "connection.h"

#include "buffer.h"
#include "clock.h"
#include "counters.h"
#include "exchange.h"
#include "limits.h"
#include "options.h"

#include <stdlib.h>
#include <unistd.h>

struct queue {
    struct connection *first;
    struct connection *last;
    uint64_t limit_ms;
};

static struct queue queues[QUEUE_COUNT];
static unsigned capacity;

_Static_assert(sizeof(struct connection) <= 256, "an idle connection is small");
_Static_assert(BUFFER_SIZE <= UINT16_MAX, "offsets fit");

void connections_init(const struct options *options)
{
    capacity = options->connections;
    queues[QUEUE_IDLE].limit_ms = options->idle_timeout_ms;
    queues[QUEUE_HEAD].limit_ms = options->header_timeout_ms;
    queues[QUEUE_SEND].limit_ms = options->send_timeout_ms;
    queues[QUEUE_LINGER].limit_ms = LINGER_MS;
}

static void queue_remove(struct connection *connection)
{
    struct queue *queue = &queues[connection->queue];

    if (connection->previous)
        connection->previous->next = connection->next;
    else
        queue->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    else
        queue->last = connection->previous;
    counters.idle -= connection->queue == QUEUE_IDLE;
}

static void queue_append(struct connection *connection, enum queue_kind kind)
{
    struct queue *queue = &queues[kind];

    connection->queue = kind;
    connection->deadline_ms = clock_turn_ms() + queue->limit_ms;
    connection->next = NULL;
    connection->previous = queue->last;
    if (queue->last)
        queue->last->next = connection;
    else
        queue->first = connection;
    queue->last = connection;
    counters.idle += kind == QUEUE_IDLE;
}

void connection_queue(struct connection *connection, enum queue_kind queue)
{
    queue_remove(connection);
    queue_append(connection, queue);
}

/* The one that can best be spared, other than `keep`; NULL if all are busy. */
static struct connection *find_spare(const struct connection *keep)
{
    static const enum queue_kind order[] = {QUEUE_IDLE, QUEUE_LINGER,
                                            QUEUE_HEAD};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct connection *oldest = queues[order[i]].first;

        if (oldest && oldest == keep)
            oldest = oldest->next;
        if (oldest)
            return oldest;
    }
    return NULL;
}

bool connections_evict(const struct connection *keep)
{
    struct connection *spare = find_spare(keep);

    if (!spare)
        return false;
    counters.evicted++;
    connection_close(spare);
    return true;
}

bool connections_have_room(void)
{
    return counters.open < capacity || find_spare(NULL);
}

bool connection_open(int descriptor, uint32_t address)
{
    struct connection *connection;

    if (counters.open >= capacity)
        connections_evict(NULL);
    connection = calloc(1, sizeof(*connection));
    if (!connection) {
        counters.short_of_memory++;
        if (connections_evict(NULL))
            connection = calloc(1, sizeof(*connection));
    }
    if (!connection) {
        close(descriptor);
        return false;
    }
    connection->address = address;
    connection->watch.descriptor = descriptor;
    connection->watch.ready = exchange_ready;
    if (!loop_watch(&connection->watch, LOOP_READ)) {
        close(descriptor);
        free(connection);
        return false;
    }
    counters.open++;
    counters.accepted++;
    queue_append(connection, QUEUE_HEAD);
    return true;
}

void connection_close(struct connection *connection)
{
    queue_remove(connection);
    loop_unwatch(&connection->watch);
    close(connection->watch.descriptor);
    body_release(&connection->body);
    buffer_give(connection->input);
    buffer_give(connection->output);
    free(connection);
    counters.open--;
}

int connections_timeout_ms(void)
{
    uint64_t now_ms = clock_turn_ms();
    uint64_t nearest = UINT64_MAX;

    for (size_t i = 0; i < QUEUE_COUNT; i++) {
        const struct connection *first = queues[i].first;

        if (first && first->deadline_ms < nearest)
            nearest = first->deadline_ms;
    }
    if (nearest == UINT64_MAX)
        return -1;
    return nearest <= now_ms ? 0 : (int)(nearest - now_ms);
}

void connections_expire(void)
{
    uint64_t now_ms = clock_turn_ms();

    for (size_t i = 0; i < QUEUE_COUNT; i++) {
        /* exchange_expire closes or queues anew: the first one changes. */
        while (queues[i].first && queues[i].first->deadline_ms <= now_ms)
            exchange_expire(queues[i].first);
    }
}
