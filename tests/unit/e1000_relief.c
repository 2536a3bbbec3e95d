/* SPDX-License-Identifier: MIT */
/*
 * What the card takes off the stack's hands when it receives: checksums, and
 * interrupts that are not worth their while.
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

static enum packet_checksum said_by_the_chip(struct fake_nic *nic,
                                             uint8_t status, uint8_t errors)
{
    struct packet *packet;
    enum packet_checksum checksum;

    fake_nic_write_back(nic, 60, E1000_RX_DD | E1000_RX_EOP | status, errors);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 1);
    packet = stack_interfaces[0].frames[0];
    checksum = packet->checksum;
    stack_free_frames();
    return checksum;
}

Test(e1000_relief, a_checksum_that_an_82574L_found_right_is_believed)
{
    struct fake_nic *nic = stack_start_one(0x10D3);

    cr_assert_eq(fake_nic_get(nic, E1000_RXCSUM), 0x300);
    cr_assert_eq(said_by_the_chip(nic, E1000_RX_TCPCS, 0),
                 PACKET_CHECKSUM_VERIFIED);
    cr_assert_eq(said_by_the_chip(nic, 0, 0), PACKET_CHECKSUM_NONE);
    cr_assert_eq(said_by_the_chip(nic, E1000_RX_TCPCS | E1000_RX_IXSM, 0),
                 PACKET_CHECKSUM_NONE, "IXSM: the other bits mean nothing");
    cr_assert_eq(said_by_the_chip(nic, E1000_RX_TCPCS, E1000_RX_TCPE),
                 PACKET_CHECKSUM_NONE, "wrong: the stack looks and counts");
    cr_assert_eq(stack_statistic("rx_csum_offload_good"), 1);
}

Test(e1000_relief, checksums_are_the_stack_s_where_the_chip_is_not_asked)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_eq(fake_nic_get(nic, E1000_RXCSUM), 0);
    cr_assert_eq(said_by_the_chip(nic, E1000_RX_TCPCS, 0),
                 PACKET_CHECKSUM_NONE);
}

Test(e1000_relief, receive_checksums_can_be_switched_off)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("rx_checksum", "0"), 0);
    nic = stack_start_one(0x10D3);
    cr_assert_eq(fake_nic_get(nic, E1000_RXCSUM), 0);
    cr_assert_eq(said_by_the_chip(nic, E1000_RX_TCPCS, 0),
                 PACKET_CHECKSUM_NONE);
}

/* So many polls, each of one frame, `gap_ns` apart. */
static void frames(struct fake_nic *nic, int count, size_t length,
                   uint64_t gap_ns)
{
    static uint8_t frame[1514];

    stack_make_frame(frame, length, 1);
    for (int i = 0; i < count; ++i) {
        fake_kernel.now_ns += gap_ns;
        cr_assert_eq(fake_nic_receive(nic, frame, length), FAKE_STORED);
        stack_run(nic);
        stack_free_frames();
    }
}

Test(e1000_relief, a_frame_whose_interrupt_is_held_back_is_found_by_looking)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_not(fake_kernel.idle_look());
    fake_nic_write_back(nic, 60, E1000_RX_DD | E1000_RX_EOP, 0);
    cr_assert(fake_kernel.idle_look());
    cr_assert(stack_netif()->poll_scheduled);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 1);
    cr_assert_not(fake_kernel.idle_look());
    stack_free_frames();
}

/* It was on its way already, and would be counted among nobody's: ten thousand
 * of these in ten seconds, which one quick connection makes, and the kernel
 * takes the line for broken and looks at the card once a millisecond. */
Test(e1000_relief, the_interrupt_behind_a_look_is_no_stray)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    const struct fake_device *card = &fake_kernel.devices[0];

    for (int i = 0; i < 3; ++i) {
        fake_nic_write_back(nic, 60, E1000_RX_DD | E1000_RX_EOP, 0);
        cr_assert(fake_kernel.idle_look());
        cr_assert(card->handler(card->handler_context));
        cr_assert_not(card->handler(card->handler_context), "once is enough");
        stack_run(nic);
        stack_free_frames();
        cr_assert_not(card->handler(card->handler_context));
    }
}

Test(e1000_relief, nobody_looks_when_that_is_not_wanted)
{
    cr_assert_eq(e1000_set_option("look", "0"), 0);
    stack_start_one(0x100E);
    cr_assert_null(fake_kernel.idle_look);
}

Test(e1000_relief, interrupts_come_at_once_while_little_moves)
{
    struct fake_nic *nic = stack_start_one(0x10D3);

    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 0);
    /* 30,000 questions a second, and 13 MB/s of large frames. */
    frames(nic, 3000, 100, 33000);
    frames(nic, 3000, 1514, 120000);
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 0);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_ITR), 1);
}

Test(e1000_relief, a_transfer_leaves_a_gap_between_interrupts_while_it_lasts)
{
    struct fake_nic *nic = stack_start_one(0x10D3);

    frames(nic, 64, 1514, 20000); /* 76 MB/s */
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 195);
    frames(nic, 64, 1514, 50000); /* 30: as it was */
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 195);
    frames(nic, 64, 1514, 100000); /* 15 */
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 0);
    frames(nic, 64, 1514, 50000);
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 0);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_ITR), 3);
}

Test(e1000_relief, a_transfer_that_ends_at_once_is_forgotten_in_a_second)
{
    struct fake_nic *nic = stack_start_one(0x10D3);

    frames(nic, 64, 1514, 20000);
    fake_kernel.now_ns += UINT64_C(1000000000);
    stack_tick(1);
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 0);
}

Test(e1000_relief, what_is_sent_counts_as_well)
{
    struct fake_nic *nic = stack_start_one(0x10D3);

    for (int i = 0; i < 64; ++i) {
        stack_send(4, 1514);
        frames(nic, 1, 60, 50000);
    }
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 195);
}

Test(e1000_relief, a_gap_that_was_asked_for_is_kept)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("itr", "0"), 0);
    nic = stack_start_one(0x10D3);
    frames(nic, 640, 1514, 20000);
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 0);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_ITR), 1);
}
