/* SPDX-License-Identifier: MIT */
/*
 * Sending. A small body is copied behind its head, so that a small page is one
 * segment; a larger file goes out by sendfile, its head held back with
 * MSG_MORE until the first bytes of the file join it.
 */
#include "output.h"

#include "access_log.h"
#include "buffer.h"
#include "clock.h"
#include "counters.h"
#include "limits.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COPY_LIMIT = 4096 }; /* bytes; beyond, a copy costs more than a call */

bool output_has_room(const struct connection *connection)
{
    return connection->body.kind == BODY_NONE &&
           BUFFER_SIZE - connection->output_start - connection->output_length >=
               HEAD_ROOM;
}

static bool take_output_buffer(struct connection *connection)
{
    if (!connection->output) {
        connection->output = buffer_take();
        connection->output_start = 0;
        connection->output_length = 0;
    }
    if (connection->output)
        return true;
    counters.short_of_memory++;
    connection->is_closing = true;
    return false;
}

static struct text free_output(struct connection *connection)
{
    size_t used = (size_t)connection->output_start + connection->output_length;

    return text_fixed(connection->output + used, BUFFER_SIZE - used);
}

static void write_log(const struct connection *connection, struct slice line,
                      int status, uint64_t bytes)
{
    access_log_write(&(struct access){.address = connection->address,
                                      .line = line,
                                      .status = status,
                                      .bytes = bytes,
                                      .started_ns = connection->started_ns});
}

/* Reads the whole of a small file; false if it has become shorter. */
static bool copy_file(struct text *out, const struct body *body)
{
    uint64_t done = 0;

    while (done < body->remaining) {
        ssize_t length = pread(body->file, out->bytes + out->length + done,
                               (size_t)(body->remaining - done),
                               (off_t)(body->offset + done));

        if (length <= 0)
            return false;
        done += (uint64_t)length;
    }
    out->length += (size_t)done;
    return true;
}

static bool copy_body(struct text *out, const struct body *body)
{
    if (body->kind == BODY_FILE)
        return copy_file(out, body);
    text_add_slice(out, (struct slice){body->bytes + body->offset,
                                       (size_t)body->remaining});
    return !out->is_cut;
}

/* The request line waits in the input buffer until the body is out: nothing
 * is read into it meanwhile, and consuming only moves its start. */
static void stream_body(struct connection *connection,
                        const struct request *request,
                        struct response *response)
{
    connection->body = response->body;
    connection->body_sent = 0;
    connection->status = (int16_t)response->status;
    connection->log_line = request->line;
    response->body = (struct body){.kind = BODY_NONE};
}

void output_response(struct connection *connection,
                     const struct request *request, struct response *response)
{
    struct text out;
    uint64_t length = response->body.remaining;
    bool is_streamed;

    counters.requests++;
    counters.responses[response->status / 100]++;
    if (!take_output_buffer(connection)) {
        body_release(&response->body);
        return;
    }
    out = free_output(connection);
    response_write_head(&out, response, request->minor, clock_turn_time());
    if (request->method == METHOD_HEAD)
        length = 0;
    is_streamed = length > COPY_LIMIT || length > out.capacity - out.length;
    if (length > 0 && !is_streamed && !copy_body(&out, &response->body)) {
        out.is_cut = true;
    }
    if (out.is_cut) {
        counters.aborted++;
        connection->is_closing = true;
        body_release(&response->body);
        return;
    }
    connection->output_length =
        (uint16_t)(connection->output_length + out.length);
    if (is_streamed)
        stream_body(connection, request, response);
    else
        write_log(connection, request->line, response->status, length);
    body_release(&response->body);
}

bool output_prepared(struct connection *connection,
                     const struct request *request,
                     const struct prepared *prepared)
{
    struct slice lines = {prepared->lines, prepared->lines_length};
    struct body body = {.file = prepared->file, .remaining = prepared->length};
    struct text out;

    if (!take_output_buffer(connection))
        return false;
    out = free_output(connection);
    response_write_prepared_head(&out, lines, connection->is_closing,
                                 request->minor, clock_turn_time());
    if (out.is_cut || out.capacity - out.length < prepared->length ||
        !copy_file(&out, &body))
        return false;
    counters.requests++;
    counters.responses[2]++;
    connection->output_length =
        (uint16_t)(connection->output_length + out.length);
    write_log(connection, request->line, 200, prepared->length);
    return true;
}

void output_continue(struct connection *connection)
{
    struct text out;

    if (!take_output_buffer(connection))
        return;
    out = free_output(connection);
    text_add(&out, "HTTP/1.1 100 Continue\r\n\r\n");
    if (!out.is_cut)
        connection->output_length =
            (uint16_t)(connection->output_length + out.length);
}

static enum output_state state_from_error(void)
{
    return errno == EAGAIN || errno == EINTR ? OUTPUT_BLOCKED : OUTPUT_FAILED;
}

static void note_sent(struct connection *connection, size_t length)
{
    counters.sent_bytes += length;
    connection->progress += length;
}

/* What a body follows waits for its first bytes; what the connection ends
 * with waits for the FIN, which comes at once. */
static enum output_state flush_buffer(struct connection *connection)
{
    bool is_followed =
        connection->body.kind != BODY_NONE || connection->is_closing;
    int flags = is_followed ? MSG_MORE : 0;

    while (connection->output_length > 0) {
        ssize_t length = send(connection->watch.descriptor,
                              connection->output + connection->output_start,
                              connection->output_length, flags);

        if (length < 0)
            return state_from_error();
        note_sent(connection, (size_t)length);
        connection->output_start =
            (uint16_t)(connection->output_start + length);
        connection->output_length =
            (uint16_t)(connection->output_length - length);
    }
    buffer_give(connection->output);
    connection->output = NULL;
    connection->output_start = 0;
    return OUTPUT_EMPTY;
}

static ssize_t send_body(struct connection *connection, size_t length)
{
    struct body *body = &connection->body;
    off_t offset = (off_t)body->offset;

    if (body->kind == BODY_FILE)
        return sendfile(connection->watch.descriptor, body->file, &offset,
                        length);
    return send(connection->watch.descriptor, body->bytes + body->offset,
                length, connection->is_closing ? MSG_MORE : 0);
}

static enum output_state flush_body(struct connection *connection)
{
    struct body *body = &connection->body;
    size_t turn = SEND_PER_TURN;

    while (body->remaining > 0) {
        size_t wanted = body->remaining < turn ? (size_t)body->remaining : turn;
        ssize_t length;

        if (wanted == 0)
            return OUTPUT_BLOCKED; /* by fairness: others have their turn */
        length = send_body(connection, wanted);
        if (length < 0)
            return state_from_error();
        if (length == 0)
            return OUTPUT_FAILED; /* the file has become shorter */
        note_sent(connection, (size_t)length);
        connection->body_sent += (uint64_t)length;
        body->offset += (uint64_t)length;
        body->remaining -= (uint64_t)length;
        turn -= (size_t)length;
    }
    return OUTPUT_EMPTY;
}

void output_log_abort(struct connection *connection)
{
    if (connection->body.kind != BODY_NONE)
        write_log(connection, connection->log_line, connection->status,
                  connection->body_sent);
}

enum output_state output_flush(struct connection *connection)
{
    enum output_state state = OUTPUT_EMPTY;

    if (connection->output)
        state = flush_buffer(connection);
    if (state == OUTPUT_EMPTY && connection->body.kind != BODY_NONE)
        state = flush_body(connection);
    if (state == OUTPUT_BLOCKED)
        return state;
    if (connection->body.kind != BODY_NONE) {
        output_log_abort(connection);
        body_release(&connection->body);
    }
    return state;
}
