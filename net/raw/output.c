/* SPDX-License-Identifier: MIT */
/*
 * What raw sockets send. A header of the app's own making (IP_HDRINCL) must be
 * one as far as we have to read it; what it says of lengths, and its checksum,
 * we write ourselves, as Linux does.
 */
#include "net/raw/socket.h"

#include "net/ip/output.h"
#include "net/limits.h"
#include "net/link/ethernet.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

static int sum_up(const struct packet_piece *pieces, size_t count,
                  size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length > IPV4_TOTAL_MAX - *length)
            return -EMSGSIZE;
        *length += pieces[i].length;
    }
    return 0;
}

/* ---- packets --------------------------------------------------------------
 */

/* An echo request of ours in every respect. */
static int seal_echo(const struct raw_socket *socket, struct packet *packet)
{
    struct icmp_header *header = (void *)packet->data;

    if (packet->length < ICMP_HEADER_LENGTH ||
        header->type != ICMP_ECHO_REQUEST || header->code != 0)
        return -EINVAL;
    header->rest[0] = (uint8_t)(socket->local.identifier >> 8);
    header->rest[1] = (uint8_t)socket->local.identifier;
    header->checksum = be16_from(0);
    header->checksum = checksum_finish(packet_sum(packet, 0));
    return 0;
}

/* Data at a header that an app wrote. */
static int check_header(struct packet *packet)
{
    const struct ipv4_header *header = (void *)packet->data;
    size_t length =
        packet->length < IPV4_HEADER_LENGTH ? 0 : ipv4_header_length(header);

    if (length < IPV4_HEADER_LENGTH || length > packet->length ||
        header->version_ihl >> 4 != 4)
        return -EINVAL;
    packet->protocol = header->protocol;
    packet->network_offset = (uint16_t)packet_headroom(packet);
    packet->transport_offset = (uint16_t)(packet->network_offset + length);
    return 0;
}

static int send_packet(struct raw_socket *socket,
                       const struct ip_address *remote,
                       const struct packet_piece *pieces, size_t count,
                       uint64_t now_ns)
{
    struct ip_send_options options = {.protocol = (uint8_t)socket->protocol,
                                      .ttl = socket->ttl,
                                      .tos = socket->tos,
                                      .destination = *remote};
    size_t header = socket->has_header ? 0 : IPV4_HEADER_LENGTH;
    struct packet *packet;
    struct ip_route route;
    size_t length;
    int status = sum_up(pieces, count, &length);

    if (status == 0 && length > IPV4_TOTAL_MAX - header)
        status = -EMSGSIZE;
    if (status == 0)
        status = raw_route(socket, remote, &route);
    if (status == 0)
        status =
            socket->has_header
                ? (length > route.mtu ? -EMSGSIZE : 0)
                : ip_discover_mtu((enum ip_mtu_discover)socket->dont_fragment,
                                  length + header, &options, &route, now_ns);
    if (status != 0)
        return status;
    packet = raw_build(pieces, count, PACKET_HEADROOM);
    if (packet == NULL)
        return -ENOBUFS;
    options.source = route.source;
    if (ip_address_is_multicast(remote)) {
        options.ttl = socket->multicast_ttl;
        route.has_echo = socket->loops_to_groups;
        route.stays_here = socket->multicast_ttl == 0;
    }
    if (socket->has_header)
        status = check_header(packet);
    else if (socket->kind == RAW_PING)
        status = seal_echo(socket, packet);
    if (status != 0) {
        packet_free(packet);
        return status;
    }
    socket->spoken_to = *remote;
    raw_counters.sent++;
    if (socket->has_header) {
        ip_send_made(packet, &route, now_ns);
    } else {
        packet->transport_offset = (uint16_t)packet_headroom(packet);
        ip_send(packet, &options, &route, now_ns);
    }
    return (int)length;
}

/* ---- frames ---------------------------------------------------------------
 */

static int check_frame(const struct raw_socket *socket,
                       const struct raw_address *to, size_t length)
{
    bool is_whole = socket->kind == RAW_FRAME;
    size_t most = to->netif == NULL ? 0 : to->netif->mtu;

    if (to->netif == NULL)
        return -ENXIO;
    if (!to->netif->link_up)
        return -ENETDOWN;
    if (is_whole && length < ETHERNET_HEADER_LENGTH)
        return -EINVAL;
    if (!is_whole && !to->has_hardware)
        return -EINVAL;
    /* A tag in the frame does not count. */
    if (is_whole)
        most += ETHERNET_HEADER_LENGTH + ETHERNET_VLAN_LENGTH;
    return length > most ? -EMSGSIZE : 0;
}

static int send_frame(struct raw_socket *socket, const struct raw_address *to,
                      const struct packet_piece *pieces, size_t count)
{
    struct packet *packet;
    size_t length;
    int status = sum_up(pieces, count, &length);

    if (status == 0)
        status = check_frame(socket, to, length);
    if (status != 0)
        return status;
    packet = raw_build(pieces, count, PACKET_HEADROOM);
    if (packet == NULL)
        return -ENOBUFS;
    if (socket->kind == RAW_FRAME) {
        const struct ethernet_header *header = (const void *)packet->data;
        size_t tag = be16_get(header->type) == ETHERNET_TYPE_VLAN
                         ? ETHERNET_VLAN_LENGTH
                         : 0;

        if (length > ETHERNET_HEADER_LENGTH + to->netif->mtu + tag) {
            packet_free(packet);
            return -EMSGSIZE;
        }
        raw_counters.sent++;
        netif_transmit(to->netif, packet);
    } else {
        raw_counters.sent++;
        ethernet_send(to->netif, packet, &to->hardware, to->ethertype);
    }
    return (int)length;
}

int raw_send(struct raw_socket *socket, const struct raw_address *remote,
             const struct packet_piece *pieces, size_t count, uint64_t now_ns)
{
    if (socket->error != 0)
        return -raw_take_error(socket);
    if (socket->kind == RAW_FRAME || socket->kind == RAW_FRAME_COOKED)
        return send_frame(socket, remote != NULL ? remote : &socket->local,
                          pieces, count);
    if (remote == NULL && !socket->is_connected)
        return -EDESTADDRREQ;
    if (remote == NULL)
        remote = &socket->remote;
    if (socket->kind == RAW_PING) {
        int status = raw_choose_identifier(socket);

        if (status != 0)
            return status;
    }
    return send_packet(socket, &remote->ip, pieces, count, now_ns);
}
