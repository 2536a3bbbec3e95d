/* SPDX-License-Identifier: MIT */
/*
 * The receive ring of the e1000 driver, and the interrupt that feeds it.
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

static uint8_t frame[16384];

static void receive(struct fake_nic *nic, size_t length, uint8_t seed)
{
    stack_make_frame(frame, length, seed);
    cr_assert_eq(fake_nic_receive(nic, frame, length), FAKE_STORED);
}

Test(e1000_receive, frames_of_every_length_arrive_bit_exact)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t length = 60; length <= 1514; ++length) {
        receive(nic, length, (uint8_t)length);
        stack_run(nic);
        cr_assert(stack_got(0, frame, length), "%zu bytes", length);
        stack_free_frames();
    }
    cr_assert_eq(buffer_count_free(), 2048 - 256);
    cr_assert_eq(packet_count_free(), 2048);
}

Test(e1000_receive, a_frame_has_headroom_and_interface)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct packet *packet;

    receive(nic, 60, 1);
    stack_run(nic);
    packet = stack_interfaces[0].frames[0];
    cr_assert_eq(packet_headroom(packet), PACKET_RECEIVE_HEADROOM);
    cr_assert_eq(packet->netif, stack_netif());
    cr_assert_eq(packet->checksum, PACKET_CHECKSUM_NONE);
}

Test(e1000_receive, a_tag_is_taken_out_and_told)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    uint8_t tagged[1518];

    stack_make_frame(frame, 1514, 3);
    memcpy(tagged, frame, 12);
    memcpy(tagged + 12, "\x81\x00\x60\x05", 4);
    memcpy(tagged + 16, frame + 12, 1502);
    cr_assert_eq(fake_nic_receive(nic, tagged, 1518), FAKE_STORED);
    stack_run(nic);
    cr_assert(stack_got(0, frame, 1514));
    cr_assert(stack_interfaces[0].frames[0]->has_vlan_tag);
    cr_assert_eq(stack_interfaces[0].frames[0]->vlan_tag, 0x6005);
}

Test(e1000_receive, order_is_kept_over_many_turns_of_a_small_ring)
{
    struct fake_nic *nic;
    uint8_t sent = 0;

    cr_assert_eq(e1000_set_option("rx_ring", "16"), 0);
    nic = stack_start_one(0x100E);
    for (int turn = 0; turn < 500; ++turn) {
        size_t burst = 1 + (size_t)turn % 15;
        for (size_t i = 0; i < burst; ++i)
            receive(nic, 100, sent++);
        stack_run(nic);
        cr_assert_eq(stack_interfaces[0].frame_count, burst);
        for (size_t i = 0; i < burst; ++i) {
            stack_make_frame(frame, 100, (uint8_t)(sent - burst + i));
            cr_assert(stack_got(i, frame, 100), "turn %d, frame %zu", turn, i);
        }
        stack_free_frames();
    }
    cr_assert_eq(buffer_count_free(), 2048 - 16);
}

Test(e1000_receive, the_numbers_may_wrap)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct e1000 *driver = stack_netif()->driver;

    driver->rx.next = 0u - 256u;
    driver->rx.given = driver->rx.next;
    for (uint32_t i = 0; i < 600; ++i) {
        receive(nic, 60, (uint8_t)i);
        stack_run(nic);
        cr_assert(stack_got(0, frame, 60));
        stack_free_frames();
    }
}

Test(e1000_receive, an_exhausted_ring_holds_frames_back_and_loses_none)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    size_t stored = 0;

    stack_make_frame(frame, 60, 0);
    while (fake_nic_receive(nic, frame, 60) == FAKE_STORED)
        ++stored;
    cr_assert_eq(stored, 255);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 255);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
    cr_assert_eq(stack_statistic("rx_missed_errors"), 0);
}

/* The stack has had so many frames; their buffers may still be owed. */
static void receive_many(struct fake_nic *nic, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        receive(nic, 60, (uint8_t)i);
        stack_run(nic);
    }
    stack_free_frames();
}

Test(e1000_receive, buffers_are_given_back_64_at_a_time_however_few_a_poll_has)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    size_t before = fake_nic_count_writes(nic, E1000_RDT);

    for (uint8_t i = 0; i < 64; ++i)
        receive(nic, 60, i);
    stack_run(nic);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RDT) - before, 1);
    receive_many(nic, 63);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RDT) - before, 1);
    receive_many(nic, 1);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RDT) - before, 2);
}

Test(e1000_receive, of_a_small_ring_a_quarter_is_given_back_at_a_time)
{
    struct fake_nic *nic;
    size_t before;

    cr_assert_eq(e1000_set_option("rx_ring", "8"), 0);
    nic = stack_start_one(0x100E);
    before = fake_nic_count_writes(nic, E1000_RDT);
    receive_many(nic, 1);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RDT) - before, 0);
    receive_many(nic, 1);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RDT) - before, 1);
    receive_many(nic, 100);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RDT) - before, 51);
}

Test(e1000_receive, a_poll_keeps_to_its_budget_and_stays_masked)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    for (uint8_t i = 0; i < 65; ++i)
        receive(nic, 60, i);
    cr_assert(fake_nic_interrupt(nic));
    cr_assert_eq(stack_poll(64), 64);
    cr_assert_eq(fake_nic_get(nic, E1000_IMS), 0);
    cr_assert_eq(stack_poll(64), 1);
    cr_assert_neq(fake_nic_get(nic, E1000_IMS), 0);
}

Test(e1000_receive, an_empty_pool_costs_frames_but_no_buffer_of_the_ring)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    uint8_t *hoard[2048];
    size_t count = 0;

    while ((hoard[count] = buffer_alloc()) != NULL)
        ++count;
    for (uint8_t i = 0; i < 200; ++i)
        receive(nic, 60, i);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 0);
    cr_assert_eq(stack_statistic("alloc_rx_buff_failed"), 200);
    while (count > 0)
        buffer_release(hoard[--count]);
    for (uint8_t i = 0; i < 200; ++i)
        receive(nic, 60, i);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 200);
    cr_assert_eq(buffer_count_free(), 2048 - 256 - 200);
}

Test(e1000_receive, a_frame_over_several_buffers_is_dropped_whole)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("long_packets", "1"), 0);
    nic = stack_start_one(0x100E);
    receive(nic, 60, 1);
    receive(nic, 5000, 2);
    receive(nic, 60, 3);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 2);
    cr_assert(stack_got(1, frame, 60));
    cr_assert_eq(stack_statistic("rx_dropped_split"), 1);
}

Test(e1000_receive, a_long_frame_cut_by_the_end_of_a_poll_is_dropped_whole)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("long_packets", "1"), 0);
    nic = stack_start_one(0x100E);
    receive(nic, 5000, 2);
    receive(nic, 60, 3);
    cr_assert_eq(stack_poll(1), 1);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 1);
    cr_assert(stack_got(0, frame, 60));
}

Test(e1000_receive, a_whole_buffer_may_be_filled_when_long_frames_are_on)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("long_packets", "1"), 0);
    nic = stack_start_one(0x100E);
    receive(nic, BUFFER_SIZE, 9);
    stack_run(nic);
    cr_assert(stack_got(0, frame, BUFFER_SIZE));
}

Test(e1000_receive, a_length_that_cannot_be_true_is_not_believed)
{
    static const uint16_t lengths[] = {0, 1, 13, 1983, 2048, 16384, 65535};
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t i = 0; i < ARRAY_COUNT(lengths); ++i)
        fake_nic_write_back(nic, lengths[i], E1000_RX_DD | E1000_RX_EOP, 0);
    receive(nic, 60, 1);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 1);
    cr_assert(stack_got(0, frame, 60));
    cr_assert_eq(stack_statistic("rx_dropped_length"), 7);
    stack_free_frames();
    cr_assert_eq(buffer_count_free(), 2048 - 256);
}

/* Else the ring would be full of them, or they would be seen again. */
Test(e1000_receive, descriptors_that_lie_are_armed_again)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("rx_ring", "8"), 0);
    nic = stack_start_one(0x100E);
    for (uint8_t i = 0; i < 100; ++i) {
        fake_nic_write_back(nic, 0, E1000_RX_DD | E1000_RX_EOP, 0);
        stack_run(nic);
        fake_nic_write_back(nic, 60, E1000_RX_DD | E1000_RX_EOP, 1);
        stack_run(nic);
        receive(nic, 60, i);
        stack_run(nic);
        cr_assert_eq(stack_interfaces[0].frame_count, 1);
        cr_assert(stack_got(0, frame, 60));
        stack_free_frames();
    }
    cr_assert_eq(stack_statistic("rx_dropped_length"), 100);
    cr_assert_eq(stack_statistic("rx_dropped_error"), 100);
    cr_assert_eq(buffer_count_free(), 2048 - 8);
}

Test(e1000_receive, a_frame_damaged_on_the_wire_is_dropped)
{
    static const uint8_t errors[] = {1, 2, 4, 16, 128};
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t i = 0; i < ARRAY_COUNT(errors); ++i)
        fake_nic_write_back(nic, 60, E1000_RX_DD | E1000_RX_EOP, errors[i]);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 0);
    cr_assert_eq(stack_statistic("rx_dropped_error"), 5);
}

Test(e1000_receive, an_overrun_is_counted_once_though_its_counter_never_clears)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("rx_ring", "8"), 0);
    cr_assert_eq(e1000_set_option("long_packets", "1"), 0);
    nic = stack_start_one(0x100E);
    for (uint8_t i = 0; i < 6; ++i)
        receive(nic, 60, i);
    stack_make_frame(frame, 5000, 0);
    cr_assert_eq(fake_nic_receive(nic, frame, 5000), FAKE_LOST);
    cr_assert_eq(stack_statistic("rx_missed_errors"), 1);
    stack_tick(3);
    cr_assert_eq(stack_statistic("rx_missed_errors"), 1);
    stack_run(nic);
    cr_assert_eq(stack_statistic("interrupts_overrun"), 1);
    cr_assert_eq(stack_interfaces[0].frame_count, 6);
    receive(nic, 60, 7);
}

Test(e1000_receive, counters_that_clear_on_read_are_summed)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    nic->missed_clears = true;
    fake_nic_set(nic, 0x4010, 5);
    stack_tick(1);
    fake_nic_set(nic, 0x4010, 7);
    stack_tick(2);
    cr_assert_eq(stack_statistic("rx_missed_errors"), 12);
    fake_nic_set(nic, 0x4088, 0xFFFFFFFF);
    fake_nic_set(nic, 0x408C, 1);
    stack_tick(1);
    fake_nic_set(nic, 0x4088, 1);
    cr_assert_eq(stack_statistic("rx_bytes"), 0x200000000);
}

/* [8254x 13.7], in its order. */
Test(e1000_receive, each_register_counts_under_its_name)
{
    static const struct {
        uint16_t offset;
        const char *name;
    } rows[] = {
        {0x4000, "rx_crc_errors"},
        {0x4004, "rx_align_errors"},
        {0x4008, "rx_symbol_errors"},
        {0x400C, "rx_frame_errors"},
        {0x4010, "rx_missed_errors"},
        {0x4014, "tx_single_coll_ok"},
        {0x4018, "tx_aborted_errors"},
        {0x401C, "tx_multi_coll_ok"},
        {0x4020, "tx_window_errors"},
        {0x4028, "collisions"},
        {0x4030, "tx_deferred_ok"},
        {0x4034, "tx_carrier_errors"},
        {0x403C, "rx_carrier_errors"},
        {0x4040, "rx_length_field_errors"},
        {0x4048, "rx_flow_control_xon"},
        {0x404C, "tx_flow_control_xon"},
        {0x4050, "rx_flow_control_xoff"},
        {0x4054, "tx_flow_control_xoff"},
        {0x4074, "rx_packets"},
        {0x4078, "rx_broadcast"},
        {0x407C, "rx_multicast"},
        {0x4080, "tx_packets"},
        {0x4088, "rx_bytes"},
        {0x4090, "tx_bytes"},
        {0x40A0, "rx_no_buffer_count"},
        {0x40A4, "rx_short_length_errors"},
        {0x40A8, "rx_fragment_errors"},
        {0x40AC, "rx_long_length_errors"},
        {0x40B0, "rx_jabber_errors"},
        {0x40D0, "rx_total_packets"},
        {0x40D4, "tx_total_packets"},
        {0x40F0, "tx_multicast"},
        {0x40F4, "tx_broadcast"},
        {0x40F8, "tx_tcp_seg_good"},
        {0x40FC, "tx_tcp_seg_failed"},
    };
    struct fake_nic *nic = stack_start_one(0x100E);

    for (size_t i = 0; i < ARRAY_COUNT(rows); ++i) {
        uint64_t before = stack_statistic(rows[i].name);
        fake_nic_set(nic, rows[i].offset,
                     fake_nic_get(nic, rows[i].offset) + 3);
        cr_assert_eq(stack_statistic(rows[i].name), before + 3, "%s",
                     rows[i].name);
    }
}

Test(e1000_receive, what_was_counted_before_the_driver_is_not_counted)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    fake_nic_set(nic, 0x4010, 5);
    fake_nic_set(nic, 0x4074, 9);
    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(e1000_start_all(), 1);
    cr_assert_eq(stack_statistic("rx_missed_errors"), 0);
    cr_assert_eq(stack_statistic("rx_packets"), 0);
    fake_nic_set(nic, 0x4010, 6);
    cr_assert_eq(stack_statistic("rx_missed_errors"), 1);
}

Test(e1000_receive, an_interrupt_reads_icr_once_masks_all_and_schedules)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    uint32_t before = nic->icr_reads;

    receive(nic, 60, 1);
    cr_assert(fake_nic_interrupt(nic));
    cr_assert_eq(nic->icr_reads - before, 1);
    cr_assert_eq(fake_nic_get(nic, E1000_IMS), 0);
    cr_assert(stack_netif()->poll_scheduled);
    stack_run(nic);
    cr_assert_eq(nic->icr_reads - before, 1);
}

Test(e1000_receive, an_interrupt_of_a_neighbour_is_passed_on)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_not(fake_nic_interrupt_by_neighbour(nic));
    cr_assert_not(stack_netif()->poll_scheduled);
    /* A finished transmit is latched in ICR, but masked. */
    stack_send(1, 60);
    stack_run(nic);
    cr_assert_neq(fake_nic_get(nic, E1000_ICR), 0);
    cr_assert_not(fake_nic_interrupt_by_neighbour(nic));
    cr_assert_not(stack_netif()->poll_scheduled);
    cr_assert_neq(fake_nic_get(nic, E1000_IMS), 0);
}

static struct fake_nic *start_with_groups_of_32(void)
{
    cr_assert_eq(e1000_set_option("rx_ring", "128"), 0);
    return stack_start_one(0x100E);
}

/* At the last moment before the causes are unmasked, a frame comes in and a
 * neighbour's interrupt makes our handler read (and so clear) its cause. */
static void steal_the_cause(struct fake_nic *nic, uint32_t offset)
{
    if (offset != E1000_RDT)
        return;
    nic->on_write = NULL;
    receive(nic, 60, 77);
    cr_assert_not(fake_nic_interrupt_by_neighbour(nic));
    cr_assert_eq(fake_nic_get(nic, E1000_ICR), 0);
}

Test(e1000_receive, no_wake_up_is_lost_when_a_neighbour_reads_the_cause)
{
    struct fake_nic *nic = start_with_groups_of_32();

    receive_many(nic, 31);
    receive(nic, 60, 1);
    cr_assert(fake_nic_interrupt(nic));
    nic->on_write = steal_the_cause;
    cr_assert_eq(stack_poll(64), 1);
    cr_assert(stack_netif()->poll_scheduled);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 2);
}

static void steal_a_link_change(struct fake_nic *nic, uint32_t offset)
{
    if (offset != E1000_RDT)
        return;
    nic->on_write = NULL;
    fake_nic_link(nic, false);
    fake_nic_interrupt_by_neighbour(nic);
}

Test(e1000_receive, no_link_change_is_lost_when_a_neighbour_reads_the_cause)
{
    struct fake_nic *nic = start_with_groups_of_32();

    receive_many(nic, 31);
    receive(nic, 60, 1);
    cr_assert(fake_nic_interrupt(nic));
    nic->on_write = steal_a_link_change;
    stack_poll(64);
    stack_run(nic);
    cr_assert_not(stack_netif()->link_up);
}

Test(e1000_receive, the_ring_is_refilled_before_interrupts_are_unmasked)
{
    struct fake_nic *nic = start_with_groups_of_32();
    size_t rdts;
    size_t imss;

    receive_many(nic, 31);
    rdts = fake_nic_count_writes(nic, E1000_RDT);
    imss = fake_nic_count_writes(nic, E1000_IMS);
    receive(nic, 60, 1);
    stack_run(nic);
    cr_assert_neq(fake_nic_find_write(nic, E1000_RDT, rdts), -1);
    cr_assert_lt(fake_nic_find_write(nic, E1000_RDT, rdts),
                 fake_nic_find_write(nic, E1000_IMS, imss));
}

Test(e1000_receive, a_held_poller_leaves_frames_in_the_ring_until_its_time)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("hold", "2"), 0);
    nic = stack_start_one(0x100E);
    receive(nic, 60, 1);
    stack_run(nic);
    stack_tick(1);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 0);
    netif_schedule(stack_netif()); /* somebody else's reason to look */
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 0);
    stack_tick(1);
    stack_run(nic);
    cr_assert_eq(stack_interfaces[0].frame_count, 1);
}

Test(e1000_receive, filters_change_without_a_write_to_rctl)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    struct ethernet_address groups[20];

    memset(frame, 0, 60);
    for (uint8_t i = 0; i < 20; ++i)
        groups[i] = (struct ethernet_address){{1, 0, 0x5E, 0, i, 1}};
    memcpy(frame, groups[0].octet, 6);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_FILTERED);
    stack_netif()->operations->set_multicast(stack_netif(), groups, 20);
    for (size_t i = 0; i < 20; ++i) {
        memcpy(frame, groups[i].octet, 6);
        cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
    }
    memcpy(frame, "\x01\x00\x5E\x7F\x7F\x7F", 6);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_FILTERED);
    stack_netif()->operations->set_multicast(stack_netif(), groups, 1);
    memcpy(frame, groups[19].octet, 6);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_FILTERED);
    memcpy(frame, groups[0].octet, 6);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_STORED);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RCTL), 1);
}

Test(e1000_receive, only_the_vlans_asked_for_are_received)
{
    struct fake_nic *nic;

    cr_assert_eq(e1000_set_option("vlans", "5"), 0);
    nic = stack_start_one(0x100E);
    stack_make_frame(frame, 64, 0);
    memcpy(frame + 12, "\x81\x00\x00\x05", 4);
    cr_assert_eq(fake_nic_receive(nic, frame, 64), FAKE_STORED);
    frame[15] = 6;
    cr_assert_eq(fake_nic_receive(nic, frame, 64), FAKE_FILTERED);
    frame[15] = 0;
    cr_assert_eq(fake_nic_receive(nic, frame, 64), FAKE_STORED);
}
