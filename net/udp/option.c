/* SPDX-License-Identifier: MIT */
/*
 * Socket options of UDP, and what it counts.
 */
#include "net/counter.h"
#include "net/udp/socket.h"

#include <errno.h>

enum {
    RECEIVE_BUFFER_MIN = 4096, /* one datagram in any case */
};

static int set_receive_buffer(struct udp_socket *socket, int value)
{
    size_t wanted = (size_t)value;

    if (wanted < RECEIVE_BUFFER_MIN)
        wanted = RECEIVE_BUFFER_MIN;
    if (wanted > udp_queued_limit)
        wanted = udp_queued_limit;
    socket->receive_limit = wanted;
    return 0;
}

int udp_set_option(struct udp_socket *socket, enum udp_option option, int value)
{
    if (option == UDP_OPTION_MULTICAST_TTL && value == -1)
        value = UDP_MULTICAST_TTL;
    if (option == UDP_OPTION_TTL && value == -1)
        value = ip_default_ttl;
    if (value < 0)
        return -EINVAL;
    switch (option) {
    case UDP_OPTION_BROADCAST:
        socket->may_broadcast = value != 0;
        return 0;
    case UDP_OPTION_RECEIVE_BUFFER:
        return set_receive_buffer(socket, value);
    case UDP_OPTION_SEND_BUFFER:
        socket->send_buffer = value;
        return 0;
    case UDP_OPTION_REUSE_ADDRESS:
        socket->reuses_address = value != 0;
        return 0;
    case UDP_OPTION_TTL:
        if (value == 0 || value > 255)
            return -EINVAL;
        socket->ttl = (uint8_t)value;
        return 0;
    case UDP_OPTION_TOS:
        if (value > 255)
            return -EINVAL;
        socket->tos = (uint8_t)value;
        return 0;
    case UDP_OPTION_MTU_DISCOVER:
        if (value >= IP_MTU_DISCOVER_COUNT)
            return -EINVAL;
        socket->mtu_discover = (uint8_t)value;
        return 0;
    case UDP_OPTION_MULTICAST_TTL:
        if (value > 255)
            return -EINVAL;
        socket->multicast_ttl = (uint8_t)value;
        return 0;
    case UDP_OPTION_MULTICAST_LOOP:
        socket->loops_to_groups = value != 0;
        return 0;
    }
    return -EINVAL;
}

int udp_get_option(const struct udp_socket *socket, enum udp_option option)
{
    switch (option) {
    case UDP_OPTION_BROADCAST:
        return socket->may_broadcast;
    case UDP_OPTION_RECEIVE_BUFFER:
        return (int)socket->receive_limit;
    case UDP_OPTION_SEND_BUFFER:
        return socket->send_buffer;
    case UDP_OPTION_REUSE_ADDRESS:
        return socket->reuses_address;
    case UDP_OPTION_TTL:
        return socket->ttl != 0 ? socket->ttl : ip_default_ttl;
    case UDP_OPTION_TOS:
        return socket->tos;
    case UDP_OPTION_MTU_DISCOVER:
        return socket->mtu_discover;
    case UDP_OPTION_MULTICAST_TTL:
        return socket->multicast_ttl;
    case UDP_OPTION_MULTICAST_LOOP:
        return socket->loops_to_groups;
    }
    return -EINVAL;
}

int udp_set_group_netif(struct udp_socket *socket, struct netif *netif)
{
    if (netif != NULL && socket->netif != NULL && socket->netif != netif)
        return -EINVAL;
    socket->group_netif = netif;
    return 0;
}

struct netif *udp_group_netif(const struct udp_socket *socket)
{
    return socket->group_netif;
}

static const struct counter shown[] = {
    {"udp_in_datagrams_total", &udp_counters.in_datagrams,
     "UDP datagrams delivered to a socket"},
    {"udp_no_ports_total", &udp_counters.no_ports,
     "UDP datagrams for ports nobody listens on"},
    {"udp_in_errors_total", &udp_counters.in_errors,
     "UDP datagrams not delivered for another reason"},
    {"udp_in_checksum_errors_total", &udp_counters.checksum_errors,
     "UDP datagrams with a bad checksum"},
    {"udp_receive_buffer_errors_total", &udp_counters.receive_buffer_errors,
     "UDP datagrams for which the socket's queue was full"},
    {"udp_out_datagrams_total", &udp_counters.out_datagrams,
     "UDP datagrams sent"},
    {"udp_out_errors_total", &udp_counters.out_errors,
     "UDP datagrams that could not be sent"},
};

void udp_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context)
{
    counters_visit(shown, ARRAY_COUNT(shown), visit, context);
    visit(context, "udp_queued_bytes", udp_queued_size,
          "memory held by datagrams that wait to be read");
}
