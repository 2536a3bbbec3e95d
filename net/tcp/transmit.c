/* SPDX-License-Identifier: MIT */
/*
 * One segment of a connection: header, options, payload by reference to the
 * send queue, and away to ip/. Whether it should be sent was decided before.
 */
#include "net/attributes.h"
#include "net/limits.h"
#include "net/tcp/internal.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <string.h>

/* `length` of payload leaves so much room for SACK blocks; the MSS allows for
 * timestamps only. */
static void fill_sack(struct tcp_connection *c, size_t length,
                      struct tcp_header_options *options)
{
    struct tcp_seldom *seldom = c->seldom;
    struct tcp_sack_block *sack = options->sack;

    if (!c->has_sack || seldom == NULL ||
        (length != 0 && length + TCP_OPTIONS_MAX > c->snd.mss))
        return;
    struct tcp_sack_block *duplicate = &seldom->reassembly.duplicate;
    if (seldom->reassembly.count != 0)
        options->sack_count = reassembly_blocks(&seldom->reassembly, sack);
    if (!seq_before(duplicate->left, duplicate->right) || !tcp_settings.dsack)
        return;
    /* RFC 2883 4: first, and once. */
    if (options->sack_count < TCP_SACK_BLOCKS)
        options->sack_count++;
    memmove(sack + 1, sack, (options->sack_count - 1U) * sizeof(*sack));
    sack[0] = *duplicate;
    duplicate->right = duplicate->left;
    tcp_counters.dsacks_sent++;
    seldom_tidy(c);
}

static void fill_options(struct tcp_connection *c, uint8_t flags, size_t length,
                         uint64_t now_ns, struct tcp_header_options *options)
{
    *options = (struct tcp_header_options){.mss = 0};
    if ((flags & TCP_SYN) != 0) {
        /* A SYN offers, a SYN-ACK answers what was offered. */
        bool is_answer = (flags & TCP_ACK) != 0;
        options->mss = tcp_options_mss(&c->options, c->hop.mtu);
        options->has_window_scale =
            is_answer ? c->rcv.scale != 0 : tcp_settings.window_scaling;
        options->window_scale = c->rcv.scale;
        options->has_timestamp =
            is_answer ? c->has_timestamps : tcp_settings.timestamps;
        options->has_sack_permitted =
            is_answer ? c->has_sack : tcp_settings.sack;
    } else {
        options->has_timestamp = c->has_timestamps;
        fill_sack(c, length, options);
    }
    options->timestamp = connection_timestamp(c, now_ns);
    options->timestamp_echo = (flags & TCP_ACK) != 0 ? c->ts_recent : 0;
}

/* NOP, NOP, timestamps: as everybody sends them. */
static inline void write_timestamps(const struct tcp_connection *c, uint8_t *to,
                                    uint64_t now_ns)
{
    const struct be32 words[] = {
        be32_from(TCP_TIMESTAMP_WORD),
        be32_from(connection_timestamp(c, now_ns)),
        be32_from(c->ts_recent),
    };

    memcpy(to, words, sizeof(words));
}

/* Makes room for the header, of so many bytes with its options. */
static inline struct tcp_header *push(const struct tcp_connection *c,
                                      struct packet *packet, size_t length)
{
    uint32_t total = (uint32_t)(packet_total_length(packet) + length);
    uint8_t *data = packet->data - length;
    struct tcp_header *header = (void *)data;

    packet->data = data;
    packet->length += (uint32_t)length;
    packet->transport_offset = (uint16_t)(data - packet->buffer);
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = packet->transport_offset;
    packet->checksum_offset = offsetof(struct tcp_header, checksum);
    header->checksum = be16_from(checksum_fold(c->pseudo_sum + total));
    header->data_offset = (uint8_t)(length / 4 << 4);
    return header;
}

_Static_assert(PACKET_HEADROOM >= TCP_HEADER_MAX + IPV4_HEADER_MAX,
               "a packet begun here has room for its headers");

/* Header and options of what is not usual: a SYN, a reset without ACK, SACK
 * blocks. */
static COLD NOINLINE struct tcp_header *push_any(struct tcp_connection *c,
                                                 struct packet *packet,
                                                 uint8_t flags, uint64_t now_ns)
{
    struct tcp_header_options options;
    uint8_t bytes[TCP_OPTIONS_MAX];

    fill_options(c, flags, packet_total_length(packet), now_ns, &options);
    size_t length = tcp_options_emit(&options, bytes);
    struct tcp_header *header = push(c, packet, TCP_HEADER_LENGTH + length);
    memcpy(header + 1, bytes, length);
    return header;
}

static inline struct tcp_header *push_usual(const struct tcp_connection *c,
                                            struct packet *packet,
                                            uint64_t now_ns)
{
    if (!c->has_timestamps)
        return push(c, packet, TCP_HEADER_LENGTH);
    struct tcp_header *header =
        push(c, packet, TCP_HEADER_LENGTH + TCP_TIMESTAMP_SPACE);
    write_timestamps(c, (uint8_t *)(header + 1), now_ns);
    return header;
}

static inline void write_header(struct tcp_connection *c, struct packet *packet,
                                struct seq32 seq, uint8_t flags,
                                uint64_t now_ns)
{
    uint16_t window = window_offer(c, (flags & TCP_SYN) != 0);
    bool is_usual =
        (flags & (TCP_SYN | TCP_ACK)) == TCP_ACK && c->seldom == NULL;
    struct tcp_header *header = is_usual ? push_usual(c, packet, now_ns)
                                         : push_any(c, packet, flags, now_ns);

    /* Loads between the stores: gcc 12 joins neighbours by the octet. */
    header->sequence = be32_from(seq.value);
    header->source_port = be16_from(c->node.tuple.local_port);
    header->destination_port = be16_from(c->node.tuple.remote_port);
    header->acknowledgement =
        be32_from((flags & TCP_ACK) != 0 ? c->rcv.nxt.value : 0);
    header->flags = flags;
    header->window = be16_from(window);
    header->urgent = be16_from(0);
    if (c->is_urgent)
        urgent_stamp(c, seq, header);
}

/* Payload, as much of it as a packet can point at; a burst that had to be
 * shortened ends with a full segment. Returns how much. */
static uint32_t fill(struct tcp_connection *c, struct seq32 seq,
                     uint32_t length, struct packet *packet)
{
    uint32_t mss = c->snd.mss;

    if (length <= mss && send_queue_fill_last(&c->send, seq, length, packet))
        return length;
    uint32_t filled = send_queue_fill(&c->send, seq, length, packet);
    if (filled <= mss || c->is_probing_mtu)
        return filled;
    if (filled < length) {
        filled -= filled % mss;
        packet_trim(packet, filled);
    }
    if (filled > mss)
        packet->segment_size = c->snd.mss;
    return filled;
}

static inline void send(const struct tcp_connection *c, struct packet *packet,
                        uint8_t tos, uint64_t now_ns)
{
    const struct ip_flow flow = {
        .source = &c->node.tuple.local,
        .destination = &c->node.tuple.remote,
        .sum = c->pseudo_sum,
        .protocol = IP_PROTOCOL_TCP,
        .ttl = c->options.ttl,
        .tos = tos,
    };

    ip_push_whole(packet, &flow);
    if (c->options.mtu_discover == IP_MTU_DISCOVER_DONT)
        ip_make_divisible(packet);
    ip_send_whole(packet, &c->hop, now_ns);
}

/* It ends earlier than was planned: at the end of a record, or of a packet. */
static COLD uint8_t cut_flags(const struct tcp_connection *c, struct seq32 end,
                              uint8_t flags)
{
    flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    return send_queue_has_record(&c->send, end) ? flags | TCP_PSH : flags;
}

bool transmit_segment(struct tcp_connection *c, struct seq32 seq,
                      uint32_t *length, uint8_t flags, uint64_t now_ns)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    if (packet == NULL) {
        tcp_counters.no_packet++;
        return false;
    }
    if (*length != 0) {
        uint32_t filled = fill(c, seq, *length, packet);
        if (filled < *length)
            flags = cut_flags(c, seq_add(seq, filled), flags);
        *length = filled;
    }
    uint8_t tos =
        !c->has_ecn ? c->options.tos & (uint8_t)~ECN_MASK
                    : ecn_stamp(c, *length != 0 && !seq_before(seq, c->snd.max),
                                &flags);
    write_header(c, packet, seq, flags, now_ns);
    if ((flags & TCP_ACK) != 0) {
        c->rcv.last_ack = c->rcv.nxt;
        if ((c->owed & OWES_MEMORY) == 0)
            c->ack_at_ns = 0; /* else a writer waits for it, too */
        c->owed &= (uint8_t)~OWES_ACK;
    }
    uint32_t count = 1;
    if (packet->segment_size != 0)
        count += (*length - 1) / packet->segment_size;
    tcp_counters.out_segments += count;
    c->segments_out += count;
    if (*length != 0)
        c->text_out += count;
    send(c, packet, tos, now_ns);
    return true;
}
