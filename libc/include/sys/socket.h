/* SPDX-License-Identifier: MIT */
/*
 * BSD sockets: constants and layouts of Linux x86_64. net/socket reads these
 * structures, so on the host it is built against the host's own header.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define AF_UNSPEC 0
#define AF_UNIX   1
#define AF_LOCAL  AF_UNIX
#define AF_INET   2
#define AF_INET6  10
#define AF_PACKET 17
#define PF_UNSPEC AF_UNSPEC
#define PF_INET   AF_INET
#define PF_INET6  AF_INET6
#define PF_PACKET AF_PACKET

#define SOCK_STREAM   1
#define SOCK_DGRAM    2
#define SOCK_RAW      3
#define SOCK_NONBLOCK 04000
#define SOCK_CLOEXEC  02000000

#define SOL_SOCKET         1
#define SO_DEBUG           1
#define SO_REUSEADDR       2
#define SO_TYPE            3
#define SO_ERROR           4
#define SO_DONTROUTE       5
#define SO_BROADCAST       6
#define SO_SNDBUF          7
#define SO_RCVBUF          8
#define SO_KEEPALIVE       9
#define SO_OOBINLINE       10
#define SO_NO_CHECK        11
#define SO_PRIORITY        12
#define SO_LINGER          13
#define SO_REUSEPORT       15
#define SO_RCVLOWAT        18
#define SO_SNDLOWAT        19
#define SO_RCVTIMEO        20
#define SO_SNDTIMEO        21
#define SO_BINDTODEVICE    25
#define SO_TIMESTAMP       29
#define SO_ACCEPTCONN      30
#define SO_SNDBUFFORCE     32
#define SO_RCVBUFFORCE     33
#define SO_TIMESTAMPNS     35
#define SO_MARK            36
#define SO_PROTOCOL        38
#define SO_DOMAIN          39
#define SO_MAX_PACING_RATE 47
#define SO_ZEROCOPY        60

#define SOMAXCONN 4096

#define MSG_OOB        0x0001
#define MSG_PEEK       0x0002
#define MSG_DONTROUTE  0x0004
#define MSG_CTRUNC     0x0008
#define MSG_TRUNC      0x0020
#define MSG_DONTWAIT   0x0040
#define MSG_EOR        0x0080
#define MSG_WAITALL    0x0100
#define MSG_ERRQUEUE   0x2000
#define MSG_NOSIGNAL   0x4000
#define MSG_MORE       0x8000
#define MSG_WAITFORONE 0x10000
#define MSG_ZEROCOPY   0x4000000

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

typedef unsigned int socklen_t;
typedef unsigned short sa_family_t;

struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};

struct sockaddr_storage {
    sa_family_t ss_family;
    char ss_padding[118];
    unsigned long ss_align;
};

struct linger {
    int l_onoff;
    int l_linger;
};

struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};

struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};

struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

#define CMSG_ALIGN(length)                                                     \
    (((length) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_SPACE(length)                                                     \
    (CMSG_ALIGN(length) + CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_LEN(length)  (CMSG_ALIGN(sizeof(struct cmsghdr)) + (length))
#define CMSG_DATA(header) ((unsigned char *)((header) + 1))
#define CMSG_FIRSTHDR(message)                                                 \
    ((message)->msg_controllen >= sizeof(struct cmsghdr)                       \
         ? (struct cmsghdr *)(message)->msg_control                            \
         : (struct cmsghdr *)0)

int socket(int family, int type, int protocol);
int bind(int descriptor, const struct sockaddr *address, socklen_t length);
int listen(int descriptor, int backlog);
int accept(int descriptor, struct sockaddr *restrict address,
           socklen_t *restrict length);
int accept4(int descriptor, struct sockaddr *restrict address,
            socklen_t *restrict length, int flags);
int connect(int descriptor, const struct sockaddr *address, socklen_t length);
ssize_t send(int descriptor, const void *bytes, size_t length, int flags);
ssize_t recv(int descriptor, void *buffer, size_t size, int flags);
ssize_t sendto(int descriptor, const void *bytes, size_t length, int flags,
               const struct sockaddr *address, socklen_t address_length);
ssize_t recvfrom(int descriptor, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict address,
                 socklen_t *restrict address_length);
ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags);
ssize_t recvmsg(int descriptor, struct msghdr *message, int flags);
struct timespec;
int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned int count,
             int flags);
int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned int count,
             int flags, struct timespec *timeout);
int shutdown(int descriptor, int how);
int getsockopt(int descriptor, int level, int option, void *restrict value,
               socklen_t *restrict length);
int setsockopt(int descriptor, int level, int option, const void *value,
               socklen_t length);
int getsockname(int descriptor, struct sockaddr *restrict address,
                socklen_t *restrict length);
int getpeername(int descriptor, struct sockaddr *restrict address,
                socklen_t *restrict length);
