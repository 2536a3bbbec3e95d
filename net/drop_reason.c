/* SPDX-License-Identifier: MIT */
/*
 * The names of the drop reasons, as people see them in counters and traces.
 */
#include "net/packet.h"

#include "net/platform.h"

static const char *const names[DROP_REASON_COUNT] = {
    [DROP_NONE] = "none",
    [DROP_ETHERNET_SHORT] = "ethernet_short",
    [DROP_ETHERNET_SOURCE] = "ethernet_source",
    [DROP_ETHERNET_NOT_OURS] = "ethernet_not_ours",
    [DROP_ETHERNET_TYPE] = "ethernet_type",
    [DROP_VLAN_SHORT] = "vlan_short",
    [DROP_VLAN_UNKNOWN] = "vlan_unknown",
    [DROP_ARP_MALFORMED] = "arp_malformed",
    [DROP_ARP_SENDER] = "arp_sender",
    [DROP_NEIGHBOUR_QUEUE_FULL] = "neighbour_queue_full",
    [DROP_NEIGHBOUR_FAILED] = "neighbour_failed",
    [DROP_LINK_DOWN] = "link_down",
    [DROP_TRANSMIT_FULL] = "transmit_full",
    [DROP_TRANSMIT_TOO_LONG] = "transmit_too_long",
    [DROP_RECEIVE_TOO_LONG] = "receive_too_long",
    [DROP_RECEIVE_ERROR] = "receive_error",
    [DROP_IP_SHORT] = "ip_short",
    [DROP_IP_HEADER] = "ip_header",
    [DROP_IP_CHECKSUM] = "ip_checksum",
    [DROP_IP_OPTION] = "ip_option",
    [DROP_IP_SOURCE] = "ip_source",
    [DROP_IP_DESTINATION] = "ip_destination",
    [DROP_IP_BROADCAST_FRAME] = "ip_broadcast_frame",
    [DROP_IP_NOT_FORWARDED] = "ip_not_forwarded",
    [DROP_IP_NO_ROUTE] = "ip_no_route",
    [DROP_IP_TTL] = "ip_ttl",
    [DROP_IP_TOO_BIG] = "ip_too_big",
    [DROP_IP_PROTOCOL] = "ip_protocol",
    [DROP_FRAGMENT_MALFORMED] = "fragment_malformed",
    [DROP_FRAGMENT_OVERLAP] = "fragment_overlap",
    [DROP_FRAGMENT_LIMIT] = "fragment_limit",
    [DROP_FRAGMENT_TIMEOUT] = "fragment_timeout",
    [DROP_ICMP_MALFORMED] = "icmp_malformed",
    [DROP_ICMP_CHECKSUM] = "icmp_checksum",
    [DROP_ICMP_IGNORED] = "icmp_ignored",
    [DROP_IGMP_MALFORMED] = "igmp_malformed",
    [DROP_FILTER] = "filter",
    [DROP_UDP_SHORT] = "udp_short",
    [DROP_UDP_CHECKSUM] = "udp_checksum",
    [DROP_UDP_PORT] = "udp_port",
    [DROP_UDP_NO_SOCKET] = "udp_no_socket",
    [DROP_UDP_QUEUE_FULL] = "udp_queue_full",
    [DROP_TCP_SHORT] = "tcp_short",
    [DROP_TCP_CHECKSUM] = "tcp_checksum",
    [DROP_TCP_HEADER] = "tcp_header",
    [DROP_TCP_OPTION] = "tcp_option",
    [DROP_TCP_NO_CONNECTION] = "tcp_no_connection",
    [DROP_TCP_LISTEN] = "tcp_listen",
    [DROP_TCP_BACKLOG] = "tcp_backlog",
    [DROP_TCP_SEQUENCE] = "tcp_sequence",
    [DROP_TCP_ACK] = "tcp_ack",
    [DROP_TCP_RESET] = "tcp_reset",
    [DROP_TCP_SYN] = "tcp_syn",
    [DROP_TCP_PAWS] = "tcp_paws",
    [DROP_TCP_TIMESTAMP_MISSING] = "tcp_timestamp_missing",
    [DROP_TCP_AFTER_CLOSE] = "tcp_after_close",
    [DROP_TCP_DUPLICATE] = "tcp_duplicate",
    [DROP_TCP_OUT_OF_ORDER_LIMIT] = "tcp_out_of_order_limit",
    [DROP_TCP_MEMORY] = "tcp_memory",
    [DROP_SOCKET_CLOSED] = "socket_closed",
    [DROP_NO_MEMORY] = "no_memory",
};

const char *drop_reason_name(enum drop_reason reason)
{
    ASSERT(reason < DROP_REASON_COUNT);
    return names[reason];
}
