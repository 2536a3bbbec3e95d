/* SPDX-License-Identifier: MIT */
/*
 * getsockopt and setsockopt: SOL_SOCKET here, IPPROTO_TCP and IPPROTO_IP
 * through a table to the transports. The numbers are Linux's; those of
 * <netinet/tcp.h> are repeated because that header's state names collide with
 * the ones of net/tcp.
 */
#include "net/socket/draft.h"
#include "net/socket/interface.h"
#include "net/socket/option_group.h"
#include "net/socket/option_info.h"
#include "net/socket/socket.h"
#include "net/socket/table.h"

#include "net/limits.h"
#include "net/link/netif.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>

/* <netinet/tcp.h> of Linux. */
enum {
    NUMBER_NODELAY = 1,
    NUMBER_MAXSEG = 2,
    NUMBER_CORK = 3,
    NUMBER_KEEPIDLE = 4,
    NUMBER_KEEPINTVL = 5,
    NUMBER_KEEPCNT = 6,
    NUMBER_SYNCNT = 7,
    NUMBER_LINGER2 = 8,
    NUMBER_DEFER_ACCEPT = 9,
    NUMBER_INFO = 11,
    NUMBER_QUICKACK = 12,
    NUMBER_CONGESTION = 13,
    NUMBER_USER_TIMEOUT = 18,
    NUMBER_NOTSENT_LOWAT = 25,
    NUMBER_INQ = 36,
    CONGESTION_NAME_SIZE = 16, /* TCP_CA_NAME_MAX */
};

/* Options that are one int, by level and number. */
struct int_option {
    int level;
    int number;
    enum tcp_option tcp; /* TCP_OPTION_COUNT: not for streams */
    int udp;             /* enum udp_option, -1: not for datagrams */
};

static const struct int_option int_options[] = {
    {SOL_SOCKET, SO_SNDBUF, TCP_OPTION_SEND_BUFFER, UDP_OPTION_SEND_BUFFER},
    {SOL_SOCKET, SO_RCVBUF, TCP_OPTION_RECEIVE_BUFFER,
     UDP_OPTION_RECEIVE_BUFFER},
    {SOL_SOCKET, SO_RCVLOWAT, TCP_OPTION_RECEIVE_LEAST, -1},
    {SOL_SOCKET, SO_KEEPALIVE, TCP_OPTION_KEEP_ALIVE, -1},
    {SOL_SOCKET, SO_BROADCAST, TCP_OPTION_COUNT, UDP_OPTION_BROADCAST},
    {IPPROTO_IP, IP_TTL, TCP_OPTION_TTL, UDP_OPTION_TTL},
    {IPPROTO_IP, IP_TOS, TCP_OPTION_TOS, UDP_OPTION_TOS},
    {IPPROTO_IP, IP_MTU_DISCOVER, TCP_OPTION_MTU_DISCOVER,
     UDP_OPTION_MTU_DISCOVER},
    {IPPROTO_IP, IP_MULTICAST_TTL, TCP_OPTION_COUNT, UDP_OPTION_MULTICAST_TTL},
    {IPPROTO_IP, IP_MULTICAST_LOOP, TCP_OPTION_COUNT,
     UDP_OPTION_MULTICAST_LOOP},
    {IPPROTO_TCP, NUMBER_NODELAY, TCP_OPTION_NO_DELAY, -1},
    {IPPROTO_TCP, NUMBER_MAXSEG, TCP_OPTION_MAXIMUM_SEGMENT, -1},
    {IPPROTO_TCP, NUMBER_CORK, TCP_OPTION_CORK, -1},
    {IPPROTO_TCP, NUMBER_KEEPIDLE, TCP_OPTION_KEEP_IDLE_S, -1},
    {IPPROTO_TCP, NUMBER_KEEPINTVL, TCP_OPTION_KEEP_INTERVAL_S, -1},
    {IPPROTO_TCP, NUMBER_KEEPCNT, TCP_OPTION_KEEP_COUNT, -1},
    {IPPROTO_TCP, NUMBER_SYNCNT, TCP_OPTION_SYN_COUNT, -1},
    {IPPROTO_TCP, NUMBER_DEFER_ACCEPT, TCP_OPTION_DEFER_ACCEPT_S, -1},
    {IPPROTO_TCP, NUMBER_LINGER2, TCP_OPTION_LINGER2_S, -1},
    {IPPROTO_TCP, NUMBER_QUICKACK, TCP_OPTION_QUICK_ACK, -1},
    {IPPROTO_TCP, NUMBER_USER_TIMEOUT, TCP_OPTION_USER_TIMEOUT_MS, -1},
    {IPPROTO_TCP, NUMBER_NOTSENT_LOWAT, TCP_OPTION_UNSENT_LOW, -1},
};

static const struct int_option *find_int_option(int level, int number)
{
    for (size_t i = 0; i < ARRAY_COUNT(int_options); i++)
        if (int_options[i].level == level && int_options[i].number == number)
            return &int_options[i];
    return NULL;
}

/* As in Linux (socket(7)) twice as much memory is taken as was asked for, and
 * that is what getsockopt tells. Streams count what is asked for in payload,
 * datagram sockets count memory. */
static bool is_buffer(const struct int_option *option)
{
    return option->level == SOL_SOCKET &&
           (option->number == SO_SNDBUF || option->number == SO_RCVBUF);
}

static int twice(int value)
{
    return value > INT_MAX / TCP_BUFFER_DOUBLING ? INT_MAX
                                                 : value * TCP_BUFFER_DOUBLING;
}

static int set_int(struct socket *socket, const struct int_option *option,
                   int value, uint64_t now_ns)
{
    if (socket->kind == SOCKET_DATAGRAM && is_buffer(option) && value > 0)
        value = twice(value);
    if (socket->kind == SOCKET_DATAGRAM)
        return option->udp < 0
                   ? -ENOPROTOOPT
                   : udp_set_option(socket->udp, (enum udp_option)option->udp,
                                    value);
    if (option->tcp == TCP_OPTION_COUNT)
        return -ENOPROTOOPT;
    if (socket->kind == SOCKET_CONNECTION)
        return tcp_set_option(socket->connection, option->tcp, value, now_ns);
    if (socket->kind == SOCKET_LISTENER)
        return tcp_options_set(tcp_listener_options(socket->listener),
                               option->tcp, value);
    return draft_set_option(socket, option->tcp, value);
}

static int get_int(const struct socket *socket, const struct int_option *option,
                   int *value)
{
    if (socket->kind == SOCKET_DATAGRAM) {
        if (option->udp < 0)
            return -ENOPROTOOPT;
        *value = udp_get_option(socket->udp, (enum udp_option)option->udp);
        return 0;
    }
    if (option->tcp == TCP_OPTION_COUNT)
        return -ENOPROTOOPT;
    if (option->tcp == TCP_OPTION_RECEIVE_LEAST)
        *value = socket->read_low != 0 ? (int)socket->read_low : 1;
    else if (socket->kind == SOCKET_CONNECTION)
        *value = tcp_get_option(socket->connection, option->tcp);
    else if (socket->kind == SOCKET_LISTENER)
        *value = tcp_options_get(tcp_listener_options(socket->listener),
                                 option->tcp);
    else
        *value = draft_get_option(socket, option->tcp);
    if (is_buffer(option))
        *value = twice(*value);
    return 0;
}

/* SO_RCVTIMEO and SO_SNDTIMEO: 0 means for ever. */
static int set_timeout(uint32_t *timeout_ms, const void *value,
                       socklen_t length)
{
    struct timeval time;

    if (length < sizeof(time))
        return -EINVAL;
    memcpy(&time, value, sizeof(time));
    if (time.tv_usec < 0 || time.tv_usec >= 1000000)
        return -EDOM;
    if (time.tv_sec < 0) {
        *timeout_ms = SOCKET_TIMEOUT_NONE; /* as Linux: do not wait */
        return 0;
    }
    if (time.tv_sec > SOCKET_TIMEOUT_MAX_S)
        time.tv_sec = SOCKET_TIMEOUT_MAX_S;
    *timeout_ms = (uint32_t)(time.tv_sec * 1000 + (time.tv_usec + 999) / 1000);
    return 0;
}

static int set_linger(struct socket *socket, const void *value,
                      socklen_t length)
{
    struct linger linger;

    if (length < sizeof(linger))
        return -EINVAL;
    memcpy(&linger, value, sizeof(linger));
    if (linger.l_linger < 0)
        return -EINVAL;
    if (linger.l_linger > SOCKET_TIMEOUT_MAX_S)
        linger.l_linger = SOCKET_TIMEOUT_MAX_S;
    socket->has_linger = linger.l_onoff != 0;
    socket->linger_s = (uint32_t)linger.l_linger & 0x7fffff;
    return 0;
}

static int set_device(struct socket *socket, const char *value,
                      socklen_t length)
{
    struct netif *netif;
    int status;

    if (socket->kind != SOCKET_DATAGRAM)
        return -ENOPROTOOPT;
    status = interface_of_option(value, length, &netif);
    if (status == 0)
        udp_bind_netif(socket->udp, netif);
    return status;
}

/* TCP_CONGESTION: a name, which need not end in a zero. */
static const struct int_option congestion_option = {
    IPPROTO_TCP, NUMBER_CONGESTION, TCP_OPTION_CONGESTION, -1};

static int set_congestion(struct socket *socket, const char *value,
                          socklen_t length, uint64_t now_ns)
{
    char name[CONGESTION_NAME_SIZE] = "";

    if (length < 1)
        return -EINVAL;
    memcpy(name, value, length < sizeof(name) ? length : sizeof(name) - 1);
    int number = tcp_congestion_number(name);
    return number < 0 ? number
                      : set_int(socket, &congestion_option, number, now_ns);
}

static int set_queued(struct socket *socket, int value)
{
    if (value < 0 || value > 1)
        return -EINVAL;
    socket->tells_queued = value != 0;
    return 0;
}

/* As on Linux: less than nothing is as much as there can be. */
static int set_read_low(struct socket *socket, uint32_t value, uint32_t most)
{
    value = value < most ? value : most;
    socket->read_low = value > 1 ? value & 0x7fffff : 0;
    if (socket->kind == SOCKET_CONNECTION)
        socket_notify(socket_owner(socket), POLLIN | POLLRDNORM);
    return 0;
}

static int set_reuse(struct socket *socket, int value)
{
    socket->reuse_address = value != 0;
    if (socket->kind != SOCKET_DATAGRAM)
        return 0;
    return udp_set_option(socket->udp, UDP_OPTION_REUSE_ADDRESS, value);
}

static int set_option(struct socket *socket, int level, int number,
                      const void *value, socklen_t length, uint64_t now_ns)
{
    const struct int_option *option = find_int_option(level, number);
    int number_value = 0;

    if (level == SOL_SOCKET && number == SO_RCVTIMEO)
        return set_timeout(&socket->receive_timeout_ms, value, length);
    if (level == SOL_SOCKET && number == SO_SNDTIMEO)
        return set_timeout(&socket->send_timeout_ms, value, length);
    if (socket->kind == SOCKET_RAW)
        return socket_raw->set_option(socket, level, number, value, length);
    if (level == SOL_SOCKET && number == SO_BINDTODEVICE)
        return set_device(socket, value, length);
    if (level == SOL_SOCKET && number == SO_LINGER)
        return set_linger(socket, value, length);
    if (level == IPPROTO_TCP && number == NUMBER_CONGESTION)
        return set_congestion(socket, value, length, now_ns);
    if (option_is_of_group(level, number))
        return option_set_group(socket, number, value, length, now_ns);
    /* As on Linux, numbers of IPPROTO_IP may be one octet. */
    if (length < sizeof(number_value) && (level != IPPROTO_IP || length == 0))
        return -EINVAL;
    memcpy(&number_value, value,
           length < sizeof(number_value) ? 1 : sizeof(number_value));
    if (option != NULL) {
        int result = set_int(socket, option, number_value, now_ns);

        return result <= 0 ? result
                           : set_read_low(socket, (uint32_t)number_value,
                                          (uint32_t)result);
    }
    if (level == SOL_SOCKET && number == SO_REUSEADDR)
        return set_reuse(socket, number_value);
    if (level == IPPROTO_TCP && number == NUMBER_INQ &&
        socket->kind != SOCKET_DATAGRAM)
        return set_queued(socket, number_value);
    if (level == SOL_SOCKET && number == SO_ZEROCOPY && socket_zerocopy != NULL)
        return socket_zerocopy->set(socket, number_value);
    if (level == SOL_SOCKET && number == SO_REUSEPORT)
        return 0; /* one process: there is nobody to share with */
    if (level == SOL_SOCKET && number == SO_OOBINLINE)
        return number_value != 0 ? 0 : -EINVAL; /* always so (RFC 6093) */
    return -ENOPROTOOPT;
}

/* --- reading ------------------------------------------------------------ */

static int store(void *value, socklen_t *length, const void *from, size_t size)
{
    if (*length > size)
        *length = (socklen_t)size;
    memcpy(value, from, *length);
    return 0;
}

static int store_int(void *value, socklen_t *length, int number)
{
    return store(value, length, &number, sizeof(number));
}

static int store_timeout(void *value, socklen_t *length, uint32_t timeout_ms)
{
    uint32_t ms = timeout_ms == SOCKET_TIMEOUT_NONE ? 0 : timeout_ms;
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    return store(value, length, &time, sizeof(time));
}

static int take_error(struct socket *socket)
{
    if (socket->kind == SOCKET_DATAGRAM)
        return udp_take_error(socket->udp);
    if (socket->kind == SOCKET_CONNECTION)
        return tcp_take_error(socket->connection);
    return 0;
}

static int get_socket_option(struct socket *socket, int number, void *value,
                             socklen_t *length)
{
    bool is_stream = socket->kind != SOCKET_DATAGRAM;
    struct linger linger = {socket->has_linger, (int)socket->linger_s};

    switch (number) {
    case SO_TYPE:
        return store_int(value, length, is_stream ? SOCK_STREAM : SOCK_DGRAM);
    case SO_PROTOCOL:
        return store_int(value, length, is_stream ? IPPROTO_TCP : IPPROTO_UDP);
    case SO_DOMAIN:
        return store_int(value, length, AF_INET);
    case SO_ERROR:
        return store_int(value, length, take_error(socket));
    case SO_ACCEPTCONN:
        return store_int(value, length, socket->kind == SOCKET_LISTENER);
    case SO_REUSEADDR:
        return store_int(value, length, socket->reuse_address);
    case SO_ZEROCOPY:
        return store_int(value, length, socket->sends_in_place);
    case SO_OOBINLINE:
        return store_int(value, length, is_stream);
    case SO_SNDLOWAT:
        return store_int(value, length, 1);
    case SO_LINGER:
        return store(value, length, &linger, sizeof(linger));
    case SO_RCVTIMEO:
        return store_timeout(value, length, socket->receive_timeout_ms);
    case SO_SNDTIMEO:
        return store_timeout(value, length, socket->send_timeout_ms);
    default:
        return -ENOPROTOOPT;
    }
}

static int get_congestion(const struct socket *socket, void *value,
                          socklen_t *length)
{
    char name[CONGESTION_NAME_SIZE] = "";
    int number;
    int error = get_int(socket, &congestion_option, &number);

    if (error != 0)
        return error;
    const char *text = tcp_congestion_name(number);
    size_t size = strlen(text);
    memcpy(name, text, size < sizeof(name) ? size : sizeof(name) - 1);
    return store(value, length, name, sizeof(name));
}

/* IP_MTU: only of a way that is known. */
static int get_mtu(const struct socket *socket, uint64_t now_ns)
{
    struct tcp_status status;

    if (socket->kind == SOCKET_RAW)
        return socket_raw->path_mtu(socket, now_ns);
    if (socket->kind == SOCKET_DATAGRAM && udp_is_connected(socket->udp))
        return (int)udp_path_mtu(socket->udp, now_ns);
    if (socket->kind != SOCKET_CONNECTION)
        return -ENOTCONN;
    tcp_get_status(socket->connection, &status);
    return (int)status.path_mtu;
}

static int get_option(struct socket *socket, int level, int number, void *value,
                      socklen_t *length, uint64_t now_ns)
{
    const struct int_option *option = find_int_option(level, number);
    int number_value;
    int error;

    if (level == IPPROTO_IP && number == IP_MTU) {
        number_value = get_mtu(socket, now_ns);
        return number_value < 0 ? number_value
                                : store_int(value, length, number_value);
    }
    if (socket->kind == SOCKET_RAW &&
        (level != SOL_SOCKET ||
         (number != SO_RCVTIMEO && number != SO_SNDTIMEO))) {
        error = socket_raw->get_option(socket, level, number, &number_value);
        return error != 0 ? error : store_int(value, length, number_value);
    }
    if (option != NULL) {
        error = get_int(socket, option, &number_value);
        return error != 0 ? error : store_int(value, length, number_value);
    }
    if (option_is_of_group(level, number))
        return option_get_group(socket, number, value, length);
    if (level == SOL_SOCKET)
        return get_socket_option(socket, number, value, length);
    if (level == IPPROTO_TCP && number == NUMBER_INFO &&
        socket->kind != SOCKET_DATAGRAM)
        return option_get_info(socket, value, length, now_ns);
    if (level == IPPROTO_TCP && number == NUMBER_CONGESTION)
        return get_congestion(socket, value, length);
    if (level == IPPROTO_TCP && number == NUMBER_INQ &&
        socket->kind != SOCKET_DATAGRAM)
        return store_int(value, length, socket->tells_queued);
    return -ENOPROTOOPT;
}

int socket_setsockopt(int id, int level, int option, const void *value,
                      socklen_t length)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL && value == NULL)
        result = -EFAULT;
    else if (socket != NULL)
        result = set_option(socket, level, option, value, length, now_ns);
    socket_leave(now_ns);
    return result;
}

int socket_getsockopt(int id, int level, int option, void *value,
                      socklen_t *length)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL && (value == NULL || length == NULL))
        result = -EFAULT;
    else if (socket != NULL)
        result = get_option(socket, level, option, value, length, now_ns);
    socket_leave(now_ns);
    return result;
}
