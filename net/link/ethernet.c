/* SPDX-License-Identifier: MIT */
/*
 * Ethernet II frames (RFC 894) and 802.1Q tags. Deliberately absent: 802.3
 * length frames (RFC 1042) and QinQ, which are counted and dropped; so are
 * frames of VLANs that nobody created (vlan.c).
 */
#include "net/link/ethernet.h"

#include <string.h>

const struct ethernet_address ethernet_broadcast = {
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct ethernet_counters ethernet_counters;

static const struct ethernet_receiver *receivers;
static size_t receiver_count;
static ethernet_find_vlan *vlans;

enum {
    VLAN_ID_MASK = 0x0fff,
    VLAN_ID_NONE = 0, /* a priority tag: belongs to no VLAN */
};

void ethernet_init(const struct ethernet_receiver *table, size_t count)
{
    receivers = table;
    receiver_count = count;
    vlans = NULL;
    memset(&ethernet_counters, 0, sizeof(ethernet_counters));
}

void ethernet_set_vlans(ethernet_find_vlan *find_vlan)
{
    vlans = find_vlan;
}

/* The frame is of that VLAN, or carries a priority alone. */
static enum drop_reason enter_vlan(struct packet *packet, uint16_t id)
{
    struct netif *netif;

    packet->has_vlan_tag = false; /* it may leave by another interface */
    if (id == VLAN_ID_NONE)
        return DROP_NONE;
    netif = vlans == NULL ? NULL : vlans(packet->netif, id);
    if (netif == NULL)
        return DROP_VLAN_UNKNOWN;
    packet->netif = netif;
    netif->counters.rx_packets++;
    netif->counters.rx_bytes += packet->length;
    return DROP_NONE;
}

/* One tag, in the frame or taken off by the card; a second one is a VLAN's in
 * a VLAN, and refused. */
static enum drop_reason take_tag(struct packet *packet, uint16_t *type)
{
    enum drop_reason reason = DROP_NONE;

    ethernet_counters.rx_vlan++;
    if (packet->has_vlan_tag) {
        reason = enter_vlan(packet, packet->vlan_tag & VLAN_ID_MASK);
    } else if (*type == ETHERNET_TYPE_VLAN) {
        const struct be16 *tag = packet_pull(packet, ETHERNET_VLAN_LENGTH);

        if (tag == NULL)
            return DROP_VLAN_SHORT;
        *type = be16_get(tag[1]);
        reason = enter_vlan(packet, be16_get(tag[0]) & VLAN_ID_MASK);
    }
    if (reason == DROP_NONE &&
        (*type == ETHERNET_TYPE_VLAN || *type == ETHERNET_TYPE_QINQ))
        return DROP_VLAN_UNKNOWN;
    return reason;
}

static enum drop_reason check_addresses(const struct netif *netif,
                                        struct packet *packet,
                                        const struct ethernet_header *header)
{
    if (ethernet_address_is_group(&header->source))
        return DROP_ETHERNET_SOURCE;
    if (ethernet_address_is_group(&header->destination)) {
        packet->is_broadcast = true;
        ethernet_counters.rx_broadcast++;
    } else if (!ethernet_address_equal(&header->destination, &netif->address)) {
        return DROP_ETHERNET_NOT_OURS;
    }
    /* Our own frame came back: a loop in the network. */
    if (ethernet_address_equal(&header->source, &netif->address) &&
        (netif->features & NETIF_LOOPBACK) == 0)
        return DROP_ETHERNET_SOURCE;
    return DROP_NONE;
}

static NOINLINE void receive_any(struct netif *netif, struct packet *packet,
                                 const struct ethernet_header *header)
{
    enum drop_reason reason = check_addresses(netif, packet, header);
    uint16_t type = be16_get(header->type);

    if (reason == DROP_NONE &&
        (packet->has_vlan_tag || type == ETHERNET_TYPE_VLAN ||
         type == ETHERNET_TYPE_QINQ))
        reason = take_tag(packet, &type);
    if (reason != DROP_NONE) {
        packet_drop(packet, reason);
        return;
    }
    for (size_t i = 0; i < receiver_count; i++) {
        if (receivers[i].type == type) {
            receivers[i].receive(packet, packet->time_ns);
            return;
        }
    }
    packet_drop(packet, DROP_ETHERNET_TYPE);
}

/* Of the first protocol of the table, without a tag, from another host to this
 * interface. */
static inline bool is_plain(const struct netif *netif,
                            const struct packet *packet,
                            const struct ethernet_header *header)
{
    return ethernet_address_equal(&header->destination, &netif->address) &&
           be16_get(header->type) == receivers[0].type &&
           !ethernet_address_is_group(&header->source) &&
           !ethernet_address_equal(&header->source, &netif->address) &&
           !packet->has_vlan_tag;
}

void ethernet_receive(struct netif *netif, struct packet *packet)
{
    const struct ethernet_header *header = (const void *)packet->data;

    if (packet->length < ETHERNET_HEADER_LENGTH) {
        packet_drop(packet, DROP_ETHERNET_SHORT);
        return;
    }
    packet->link_offset = (uint16_t)packet_headroom(packet);
    packet->data += ETHERNET_HEADER_LENGTH;
    packet->length -= ETHERNET_HEADER_LENGTH;
    if (is_plain(netif, packet, header))
        receivers[0].receive(packet, packet->time_ns);
    else
        receive_any(netif, packet, header);
}

void ethernet_send(struct netif *netif, struct packet *packet,
                   const struct ethernet_address *destination, uint16_t type)
{
    struct ethernet_header *header =
        packet_push(packet, ETHERNET_HEADER_LENGTH);

    header->destination = *destination;
    header->source = netif->address;
    header->type = be16_from(type);
    netif_transmit(netif, packet);
}
