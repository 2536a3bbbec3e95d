/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables that lie about their lengths, counts and addresses.
 * test-links: kernel/acpi_parse.c
 */
#include "kernel/acpi_parse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A table of exactly this many bytes on the heap, so that the address
 * sanitizer sees every byte read beyond it. */
static uint8_t *exact(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length != 0 ? length : 1);

    if (length != 0)
        memcpy(copy, bytes, length);
    return copy;
}

static void put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    put16(bytes, (uint16_t)value);
    put16(bytes + 2, (uint16_t)(value >> 16));
}

static void put64(uint8_t *bytes, uint64_t value)
{
    put32(bytes, (uint32_t)value);
    put32(bytes + 4, (uint32_t)(value >> 32));
}

static void fix_sum(uint8_t *bytes, size_t length, size_t at)
{
    uint8_t sum = 0;

    bytes[at] = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)(0U - sum);
}

static void make_rsdp(uint8_t rsdp[36], uint8_t revision, uint32_t rsdt,
                      uint64_t xsdt)
{
    memset(rsdp, 0, 36);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = revision;
    put32(rsdp + 16, rsdt);
    put32(rsdp + 20, 36);
    put64(rsdp + 24, xsdt);
    fix_sum(rsdp, 20, 8);
    fix_sum(rsdp, 36, 32);
}

Test(acpi_rsdp, revision_0_gives_the_rsdt)
{
    uint8_t rsdp[36];
    struct acpi_root root;

    make_rsdp(rsdp, 0, 0x7fe1000, 0x1234);
    cr_assert(acpi_parse_rsdp(rsdp, 20, &root));
    cr_assert_eq(root.address, 0x7fe1000);
    cr_assert_eq(root.entry_bytes, 4);
}

Test(acpi_rsdp, revision_2_gives_the_xsdt)
{
    uint8_t rsdp[36];
    struct acpi_root root;

    make_rsdp(rsdp, 2, 0x7fe1000, UINT64_C(0x17fe2000));
    cr_assert(acpi_parse_rsdp(rsdp, 36, &root));
    cr_assert_eq(root.address, UINT64_C(0x17fe2000));
    cr_assert_eq(root.entry_bytes, 8);
}

Test(acpi_rsdp, bad_extended_sum_falls_back_to_the_rsdt)
{
    uint8_t rsdp[36];
    struct acpi_root root;

    make_rsdp(rsdp, 2, 0x7fe1000, 0x17fe2000);
    rsdp[33] ^= 1;
    cr_assert(acpi_parse_rsdp(rsdp, 36, &root));
    cr_assert_eq(root.entry_bytes, 4);
}

Test(acpi_rsdp, claimed_length_beyond_the_bytes_is_not_followed)
{
    uint8_t rsdp[36];
    struct acpi_root root;

    make_rsdp(rsdp, 2, 0x7fe1000, 0x17fe2000);
    put32(rsdp + 20, UINT32_MAX);
    uint8_t *copy = exact(rsdp, sizeof(rsdp));
    cr_assert(acpi_parse_rsdp(copy, 36, &root));
    cr_assert_eq(root.entry_bytes, 4);
    free(copy);
}

Test(acpi_rsdp, wrong_signature_sum_or_null_root_is_refused)
{
    uint8_t rsdp[36];
    struct acpi_root root;

    make_rsdp(rsdp, 0, 0x1000, 0);
    cr_assert_not(acpi_parse_rsdp(rsdp, 19, &root));
    rsdp[0] = 'r';
    cr_assert_not(acpi_parse_rsdp(rsdp, 20, &root));
    make_rsdp(rsdp, 0, 0x1000, 0);
    rsdp[9]++;
    cr_assert_not(acpi_parse_rsdp(rsdp, 20, &root));
    make_rsdp(rsdp, 0, 0, 0);
    cr_assert_not(acpi_parse_rsdp(rsdp, 20, &root));
}

Test(acpi_table, implausible_lengths_are_none)
{
    uint8_t header[ACPI_HEADER_BYTES] = "APIC";

    put32(header + 4, 35);
    cr_assert_eq(acpi_table_length(header), 0);
    put32(header + 4, 36);
    cr_assert_eq(acpi_table_length(header), 36);
    put32(header + 4, ACPI_TABLE_MAX + 1);
    cr_assert_eq(acpi_table_length(header), 0);
    put32(header + 4, UINT32_MAX);
    cr_assert_eq(acpi_table_length(header), 0);
}

Test(acpi_table, root_entries_end_with_the_table)
{
    uint8_t table[36 + 8 + 4] = "XSDT";

    put64(table + 36, UINT64_C(0x1122334455));
    uint8_t *copy = exact(table, sizeof(table));
    cr_assert_eq(acpi_root_entry(copy, sizeof(table), 8, 0),
                 UINT64_C(0x1122334455));
    cr_assert_eq(acpi_root_entry(copy, sizeof(table), 8, 1), 0);
    cr_assert_eq(acpi_root_entry(copy, sizeof(table), 4, 0), 0x22334455);
    cr_assert_eq(acpi_root_entry(copy, sizeof(table), 4, 3), 0);
    cr_assert_eq(acpi_root_entry(copy, 20, 4, 0), 0);
    cr_assert_eq(acpi_root_entry(copy, sizeof(table), 8, SIZE_MAX), 0);
    free(copy);
}

/* What QEMU's pc describes: one CPU, one IOAPIC, lines 5 9 10 11 level. */
static size_t make_madt(uint8_t madt[256])
{
    static const uint8_t lines[] = {5, 9, 10, 11};
    size_t length = 44;

    memset(madt, 0, 256);
    memcpy(madt, "APIC", 4);
    put32(madt + 36, 0xfee00000);
    put32(madt + 40, 1);
    memcpy(madt + length, (uint8_t[]){0, 8, 0, 0, 1, 0, 0, 0}, 8);
    length += 8;
    memcpy(madt + length, (uint8_t[]){1, 12, 0, 0, 0, 0, 0xc0, 0xfe}, 8);
    length += 12;
    memcpy(madt + length, (uint8_t[]){2, 10, 0, 0, 2, 0, 0, 0, 0, 0}, 10);
    length += 10;
    for (size_t i = 0; i < sizeof(lines); i++) {
        uint8_t entry[] = {2, 10, 0, lines[i], lines[i], 0, 0, 0, 13, 0};
        memcpy(madt + length, entry, sizeof(entry));
        length += sizeof(entry);
    }
    return length;
}

Test(acpi_madt, a_pc_is_understood)
{
    uint8_t bytes[256];
    struct acpi_madt madt;
    size_t length = make_madt(bytes);

    cr_assert(acpi_parse_madt(bytes, length, &madt));
    cr_assert_eq(madt.apic_address, 0xfee00000);
    cr_assert_eq(madt.cpu_count, 1);
    cr_assert_eq(madt.ioapic_count, 1);
    cr_assert_eq(madt.ioapic[0].address, 0xfec00000);
    cr_assert_eq(madt.override_count, 5);
}

Test(acpi_madt, overrides_are_followed)
{
    uint8_t bytes[256];
    struct acpi_madt madt;

    cr_assert(acpi_parse_madt(bytes, make_madt(bytes), &madt));
    struct acpi_route timer = acpi_route_isa(&madt, 0, false);
    cr_assert_eq(timer.gsi, 2);
    cr_assert_not(timer.is_level);
    struct acpi_route line = acpi_route_isa(&madt, 11, true);
    cr_assert_eq(line.gsi, 11);
    cr_assert(line.is_level);
    cr_assert_not(line.is_active_low);
}

Test(acpi_madt, a_pci_line_is_level_without_an_override_and_low_on_a_native_pin)
{
    struct acpi_madt madt = {.override_count = 0};

    cr_assert(acpi_route_isa(&madt, 10, true).is_level);
    cr_assert_not(acpi_route_isa(&madt, 10, true).is_active_low);
    cr_assert_not(acpi_route_isa(&madt, 10, false).is_level);
    cr_assert(acpi_route_isa(&madt, 16, true).is_active_low);
}

Test(acpi_madt, active_low_overrides_are_seen)
{
    struct acpi_madt madt = {
        .override_count = 1,
        .override = {{.isa_line = 9, .gsi = 20, .flags = 0xF}},
    };

    cr_assert_eq(acpi_route_isa(&madt, 9, true).gsi, 20);
    cr_assert(acpi_route_isa(&madt, 9, true).is_active_low);
    cr_assert(acpi_route_isa(&madt, 9, false).is_level);
}

Test(acpi_madt, entries_of_length_0_or_1_or_past_the_end_stop_the_walk)
{
    static const uint8_t lies[] = {0, 1, 200};

    for (size_t i = 0; i < sizeof(lies); i++) {
        uint8_t bytes[256];
        struct acpi_madt madt;
        size_t length = make_madt(bytes);
        bytes[44 + 8 + 1] = lies[i]; /* the IOAPIC's length */
        uint8_t *copy = exact(bytes, length);
        cr_assert(acpi_parse_madt(copy, length, &madt));
        cr_assert_eq(madt.cpu_count, 1);
        cr_assert_eq(madt.ioapic_count, 0);
        free(copy);
    }
}

Test(acpi_madt, every_truncation_is_read_within_its_bounds)
{
    uint8_t bytes[256];
    size_t length = make_madt(bytes);

    for (size_t cut = 0; cut <= length; cut++) {
        struct acpi_madt madt;
        uint8_t *copy = exact(bytes, cut);
        cr_assert_eq(acpi_parse_madt(copy, cut, &madt), cut >= 44);
        cr_assert_leq(madt.override_count, 5);
        free(copy);
    }
}

Test(acpi_madt, an_entry_shorter_than_its_kind_is_skipped)
{
    uint8_t bytes[256];
    struct acpi_madt madt;

    make_madt(bytes);
    memcpy(bytes + 44, (uint8_t[]){1, 4, 0, 0, 2, 4, 0, 0, 0, 4, 0, 0}, 12);
    uint8_t *copy = exact(bytes, 56);
    cr_assert(acpi_parse_madt(copy, 56, &madt));
    cr_assert_eq(madt.ioapic_count + madt.override_count + madt.cpu_count, 0);
    free(copy);
}

Test(acpi_madt, more_entries_than_room_are_left_out)
{
    enum { COUNT = 40 };
    uint8_t bytes[44 + COUNT * 22] = "APIC";
    struct acpi_madt madt;

    for (size_t i = 0; i < COUNT; i++) {
        uint8_t *entry = bytes + 44 + i * 22;
        memcpy(entry, (uint8_t[]){1, 12}, 2);
        memcpy(entry + 12, (uint8_t[]){2, 10}, 2);
    }
    cr_assert(acpi_parse_madt(bytes, sizeof(bytes), &madt));
    cr_assert_eq(madt.ioapic_count, ACPI_IOAPICS_MAX);
    cr_assert_eq(madt.override_count, ACPI_OVERRIDES_MAX);
}

Test(acpi_mcfg, segments_are_listed_and_senseless_ones_are_not)
{
    uint8_t bytes[44 + 3 * 16 + 15] = "MCFG";
    struct acpi_mcfg mcfg;

    put64(bytes + 44, 0xb0000000);
    bytes[44 + 11] = 255;
    put64(bytes + 60, 0xc0000000); /* ends before it starts */
    bytes[60 + 10] = 9;
    bytes[60 + 11] = 8;
    uint8_t *copy = exact(bytes, sizeof(bytes)); /* the third has address 0 */
    cr_assert(acpi_parse_mcfg(copy, sizeof(bytes), &mcfg));
    cr_assert_eq(mcfg.count, 1);
    cr_assert_eq(mcfg.segment[0].address, 0xb0000000);
    cr_assert_eq(mcfg.segment[0].last_bus, 255);
    cr_assert_not(acpi_parse_mcfg(copy, 43, &mcfg));
    free(copy);
}

Test(acpi_hpet, only_an_address_in_memory_counts)
{
    uint8_t bytes[56] = "HPET";
    struct acpi_hpet hpet;

    put64(bytes + 44, 0xfed00000);
    cr_assert(acpi_parse_hpet(bytes, 56, &hpet));
    cr_assert_eq(hpet.address, 0xfed00000);
    cr_assert_not(acpi_parse_hpet(bytes, 51, &hpet));
    bytes[40] = 1; /* ports */
    cr_assert_not(acpi_parse_hpet(bytes, 56, &hpet));
}

Test(acpi_fadt, old_and_extended_fields)
{
    uint8_t bytes[244] = "FACP";
    struct acpi_fadt fadt;

    put32(bytes + 40, 0x7fe0000);
    put32(bytes + 48, 0xb2);
    bytes[52] = 0xf1;
    put32(bytes + 64, 0x604);
    put32(bytes + 76, 0x608);
    bytes[108] = 0x32;
    put32(bytes + 112, 1 << 10 | 1 << 8);
    bytes[116] = 1;
    put64(bytes + 120, 0xcf9);
    bytes[128] = 0xf;
    cr_assert(acpi_parse_fadt(bytes, 244, &fadt));
    cr_assert_eq(fadt.dsdt, 0x7fe0000);
    cr_assert_eq(fadt.smi_port, 0xb2);
    cr_assert_eq(fadt.pm_timer_port, 0x608);
    cr_assert_eq(fadt.pm1a_control_port, 0x604);
    cr_assert_eq(fadt.pm1b_control_port, 0);
    cr_assert_eq(fadt.reset_port, 0xcf9);
    cr_assert_eq(fadt.reset_value, 0xf);
    cr_assert_eq(fadt.century_register, 0x32);

    put64(bytes + 140, UINT64_C(0x17fe0000));
    bytes[208] = 1;
    put64(bytes + 212, 0xb008);
    cr_assert(acpi_parse_fadt(bytes, 244, &fadt));
    cr_assert_eq(fadt.dsdt, UINT64_C(0x17fe0000));
    cr_assert_eq(fadt.pm_timer_port, 0xb008);
}

Test(acpi_fadt, ports_beyond_the_ports_and_reset_in_memory_are_none)
{
    uint8_t bytes[244] = "FACP";
    struct acpi_fadt fadt;

    put32(bytes + 64, 0x10000);
    put32(bytes + 112, 1 << 10);
    put64(bytes + 120, 0xfe000000); /* space 0: memory */
    cr_assert(acpi_parse_fadt(bytes, 244, &fadt));
    cr_assert_eq(fadt.pm1a_control_port, 0);
    cr_assert_eq(fadt.reset_port, 0);
}

Test(acpi_fadt, every_truncation_is_read_within_its_bounds)
{
    uint8_t bytes[244];

    memset(bytes, 0xff, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        struct acpi_fadt fadt;
        uint8_t *copy = exact(bytes, cut);
        cr_assert_eq(acpi_parse_fadt(copy, cut, &fadt), cut >= 116);
        free(copy);
    }
}

static bool find_s5(const uint8_t *aml, size_t length, uint8_t *a, uint8_t *b)
{
    uint8_t bytes[128] = {0};

    memcpy(bytes, "DSDT", 4);
    memcpy(bytes + ACPI_HEADER_BYTES, aml, length);
    uint8_t *copy = exact(bytes, ACPI_HEADER_BYTES + length);
    bool is_found = acpi_find_s5(copy, ACPI_HEADER_BYTES + length, a, b);
    free(copy);
    return is_found;
}

Test(acpi_s5, all_forms_of_a_package_are_read)
{
    static const uint8_t zeroes[] = {0x08, '_',  'S', '5', '_', 0x12,
                                     0x06, 0x04, 0,   0,   0,   0};
    static const uint8_t bytes[] = {0x08, '_',  'S',  '5',  '_',  0x12, 0x0a,
                                    0x04, 0x0a, 0x05, 0x0a, 0x07, 0,    0};
    static const uint8_t long_length[] = {
        0x08, '_', 'S', '5', '_', 0x12, 0x47, 0x00, 0x02, 0x0b, 5, 0, 0x01};
    uint8_t a = 9, b = 9;

    cr_assert(find_s5(zeroes, sizeof(zeroes), &a, &b));
    cr_assert(a == 0 && b == 0);
    cr_assert(find_s5(bytes, sizeof(bytes), &a, &b));
    cr_assert(a == 5 && b == 7);
    cr_assert(find_s5(long_length, sizeof(long_length), &a, &b));
    cr_assert(a == 5 && b == 1);
}

Test(acpi_s5, a_name_without_its_package_or_cut_off_is_not_taken)
{
    static const uint8_t whole[] = {0x08, '_',  'S',  '5',  '_',  0x12,
                                    0x0a, 0x04, 0x0a, 0x05, 0x0a, 0x07};
    uint8_t a, b;

    cr_assert_not(find_s5((const uint8_t *)"_S5_x____", 9, &a, &b));
    for (size_t cut = 0; cut < 10; cut++)
        cr_assert_not(find_s5(whole, cut, &a, &b));
    cr_assert(find_s5(whole, 11, &a, &b));
    cr_assert(a == 5 && b == 0);
}
