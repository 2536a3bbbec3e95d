/* SPDX-License-Identifier: MIT */
/*
 * The loopback device. Frames carry an Ethernet header with zero addresses, so
 * that lo looks like every other interface to the code above and to a capture.
 * Its MTU keeps every frame in one buffer; checksums are never computed.
 */
#include "net/link/loopback.h"

#include <string.h>

static struct packet_queue frames;

enum {
    RING = 128, /* frames on their way; more wait in the interface's queue */
};

static void loop_transmit(struct netif *netif, struct packet *packet)
{
    packet->is_looped = true;
    packet->checksum = PACKET_CHECKSUM_VERIFIED;
    packet->time_ns = 0; /* it is received anew */
    packet->flow = NULL;
    packet_queue_append(&frames, packet);
    netif->transmit_stopped = frames.count >= RING;
}

static void loop_kick(struct netif *netif)
{
    if (frames.count != 0)
        netif_schedule(netif);
}

static size_t loop_poll(struct netif *netif, size_t budget)
{
    size_t received = 0;

    while (received < budget && frames.count != 0) {
        netif_receive(netif, packet_queue_take(&frames));
        received++;
    }
    if (netif->transmit_stopped && frames.count < RING)
        netif_transmit_resume(netif);
    return received;
}

static const struct netif_operations operations = {
    .transmit = loop_transmit,
    .kick = loop_kick,
    .poll = loop_poll,
};

static struct netif loopback;

int loopback_init(void)
{
    frames = (struct packet_queue){0};
    memset(&loopback, 0, sizeof(loopback));
    loopback.operations = &operations;
    loopback.features = NETIF_LOOPBACK | NETIF_TX_CHECKSUM;
    loopback.mtu = ETHERNET_MTU;
    loopback.link_up = true;
    return netif_register(&loopback);
}

struct netif *loopback_netif(void)
{
    return &loopback;
}
