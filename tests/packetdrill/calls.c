/* SPDX-License-Identifier: MIT */
/*
 * Calls that make, unmake and set sockets.
 */
#include "tests/packetdrill/adapter.h"

#include "net/socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>

static int with_descriptor(int socket)
{
    int fd = socket;

    if (socket >= 0) {
        fd = descriptor_open(socket);
        if (fd < 0)
            (void)!socket_close(socket);
    }
    return (int)adapter_result(fd);
}

static int make_socket(void *userdata, int domain, int type, int protocol)
{
    (void)userdata;
    adapter_enter();
    int fd = with_descriptor(socket_open(domain, type, protocol));
    adapter_leave();
    return fd;
}

static int make_bind(void *userdata, int fd, const struct sockaddr *address,
                     socklen_t length)
{
    (void)userdata;
    adapter_enter();
    int result = socket_bind(descriptor_socket(fd), address, length);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_listen(void *userdata, int fd, int backlog)
{
    (void)userdata;
    adapter_enter();
    int result = socket_listen(descriptor_socket(fd), backlog);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_accept(void *userdata, int fd, struct sockaddr *address,
                       socklen_t *length)
{
    (void)userdata;
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    int result = with_descriptor(
        socket_accept(descriptor_socket(fd), address, length, 0));
    adapter_leave();
    return result;
}

static int make_connect(void *userdata, int fd, const struct sockaddr *address,
                        socklen_t length)
{
    (void)userdata;
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    int result = socket_connect(descriptor_socket(fd), address, length);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_fcntl(void *userdata, int fd, int command, ...)
{
    int socket = descriptor_socket(fd);
    int result = -EINVAL;
    va_list values;

    (void)userdata;
    va_start(values, command);
    int value = command == F_SETFL ? va_arg(values, int) : 0;
    va_end(values);
    adapter_enter();
    if (socket < 0)
        result = -EBADF;
    else if (command == F_GETFL)
        result = O_RDWR | (socket_is_nonblocking(socket) ? O_NONBLOCK : 0);
    else if (command == F_SETFL)
        result = socket_set_nonblocking(socket, (value & O_NONBLOCK) != 0);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_ioctl(void *userdata, int fd, unsigned long request, ...)
{
    int socket = descriptor_socket(fd);
    int result = -ENOTTY;
    va_list values;

    (void)userdata;
    va_start(values, request);
    int *value = va_arg(values, int *);
    va_end(values);
    adapter_enter();
    if (socket < 0)
        result = -EBADF;
    else if (request == FIONREAD)
        result = socket_readable_bytes(socket, value);
    else if (request == SIOCOUTQ || request == SIOCOUTQNSD)
        result = socket_written_bytes(socket, request == SIOCOUTQNSD, value);
    else if (request == SIOCATMARK)
        result = *value = socket_at_mark(socket);
    if (result > 0)
        result = 0;
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_close(void *userdata, int fd)
{
    (void)userdata;
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    int result = 0;
    if (!epoll_forget(fd)) {
        result = socket_close(descriptor_socket(fd));
        if (result == 0)
            descriptor_close(fd);
    }
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_shutdown(void *userdata, int fd, int how)
{
    (void)userdata;
    adapter_enter();
    int result = socket_shutdown(descriptor_socket(fd), how);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_getsockopt(void *userdata, int fd, int level, int name,
                           void *value, socklen_t *length)
{
    (void)userdata;
    adapter_enter();
    int result =
        socket_getsockopt(descriptor_socket(fd), level, name, value, length);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_setsockopt(void *userdata, int fd, int level, int name,
                           const void *value, socklen_t length)
{
    (void)userdata;
    adapter_enter();
    int result =
        socket_setsockopt(descriptor_socket(fd), level, name, value, length);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_pipe(void *userdata, int fds[2])
{
    (void)userdata;
    (void)fds;
    return (int)adapter_result(-ENOSYS);
}

static int make_splice(void *userdata, int in, loff_t *in_offset, int out,
                       loff_t *out_offset, size_t length, unsigned flags)
{
    (void)userdata;
    (void)in;
    (void)in_offset;
    (void)out;
    (void)out_offset;
    (void)length;
    (void)flags;
    return (int)adapter_result(-ENOSYS);
}

void calls_fill(struct packetdrill_interface *table)
{
    table->socket = make_socket;
    table->bind = make_bind;
    table->listen = make_listen;
    table->accept = make_accept;
    table->connect = make_connect;
    table->fcntl = make_fcntl;
    table->ioctl = make_ioctl;
    table->close = make_close;
    table->shutdown = make_shutdown;
    table->getsockopt = make_getsockopt;
    table->setsockopt = make_setsockopt;
    table->pipe = make_pipe;
    table->splice = make_splice;
}
