/* SPDX-License-Identifier: MIT */
/*
 * Addresses of packet sockets (packet(7)); layout and values of Linux.
 */
#pragma once

#include <stdint.h>

struct sockaddr_ll {
    unsigned short int sll_family;
    unsigned short int sll_protocol; /* network order */
    int sll_ifindex;                 /* from 1; 0: any */
    unsigned short int sll_hatype;
    unsigned char sll_pkttype;
    unsigned char sll_halen;
    unsigned char sll_addr[8];
};

#define PACKET_HOST      0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define PACKET_OUTGOING  4
