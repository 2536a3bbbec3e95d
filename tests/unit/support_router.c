/* SPDX-License-Identifier: MIT */
/*
 * The second cable of support_router.h.
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/filter/firewall.h"
#include "net/filter/rules.h"
#include "net/net_router.h"
#include "net/wire/checksum.h"

enum { PARTS_MEMORY = 8 << 20, ROUTER_MEMORY = 64 << 20 };

struct device *inside_device;
struct inside inside;
const char *const *router_words;

static const char *router_rules;
static uint8_t *pools_memory; /* the world frees the other */

static uint16_t type_of(const struct frame *frame)
{
    return (uint16_t)(frame->bytes[12] << 8 | frame->bytes[13]);
}

static void answer_arp(const struct frame *request)
{
    const struct arp_message *message =
        (const void *)(request->bytes + ETHERNET_HEADER_LENGTH);
    struct test_frame *reply;

    if (be16_get(message->operation) != ARP_REQUEST ||
        be32_get(message->target_protocol) == INSIDE_ROUTER ||
        be32_get(message->sender_protocol) == 0)
        return;
    reply = malloc(sizeof(*reply));
    make_arp(reply, ARP_REPLY, INSIDE_NUMBER,
             be32_get(message->target_protocol), INSIDE_CARD,
             be32_get(message->sender_protocol));
    ethernet_of(reply)->destination = hardware(INSIDE_CARD);
    ethernet_of(reply)->source = hardware(INSIDE_NUMBER);
    world_port_send(&inside.port, frame_new(reply->bytes, reply->length));
    free(reply);
}

static void inside_arrive(struct world_port *port, struct frame *frame)
{
    (void)port;
    if (!inside.is_deaf && type_of(frame) == ETHERNET_TYPE_ARP)
        answer_arp(frame);
    if (inside.count == INSIDE_MAX)
        free(frame);
    else
        inside.received[inside.count++] = frame;
}

/* Parts have memory beside the pools, as the kernel keeps some for them. */
static void prepare_filter(void)
{
    free(pools_memory);
    pools_memory = stack->memory;
    stack->memory = calloc(1, PARTS_MEMORY);
    stack->memory_size = PARTS_MEMORY;
    stack->memory_used = 0;
    cr_assert_eq(filter_start(world_now()), 0);
    filter_boot("test", router_rules, strlen(router_rules));
}

static void prepare(void)
{
    if (router_rules != NULL)
        prepare_filter();
    if (net_router_init(world_now()) != 0 ||
        stack->call->net_configure_ip("192.168.1.1/24:::::eth1:none") != 0)
        world_fail("no router");
    for (const char *const *word = router_words; word != NULL && *word != NULL;
         word += 2)
        if (net_router_word(word[0], word[1]) != 0)
            world_fail(word[1]);
    inside_device = device_add(stack, INSIDE_CARD, 0);
    net_router_start(world_now());
    memset(&inside, 0, sizeof(inside));
    inside.port.arrive = inside_arrive;
    world_port_join(&inside_device->port, &inside.port);
}

void router_world_with_rules(const char *rules)
{
    router_rules = rules;
    net_world_prepare = prepare;
    net_world_with("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none",
                   ROUTER_MEMORY, 0);
    peer.answers_arp = true;
    forget_inside();
}

void router_world(void)
{
    router_world_with_rules(NULL);
}

void inject_inside(const struct test_frame *frame)
{
    struct frame *copy = frame_new(frame->bytes, frame->length);
    struct ethernet_header *header = (void *)copy->bytes;

    header->source = hardware(INSIDE_NUMBER);
    if (!ethernet_address_is_group(&header->destination))
        header->destination = hardware(INSIDE_CARD);
    world_port_send(&inside.port, copy);
    settle();
}

void forget_inside(void)
{
    for (size_t i = 0; i < inside.count; i++)
        free(inside.received[i]);
    inside.count = 0;
}

const struct ipv4_header *inside_ip(size_t n)
{
    for (size_t i = 0; i < inside.count; i++)
        if (type_of(inside.received[i]) == ETHERNET_TYPE_IPV4 && n-- == 0)
            return (const void *)(inside.received[i]->bytes +
                                  ETHERNET_HEADER_LENGTH);
    return NULL;
}

void make_transit(struct test_frame *frame, size_t length)
{
    static uint8_t payload[2000];

    for (size_t i = 0; i < length; i++)
        payload[i] = (uint8_t)i;
    make_udp(frame, PEER_ADDRESS, 1000, INSIDE_ADDRESS, 2000, payload, length);
}

void assert_transit_dropped(const struct test_frame *frame,
                            enum drop_reason reason)
{
    uint64_t before = drop_count(reason);

    inject(frame);
    cr_assert_eq(drop_count(reason), before + 1, "not dropped as %s",
                 drop_reason_name(reason));
    cr_assert_null(inside_ip(0));
    cr_assert_eq(missing_packets(), 0);
}

bool is_header_sound(const struct ipv4_header *header)
{
    return checksum_is_valid(
        checksum_add(0, header, ipv4_header_length(header)));
}
