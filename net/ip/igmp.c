/* SPDX-License-Identifier: MIT */
/*
 * IGMP for hosts (RFC 2236, RFC 3376): groups are joined whole, so version 3
 * says "exclude nothing" and "include nothing". A querier of an older version
 * is answered in its own for as long as it may still be there (RFC 3376 7.2).
 * Deliberately absent: lists of sources, and one report for several groups.
 */
#include "net/ip/igmp.h"

#include "net/ip/input.h"
#include "net/ip/output.h"
#include "net/limits.h"
#include "net/link/ethernet.h"
#include "net/link/loopback.h"
#include "net/link/netif.h"
#include "net/platform.h"
#include "net/timer.h"
#include "net/wire/checksum.h"
#include "net/wire/igmp.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct member {
    const void *owner; /* NULL: this place is free */
    struct netif *netif;
    struct be32 group;
};

struct group {
    struct timer timer;
    struct netif *netif; /* NULL: this place is free */
    struct be32 address;
    unsigned members;  /* 0: leaving, and telling so */
    unsigned announce; /* changes still to be told */
};

/* Those of versions 1 and 2 may be there until then; 0: never heard. */
struct querier {
    uint64_t until_ns[2];
};

static struct {
    struct member members[IGMP_MEMBERS_MAX];
    struct group groups[IGMP_GROUPS_MAX];
    struct querier queriers[NETIF_MAX];
} igmp;

struct igmp_counters igmp_counters;

static const uint8_t all_hosts[4] = {224, 0, 0, 1};
static const uint8_t all_routers[4] = {224, 0, 0, 2};
static const uint8_t all_version_3[4] = {224, 0, 0, 22};

static struct be32 address_of(const uint8_t octets[4])
{
    return (struct be32){{octets[0], octets[1], octets[2], octets[3]}};
}

static bool is_all_hosts(struct be32 address)
{
    return be32_equal(address, address_of(all_hosts));
}

size_t igmp_group_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < IGMP_GROUPS_MAX; i++)
        count += igmp.groups[i].netif != NULL;
    return count;
}

static uint64_t random_below(uint64_t limit_ns)
{
    uint64_t random;

    platform_random(&random, sizeof(random));
    return random % limit_ns;
}

static unsigned version_of(const struct netif *netif, uint64_t now_ns)
{
    const uint64_t *until_ns = igmp.queriers[netif->index].until_ns;

    return now_ns < until_ns[0] ? 1 : now_ns < until_ns[1] ? 2 : 3;
}

/* ---- sending ------------------------------------------------------------- */

/* RFC 3376 4: TTL 1, Router Alert, precedence of internetwork control. */
static void send(struct netif *netif, struct be32 to, const void *message,
                 size_t length, uint64_t now_ns)
{
    static const uint8_t router_alert[4] = {IPV4_OPTION_ROUTER_ALERT, 4, 0, 0};
    size_t header_length = IPV4_HEADER_LENGTH + sizeof(router_alert);
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    struct ip_route route = {
        .netif = netif,
        .gateway = ip_address_from_ipv4(to),
        .mtu = netif->mtu,
    };
    struct ipv4_header *header;

    if (packet == NULL)
        return; /* counted by the pool; it is told again */
    header = packet_append(packet, header_length);
    memset(header, 0, sizeof(*header));
    memcpy(header + 1, router_alert, sizeof(router_alert));
    memcpy(packet_append(packet, length), message, length);
    header->version_ihl = (uint8_t)(0x40 | header_length / 4);
    header->tos = 0xc0;
    header->total_length = be16_from((uint16_t)(header_length + length));
    header->ttl = 1;
    header->protocol = IP_PROTOCOL_IGMP;
    header->source = netif->ip.address;
    header->destination = to;
    header->checksum = checksum_finish(checksum_add(0, header, header_length));
    packet->network_offset = (uint16_t)packet_headroom(packet);
    packet->protocol = IP_PROTOCOL_IGMP;
    ip_counters.out_requests++;
    ip_finish_send(packet, &route, now_ns);
}

static void send_record(const struct group *group, enum igmp_record_type type,
                        uint64_t now_ns)
{
    struct igmp_report report = {
        .type = IGMP_REPORT_3,
        .record_count = be16_from(1),
        .record_type = (uint8_t)type,
        .group = group->address,
    };

    report.checksum = checksum_finish(checksum_add(0, &report, sizeof(report)));
    send(group->netif, address_of(all_version_3), &report, sizeof(report),
         now_ns);
}

static void send_message(const struct group *group, enum igmp_type type,
                         struct be32 to, uint64_t now_ns)
{
    struct igmp_header message = {.type = (uint8_t)type,
                                  .group = group->address};

    message.checksum =
        checksum_finish(checksum_add(0, &message, sizeof(message)));
    send(group->netif, to, &message, sizeof(message), now_ns);
}

/* "I hear it", unasked because that is new or as the answer to a query. */
static void report(const struct group *group, bool is_change, uint64_t now_ns)
{
    unsigned version = version_of(group->netif, now_ns);

    igmp_counters.out_reports++;
    if (version == 3)
        send_record(group, is_change ? IGMP_TO_EXCLUDE : IGMP_IS_EXCLUDE,
                    now_ns);
    else
        send_message(group, version == 2 ? IGMP_REPORT_2 : IGMP_REPORT_1,
                     group->address, now_ns);
}

static void report_leave(const struct group *group, uint64_t now_ns)
{
    unsigned version = version_of(group->netif, now_ns);

    igmp_counters.out_leaves++;
    if (version == 3)
        send_record(group, IGMP_TO_INCLUDE, now_ns);
    else if (version == 2)
        send_message(group, IGMP_LEAVE_2, address_of(all_routers), now_ns);
}

static void release(struct group *group)
{
    group->netif = NULL;
    group->address = be32_from(0);
}

static void igmp_expire(struct timer *timer, uint64_t now_ns)
{
    struct group *group = container_of(timer, struct group, timer);
    bool is_change = group->announce != 0;
    bool is_heard =
        group->netif->link_up && be32_get(group->netif->ip.address) != 0;

    if (is_heard && group->members == 0)
        report_leave(group, now_ns);
    else if (is_heard)
        report(group, is_change, now_ns);
    if (is_change && (is_heard || group->members == 0))
        group->announce--; /* a join is told once there is who hears it */
    if (group->announce != 0)
        timer_set(timer, now_ns + random_below(IGMP_UNSOLICITED_NS));
    else if (group->members == 0)
        release(group);
}

/* ---- groups -------------------------------------------------------------- */

static struct group *find_group(const struct netif *netif, struct be32 address)
{
    for (size_t i = 0; i < IGMP_GROUPS_MAX; i++)
        if (igmp.groups[i].netif == netif &&
            be32_equal(igmp.groups[i].address, address))
            return &igmp.groups[i];
    return NULL;
}

static bool is_member(const struct netif *netif, struct be32 address)
{
    const struct group *group = find_group(netif, address);

    return is_all_hosts(address) || (group != NULL && group->members != 0);
}

/* The copy for our own members comes in by the loopback device. */
static void echo(const struct packet *packet, const struct netif *netif)
{
    const struct ipv4_header *header = (const void *)packet->data;
    struct netif *loopback = loopback_netif();
    struct packet *copy;

    if (netif == loopback || !is_member(netif, header->destination))
        return;
    copy = packet_copy(packet);
    if (copy != NULL)
        ethernet_send(loopback, copy, &loopback->address, ETHERNET_TYPE_IPV4);
}

/* Which frames the card lets in. */
static void tell_card(struct netif *netif)
{
    struct ethernet_address list[IGMP_GROUPS_MAX + 1];
    size_t count = 0;

    if (netif->operations->set_multicast == NULL)
        return;
    list[count++] = ip_multicast_hardware(address_of(all_hosts));
    for (size_t i = 0; i < IGMP_GROUPS_MAX; i++)
        if (igmp.groups[i].netif == netif && igmp.groups[i].members != 0)
            list[count++] = ip_multicast_hardware(igmp.groups[i].address);
    netif->operations->set_multicast(netif, list, count);
}

/* A change is told at once, and IGMP_ROBUSTNESS times in all. */
static void announce(struct group *group, uint64_t now_ns)
{
    group->announce = IGMP_ROBUSTNESS;
    timer_set(&group->timer, now_ns);
}

static void link_up(const struct netif *netif, uint64_t now_ns)
{
    for (size_t i = 0; i < IGMP_GROUPS_MAX; i++) {
        struct group *group = &igmp.groups[i];

        if (group->netif == netif && group->members != 0 &&
            !is_all_hosts(group->address))
            announce(group, now_ns);
    }
}

/* Somebody is the first to hear it, or was the last. */
static void change(struct group *group, uint64_t now_ns)
{
    announce(group, now_ns);
    tell_card(group->netif);
}

static struct member *find_member(const void *owner, const struct netif *netif,
                                  struct be32 group)
{
    for (size_t i = 0; i < IGMP_MEMBERS_MAX; i++)
        if (igmp.members[i].owner == owner &&
            (owner == NULL || (igmp.members[i].netif == netif &&
                               be32_equal(igmp.members[i].group, group))))
            return &igmp.members[i];
    return NULL;
}

static int join(const void *owner, struct netif *netif,
                const struct ip_address *address, uint64_t now_ns)
{
    struct be32 to = ip_address_ipv4(address);
    struct member *member;
    struct group *group;

    if (!ipv4_is_multicast(to))
        return -EINVAL;
    if (find_member(owner, netif, to) != NULL)
        return -EADDRINUSE;
    member = find_member(NULL, NULL, to);
    group = find_group(netif, to);
    if (group == NULL)
        group = find_group(NULL, be32_from(0));
    if (member == NULL || group == NULL)
        return -ENOBUFS;
    *member = (struct member){owner, netif, to};
    if (group->netif == NULL)
        group->members = 0;
    group->netif = netif;
    group->address = to;
    if (group->members++ == 0 && !is_all_hosts(to))
        change(group, now_ns);
    return 0;
}

static void forget(struct member *member, uint64_t now_ns)
{
    struct group *group = find_group(member->netif, member->group);

    member->owner = NULL;
    if (--group->members != 0)
        return;
    if (is_all_hosts(group->address)) {
        release(group);
        return;
    }
    change(group, now_ns);
}

static int leave(const void *owner, struct netif *netif,
                 const struct ip_address *address, uint64_t now_ns)
{
    struct member *member = find_member(owner, netif, ip_address_ipv4(address));

    if (member == NULL)
        return -EADDRNOTAVAIL;
    forget(member, now_ns);
    return 0;
}

static void leave_all(const void *owner, uint64_t now_ns)
{
    for (size_t i = 0; i < IGMP_MEMBERS_MAX; i++)
        if (igmp.members[i].owner == owner)
            forget(&igmp.members[i], now_ns);
}

/* ---- receiving ----------------------------------------------------------- */

/* In tenths of a second, RFC 3376 4.1.1. 0 would be all at once: the least. */
static uint64_t response_ns(const struct igmp_query *query, size_t length)
{
    uint64_t tenths = query->code;

    if (length >= sizeof(*query) && query->code >= 128)
        tenths = (uint64_t)((query->code & 0xf) | 0x10)
                 << ((query->code >> 4 & 7) + 3);
    if (tenths == 0)
        tenths = length >= sizeof(*query) ? 1 : IGMP_RESPONSE_1_TENTHS;
    return tenths * 100 * NS_PER_MS;
}

static void hear_version(const struct netif *netif,
                         const struct igmp_query *query, size_t length,
                         uint64_t now_ns)
{
    if (length == sizeof(struct igmp_header))
        igmp.queriers[netif->index].until_ns[query->code != 0] =
            now_ns + IGMP_OLDER_QUERIER_NS;
}

static void receive_query(struct netif *netif, const struct igmp_query *query,
                          size_t length, uint64_t now_ns)
{
    uint64_t limit_ns = response_ns(query, length);

    igmp_counters.in_queries++;
    hear_version(netif, query, length, now_ns);
    for (size_t i = 0; i < IGMP_GROUPS_MAX; i++) {
        struct group *group = &igmp.groups[i];
        uint64_t at_ns = now_ns + random_below(limit_ns);

        if (group->netif != netif || group->members == 0 ||
            is_all_hosts(group->address) ||
            (be32_get(query->group) != 0 &&
             !be32_equal(query->group, group->address)))
            continue;
        if (!timer_is_set(&group->timer) || at_ns < group->timer.deadline_ns)
            timer_set(&group->timer, at_ns);
    }
}

/* RFC 3376 9.1: only version 1 does without. The options are sound, or the
 * packet would not be here. */
static bool has_router_alert(const struct packet *packet)
{
    const uint8_t *header = packet_network_header(packet);
    size_t length = ipv4_header_length((const void *)header);
    size_t step;

    for (size_t at = IPV4_HEADER_LENGTH; at + 1 < length; at += step) {
        if (header[at] == IPV4_OPTION_ROUTER_ALERT)
            return true;
        if (header[at] == IPV4_OPTION_END)
            return false;
        step = header[at] == IPV4_OPTION_NOP ? 1 : header[at + 1];
    }
    return false;
}

static bool is_query_sound(const struct packet *packet,
                           const struct ip_receive_info *info)
{
    const struct igmp_query *query = (const void *)packet->data;
    bool is_older = packet->length == sizeof(struct igmp_header);
    struct be32 to = ip_address_ipv4(&info->destination);

    if (!(is_older && query->code == 0) && !has_router_alert(packet))
        return false;
    if (!is_older && packet->length < sizeof(*query))
        return false; /* RFC 3376 7.1 */
    if (be32_get(query->group) == 0 ? !is_all_hosts(to)
                                    : !ipv4_is_multicast(query->group))
        return false;
    return packet->length < sizeof(*query) ||
           be16_get(query->source_count) <=
               (packet->length - sizeof(*query)) / sizeof(struct be32);
}

/* Another host has answered for us; in version 3 everybody answers. */
static void receive_report(struct netif *netif,
                           const struct igmp_header *message, uint64_t now_ns)
{
    struct group *group = find_group(netif, message->group);

    igmp_counters.in_reports++;
    if (group != NULL && group->members != 0 && group->announce == 0 &&
        version_of(netif, now_ns) < 3)
        timer_cancel(&group->timer);
}

static void receive(struct packet *packet, const struct ip_receive_info *info,
                    uint64_t now_ns)
{
    const struct igmp_header *message = (const void *)packet->data;

    if (packet->fragment_count != 0 || packet->length < sizeof(*message) ||
        !checksum_is_valid(packet_sum(packet, 0)) || info->ttl != 1 ||
        (message->type == IGMP_QUERY && !is_query_sound(packet, info))) {
        igmp_counters.in_errors++;
        packet_drop(packet, DROP_IGMP_MALFORMED);
        return;
    }
    if (message->type == IGMP_QUERY)
        receive_query(packet->netif, (const void *)packet->data, packet->length,
                      now_ns);
    else if (message->type == IGMP_REPORT_1 || message->type == IGMP_REPORT_2)
        receive_report(packet->netif, message, now_ns);
    packet_free(packet);
}

static const struct ip_multicast multicast = {
    .is_member = is_member,
    .link_up = link_up,
    .receive = receive,
    .join = join,
    .leave = leave,
    .leave_all = leave_all,
    .set_membership = igmp_set_membership,
    .read_interface = igmp_read_interface,
    .echo = echo,
};

void igmp_start(void)
{
    memset(&igmp, 0, sizeof(igmp));
    memset(&igmp_counters, 0, sizeof(igmp_counters));
    for (size_t i = 0; i < IGMP_GROUPS_MAX; i++)
        igmp.groups[i].timer.expire = igmp_expire;
    ip_multicast = &multicast;
}
