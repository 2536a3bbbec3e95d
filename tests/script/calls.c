/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of scripts, and the calls that open, close and set them.
 * Reading and writing: calls_data.c.
 */
#include "tests/script/calls.h"
#include "tests/script/calls_private.h"
#include "tests/script/flow.h"

#include "net/socket/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static struct handle handles[HANDLES];
static int last_socket = -1;

void problem(struct outcome *outcome, const char *format, ...)
{
    va_list values;

    if (outcome->problem[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(outcome->problem, sizeof(outcome->problem), format, values);
    va_end(values);
}

const struct value *argument(const struct call *call, unsigned index)
{
    static const struct value none = {.kind = VALUE_ELLIPSIS};
    const struct value *value = call->arguments;

    while (value != NULL && index > 0) {
        value = value->next;
        index--;
    }
    return value == NULL ? &none : value;
}

int number(const struct call *call, unsigned index)
{
    return (int)argument(call, index)->number;
}

const struct value *member(const struct value *value, const char *name)
{
    for (const struct value *at = value->first; at != NULL; at = at->next)
        if (at->name != NULL && strcmp(at->name, name) == 0)
            return at;
    return NULL;
}

struct handle *handle_of(const struct call *call)
{
    static struct handle closed;
    int fd = number(call, 0);

    closed = (struct handle){.id = -1};
    if (fd < 0 || fd >= HANDLES || !handles[fd].is_open)
        return &closed;
    return &handles[fd];
}

struct handle *handle_at(long long fd)
{
    return fd >= 0 && fd < HANDLES && handles[fd].is_open ? &handles[fd] : NULL;
}

int call_socket(void)
{
    struct handle *handle = handle_at(last_socket);

    return handle == NULL ? -1 : handle->id;
}

/* What the script calls this descriptor is what it expects as the result. */
static void open_handle(const struct call *call, struct outcome *outcome,
                        int id, bool is_datagram)
{
    long long fd = call->result;

    outcome->result = id;
    if (id < 0)
        return;
    if (fd < 0 || fd >= HANDLES || handles[fd].is_open) {
        problem(outcome, "it succeeded");
        (void)!socket_close(id);
        return;
    }
    handles[fd] =
        (struct handle){.id = id, .is_open = true, .is_datagram = is_datagram};
    outcome->result = fd;
}

void address_of(const struct call *call, unsigned index, struct handle *handle,
                bool is_local, struct sockaddr_in *address)
{
    const struct value *value = argument(call, index);
    const struct flow *flow = &flows[1];

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = inet_addr(is_local ? LOCAL : REMOTE);
    address->sin_port = htons(is_local ? SERVER_PORT : CONNECT_PORT);
    if (!is_local && handle->is_datagram && !flow->is_active &&
        flow->local_port == SERVER_PORT && handle->is_bound)
        address->sin_port = htons(flow->remote_port);
    if (value->kind != VALUE_STRUCT)
        return;
    const struct value *port = member(value, "sin_port");
    const struct value *ip = member(value, "sin_addr");
    const struct value *family = member(value, "sa_family");
    if (port != NULL)
        address->sin_port = htons((uint16_t)port->number);
    if (ip != NULL && ip->kind == VALUE_STRING)
        address->sin_addr.s_addr = inet_addr(ip->text);
    if (family != NULL)
        address->sin_family = (sa_family_t)family->number;
}

static void call_open(const struct call *call, struct outcome *outcome)
{
    const struct value *domain = argument(call, 0);
    int type = number(call, 1);
    int id = socket_open(domain->kind == VALUE_ELLIPSIS ? AF_INET
                                                        : (int)domain->number,
                         type, number(call, 2));

    open_handle(call, outcome, id, (type & 0xf) == SOCK_DGRAM);
}

static void call_bind(const struct call *call, struct outcome *outcome)
{
    struct handle *handle = handle_of(call);
    struct sockaddr_in address;

    address_of(call, 1, handle, true, &address);
    outcome->result =
        socket_bind(handle->id, (struct sockaddr *)&address, sizeof(address));
    handle->is_bound = outcome->result == 0;
}

static void call_listen(const struct call *call, struct outcome *outcome)
{
    outcome->result = socket_listen(handle_of(call)->id, number(call, 1));
}

static void call_accept(const struct call *call, struct outcome *outcome)
{
    struct sockaddr_in from = {.sin_family = 0};
    socklen_t length = sizeof(from);
    bool is_4 = strcmp(call->name, "accept4") == 0;
    int id = socket_accept(handle_of(call)->id, (struct sockaddr *)&from,
                           &length, is_4 ? number(call, 3) : 0);

    open_handle(call, outcome, id, false);
    if (id < 0)
        return;
    last_socket = (int)call->result;
    unsigned peer = (unsigned)(ntohs(from.sin_port) - PEER_PORT);
    if (from.sin_addr.s_addr != inet_addr(REMOTE) || peer == 0 ||
        peer >= SCRIPT_FLOWS)
        problem(outcome, "it tells another peer than any of the script's");
    const struct value *address = argument(call, 1);
    if (address->kind == VALUE_STRUCT && member(address, "sin_port") != NULL &&
        member(address, "sin_port")->number != ntohs(from.sin_port))
        problem(outcome, "the peer's port is %u", ntohs(from.sin_port));
}

static void call_connect(const struct call *call, struct outcome *outcome)
{
    struct handle *handle = handle_of(call);
    struct sockaddr_in address;
    struct sockaddr_in local = {.sin_family = 0};
    socklen_t length = sizeof(local);

    address_of(call, 1, handle, false, &address);
    if (!handle->has_connected)
        flow_connect(ntohs(address.sin_port), 0);
    handle->has_connected = true;
    last_socket = number(call, 0);
    outcome->result = socket_connect(handle->id, (struct sockaddr *)&address,
                                     sizeof(address));
    unsigned peer = ntohs(address.sin_port) - CONNECT_PORT + 1U;
    if (peer < SCRIPT_FLOWS && flows[peer].local_port == 0 &&
        socket_getsockname(handle->id, (struct sockaddr *)&local, &length) == 0)
        flows[peer].local_port = ntohs(local.sin_port);
}

static void call_close(const struct call *call, struct outcome *outcome)
{
    struct handle *handle = handle_of(call);

    outcome->result = socket_close(handle->id);
    handle->is_open = false;
}

static void call_shutdown(const struct call *call, struct outcome *outcome)
{
    outcome->result = socket_shutdown(handle_of(call)->id, number(call, 1));
}

static void call_fcntl(const struct call *call, struct outcome *outcome)
{
    struct handle *handle = handle_of(call);

    if (handle->id < 0)
        outcome->result = -EBADF;
    else if (number(call, 1) == F_SETFL)
        outcome->result = socket_set_nonblocking(
            handle->id, (number(call, 2) & O_NONBLOCK) != 0);
    else if (number(call, 1) == F_GETFL)
        outcome->result =
            O_RDWR | (socket_is_nonblocking(handle->id) ? O_NONBLOCK : 0);
    else
        outcome->result = -EINVAL;
}

static void call_ioctl(const struct call *call, struct outcome *outcome)
{
    const struct value *wanted = argument(call, 2);
    int bytes = 0;

    outcome->result = -EINVAL;
    if (number(call, 1) == FIONREAD)
        outcome->result = socket_readable_bytes(handle_of(call)->id, &bytes);
    else if (number(call, 1) == SIOCOUTQ || number(call, 1) == SIOCOUTQNSD)
        outcome->result = socket_written_bytes(
            handle_of(call)->id, number(call, 1) == SIOCOUTQNSD, &bytes);
    else if (number(call, 1) == SIOCATMARK)
        outcome->result = bytes = socket_at_mark(handle_of(call)->id);
    if (outcome->result > 0)
        outcome->result = 0;
    if (outcome->result < 0)
        return;
    if (wanted->first != NULL && wanted->first->kind == VALUE_NUMBER &&
        wanted->first->number != bytes)
        problem(outcome, "%d bytes, not %lld", bytes, wanted->first->number);
}

static const struct {
    const char *name;
    void (*make)(const struct call *call, struct outcome *outcome);
} table[] = {
    {"socket", call_open},     {"bind", call_bind},
    {"listen", call_listen},   {"accept", call_accept},
    {"accept4", call_accept},  {"connect", call_connect},
    {"close", call_close},     {"shutdown", call_shutdown},
    {"fcntl", call_fcntl},     {"ioctl", call_ioctl},
    {"getsockopt", call_get},  {"setsockopt", call_set},
    {"read", call_read},       {"readv", call_read},
    {"recv", call_read},       {"recvfrom", call_read},
    {"recvmsg", call_receive}, {"write", call_write},
    {"writev", call_write},    {"send", call_write},
    {"sendto", call_write},    {"sendmsg", call_send},
    {"poll", call_poll},
};

void call_make(const struct call *call, struct outcome *outcome)
{
    *outcome = (struct outcome){.result = -ENOSYS};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, call->name) == 0) {
            table[i].make(call, outcome);
            return;
        }
    }
    problem(outcome, "there is no such call");
}

void calls_close_all(void)
{
    for (int fd = 0; fd < HANDLES; fd++) {
        /* One that lingers must not hold us up. */
        if (handles[fd].is_open &&
            socket_set_nonblocking(handles[fd].id, true) == 0)
            (void)!socket_close(handles[fd].id);
        handles[fd].is_open = false;
    }
}
