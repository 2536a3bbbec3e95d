/* SPDX-License-Identifier: MIT */
/*
 * The PCI scan on a bus made of tables, reached through the two ports or by
 * ECAM: bridges, loops of bridges, sizes of address registers, messages.
 * test-links: kernel/pci.c kernel/pci_bar.c kernel/msi.c
 * test-flags: -iquote tests/unit/fake
 */
#include "kernel/pci.h"
#include "kernel/acpi.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/msi.h"
#include "kernel/pci_bar.h"

#include <criterion/criterion.h>
#include <string.h>

enum { CARDS_MAX = 100, REGISTERS = 64, BAR_0 = 4 };

static struct card {
    uint8_t bus, slot, function;
    uint32_t registers[REGISTERS];
    uint32_t bar_writable[PCI_BAR_COUNT];
    bool was_sized_while_decoding;
} cards[CARDS_MAX];
static size_t card_count;

static uint32_t selected;
static uint8_t ecam[1 << 20];
static struct acpi_mcfg mcfg;
static bool has_ecam, is_ecam_false;
static size_t warnings;

/* The machine. */

static struct card *card_at(uint32_t bus, uint32_t slot, uint32_t function)
{
    for (size_t i = 0; i < card_count; i++) {
        if (cards[i].bus == bus && cards[i].slot == slot &&
            cards[i].function == function)
            return &cards[i];
    }
    return NULL;
}

static struct card *selected_card(void)
{
    cr_assert(selected >> 31, "the address is not enabled");
    return card_at(selected >> 16 & 0xff, selected >> 11 & 0x1f,
                   selected >> 8 & 7);
}

static void write_register(struct card *card, size_t index, uint32_t value)
{
    if (index >= BAR_0 && index < BAR_0 + PCI_BAR_COUNT) {
        uint32_t writable = card->bar_writable[index - BAR_0];
        uint32_t fixed = card->registers[index] & 15 & ~writable;
        value = (value & writable) | fixed;
        if (card->registers[1] & 3)
            card->was_sized_while_decoding = true;
    }
    card->registers[index] = value;
}

void cpu_out32(uint16_t port, uint32_t value)
{
    if (port == 0xcf8)
        selected = value;
    else if (selected_card() != NULL)
        write_register(selected_card(), (selected & 0xfc) / 4, value);
}

uint32_t cpu_in32(uint16_t port)
{
    cr_assert_eq(port, 0xcfc);
    struct card *card = selected_card();
    return card != NULL ? card->registers[(selected & 0xfc) / 4] : UINT32_MAX;
}

void cpu_out16(uint16_t port, uint16_t value)
{
    struct card *card = selected_card();
    uint32_t shift = (port & 2U) * 8;
    size_t index = (selected & 0xfc) / 4;

    card->registers[index] =
        (card->registers[index] & ~(UINT32_C(0xffff) << shift)) |
        (uint32_t)value << shift;
}

void cpu_out8(uint16_t port, uint8_t value)
{
    (void)port;
    (void)value;
    cr_assert(false, "nobody asked for a byte");
}

bool cpu_interrupts_save(void)
{
    return false;
}

void cpu_interrupts_restore(bool enabled)
{
    cr_assert_not(enabled);
}

/* ECAM shows bus 0 only; offset = slot, function, register. */
uint32_t mmio_read32(const volatile void *address)
{
    size_t offset = (size_t)((const volatile uint8_t *)address - ecam);
    struct card *card = card_at(0, (uint32_t)(offset >> 15), offset >> 12 & 7);

    if (is_ecam_false || card == NULL)
        return UINT32_MAX;
    return card->registers[(offset & 0xfff) / 4];
}

void mmio_write32(volatile void *address, uint32_t value)
{
    size_t offset = (size_t)((volatile uint8_t *)address - ecam);

    write_register(card_at(0, (uint32_t)(offset >> 15), offset >> 12 & 7),
                   (offset & 0xfff) / 4, value);
}

void mmio_write16(volatile void *address, uint16_t value)
{
    size_t offset = (size_t)((volatile uint8_t *)address - ecam);
    struct card *card = card_at(0, (uint32_t)(offset >> 15), offset >> 12 & 7);

    card->registers[(offset & 0xfff) / 4] = value;
}

void mmio_write8(volatile void *address, uint8_t value)
{
    (void)address;
    (void)value;
    cr_assert(false, "nobody asked for a byte");
}

void *memory_map_device(uint64_t physical, size_t bytes)
{
    if (physical != 0xb0000000)
        return (void *)(uintptr_t)physical;
    cr_assert_eq(bytes, sizeof(ecam));
    return ecam;
}

const struct acpi_mcfg *acpi_mcfg(void)
{
    return has_ecam ? &mcfg : NULL;
}

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    (void)part;
    (void)format;
    if (level == LOG_WARN)
        warnings++;
}

/* The cards. */

static struct card *add(uint8_t bus, uint8_t slot, uint8_t function,
                        uint16_t device)
{
    struct card *card = &cards[card_count++];

    card->bus = bus;
    card->slot = slot;
    card->function = function;
    card->registers[0] = (uint32_t)device << 16 | 0x8086;
    card->registers[2] = 0x02000003;
    card->registers[11] = 0x11001af4;
    card->registers[15] = 0x010b;
    return card;
}

static void add_bridge(uint8_t bus, uint8_t slot, uint8_t secondary)
{
    struct card *card = add(bus, slot, 0, 0x2448);

    card->registers[2] = 0x06040000;
    card->registers[3] = 0x00010000;
    card->registers[6] = (uint32_t)secondary << 8 | bus;
}

static struct card *add_nic(uint8_t bus, uint8_t slot)
{
    struct card *card = add(bus, slot, 0, 0x100e);

    card->registers[1] = 3; /* decoding */
    card->registers[BAR_0] = 0xfebc0000;
    card->bar_writable[0] = ~UINT32_C(0x1ffff);
    card->registers[BAR_0 + 1] = 0xc001;
    card->bar_writable[1] = ~UINT32_C(0x3f);
    return card;
}

Test(pci_scan, a_device_is_described)
{
    add_nic(0, 3);
    pci_scan();
    cr_assert_eq(pci_count(), 1);
    const struct pci_device *nic = pci_at(0);
    cr_assert_eq(nic->slot, 3);
    cr_assert_eq(nic->vendor, 0x8086);
    cr_assert_eq(nic->device, 0x100e);
    cr_assert_eq(nic->subsystem_vendor, 0x1af4);
    cr_assert_eq(nic->subsystem_device, 0x1100);
    cr_assert_eq(nic->class_code, PCI_CLASS_NETWORK);
    cr_assert_eq(nic->subclass, PCI_SUBCLASS_ETHERNET);
    cr_assert_eq(nic->revision, 3);
    cr_assert_eq(nic->interrupt_pin, 1);
    cr_assert_eq(nic->interrupt_line, 11);
    cr_assert_null(pci_at(1));
}

Test(pci_scan, an_empty_bus_has_no_devices)
{
    pci_scan();
    cr_assert_eq(pci_count(), 0);
}

Test(pci_scan, functions_are_looked_for_only_in_multifunction_devices)
{
    add(0, 1, 0, 1)->registers[3] = 0x00800000;
    add(0, 1, 3, 2);
    add(0, 2, 0, 3);
    add(0, 2, 3, 4); /* an echo of function 0 */
    pci_scan();
    cr_assert_eq(pci_count(), 3);
}

Test(pci_scan, buses_behind_bridges_are_walked)
{
    add_bridge(0, 2, 1);
    add_bridge(1, 1, 7);
    add_nic(7, 31);
    pci_scan();
    cr_assert_eq(pci_count(), 3);
    cr_assert_eq(pci_at(2)->bus, 7);
}

Test(pci_scan, bridges_that_lead_in_a_circle_or_nowhere_are_walked_once)
{
    add_bridge(0, 1, 0); /* never given a number */
    add_bridge(0, 2, 5);
    add_bridge(5, 1, 5);
    add_bridge(5, 2, 0);
    add_bridge(5, 3, 255);
    pci_scan();
    cr_assert_eq(pci_count(), 5);
}

Test(pci_scan, more_devices_than_room_are_counted_and_left_alone)
{
    for (uint8_t bus = 0; bus < 3; bus++) {
        for (uint8_t slot = 0; slot < 31; slot++)
            add(bus, slot, 0, 0x100e);
        add_bridge(bus, 31, (uint8_t)(bus + 1));
    }
    pci_scan();
    cr_assert_eq(pci_count(), PCI_DEVICES_MAX);
    cr_assert_eq(warnings, 1);
}

Test(pci_scan, ecam_is_used_where_it_shows_what_the_ports_show)
{
    mcfg = (struct acpi_mcfg){
        .count = 1, .segment = {{.address = 0xb0000000, .last_bus = 0}}};
    has_ecam = true;
    add(0, 0, 0, 0x29c0);
    add_nic(0, 2);
    add_bridge(0, 3, 1);
    add_nic(1, 0);
    pci_scan();
    selected = 0; /* the ports would notice */
    cr_assert_eq(pci_count(), 4);
    cr_assert_eq(pci_read16(pci_at(1), 2), 0x100e);
    pci_enable(pci_at(1));
    cr_assert_eq(pci_at(1)->bar[0].size, 0x20000);
    cr_assert_eq(pci_read16(pci_at(3), 2), 0x100e);
}

Test(pci_scan, a_table_that_points_nowhere_is_not_believed)
{
    mcfg = (struct acpi_mcfg){
        .count = 1, .segment = {{.address = 0xb0000000, .last_bus = 255}}};
    has_ecam = true;
    is_ecam_false = true;
    add(0, 0, 0, 0x1237);
    pci_scan();
    cr_assert_eq(pci_count(), 1);
}

Test(pci_enable, sizes_address_registers_with_decoding_off_and_restores_them)
{
    struct card *card = add_nic(0, 3);

    pci_scan();
    pci_enable(pci_at(0));
    const struct pci_bar *bar = pci_at(0)->bar;
    cr_assert_eq(bar[0].kind, PCI_BAR_MEMORY);
    cr_assert_eq(bar[0].address, 0xfebc0000);
    cr_assert_eq(bar[0].size, 0x20000);
    cr_assert_eq(bar[1].kind, PCI_BAR_IO);
    cr_assert_eq(bar[1].address, 0xc000);
    cr_assert_eq(bar[1].size, 0x40);
    cr_assert_eq(bar[2].kind, PCI_BAR_NONE);
    cr_assert_eq(card->registers[BAR_0], 0xfebc0000);
    cr_assert_not(card->was_sized_while_decoding);
}

Test(pci_enable, turns_on_memory_and_mastering_and_allows_intx)
{
    struct card *card = add_nic(0, 3);

    card->registers[1] = 0x0400;
    pci_scan();
    pci_enable(pci_at(0));
    cr_assert_eq(card->registers[1] & 0xffff,
                 PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER);
}

Test(pci_enable, does_not_clear_the_status_register_next_door)
{
    struct card *card = add_nic(0, 3);

    card->registers[1] = 0xa5a50003;
    pci_scan();
    pci_enable(pci_at(0));
    cr_assert_eq(card->registers[1] >> 16, 0xa5a5);
}

Test(pci_enable, a_second_time_does_not_take_the_device_off_the_bus)
{
    struct card *card = add_nic(0, 3);

    pci_scan();
    pci_enable(pci_at(0));
    card->bar_writable[0] = 0;
    pci_enable(pci_at(0));
    cr_assert_eq(pci_at(0)->bar[0].size, 0x20000);
}

Test(pci_map_bar, only_assigned_memory_is_mapped)
{
    add_nic(0, 3);
    pci_scan();
    pci_enable(pci_at(0));
    cr_assert_eq(pci_map_bar(pci_at(0), 0), (void *)0xfebc0000);
    cr_assert_null(pci_map_bar(pci_at(0), 1), "ports");
    cr_assert_null(pci_map_bar(pci_at(0), 2), "nothing");
    cr_assert_null(pci_map_bar(pci_at(0), PCI_BAR_COUNT));
    pci_at(0)->bar[0].address = 0;
    cr_assert_null(pci_map_bar(pci_at(0), 0), "not assigned");
}

Test(pci_bar, a_64_bit_one_takes_two_registers)
{
    uint32_t was[] = {0x0000000c, 0x12, 0xfe000000};
    uint32_t ones[] = {0x0000000c, 0xfffffff0, 0xfff00000};
    struct pci_bar bar[3];

    pci_decode_bars(was, ones, 3, bar);
    cr_assert_eq(bar[0].address, UINT64_C(0x1200000000));
    cr_assert_eq(bar[0].size, UINT64_C(0x1000000000));
    cr_assert(bar[0].is_prefetchable);
    cr_assert_eq(bar[1].kind, PCI_BAR_NONE);
    cr_assert_eq(bar[2].size, 0x100000);
}

Test(pci_bar, a_64_bit_one_in_the_last_register_has_no_upper_half)
{
    uint32_t was[] = {0xe0000004}, ones[] = {0xffff0004};
    struct pci_bar bar[1];

    pci_decode_bars(was, ones, 1, bar);
    cr_assert_eq(bar[0].address, 0xe0000000);
    cr_assert_eq(bar[0].size, 0x10000);
}

Test(pci_bar, ports_of_16_and_of_32_bits_have_the_same_size)
{
    uint32_t was[] = {0xc001, 0xc041}, ones[] = {0x0000ffc1, 0xffffffc1};
    struct pci_bar bar[2];

    pci_decode_bars(was, ones, 2, bar);
    cr_assert_eq(bar[0].size, 0x40);
    cr_assert_eq(bar[1].size, 0x40);
}

Test(pci_bar, silence_and_all_ones_are_no_register)
{
    uint32_t was[] = {0, UINT32_MAX}, ones[] = {0, UINT32_MAX};
    struct pci_bar bar[2];

    pci_decode_bars(was, ones, 2, bar);
    cr_assert_eq(bar[0].kind, PCI_BAR_NONE);
    cr_assert_eq(bar[1].kind, PCI_BAR_NONE);
}

/* Messages: capabilities are a list, by offset of the next. */

enum { STATUS_CAPABILITIES = 0x10 << 16, MSI = 0x05, POWER = 0x01 };

static struct card *add_sender(uint32_t control)
{
    struct card *card = add_nic(0, 3);

    card->registers[1] |= STATUS_CAPABILITIES;
    card->registers[0x34 / 4] = 0xc8;
    card->registers[0xc8 / 4] = 0xd000 | POWER;
    card->registers[0xd0 / 4] = control << 16 | MSI;
    for (size_t i = 1; i < 6; i++)
        card->registers[0xd0 / 4 + i] = UINT32_MAX;
    pci_scan();
    pci_enable(pci_at(0));
    return card;
}

Test(msi, a_device_without_the_capability_has_no_messages)
{
    add_nic(0, 3);
    pci_scan();
    pci_enable(pci_at(0));
    cr_assert_not(msi_route(pci_at(0), 0x31, 0));
}

Test(msi, a_list_without_the_status_bit_is_none)
{
    struct card *card = add_nic(0, 3);

    card->registers[0x34 / 4] = 0xd0;
    card->registers[0xd0 / 4] = MSI;
    pci_scan();
    pci_enable(pci_at(0));
    cr_assert_eq(pci_at(0)->msi_capability, 0);
}

Test(msi, a_list_that_bites_its_tail_ends)
{
    struct card *card = add_nic(0, 3);

    card->registers[1] |= STATUS_CAPABILITIES;
    card->registers[0x34 / 4] = 0xc8;
    card->registers[0xc8 / 4] = 0xc800 | POWER;
    pci_scan();
    pci_enable(pci_at(0));
    cr_assert_eq(pci_at(0)->msi_capability, 0);
}

Test(msi, a_64_bit_message_names_apic_and_vector_and_silences_the_pin)
{
    struct card *card = add_sender(0x0080 | 3 << 1);
    const uint32_t *capability = &card->registers[0xd0 / 4];

    cr_assert(msi_route(pci_at(0), 0x31, 2));
    cr_assert_eq(capability[0] >> 16, 0x0080 | 3 << 1, "not enabled yet");
    cr_assert_eq(capability[1], 0xfee02000);
    cr_assert_eq(capability[2], 0);
    cr_assert_eq(capability[3], 0xffff0031, "the data are 16 bits");
    cr_assert_eq(capability[4], UINT32_MAX, "it has no masks");
    cr_assert(card->registers[1] & PCI_COMMAND_INTX_DISABLE);
    msi_set_masked(pci_at(0), false);
    cr_assert_eq(capability[0] >> 16, 0x0081 | 3 << 1);
    msi_set_masked(pci_at(0), true);
    cr_assert_eq(capability[0] >> 16, 0x0080 | 3 << 1);
}

Test(msi, a_32_bit_message_with_masks_is_left_unmasked_and_is_one)
{
    struct card *card = add_sender(0x0171); /* of firmware: eight, and on */
    const uint32_t *capability = &card->registers[0xd0 / 4];

    cr_assert(msi_route(pci_at(0), 0x44, 0));
    cr_assert_eq(capability[0] >> 16, 0x0100);
    cr_assert_eq(capability[1], 0xfee00000);
    cr_assert_eq(capability[2], 0xffff0044);
    cr_assert_eq(capability[3], 0);
}

Test(msi, an_apic_that_messages_cannot_name_is_not_routed_to)
{
    struct card *card = add_sender(0x0080);

    cr_assert_not(msi_route(pci_at(0), 0x31, 256));
    cr_assert_not(card->registers[1] & PCI_COMMAND_INTX_DISABLE);
}

Test(msi, enabling_the_device_again_leaves_its_pin_silent)
{
    struct card *card = add_sender(0x0080);

    cr_assert(msi_route(pci_at(0), 0x31, 0));
    card->registers[1] &= ~(uint32_t)PCI_COMMAND_BUS_MASTER;
    pci_enable(pci_at(0));
    cr_assert(card->registers[1] & PCI_COMMAND_BUS_MASTER);
    cr_assert(card->registers[1] & PCI_COMMAND_INTX_DISABLE);
}
