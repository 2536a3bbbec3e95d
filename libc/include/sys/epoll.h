/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many sockets: constants and layout of Linux x86_64. net/socket
 * reads these structures, so on the host it is built against the host's own.
 */
#pragma once

#include <stdint.h>

#define EPOLL_CLOEXEC 02000000
/* ferrule's own: what an app sends after a wait leaves together, at the next
 * wait, at the first call that sleeps, after some 60 calls, or with the next
 * frame or timer. One doorbell instead of many; for apps that never compute
 * long, and wait for nothing but sockets, between two waits. */
#define EPOLL_CORK 04000000

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

enum EPOLL_EVENTS {
    EPOLLIN = 0x0001,
    EPOLLPRI = 0x0002,
    EPOLLOUT = 0x0004,
    EPOLLERR = 0x0008,
    EPOLLHUP = 0x0010,
    EPOLLRDNORM = 0x0040,
    EPOLLRDBAND = 0x0080,
    EPOLLWRNORM = 0x0100,
    EPOLLWRBAND = 0x0200,
    EPOLLRDHUP = 0x2000,
    EPOLLEXCLUSIVE = 1 << 28,
    EPOLLWAKEUP = 1 << 29,
    EPOLLONESHOT = 1 << 30,
};
#define EPOLLET (1U << 31)

typedef union epoll_data {
    void *ptr;
    int fd;
    uint32_t u32;
    uint64_t u64;
} epoll_data_t;

struct __attribute__((packed)) epoll_event {
    uint32_t events;
    epoll_data_t data;
};

int epoll_create(int size);
int epoll_create1(int flags);
int epoll_ctl(int epoll, int operation, int descriptor,
              struct epoll_event *event);
int epoll_wait(int epoll, struct epoll_event *events, int size, int timeout_ms);
