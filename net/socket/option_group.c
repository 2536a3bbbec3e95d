/* SPDX-License-Identifier: MIT */
/*
 * Options about groups whose values are structures: IP_ADD_MEMBERSHIP,
 * IP_DROP_MEMBERSHIP and IP_MULTICAST_IF, for datagram sockets of images that
 * have groups. (Numbers, IP_MULTICAST_TTL and _LOOP, are in option.c's table.)
 */
#include "net/socket/option_group.h"

#include "net/link/netif.h"
#include "net/socket/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

bool option_is_of_group(int level, int number)
{
    return level == IPPROTO_IP &&
           (number == IP_ADD_MEMBERSHIP || number == IP_DROP_MEMBERSHIP ||
            number == IP_MULTICAST_IF);
}

int option_set_group(struct socket *socket, int number, const void *value,
                     socklen_t length, uint64_t now_ns)
{
    struct netif *netif;
    int status;

    if (ip_multicast == NULL || socket->kind != SOCKET_DATAGRAM)
        return -ENOPROTOOPT;
    if (number != IP_MULTICAST_IF)
        return ip_multicast->set_membership(
            socket->udp, number == IP_ADD_MEMBERSHIP, value, length, now_ns);
    status = ip_multicast->read_interface(value, length, &netif);
    return status != 0 ? status : udp_set_group_netif(socket->udp, netif);
}

/* Only IP_MULTICAST_IF can be read: as an address. */
int option_get_group(const struct socket *socket, int number, void *value,
                     socklen_t *length)
{
    const struct netif *netif;
    struct be32 address = {{0}};

    if (ip_multicast == NULL || socket->kind != SOCKET_DATAGRAM ||
        number != IP_MULTICAST_IF)
        return -ENOPROTOOPT;
    netif = udp_group_netif(socket->udp);
    if (netif != NULL)
        address = netif->ip.address;
    if (*length > sizeof(address))
        *length = sizeof(address);
    memcpy(value, &address, *length);
    return 0;
}
