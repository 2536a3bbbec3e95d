/* SPDX-License-Identifier: MIT */
/*
 * ARP (RFC 826, RFC 5227). Every message is checked against the frame that
 * carried it and the interface's network before anything is learnt from it.
 */
#include "net/link/arp.h"

#include "net/link/acd.h"
#include "net/link/ethernet.h"
#include "net/link/neighbour.h"
#include "net/wire/arp.h"
#include "net/wire/ipv4.h"

#include <string.h>

struct arp_counters arp_counters;

static bool (*is_proxied)(const struct netif *asked, struct be32 address);

void arp_set_proxy(bool (*answers)(const struct netif *asked,
                                   struct be32 address))
{
    is_proxied = answers;
}

static void fill(struct arp_message *message, uint16_t operation)
{
    message->hardware_type = be16_from(ARP_HARDWARE_ETHERNET);
    message->protocol_type = be16_from(ETHERNET_TYPE_IPV4);
    message->hardware_length = sizeof(struct ethernet_address);
    message->protocol_length = sizeof(struct be32);
    message->operation = be16_from(operation);
}

static void send_request(struct netif *netif, struct be32 sender,
                         struct be32 target,
                         const struct ethernet_address *destination)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    struct arp_message *message;

    if (packet == NULL)
        return; /* counted by the pool; it is asked again */
    message = packet_append(packet, sizeof(*message));
    fill(message, ARP_REQUEST);
    message->sender_hardware = netif->address;
    message->sender_protocol = sender;
    memset(&message->target_hardware, 0, sizeof(message->target_hardware));
    message->target_protocol = target;
    ethernet_send(netif, packet, destination, ETHERNET_TYPE_ARP);
}

void arp_send_request(struct netif *netif, struct be32 target,
                      const struct ethernet_address *destination)
{
    arp_counters.tx_requests++;
    send_request(netif, netif->ip.address, target, destination);
}

void arp_send_probe(struct netif *netif, struct be32 target)
{
    arp_counters.tx_probes++;
    send_request(netif, be32_from(0), target, &ethernet_broadcast);
}

void arp_send_announcement(struct netif *netif, struct be32 address)
{
    arp_counters.tx_announcements++;
    send_request(netif, address, address, &ethernet_broadcast);
}

/* The request becomes the reply, in place. */
static void reply(struct packet *packet, const struct arp_message *request)
{
    struct netif *netif = packet->netif;
    struct ethernet_address asker = request->sender_hardware;
    struct be32 asker_protocol = request->sender_protocol;
    struct be32 asked_for = request->target_protocol;
    struct arp_message *message = (void *)packet->data;

    arp_counters.tx_replies++;
    packet_trim(packet, sizeof(*message));
    fill(message, ARP_REPLY);
    message->target_hardware = asker;
    message->target_protocol = asker_protocol;
    message->sender_hardware = netif->address;
    message->sender_protocol = asked_for;
    ethernet_send(netif, packet, &asker, ETHERNET_TYPE_ARP);
}

/* Could a neighbour on this interface have this address? */
static bool is_neighbour_address(const struct netif *netif, struct be32 address)
{
    return ipv4_is_unicast(address) && be32_get(netif->ip.address) != 0 &&
           ipv4_same_network(address, netif->ip.address, netif->ip.netmask) &&
           !be32_equal(address, netif->ip.broadcast);
}

static bool has_honest_sender(const struct packet *packet,
                              const struct arp_message *message)
{
    const struct ethernet_header *frame =
        (const void *)(packet->buffer + packet->link_offset);

    return ethernet_address_equal(&message->sender_hardware, &frame->source) &&
           !ethernet_address_is_group(&message->sender_hardware) &&
           !ethernet_address_is_zero(&message->sender_hardware);
}

static enum neighbour_news classify(const struct packet *packet,
                                    const struct arp_message *message,
                                    bool is_for_us)
{
    if (be16_get(message->operation) == ARP_REQUEST)
        return is_for_us ? NEIGHBOUR_ASKED_US : NEIGHBOUR_ANNOUNCED;
    if (is_for_us && !packet->is_broadcast)
        return NEIGHBOUR_ANSWERED;
    return NEIGHBOUR_ANNOUNCED;
}

void arp_receive(struct packet *packet, uint64_t now_ns)
{
    const struct arp_message *message = arp_parse(packet->data, packet->length);
    struct netif *netif = packet->netif;
    bool is_request;
    bool is_for_us;
    bool is_answered;

    if (message == NULL) {
        packet_drop(packet, DROP_ARP_MALFORMED);
        return;
    }
    if (!has_honest_sender(packet, message) ||
        (netif->features & NETIF_LOOPBACK) != 0) {
        packet_drop(packet, DROP_ARP_SENDER);
        return;
    }
    is_request = be16_get(message->operation) == ARP_REQUEST;
    if (is_request)
        arp_counters.rx_requests++;
    else
        arp_counters.rx_replies++;
    if (acd_hear(netif, message, now_ns)) {
        packet_drop(packet, DROP_ARP_SENDER);
        return;
    }
    is_for_us = be32_get(netif->ip.address) != 0 &&
                be32_equal(message->target_protocol, netif->ip.address);
    is_answered = is_request && is_for_us;
    if (be32_get(message->sender_protocol) != 0) {
        if (!is_neighbour_address(netif, message->sender_protocol)) {
            packet_drop(packet, DROP_ARP_SENDER);
            return;
        }
        neighbour_hear(netif, message->sender_protocol,
                       &message->sender_hardware,
                       classify(packet, message, is_for_us), now_ns);
        is_answered |= is_request && is_proxied != NULL &&
                       is_proxied(netif, message->target_protocol);
    }
    if (is_answered)
        reply(packet, message);
    else
        packet_free(packet);
}
