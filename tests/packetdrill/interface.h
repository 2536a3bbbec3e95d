/* SPDX-License-Identifier: MIT */
/*
 * The table through which packetdrill drives a user-space stack: one pointer
 * and 32 functions, each with the prototype of the libc call it stands for,
 * behind the pointer.
 */
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);
    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *address,
                socklen_t length);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *address,
                  socklen_t *length);
    int (*connect)(void *userdata, int fd, const struct sockaddr *address,
                   socklen_t length);
    ssize_t (*read)(void *userdata, int fd, void *bytes, size_t size);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov,
                     int count);
    ssize_t (*recv)(void *userdata, int fd, void *bytes, size_t size,
                    int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *bytes, size_t size,
                        int flags, struct sockaddr *from, socklen_t *length);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *message,
                       int flags);
    ssize_t (*write)(void *userdata, int fd, const void *bytes, size_t size);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov,
                      int count);
    ssize_t (*send)(void *userdata, int fd, const void *bytes, size_t size,
                    int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *bytes, size_t size,
                      int flags, const struct sockaddr *to, socklen_t length);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *message,
                       int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int name, void *value,
                      socklen_t *length);
    int (*setsockopt)(void *userdata, int fd, int level, int name,
                      const void *value, socklen_t length);
    int (*poll)(void *userdata, struct pollfd *list, nfds_t count,
                int timeout_ms);
    int (*netdev_send)(void *userdata, const void *packet, size_t length);
    int (*netdev_receive)(void *userdata, void *packet, size_t *length,
                          long long *time_us);
    int (*usleep)(void *userdata, useconds_t length_us);
    int (*gettimeofday)(void *userdata, struct timeval *time,
                        struct timezone *zone);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epoll, int operation, int fd,
                     struct epoll_event *event);
    int (*epoll_wait)(void *userdata, int epoll, struct epoll_event *events,
                      int size, int timeout_ms);
    int (*pipe)(void *userdata, int fds[2]);
    int (*splice)(void *userdata, int in, loff_t *in_offset, int out,
                  loff_t *out_offset, size_t length, unsigned flags);
};

_Static_assert(sizeof(struct packetdrill_interface) == 33 * sizeof(void *),
               "as packetdrill lays it out");

/* What packetdrill looks up and calls, once a script. */
void packetdrill_interface_init(const char *flags,
                                struct packetdrill_interface *table);
