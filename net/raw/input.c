/* SPDX-License-Identifier: MIT */
/*
 * What raw sockets hear: copies. The limits are asked before anything is
 * copied, so that a flood into a socket that nobody reads costs a look.
 */
#include "net/raw/socket.h"

#include "net/ip/path_mtu.h"
#include "net/limits.h"
#include "net/link/netif.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

/* The bytes of one packet where they lie. Used within one call, by one at a
 * time: too large for the stack of softirqs. */
static struct packet_piece pieces[RAW_PIECES_MAX];

/* From a byte of the linear part on (headers that were pulled stand before its
 * data); a train's segments follow. 0: too many. */
static size_t collect(const struct packet *packet, const uint8_t *from)
{
    const struct packet_fragment *fragments = packet_fragments(packet);
    size_t count = 0;

    pieces[count++] = (struct packet_piece){
        from, (size_t)(packet->data + packet->length - from)};
    for (size_t i = 0; i < packet->fragment_count; i++)
        pieces[count++] =
            (struct packet_piece){fragments[i].data, fragments[i].length};
    for (packet = packet->train; packet != NULL; packet = packet->next) {
        if (count == RAW_PIECES_MAX)
            return 0;
        pieces[count++] = (struct packet_piece){packet->data, packet->length};
    }
    return count;
}

_Static_assert(sizeof(struct raw_address) <=
                   sizeof(((struct packet *)NULL)->scratch),
               "the sender travels in the packet");

static bool has_room(const struct raw_socket *socket, size_t size)
{
    return size <= socket->receive_limit &&
           socket->queue.true_size <= socket->receive_limit - size &&
           raw_queued_size <= raw_queued_limit - size;
}

/* A copy of the `count` pieces; NULL: it is lost, and counted. */
static struct packet *copy(const struct raw_socket *socket, size_t count)
{
    struct packet *packet = NULL;
    size_t length = 0;
    size_t size;

    for (size_t i = 0; i < count; i++)
        length += pieces[i].length;
    size = raw_true_size(length, 0);
    if (count != 0 && size <= raw_queued_limit && has_room(socket, size))
        packet = raw_build(pieces, count, 0);
    if (packet == NULL)
        raw_counters.buffer_errors++;
    return packet;
}

static void enqueue(struct raw_socket *socket, struct packet *packet,
                    const struct raw_address *from)
{
    size_t fragments = (size_t)packet->fragment_count * BUFFER_SIZE;

    memcpy(packet->scratch, from, sizeof(*from));
    packet_queue_append(&socket->queue, packet);
    socket->queue.true_size += fragments;
    raw_queued_size += packet_true_size(packet) + fragments;
    raw_counters.received++;
    if (socket->notify != NULL)
        socket->notify(socket->owner, RAW_READABLE);
}

struct packet *raw_dequeue(struct raw_socket *socket)
{
    struct packet *packet = packet_queue_take(&socket->queue);

    if (packet != NULL) {
        size_t fragments = (size_t)packet->fragment_count * BUFFER_SIZE;

        socket->queue.true_size -= fragments;
        raw_queued_size -= packet_true_size(packet) + fragments;
    }
    return packet;
}

/* ---- packets for us -------------------------------------------------------
 */

static bool is_between(const struct raw_socket *socket,
                       const struct ip_address *local,
                       const struct ip_address *remote)
{
    return (ip_address_is_any(&socket->local.ip) ||
            ip_address_equal(&socket->local.ip, local)) &&
           (!socket->is_connected ||
            ip_address_equal(&socket->remote.ip, remote));
}

static bool is_reply_to(const struct raw_socket *socket,
                        const struct packet *packet)
{
    const struct icmp_header *header = (const void *)packet->data;

    return packet->length >= ICMP_HEADER_LENGTH &&
           header->type == ICMP_ECHO_REPLY && socket->is_bound &&
           (header->rest[0] << 8 | header->rest[1]) ==
               socket->local.identifier &&
           checksum_is_valid(packet_sum(packet, 0));
}

static bool hears(const struct raw_socket *socket, const struct packet *packet,
                  const struct ip_receive_info *info)
{
    if ((socket->netif != NULL && socket->netif != info->netif) ||
        !is_between(socket, &info->destination, &info->source))
        return false;
    if (socket->kind == RAW_PING)
        return packet->protocol == IP_PROTOCOL_ICMP &&
               is_reply_to(socket, packet);
    return socket->kind == RAW_IP && socket->protocol == packet->protocol &&
           socket->protocol != RAW_PROTOCOL_MADE;
}

/* A train's header speaks of its first segment alone. */
static void mend_length(struct packet *packet)
{
    struct ipv4_header *header = (void *)packet->data;

    header->total_length = be16_from((uint16_t)packet_total_length(packet));
    header->checksum = be16_from(0);
    header->checksum =
        checksum_finish(checksum_add(0, header, ipv4_header_length(header)));
}

static bool receive(const struct packet *packet,
                    const struct ip_receive_info *info)
{
    struct raw_address from = {.ip = info->source, .netif = info->netif};
    bool is_heard = false;

    for (struct raw_socket *s = raw_sockets; s != NULL; s = s->next) {
        struct packet *own;

        if (!hears(s, packet, info))
            continue;
        is_heard = true;
        own = copy(
            s, collect(packet,
                       s->kind == RAW_PING
                           ? packet->data
                           : (const uint8_t *)packet_network_header(packet)));
        if (own == NULL)
            continue;
        if (packet->train != NULL)
            mend_length(own);
        enqueue(s, own, &from);
    }
    return is_heard;
}

/* ---- errors ---------------------------------------------------------------
 */

/* Is the quoted packet one that the socket sent? */
static bool sent(const struct raw_socket *socket,
                 const struct ip_error_info *info, uint8_t protocol)
{
    const struct icmp_header *quoted = (const void *)info->transport;

    if (!is_between(socket, &info->local, &info->remote) ||
        !ip_address_equal(&socket->spoken_to, &info->remote))
        return false;
    if (socket->kind == RAW_PING)
        return protocol == IP_PROTOCOL_ICMP &&
               quoted->type == ICMP_ECHO_REQUEST && socket->is_bound &&
               (quoted->rest[0] << 8 | quoted->rest[1]) ==
                   socket->local.identifier;
    return socket->kind == RAW_IP && (socket->protocol == protocol ||
                                      socket->protocol == RAW_PROTOCOL_MADE);
}

/* 0: may pass. */
static int error_number(const struct raw_socket *socket, enum ip_error error)
{
    switch (error) {
    case IP_ERROR_PORT_UNREACHABLE:
        return ECONNREFUSED;
    case IP_ERROR_PROTOCOL_UNREACHABLE:
        return ENOPROTOOPT;
    case IP_ERROR_NET_UNREACHABLE:
        return ENETUNREACH;
    case IP_ERROR_HOST_UNREACHABLE:
    case IP_ERROR_ADMIN_PROHIBITED:
        return EHOSTUNREACH;
    case IP_ERROR_PACKET_TOO_BIG:
        return socket->dont_fragment == IP_MTU_DISCOVER_DONT ? 0 : EMSGSIZE;
    case IP_ERROR_SOURCE_ROUTE_FAILED:
    case IP_ERROR_TIME_EXCEEDED:
    case IP_ERROR_PARAMETER_PROBLEM:
        return 0;
    }
    return 0;
}

static void error(const struct ip_error_info *info, uint8_t protocol,
                  uint64_t now_ns)
{
    for (struct raw_socket *s = raw_sockets; s != NULL; s = s->next) {
        int number;

        if (!sent(s, info, protocol))
            continue;
        if (info->error == IP_ERROR_PACKET_TOO_BIG)
            ip_path_mtu_learn(info, now_ns);
        number = error_number(s, info->error);
        if (!s->is_connected || number == 0)
            continue;
        s->error = number;
        if (s->notify != NULL)
            s->notify(s->owner, RAW_FAILED);
    }
}

/* ---- frames ---------------------------------------------------------------
 */

static enum raw_frame_type type_of(const struct netif *netif,
                                   const struct ethernet_header *header,
                                   bool is_outgoing)
{
    if (is_outgoing)
        return RAW_OUTGOING;
    if (ethernet_address_is_broadcast(&header->destination))
        return RAW_TO_ALL;
    if (ethernet_address_is_group(&header->destination))
        return RAW_TO_GROUP;
    return ethernet_address_equal(&header->destination, &netif->address)
               ? RAW_TO_US
               : RAW_TO_OTHER;
}

/* As on Linux what leaves is seen by those alone who want everything. */
static bool sees(const struct raw_socket *socket, const struct netif *netif,
                 uint16_t ethertype, bool is_outgoing)
{
    if (socket->kind != RAW_FRAME && socket->kind != RAW_FRAME_COOKED)
        return false;
    if ((socket->local.netif != NULL && socket->local.netif != netif) ||
        (socket->netif != NULL && socket->netif != netif))
        return false;
    return socket->protocol == RAW_ETHERTYPE_ALL ||
           (socket->protocol == ethertype && !is_outgoing &&
            ethertype != RAW_ETHERTYPE_NONE);
}

static netif_capture *before;

static void see(const struct netif *netif, const struct packet *packet,
                bool is_outgoing)
{
    const struct ethernet_header *header = (const void *)packet->data;
    struct raw_address from = {.has_hardware = true};

    if (before != NULL)
        before(netif, packet, is_outgoing);
    if (packet->length < ETHERNET_HEADER_LENGTH)
        return;
    from.ethertype = be16_get(header->type);
    from.type = (uint8_t)type_of(netif, header, is_outgoing);
    from.hardware = header->source;
    from.netif = netif_by_index(netif->index);
    for (struct raw_socket *s = raw_sockets; s != NULL; s = s->next) {
        size_t skip = s->kind == RAW_FRAME ? 0 : ETHERNET_HEADER_LENGTH;
        struct packet *own;

        if (!sees(s, netif, from.ethertype, is_outgoing))
            continue;
        own = copy(s, collect(packet, packet->data + skip));
        if (own != NULL)
            enqueue(s, own, &from);
    }
}

void raw_watch(bool has_ip, bool has_frames)
{
    static const struct ip_watcher watcher = {receive, error};
    netif_capture *present = netif_set_capture(NULL);

    ip_watcher = has_ip ? &watcher : NULL;
    if (present != see)
        before = present;
    netif_set_capture(has_frames ? see : before);
}

/* ---- reading --------------------------------------------------------------
 */

int raw_read(struct raw_socket *socket, const struct packet_room *rooms,
             size_t count, bool is_peek, struct raw_address *from)
{
    struct packet *packet = socket->queue.first;
    size_t total;

    if (socket->error != 0)
        return -raw_take_error(socket);
    if (packet == NULL)
        return -EAGAIN;
    total = packet_total_length(packet);
    packet_copy_to_rooms(packet, rooms, count);
    memcpy(from, packet->scratch, sizeof(*from));
    if (!is_peek)
        packet_free(raw_dequeue(socket));
    return (int)total;
}

size_t raw_read_queued(const struct raw_socket *socket)
{
    return socket->queue.first == NULL
               ? 0
               : packet_total_length(socket->queue.first);
}
