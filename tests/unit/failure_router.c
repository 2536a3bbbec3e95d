/* SPDX-License-Identifier: MIT */
/*
 * A router while requests for memory fail, those for a place in the table of
 * flows among them: a packet may be lost, as on any path, and the next one
 * comes through; no flow, packet or timer stays behind.
 * test-links: tests/unit/support_failure.c net/udp/socket.c
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 * test-flags: -include tests/unit/support_failure_pool.h
 * test-flags: -Wl,--wrap=buffer_alloc,--wrap=packet_alloc
 * test-flags: -Wl,--wrap=connection_is_available
 * test-flags: -Wl,--wrap=flow_insert
 */
#include "tests/unit/support_failure.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/filter/firewall.h"
#include "net/filter/flow.h"
#include "tests/unit/support_router.h"

enum {
    TRIES = 24, /* more than fail one after another */
    PATIENCE_S = 400,
};

static const char rules[] =
    "table ip nat { chain post { type nat hook postrouting priority srcnat;\n"
    "  oif eth0 masquerade } }\n"
    "table ip filter { chain forward { type filter hook forward priority 0;\n"
    "  udp dport 81 reject\n"
    "  udp dport 82 log prefix \"82 \" accept } }\n";

static struct test_frame frame;
static uint64_t inserted;

struct flow *__real_flow_insert(const struct flow *fresh, uint32_t now);
struct flow *__wrap_flow_insert(const struct flow *fresh, uint32_t now);

struct flow *__wrap_flow_insert(const struct flow *fresh, uint32_t now)
{
    inserted++;
    return failure_is_now() ? NULL : __real_flow_insert(fresh, now);
}

static void make_from_inside(uint16_t source, uint16_t port)
{
    make_udp(&frame, INSIDE_ADDRESS, source, FAR_ADDRESS, port, "hello", 5);
}

/* One that is sent on, one whose hops end; the next hop is asked for first. */
static void play_forward(struct failure_report *report)
{
    for (int i = 0; i < TRIES && !report->is_whole; i++) {
        forget_inside();
        forget_received();
        make_udp(&frame, PEER_ADDRESS, 1000, INSIDE_ADDRESS, 2000, "hello", 5);
        inject(&frame);
        ip_of(&frame)->ttl = 1;
        fix_ip(&frame);
        inject(&frame);
        world_run_for(5 * NS_PER_S);
        report->is_whole = inside_ip(0) != NULL && received_icmp(0) != NULL;
    }
    if (!report->is_whole)
        failure_fault(report, "nothing comes through any more");
    world_run_for(PATIENCE_S * NS_PER_S);
}

/* The peer answers what came from us, as far as it sees. */
static bool answer_masqueraded(void)
{
    const struct ipv4_header *ip = received_ip(IP_PROTOCOL_UDP, 0);
    const struct udp_header *udp = received_udp(0);

    if (ip == NULL || be32_get(ip->source) != OUR_ADDRESS)
        return false;
    make_udp(&frame, FAR_ADDRESS, 53, OUR_ADDRESS, be16_get(udp->source_port),
             "world", 5);
    inject(&frame);
    world_run_for(NS_PER_S);
    ip = inside_ip(0);
    return ip != NULL && be32_get(ip->source) == FAR_ADDRESS &&
           be32_get(ip->destination) == INSIDE_ADDRESS;
}

static void start_filter(void)
{
    router_world_with_rules(rules);
}

static void count_flow(void *context, const struct filter_flow_view *flow)
{
    (void)flow;
    (*(size_t *)context)++;
}

static void play_translate(struct failure_report *report)
{
    bool is_answered = false;
    bool is_refused = false;
    bool is_logged = false;

    for (int i = 0; i < TRIES && !report->is_whole; i++) {
        uint16_t port = (uint16_t)(4000 + i);
        forget_inside();
        forget_received();
        make_from_inside(port, 53);
        inject_inside(&frame);
        world_run_for(5 * NS_PER_S);
        is_answered = is_answered || answer_masqueraded();
        forget_inside();
        make_from_inside(port, 81);
        inject_inside(&frame);
        world_run_for(NS_PER_S);
        is_refused = is_refused || inside_ip(0) != NULL;
        forget_received();
        make_from_inside(port, 82);
        inject_inside(&frame);
        world_run_for(NS_PER_S);
        is_logged = is_logged || received_udp(0) != NULL;
        report->is_whole = is_answered && is_refused && is_logged;
    }
    if (!report->is_whole)
        failure_fault(report, "answered %d, refused %d, sent on %d",
                      is_answered, is_refused, is_logged);
    if (inserted == 0)
        failure_fault(report, "there was no flow");
    world_run_for(PATIENCE_S * NS_PER_S);
    size_t flows = 0;
    for (size_t at = 0; (at = filter_visit_flows(at, 1000, world_now(),
                                                 count_flow, &flows)) != 0;)
        ;
    if (flows != 0)
        failure_fault(report, "%zu flows are left", flows);
}

static void expect_all_right(void (*prepare)(void),
                             void (*play)(struct failure_report *),
                             uint64_t requests)
{
    const struct failure_scenario scenario = {prepare, play};
    struct failure_sums sums = failure_sweep(&scenario);

    cr_assert_eq(sums.fault[0], '\0', "%s", sums.fault);
    cr_assert_geq(sums.single, requests, "%lu requests only",
                  (unsigned long)sums.single);
    cr_assert_eq(sums.whole, sums.runs);
}

TestSuite(hostile, .timeout = 3600);

Test(hostile, S2_forwarding_while_memory_fails)
{
    expect_all_right(router_world, play_forward, 6);
}

Test(hostile, S2_translating_and_refusing_while_memory_fails)
{
    expect_all_right(start_filter, play_translate, 10);
}
