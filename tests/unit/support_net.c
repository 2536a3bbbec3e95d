/* SPDX-License-Identifier: MIT */
/*
 * The peer of support_net.h. Its checksums are computed by code of its own.
 */
#include "tests/unit/support_net.h"

#include "net/udp/udp.h"

#include <stdlib.h>
#include <string.h>

struct world_stack *stack;
struct device *device;
struct peer peer;
void (*net_world_prepare)(void);
uint64_t net_world_seed = 1;

static size_t packets_at_start;
static size_t buffers_at_start;

struct ethernet_address hardware(uint8_t number)
{
    return (struct ethernet_address){{2, 0, 0, 0, 0, number}};
}

struct ip_address mapped(uint32_t address)
{
    return ip_address_from_ipv4(be32_from(address));
}

static uint16_t type_of(const struct frame *frame)
{
    return (uint16_t)(frame->bytes[12] << 8 | frame->bytes[13]);
}

static void answer_arp(const struct frame *request)
{
    const struct arp_message *message =
        (const void *)(request->bytes + ETHERNET_HEADER_LENGTH);
    uint32_t target = be32_get(message->target_protocol);
    struct test_frame *reply = malloc(sizeof(*reply));

    if (be16_get(message->operation) == ARP_REQUEST && target != OUR_ADDRESS &&
        be32_get(message->sender_protocol) != 0 &&
        !be32_equal(message->sender_protocol, message->target_protocol)) {
        make_arp(reply, ARP_REPLY, PEER_NUMBER, target, OUR_NUMBER,
                 be32_get(message->sender_protocol));
        world_port_send(&peer.port, frame_new(reply->bytes, reply->length));
    }
    free(reply);
}

static void peer_arrive(struct world_port *port, struct frame *frame)
{
    (void)port;
    if (peer.react != NULL)
        peer.react(frame);
    if (peer.answers_arp && type_of(frame) == ETHERNET_TYPE_ARP)
        answer_arp(frame);
    if (peer.count == RECEIVED_MAX) {
        free(frame);
        return;
    }
    peer.received[peer.count++] = frame;
}

void net_world_with(const char *ip, size_t memory_size, uint32_t features)
{
    const struct stack_functions *call;

    world_start(net_world_seed);
    stack = world_stack_add("a", memory_size);
    device = device_add(stack, OUR_NUMBER, features);
    memset(&peer, 0, sizeof(peer));
    peer.port.arrive = peer_arrive;
    world_port_join(&device->port, &peer.port);
    if (net_world_prepare != NULL)
        net_world_prepare();
    call = world_enter(stack);
    if (ip != NULL && call->net_configure_ip(ip) != 0)
        world_fail("net_configure_ip refused");
    call->net_start(world_now());
    world_leave(stack);
    packets_at_start = call->packet_count_free();
    buffers_at_start = call->buffer_count_free();
    if (ip != NULL) {
        /* Until its address is announced, and all is quiet. */
        world_run_for(10 * NS_PER_S);
        packets_at_start = call->packet_count_free();
        buffers_at_start = call->buffer_count_free();
        forget_received();
    }
}

void net_world(void)
{
    net_world_with("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none",
                   16 * 1024 * 1024, 0);
}

void settle(void)
{
    world_run_for(10 * NS_PER_US);
}

void learn_peer(void)
{
    struct test_frame *frame = malloc(sizeof(*frame));

    make_arp(frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    inject(frame);
    make_arp(frame, ARP_REPLY, PEER_NUMBER, PEER_ADDRESS, OUR_NUMBER,
             OUR_ADDRESS);
    inject(frame);
    free(frame);
    forget_received();
}

/* ---- building -------------------------------------------------------------
 */

static uint32_t sum_16(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

void make_ethernet(struct test_frame *frame, uint16_t type, const void *payload,
                   size_t length)
{
    struct ethernet_header *header = ethernet_of(frame);

    header->destination = hardware(OUR_NUMBER);
    header->source = hardware(PEER_NUMBER);
    header->type = be16_from(type);
    if (length != 0)
        memcpy(frame->bytes + sizeof(*header), payload, length);
    frame->length = sizeof(*header) + length;
}

void make_arp(struct test_frame *frame, uint16_t operation, uint8_t sender,
              uint32_t sender_address, uint8_t target, uint32_t target_address)
{
    struct arp_message message = {
        .hardware_type = be16_from(ARP_HARDWARE_ETHERNET),
        .protocol_type = be16_from(ETHERNET_TYPE_IPV4),
        .hardware_length = 6,
        .protocol_length = 4,
        .operation = be16_from(operation),
        .sender_hardware = hardware(sender),
        .sender_protocol = be32_from(sender_address),
        .target_protocol = be32_from(target_address),
    };

    if (target != 0)
        message.target_hardware = hardware(target);
    make_ethernet(frame, ETHERNET_TYPE_ARP, &message, sizeof(message));
    ethernet_of(frame)->source = hardware(sender);
    if (operation == ARP_REQUEST)
        memset(&ethernet_of(frame)->destination, 0xff, 6);
}

void make_ip(struct test_frame *frame, uint8_t protocol, uint32_t source,
             uint32_t destination, const void *payload, size_t length)
{
    struct ipv4_header header = {
        .version_ihl = 0x45,
        .total_length = be16_from((uint16_t)(IPV4_HEADER_LENGTH + length)),
        .identification = be16_from(0x1234),
        .ttl = 64,
        .protocol = protocol,
        .source = be32_from(source),
        .destination = be32_from(destination),
    };

    make_ethernet(frame, ETHERNET_TYPE_IPV4, &header, sizeof(header));
    if (length != 0)
        memcpy(frame->bytes + frame->length, payload, length);
    frame->length += length;
    fix_ip(frame);
}

void make_udp(struct test_frame *frame, uint32_t source, uint16_t source_port,
              uint32_t destination, uint16_t destination_port,
              const void *payload, size_t length)
{
    struct udp_header header = {
        .source_port = be16_from(source_port),
        .destination_port = be16_from(destination_port),
        .length = be16_from((uint16_t)(UDP_HEADER_LENGTH + length)),
    };
    uint8_t bytes[65535];

    memcpy(bytes, &header, sizeof(header));
    if (length != 0)
        memcpy(bytes + sizeof(header), payload, length);
    make_ip(frame, 17, source, destination, bytes, sizeof(header) + length);
    fix_transport(frame);
}

void make_icmp(struct test_frame *frame, uint32_t source, uint32_t destination,
               uint8_t type, uint8_t code, uint32_t rest, const void *payload,
               size_t length)
{
    uint8_t bytes[65535] = {type,
                            code,
                            0,
                            0,
                            (uint8_t)(rest >> 24),
                            (uint8_t)(rest >> 16),
                            (uint8_t)(rest >> 8),
                            (uint8_t)rest};

    if (length != 0)
        memcpy(bytes + ICMP_HEADER_LENGTH, payload, length);
    make_ip(frame, 1, source, destination, bytes, ICMP_HEADER_LENGTH + length);
    fix_transport(frame);
}

struct ethernet_header *ethernet_of(struct test_frame *frame)
{
    return (void *)frame->bytes;
}

struct ipv4_header *ip_of(struct test_frame *frame)
{
    return (void *)(frame->bytes + ETHERNET_HEADER_LENGTH);
}

uint8_t *ip_payload_of(struct test_frame *frame)
{
    return (uint8_t *)ip_of(frame) + ipv4_header_length(ip_of(frame));
}

void add_ip_options(struct test_frame *frame, const void *options,
                    size_t length)
{
    struct ipv4_header *header = ip_of(frame);
    uint8_t *behind = ip_payload_of(frame);

    memmove(behind + length, behind,
            (size_t)(frame->bytes + frame->length - behind));
    memcpy(behind, options, length);
    frame->length += length;
    header->version_ihl = (uint8_t)(header->version_ihl + length / 4);
    header->total_length =
        be16_from((uint16_t)(be16_get(header->total_length) + length));
    fix_ip(frame);
}

void fix_ip(struct test_frame *frame)
{
    struct ipv4_header *header = ip_of(frame);

    header->checksum = be16_from(0);
    header->checksum = be16_from((uint16_t)~sum_16(0, (const uint8_t *)header,
                                                   ipv4_header_length(header)));
}

void fix_transport(struct test_frame *frame)
{
    struct ipv4_header *header = ip_of(frame);
    uint8_t *payload = ip_payload_of(frame);
    size_t length = be16_get(header->total_length) - ipv4_header_length(header);
    size_t field = header->protocol == 1 ? 2 : header->protocol == 17 ? 6 : 16;
    uint32_t sum = 0;

    if (header->protocol != 1) {
        sum = sum_16(0, (const uint8_t *)&header->source, 8);
        sum += header->protocol + (uint32_t)length;
    }
    payload[field] = 0;
    payload[field + 1] = 0;
    sum = ~sum_16(sum, payload, length) & 0xffff;
    if (sum == 0 && header->protocol == 17)
        sum = 0xffff;
    payload[field] = (uint8_t)(sum >> 8);
    payload[field + 1] = (uint8_t)sum;
}

void inject(const struct test_frame *frame)
{
    world_port_send(&peer.port, frame_new(frame->bytes, frame->length));
    settle();
}

/* ---- what came back --------------------------------------------------------
 */

void forget_received(void)
{
    for (size_t i = 0; i < peer.count; i++)
        free(peer.received[i]);
    peer.count = 0;
}

size_t received_count(void)
{
    return peer.count;
}

const struct ipv4_header *received_ip(uint8_t protocol, size_t n)
{
    for (size_t i = 0; i < peer.count; i++) {
        const struct ipv4_header *header =
            (const void *)(peer.received[i]->bytes + ETHERNET_HEADER_LENGTH);

        if (type_of(peer.received[i]) == ETHERNET_TYPE_IPV4 &&
            header->protocol == protocol && n-- == 0)
            return header;
    }
    return NULL;
}

static const void *payload_or_null(const struct ipv4_header *header)
{
    return header == NULL
               ? NULL
               : (const uint8_t *)header + ipv4_header_length(header);
}

const struct icmp_header *received_icmp(size_t n)
{
    return payload_or_null(received_ip(1, n));
}

void flood_udp_sockets(uint16_t sockets, unsigned each)
{
    static struct test_frame frame;

    for (uint16_t port = 6000; port < 6000 + sockets; port++) {
        struct udp_endpoint local = {mapped(0), port};
        struct udp_socket *socket;

        if (udp_open(NULL, NULL, &socket) != 0 || udp_bind(socket, &local) != 0)
            world_fail("no socket to flood");
        for (unsigned i = 0; i < each; i++) {
            make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, port, "x", 1);
            inject(&frame);
        }
    }
}

const struct udp_header *received_udp(size_t n)
{
    return payload_or_null(received_ip(17, n));
}

const struct arp_message *received_arp(size_t n)
{
    for (size_t i = 0; i < peer.count; i++)
        if (type_of(peer.received[i]) == ETHERNET_TYPE_ARP && n-- == 0)
            return (const void *)(peer.received[i]->bytes +
                                  ETHERNET_HEADER_LENGTH);
    return NULL;
}

size_t missing_packets(void)
{
    return packets_at_start - stack->call->packet_count_free();
}

size_t missing_buffers(void)
{
    return buffers_at_start - stack->call->buffer_count_free();
}

struct lookup {
    const char *name;
    uint64_t value;
    bool is_found;
};

static void look_up(void *context, const char *name, uint64_t value,
                    const char *help)
{
    struct lookup *lookup = context;

    (void)help;
    if (strcmp(name, lookup->name) != 0)
        return;
    lookup->value = value;
    lookup->is_found = true;
}

uint64_t counter_value(const char *name)
{
    struct lookup lookup = {name, 0, false};

    stack->call->net_visit_counters(look_up, &lookup);
    if (!lookup.is_found)
        world_fail("no such counter");
    return lookup.value;
}
