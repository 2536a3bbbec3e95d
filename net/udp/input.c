/* SPDX-License-Identifier: MIT */
/*
 * UDP input (RFC 768, RFC 1122 4.1): checks, the socket, its queue, and
 * reading from it.
 */
#include "net/udp/socket.h"

#include "net/ip/path_mtu.h"
#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

/* Data stands at the UDP header; afterwards the packet ends where it says. */
static NOINLINE enum drop_reason check(struct packet *packet)
{
    const struct udp_header *header = (const void *)packet->data;
    size_t total = packet_total_length(packet);
    size_t length;

    if (packet->length < UDP_HEADER_LENGTH)
        return DROP_UDP_SHORT;
    length = be16_get(header->length);
    if (length < UDP_HEADER_LENGTH || length > total)
        return DROP_UDP_SHORT;
    if (length < total)
        packet_trim(packet, length);
    if (be16_get(header->source_port) == 0 ||
        be16_get(header->destination_port) == 0)
        return DROP_UDP_PORT;
    if (packet->checksum == PACKET_CHECKSUM_VERIFIED ||
        be16_get(header->checksum) == 0)
        return DROP_NONE;
    if (!ip_checksum_is_valid(packet)) {
        udp_counters.checksum_errors++;
        return DROP_UDP_CHECKSUM;
    }
    return DROP_NONE;
}

/* Nothing to be checked any more, and it ends where it says. */
static inline bool is_plain(const struct packet *packet,
                            const struct udp_header *header)
{
    return packet->length >= UDP_HEADER_LENGTH && packet->fragment_count == 0 &&
           be16_get(header->length) == packet->length &&
           be16_raw(header->source_port) != 0 &&
           be16_raw(header->destination_port) != 0 &&
           packet->checksum == PACKET_CHECKSUM_VERIFIED;
}

static NOINLINE void refuse_full(struct packet *packet)
{
    udp_counters.receive_buffer_errors++;
    udp_counters.in_errors++;
    packet_drop(packet, DROP_UDP_QUEUE_FULL);
}

/* Data stands at the payload. */
static inline void enqueue(struct udp_socket *socket, struct packet *packet)
{
    /* The buffers of fragments are the packet's own here. */
    size_t size =
        packet_true_size(packet) + (size_t)packet->fragment_count * BUFFER_SIZE;

    /* Sizes of our own memory: their sums do not overflow. */
    if ((socket->queue.true_size + size > socket->receive_limit &&
         socket->queue.first != NULL) ||
        udp_queued_size + size > udp_queued_limit) {
        refuse_full(packet);
        return;
    }
    udp_counters.in_datagrams++;
    packet_queue_push(&socket->queue, packet);
    socket->queue.true_size += (size_t)packet->fragment_count * BUFFER_SIZE;
    udp_queued_size += size;
    if (socket->notify != NULL)
        socket->notify(socket->owner, UDP_READABLE);
}

/* There is one. */
static inline struct packet *dequeue(struct udp_socket *socket)
{
    struct packet *packet = packet_queue_pop(&socket->queue);
    size_t fragments = (size_t)packet->fragment_count * BUFFER_SIZE;

    socket->queue.true_size -= fragments;
    udp_queued_size -= packet_true_size(packet) + fragments;
    return packet;
}

struct packet *udp_dequeue(struct udp_socket *socket)
{
    return socket->queue.first == NULL ? NULL : dequeue(socket);
}

/* To everybody who hears it; copies for all but the last. */
static NOINLINE void receive_group(struct packet *packet, uint16_t port)
{
    const struct ip_receive_info info = ip_receive_info_of(packet);
    struct udp_socket *socket = udp_find_group(NULL, &info, port);

    if (socket == NULL) {
        udp_counters.no_ports++;
        packet_drop(packet, DROP_UDP_NO_SOCKET);
        return;
    }
    for (;;) {
        struct udp_socket *after = udp_find_group(socket, &info, port);
        struct packet *copy;

        if (after == NULL || packet_total_length(packet) > BUFFER_SIZE) {
            enqueue(socket, packet);
            return;
        }
        copy = packet_copy(packet);
        if (copy != NULL)
            enqueue(socket, copy);
        socket = after;
    }
}

/* Nobody waits for it, or one of several does. */
static NOINLINE struct udp_socket *find_or_reject(struct packet *packet,
                                                  uint64_t now_ns)
{
    const struct ip_receive_info info = ip_receive_info_of(packet);
    const struct udp_header *header = (const void *)packet->data;
    struct udp_socket *socket =
        udp_find(&info, be16_get(header->destination_port),
                 be16_get(header->source_port));

    if (socket == NULL) {
        udp_counters.no_ports++;
        ip_reject(packet, ICMP_PORT_UNREACHABLE, now_ns);
        packet_drop(packet, DROP_UDP_NO_SOCKET);
    }
    return socket;
}

void udp_receive(struct packet *packet, uint64_t now_ns)
{
    const struct udp_header *header = (const void *)packet->data;
    enum drop_reason reason =
        is_plain(packet, header) ? DROP_NONE : check(packet);
    struct udp_socket *socket;
    uint16_t port;

    if (reason != DROP_NONE) {
        udp_counters.in_errors++;
        packet_drop(packet, reason);
        return;
    }
    port = be16_get(header->destination_port);
    if (packet->is_broadcast) {
        packet->data += UDP_HEADER_LENGTH;
        packet->length -= UDP_HEADER_LENGTH;
        receive_group(packet, port);
        return;
    }
    socket = udp_find_alone(port);
    if (socket == NULL)
        socket = find_or_reject(packet, now_ns);
    if (socket == NULL)
        return;
    packet->data += UDP_HEADER_LENGTH;
    packet->length -= UDP_HEADER_LENGTH;
    enqueue(socket, packet);
}

/* Where a queued datagram came from and went to: its headers still stand
 * before its payload. */
static inline void fill_endpoints(const struct packet *packet,
                                  struct udp_endpoint *remote,
                                  struct udp_endpoint *local)
{
    const struct ipv4_header *ip = packet_network_header(packet);
    const struct udp_header *udp = packet_transport_header(packet);

    if (remote != NULL)
        *remote = (struct udp_endpoint){ip_address_from_ipv4(ip->source),
                                        be16_get(udp->source_port)};
    if (local != NULL)
        *local = (struct udp_endpoint){ip_address_from_ipv4(ip->destination),
                                       be16_get(udp->destination_port)};
}

int udp_read(struct udp_socket *socket, void *bytes, size_t length,
             uint32_t flags, struct udp_endpoint *remote,
             struct udp_endpoint *local)
{
    struct packet_room room = {bytes, length};

    return udp_read_rooms(socket, &room, 1, flags, remote, local);
}

static inline void copy_out(const struct packet *packet,
                            const struct packet_room *rooms, size_t count)
{
    if (count == 1 && packet->fragment_count == 0 && rooms[0].length != 0)
        memcpy(rooms[0].bytes, packet->data,
               rooms[0].length < packet->length ? rooms[0].length
                                                : packet->length);
    else
        packet_copy_to_rooms(packet, rooms, count);
}

int udp_read_rooms(struct udp_socket *socket, const struct packet_room *rooms,
                   size_t count, uint32_t flags, struct udp_endpoint *remote,
                   struct udp_endpoint *local)
{
    struct packet *packet = socket->queue.first;
    int total;

    if (socket->error != 0)
        return -udp_take_error(socket);
    if (packet == NULL)
        return -EAGAIN;
    total = (int)packet_total_length(packet);
    fill_endpoints(packet, remote, local);
    if ((flags & UDP_READ_PEEK) != 0) {
        copy_out(packet, rooms, count);
        return total;
    }
    (void)dequeue(socket);
    copy_out(packet, rooms, count);
    packet_free(packet);
    return total;
}

size_t udp_read_queued(const struct udp_socket *socket)
{
    return socket->queue.first == NULL
               ? 0
               : packet_total_length(socket->queue.first);
}

uint64_t udp_read_time_ns(const struct udp_socket *socket)
{
    return socket->queue.first == NULL ? 0 : socket->queue.first->time_ns;
}

/* Believed of what any socket may have sent; of one that is not connected, what
 * comes back to its port is all there is to tell by. */
static void learn_path_mtu(const struct ip_error_info *info,
                           const struct udp_endpoint *local,
                           const struct udp_endpoint *remote, uint64_t now_ns)
{
    struct ip_receive_info answer = {.source = remote->address,
                                     .destination = local->address};

    if (udp_find(&answer, local->port, remote->port) != NULL)
        ip_path_mtu_learn(info, now_ns);
}

/* RFC 1122 4.1.3.3: only a connected socket can tell whom it concerns. */
void udp_error(const struct ip_error_info *info, uint64_t now_ns)
{
    const struct udp_header *header = (const void *)info->transport;
    struct udp_endpoint local = {info->local, be16_get(header->source_port)};
    struct udp_endpoint remote = {info->remote,
                                  be16_get(header->destination_port)};
    struct udp_socket *socket = udp_find_connected(&local, &remote);

    if (info->error == IP_ERROR_PACKET_TOO_BIG)
        learn_path_mtu(info, &local, &remote, now_ns);
    if (socket == NULL)
        return;
    switch (info->error) {
    case IP_ERROR_PORT_UNREACHABLE:
        udp_fail(socket, ECONNREFUSED);
        return;
    case IP_ERROR_PROTOCOL_UNREACHABLE:
        udp_fail(socket, ENOPROTOOPT);
        return;
    case IP_ERROR_NET_UNREACHABLE:
        udp_fail(socket, ENETUNREACH);
        return;
    case IP_ERROR_HOST_UNREACHABLE:
    case IP_ERROR_ADMIN_PROHIBITED:
        udp_fail(socket, EHOSTUNREACH);
        return;
    case IP_ERROR_PACKET_TOO_BIG:
        if (socket->mtu_discover != IP_MTU_DISCOVER_DONT)
            udp_fail(socket, EMSGSIZE);
        return;
    case IP_ERROR_SOURCE_ROUTE_FAILED:
    case IP_ERROR_TIME_EXCEEDED:
    case IP_ERROR_PARAMETER_PROBLEM:
        return; /* may pass: the datagram may have arrived for all we know */
    }
}
