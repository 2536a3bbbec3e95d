/* SPDX-License-Identifier: MIT */
/*
 * UDP output (RFC 768). The payload is copied once, into the packet or, when
 * it is larger than a buffer, into buffers that the packet points at.
 */
#include "net/udp/socket.h"

#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

/* Header room, header, payload; NULL when memory is short. */
static struct packet *build(const struct packet_piece *pieces, size_t length)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    struct packet_source source = {pieces, 0};
    size_t linear;

    if (packet == NULL)
        return NULL;
    packet_append(packet, UDP_HEADER_LENGTH);
    linear = length <= packet_tailroom(packet) ? length : 0;
    if (!packet_append_pieces(packet, &source, linear, length - linear)) {
        packet_drop(packet, DROP_NO_MEMORY);
        return NULL;
    }
    return packet;
}

static void fill_header(struct packet *packet, uint16_t local_port,
                        uint16_t remote_port,
                        const struct ip_send_options *options)
{
    struct udp_header *header = (void *)packet->data;
    size_t length = packet_total_length(packet);
    uint32_t sum = ip_pseudo_header_sum(&options->source, &options->destination,
                                        IP_PROTOCOL_UDP, length);

    header->source_port = be16_from(local_port);
    header->destination_port = be16_from(remote_port);
    header->length = be16_from((uint16_t)length);
    header->checksum = be16_from(checksum_fold(sum));
    packet->transport_offset = (uint16_t)packet_headroom(packet);
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = packet->transport_offset;
    packet->checksum_offset = UDP_CHECKSUM_OFFSET;
}

int udp_send_pieces(struct udp_socket *socket,
                    const struct udp_endpoint *remote,
                    const struct packet_piece *pieces, size_t count,
                    uint64_t now_ns)
{
    struct ip_send_options options = {
        .protocol = IP_PROTOCOL_UDP, .ttl = socket->ttl, .tos = socket->tos};
    struct ip_route route;
    struct packet *packet;
    size_t length = 0;
    int status;

    if (socket->error != 0)
        return -udp_take_error(socket);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length > UDP_PAYLOAD_MAX - length)
            return -EMSGSIZE;
        length += pieces[i].length;
    }
    status = udp_prepare(socket, remote, &route);
    if (remote == NULL)
        remote = &socket->remote;
    options.destination = remote->address;
    if (status == 0)
        status =
            ip_discover_mtu((enum ip_mtu_discover)socket->mtu_discover,
                            length + UDP_HEADER_LENGTH + IPV4_HEADER_LENGTH,
                            &options, &route, now_ns);
    if (status != 0) {
        udp_counters.out_errors++;
        return status;
    }
    packet = build(pieces, length);
    if (packet == NULL) {
        udp_counters.out_errors++;
        return -ENOBUFS;
    }
    options.source = route.source;
    if (ip_address_is_multicast(&remote->address)) {
        options.ttl = socket->multicast_ttl;
        route.has_echo = socket->loops_to_groups;
        route.stays_here = socket->multicast_ttl == 0;
    }
    fill_header(packet, socket->local.port, remote->port, &options);
    udp_counters.out_datagrams++;
    ip_send(packet, &options, &route, now_ns);
    return (int)length;
}

int udp_send(struct udp_socket *socket, const struct udp_endpoint *remote,
             const void *bytes, size_t length, uint64_t now_ns)
{
    struct packet_piece piece = {bytes, length};

    return udp_send_pieces(socket, remote, &piece, 1, now_ns);
}
