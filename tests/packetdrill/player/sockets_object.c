/* SPDX-License-Identifier: MIT */
/*
 * The calls that scripts make, through the object's table. Reads and writes
 * take the plainest entry that will do, so that all of them are used.
 */
#include "tests/packetdrill/player/object.h"

#include "net/socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

static void *userdata(void)
{
    return object.userdata;
}

/* Ferrule's own convention: -errno. */
static ssize_t result(ssize_t value)
{
    return value == -1 ? -errno : value;
}

int socket_open(int domain, int type, int protocol)
{
    return (int)result(object.socket(userdata(), domain, type, protocol));
}

int socket_bind(int id, const struct sockaddr *address, socklen_t length)
{
    return (int)result(object.bind(userdata(), id, address, length));
}

int socket_listen(int id, int backlog)
{
    return (int)result(object.listen(userdata(), id, backlog));
}

int socket_accept(int id, struct sockaddr *address, socklen_t *length,
                  int flags)
{
    int fd = (int)result(object.accept(userdata(), id, address, length));

    if (fd >= 0 && (flags & SOCK_NONBLOCK) != 0)
        object.fcntl(userdata(), fd, F_SETFL, O_RDWR | O_NONBLOCK);
    return fd;
}

int socket_connect(int id, const struct sockaddr *address, socklen_t length)
{
    return (int)result(object.connect(userdata(), id, address, length));
}

ssize_t socket_sendmsg(int id, const struct msghdr *message, int flags)
{
    const struct iovec *iov = message->msg_iov;

    if (message->msg_iovlen == 1 && message->msg_name != NULL)
        return result(object.sendto(userdata(), id, iov->iov_base, iov->iov_len,
                                    flags, message->msg_name,
                                    message->msg_namelen));
    if (message->msg_iovlen == 1 && flags != 0)
        return result(
            object.send(userdata(), id, iov->iov_base, iov->iov_len, flags));
    if (message->msg_iovlen == 1)
        return result(
            object.write(userdata(), id, iov->iov_base, iov->iov_len));
    if (message->msg_name == NULL && flags == 0)
        return result(
            object.writev(userdata(), id, iov, (int)message->msg_iovlen));
    return result(object.sendmsg(userdata(), id, message, flags));
}

ssize_t socket_recvmsg(int id, struct msghdr *message, int flags)
{
    const struct iovec *iov = message->msg_iov;

    if (message->msg_control != NULL)
        return result(object.recvmsg(userdata(), id, message, flags));
    if (message->msg_iovlen == 1 && flags != 0)
        return result(
            object.recv(userdata(), id, iov->iov_base, iov->iov_len, flags));
    if (message->msg_iovlen == 1)
        return result(object.read(userdata(), id, iov->iov_base, iov->iov_len));
    if (flags == 0)
        return result(
            object.readv(userdata(), id, iov, (int)message->msg_iovlen));
    return result(object.recvmsg(userdata(), id, message, flags));
}

int socket_shutdown(int id, int how)
{
    return (int)result(object.shutdown(userdata(), id, how));
}

int socket_close(int id)
{
    return (int)result(object.close(userdata(), id));
}

int socket_getsockopt(int id, int level, int option, void *value,
                      socklen_t *length)
{
    return (int)result(
        object.getsockopt(userdata(), id, level, option, value, length));
}

int socket_setsockopt(int id, int level, int option, const void *value,
                      socklen_t length)
{
    return (int)result(
        object.setsockopt(userdata(), id, level, option, value, length));
}

/* There is no such entry: a port is learnt from what is sent. */
int socket_getsockname(int id, struct sockaddr *address, socklen_t *length)
{
    (void)id;
    (void)address;
    (void)length;
    return -ENOSYS;
}

int socket_set_nonblocking(int id, bool nonblocking)
{
    return (int)result(object.fcntl(
        userdata(), id, F_SETFL, nonblocking ? O_RDWR | O_NONBLOCK : O_RDWR));
}

bool socket_is_nonblocking(int id)
{
    return (object.fcntl(userdata(), id, F_GETFL) & O_NONBLOCK) != 0;
}

int socket_readable_bytes(int id, int *bytes)
{
    return (int)result(object.ioctl(userdata(), id, FIONREAD, bytes));
}

int socket_written_bytes(int id, bool is_unsent, int *bytes)
{
    return (int)result(object.ioctl(userdata(), id,
                                    is_unsent ? SIOCOUTQNSD : SIOCOUTQ, bytes));
}

int socket_at_mark(int id)
{
    int mark = 0;
    int value = (int)result(object.ioctl(userdata(), id, SIOCATMARK, &mark));

    return value < 0 ? value : mark;
}
