/* SPDX-License-Identifier: MIT */
/*
 * The socket calls of an app that runs on the TAP port: the linker sends them
 * here (--wrap), and they go to ferrule's sockets. Socket descriptors are
 * ids above TAP_DESCRIPTORS; everything below is the host's own. Reports such
 * as /proc/ferrule/counters are made into a memory file when opened.
 */
#include "net/net.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TAP_DESCRIPTORS = 100000, /* first socket; far above any of the host */
    SENDFILE_PIECE = 65536,
};

ssize_t __real_read(int descriptor, void *buffer, size_t size);
ssize_t __real_write(int descriptor, const void *bytes, size_t length);
int __real_close(int descriptor);
int __real_fcntl(int descriptor, int command, ...);
int __real_open(const char *path, int flags, ...);

static int id_of(int descriptor)
{
    return descriptor - TAP_DESCRIPTORS;
}

static bool is_socket(int descriptor)
{
    return descriptor >= TAP_DESCRIPTORS;
}

/* -errno to the host's convention. */
static ssize_t result(ssize_t value)
{
    if (value >= 0)
        return value;
    errno = (int)-value;
    return -1;
}

int __wrap_socket(int domain, int type, int protocol)
{
    int id = socket_open(domain, type, protocol);

    return (int)result(id < 0 ? id : id + TAP_DESCRIPTORS);
}

int __wrap_bind(int descriptor, const struct sockaddr *address,
                socklen_t length)
{
    return (int)result(socket_bind(id_of(descriptor), address, length));
}

int __wrap_listen(int descriptor, int backlog)
{
    return (int)result(socket_listen(id_of(descriptor), backlog));
}

int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *length,
                   int flags)
{
    int id = socket_accept(id_of(descriptor), address, length, flags);

    return (int)result(id < 0 ? id : id + TAP_DESCRIPTORS);
}

int __wrap_accept(int descriptor, struct sockaddr *address, socklen_t *length)
{
    return __wrap_accept4(descriptor, address, length, 0);
}

int __wrap_connect(int descriptor, const struct sockaddr *address,
                   socklen_t length)
{
    return (int)result(socket_connect(id_of(descriptor), address, length));
}

ssize_t __wrap_sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    return result(socket_sendmsg(id_of(descriptor), message, flags));
}

ssize_t __wrap_recvmsg(int descriptor, struct msghdr *message, int flags)
{
    return result(socket_recvmsg(id_of(descriptor), message, flags));
}

ssize_t __wrap_sendto(int descriptor, const void *bytes, size_t length,
                      int flags, const struct sockaddr *address,
                      socklen_t address_length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)address,
                             .msg_namelen = address_length,
                             .msg_iov = &piece,
                             .msg_iovlen = 1};

    return __wrap_sendmsg(descriptor, &message, flags);
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    return __wrap_sendto(descriptor, bytes, length, flags, NULL, 0);
}

ssize_t __wrap_recvfrom(int descriptor, void *buffer, size_t size, int flags,
                        struct sockaddr *address, socklen_t *address_length)
{
    struct iovec piece = {buffer, size};
    struct msghdr message = {.msg_name = address,
                             .msg_namelen =
                                 address_length != NULL ? *address_length : 0,
                             .msg_iov = &piece,
                             .msg_iovlen = 1};
    ssize_t received = __wrap_recvmsg(descriptor, &message, flags);

    if (address_length != NULL)
        *address_length = message.msg_namelen;
    return received;
}

ssize_t __wrap_recv(int descriptor, void *buffer, size_t size, int flags)
{
    return __wrap_recvfrom(descriptor, buffer, size, flags, NULL, NULL);
}

ssize_t __wrap_read(int descriptor, void *buffer, size_t size)
{
    return is_socket(descriptor) ? __wrap_recv(descriptor, buffer, size, 0)
                                 : __real_read(descriptor, buffer, size);
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t length)
{
    return is_socket(descriptor) ? __wrap_send(descriptor, bytes, length, 0)
                                 : __real_write(descriptor, bytes, length);
}

int __wrap_close(int descriptor)
{
    return is_socket(descriptor) ? (int)result(socket_close(id_of(descriptor)))
                                 : __real_close(descriptor);
}

int __wrap_shutdown(int descriptor, int how)
{
    return (int)result(socket_shutdown(id_of(descriptor), how));
}

int __wrap_setsockopt(int descriptor, int level, int option, const void *value,
                      socklen_t length)
{
    return (int)result(
        socket_setsockopt(id_of(descriptor), level, option, value, length));
}

int __wrap_getsockopt(int descriptor, int level, int option, void *value,
                      socklen_t *length)
{
    return (int)result(
        socket_getsockopt(id_of(descriptor), level, option, value, length));
}

int __wrap_getsockname(int descriptor, struct sockaddr *address,
                       socklen_t *length)
{
    return (int)result(socket_getsockname(id_of(descriptor), address, length));
}

int __wrap_getpeername(int descriptor, struct sockaddr *address,
                       socklen_t *length)
{
    return (int)result(socket_getpeername(id_of(descriptor), address, length));
}

int __wrap_fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    long argument;

    va_start(arguments, command);
    argument = va_arg(arguments, long);
    va_end(arguments);
    if (!is_socket(descriptor))
        return __real_fcntl(descriptor, command, argument);
    if (command == F_GETFL)
        return O_RDWR |
               (socket_is_nonblocking(id_of(descriptor)) ? O_NONBLOCK : 0);
    if (command == F_SETFL)
        return (int)result(socket_set_nonblocking(
            id_of(descriptor), (argument & O_NONBLOCK) != 0));
    return 0; /* FD_CLOEXEC: nothing is ever executed */
}

int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    uint64_t deadline_ns =
        timeout_ms < 0 ? UINT64_MAX
                       : socket_now_ns() + (uint64_t)timeout_ms * 1000000;

    for (;;) {
        uint64_t generation = socket_generation();
        int ready = 0;

        for (nfds_t i = 0; i < count; i++) {
            int events = 0;
            if (is_socket(polled[i].fd))
                events = socket_poll_events(id_of(polled[i].fd));
            polled[i].revents = (short)(events & (polled[i].events | POLLERR |
                                                  POLLHUP | POLLNVAL));
            ready += polled[i].revents != 0;
        }
        if (ready > 0 || socket_now_ns() >= deadline_ns)
            return ready;
        socket_wait(generation, deadline_ns);
    }
}

ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count)
{
    static char piece[SENDFILE_PIECE];
    off_t position = offset != NULL ? *offset : lseek(in, 0, SEEK_CUR);
    ssize_t length = pread(
        in, piece, count < sizeof(piece) ? count : sizeof(piece), position);

    if (length > 0)
        length = __wrap_send(out, piece, (size_t)length, 0);
    if (length > 0 && offset != NULL)
        *offset = position + length;
    else if (length > 0)
        (void)lseek(in, position + length, SEEK_SET);
    return length;
}

static void write_counter(void *context, const char *name, uint64_t value,
                          const char *help)
{
    dprintf(*(int *)context, "%s %llu %s\n", name, (unsigned long long)value,
            help);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    int mode;
    int report;

    va_start(arguments, flags);
    mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    if (strcmp(path, "/proc/ferrule/counters") != 0)
        return __real_open(path, flags, mode);
    report = memfd_create("counters", 0);
    if (report < 0)
        return report;
    net_visit_counters(write_counter, &report);
    (void)lseek(report, 0, SEEK_SET);
    return report;
}
