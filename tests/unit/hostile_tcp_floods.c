/* SPDX-License-Identifier: MIT */
/*
 * What floods may cost: chains of the connection table, answers to one batch,
 * and objects that end together. The full size is `make floods`.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "net/ip/flow.h"
#include "net/limits.h"
#include "net/tcp/table.h"
#include "tests/host/scene.h"

enum {
    NODES = 1 << 16,
};

static struct scene scene;

#define peer (&scene.peer)

static size_t longest_chain(struct be32 (*remote)(uint32_t),
                            uint16_t (*port)(uint32_t))
{
    struct tcp_node *nodes = calloc(NODES, sizeof(*nodes));

    world_start(7);
    (void)world_stack_add("a", 16 << 20);
    cr_assert_eq(table_init(NODES), 0);
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i].tuple = (struct tcp_tuple){
            .local = ip_address_from_ipv4(be32_from(0x0a000001)),
            .remote = ip_address_from_ipv4(remote(i)),
            .local_port = 80,
            .remote_port = port(i),
        };
        table_insert(&nodes[i]);
    }
    size_t longest = table_chain_longest();
    free(nodes);
    return longest;
}

static struct be32 one_host(uint32_t i)
{
    (void)i;
    return be32_from(0x0a000002);
}

static uint16_t every_port(uint32_t i)
{
    return (uint16_t)i;
}

static struct be32 equal_low_bits(uint32_t i)
{
    return be32_from(i << 16);
}

static uint16_t one_port(uint32_t i)
{
    (void)i;
    return 1024;
}

/* Source and port chosen so that their sum, and their exclusive or with the
 * other, stay the same: what defeats hashes without a key. */
static struct be32 counting(uint32_t i)
{
    return be32_from(0x0a000000 + i);
}

static uint16_t counting_back(uint32_t i)
{
    return (uint16_t)(NODES - 1 - i);
}

Test(hostile, S1_chains_stay_short_whatever_tuples_are_chosen)
{
    cr_expect_leq(longest_chain(one_host, every_port), 8);
    cr_expect_leq(longest_chain(equal_low_bits, one_port), 8);
    cr_expect_leq(longest_chain(counting, counting_back), 8);
}

/* Tuples that collide for somebody who knows the key, which is not this one. */
Test(hostile, S1_chains_stay_short_whoever_knows_another_key)
{
    enum { COUNT = 16 };
    static const struct hash_key known = {{0, 0}};
    static struct tcp_node nodes[COUNT];
    uint32_t found = 0;

    world_start(7);
    (void)world_stack_add("a", 16 << 20);
    cr_assert_eq(table_init(NODES), 0);
    for (uint32_t i = 0; found < COUNT; i++) {
        struct tcp_tuple tuple = {
            .local = ip_address_from_ipv4(be32_from(0x0a000001)),
            .remote = ip_address_from_ipv4(counting(i)),
            .local_port = 80,
            .remote_port = 1024,
        };
        uint64_t hash = ip_flow_hash(&known, &tuple.local, tuple.local_port,
                                     &tuple.remote, tuple.remote_port);

        if (hash % NODES != 0)
            continue;
        nodes[found].tuple = tuple;
        table_insert(&nodes[found++]);
    }
    cr_assert_leq(table_chain_longest(), 2);
}

/* Chains and what stands beside them, against a plain list. */
Test(tcp_table, finds_what_is_in_it_and_nothing_else)
{
    enum { COUNT = 4096, STEPS = 200000 };
    struct tcp_node *nodes = calloc(COUNT, sizeof(*nodes));
    bool *is_in = calloc(COUNT, sizeof(*is_in));
    uint64_t state = 1;

    world_start(7);
    (void)world_stack_add("a", 16 << 20);
    cr_assert_eq(table_init(COUNT / 4), 0);
    for (uint32_t i = 0; i < COUNT; i++)
        nodes[i].tuple = (struct tcp_tuple){
            .local = ip_address_from_ipv4(be32_from(0x0a000001)),
            .remote = ip_address_from_ipv4(counting(i / 3)),
            .local_port = 80,
            .remote_port = (uint16_t)(i % 3),
        };
    for (size_t step = 0; step < STEPS; step++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t i = (uint32_t)(state >> 40) % COUNT;
        struct tcp_node *found = table_find(&nodes[i].tuple);
        cr_assert_eq(found, is_in[i] ? &nodes[i] : NULL, "step %zu", step);
        if (!is_in[i])
            table_insert(&nodes[i]);
        else if (state >> 63 != 0)
            table_remove(&nodes[i]);
        else
            table_remove_from(table_prefetch(&nodes[i]), &nodes[i]);
        is_in[i] = !is_in[i];
    }
    free(nodes);
    free(is_in);
}

Test(hostile, T14_every_syn_of_a_full_batch_is_answered)
{
    scene_listen(&scene, SCENE_TIMESTAMPS);
    cr_assert_eq(scene.bench.stack->call->net_set("ipv4.tcp_syncookies", "2"),
                 0);
    for (uint16_t i = 0; i < NETIF_POLL_BUDGET; i++) {
        peer->port = (uint16_t)(2000 + i);
        dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    }
    world_run_for(NS_PER_US);
    cr_assert_eq(scene_counter("tcp_syncookies_sent_total"), NETIF_POLL_BUDGET);
    cr_assert_eq(scene_counter("tcp_replies_dropped_total"), 0);
}

Test(hostile, S2_a_syn_with_no_way_back_is_dropped_in_cookie_mode)
{
    scene_listen(&scene, 0);
    cr_assert_eq(scene.bench.stack->call->net_set("ipv4.tcp_syncookies", "2"),
                 0);
    size_t packets = packet_count_free();
    scene.bench.remote->address = 0xc0000001;
    dialogue_send(peer, S, 1, 0, NULL, 0);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(packet_count_free(), packets);
}

/* They end within the same tick, but not all in one run. */
Test(hostile, S3_time_waits_that_end_together_end_in_pieces)
{
    enum { COUNT = 2 * TCP_TIME_WAITS_PER_RUN };

    scene_listen(&scene, 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        peer->port = (uint16_t)(1024 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer), "connection %u", i);
        const struct stack_functions *call = world_enter(scene.bench.stack);
        struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
        call->tcp_close(c, world_now());
        world_leave(scene.bench.stack);
        cr_assert(dialogue_take(peer));
        peer->ack++;
        scene_says(&scene, F | A, NULL, 0);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    const struct stack_functions *call = scene.bench.stack->call;
    uint64_t before = scene_counter("tcp_connections{state=\"time-wait\"}");
    cr_assert_gt(before, TCP_TIME_WAITS_PER_RUN);
    call->net_timer_softirq(world_now() + 2 * TCP_TIME_WAIT_NS);
    cr_assert_geq(scene_counter("tcp_connections{state=\"time-wait\"}") +
                      TCP_TIME_WAITS_PER_RUN,
                  before);
    world_run_for(3 * TCP_TIME_WAIT_NS);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 0);
}
