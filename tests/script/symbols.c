/* SPDX-License-Identifier: MIT */
/*
 * The names a script may use for numbers, and the words for ICMP.
 */
#include "tests/script/script.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct symbol {
    const char *name;
    long long number;
};

#define SYMBOL(name)                                                           \
    {                                                                          \
#name, name                                                            \
    }

static const struct symbol errors[] = {
    SYMBOL(EAGAIN),        SYMBOL(EWOULDBLOCK),  SYMBOL(EBADF),
    SYMBOL(EINVAL),        SYMBOL(EPIPE),        SYMBOL(ECONNRESET),
    SYMBOL(ECONNREFUSED),  SYMBOL(ECONNABORTED), SYMBOL(EINPROGRESS),
    SYMBOL(EALREADY),      SYMBOL(EISCONN),      SYMBOL(ENOTCONN),
    SYMBOL(EADDRINUSE),    SYMBOL(ETIMEDOUT),    SYMBOL(EHOSTUNREACH),
    SYMBOL(ENETUNREACH),   SYMBOL(EPROTO),       SYMBOL(ENOPROTOOPT),
    SYMBOL(EOPNOTSUPP),    SYMBOL(EMSGSIZE),     SYMBOL(EFAULT),
    SYMBOL(EADDRNOTAVAIL), SYMBOL(EAFNOSUPPORT), SYMBOL(EDESTADDRREQ),
    SYMBOL(ENOBUFS),       SYMBOL(ENOMEM),       SYMBOL(EDOM),
    SYMBOL(EMFILE),        SYMBOL(EACCES),       SYMBOL(EPROTONOSUPPORT),
    SYMBOL(ENOSYS),        SYMBOL(EDEADLK),      SYMBOL(ESOCKTNOSUPPORT),
    SYMBOL(ENOENT),        SYMBOL(ENOTTY),
};

static const struct symbol symbols[] = {
    SYMBOL(AF_INET),
    SYMBOL(AF_INET6),
    SYMBOL(PF_INET),
    SYMBOL(SOCK_STREAM),
    SYMBOL(SOCK_DGRAM),
    SYMBOL(SOCK_RAW),
    SYMBOL(SOCK_NONBLOCK),
    SYMBOL(SOCK_CLOEXEC),
    SYMBOL(IPPROTO_TCP),
    SYMBOL(IPPROTO_UDP),
    SYMBOL(IPPROTO_IP),
    SYMBOL(IPPROTO_ICMP),
    SYMBOL(SOL_SOCKET),
    {"SOL_TCP", IPPROTO_TCP},
    {"SOL_IP", IPPROTO_IP},
    SYMBOL(SO_REUSEADDR),
    SYMBOL(SO_REUSEPORT),
    SYMBOL(SO_ERROR),
    SYMBOL(SO_SNDBUF),
    SYMBOL(SO_RCVBUF),
    SYMBOL(SO_KEEPALIVE),
    SYMBOL(SO_LINGER),
    SYMBOL(SO_RCVTIMEO),
    SYMBOL(SO_SNDTIMEO),
    SYMBOL(SO_RCVLOWAT),
    SYMBOL(SO_SNDLOWAT),
    SYMBOL(SO_ACCEPTCONN),
    SYMBOL(SO_TYPE),
    SYMBOL(SO_DOMAIN),
    SYMBOL(SO_PROTOCOL),
    SYMBOL(SO_BROADCAST),
    SYMBOL(SO_OOBINLINE),
    SYMBOL(IP_TTL),
    SYMBOL(IP_TOS),
    SYMBOL(IP_MTU_DISCOVER),
    SYMBOL(IP_PMTUDISC_DONT),
    SYMBOL(IP_PMTUDISC_DO),
    SYMBOL(IP_PMTUDISC_WANT),
    SYMBOL(TCP_NODELAY),
    SYMBOL(IP_PMTUDISC_PROBE),
    SYMBOL(TCP_MAXSEG),
    SYMBOL(TCP_CORK),
    SYMBOL(TCP_KEEPIDLE),
    SYMBOL(TCP_KEEPINTVL),
    SYMBOL(TCP_KEEPCNT),
    SYMBOL(TCP_SYNCNT),
    SYMBOL(TCP_LINGER2),
    SYMBOL(TCP_DEFER_ACCEPT),
    SYMBOL(TCP_INFO),
    SYMBOL(TCP_QUICKACK),
    SYMBOL(TCP_CONGESTION),
    SYMBOL(TCP_USER_TIMEOUT),
    SYMBOL(TCP_ESTABLISHED),
    SYMBOL(TCP_SYN_SENT),
    SYMBOL(TCP_SYN_RECV),
    SYMBOL(TCP_FIN_WAIT1),
    SYMBOL(TCP_FIN_WAIT2),
    SYMBOL(TCP_TIME_WAIT),
    SYMBOL(TCP_CLOSE),
    SYMBOL(TCP_CLOSE_WAIT),
    SYMBOL(TCP_LAST_ACK),
    SYMBOL(TCP_LISTEN),
    SYMBOL(TCP_CLOSING),
    SYMBOL(TCPI_OPT_TIMESTAMPS),
    SYMBOL(TCPI_OPT_SACK),
    SYMBOL(TCPI_OPT_WSCALE),
    SYMBOL(TCPI_OPT_ECN),
    SYMBOL(TCP_CA_Open),
    SYMBOL(TCP_CA_Disorder),
    SYMBOL(TCP_CA_CWR),
    SYMBOL(TCP_CA_Recovery),
    SYMBOL(TCP_CA_Loss),
    SYMBOL(MSG_DONTWAIT),
    SYMBOL(MSG_PEEK),
    SYMBOL(MSG_TRUNC),
    SYMBOL(MSG_WAITALL),
    SYMBOL(MSG_MORE),
    SYMBOL(MSG_NOSIGNAL),
    SYMBOL(MSG_OOB),
    SYMBOL(SHUT_RD),
    SYMBOL(SHUT_WR),
    SYMBOL(SHUT_RDWR),
    SYMBOL(F_GETFL),
    SYMBOL(F_SETFL),
    SYMBOL(O_RDWR),
    SYMBOL(O_NONBLOCK),
    SYMBOL(POLLIN),
    SYMBOL(POLLOUT),
    SYMBOL(POLLERR),
    SYMBOL(POLLHUP),
    SYMBOL(POLLNVAL),
    SYMBOL(POLLRDHUP),
    SYMBOL(POLLPRI),
    SYMBOL(POLLRDNORM),
    SYMBOL(POLLWRNORM),
    SYMBOL(FIONREAD),
    SYMBOL(SIOCOUTQ),
    SYMBOL(SIOCOUTQNSD),
    SYMBOL(MSG_EOR),
    {"TCP_NOTSENT_LOWAT", 25},
    {"TCP_INQ", 36},
    {"TCP_CM_INQ", 36},
    {"SIOCINQ", FIONREAD},
    SYMBOL(SIOCATMARK),
    SYMBOL(MSG_ERRQUEUE),
    {"MSG_FASTOPEN", 0x20000000},
    SYMBOL(SO_ZEROCOPY),
    SYMBOL(MSG_ZEROCOPY),
    SYMBOL(IP_RECVERR),
    {"CMSG_LEVEL_IP", IPPROTO_IP},
    SYMBOL(MSG_CTRUNC),
    {"CMSG_TYPE_RECVERR", IP_RECVERR},
    SYMBOL(SO_EE_ORIGIN_ZEROCOPY),
    SYMBOL(SO_EE_CODE_ZEROCOPY_COPIED),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool find(const struct symbol *table, size_t count, const char *name,
                 size_t length, long long *number)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i].name) == length &&
            memcmp(table[i].name, name, length) == 0) {
            *number = table[i].number;
            return true;
        }
    }
    return false;
}

bool symbol_find(const char *name, size_t length, long long *number)
{
    return find(errors, COUNT(errors), name, length, number) ||
           find(symbols, COUNT(symbols), name, length, number);
}

const char *symbol_errno(int number)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        if (errors[i].number == number)
            return errors[i].name;
    return "?";
}

static const struct {
    const char *type;
    const char *code;
    uint8_t numbers[2];
} icmp_words[] = {
    {"echo_reply", "", {0, 0}},
    {"unreachable", "net_unreachable", {3, 0}},
    {"unreachable", "host_unreachable", {3, 1}},
    {"unreachable", "protocol_unreachable", {3, 2}},
    {"unreachable", "port_unreachable", {3, 3}},
    {"unreachable", "frag_needed", {3, 4}},
    {"unreachable", "source_route_failed", {3, 5}},
    {"unreachable", "net_unknown", {3, 6}},
    {"unreachable", "host_unknown", {3, 7}},
    {"unreachable", "source_host_isolated", {3, 8}},
    {"unreachable", "net_prohibited", {3, 9}},
    {"unreachable", "host_prohibited", {3, 10}},
    {"unreachable", "net_unreachable_for_tos", {3, 11}},
    {"unreachable", "host_unreachable_for_tos", {3, 12}},
    {"unreachable", "packet_filtered", {3, 13}},
    {"unreachable", "precedence_violation", {3, 14}},
    {"unreachable", "precedence_cutoff", {3, 15}},
    {"source_quench", "", {4, 0}},
    {"redirect", "", {5, 1}},
    {"echo_request", "", {8, 0}},
    {"time_exceeded", "exceeded_in_transit", {11, 0}},
    {"time_exceeded", "exceeded_in_reassembly", {11, 1}},
    {"time_exceeded", "", {11, 0}},
    {"parameter_problem", "", {12, 0}},
};

bool icmp_find(const char *type, const char *code, uint8_t numbers[2])
{
    for (size_t i = 0; i < COUNT(icmp_words); i++) {
        if (strcmp(icmp_words[i].type, type) == 0 &&
            strcmp(icmp_words[i].code, code) == 0) {
            memcpy(numbers, icmp_words[i].numbers, 2);
            return true;
        }
    }
    return false;
}
