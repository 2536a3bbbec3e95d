/* SPDX-License-Identifier: MIT */
/*
 * Raw, ping and packet sockets: names, messages and options of the socket
 * calls, in terms of net/raw.
 */
#include "net/socket/raw.h"

#include "net/limits.h"
#include "net/link/netif.h"
#include "net/raw/raw.h"
#include "net/socket/address.h"
#include "net/socket/interface.h"
#include "net/socket/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <string.h>

enum {
    HARDWARE_ETHERNET = 1, /* ARPHRD_* */
    HARDWARE_LOOPBACK = 772,
};

static bool is_of_frames(const struct socket *socket)
{
    enum raw_kind kind = raw_kind_of(socket->raw);

    return kind == RAW_FRAME || kind == RAW_FRAME_COOKED;
}

static void notify(void *owner, uint32_t ready)
{
    int events = 0;

    if (ready & RAW_READABLE)
        events |= POLLIN | POLLRDNORM;
    if (ready & RAW_FAILED)
        events |= POLLERR;
    socket_notify(owner, (short)events);
}

static int open_raw(struct socket *socket, int domain, int type, int protocol)
{
    enum raw_kind kind = type == SOCK_RAW ? RAW_FRAME : RAW_FRAME_COOKED;
    uint16_t number = ntohs((uint16_t)protocol);
    int status;

    if (domain == AF_INET) {
        if (type == SOCK_RAW && (protocol < 1 || protocol > 255))
            return -EPROTONOSUPPORT;
        kind = type == SOCK_RAW ? RAW_IP : RAW_PING;
        number = (uint16_t)protocol;
    } else if (type != SOCK_RAW && type != SOCK_DGRAM) {
        return -ESOCKTNOSUPPORT;
    }
    status = raw_open(kind, number, &socket->raw);
    if (status == 0)
        raw_set_owner(socket->raw, socket_owner(socket), notify);
    return status;
}

static void close_raw(struct socket *socket)
{
    raw_close(socket->raw);
}

/* ---- names ----------------------------------------------------------------
 */

static int parse_frame_end(const struct sockaddr *address, socklen_t length,
                           struct raw_address *end)
{
    struct sockaddr_ll link;

    if (address == NULL || length < sizeof(link))
        return -EINVAL;
    memcpy(&link, address, sizeof(link));
    if (link.sll_family != AF_PACKET)
        return -EINVAL;
    *end = (struct raw_address){.ethertype = ntohs(link.sll_protocol)};
    if (link.sll_ifindex != 0) {
        end->netif = link.sll_ifindex < 0
                         ? NULL
                         : netif_by_index((size_t)link.sll_ifindex - 1);
        if (end->netif == NULL)
            return -ENODEV;
    }
    end->has_hardware = link.sll_halen >= sizeof(end->hardware);
    memcpy(&end->hardware, link.sll_addr, sizeof(end->hardware));
    return 0;
}

static int parse(const struct socket *socket, const struct sockaddr *address,
                 socklen_t length, struct raw_address *end)
{
    struct tcp_endpoint endpoint;
    int error;

    if (is_of_frames(socket))
        return parse_frame_end(address, length, end);
    error = address_parse(address, length, &endpoint);
    if (error == 0)
        *end = (struct raw_address){.ip = endpoint.address,
                                    .identifier = endpoint.port};
    return error;
}

static void store_frame_end(const struct raw_address *end,
                            struct sockaddr *address, socklen_t *length)
{
    struct sockaddr_ll link = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(end->ethertype),
                               .sll_pkttype = end->type};

    if (address == NULL || length == NULL)
        return;
    if (end->netif != NULL) {
        link.sll_ifindex = end->netif->index + 1;
        link.sll_hatype = (end->netif->features & NETIF_LOOPBACK) != 0
                              ? HARDWARE_LOOPBACK
                              : HARDWARE_ETHERNET;
        link.sll_halen = sizeof(end->hardware);
        memcpy(link.sll_addr,
               end->has_hardware ? &end->hardware : &end->netif->address,
               sizeof(end->hardware));
    }
    memcpy(address, &link, *length < sizeof(link) ? *length : sizeof(link));
    *length = sizeof(link);
}

static void store(const struct socket *socket, const struct raw_address *end,
                  struct sockaddr *address, socklen_t *length)
{
    struct tcp_endpoint endpoint = {end->ip, end->identifier};

    if (is_of_frames(socket))
        store_frame_end(end, address, length);
    else
        address_store(&endpoint, address, length);
}

static int bind_raw(struct socket *socket, const struct sockaddr *address,
                    socklen_t length)
{
    struct raw_address local;
    int error = parse(socket, address, length, &local);

    return error != 0 ? error : raw_bind(socket->raw, &local);
}

static int connect_raw(struct socket *socket, const struct sockaddr *address,
                       socklen_t length)
{
    struct raw_address remote;
    int error;

    if (is_of_frames(socket))
        return -EOPNOTSUPP;
    if (address != NULL && length >= sizeof(address->sa_family) &&
        address->sa_family == AF_UNSPEC)
        return raw_connect(socket->raw, NULL);
    error = parse(socket, address, length, &remote);
    return error != 0 ? error : raw_connect(socket->raw, &remote);
}

static int name_raw(struct socket *socket, bool is_peer,
                    struct sockaddr *address, socklen_t *length)
{
    const struct raw_address *end =
        is_peer ? raw_remote(socket->raw) : raw_local(socket->raw);

    if (end == NULL)
        return is_of_frames(socket) ? -EOPNOTSUPP : -ENOTCONN;
    store(socket, end, address, length);
    return 0;
}

/* ---- messages -------------------------------------------------------------
 */

static ssize_t send_raw(struct socket *socket, const struct msghdr *message,
                        uint64_t now_ns)
{
    struct packet_piece pieces[SOCKET_PIECES_MAX];
    struct raw_address remote;
    bool has_remote = message->msg_name != NULL;

    if (has_remote) {
        int error =
            parse(socket, message->msg_name, message->msg_namelen, &remote);
        if (error != 0)
            return error;
    }
    for (size_t i = 0; i < message->msg_iovlen; i++)
        pieces[i] = (struct packet_piece){message->msg_iov[i].iov_base,
                                          message->msg_iov[i].iov_len};
    return raw_send(socket->raw, has_remote ? &remote : NULL, pieces,
                    message->msg_iovlen, now_ns);
}

static ssize_t receive_raw(struct socket *socket, struct msghdr *message,
                           int flags, uint64_t *now_ns)
{
    uint64_t deadline_ns = socket_deadline(*now_ns, socket->receive_timeout_ms);
    struct packet_room rooms[SOCKET_PIECES_MAX];
    struct raw_address from;
    size_t size = 0;
    int result;

    for (size_t i = 0; i < message->msg_iovlen; i++) {
        rooms[i] = (struct packet_room){message->msg_iov[i].iov_base,
                                        message->msg_iov[i].iov_len};
        size += message->msg_iov[i].iov_len;
    }
    for (;;) {
        result = raw_read(socket->raw, rooms, message->msg_iovlen,
                          (flags & MSG_PEEK) != 0, &from);
        if (result != -EAGAIN)
            break;
        if (socket->is_nonblocking || (flags & MSG_DONTWAIT) != 0 ||
            *now_ns >= deadline_ns)
            return -EAGAIN;
        *now_ns = socket_sleep(*now_ns, deadline_ns);
    }
    if (result < 0)
        return result;
    store(socket, &from, message->msg_name, &message->msg_namelen);
    if ((size_t)result <= size)
        return result;
    message->msg_flags |= MSG_TRUNC;
    return flags & MSG_TRUNC ? result : (ssize_t)size;
}

static short poll_raw(const struct socket *socket)
{
    uint32_t ready = raw_ready(socket->raw);
    int events = POLLOUT | POLLWRNORM;

    if (ready & RAW_READABLE)
        events |= POLLIN | POLLRDNORM;
    if (ready & RAW_FAILED)
        events |= POLLERR;
    return (short)events;
}

static size_t queued_raw(const struct socket *socket)
{
    return raw_read_queued(socket->raw);
}

/* ---- options --------------------------------------------------------------
 */

static const struct {
    int level;
    int number;
    enum raw_option option;
    bool is_of_ip; /* packet sockets have none of it */
} options[] = {
    {SOL_SOCKET, SO_BROADCAST, RAW_OPTION_BROADCAST, false},
    {SOL_SOCKET, SO_RCVBUF, RAW_OPTION_RECEIVE_BUFFER, false},
    {IPPROTO_IP, IP_TTL, RAW_OPTION_TTL, true},
    {IPPROTO_IP, IP_TOS, RAW_OPTION_TOS, true},
    {IPPROTO_IP, IP_MULTICAST_TTL, RAW_OPTION_MULTICAST_TTL, true},
    {IPPROTO_IP, IP_MULTICAST_LOOP, RAW_OPTION_MULTICAST_LOOP, true},
    {IPPROTO_IP, IP_HDRINCL, RAW_OPTION_HEADER_INCLUDED, true},
    {IPPROTO_IP, IP_MTU_DISCOVER, RAW_OPTION_DONT_FRAGMENT, true},
};

static int find_option(const struct socket *socket, int level, int number,
                       enum raw_option *option)
{
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        if (options[i].level != level || options[i].number != number ||
            (options[i].is_of_ip && is_of_frames(socket)))
            continue;
        *option = options[i].option;
        return 0;
    }
    return -ENOPROTOOPT;
}

static int set_device(struct socket *socket, const char *value,
                      socklen_t length)
{
    struct netif *netif;
    int status = interface_of_option(value, length, &netif);

    if (status == 0)
        raw_bind_netif(socket->raw, netif);
    return status;
}

static bool is_of_groups(const struct socket *socket, int level, int number)
{
    return level == IPPROTO_IP && number == IP_MULTICAST_IF &&
           ip_multicast != NULL && !is_of_frames(socket);
}

static int set_raw(struct socket *socket, int level, int number,
                   const void *value, socklen_t length)
{
    enum raw_option option;
    int number_value;
    int status;

    if (level == SOL_SOCKET && number == SO_BINDTODEVICE)
        return set_device(socket, value, length);
    if (is_of_groups(socket, level, number))
        return ip_multicast->read_interface(value, length,
                                            raw_group_netif(socket->raw));
    if (length < sizeof(number_value))
        return -EINVAL;
    memcpy(&number_value, value, sizeof(number_value));
    /* There is one process, and nothing waits on its way out. */
    if (level == SOL_SOCKET && (number == SO_REUSEADDR || number == SO_SNDBUF))
        return 0;
    status = find_option(socket, level, number, &option);
    if (status != 0)
        return status;
    /* As for UDP: so much memory is asked for, twice as much is taken. */
    if (option == RAW_OPTION_RECEIVE_BUFFER && number_value > 0 &&
        number_value <= (1 << 29))
        number_value *= 2;
    return raw_set_option(socket->raw, option, number_value);
}

static int get_raw(struct socket *socket, int level, int number, int *value)
{
    enum raw_option option;
    int status;

    if (level == SOL_SOCKET && number == SO_TYPE) {
        enum raw_kind kind = raw_kind_of(socket->raw);

        *value = kind == RAW_IP || kind == RAW_FRAME ? SOCK_RAW : SOCK_DGRAM;
        return 0;
    }
    if (level == SOL_SOCKET && number == SO_DOMAIN) {
        *value = is_of_frames(socket) ? AF_PACKET : AF_INET;
        return 0;
    }
    if (level == SOL_SOCKET && number == SO_PROTOCOL) {
        uint16_t protocol = raw_protocol_of(socket->raw);

        *value = is_of_frames(socket) ? htons(protocol) : protocol;
        return 0;
    }
    if (level == SOL_SOCKET && number == SO_ERROR) {
        *value = raw_take_error(socket->raw);
        return 0;
    }
    if (is_of_groups(socket, level, number)) {
        const struct netif *netif = *raw_group_netif(socket->raw);

        *value = 0;
        if (netif != NULL)
            memcpy(value, &netif->ip.address, sizeof(*value));
        return 0;
    }
    status = find_option(socket, level, number, &option);
    if (status == 0)
        *value = raw_get_option(socket->raw, option);
    return status;
}

static int path_mtu(const struct socket *socket, uint64_t now_ns)
{
    return raw_remote(socket->raw) == NULL
               ? -ENOTCONN
               : (int)raw_path_mtu(socket->raw, now_ns);
}

static const struct socket_family family = {
    .open = open_raw,
    .close = close_raw,
    .bind = bind_raw,
    .connect = connect_raw,
    .name = name_raw,
    .send = send_raw,
    .receive = receive_raw,
    .poll_events = poll_raw,
    .queued = queued_raw,
    .set_option = set_raw,
    .get_option = get_raw,
    .path_mtu = path_mtu,
};

int socket_raw_start(void)
{
    int status = raw_init();

    if (status == 0)
        socket_raw = &family;
    return status;
}
