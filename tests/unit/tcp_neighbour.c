/* SPDX-License-Identifier: MIT */
/*
 * TCP tells the neighbours' layer that its next hop answers (RFC 1122
 * 2.3.2.1, RFC 4861 7.3.1).
 */
#include <criterion/criterion.h>

#include "net/limits.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

static void peer_writes(void)
{
    char byte;
    scene_says(&scene, A | P, "x", 1);
    cr_assert_eq(scene_read(&scene, &byte, 1), 1);
    while (dialogue_take_within(peer, NS_PER_S / 10))
        peer->ack = peer->got.seq + (uint32_t)peer->got.payload_length;
}

Test(tcp_neighbour, a_peer_that_talks_is_never_asked_for)
{
    scene_established(&scene, 0);
    world_run_for(NS_PER_S);
    uint64_t before = scene.bench.remote->arp_requests;
    for (unsigned i = 0; i < 600; i++) {
        peer_writes();
        world_run_for(NS_PER_S);
    }
    cr_assert_eq(scene.bench.remote->arp_requests, before);
}

Test(tcp_neighbour, a_peer_that_only_repeats_itself_is_asked_for)
{
    scene_established(&scene, 0);
    world_run_for(NS_PER_S);
    uint64_t before = scene.bench.remote->arp_requests;
    for (unsigned i = 0; i < 100; i++) {
        /* Old text: answered, but no progress. */
        dialogue_send(peer, A, peer->seq - 10, peer->ack, "old", 3);
        world_run_for(NS_PER_S);
        remote_forget(scene.bench.remote);
    }
    cr_assert_gt(scene.bench.remote->arp_requests, before);
}
