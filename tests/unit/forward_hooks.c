/* SPDX-License-Identifier: MIT */
/*
 * The hooks on a packet's way through a router: which, in what order, with
 * what; how rejects are told, and where what they turn elsewhere goes.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/filter/filter.h"
#include "net/wire/checksum.h"

static struct test_frame frame;

static void start(void)
{
    router_world();
}

TestSuite(forward_hooks, .init = start, .timeout = 60);

static unsigned calls[FILTER_HOOK_COUNT];
static const struct netif *outs[FILTER_HOOK_COUNT];
static const struct netif *ins[FILTER_HOOK_COUNT];
static enum filter_hook refusing;
static enum filter_verdict refusal;
static size_t longest;

static enum filter_verdict watch(struct packet *packet,
                                 const struct filter_context *at)
{
    const struct ipv4_header *header = (const void *)packet->data;

    cr_assert_eq(header->version_ihl >> 4, 4);
    cr_assert(is_header_sound(header));
    cr_assert_eq(be16_get(header->total_length), packet_total_length(packet));
    calls[at->hook]++;
    outs[at->hook] = at->out;
    ins[at->hook] = packet->netif;
    if (packet_total_length(packet) > longest)
        longest = packet_total_length(packet);
    return at->hook == refusing && refusal != FILTER_ACCEPT ? refusal
                                                            : FILTER_ACCEPT;
}

static void watch_all(enum filter_hook hook, enum filter_verdict verdict)
{
    memset(calls, 0, sizeof(calls));
    longest = 0;
    refusing = hook;
    refusal = verdict;
    filter_clear();
    for (unsigned i = 0; i < FILTER_HOOK_COUNT; i++)
        filter_register((enum filter_hook)i, watch);
}

Test(forward_hooks, a_transit_packet_passes_three_hooks)
{
    watch_all(FILTER_INPUT, FILTER_ACCEPT);
    make_transit(&frame, 100);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    cr_assert_eq(calls[FILTER_PREROUTING], 1);
    cr_assert_eq(calls[FILTER_FORWARD], 1);
    cr_assert_eq(calls[FILTER_POSTROUTING], 1);
    cr_assert_eq(calls[FILTER_INPUT] + calls[FILTER_OUTPUT], 0);
    cr_assert_eq(outs[FILTER_FORWARD], &inside_device->netif);
    cr_assert_eq(outs[FILTER_POSTROUTING], &inside_device->netif);
    cr_assert_eq(ins[FILTER_FORWARD], &device->netif);
    cr_assert_eq(ins[FILTER_POSTROUTING], &device->netif);
}

Test(forward_hooks, an_answered_ping_passes_the_other_two)
{
    watch_all(FILTER_INPUT, FILTER_ACCEPT);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "ab",
              2);
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
    cr_assert_eq(calls[FILTER_PREROUTING], 1);
    cr_assert_eq(calls[FILTER_INPUT], 1);
    cr_assert_eq(calls[FILTER_OUTPUT], 1);
    cr_assert_eq(calls[FILTER_POSTROUTING], 1);
    cr_assert_eq(calls[FILTER_FORWARD], 0);
}

Test(forward_hooks, hooks_see_whole_datagrams_and_pieces_leave)
{
    watch_all(FILTER_INPUT, FILTER_ACCEPT);
    make_transit(&frame, 1992);
    for (size_t at = 0; at < 2000; at += 1000) {
        struct test_frame piece = frame;
        struct ipv4_header *header = ip_of(&piece);

        memmove(header + 1, ip_payload_of(&frame) + at, 1000);
        header->total_length = be16_from(1020);
        header->fragment =
            be16_from((uint16_t)(at / 8 | (at == 0 ? 0x2000 : 0)));
        piece.length = 14 + 1020;
        fix_ip(&piece);
        inject(&piece);
    }
    cr_assert_eq(calls[FILTER_FORWARD], 1);
    cr_assert_eq(longest, 2020);
    cr_assert_not_null(inside_ip(1));
    cr_assert_null(inside_ip(2));
    cr_assert_eq(missing_packets(), 0);
}

Test(forward_hooks, rejects_are_told_by_kind)
{
    static const uint8_t codes[] = {
        [FILTER_REJECT_NET_UNREACHABLE] = 0,
        [FILTER_REJECT_HOST_UNREACHABLE] = 1,
        [FILTER_REJECT_PROTOCOL_UNREACHABLE] = 2,
        [FILTER_REJECT_PORT_UNREACHABLE] = 3,
        [FILTER_REJECT_NET_PROHIBITED] = 9,
        [FILTER_REJECT_HOST_PROHIBITED] = 10,
        [FILTER_REJECT_ADMIN_PROHIBITED] = 13,
    };

    for (unsigned i = FILTER_REJECT_NET_UNREACHABLE;
         i <= FILTER_REJECT_ADMIN_PROHIBITED; i++) {
        watch_all(FILTER_FORWARD, (enum filter_verdict)i);
        make_transit(&frame, 10);
        assert_transit_dropped(&frame, DROP_FILTER);
        cr_assert_eq(received_icmp(0)->type, ICMP_DESTINATION_UNREACHABLE);
        cr_assert_eq(received_icmp(0)->code, codes[i]);
        forget_received();
        world_run_for(NS_PER_S);
    }
}

static void make_segment(uint8_t flags, size_t payload)
{
    uint8_t segment[20 + 8] = {0x12, 0x34, 0, 80,  0,    0, 0, 100,
                               0,    0,    0, 200, 0x50, 0, 1, 0};

    segment[13] = flags;
    make_ip(&frame, 6, PEER_ADDRESS, INSIDE_ADDRESS, segment, 20 + payload);
    fix_transport(&frame);
}

Test(forward_hooks, a_reset_answers_as_a_closed_port_would)
{
    const uint8_t *tcp;

    watch_all(FILTER_FORWARD, FILTER_REJECT_TCP_RESET);
    make_segment(2, 0);
    assert_transit_dropped(&frame, DROP_FILTER);
    cr_assert_eq(be32_get(received_ip(6, 0)->source), INSIDE_ADDRESS);
    cr_assert_eq(be16_get(received_ip(6, 0)->fragment), IPV4_DONT_FRAGMENT);
    tcp = (const uint8_t *)(received_ip(6, 0) + 1);
    cr_assert_eq(tcp[13], 0x14);
    cr_assert_eq(tcp[11], 101);
    cr_assert_eq(tcp[3], 0x34);
    make_segment(0x18, 8);
    inject(&frame);
    tcp = (const uint8_t *)(received_ip(6, 1) + 1);
    cr_assert_eq(tcp[13], 0x04);
    cr_assert_eq(tcp[7], 200);
    make_segment(0x04, 0); /* never a reset for a reset */
    inject(&frame);
    cr_assert_null(received_ip(6, 2));
}

static enum filter_verdict turn(struct packet *packet,
                                const struct filter_context *at)
{
    struct ipv4_header *header = (void *)packet->data;

    (void)at;
    header->checksum = checksum_update_32(
        header->checksum, be32_get(header->destination), INSIDE_ADDRESS);
    header->destination = be32_from(INSIDE_ADDRESS);
    return FILTER_ACCEPT;
}

Test(forward_hooks, a_destination_changed_before_routing_is_routed)
{
    filter_register(FILTER_PREROUTING, turn);
    make_udp(&frame, PEER_ADDRESS, 1, OUR_ADDRESS, 2, "x", 1);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
}

Test(forward_hooks, a_destination_changed_on_the_way_out_is_routed_again)
{
    filter_register(FILTER_OUTPUT, turn);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "ab",
              2);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    cr_assert_null(received_ip(1, 0));
}
