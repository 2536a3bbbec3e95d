/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors (RFC 1122 4.2.3.9), believed as far as RFC 5927 and RFC 5461
 * advise: the quoted sequence number must be in flight; only a connection
 * that does not exist yet is aborted; a smaller path MTU is taken at once
 * when nothing larger is known to have arrived, else when progress stops.
 */
#include "net/limits.h"
#include "net/tcp/internal.h"
#include "net/wire/ipv4.h"

#include <errno.h>

static int error_number(enum ip_error error)
{
    switch (error) {
    case IP_ERROR_NET_UNREACHABLE:
        return ENETUNREACH;
    case IP_ERROR_PROTOCOL_UNREACHABLE:
        return ENOPROTOOPT;
    case IP_ERROR_PORT_UNREACHABLE:
        return ECONNREFUSED;
    case IP_ERROR_PACKET_TOO_BIG:
        return EMSGSIZE;
    case IP_ERROR_HOST_UNREACHABLE:
    case IP_ERROR_SOURCE_ROUTE_FAILED:
    case IP_ERROR_ADMIN_PROHIBITED:
    case IP_ERROR_TIME_EXCEEDED:
        return EHOSTUNREACH;
    case IP_ERROR_PARAMETER_PROBLEM:
        return EPROTO;
    }
    return EHOSTUNREACH;
}

static void packet_too_big(struct tcp_connection *c, uint32_t mtu)
{
    uint32_t current = c->hop.mtu;

    if (c->path_mtu != 0 && c->path_mtu < current)
        current = c->path_mtu;
    /* 0 comes from routers older than RFC 1191. */
    if (mtu < TCP_PATH_MTU_FLOOR)
        mtu = TCP_PATH_MTU_FLOOR;
    if (mtu_probe_refused(c, mtu))
        return;
    if (mtu >= current) {
        tcp_counters.icmp_ignored++;
        return;
    }
    if (mtu - IPV4_HEADER_LENGTH - TCP_HEADER_LENGTH < c->acked_size) {
        c->mtu_pending = true;
        c->pending_mtu = (uint16_t)mtu;
        return;
    }
    c->path_mtu = (uint16_t)mtu;
    tcp_counters.mtu_reductions++;
    connection_update_mss(c);
    if (!state_is_synchronised(c->state))
        return;
    /* Not congestion: again at once, in smaller pieces. */
    c->rtt_timing = false;
    if (connection_is_tracking(c))
        scoreboard_lose_all(&c->recovery->board);
    else
        c->snd.nxt = c->snd.una;
    connection_touch(c, OWES_OUTPUT);
}

void tcp_error(const struct ip_error_info *info, uint64_t now_ns)
{
    const struct tcp_header *header = (const void *)info->transport;

    (void)now_ns; /* sends nothing, sets no timer */
    if (info->transport_length < 8)
        return;
    const struct tcp_tuple tuple = {
        .local = info->local,
        .remote = info->remote,
        .local_port = be16_get(header->source_port),
        .remote_port = be16_get(header->destination_port),
    };
    struct tcp_node *node = table_find(&tuple);
    struct seq32 seq = seq_from(be32_get(header->sequence));
    if (node != NULL && node->kind == TCP_NODE_HALF_OPEN &&
        half_open_error(node, info->error, seq))
        return;
    if (node == NULL || node->kind != TCP_NODE_CONNECTION) {
        tcp_counters.icmp_ignored++;
        return;
    }
    struct tcp_connection *c = connection_of(node);
    if (seq_before(seq, c->snd.una) || !seq_before(seq, c->snd.max)) {
        tcp_counters.icmp_ignored++;
        return;
    }
    if (info->error == IP_ERROR_PACKET_TOO_BIG) {
        if (c->options.mtu_discover == IP_MTU_DISCOVER_WANT ||
            c->options.mtu_discover == IP_MTU_DISCOVER_DO)
            packet_too_big(c, info->mtu);
        return;
    }
    c->soft_error = (uint8_t)error_number(info->error);
    /* Sending is not the moment to take the connection away: the timer
     * will. */
    if (!state_is_synchronised(c->state) && !c->is_sending) {
        tcp_counters.attempt_fails++;
        connection_finish(c, c->soft_error);
    }
}
