/* SPDX-License-Identifier: MIT */
/*
 * struct sockaddr and the endpoints of the transports: AF_INET for now.
 */
#include "net/socket/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

int address_parse(const struct sockaddr *address, socklen_t length,
                  struct tcp_endpoint *endpoint)
{
    struct sockaddr_in in;
    struct be32 ipv4;

    if (address == NULL || length < sizeof(in))
        return -EINVAL;
    memcpy(&in, address, sizeof(in));
    if (in.sin_family != AF_INET)
        return -EAFNOSUPPORT;
    memcpy(&ipv4, &in.sin_addr, sizeof(ipv4));
    endpoint->address = ip_address_from_ipv4(ipv4);
    endpoint->port = ntohs(in.sin_port);
    return 0;
}

int address_parse_peer(const struct sockaddr *address, socklen_t length,
                       struct tcp_endpoint *endpoint)
{
    int result = address_parse(address, length, endpoint);

    if (result == 0 && ip_address_is_any(&endpoint->address))
        endpoint->address = ip_address_from_ipv4(be32_from(INADDR_LOOPBACK));
    return result;
}

void address_store(const struct tcp_endpoint *endpoint,
                   struct sockaddr *address, socklen_t *length)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(endpoint->port)};
    struct be32 ipv4 = ip_address_ipv4(&endpoint->address);

    if (address == NULL || length == NULL)
        return;
    memcpy(&in.sin_addr, &ipv4, sizeof(ipv4));
    memcpy(address, &in, *length < sizeof(in) ? *length : sizeof(in));
    *length = sizeof(in);
}
