/* SPDX-License-Identifier: MIT */
/*
 * One connection's conversation (RFC 9112 9): read a head, discard its body,
 * answer, again. Pipelined answers are collected in one buffer and leave with
 * one send. Nothing here waits: a peer that does not read is left alone until
 * it does, or until its time is over.
 */
#include "exchange.h"

#include "access_log.h"
#include "buffer.h"
#include "clock.h"
#include "content.h"
#include "counters.h"
#include "limits.h"
#include "output.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define container_of(pointer, type, member)                                    \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Where bytes go that nobody wants. */
static char scratch[4096];

/* After an answer that leaves the client's bytes unread. Closing at once
 * would make TCP send a reset, which can overtake the answer and destroy it
 * (RFC 9112 9.6). */
static void close_with_linger(struct connection *connection)
{
    connection->is_closing = true;
    connection->is_lingering = true;
}

static void refuse(struct connection *connection, const struct request *request,
                   int status)
{
    struct response response = {.is_closing = true};

    response_set_error(&response, status, request->problem);
    close_with_linger(connection);
    output_response(connection, request, &response);
}

/* Refuses what did not even become a head. */
static void refuse_bytes(struct connection *connection, int status,
                         const char *problem)
{
    struct request request = {.minor = 1, .problem = problem};

    if (connection->input) {
        request.line.bytes = connection->input + connection->input_start;
        while (request.line.length < connection->input_length &&
               request.line.length < 256 &&
               request.line.bytes[request.line.length] != '\r' &&
               request.line.bytes[request.line.length] != '\n')
            request.line.length++;
    }
    refuse(connection, &request, status);
}

static void consume(struct connection *connection, size_t length)
{
    connection->input_start = (uint16_t)(connection->input_start + length);
    connection->input_length = (uint16_t)(connection->input_length - length);
    connection->scanned = 0;
}

/* The request's body, as far as it is in the buffer behind its head. */
static void discard_body(struct connection *connection, size_t head_length)
{
    char *after = connection->input + connection->input_start + head_length;
    size_t available = connection->input_length - head_length;
    size_t taken = available < connection->discard
                       ? available
                       : (size_t)connection->discard;

    memmove(after, after + taken, available - taken);
    connection->input_length = (uint16_t)(connection->input_length - taken);
    connection->discard -= taken;
    connection->is_body_read = connection->discard == 0;
}

static void answer(struct connection *connection, const struct request *request)
{
    const struct prepared *prepared = prepared_find(request);
    struct response response = {.status = 500};

    connection->is_answered = true;
    if (!request->is_kept_alive)
        connection->is_closing = true;
    if (prepared && output_prepared(connection, request, prepared))
        return;
    content_answer(request, clock_turn_time(), &response);
    response.is_closing = connection->is_closing;
    output_response(connection, request, &response);
}

/* A complete head is in the buffer. False if its body has yet to come. */
static bool take_request(struct connection *connection, size_t head_length)
{
    struct request request;
    int status = request_parse(
        &request, connection->input + connection->input_start, head_length);

    if (status != 0) {
        refuse(connection, &request, status);
        return true;
    }
    if (request.content_length > 0 && !connection->is_body_read) {
        /* RFC 9110 10.1.1: a final answer instead of 100; whether the body
         * will come nevertheless is not known, so the connection ends. */
        if (request.expects_continue && request.method == METHOD_OTHER) {
            close_with_linger(connection);
            answer(connection, &request);
            return true;
        }
        connection->discard = request.content_length;
        discard_body(connection, head_length);
        if (request.expects_continue && connection->discard > 0)
            output_continue(connection);
        return connection->is_body_read;
    }
    answer(connection, &request);
    connection->is_body_read = false;
    consume(connection, head_length);
    return true;
}

/* RFC 9112 2.2: an empty line before a request is skipped. */
static void skip_empty_lines(struct connection *connection)
{
    const char *bytes = connection->input + connection->input_start;

    while (connection->input_length >= 2 && bytes[0] == '\r' &&
           bytes[1] == '\n') {
        consume(connection, 2);
        bytes += 2;
    }
}

static void refuse_full_buffer(struct connection *connection)
{
    if (memchr(connection->input, '\n', connection->input_length))
        refuse_bytes(connection, 431, "The headers are too large.");
    else
        refuse_bytes(connection, 414, "The request line is too long.");
}

/* One step with the bytes in hand; false if more are needed. */
static bool step(struct connection *connection)
{
    size_t scanned;
    enum head_state state;
    const char *bytes;

    if (connection->discard > 0)
        return false;
    if (!connection->is_body_read)
        skip_empty_lines(connection);
    bytes = connection->input + connection->input_start;
    if (connection->input_length == 0 ||
        (connection->input_length == 1 && bytes[0] == '\r'))
        return false;
    scanned = connection->is_body_read ? 0 : connection->scanned;
    state = request_find_end(bytes, connection->input_length, &scanned);
    connection->scanned = (uint16_t)scanned;
    if (state == HEAD_COMPLETE)
        return take_request(connection, scanned);
    if (state == HEAD_MALFORMED) {
        refuse_bytes(connection, 400, "This is no HTTP request.");
        return true;
    }
    if (connection->input_length < BUFFER_SIZE)
        return false;
    refuse_full_buffer(connection);
    return true;
}

/* Everything is sent and nothing more can be answered: wait for input, with
 * all of the buffer's room before it. */
static void await_input(struct connection *connection)
{
    bool is_between = connection->input_length == 0 &&
                      connection->discard == 0 && !connection->is_body_read;

    if (connection->input_length == 0) {
        buffer_give(connection->input);
        connection->input = NULL;
    } else if (connection->input_start > 0) {
        memmove(connection->input, connection->input + connection->input_start,
                connection->input_length);
    }
    connection->input_start = 0;
    loop_change(&connection->watch, LOOP_READ);
    /* The deadline of a request that is still coming is never put off. */
    if (is_between && connection->is_answered)
        connection_queue(connection, QUEUE_IDLE);
    else if (connection->queue != QUEUE_HEAD || connection->is_answered)
        connection_queue(connection, QUEUE_HEAD);
    connection->is_answered = false;
}

static void await_output(struct connection *connection)
{
    loop_change(&connection->watch, LOOP_WRITE);
    if (connection->queue != QUEUE_SEND) {
        connection->progress = 0;
        connection_queue(connection, QUEUE_SEND);
    }
}

static void finish(struct connection *connection)
{
    if (!connection->is_lingering && connection->input_length == 0) {
        connection_close(connection);
        return;
    }
    shutdown(connection->watch.descriptor, SHUT_WR);
    connection->is_lingering = true;
    connection->discard = LINGER_BYTES;
    buffer_give(connection->input);
    connection->input = NULL;
    loop_change(&connection->watch, LOOP_READ);
    connection_queue(connection, QUEUE_LINGER);
}

/* Answers what is in hand and sends what can be sent, for one turn. */
static void advance(struct connection *connection)
{
    unsigned answered = 0;
    bool is_more = true;

    while (is_more) {
        while (is_more && answered < RESPONSES_PER_TURN &&
               !connection->is_closing && output_has_room(connection)) {
            is_more = connection->input && step(connection);
            answered++;
        }
        switch (output_flush(connection)) {
        case OUTPUT_BLOCKED:
            await_output(connection);
            return;
        case OUTPUT_FAILED:
            counters.aborted++;
            connection_close(connection);
            return;
        case OUTPUT_EMPTY:
            break;
        }
        if (connection->is_closing) {
            finish(connection);
            return;
        }
        if (is_more && answered >= RESPONSES_PER_TURN) {
            await_output(connection); /* at once: it can be written to */
            return;
        }
    }
    await_input(connection);
}

static void read_lingering(struct connection *connection)
{
    ssize_t length =
        recv(connection->watch.descriptor, scratch, sizeof(scratch), 0);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0 || (uint64_t)length >= connection->discard) {
        connection_close(connection);
        return;
    }
    connection->discard -= (uint64_t)length;
}

static bool take_input_buffer(struct connection *connection)
{
    if (connection->input)
        return true;
    connection->input = buffer_take();
    if (!connection->input) {
        counters.short_of_memory++;
        if (connections_evict(connection))
            connection->input = buffer_take();
    }
    return connection->input != NULL;
}

/* Where the next bytes go, and how many may come; NULL without memory. */
static char *input_place(struct connection *connection, size_t *room)
{
    if (connection->discard > 0) {
        *room = sizeof(scratch);
        if (connection->discard < *room)
            *room = (size_t)connection->discard;
        return scratch;
    }
    if (!take_input_buffer(connection))
        return NULL;
    *room = BUFFER_SIZE - (size_t)connection->input_length;
    return connection->input + connection->input_length;
}

static void read_input(struct connection *connection)
{
    size_t room;
    char *place = input_place(connection, &room);
    ssize_t length;

    if (!place) {
        connection_close(connection);
        return;
    }
    length = recv(connection->watch.descriptor, place, room, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        connection_close(connection);
        return;
    }
    counters.received_bytes += (uint64_t)length;
    if (connection->discard > 0) {
        connection->discard -= (uint64_t)length;
        connection->is_body_read = connection->discard == 0;
    } else {
        if (connection->input_length == 0)
            connection->started_ns = clock_turn_ns();
        connection->input_length =
            (uint16_t)(connection->input_length + length);
    }
    if (connection->queue == QUEUE_IDLE)
        connection_queue(connection, QUEUE_HEAD);
    advance(connection);
}

void exchange_ready(struct watch *watch)
{
    struct connection *connection =
        container_of(watch, struct connection, watch);

    switch (connection->queue) {
    case QUEUE_SEND:
        advance(connection);
        break;
    case QUEUE_LINGER:
        read_lingering(connection);
        break;
    case QUEUE_IDLE:
    case QUEUE_HEAD:
    case QUEUE_COUNT:
        read_input(connection);
        break;
    }
}

void exchange_expire(struct connection *connection)
{
    switch (connection->queue) {
    case QUEUE_HEAD:
        counters.header_timeouts++;
        if (connection->input_length == 0 && connection->discard == 0) {
            connection_close(connection);
            return;
        }
        connection->discard = 0;
        refuse_bytes(connection, 408, "The request took too long.");
        advance(connection);
        return;
    case QUEUE_SEND:
        if (connection->progress >= SEND_MINIMUM) {
            connection->progress = 0;
            connection_queue(connection, QUEUE_SEND);
            return;
        }
        counters.send_timeouts++;
        output_log_abort(connection);
        break;
    case QUEUE_IDLE:
        counters.idle_timeouts++;
        break;
    case QUEUE_LINGER:
    case QUEUE_COUNT:
        break;
    }
    connection_close(connection);
}
