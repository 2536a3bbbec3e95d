/* SPDX-License-Identifier: MIT */
/*
 * Errors on their way to those whom they concern: the transport a packet came
 * from, or its sender.
 */
#include "net/ip/icmp.h"
#include "net/ip/input.h"
#include "net/ip/route.h"
#include "net/wire/ipv4.h"

COLD bool ip_tell_error(const struct ip_error_info *info, uint8_t protocol,
                        uint64_t now_ns)
{
    const struct ip_transport *transport = ip_transport_find(protocol);

    if (ip_watcher != NULL)
        ip_watcher->error(info, protocol, now_ns);
    if (transport != NULL)
        transport->error(info, now_ns);
    return transport != NULL || ip_watcher != NULL;
}

COLD void ip_unreachable(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    size_t length = ipv4_header_length(header);
    uint8_t quote[ICMP_QUOTE_MIN];

    /* Whom we translated bears an address of ours: what goes there is turned
     * back on its way out. */
    if (ip_router != NULL &&
        (!ip_is_local(header->source) ||
         (packet->flow != NULL && packet->netif != NULL))) {
        ip_router->unreachable(packet, now_ns);
        return;
    }
    /* Other pieces of a datagram have no transport header to tell by. */
    if ((be16_get(header->fragment) & IPV4_FRAGMENT_OFFSET) == 0 &&
        packet_copy_out(packet, length, quote, sizeof(quote))) {
        struct ip_error_info info = {
            .local = ip_address_from_ipv4(header->source),
            .remote = ip_address_from_ipv4(header->destination),
            .transport = quote,
            .transport_length = sizeof(quote),
            .error = IP_ERROR_HOST_UNREACHABLE,
            .is_local = true,
        };

        (void)ip_tell_error(&info, header->protocol, now_ns);
    }
    packet_drop(packet, DROP_NEIGHBOUR_FAILED);
}
