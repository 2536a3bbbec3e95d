/* SPDX-License-Identifier: MIT */
/*
 * The e1000 driver from the PCI bus to a registered interface.
 */
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
/* test-flags: -iquote tests/unit/fake_kernel */

#include "drivers/e1000/device.h"
#include "drivers/e1000/e1000.h"
#include "tests/unit/support_e1000_stack.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

static const uint32_t final_rctl =
    E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_VFE | E1000_RCTL_SECRC;

Test(e1000_start, rctl_is_written_once_with_its_final_value)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_eq(fake_nic_count_writes(nic, E1000_RCTL), 1);
    cr_assert_eq(fake_nic_get(nic, E1000_RCTL), final_rctl);
}

Test(e1000_start, the_receiver_is_on_after_probe_and_owns_no_buffer)
{
    struct fake_nic *nic = fake_nic_add(0x100E);
    uint8_t frame[60];

    memset(frame, 0xFF, sizeof(frame));
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(fake_nic_get(nic, E1000_RCTL), final_rctl);
    cr_assert_eq(fake_nic_get(nic, E1000_RDH), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_RDT), 0);
    cr_assert_eq(fake_nic_receive(nic, frame, 60), FAKE_HELD);
}

Test(e1000_start, the_ring_is_programmed_before_the_receiver_is_enabled)
{
    struct fake_nic *nic = stack_start_one(0x100E);
    long rctl = fake_nic_find_write(nic, E1000_RCTL, 0);

    cr_assert_lt(fake_nic_find_write(nic, E1000_RDBAL, 0), rctl);
    cr_assert_lt(fake_nic_find_write(nic, E1000_RDLEN, 0), rctl);
    cr_assert_lt(fake_nic_find_write(nic, E1000_RDT, 0), rctl);
    cr_assert_lt(rctl, fake_nic_find_write(nic, E1000_RDT, 1));
    cr_assert_lt(fake_nic_find_write(nic, E1000_RAH, 0), rctl);
}

Test(e1000_start, all_buffers_but_one_are_given_to_the_chip)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_eq(fake_nic_get(nic, E1000_RDLEN), 256 * 16);
    cr_assert_eq(fake_nic_get(nic, E1000_RDT), 255);
    cr_assert_eq(buffer_count_free(), 2048 - 256);
}

Test(e1000_start, interrupts_are_unmasked_last)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_eq(nic->writes[nic->write_count - 1].offset, E1000_IMS);
    cr_assert_eq(fake_nic_count_writes(nic, E1000_IMS), 1);
}

/* What a boot ROM or a crashed kernel may leave behind. */
static void leave_it_running(struct fake_nic *nic)
{
    fake_nic_set(nic, E1000_RCTL, 0x0402801A);
    fake_nic_set(nic, E1000_TCTL, 0x0003F0FA);
    fake_nic_set(nic, E1000_IMS, 0x1F6DC);
    fake_nic_set(nic, E1000_ICR, 0x83);
    fake_nic_set(nic, E1000_RDBAL, 0xDEAD0000);
    fake_nic_set(nic, E1000_RDLEN, 4096);
    fake_nic_set(nic, E1000_RDH, 17);
    fake_nic_set(nic, E1000_RDT, 200);
    fake_nic_set(nic, E1000_TDH, 9);
    fake_nic_set(nic, E1000_TDT, 9);
    fake_nic_set(nic, E1000_RDTR, 100);
    fake_nic_set(nic, E1000_RAL + 8, 0x12345678);
    fake_nic_set(nic, E1000_RAH + 8, 0x80001234);
    fake_nic_set(nic, E1000_MTA + 12, UINT32_MAX);
}

Test(e1000_start, a_receiver_left_on_is_switched_off_first)
{
    struct fake_nic *nic = fake_nic_add(0x100E);
    long ring;

    leave_it_running(nic);
    cr_assert_eq(e1000_probe_all(), 1);
    ring = fake_nic_find_write(nic, E1000_RDBAL, 0);
    cr_assert_eq(nic->writes[0].offset, E1000_IMC);
    cr_assert_eq(nic->writes[fake_nic_find_write(nic, E1000_RCTL, 0)].value, 0);
    cr_assert_lt(fake_nic_find_write(nic, E1000_RCTL, 0), ring);
    cr_assert_gt(fake_nic_find_write(nic, E1000_RCTL, 1), ring);
}

/* No delays, no thresholds but write back each; copper's gaps; PAUSE frames
 * [8254x 13.4]. */
static const struct fake_write written[] = {
    {E1000_RDTR, 0},        {E1000_RADV, 0},     {E1000_RSRPD, 0},
    {E1000_RXDCTL, 0},      {E1000_RXCSUM, 0},   {E1000_ITR, 0},
    {E1000_TIDV, 0},        {E1000_TADV, 0},     {E1000_TXDCTL, 0x1010000},
    {E1000_TIPG, 0x602008}, {E1000_VET, 0x8100}, {E1000_FCT, 0x8808},
    {E1000_FCAL, 0xC28001}, {E1000_FCAH, 0x100},
};

Test(e1000_start, nothing_of_a_predecessor_survives_although_rst_clears_nothing)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    leave_it_running(nic);
    for (size_t i = 0; i < ARRAY_COUNT(written); ++i)
        fake_nic_set(nic, written[i].offset, 0x5A5A5A5A);
    fake_nic_set(nic, E1000_CTRL, UINT32_MAX & ~E1000_CTRL_RST);
    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 1);
    for (size_t i = 0; i < ARRAY_COUNT(written); ++i)
        cr_assert_eq(fake_nic_get(nic, written[i].offset), written[i].value,
                     "%04X", written[i].offset);
    /* On, by autonegotiation, with tags; nothing reset, inverted, forced. */
    cr_assert_eq(fake_nic_get(nic, E1000_CTRL) & 0xD80018E8, 0x40000060);
    cr_assert_eq(fake_nic_get(nic, E1000_IMS), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_ICR), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_RDH), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_TDH), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_TDT), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_RDTR), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_RAH + 8), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_MTA + 12), 0);
    cr_assert_eq(fake_nic_get(nic, E1000_RCTL), final_rctl);
}

Test(e1000_start, a_reset_that_clears_everything_is_survived_too)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    nic->reset_clears = true;
    leave_it_running(nic);
    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(e1000_start_all(), 1);
    cr_assert_eq(fake_nic_get(nic, E1000_RCTL), final_rctl);
    cr_assert_eq(stack_netif()->address.octet[5], 0x56);
}

Test(e1000_start, a_reset_that_never_ends_is_reported_and_the_card_left_alone)
{
    struct fake_nic *nic = fake_nic_add(0x100E);
    struct fake_nic *other = fake_nic_add(0x100E);

    nic->reset_hangs = true;
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert(fake_log_has("82540EM at 00:02.0: it does not answer"));
    cr_assert_eq(fake_nic_count_writes(nic, E1000_RCTL), 0);
    cr_assert_eq(fake_nic_count_writes(other, E1000_RCTL), 1);
    cr_assert_lt(fake_kernel.now_ns, 100 * NS_PER_MS);
}

Test(e1000_start, a_card_that_reads_as_nothing_is_reported)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    nic->is_gone = true;
    cr_assert_eq(e1000_probe_all(), 0);
    cr_assert(fake_log_has("it does not answer"));
}

Test(e1000_start, registers_without_an_address_are_reported)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    nic->device->pci.bar[0].address = 0;
    cr_assert_eq(e1000_probe_all(), 0);
    cr_assert(fake_log_has("firmware gave its registers no address"));
}

Test(e1000_start, the_register_bar_is_found_by_kind_and_size)
{
    struct fake_nic *nic = fake_nic_add(0x100E);
    struct pci_bar *bar = nic->device->pci.bar;

    bar[2] = bar[0];
    bar[0] = (struct pci_bar){0xC000, 64, PCI_BAR_IO, false};
    bar[1] = (struct pci_bar){0xFEB00000, 4096, PCI_BAR_MEMORY, false};
    cr_assert_eq(e1000_probe_all(), 1);
}

Test(e1000_start, autonegotiation_is_not_restarted_while_there_is_a_link)
{
    struct fake_nic *nic = stack_start_one(0x100E);

    cr_assert_eq(nic->phy_writes, 0);
    cr_assert(stack_netif()->link_up);
    cr_assert_eq(stack_netif()->link_speed, 1000);
}

Test(e1000_start, a_negotiating_phy_without_link_is_left_to_it)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    fake_nic_link(nic, false);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(nic->phy_writes, 0);
}

Test(e1000_start, a_phy_left_asleep_is_woken)
{
    /* 802.3 22.2.4.1: no negotiation; power down; isolate */
    static const uint16_t asleep[] = {0, 0x1000 | 0x0800, 0x1000 | 0x0400};

    struct fake_nic *nics[ARRAY_COUNT(asleep)];

    for (size_t i = 0; i < ARRAY_COUNT(asleep); ++i) {
        nics[i] = fake_nic_add(0x100E);
        fake_nic_link(nics[i], false);
        nics[i]->phy[E1000_PHY_CONTROL] = asleep[i];
    }
    cr_assert_eq(e1000_probe_all(), ARRAY_COUNT(asleep));
    for (size_t i = 0; i < ARRAY_COUNT(asleep); ++i)
        cr_assert_eq(nics[i]->phy[E1000_PHY_CONTROL], 0x1000 | 0x0200);
}

struct model {
    uint16_t device;
    enum fake_eeprom kind;
    char line[80];
};

ParameterizedTestParameters(e1000_start, each_chip_is_named_with_its_eeprom)
{
    static struct model models[] = {
        {0x100E, FAKE_EEPROM_SMALL,
         "eth0: 82540EM at 00:02.0, "
         "52:54:00:12:34:56, small EEPROM"},
        {0x100F, FAKE_EEPROM_SMALL,
         "eth0: 82545EM at 00:02.0, "
         "52:54:00:12:34:56, small EEPROM"},
        {0x100C, FAKE_EEPROM_NONE,
         "eth0: 82544GC at 00:02.0, "
         "52:54:00:12:34:56, no EEPROM"},
        {0x10D3, FAKE_EEPROM_LARGE,
         "eth0: 82574L at 00:02.0, "
         "52:54:00:12:34:56, large EEPROM"},
    };
    return cr_make_param_array(struct model, models, ARRAY_COUNT(models));
}

ParameterizedTest(struct model *model, e1000_start,
                  each_chip_is_named_with_its_eeprom)
{
    struct fake_nic *nic = fake_nic_add(model->device);

    nic->eeprom_kind = model->kind;
    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(e1000_start_all(), 1);
    cr_assert(fake_log_has(model->line), "%s", fake_kernel.log);
}

Test(e1000_start, the_address_comes_from_the_eeprom_when_not_loaded)
{
    struct fake_nic *nic = fake_nic_add(0x10D3);

    fake_nic_set(nic, E1000_RAH, 0);
    fake_nic_set(nic, E1000_RAL, 0);
    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(e1000_start_all(), 1);
    cr_assert_arr_eq(stack_netif()->address.octet, "\x52\x54\0\x12\x34\x56", 6);
    cr_assert_eq(fake_nic_get(nic, E1000_RAH), 0x80005634);
}

Test(e1000_start, an_eeprom_with_a_wrong_sum_gives_no_address)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    fake_nic_set(nic, E1000_RAH, 0);
    nic->eeprom[20] ^= 1;
    cr_assert_eq(e1000_probe_all(), 0);
    cr_assert(fake_log_has("neither registers nor EEPROM hold a valid"));
}

Test(e1000_start, a_group_address_is_not_taken_for_ours)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    fake_nic_set(nic, E1000_RAL, 0x00000001);
    nic->eeprom[63] = 0;
    cr_assert_eq(e1000_probe_all(), 0);
}

Test(e1000_start, sixteen_cards_are_used_and_more_are_ignored)
{
    for (int i = 0; i < 17; ++i)
        fake_nic_add(0x100E);
    stack_init(4096);
    cr_assert_eq(e1000_probe_all(), NETIF_MAX);
    cr_assert_eq(e1000_start_all(), NETIF_MAX);
}

Test(e1000_start, a_strange_device_is_not_touched)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    nic->device->pci.vendor = 0x10EC;
    cr_assert_eq(e1000_probe_all(), 0);
    cr_assert_eq(nic->write_count, 0);
    cr_assert_eq(nic->device->command, 0);
}

Test(e1000_start, a_network_card_without_a_driver_is_named)
{
    struct fake_nic *nic = fake_nic_add(0x10C9); /* 82576: QEMU's igb */
    struct fake_nic *other = fake_nic_add(0x2922);

    other->device->pci.class_code = 1;
    cr_assert_eq(e1000_probe_all(), 0);
    cr_assert(fake_log_has("no driver for the network card 8086:10c9"));
    cr_assert_not(fake_log_has("2922"));
    cr_assert_eq(nic->write_count, 0);
}

Test(e1000_start, a_small_machine_has_a_small_ring)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    fake_kernel.memory_available = 5 << 20; /* the least of pools */
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(fake_nic_get(nic, E1000_RDLEN), 128 * 16);
}

Test(e1000_start, receive_rings_hold_a_fifth_of_the_pool)
{
    struct fake_nic *nic = fake_nic_add(0x100E);
    struct fake_nic *other = fake_nic_add(0x100E);

    fake_kernel.memory_available = 12 << 20; /* a pool of 1,152 buffers */
    cr_assert_eq(e1000_probe_all(), 2);
    cr_assert_eq(fake_nic_get(nic, E1000_RDLEN), 64 * 16);
    cr_assert_eq(fake_nic_get(other, E1000_RDLEN), 64 * 16);
}

Test(e1000_start, without_memory_for_rings_the_card_is_reported)
{
    fake_nic_add(0x100E);
    fake_kernel.memory_limit = 8192;
    cr_assert_eq(e1000_probe_all(), 0);
    cr_assert(fake_log_has("no memory"));
}

Test(e1000_start, without_buffers_the_card_is_reported_and_none_is_lost)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    stack_init(200);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(e1000_start_all(), 0);
    cr_assert(fake_log_has("too few buffers"));
    cr_assert_eq(buffer_count_free(), 200);
    cr_assert_eq(fake_nic_get(nic, E1000_RDT), 0);
}

Test(e1000_start, a_well_formed_option_is_taken)
{
    struct fake_nic *nic = fake_nic_add(0x100E);

    cr_assert_eq(e1000_set_option("rx_ring", "16"), 0);
    cr_assert_eq(e1000_set_option("tx_ring", "512"), 0);
    cr_assert_eq(e1000_set_option("itr", "195"), 0);
    cr_assert_eq(e1000_set_option("long_packets", "1"), 0);
    cr_assert_eq(e1000_set_option("vlans", "5,33,4094"), 0);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(fake_nic_get(nic, E1000_RDLEN), 16 * 16);
    cr_assert_eq(fake_nic_get(nic, E1000_TDLEN), 512 * 16);
    cr_assert_eq(fake_nic_get(nic, E1000_ITR), 195);
    cr_assert_eq(fake_nic_get(nic, E1000_RCTL), final_rctl | E1000_RCTL_LPE);
    cr_assert_eq(fake_nic_get(nic, E1000_VFTA), 1 | 1 << 5);
    cr_assert_eq(fake_nic_get(nic, E1000_VFTA + 4), 1 << 1);
    cr_assert_eq(fake_nic_get(nic, E1000_VFTA + 127 * 4), 1 << 30);
}

Test(e1000_start, a_malformed_option_is_refused)
{
    static const char *const words[][2] = {
        {"rx_ring", "100"},    {"rx_ring", "4"},
        {"rx_ring", "8192"},   {"rx_ring", ""},
        {"rx_ring", "64x"},    {"tx_ring", "64"},
        {"itr", "65536"},      {"itr", "9999999999"},
        {"long_packets", "2"}, {"vlans", "0"},
        {"vlans", "4095"},     {"vlans", "1,"},
        {"vlans", ",1"},       {"hold", "-1"},
        {"statistics", "yes"}, {"vlans", "1,2,3,4,5,6,7,8,9"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(words); ++i)
        cr_expect_eq(e1000_set_option(words[i][0], words[i][1]), -EINVAL,
                     "%s=%s", words[i][0], words[i][1]);
    cr_assert_eq(e1000_set_option("speed", "1000"), -ENOENT);
    cr_assert_eq(e1000_options.vlan_count, 0);
}
