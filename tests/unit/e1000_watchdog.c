/* SPDX-License-Identifier: MIT */
/*
 * The e1000 driver when things change or go wrong: link, hang, pulled out.
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

static uint8_t frame[1514];

static void kick(void)
{
    stack_netif()->operations->kick(stack_netif());
}

static bool works(struct fake_nic *nic)
{
    size_t sent = nic->sent_count;

    stack_free_frames();
    stack_make_frame(frame, 60, 1);
    if (fake_nic_receive(nic, frame, 60) != FAKE_STORED)
        return false;
    stack_run(nic);
    stack_send(1, 60);
    kick();
    return stack_got(0, frame, 60) && nic->sent_count == sent + 1;
}

static void hang(struct fake_nic *nic)
{
    fake_nic_set(nic, E1000_TCTL,
                 fake_nic_get(nic, E1000_TCTL) & ~E1000_TCTL_EN);
    stack_send(5, 60);
    kick();
}

Test(e1000_watchdog, a_hanging_transmitter_is_reset_within_five_seconds)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    stack_send(3, 60);
    kick();
    stack_poll(64);
    stack_tick(1);
    hang(nic);
    stack_tick(2);
    cr_assert_eq(stack_statistic("resets"), 0);
    stack_tick(3);
    cr_assert_eq(stack_statistic("resets"), 1);
    cr_assert_eq(stack_statistic("tx_timeout_count"), 1);
    cr_assert_eq(stack_statistic("tx_dropped_reset"), 5);
    cr_assert_eq(packet_count_free(), 2048);
    cr_assert(fake_log_has("the transmitter hangs: resetting"));
    cr_assert(fake_log_has("TDH"));
    cr_assert(works(nic));
}

Test(e1000_watchdog, a_stopped_stack_goes_on_after_the_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    hang(nic);
    stack_send(250, 60);
    cr_assert(stack_netif()->transmit_stopped);
    while (stack_statistic("resets") == 0)
        stack_tick(1);
    cr_assert_not(stack_netif()->transmit_stopped);
    cr_assert_eq(stack_interfaces[0].resumes, 1);
    cr_assert(works(nic));
}

Test(e1000_watchdog, a_reset_keeps_address_groups_and_buffers)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct ethernet_address group = {{1, 0, 0x5E, 0, 0, 1}};
    uint8_t own[6];

    nic->reset_clears = true;
    memcpy(own, stack_netif()->address.octet, 6);
    stack_netif()->operations->set_multicast(stack_netif(), &group, 1);
    hang(nic);
    stack_tick(5);
    cr_assert_arr_eq(stack_netif()->address.octet, own, 6);
    stack_make_frame(frame, 60, 0);
    memcpy(frame, group.octet, 6);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
    stack_run(nic);
    stack_free_frames();
    cr_assert_eq(buffer_count_free(), 2048 - 256);
}

Test(e1000_watchdog, after_a_reset_the_chip_is_told_its_checksum_context_again)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (int i = 0; i < 2; ++i) {
        struct packet *packet = stack_packet(100, 1);
        packet->checksum = PACKET_CHECKSUM_PARTIAL;
        packet->checksum_start = (uint16_t)(packet_headroom(packet) + 34);
        packet->checksum_offset = 16;
        stack_netif()->operations->transmit(stack_netif(), packet);
        kick();
        hang(nic);
        stack_tick(5);
    }
    cr_assert_eq(nic->contexts, 2);
}

Test(e1000_watchdog, frames_received_before_the_reset_leave_no_trace)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    stack_make_frame(frame, 60, 1);
    for (int i = 0; i < 100; ++i)
        cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
    hang(nic);
    stack_tick(5);
    cr_assert(works(nic));
    cr_assert_eq(stack_interfaces[0].frame_count, 1);
}

Test(e1000_watchdog, a_hang_on_every_attempt_is_met_again_and_again)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (int i = 0; i < 5; ++i) {
        hang(nic);
        stack_tick(5);
    }
    cr_assert_eq(stack_statistic("resets"), 5);
    cr_assert(works(nic));
}

Test(e1000_watchdog, a_receive_ring_out_of_step_is_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct e1000 *driver = stack_netif()->driver;

    for (int i = 0; i < 64; ++i)
        driver->rx.descriptors[i].status = E1000_RX_DD | E1000_RX_EOP;
    stack_poll(64);
    stack_make_frame(frame, 60, 1);
    for (int i = 0; i < 63; ++i)
        cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_HELD, "wedged");
    stack_run(nic);
    stack_tick(4);
    cr_assert_eq(stack_statistic("rx_timeout_count"), 1);
    cr_assert(fake_log_has("out of step: resetting the card"));
    cr_assert(works(nic));
}

Test(e1000_watchdog, a_receive_ring_in_step_is_never_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (int i = 0; i < 600; ++i) {
        stack_make_frame(frame, 60, 1);
        cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
        stack_tick(i % 5 == 0);
        stack_run(nic);
        stack_free_frames();
        stack_tick(1);
    }
    cr_assert_eq(stack_statistic("resets"), 0);
}

/* The chip has a frame that it has not written yet, at each look another. */
Test(e1000_watchdog, a_receive_ring_that_moves_is_not_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct e1000 *driver = stack_netif()->driver;

    stack_make_frame(frame, 60, 1);
    for (int i = 0; i < 20; ++i) {
        cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
        stack_run(nic);
        stack_free_frames();
        uint32_t head = fake_nic_get(nic, E1000_RDH);
        fake_nic_set(nic, E1000_RDH, (head + 1) % driver->rx.size);
        stack_tick(1);
        fake_nic_set(nic, E1000_RDH, head);
    }
    cr_assert_eq(stack_statistic("resets"), 0);
}

Test(e1000_watchdog, an_idle_or_busy_transmitter_is_not_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    stack_tick(10);
    nic->holds_transmit = true;
    for (int i = 0; i < 10; ++i) {
        stack_send(2, 60);
        kick();
        fake_nic_send(nic, 1);
        stack_tick(1);
    }
    cr_assert_eq(stack_statistic("resets"), 0);
}

Test(e1000_watchdog, what_went_before_a_silence_is_freed_and_is_no_hang)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    size_t packets = packet_count_free();

    stack_send(10, 60);
    kick();
    cr_assert_eq(nic->sent_count, 10);
    stack_tick(1);
    cr_assert_eq(packet_count_free(), packets);
    stack_tick(10);
    cr_assert_eq(stack_statistic("resets"), 0);
}

Test(e1000_watchdog, a_transmitter_paused_by_its_neighbour_is_not_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->holds_transmit = true;
    fake_nic_set(nic, E1000_STATUS,
                 fake_nic_get(nic, E1000_STATUS) | E1000_STATUS_TXOFF);
    stack_send(1, 60);
    kick();
    stack_tick(10);
    cr_assert_eq(stack_statistic("resets"), 0);
}

Test(e1000_watchdog, without_a_link_nothing_is_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->holds_transmit = true;
    stack_send(1, 60);
    kick();
    fake_nic_link(nic, false);
    stack_run(nic);
    stack_tick(10);
    cr_assert_eq(stack_statistic("resets"), 0);
}

Test(e1000_watchdog, a_card_that_was_pulled_out_is_left_alone)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    size_t writes;

    stack_send(5, 60);
    nic->is_gone = true;
    nic->device->is_gone = true;
    kick();
    stack_tick(1);
    cr_assert(fake_log_has("eth0: the card is gone"));
    cr_assert_not(stack_netif()->link_up);
    cr_assert_eq(packet_count_free(), 2048);
    cr_assert_eq(buffer_count_free(), 2048);
    writes = nic->write_count;
    cr_assert_not(fake_nic_interrupt_by_neighbour(nic));
    stack_send(1, 60);
    kick();
    cr_assert_eq(stack_poll(64), 0);
    stack_tick(5);
    cr_assert_eq(nic->write_count, writes);
    cr_assert_eq(packet_count_free(), 2048);
    cr_assert_eq(stack_statistic("tx_dropped_link"), 1);
}

Test(e1000_watchdog, the_other_card_goes_on_when_one_is_pulled_out)
{
    struct fake_nic *first = fake_nic_add(0x100E);
    struct fake_nic *second = fake_nic_add(0x100E);

    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 2);
    cr_assert_eq(e1000_start_all(), 2);
    second->is_gone = true;
    second->device->is_gone = true;
    stack_tick(2);
    cr_assert(works(first));
    cr_assert_not(stack_interfaces[1].netif->link_up);
}

Test(e1000_watchdog, a_card_that_lost_the_bus_is_reset)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->device->command = PCI_COMMAND_MEMORY;
    stack_tick(1);
    cr_assert(fake_log_has("bus mastering was switched off"));
    cr_assert_eq(stack_statistic("resets"), 1);
    cr_assert(works(nic));
}

Test(e1000_watchdog, a_card_that_does_not_come_back_is_given_up)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->reset_hangs = true;
    hang(nic);
    stack_tick(5);
    cr_assert(fake_log_has("does not come back from reset"));
    cr_assert_not(stack_netif()->link_up);
    stack_tick(5);
    cr_assert_eq(stack_statistic("resets"), 1);
    cr_assert_eq(nic->device->command, PCI_COMMAND_MEMORY);
    cr_assert_eq(packet_count_free(), 2048);
    cr_assert_eq(buffer_count_free(), 2048);
}

/* It may still read what it was told to send, and write where it was told that
 * there is room. */
Test(e1000_watchdog, a_card_that_stays_on_the_bus_keeps_what_it_was_given)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    size_t buffers = buffer_count_free();

    nic->reset_hangs = true;
    nic->device->keeps_bus = true;
    hang(nic);
    stack_tick(10);
    cr_assert_not(stack_netif()->link_up);
    cr_assert_eq(packet_count_free(), 2048 - 5);
    cr_assert_eq(buffer_count_free(), buffers - 5);
    stack_send(1, 60);
    kick();
    cr_assert_eq(packet_count_free(), 2048 - 5);
}

Test(e1000_watchdog, a_link_change_is_told_once_by_interrupt)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_eq(stack_interfaces[0].link_changes, 1);
    for (int i = 0; i < 100; ++i) {
        fake_nic_link(nic, i % 2 != 0);
        stack_run(nic);
        stack_run(nic);
        cr_assert_eq(stack_netif()->link_up, i % 2 != 0);
    }
    cr_assert_eq(stack_interfaces[0].link_changes, 101);
    cr_assert_eq(stack_statistic("interrupts_link"), 100);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RCTL), 1);
    cr_assert(works(nic));
}

Test(e1000_watchdog, a_link_change_without_interrupt_is_seen_by_the_tick)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    fake_nic_link(nic, false);
    stack_tick(1);
    cr_assert_not(stack_netif()->link_up);
}

Test(e1000_watchdog, speed_and_duplex_follow_the_link)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    fake_nic_link(nic, false);
    stack_run(nic);
    fake_nic_set(nic, E1000_STATUS, 0x80080742); /* 100 Mbit/s, half */
    fake_nic_link(nic, true);
    stack_run(nic);
    cr_assert_eq(stack_netif()->link_speed, 100);
    cr_assert_eq(fake_nic_get(nic, E1000_TCTL) & E1000_TCTL_COLD,
                 E1000_TCTL_COLD_HD);
}

/* Down and up again before anybody looked: the chip shows a link as before,
 * but it is another one. */
Test(e1000_watchdog, a_link_that_changed_while_nobody_looked_is_adapted_to)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    fake_nic_set(nic, E1000_STATUS, 0x80080742); /* 100 Mbit/s, half */
    fake_nic_link(nic, true);
    stack_run(nic);
    cr_assert_eq(stack_netif()->link_speed, 100);
    cr_assert_eq(fake_nic_get(nic, E1000_TCTL) & E1000_TCTL_COLD,
                 E1000_TCTL_COLD_HD);
    cr_assert(stack_netif()->link_up);
    cr_assert_eq(stack_interfaces[0].link_changes, 1);
}

Test(e1000_watchdog, a_reset_keeps_duplex_and_pause_of_the_link)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    nic->phy[E1000_PHY_PARTNER] = E1000_PHY_PAUSE;
    stack_init(2048);
    e1000_probe_all();
    e1000_start_all();
    cr_assert(fake_nic_get(nic, E1000_CTRL) & E1000_CTRL_TFCE);
    hang(nic);
    stack_tick(5);
    cr_assert_eq(stack_statistic("resets"), 1);
    cr_assert(fake_nic_get(nic, E1000_CTRL) & E1000_CTRL_TFCE);
    fake_nic_set(nic, E1000_STATUS, 0x80080742); /* 100 Mbit/s, half */
    stack_tick(1);
    hang(nic);
    stack_tick(5);
    cr_assert_eq(stack_statistic("resets"), 2);
    cr_assert_eq(fake_nic_get(nic, E1000_TCTL) & E1000_TCTL_COLD,
                 E1000_TCTL_COLD_HD);
}

/* 9/10 of the receive memory, but room for a frame above; 8 bytes less. The
 * address and type of PAUSE [802.3 31B], the longest time it can ask for. */
Test(e1000_watchdog, flow_control_thresholds_follow_the_receive_memory)
{
    static const struct {
        uint32_t kib, high;
    } cases[] = {{48, 44232}, {40, 36864}, {20, 18432}, {8, 6664}};

    struct fake_nic *nics[ARRAY_COUNT(cases)];

    for (size_t i = 0; i < ARRAY_COUNT(cases); ++i) {
        nics[i] = fake_nic_add(0x10D3);
        fake_nic_set(nics[i], E1000_PBA, 0x00100000 | cases[i].kib);
    }
    cr_assert_eq(e1000_probe_all(), ARRAY_COUNT(cases));
    for (size_t i = 0; i < ARRAY_COUNT(cases); ++i) {
        const struct fake_nic *nic = nics[i];

        cr_assert_eq(fake_nic_get(nic, E1000_FCRTH), cases[i].high);
        cr_assert_eq(fake_nic_get(nic, E1000_FCRTL),
                     (cases[i].high - 8) | E1000_FCRTL_XONE);
        cr_assert_eq(fake_nic_get(nic, E1000_FCAL), 0x00C28001);
        cr_assert_eq(fake_nic_get(nic, E1000_FCAH), 0x0100);
        cr_assert_eq(fake_nic_get(nic, E1000_FCT), 0x8808);
        cr_assert_eq(fake_nic_get(nic, E1000_FCTTV), 0xFFFF);
    }
}

struct pause {
    uint16_t local;
    uint16_t partner;
    uint32_t expected;
};

Test(e1000_watchdog, pause_is_used_as_both_ends_agreed)
{
    const uint16_t symmetric = E1000_PHY_PAUSE;
    const uint16_t asymmetric = E1000_PHY_PAUSE_ASYMMETRIC;
    const uint16_t both = E1000_PHY_PAUSE | E1000_PHY_PAUSE_ASYMMETRIC;
    const struct pause cases[] = {
        {symmetric, symmetric, E1000_CTRL_RFCE | E1000_CTRL_TFCE},
        {both, symmetric, E1000_CTRL_RFCE | E1000_CTRL_TFCE},
        {both, asymmetric, E1000_CTRL_RFCE},
        {asymmetric, both, E1000_CTRL_TFCE},
        {asymmetric, asymmetric, 0},
        {symmetric, asymmetric, 0},
        {both, 0, 0},
        {0, both, 0},
    };
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t i = 0; i < ARRAY_COUNT(cases); ++i) {
        fake_nic_link(nic, false);
        stack_run(nic);
        nic->phy[E1000_PHY_ADVERTISED] = cases[i].local;
        nic->phy[E1000_PHY_PARTNER] = cases[i].partner;
        fake_nic_link(nic, true);
        stack_run(nic);
        cr_expect_eq(fake_nic_get(nic, E1000_CTRL) &
                         (E1000_CTRL_RFCE | E1000_CTRL_TFCE),
                     cases[i].expected, "case %zu", i);
    }
}

Test(e1000_watchdog, statistics_are_logged_when_they_change)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("statistics", "1"), 0);
    nic = stack_start_one(0x100E);
    fake_nic_set(nic, 0x40AC, 3);
    stack_tick(1);
    cr_assert(fake_log_has("eth0: rx_long_length_errors=3"));
    fake_kernel.log_length = 0;
    memset(fake_kernel.log, 0, sizeof(fake_kernel.log));
    stack_tick(1);
    cr_assert_not(fake_log_has("rx_long_length_errors"));
}
