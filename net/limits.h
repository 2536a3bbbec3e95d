/* SPDX-License-Identifier: MIT */
/*
 * Every capacity and protocol constant of the stack, with its unit and its
 * reason. Memory use and worst cases can be read off this one file.
 */
#pragma once

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* Packets and buffers. */
enum {
    /* The e1000's default receive buffer size; two fill a page. */
    BUFFER_SIZE = 2048,
    /* Room for Ethernet + VLAN + IPv4 with options + TCP with options + slack
     * in front of what a transport sends: 14 + 4 + 60 + 60 = 138. */
    PACKET_HEADROOM = 160,
    /* Room the driver leaves in front of a received frame, so that a
     * forwarded packet can grow a VLAN tag; + 2 aligns the IP header. */
    PACKET_RECEIVE_HEADROOM = 66,
    /* A 64 KiB TSO burst from 2 KiB buffers, first and last partial. */
    PACKET_FRAGMENTS_MAX = 34,
};

/* Interfaces. */
enum {
    NETIF_MAX = 16,
    NETIF_NAME_SIZE = 16, /* Linux's IFNAMSIZ */
    /* Packets one device may take per turn, as Linux's NAPI weight. */
    NETIF_POLL_WEIGHT = 64,
    /* Packets per receive softirq over all devices, as netdev_budget. */
    NETIF_POLL_BUDGET = 256,
};

/* Sockets. */
enum {
    /* One socket per this much memory: 1,024 in 8 MiB. */
    SOCKET_MEMORY_SHARE = 8192,
    SOCKETS_MIN = 256,
    SOCKETS_MAX = 65536,
    /* Pieces of one sendmsg or recvmsg: POSIX's least IOV_MAX. */
    SOCKET_PIECES_MAX = 16,
    /* SO_RCVTIMEO and SO_SNDTIMEO are cut to a year. */
    SOCKET_TIMEOUT_MAX_S = 365 * 24 * 3600,
};
