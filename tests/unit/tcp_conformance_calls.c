/* SPDX-License-Identifier: MIT */
/*
 * Requirements of RFC 9293 appendix B about opening, as far as no other test
 * shows them: addresses, and ports used twice.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/host/scene.h"

static struct scene scene;
static struct dialogue *const peer = &scene.peer;

static struct ip_address ipv4(uint32_t address)
{
    return ip_address_from_ipv4(be32_from(address));
}

static int open_to(uint32_t local, uint16_t local_port, uint32_t remote,
                   uint16_t remote_port)
{
    struct tcp_endpoint from = {.port = local_port};
    const struct tcp_endpoint to = {ipv4(remote), remote_port};

    if (local != 0)
        from.address = ipv4(local);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    int status = call->tcp_connect(&from, &to, NULL, &scene.connection,
                                   world_now(), &scene.connection);
    world_leave(scene.bench.stack);
    return status;
}

static uint32_t source_of_last_frame(void)
{
    const uint8_t *at = peer->remote->current->bytes + 26;

    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

/* covers: MUST-46 */
Test(tcp_conformance, connecting_to_many_or_nobody_is_refused)
{
    static const uint32_t bad[] = {0x0a0000ff, 0xffffffff, 0xe0000001,
                                   0xefffffff, 0};

    scene_listen(&scene, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_lt(open_to(0, 0, bad[i], 9), 0, "%08x", bad[i]);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
}

/* covers: MUST-43 MUST-45 */
Test(tcp_conformance, the_local_address_can_be_chosen)
{
    scene_listen(&scene, 0);
    cr_assert_eq(open_to(0x0a000001, 5000, 0x0a000002, 9), 0);
    peer->seq = 70000;
    cr_assert(dialogue_accept(peer));
    cr_assert_eq(peer->local_port, 5000);
    cr_assert_eq(scene_write(&scene, "text", 4, 0), 4);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(source_of_last_frame(), 0x0a000001);
}

/* covers: MUST-44 MUST-45 */
Test(tcp_conformance, else_the_route_chooses_it_and_it_stays)
{
    scene_listen(&scene, 0);
    cr_assert_eq(open_to(0, 0, 0x0a000002, 9), 0);
    cr_assert(dialogue_accept(peer));
    cr_assert_eq(source_of_last_frame(), 0x0a000001);
    cr_assert_eq(scene_write(&scene, "text", 4, 0), 4);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(source_of_last_frame(), 0x0a000001);
    scene_close(&scene);
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(source_of_last_frame(), 0x0a000001);
}

/* covers: MUST-41 */
Test(tcp_conformance, listening_again_does_not_touch_connections)
{
    const struct tcp_endpoint local = {.port = SCENE_PORT};
    struct tcp_listener *again;
    char bytes[8];

    scene_established(&scene, 0);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_listen(&local, 8, true, &again, &again),
                 -EADDRINUSE);
    call->tcp_listener_close(scene.listener);
    cr_assert_eq(
        call->tcp_listen(&local, 8, true, &scene.listener, &scene.listener), 0);
    world_leave(scene.bench.stack);
    scene_says(&scene, A | P, "text", 4);
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 4);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
}

/* covers: MUST-42 */
Test(tcp_conformance, one_may_listen_where_connections_are_being_opened)
{
    const struct tcp_endpoint local = {.port = 5000};
    struct tcp_listener *listener;

    scene_listen(&scene, 0);
    cr_assert_eq(open_to(0, 5000, 0x0a000002, 9), 0);
    cr_assert_eq(scene_state(&scene), TCP_SYN_SENT);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_listen(&local, 8, true, &listener, &listener), 0);
    world_leave(scene.bench.stack);
    /* Both go on: the one being opened, and a stranger at the listener. */
    struct dialogue stranger = *peer;
    cr_assert(dialogue_accept(peer));
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    stranger.local_port = 5000;
    stranger.port = 7777;
    cr_assert(dialogue_open(&stranger));
}
