/* SPDX-License-Identifier: MIT */
/*
 * The socket calls of POSIX: descriptor to socket id, -errno to errno.
 */
#include "libc/system/socket_call.h"
#include "libc/system/descriptor.h"

#include "net/platform.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Gives a new socket a descriptor, or closes it again. */
static int adopt(int id)
{
    int number;

    if (id < 0)
        return (int)descriptor_result(id);
    number = descriptor_open(DESCRIPTOR_SOCKET);
    if (number < 0) {
        int error = errno;

        (void)descriptor_result(socket_close(id));
        errno = error;
        return -1;
    }
    descriptor_get(number)->socket = id;
    return number;
}

int socket(int domain, int type, int protocol)
{
    return adopt(socket_open(domain, type, protocol));
}

int bind(int number, const struct sockaddr *address, socklen_t length)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(socket_bind(id, address, length));
}

int listen(int number, int backlog)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1 : (int)descriptor_result(socket_listen(id, backlog));
}

int accept4(int number, struct sockaddr *restrict address,
            socklen_t *restrict length, int flags)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1 : adopt(socket_accept(id, address, length, flags));
}

int accept(int number, struct sockaddr *restrict address,
           socklen_t *restrict length)
{
    return accept4(number, address, length, 0);
}

int connect(int number, const struct sockaddr *address, socklen_t length)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(socket_connect(id, address, length));
}

ssize_t sendmsg(int number, const struct msghdr *message, int flags)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1 : descriptor_result(socket_sendmsg(id, message, flags));
}

ssize_t recvmsg(int number, struct msghdr *message, int flags)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1 : descriptor_result(socket_recvmsg(id, message, flags));
}

int sendmmsg(int number, struct mmsghdr *messages, unsigned int count,
             int flags)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(
                        socket_sendmmsg(id, messages, count, flags));
}

int recvmmsg(int number, struct mmsghdr *messages, unsigned int count,
             int flags, struct timespec *timeout)
{
    int id = descriptor_socket(number);
    uint64_t deadline_ns = PLATFORM_NEVER;

    if (timeout != NULL)
        deadline_ns = socket_now_ns() +
                      (uint64_t)timeout->tv_sec * UINT64_C(1000000000) +
                      (uint64_t)timeout->tv_nsec;
    return id < 0 ? -1
                  : (int)descriptor_result(socket_recvmmsg(id, messages, count,
                                                           flags, deadline_ns));
}

ssize_t sendto(int number, const void *bytes, size_t length, int flags,
               const struct sockaddr *address, socklen_t address_length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {
        .msg_name = (void *)(uintptr_t)address,
        .msg_namelen = address_length,
        .msg_iov = &piece,
        .msg_iovlen = 1,
    };

    return sendmsg(number, &message, flags);
}

ssize_t send(int number, const void *bytes, size_t length, int flags)
{
    return sendto(number, bytes, length, flags, NULL, 0);
}

ssize_t recvfrom(int number, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict address,
                 socklen_t *restrict address_length)
{
    struct iovec piece = {buffer, size};
    struct msghdr message = {
        .msg_name = address,
        .msg_namelen = address_length != NULL ? *address_length : 0,
        .msg_iov = &piece,
        .msg_iovlen = 1,
    };
    ssize_t received = recvmsg(number, &message, flags);

    if (received >= 0 && address_length != NULL)
        *address_length = message.msg_namelen;
    return received;
}

ssize_t recv(int number, void *buffer, size_t size, int flags)
{
    return recvfrom(number, buffer, size, flags, NULL, NULL);
}

ssize_t socket_call_read(int number, void *buffer, size_t size)
{
    return recv(number, buffer, size, 0);
}

ssize_t socket_call_write(int number, const void *bytes, size_t length)
{
    return send(number, bytes, length, 0);
}

ssize_t socket_call_write_pieces(int number, const struct iovec *pieces,
                                 int count)
{
    struct msghdr message = {
        .msg_iov = (struct iovec *)(uintptr_t)pieces,
        .msg_iovlen = (size_t)count,
    };

    return sendmsg(number, &message, 0);
}

int shutdown(int number, int how)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1 : (int)descriptor_result(socket_shutdown(id, how));
}

int getsockopt(int number, int level, int option, void *restrict value,
               socklen_t *restrict length)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(
                        socket_getsockopt(id, level, option, value, length));
}

int setsockopt(int number, int level, int option, const void *value,
               socklen_t length)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(
                        socket_setsockopt(id, level, option, value, length));
}

int getsockname(int number, struct sockaddr *restrict address,
                socklen_t *restrict length)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(
                        socket_getsockname(id, address, length));
}

int getpeername(int number, struct sockaddr *restrict address,
                socklen_t *restrict length)
{
    int id = descriptor_socket(number);

    return id < 0 ? -1
                  : (int)descriptor_result(
                        socket_getpeername(id, address, length));
}

/* The module stays where it is for ever, so TCP may point at it; the text of
 * a report goes away when it is closed, and is copied. */
ssize_t sendfile(int out_number, int in_number, off_t *offset, size_t count)
{
    int id = descriptor_socket(out_number);
    struct descriptor *in = descriptor_get(in_number);
    size_t start;
    ssize_t sent;

    if (id < 0 || in == NULL)
        return -1;
    if (in->kind != DESCRIPTOR_FILE || (offset != NULL && *offset < 0))
        return descriptor_result(-EINVAL);
    start = offset != NULL ? (size_t)*offset : in->offset;
    if (start >= in->length)
        return 0;
    if (count > in->length - start)
        count = in->length - start;
    if (in->owned != NULL)
        sent = send(out_number, in->content + start, count, 0);
    else
        sent = descriptor_result(
            socket_send_static(id, in->content + start, count, 0));
    if (sent > 0 && offset != NULL)
        *offset += sent;
    else if (sent > 0)
        in->offset += (size_t)sent;
    return sent;
}
