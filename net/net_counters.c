/* SPDX-License-Identifier: MIT */
/*
 * Every counter of every layer, in one table for the console, /metrics and
 * tests. Names are Prometheus's; MIB names (RFC 4293) where there are any.
 */
#include "net/counter.h"
#include "net/net.h"

#include "net/account.h"
#include "net/buffer.h"
#include "net/ip/icmp.h"
#include "net/ip/input.h"
#include "net/ip/reassembly.h"
#include "net/ip/route.h"
#include "net/link/acd.h"
#include "net/link/arp.h"
#include "net/link/ethernet.h"
#include "net/link/gro.h"
#include "net/link/neighbour.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/service/dhcp.h"
#include "net/service/dns.h"
#include "net/tcp/tcp.h"
#include "net/timer.h"
#include "net/udp/udp.h"

#include <string.h>

static const struct counter counters[] = {
    {"ethernet_rx_group_total", &ethernet_counters.rx_broadcast,
     "frames received for a broadcast or multicast address"},
    {"ethernet_rx_vlan_total", &ethernet_counters.rx_vlan,
     "frames received with a VLAN tag"},

    {"gro_segments_total", &gro_counters.segments,
     "TCP segments joined to one before them"},
    {"gro_trains_total", &gro_counters.trains,
     "packets such segments went up as"},

    {"arp_rx_requests_total", &arp_counters.rx_requests,
     "ARP requests received"},
    {"arp_rx_replies_total", &arp_counters.rx_replies, "ARP replies received"},
    {"arp_tx_requests_total", &arp_counters.tx_requests, "ARP requests sent"},
    {"arp_tx_replies_total", &arp_counters.tx_replies, "ARP replies sent"},
    {"arp_tx_probes_total", &arp_counters.tx_probes,
     "ARP probes sent before using an address"},
    {"arp_tx_announcements_total", &arp_counters.tx_announcements,
     "gratuitous ARP messages sent"},
    {"arp_conflicts_found_total", &acd_counters.conflicts_found,
     "addresses not used because somebody has them"},
    {"arp_conflicts_seen_total", &acd_counters.conflicts_seen,
     "ARP messages that claim an address of ours"},
    {"arp_defences_total", &acd_counters.defences,
     "times an address of ours was defended"},
    {"neighbour_created_total", &neighbour_counters.created,
     "neighbour entries made"},
    {"neighbour_replaced_total", &neighbour_counters.replaced,
     "neighbour entries that made room for others"},
    {"neighbour_refused_total", &neighbour_counters.refused,
     "neighbour entries there was no room for"},
    {"neighbour_failed_total", &neighbour_counters.failed,
     "neighbours that did not answer"},
    {"neighbour_changed_total", &neighbour_counters.changed,
     "neighbours that changed their hardware address"},
    {"neighbour_queue_dropped_total", &neighbour_counters.queue_dropped,
     "packets dropped while a neighbour was asked for"},

    {"ip_in_receives_total", &ip_counters.in_receives, "IP packets received"},
    {"ip_in_header_errors_total", &ip_counters.in_header_errors,
     "IP packets with a bad header"},
    {"ip_in_address_errors_total", &ip_counters.in_address_errors,
     "IP packets with an address that cannot be"},
    {"ip_in_no_routes_total", &ip_counters.in_no_routes,
     "IP packets for others, not forwarded"},
    {"ip_in_unknown_protocols_total", &ip_counters.in_unknown_protocols,
     "IP packets of a protocol nobody here speaks"},
    {"ip_in_truncated_packets_total", &ip_counters.in_truncated,
     "IP packets shorter than their header says"},
    {"ip_in_delivers_total", &ip_counters.in_delivers,
     "IP packets given to a transport"},
    {"ip_in_broadcast_packets_total", &ip_counters.in_broadcasts,
     "IP packets received for a broadcast address"},
    {"ip_reassembly_required_total", &ip_counters.reassembly_required,
     "IP fragments received"},
    {"ip_reassembly_done_total", &ip_counters.reassembly_done,
     "IP packets put together from fragments"},
    {"ip_reassembly_failed_total", &ip_counters.reassembly_failed,
     "IP packets that could not be put together"},
    {"ip_out_requests_total", &ip_counters.out_requests,
     "IP packets that transports asked to send"},
    {"ip_out_no_routes_total", &ip_counters.out_no_routes,
     "sends for which there was no route"},
    {"ip_out_discards_total", &ip_counters.out_discards,
     "IP packets not sent by rule"},
    {"ip_out_transmits_total", &ip_counters.out_transmits,
     "IP packets given to the link"},
    {"ip_out_forwarded_total", &ip_counters.out_forwarded,
     "IP packets for others that were sent on"},
    {"ip_out_fragments_required_total", &ip_counters.out_fragments_required,
     "IP packets that had to be fragmented"},
    {"ip_out_fragments_done_total", &ip_counters.out_fragments_done,
     "IP packets fragmented"},
    {"ip_out_fragments_failed_total", &ip_counters.out_fragments_failed,
     "IP packets that could not be fragmented"},
    {"ip_out_fragments_created_total", &ip_counters.out_fragments_created,
     "IP fragments made"},

    {"icmp_in_messages_total", &icmp_counters.in_messages,
     "ICMP messages received"},
    {"icmp_in_errors_total", &icmp_counters.in_errors,
     "ICMP messages received malformed"},
    {"icmp_in_checksum_errors_total", &icmp_counters.in_checksum_errors,
     "ICMP messages received with a bad checksum"},
    {"icmp_in_echos_total", &icmp_counters.in_echos, "echo requests received"},
    {"icmp_in_echo_replies_total", &icmp_counters.in_echo_replies,
     "echo replies received"},
    {"icmp_in_unreachables_total", &icmp_counters.in_unreachables,
     "ICMP destination unreachable received"},
    {"icmp_in_time_exceeded_total", &icmp_counters.in_time_exceeded,
     "ICMP time exceeded received"},
    {"icmp_in_parameter_problems_total", &icmp_counters.in_parameter_problems,
     "ICMP parameter problem received"},
    {"icmp_in_redirects_total", &icmp_counters.in_redirects,
     "ICMP redirects received, and ignored"},
    {"icmp_in_ignored_total", &icmp_counters.in_ignored,
     "ICMP messages of kinds that are ignored"},
    {"icmp_out_messages_total", &icmp_counters.out_messages,
     "ICMP messages sent"},
    {"icmp_out_echo_replies_total", &icmp_counters.out_echo_replies,
     "echo replies sent"},
    {"icmp_out_unreachables_total", &icmp_counters.out_unreachables,
     "ICMP destination unreachable sent"},
    {"icmp_out_time_exceeded_total", &icmp_counters.out_time_exceeded,
     "ICMP time exceeded sent"},
    {"icmp_out_parameter_problems_total", &icmp_counters.out_parameter_problems,
     "ICMP parameter problem sent"},
    {"icmp_out_limited_total", &icmp_counters.out_limited,
     "ICMP errors not sent because of their rate"},
};

struct gauge {
    const char *name;
    size_t (*value)(void);
    const char *help;
};

static const struct gauge gauges[] = {
    {"pool_buffers", buffer_count_total, "buffers there are"},
    {"pool_buffers_free", buffer_count_free, "buffers free now"},
    {"pool_buffers_free_lowest", buffer_count_free_lowest,
     "fewest buffers free since the start"},
    {"pool_packets", packet_count_total, "packet descriptors there are"},
    {"pool_packets_free", packet_count_free, "packet descriptors free now"},
    {"pool_packets_free_lowest", packet_count_free_lowest,
     "fewest packet descriptors free since the start"},
    {"timers", timers_count, "timers set now"},
    {"neighbours", neighbour_count, "neighbour entries now"},
    {"ip_routes", ip_route_count, "routes now"},
    {"ip_reassemblies", reassembly_count, "IP packets being put together now"},
    {"ip_reassembly_buffers", reassembly_buffers,
     "buffers held by IP packets being put together"},
};

/* name{label="value"}, in as many bytes as the longest can need. */
enum {
    LABELLED_SIZE = 128,
};

static char *append(char *at, const char *end, const char *text)
{
    while (*text != '\0' && at < end)
        *at++ = *text++;
    *at = '\0';
    return at;
}

static void write_labelled(char text[LABELLED_SIZE], const char *name,
                           const char *label, const char *value)
{
    const char *end = text + LABELLED_SIZE - 1;
    char *at = append(text, end, name);

    at = append(at, end, "{");
    at = append(at, end, label);
    at = append(at, end, "=\"");
    at = append(at, end, value);
    append(at, end, "\"}");
}

struct nic_visit {
    counter_visit *visit;
    void *context;
    const struct netif *netif;
};

static void visit_nic(const struct nic_visit *nic, const char *name,
                      uint64_t value, const char *help)
{
    char text[LABELLED_SIZE];

    write_labelled(text, name, "device", nic->netif->name);
    nic->visit(nic->context, text, value, help);
}

/* A statistic of the driver: "rx_missed_errors" is nic_rx_missed_errors. */
static void visit_statistic(void *context, const char *name, uint64_t value)
{
    const struct nic_visit *nic = context;
    char full[LABELLED_SIZE];
    char *at = append(full, full + LABELLED_SIZE - 1, "nic_device_");

    append(at, full + LABELLED_SIZE - 1, name);
    visit_nic(nic, full, value, "as the driver counts it (ethtool -S)");
}

static void visit_nics(counter_visit *visit, void *context)
{
    struct nic_visit nic = {visit, context, NULL};
    struct netif *netif;

    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        const struct netif_counters *c = &netif->counters;

        nic.netif = netif;
        visit_nic(&nic, "nic_rx_packets_total", c->rx_packets,
                  "frames received");
        visit_nic(&nic, "nic_rx_bytes_total", c->rx_bytes, "bytes received");
        visit_nic(&nic, "nic_rx_dropped_total", c->rx_dropped,
                  "frames the driver could not take");
        visit_nic(&nic, "nic_tx_packets_total", c->tx_packets, "frames sent");
        visit_nic(&nic, "nic_tx_bytes_total", c->tx_bytes, "bytes sent");
        visit_nic(&nic, "nic_tx_dropped_total", c->tx_dropped,
                  "frames that could not be sent");
        visit_nic(&nic, "nic_link_changes_total", c->link_changes,
                  "times carrier came or went");
        visit_nic(&nic, "nic_link_up", netif->link_up, "1 with carrier");
        visit_nic(&nic, "nic_link_speed_mbits", netif->link_speed,
                  "speed of the link");
        visit_nic(&nic, "nic_tx_queued", netif->queue.count,
                  "frames that wait for the transmit ring");
        if (netif->operations->statistics != NULL)
            netif->operations->statistics(netif, visit_statistic, &nic);
    }
}

static void visit_drops(counter_visit *visit, void *context)
{
    for (enum drop_reason reason = DROP_NONE + 1; reason < DROP_REASON_COUNT;
         reason++) {
        char text[LABELLED_SIZE];

        write_labelled(text, "drops_total", "reason", drop_reason_name(reason));
        visit(context, text, drop_count(reason),
              "packets discarded, by reason");
    }
}

/* Of the walk of packets; not there while nobody counts. */
static void visit_stages(counter_visit *visit, void *context)
{
    if (!account.is_on)
        return;
    for (enum account_stage stage = ACCOUNT_POLL; stage < ACCOUNT_STAGES;
         stage++) {
        char text[LABELLED_SIZE];

        write_labelled(text, "net_cycles_total", "stage",
                       account_stage_name(stage));
        visit(context, text, account.cycles[stage],
              "cycles of the stack, by stage; one entry of 16 is followed");
    }
    visit(context, "net_entries_total", account.entries,
          "entries into the stack: softirqs and calls");
}

void (*net_visit_more_counters)(counter_visit *visit, void *context);

void net_visit_counters(counter_visit *visit, void *context)
{
    visit_nics(visit, context);
    visit(context, "net_poll_budget_exhausted_total", netif_budget_exhausted(),
          "receive softirqs that left work over");
    counters_visit(counters, ARRAY_COUNT(counters), visit, context);
    udp_visit_counters(visit, context);
    tcp_visit_counters(visit, context);
    dhcp_visit_counters(visit, context);
    dns_visit_counters(visit, context);
    if (net_visit_more_counters != NULL)
        net_visit_more_counters(visit, context);
    for (size_t i = 0; i < ARRAY_COUNT(gauges); i++)
        visit(context, gauges[i].name, gauges[i].value(), gauges[i].help);
    visit(context, "pool_buffer_failures_total", buffer_alloc_failures(),
          "times no buffer was free");
    visit_drops(visit, context);
    visit_stages(visit, context);
}
