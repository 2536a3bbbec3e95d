/* SPDX-License-Identifier: MIT */
/*
 * The device interface: what a driver offers and what it calls. A driver
 * fills a struct netif and registers it; its interrupt handler masks the
 * device's receive cause and calls netif_schedule; later, in softirq context,
 * `poll` takes packets off the ring and hands each to netif_receive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/limits.h"
#include "net/packet.h"
#include "net/wire/byteorder.h"
#include "net/wire/ethernet.h"

/* What a device can do by itself. */
enum netif_feature {
    NETIF_TX_CHECKSUM = 1 << 0,  /* completes PACKET_CHECKSUM_PARTIAL */
    NETIF_TX_SEGMENT = 1 << 1,   /* TSO for TCP over IPv4 (segment.h) */
    NETIF_TX_FRAGMENTS = 1 << 2, /* gathers fragments */
    NETIF_VLAN_STRIP = 1 << 3,
    NETIF_VLAN_INSERT = 1 << 4,
    NETIF_RX_CHECKSUM = 1 << 5,
    NETIF_LOOPBACK = 1 << 6, /* no wire: no ARP, 127/8 is fine */
};

struct netif;

struct netif_operations {
    /* Gives the packet (a whole frame) to the device's ring, which has room
     * unless `transmit_stopped` says otherwise. The doorbell waits for
     * `kick`. Softirq, or app with the lock held. */
    void (*transmit)(struct netif *netif, struct packet *packet);
    /* Tells the device of all that was transmitted since the last kick. */
    void (*kick)(struct netif *netif);
    /* Reclaims transmits, receives at most `budget` packets, returns how many
     * it received. Less than the budget means: ring empty, interrupt cause
     * unmasked again and ring looked at once more. Softirq. */
    size_t (*poll)(struct netif *netif, size_t budget);
    /* Sets the group addresses to receive. May be NULL. */
    void (*set_multicast)(struct netif *netif,
                          const struct ethernet_address *list, size_t count);
    /* Calls `visit` for each statistic, under its `ethtool -S` name. May be
     * NULL. */
    void (*statistics)(struct netif *netif,
                       void (*visit)(void *context, const char *name,
                                     uint64_t value),
                       void *context);
    /* Prints registers and rings to the log. May be NULL. */
    void (*dump)(struct netif *netif);
    /* Called once per second by the interface layer: the driver looks whether
     * the device is alive. Softirq. May be NULL. */
    void (*tick)(struct netif *netif, uint64_t now_ns);
};

/* One IPv4 configuration of an interface. */
struct netif_ip {
    struct be32 address; /* 0.0.0.0: not configured */
    struct be32 netmask;
    struct be32 broadcast;
};

/* Counters of the interface layer, the same for every device. */
struct netif_counters {
    uint64_t rx_packets;
    uint64_t rx_bytes;
    uint64_t rx_dropped;
    uint64_t tx_packets;
    uint64_t tx_bytes;
    uint64_t tx_dropped;
    uint64_t link_changes;
};

/* A queueing discipline, as netif.c sees it (qdisc.h). */
struct netif_queueing {
    /* Takes a frame that the device can send, and gives on what may go. */
    void (*transmit)(struct netif_queueing *queueing, struct packet *packet);
    /* The device's ring has room. */
    void (*resume)(struct netif_queueing *queueing);
    /* The link went down: drops what waits. */
    void (*clear)(struct netif_queueing *queueing);
};

struct netif {
    /* Filled in by the driver before netif_register. */
    const struct netif_operations *operations;
    void *driver;
    struct ethernet_address address;
    uint32_t features;     /* enum netif_feature bits the device has */
    uint32_t mtu;          /* bytes of an IP packet */
    uint32_t link_speed;   /* Mbit/s, 0 = unknown */
    bool link_up;          /* set through netif_link_changed later */
    bool transmit_stopped; /* ring full: the stack holds packets back */
    struct netif *parent;  /* of a VLAN, which brings its name; else NULL */
    /* Owned by the stack. */
    char name[NETIF_NAME_SIZE];
    uint8_t index;
    bool needs_kick;      /* is on the list of those that do */
    uint8_t lone_turns;   /* in a row that brought one frame, up to enough */
    bool has_dhcp_client; /* that asks for an address by it */
    volatile bool poll_scheduled; /* set by hardirq, cleared by the softirq */
    struct netif *kick_next;
    struct netif_ip ip;
    struct netif_counters counters;
    struct packet_queue queue;       /* waits while the ring is full */
    struct netif_queueing *queueing; /* NULL: that queue alone */
};

/* What the rooms above want to hear; net.c fills it in. */
struct netif_wiring {
    /* Carrier came or went; `link_up` has the new state. */
    void (*link_changed)(struct netif *netif, uint64_t now_ns);
};

/* Forgets every device. Boot. */
void netif_init(const struct netif_wiring *wiring);

/* Sees every frame that a device gives or takes, and only borrows it. NULL:
 * nobody looks. Returns who looked before. */
typedef void netif_capture(const struct netif *netif,
                           const struct packet *packet, bool is_outgoing);
netif_capture *netif_set_capture(netif_capture *capture);

/* Names the device (eth0, eth1, ...; loopback is lo) and makes it known.
 * The structure must live for ever. -ENOSPC when there are NETIF_MAX. Boot,
 * or app with the lock held. */
int netif_register(struct netif *netif) MUST_CHECK;

/* So many packets may wait for one card: a part of the pool, shared by all of
 * them. */
size_t netif_queue_share(void);

/* The device wants to be polled. Hardirq or softirq. */
void netif_schedule(struct netif *netif);

/* Polls scheduled devices, round-robin, within NETIF_POLL_BUDGET. Returns
 * true when work is left. Softirq; called by net_receive_softirq. */
bool netif_poll(uint64_t now_ns);

/* Driver -> stack: one frame, linear, starting at its Ethernet header, without
 * FCS. The packet gets its netif, and the time of the poll if the driver has
 * left time_ns 0. Only from `poll`. */
void netif_receive(struct netif *netif, struct packet *packet);

/* Stack -> driver: a whole frame. Queues it when the ring is full; does in
 * software what the device cannot (checksum, gather), and pads short frames
 * with zeros. */
void netif_transmit(struct netif *netif, struct packet *packet);

/* Discipline -> driver, whose ring has room. */
void netif_give(struct netif *netif, struct packet *packet);

/* Kicks every device that was given packets. Called at the end of each entry
 * into the stack. */
void netif_flush(void);

/* Driver: the ring has room again. */
void netif_transmit_resume(struct netif *netif);

/* Driver, in softirq: carrier came or went. */
void netif_link_changed(struct netif *netif, bool up);

extern struct netif *netif_table[NETIF_MAX]; /* netif.c's, by index */
static inline struct netif *netif_by_index(size_t index)
{
    return index < NETIF_MAX ? netif_table[index] : NULL;
}
struct netif *netif_by_name(const char *name);
size_t netif_count(void);

/* How often a poll ended with work left over. */
uint64_t netif_budget_exhausted(void);
