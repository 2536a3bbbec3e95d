/* SPDX-License-Identifier: MIT */
/*
 * The way of a packet through a router's hooks, and nothing around it: eth0
 * (198.51.100.1/24, the way to everywhere) and eth1 (192.168.1.1/24). What
 * ip/ would do between the hooks is done here in a dozen lines, so that rules
 * and flows can be looked at alone.
 */
#pragma once

#include "net/filter/filter.h"
#include "net/filter/firewall.h"
#include "net/filter/track.h"
#include "tests/host/world.h"

#define PATH_WAN_ADDRESS 0xc6336401 /* 198.51.100.1 */
#define PATH_LAN_ADDRESS 0xc0a80101 /* 192.168.1.1 */

enum path_netif {
    PATH_WAN, /* eth0 */
    PATH_LAN, /* eth1 */
};

enum path_end {
    PATH_FORWARDED,
    PATH_LOCAL,
    PATH_SENT, /* of a packet made here */
    PATH_REFUSED,
};

struct path_result {
    enum path_end end;
    enum filter_verdict verdict; /* REFUSED: which */
    const struct netif *out;     /* FORWARDED, SENT */
    uint16_t flow_state;         /* as tracking saw it */
    size_t length;
    uint8_t bytes[70000]; /* of the packet at the end of its way */
};

/* A world with this much memory, and the firewall started in it. */
void path_start(size_t memory_size);
extern struct netif path_netifs[2];

/* A whole IPv4 packet comes in by a cable, or is sent from here. */
const struct path_result *path_receive(enum path_netif in, const void *bytes,
                                       size_t length, uint64_t now_ns);
const struct path_result *path_send(const void *bytes, size_t length,
                                    uint64_t now_ns);

/* The same without copying in and out: for measurements. */
enum path_end path_run(struct packet *packet, enum path_netif in,
                       uint64_t now_ns);
