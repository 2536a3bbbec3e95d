/* SPDX-License-Identifier: MIT */
/*
 * The transmit ring of the e1000 driver.
 */
/* test-flags: -iquote tests/unit/fake_kernel */
/* test-flags: -Wl,--wrap=netif_register,--wrap=netif_schedule */
/* test-flags: -Wl,--wrap=netif_receive,--wrap=netif_transmit_resume */
/* test-flags: -Wl,--wrap=netif_link_changed,--wrap=platform_memory_untouched */
/* test-links: drivers/e1000/e1000.c drivers/e1000/hardware.c */
/* test-links: drivers/e1000/link.c drivers/e1000/options.c */
/* test-links: drivers/e1000/receive.c drivers/e1000/statistics.c */
/* test-links: drivers/e1000/transmit.c drivers/e1000/watchdog.c */
/* test-links: tests/unit/support_kernel_fake.c */
/* test-links: tests/unit/support_e1000_nic.c tests/unit/support_e1000_cut.c */
/* test-links: tests/unit/support_e1000_stack.c */

#include "drivers/e1000/device.h"
#include "drivers/e1000/e1000.h"
#include "tests/unit/support_e1000_stack.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t frame[2048];

static void transmit(struct packet *packet)
{
    stack_netif()->operations->transmit(stack_netif(), packet);
}

static void kick(void)
{
    stack_netif()->operations->kick(stack_netif());
}

static bool was_sent(const struct fake_nic *nic, size_t n, const void *bytes,
                     size_t length)
{
    return n < nic->sent_count && nic->sent[n].length == length &&
           memcmp(nic->sent[n].bytes, bytes, length) == 0;
}

Test(e1000_transmit, frames_of_every_length_leave_bit_exact)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t length = 60; length <= 1514; ++length) {
        nic->sent_count = 0;
        transmit(stack_packet(length, (uint8_t)length));
        kick();
        stack_make_frame(frame, length, (uint8_t)length);
        cr_assert(was_sent(nic, 0, frame, length), "%zu bytes", length);
        stack_poll(64);
    }
    cr_assert_eq(packet_count_free(), 2048);
}

Test(e1000_transmit, nothing_is_told_before_the_kick)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    size_t before = fake_nic_count_writes(nic, E1000_TDT);

    stack_send(50, 100);
    cr_assert_eq(nic->sent_count, 0);
    kick();
    cr_assert_eq(nic->sent_count, 50);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_TDT) - before, 1);
    kick();
    cr_assert_eq(fake_nic_count_writes(nic, E1000_TDT) - before, 1);
    cr_assert_eq(stack_statistic("tx_doorbells"), 1);
}

Test(e1000_transmit, a_burst_reports_each_sixteen_and_at_its_end)
{
    stack_start_one(0x100E);
    stack_send(40, 100);
    kick();
    cr_assert_eq(stack_statistic("tx_reports"), 3);
    stack_send(1, 100);
    kick();
    cr_assert_eq(stack_statistic("tx_reports"), 4);
}

Test(e1000_transmit, a_burst_that_ends_on_a_report_does_not_report_twice)
{
    stack_start_one(0x100E);
    stack_send(16, 100);
    kick();
    cr_assert_eq(stack_statistic("tx_reports"), 1);
}

Test(e1000_transmit, a_short_frame_is_padded_with_zeros)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t length = 14; length < 60; ++length) {
        struct packet *packet = stack_packet(200, 0xEE);
        packet_trim(packet, length);
        transmit(packet);
    }
    kick();
    cr_assert_eq(nic->sent_count, 46);
    for (size_t i = 0; i < 46; ++i) {
        memset(frame, 0, 60);
        stack_make_frame(frame, 14 + i, 0xEE);
        cr_assert(was_sent(nic, i, frame, 60), "%zu bytes", 14 + i);
        cr_assert_eq(nic->sent[i].descriptors, 1);
    }
}

Test(e1000_transmit, a_short_frame_in_pieces_is_padded_with_zeros)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct packet *packet = stack_packet(40, 1);

    packet_add_fragment(packet, (const uint8_t *)"abcde", 5, LOAN_NONE);
    transmit(packet);
    kick();
    memset(frame, 0, 60);
    stack_make_frame(frame, 40, 1);
    memcpy(frame + 40, "abcde", 5);
    cr_assert(was_sent(nic, 0, frame, 60));
}

Test(e1000_transmit, pieces_are_gathered_by_the_chip)
{
    static uint8_t body[PACKET_FRAGMENTS_MAX * 40];
    struct fake_nic *nic = stack_start_one(0x100E);
    struct packet *packet = stack_packet(54, 1);

    for (size_t i = 0; i < sizeof(body); ++i)
        body[i] = (uint8_t)(i * 3);
    for (size_t i = 0; i < PACKET_FRAGMENTS_MAX; ++i)
        packet_add_fragment(packet, body + i * 40, 40, LOAN_NONE);
    transmit(packet);
    kick();
    stack_make_frame(frame, 54, 1);
    memcpy(frame + 54, body, sizeof(body));
    cr_assert(was_sent(nic, 0, frame, 54 + sizeof(body)));
    cr_assert_eq(nic->sent[0].descriptors, 1 + PACKET_FRAGMENTS_MAX);
}

Test(e1000_transmit, a_tag_is_inserted_by_the_chip)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct packet *packet = stack_packet(60, 1);

    packet->has_vlan_tag = true;
    packet->vlan_tag = 0x6005;
    transmit(packet);
    transmit(stack_packet(60, 2));
    kick();
    cr_assert(nic->sent[0].has_tag);
    cr_assert_eq(nic->sent[0].tag, 0x6005);
    cr_assert_not(nic->sent[1].has_tag);
}

static struct packet *unfinished(size_t length, uint8_t seed)
{
    struct packet *packet = stack_packet(length, seed);

    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = (uint16_t)(packet_headroom(packet) + 34);
    packet->checksum_offset = 16;
    return packet;
}

Test(e1000_transmit, an_unfinished_checksum_is_finished_by_the_chip)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (uint8_t i = 0; i < 20; ++i) {
        struct packet *expected = unfinished(101 + i, i);
        packet_finish_checksum(expected);
        transmit(unfinished(101 + i, i));
        kick();
        cr_assert(was_sent(nic, i, expected->data, expected->length));
        packet_free(expected);
    }
}

Test(e1000_transmit, a_short_frame_is_summed_by_the_driver)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct packet *expected = unfinished(54, 3);

    packet_finish_checksum(expected);
    memset(frame, 0, sizeof(frame));
    memcpy(frame, expected->data, 54);
    transmit(unfinished(54, 3));
    kick();
    cr_assert(was_sent(nic, 0, frame, 60));
    cr_assert_eq(nic->contexts, 0);
    packet_free(expected);
}

Test(e1000_transmit, equal_frames_share_one_checksum_context)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct packet *other = unfinished(100, 1);

    for (uint8_t i = 0; i < 5; ++i)
        transmit(unfinished(100, i));
    transmit(stack_packet(100, 1));
    transmit(unfinished(100, 1));
    kick();
    cr_assert_eq(nic->contexts, 1);
    other->checksum_offset = 6;
    transmit(other);
    kick();
    cr_assert_eq(nic->contexts, 2);
}

Test(e1000_transmit, a_finished_frame_is_freed_at_the_next_poll)
{
    stack_start_one(0x100E);
    stack_send(5, 100);
    kick();
    cr_assert_eq(packet_count_free(), 2043);
    stack_poll(64);
    cr_assert_eq(packet_count_free(), 2048);
}

Test(e1000_transmit, the_first_frame_of_a_ring_is_reported_too)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (int i = 0; i < 2; ++i) {
        stack_send(1, 60);
        kick();
        cr_assert_eq(packet_count_free(), 2047);
        stack_poll(64);
        cr_assert_eq(packet_count_free(), 2048);
        nic->device->command = 0;
        stack_tick(1); /* a reset: another ring, in the same memory */
    }
    cr_assert_eq(nic->sent_count, 2);
}

Test(e1000_transmit, a_frame_under_way_is_not_freed)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->holds_transmit = true;
    stack_send(5, 100);
    kick();
    stack_poll(64);
    cr_assert_eq(packet_count_free(), 2043);
    fake_nic_send(nic, 3);
    stack_poll(64);
    cr_assert_eq(packet_count_free(), 2043, "nothing was reported yet");
    fake_nic_send(nic, 2);
    stack_poll(64);
    cr_assert_eq(packet_count_free(), 2048);
}

Test(e1000_transmit, a_synchronous_chip_takes_any_burst_without_stopping)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    stack_send(1500, 60);
    kick();
    cr_assert_eq(nic->sent_count, 1500);
    cr_assert_eq(stack_statistic("tx_stop_queue"), 0);
    cr_assert_eq(stack_statistic("tx_dropped_full"), 0);
}

/* The stack holds back frames as netif.c does. */
static uint8_t next_seed;
static size_t left_to_send;

static void send_more(struct netif *netif)
{
    while (left_to_send > 0 && !netif->transmit_stopped) {
        --left_to_send;
        transmit(stack_packet(60, next_seed++));
    }
}

Test(e1000_transmit, a_full_ring_stops_the_stack_and_wakes_it_in_order)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->holds_transmit = true;
    stack_interfaces[0].on_resume = send_more;
    left_to_send = 2560;
    send_more(stack_netif());
    cr_assert(stack_netif()->transmit_stopped);
    cr_assert_gt(left_to_send, 2000);
    for (int i = 0; i < 2560 && nic->sent_count < 2560; ++i) {
        fake_nic_send(nic, 7);
        stack_run(nic);
    }
    cr_assert_eq(nic->sent_count, 2560);
    for (size_t i = 0; i < 2560; ++i) {
        stack_make_frame(frame, 60, (uint8_t)i);
        cr_assert(was_sent(nic, i, frame, 60), "frame %zu", i);
    }
    cr_assert_eq(stack_statistic("tx_dropped_full"), 0);
    cr_assert_gt(stack_statistic("tx_restart_queue"), 10);
    stack_poll(64);
    cr_assert_eq(packet_count_free(), 2048);
}

Test(e1000_transmit, a_finished_frame_interrupts_only_while_the_ring_is_full)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    stack_send(1, 60);
    kick();
    cr_assert_not(fake_nic_interrupt(nic));
    nic->holds_transmit = true;
    left_to_send = 300;
    send_more(stack_netif());
    cr_assert(stack_netif()->transmit_stopped);
    cr_assert_neq(fake_nic_get(nic, E1000_IMS) & E1000_CAUSE_TXDW, 0);
    fake_nic_send(nic, 256);
    stack_run(nic);
    cr_assert_not(stack_netif()->transmit_stopped);
    cr_assert_eq(fake_nic_get(nic, E1000_IMS) & E1000_CAUSE_TXDW, 0);
}

Test(e1000_transmit, a_frame_too_many_is_dropped_and_counted)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->holds_transmit = true;
    stack_send(300, 60);
    cr_assert_gt(stack_statistic("tx_dropped_full"), 0);
    cr_assert_eq(
        stack_statistic("tx_dropped_full") + stack_statistic("tx_frames"), 300);
    cr_assert_eq(drop_count(DROP_TRANSMIT_FULL),
                 stack_statistic("tx_dropped_full"));
}

Test(e1000_transmit, without_a_link_frames_are_dropped_and_counted)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    fake_nic_link(nic, false);
    stack_run(nic);
    stack_send(3, 60);
    cr_assert_eq(stack_statistic("tx_dropped_link"), 3);
    cr_assert_eq(packet_count_free(), 2048);
    fake_nic_link(nic, true);
    stack_run(nic);
    stack_send(1, 60);
    kick();
    cr_assert_eq(nic->sent_count, 1);
}

Test(e1000_transmit, the_numbers_may_wrap)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct e1000 *driver = stack_netif()->driver;
    struct e1000_tx_ring *ring = &driver->tx;

    ring->produced = 0u - 256u;
    ring->consumed = ring->produced;
    ring->rung = ring->produced;
    ring->report_produced = 0u - 2u;
    ring->report_consumed = 0u - 2u;
    for (size_t i = 0; i < 600; ++i) {
        transmit(stack_packet(60, (uint8_t)i));
        kick();
        stack_poll(64);
        stack_make_frame(frame, 60, (uint8_t)i);
        cr_assert(was_sent(nic, i, frame, 60));
    }
    cr_assert_eq(packet_count_free(), 2048);
}
