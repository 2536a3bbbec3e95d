/* SPDX-License-Identifier: MIT */
/*
 * Calls that move data. What is written, and what the peer sends, is a
 * pattern of the stream's offset, so that every byte read is checked.
 */
#include "tests/script/calls_private.h"
#include "tests/script/flow.h"

#include "net/socket/socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECES_MAX = 64,
};

struct pieces {
    struct iovec iov[PIECES_MAX];
    size_t count;
    uint8_t *bytes;
    size_t size;
    const struct value *control; /* what recvmsg is to tell; NULL: any */
};

static void pieces_init(struct pieces *pieces, struct outcome *outcome)
{
    pieces->bytes = calloc(1, pieces->size + 1);
    if (pieces->bytes == NULL || pieces->size > BYTES_MAX) {
        problem(outcome, "more than a MiB in one call");
        pieces->count = 0;
        return;
    }
    uint8_t *at = pieces->bytes;
    for (size_t i = 0; i < pieces->count; i++) {
        pieces->iov[i].iov_base = at;
        at += pieces->iov[i].iov_len;
    }
}

/* [{..., 100}, {..., 200}] */
static void pieces_of_vector(struct pieces *pieces, const struct value *vector)
{
    pieces->count = 0;
    pieces->size = 0;
    for (const struct value *item = vector->first;
         item != NULL && pieces->count < PIECES_MAX; item = item->next) {
        const struct value *length =
            item->first == NULL ? NULL : item->first->next;
        size_t part = length == NULL ? 0 : (size_t)length->number;
        pieces->iov[pieces->count++].iov_len = part;
        pieces->size += part;
    }
}

static void pieces_of_call(struct pieces *pieces, const struct call *call)
{
    const struct value *second = argument(call, 1);

    pieces->control = NULL;
    if (second->kind == VALUE_LIST) {
        pieces_of_vector(pieces, second);
        return;
    }
    pieces->count = 1;
    pieces->size = (size_t)argument(call, 2)->number;
    pieces->iov[0].iov_len = pieces->size;
}

static int flags_of(const struct call *call)
{
    bool has_flags =
        strcmp(call->name, "read") != 0 && strcmp(call->name, "readv") != 0 &&
        strcmp(call->name, "write") != 0 && strcmp(call->name, "writev") != 0;

    return has_flags ? number(call, 3) : 0;
}

/* cmsg_data={ee_errno=..., ee_origin=..., ...} */
static void check_extended(const struct cmsghdr *header,
                           const struct value *wanted, struct outcome *outcome)
{
    struct sock_extended_err said;

    memcpy(&said, CMSG_DATA(header), sizeof(said));
    const struct {
        const char *name;
        uint32_t value;
    } members[] = {
        {"ee_errno", said.ee_errno}, {"ee_origin", said.ee_origin},
        {"ee_type", said.ee_type},   {"ee_code", said.ee_code},
        {"ee_info", said.ee_info},   {"ee_data", said.ee_data},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct value *asked = member(wanted, members[i].name);

        if (asked != NULL && asked->number != members[i].value)
            problem(outcome, "%s is %u", members[i].name, members[i].value);
    }
}

/* msg_control=[{cmsg_level=..., cmsg_type=..., cmsg_data=NUMBER}], or []. */
static void check_control(const struct msghdr *message,
                          const struct value *wanted, struct outcome *outcome)
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);
    const struct value *said;
    size_t size;
    int data = 0;

    if (wanted == NULL || header == NULL) {
        if (wanted != NULL || header != NULL)
            problem(outcome, "%s control message",
                    header == NULL ? "no" : "an unexpected");
        return;
    }
    said = member(wanted, "cmsg_data");
    size = said->first == NULL
               ? sizeof(data)
               : sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in);
    memcpy(&data, CMSG_DATA(header), sizeof(data));
    if (header->cmsg_len != CMSG_LEN(size) ||
        header->cmsg_level != member(wanted, "cmsg_level")->number ||
        header->cmsg_type != member(wanted, "cmsg_type")->number)
        problem(outcome, "another control message");
    else if (said->first != NULL)
        check_extended(header, said, outcome);
    else if (data != said->number)
        problem(outcome, "the control message says %d", data);
}

static void receive(struct handle *handle, struct pieces *pieces, int flags,
                    struct outcome *outcome)
{
    uint8_t control[64];
    struct msghdr message = {.msg_iov = pieces->iov,
                             .msg_iovlen = pieces->count};

    if (pieces->control != NULL) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
    }
    pieces_init(pieces, outcome);
    outcome->result = socket_recvmsg(handle->id, &message, flags);
    if (pieces->control != NULL && outcome->result >= 0)
        check_control(&message, pieces->control->first, outcome);
    if (outcome->result > 0 && (flags & MSG_TRUNC) == 0) {
        size_t length = (size_t)outcome->result;
        if (!stream_matches(pieces->bytes, length,
                            handle->is_datagram ? 0 : handle->read_at))
            problem(outcome, "the bytes are not those that were sent");
    }
    if (outcome->result > 0 && (flags & MSG_PEEK) == 0)
        handle->read_at += (uint64_t)outcome->result;
    free(pieces->bytes);
}

static void transmit(struct handle *handle, struct pieces *pieces, int flags,
                     struct sockaddr_in *to, struct outcome *outcome)
{
    struct msghdr message = {.msg_iov = pieces->iov,
                             .msg_iovlen = pieces->count};

    pieces_init(pieces, outcome);
    if (to != NULL) {
        message.msg_name = to;
        message.msg_namelen = sizeof(*to);
    }
    stream_fill(pieces->bytes, pieces->size,
                handle->is_datagram ? 0 : handle->written_at);
    outcome->result = socket_sendmsg(handle->id, &message, flags);
    if (outcome->result > 0)
        handle->written_at += (uint64_t)outcome->result;
    if ((flags & MSG_ZEROCOPY) == 0) /* else it is in use until all ends */
        free(pieces->bytes);
}

void call_read(const struct call *call, struct outcome *outcome)
{
    struct pieces pieces;

    pieces_of_call(&pieces, call);
    receive(handle_of(call), &pieces, flags_of(call), outcome);
}

void call_write(const struct call *call, struct outcome *outcome)
{
    struct handle *handle = handle_of(call);
    struct sockaddr_in to;
    struct pieces pieces;
    bool has_address = strcmp(call->name, "sendto") == 0 &&
                       argument(call, 4)->kind != VALUE_NUMBER &&
                       handle->is_datagram && !handle->has_connected;

    pieces_of_call(&pieces, call);
    if (has_address)
        address_of(call, 4, handle, false, &to);
    if (has_address && to.sin_port == htons(CONNECT_PORT) &&
        !flows[1].is_active)
        flow_connect(CONNECT_PORT, 0);
    transmit(handle, &pieces, flags_of(call), has_address ? &to : NULL,
             outcome);
}

void call_receive(const struct call *call, struct outcome *outcome)
{
    const struct value *vector = member(argument(call, 1), "msg_iov");
    struct pieces pieces = {.count = 0};

    if (vector != NULL)
        pieces_of_vector(&pieces, vector);
    pieces.control = member(argument(call, 1), "msg_control");
    receive(handle_of(call), &pieces, number(call, 2), outcome);
}

void call_send(const struct call *call, struct outcome *outcome)
{
    const struct value *vector = member(argument(call, 1), "msg_iov");
    struct pieces pieces = {.count = 0};

    if (vector != NULL)
        pieces_of_vector(&pieces, vector);
    transmit(handle_of(call), &pieces, number(call, 2), NULL, outcome);
}
