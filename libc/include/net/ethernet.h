/* SPDX-License-Identifier: MIT */
/*
 * Ethernet frames for packet sockets; layout and values of Linux.
 */
#pragma once

#include <stdint.h>

#define ETH_ALEN     6
#define ETH_HLEN     14
#define ETH_DATA_LEN 1500
#define ETH_P_ALL    0x0003
#define ETH_P_IP     0x0800
#define ETH_P_ARP    0x0806
#define ETH_P_8021Q  0x8100
#define ETH_P_IPV6   0x86dd

#define ETHERTYPE_IP   ETH_P_IP
#define ETHERTYPE_ARP  ETH_P_ARP
#define ETHERTYPE_VLAN ETH_P_8021Q
#define ETHERTYPE_IPV6 ETH_P_IPV6

struct ether_header {
    uint8_t ether_dhost[ETH_ALEN];
    uint8_t ether_shost[ETH_ALEN];
    uint16_t ether_type;
};
