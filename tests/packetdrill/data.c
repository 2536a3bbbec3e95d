/* SPDX-License-Identifier: MIT */
/*
 * Calls that move data: all of them are recvmsg or sendmsg.
 */
#include "tests/packetdrill/adapter.h"

#include "net/socket/socket.h"

#include <errno.h>

static ssize_t receive(int fd, struct msghdr *message, int flags)
{
    for (size_t i = 0; i < message->msg_iovlen; i++)
        if (message->msg_iov[i].iov_base == NULL &&
            message->msg_iov[i].iov_len != 0)
            return adapter_result(-EFAULT);
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    ssize_t result = socket_recvmsg(descriptor_socket(fd), message, flags);
    adapter_leave();
    return adapter_result(result);
}

static ssize_t transmit(int fd, const struct msghdr *message, int flags)
{
    for (size_t i = 0; i < message->msg_iovlen; i++)
        if (message->msg_iov[i].iov_base == NULL &&
            message->msg_iov[i].iov_len != 0)
            return adapter_result(-EFAULT);
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    ssize_t result = socket_sendmsg(descriptor_socket(fd), message, flags);
    adapter_leave();
    return adapter_result(result);
}

static ssize_t make_recvfrom(void *userdata, int fd, void *bytes, size_t size,
                             int flags, struct sockaddr *from,
                             socklen_t *length)
{
    struct iovec piece = {bytes, size};
    struct msghdr message = {
        .msg_name = from,
        .msg_namelen = from == NULL || length == NULL ? 0 : *length,
        .msg_iov = &piece,
        .msg_iovlen = 1,
    };

    (void)userdata;
    ssize_t result = receive(fd, &message, flags);
    if (result >= 0 && length != NULL)
        *length = message.msg_namelen;
    return result;
}

static ssize_t make_recv(void *userdata, int fd, void *bytes, size_t size,
                         int flags)
{
    return make_recvfrom(userdata, fd, bytes, size, flags, NULL, NULL);
}

static ssize_t make_read(void *userdata, int fd, void *bytes, size_t size)
{
    return make_recv(userdata, fd, bytes, size, 0);
}

static ssize_t make_readv(void *userdata, int fd, const struct iovec *iov,
                          int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov,
                             .msg_iovlen = (size_t)count};

    (void)userdata;
    return count < 0 ? adapter_result(-EINVAL) : receive(fd, &message, 0);
}

static ssize_t make_recvmsg(void *userdata, int fd, struct msghdr *message,
                            int flags)
{
    (void)userdata;
    return receive(fd, message, flags);
}

static ssize_t make_sendto(void *userdata, int fd, const void *bytes,
                           size_t size, int flags, const struct sockaddr *to,
                           socklen_t length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    const struct msghdr message = {
        .msg_name = (void *)(uintptr_t)to,
        .msg_namelen = length,
        .msg_iov = &piece,
        .msg_iovlen = 1,
    };

    (void)userdata;
    return transmit(fd, &message, flags);
}

static ssize_t make_send(void *userdata, int fd, const void *bytes, size_t size,
                         int flags)
{
    return make_sendto(userdata, fd, bytes, size, flags, NULL, 0);
}

static ssize_t make_write(void *userdata, int fd, const void *bytes,
                          size_t size)
{
    return make_send(userdata, fd, bytes, size, 0);
}

static ssize_t make_writev(void *userdata, int fd, const struct iovec *iov,
                           int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov,
                                   .msg_iovlen = (size_t)count};

    (void)userdata;
    return count < 0 ? adapter_result(-EINVAL) : transmit(fd, &message, 0);
}

static ssize_t make_sendmsg(void *userdata, int fd,
                            const struct msghdr *message, int flags)
{
    (void)userdata;
    return transmit(fd, message, flags);
}

void data_fill(struct packetdrill_interface *table)
{
    table->read = make_read;
    table->readv = make_readv;
    table->recv = make_recv;
    table->recvfrom = make_recvfrom;
    table->recvmsg = make_recvmsg;
    table->write = make_write;
    table->writev = make_writev;
    table->send = make_send;
    table->sendto = make_sendto;
    table->sendmsg = make_sendmsg;
}
