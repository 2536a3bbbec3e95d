/* SPDX-License-Identifier: MIT */
/*
 * The fields of a packet that rules look at. A field of a transport is there
 * only in the datagram's first fragment, and only if its bytes are.
 */
#include "net/filter/evaluate.h"

#include "net/link/netif.h"
#include "net/wire/icmp.h"
#include "net/wire/tcp.h"
#include "net/wire/udp.h"

#include <string.h>

void rule_view_init(struct rule_view *view, struct packet *packet,
                    const struct filter_context *at, struct rule_set *set)
{
    size_t header;

    view->packet = packet;
    view->at = at;
    view->set = set;
    view->ip = (void *)packet->data;
    header = ipv4_header_length(view->ip);
    view->transport = packet->data + header;
    view->linear = packet->length - header;
    if ((be16_get(view->ip->fragment) & IPV4_FRAGMENT_OFFSET) != 0)
        view->linear = 0;
}

const struct netif *rule_netif(const struct rule_view *view, uint8_t field)
{
    return field == FIELD_IIF || field == FIELD_IIFNAME ? view->packet->netif
                                                        : view->at->out;
}

enum {
    NAME_UNKNOWN = RULES_NAMES_MAX, /* to this rule set */
};

/* Names are compared once per interface; after that by number. */
static uint32_t name_number(struct rule_set *set, const struct netif *netif)
{
    uint8_t *number = &set->name_of_netif[netif->index];

    if (*number == 0) {
        size_t i = 0;

        while (i < set->name_count && strcmp(set->names[i], netif->name) != 0)
            i++;
        *number = (uint8_t)(i < set->name_count ? i + 1 : NAME_UNKNOWN + 1);
    }
    return *number - 1U;
}

_Static_assert(RULES_NAMES_MAX + 1 <= UINT8_MAX, "every number fits");

static bool get_tcp(const struct rule_view *view, uint8_t field,
                    uint32_t *value)
{
    const struct tcp_header *tcp = (const void *)view->transport;

    if (view->linear < sizeof(*tcp))
        return false;
    switch (field) {
    case FIELD_TCP_SEQUENCE:
        *value = be32_get(tcp->sequence);
        return true;
    case FIELD_TCP_ACKSEQ:
        *value = be32_get(tcp->acknowledgement);
        return true;
    case FIELD_TCP_FLAGS:
        *value = tcp->flags;
        return true;
    default:
        *value = be16_get(tcp->window);
        return true;
    }
}

static bool get_ports(const struct rule_view *view, uint8_t field,
                      uint32_t *value)
{
    const struct udp_header *udp = (const void *)view->transport;

    if (view->linear < 4)
        return false;
    *value = be16_get(field == FIELD_SPORT ? udp->source_port
                                           : udp->destination_port);
    return true;
}

static bool get_icmp(const struct rule_view *view, uint8_t field,
                     uint32_t *value)
{
    const struct icmp_header *icmp = (const void *)view->transport;

    if (view->linear < sizeof(*icmp))
        return false;
    switch (field) {
    case FIELD_ICMP_TYPE:
        *value = icmp->type;
        return true;
    case FIELD_ICMP_CODE:
        *value = icmp->code;
        return true;
    case FIELD_ICMP_ID:
        *value = (uint32_t)(icmp->rest[0] << 8 | icmp->rest[1]);
        break;
    default:
        *value = (uint32_t)(icmp->rest[2] << 8 | icmp->rest[3]);
    }
    /* As in nft, these are numbers of echo messages. */
    return icmp->type == ICMP_ECHO_REQUEST || icmp->type == ICMP_ECHO_REPLY;
}

static bool get_ip(const struct rule_view *view, uint8_t field, uint32_t *value)
{
    const struct ipv4_header *ip = view->ip;

    switch (field) {
    case FIELD_IP_VERSION:
        *value = ip->version_ihl >> 4;
        return true;
    case FIELD_IP_HDRLENGTH:
        *value = ip->version_ihl & 0xf;
        return true;
    case FIELD_IP_DSCP:
        *value = ip->tos >> 2;
        return true;
    case FIELD_IP_LENGTH:
        *value = be16_get(ip->total_length);
        return true;
    case FIELD_IP_ID:
        *value = be16_get(ip->identification);
        return true;
    case FIELD_IP_FRAG_OFF:
        *value = be16_get(ip->fragment);
        return true;
    case FIELD_IP_TTL:
        *value = ip->ttl;
        return true;
    default:
        *value = ip->protocol;
        return true;
    }
}

/* One that is not there has a name that is in no set, as on Linux. */
static uint32_t get_netif(const struct rule_view *view, uint8_t field)
{
    const struct netif *netif = rule_netif(view, field);

    return netif == NULL ? NAME_UNKNOWN : name_number(view->set, netif);
}

static bool get_tracked(const struct rule_view *view, uint8_t field,
                        uint32_t *value)
{
    const struct packet *packet = view->packet;
    const struct flow *flow = packet->flow;

    if (field == FIELD_CT_STATE) {
        *value = rule_ct_state(view);
        return true;
    }
    if (flow == NULL)
        return false;
    *value = field == FIELD_CT_STATUS ? flow->status & 0x1ffU
                                      : (uint32_t)track_direction(packet);
    return true;
}

bool rule_field_get(const struct rule_view *view, uint8_t field,
                    uint32_t *value)
{
    switch (field) {
    case FIELD_IP_SADDR:
        *value = be32_get(view->ip->source);
        return true;
    case FIELD_IP_DADDR:
        *value = be32_get(view->ip->destination);
        return true;
    case FIELD_SPORT:
    case FIELD_DPORT:
        return get_ports(view, field, value);
    case FIELD_TCP_SEQUENCE:
    case FIELD_TCP_ACKSEQ:
    case FIELD_TCP_FLAGS:
    case FIELD_TCP_WINDOW:
        return get_tcp(view, field, value);
    case FIELD_UDP_LENGTH:
        *value = (uint32_t)(view->transport[4] << 8 | view->transport[5]);
        return view->linear >= sizeof(struct udp_header);
    case FIELD_ICMP_TYPE:
    case FIELD_ICMP_CODE:
    case FIELD_ICMP_ID:
    case FIELD_ICMP_SEQUENCE:
        return get_icmp(view, field, value);
    case FIELD_NFPROTO:
        *value = NFPROTO_IPV4;
        return true;
    case FIELD_LENGTH:
        *value = (uint32_t)packet_total_length(view->packet);
        return true;
    case FIELD_IIF:
    case FIELD_OIF:
    case FIELD_IIFNAME:
    case FIELD_OIFNAME:
        *value = get_netif(view, field);
        return true;
    case FIELD_CT_STATE:
    case FIELD_CT_STATUS:
    case FIELD_CT_DIRECTION:
        return get_tracked(view, field, value);
    default:
        return get_ip(view, field, value);
    }
}

bool rule_get_key(const struct rule_view *view, const struct rule_key *key,
                  uint32_t words[KEY_WORDS_MAX])
{
    for (size_t i = 0; i < key->count; i++)
        if (!rule_field_get(view, key->field[i], &words[i]))
            return false;
    return true;
}
