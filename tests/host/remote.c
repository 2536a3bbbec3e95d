/* SPDX-License-Identifier: MIT */
/*
 * The peer made of frames: its own Ethernet, ARP, IPv4 and TCP.
 */
#include "tests/host/remote.h"

#include <stdlib.h>
#include <string.h>

enum {
    ETHERNET = 14,
    MTU = 1500,
    DATAGRAM_MAX = 65535,
    IPV4 = 20,
    TCP = 20,
};

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint32_t sum_of(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        sum += get16(bytes + i);
    if (length % 2 != 0)
        sum += (uint32_t)bytes[length - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint16_t tcp_checksum(const uint8_t *ip, size_t tcp_length)
{
    uint32_t sum = sum_of(ip + 12, 8) + 6 + (uint32_t)tcp_length;

    return fold(sum + sum_of(ip + IPV4, tcp_length));
}

static void answer_arp(struct remote *remote, const struct frame *frame)
{
    const uint8_t *arp = frame->bytes + ETHERNET;

    if (frame->length < ETHERNET + 28 || get16(arp + 6) != 1 ||
        get32(arp + 24) != remote->address)
        return;
    remote->arp_requests++;
    if (remote->is_deaf)
        return;
    struct frame *reply = frame_new(NULL, 60);
    uint8_t *out = reply->bytes;
    memset(out, 0, reply->length);
    memcpy(out, arp + 8, 6);
    memcpy(out + 6, remote->mac, 6);
    memcpy(out + 12, frame->bytes + 12, 2);
    memcpy(out + ETHERNET, arp, 8);
    put16(out + ETHERNET + 6, 2);
    memcpy(out + ETHERNET + 8, remote->mac, 6);
    put32(out + ETHERNET + 14, remote->address);
    memcpy(out + ETHERNET + 18, arp + 8, 10);
    world_port_send(&remote->port, reply);
}

static void remote_arrive(struct world_port *port, struct frame *frame)
{
    struct remote *remote = container_of(port, struct remote, port);
    uint16_t type = frame->length >= ETHERNET ? get16(frame->bytes + 12) : 0;

    if (type == 0x0806)
        answer_arp(remote, frame);
    if (type != 0x0800) {
        free(frame);
        return;
    }
    if (remote->tail - remote->head == REMOTE_QUEUE)
        world_fail("the remote's queue is full");
    remote->queue[remote->tail++ % REMOTE_QUEUE] = frame;
}

struct bench bench_start(uint64_t seed, size_t memory_size)
{
    struct bench bench;

    world_start(seed);
    bench.stack = world_stack_add("a", memory_size);
    bench.device =
        device_add(bench.stack, 1, NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS);
    bench.remote = calloc(1, sizeof(*bench.remote));
    bench.remote->port.arrive = remote_arrive;
    bench.remote->mac[0] = 2;
    bench.remote->mac[5] = 0x99;
    memcpy(bench.remote->target_mac, bench.device->netif.address.octet, 6);
    bench.remote->address = 0x0a000002;
    bench.remote->target = 0x0a000001;
    world_port_join(&bench.device->port, &bench.remote->port);
    const struct stack_functions *call = world_enter(bench.stack);
    if (call->net_configure_ip("10.0.0.1/24::::a:eth0:none") != 0)
        world_fail("net_configure_ip failed");
    call->net_start(world_now());
    world_leave(bench.stack);
    world_run_for(NS_PER_S * 5);
    remote_forget(bench.remote);
    return bench;
}

void remote_forget(struct remote *remote)
{
    while (remote->head != remote->tail)
        free(remote->queue[remote->head++ % REMOTE_QUEUE]);
}

void remote_send_frame(struct remote *remote, const void *bytes, size_t length)
{
    world_port_send(&remote->port, frame_new(bytes, length));
    world_run_for(0);
}

static void send_piece(struct remote *remote, uint8_t protocol,
                       const uint8_t *payload, size_t length, uint32_t fragment)
{
    uint8_t bytes[ETHERNET + MTU] = {0};
    uint8_t *ip = bytes + ETHERNET;
    size_t total = ETHERNET + IPV4 + length;

    memcpy(bytes, remote->target_mac, 6);
    memcpy(bytes + 6, remote->mac, 6);
    put16(bytes + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IPV4 + length));
    put16(ip + 4, remote->identification);
    put16(ip + 6, fragment);
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + 12, remote->address);
    put32(ip + 16, remote->target);
    put16(ip + 10, fold(sum_of(ip, IPV4)));
    memcpy(ip + IPV4, payload, length);
    remote_send_frame(remote, bytes, total < 60 ? 60 : total);
}

void remote_send_ip(struct remote *remote, uint8_t protocol,
                    const uint8_t *payload, size_t length)
{
    size_t most = (MTU - IPV4) / 8 * 8;
    size_t from = 0;

    if (IPV4 + length > DATAGRAM_MAX)
        world_fail("a packet too long for IP");
    if (IPV4 + length <= MTU) {
        send_piece(remote, protocol, payload, length, 0x4000);
    } else {
        for (; length - from > most; from += most)
            send_piece(remote, protocol, payload + from, most,
                       0x2000 | (uint32_t)from / 8);
        send_piece(remote, protocol, payload + from, length - from,
                   (uint32_t)from / 8);
    }
    remote->identification++;
}

void remote_send(struct remote *remote, const struct segment *segment)
{
    static uint8_t bytes[IPV4 + DATAGRAM_MAX];
    /* The pseudo-header's addresses stand where an IP header has them. */
    uint8_t *tcp = bytes + IPV4;
    size_t header = TCP + (segment->options_length + 3) / 4 * 4;
    size_t length = header + segment->payload_length;

    if (IPV4 + length > DATAGRAM_MAX)
        world_fail("a segment too long for IP");
    memset(bytes, 0, IPV4 + header);
    put32(bytes + 12, remote->address);
    put32(bytes + 16, remote->target);
    put16(tcp, segment->source_port);
    put16(tcp + 2, segment->destination_port);
    put32(tcp + 4, segment->seq);
    put32(tcp + 8, segment->ack);
    uint32_t offset =
        segment->data_offset != 0 ? segment->data_offset : (uint32_t)header / 4;
    tcp[12] = (uint8_t)(offset << 4 | segment->flags >> 8);
    tcp[13] = (uint8_t)segment->flags;
    put16(tcp + 14, segment->window);
    put16(tcp + 18, segment->urgent);
    memcpy(tcp + TCP, segment->options, segment->options_length);
    if (segment->payload_length != 0)
        memcpy(tcp + header, segment->payload, segment->payload_length);
    put16(tcp + 16, tcp_checksum(bytes, length));
    if (segment->bad_checksum)
        tcp[16] ^= 1;
    remote_send_ip(remote, 6, tcp, length);
}

static void parse_options(struct segment *segment)
{
    const uint8_t *at = segment->options;
    const uint8_t *end = at + segment->options_length;

    while (at < end && *at != 0) {
        if (*at == 1) {
            at++;
            continue;
        }
        if (at + 1 >= end || at[1] < 2 || at + at[1] > end)
            world_fail("the stack sent malformed options");
        if (*at == 2) {
            segment->mss = get16(at + 2);
        } else if (*at == 3) {
            segment->has_window_scale = true;
            segment->window_scale = at[2];
        } else if (*at == 4) {
            segment->has_sack_permitted = true;
        } else if (*at == 5) {
            segment->sack_count = (at[1] - 2U) / 8;
            for (unsigned i = 0; i < segment->sack_count; i++) {
                segment->sack[i][0] = get32(at + 2 + 8 * i);
                segment->sack[i][1] = get32(at + 6 + 8 * i);
            }
        } else if (*at == 8) {
            segment->has_timestamp = true;
            segment->tsval = get32(at + 2);
            segment->tsecr = get32(at + 6);
        }
        at += at[1];
    }
}

static bool parse(const struct frame *frame, struct segment *segment)
{
    const uint8_t *ip = frame->bytes + ETHERNET;
    const uint8_t *tcp = ip + IPV4;

    if (frame->length < ETHERNET + IPV4 || ip[9] != 6)
        return false;
    size_t total = get16(ip + 2);
    if (ip[0] != 0x45 || total + ETHERNET > frame->length ||
        total < IPV4 + TCP || fold(sum_of(ip, IPV4)) != 0)
        world_fail("the stack sent a wrong IP header");
    size_t length = total - IPV4;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header < TCP || header > length)
        world_fail("the stack sent a wrong TCP header");
    *segment = (struct segment){
        .source_port = get16(tcp),
        .destination_port = get16(tcp + 2),
        .seq = get32(tcp + 4),
        .ack = get32(tcp + 8),
        .flags = (uint16_t)((tcp[12] & 0xf) << 8 | tcp[13]),
        .window = get16(tcp + 14),
        .urgent = get16(tcp + 18),
        .options_length = header - TCP,
        .payload = tcp + header,
        .payload_length = length - header,
        .time_ns = world_now(),
        .data_offset = tcp[12] >> 4,
        .bad_checksum = tcp_checksum(ip, length) != 0,
    };
    memcpy(segment->options, tcp + TCP, segment->options_length);
    parse_options(segment);
    return true;
}

static bool take_arrived(struct remote *remote, struct segment *segment)
{
    while (remote->head != remote->tail) {
        free(remote->current);
        remote->current = remote->queue[remote->head++ % REMOTE_QUEUE];
        if (parse(remote->current, segment)) {
            if (segment->bad_checksum)
                world_fail("the stack sent a wrong TCP checksum");
            return true;
        }
    }
    return false;
}

bool remote_take_within(struct remote *remote, struct segment *segment,
                        uint64_t duration_ns)
{
    uint64_t until = world_now() + duration_ns;

    do {
        if (take_arrived(remote, segment))
            return true;
    } while (world_step(until));
    return take_arrived(remote, segment);
}

bool remote_take(struct remote *remote, struct segment *segment)
{
    return remote_take_within(remote, segment, 0);
}

bool remote_take_other(struct remote *remote, uint8_t *bytes, size_t size,
                       size_t *length)
{
    world_run_for(0);
    while (remote->head != remote->tail) {
        free(remote->current);
        remote->current = remote->queue[remote->head++ % REMOTE_QUEUE];
        const struct frame *frame = remote->current;
        if (frame->length > ETHERNET + IPV4 &&
            frame->bytes[ETHERNET + 9] != 6) {
            *length = frame->length - ETHERNET;
            memcpy(bytes, frame->bytes + ETHERNET,
                   *length < size ? *length : size);
            return true;
        }
    }
    return false;
}

void dialogue_send(struct dialogue *dialogue, uint16_t flags, uint32_t seq,
                   uint32_t ack, const void *payload, size_t length)
{
    struct segment segment = {
        .source_port = dialogue->port,
        .destination_port = dialogue->local_port,
        .seq = seq,
        .ack = ack,
        .flags = flags,
        .window = dialogue->window,
        .payload = payload,
        .payload_length = length,
    };

    if ((flags & S) != 0) {
        memcpy(segment.options, dialogue->syn_options,
               dialogue->syn_options_length);
        segment.options_length = dialogue->syn_options_length;
    }
    if (dialogue->has_timestamps) {
        uint8_t *at = segment.options + segment.options_length;
        static const uint8_t head[4] = {1, 1, 8, 10};
        memcpy(at, head, sizeof(head));
        put32(at + 4, dialogue->tsval);
        put32(at + 8, dialogue->tsecr);
        segment.options_length += 12;
    }
    remote_send(dialogue->remote, &segment);
}

bool dialogue_take_within(struct dialogue *dialogue, uint64_t duration_ns)
{
    if (!remote_take_within(dialogue->remote, &dialogue->got, duration_ns))
        return false;
    if (dialogue->got.has_timestamp)
        dialogue->tsecr = dialogue->got.tsval;
    return true;
}

bool dialogue_take(struct dialogue *dialogue)
{
    return dialogue_take_within(dialogue, 0);
}

bool dialogue_open(struct dialogue *dialogue)
{
    struct segment *got = &dialogue->got;

    dialogue_send(dialogue, S, dialogue->seq, 0, NULL, 0);
    if (!dialogue_take(dialogue) || got->flags != (S | A) ||
        got->ack != dialogue->seq + 1)
        return false;
    dialogue->has_timestamps = got->has_timestamp;
    dialogue->iss = got->seq;
    dialogue->seq++;
    dialogue->ack = got->seq + 1;
    dialogue_send(dialogue, A, dialogue->seq, dialogue->ack, NULL, 0);
    return true;
}

bool dialogue_accept(struct dialogue *dialogue)
{
    struct segment *got = &dialogue->got;

    if (!dialogue_take_within(dialogue, NS_PER_S) || got->flags != S)
        return false;
    dialogue->local_port = got->source_port;
    dialogue->port = got->destination_port;
    dialogue->iss = got->seq;
    dialogue->ack = got->seq + 1;
    dialogue_send(dialogue, S | A, dialogue->seq, dialogue->ack, NULL, 0);
    dialogue->seq++;
    return dialogue_take(dialogue) && got->flags == A &&
           got->ack == dialogue->seq && got->seq == dialogue->ack;
}
