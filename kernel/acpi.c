/* SPDX-License-Identifier: MIT */
/*
 * Finding the ACPI tables (ACPI 6.5 section 5.2.5): RSDP from the boot loader
 * or by search, RSDT or XSDT, then each table by its signature. A table with
 * a bad length or checksum is named on the console and left out.
 */
#include "kernel/acpi.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/memory.h"
#include "kernel/power.h"

#include <string.h>

enum {
    EBDA_SEGMENT = 0x40E, /* where the BIOS keeps the EBDA's segment */
    EBDA_SEARCH_BYTES = 1024,
    BIOS_SEARCH_START = 0xE0000,
    BIOS_SEARCH_BYTES = 0x20000,
    RSDP_ALIGNMENT = 16,
    ROOT_ENTRIES_MAX = 256,

    PC_APIC = 0xFEE00000,
    PC_IOAPIC = 0xFEC00000,
};

static struct acpi_madt madt;
static struct acpi_hpet hpet;
static struct acpi_mcfg mcfg;
static struct acpi_fadt fadt;
static bool has_hpet, has_mcfg, has_fadt, has_madt;

static bool search_rsdp(uint64_t start, size_t bytes, struct acpi_root *root)
{
    const uint8_t *area = memory_map_firmware(start, bytes);

    if (area == NULL)
        return false;
    for (size_t i = 0; i + ACPI_RSDP_BYTES <= bytes; i += RSDP_ALIGNMENT) {
        if (acpi_parse_rsdp(area + i, bytes - i, root))
            return true;
    }
    return false;
}

static bool find_root(struct acpi_root *root)
{
    if (acpi_parse_rsdp(boot_info.rsdp_copy, boot_info.rsdp_copy_length, root))
        return true;
    if (boot_info.rsdp_physical != 0 &&
        search_rsdp(boot_info.rsdp_physical, ACPI_RSDP_2_BYTES, root))
        return true;
    const uint8_t *segment = memory_map_firmware(EBDA_SEGMENT, 2);
    if (segment != NULL) {
        uint64_t ebda = (uint64_t)(segment[0] | segment[1] << 8) << 4;
        if (ebda != 0 && search_rsdp(ebda, EBDA_SEARCH_BYTES, root))
            return true;
    }
    return search_rsdp(BIOS_SEARCH_START, BIOS_SEARCH_BYTES, root);
}

/* The whole table at a physical address; NULL, with a word, if it is bad. */
static const uint8_t *map_table(uint64_t address, size_t *length)
{
    const uint8_t *header = memory_map_firmware(address, ACPI_HEADER_BYTES);

    if (header == NULL)
        return NULL;
    *length = acpi_table_length(header);
    const uint8_t *table =
        *length != 0 ? memory_map_firmware(address, *length) : NULL;
    if (table == NULL || !acpi_is_sum_zero(table, *length)) {
        log_print(LOG_WARN, "acpi", "table at %#llx is damaged, left out",
                  (unsigned long long)address);
        return NULL;
    }
    return table;
}

static void read_table(uint64_t address)
{
    size_t length;
    const uint8_t *table = map_table(address, &length);

    if (table == NULL)
        return;
    if (acpi_has_signature(table, "APIC"))
        has_madt = acpi_parse_madt(table, length, &madt);
    else if (acpi_has_signature(table, "HPET"))
        has_hpet = acpi_parse_hpet(table, length, &hpet);
    else if (acpi_has_signature(table, "MCFG"))
        has_mcfg = acpi_parse_mcfg(table, length, &mcfg);
    else if (acpi_has_signature(table, "FACP"))
        has_fadt = acpi_parse_fadt(table, length, &fadt);
}

static void tell_power(void)
{
    struct power_registers registers = {
        .sleep_port_a = fadt.pm1a_control_port,
        .sleep_port_b = fadt.pm1b_control_port,
        .reset_port = fadt.reset_port,
        .reset_value = fadt.reset_value,
        .smi_port = fadt.smi_port,
        .acpi_enable = fadt.acpi_enable,
    };
    size_t length;
    const uint8_t *dsdt = fadt.dsdt != 0 ? map_table(fadt.dsdt, &length) : NULL;

    if (dsdt != NULL)
        registers.has_sleep_type = acpi_find_s5(
            dsdt, length, &registers.sleep_type_a, &registers.sleep_type_b);
    power_set_registers(&registers);
}

/* Every PC since the first multiprocessor ones has these two. */
static void assume_pc(void)
{
    madt = (struct acpi_madt){
        .apic_address = PC_APIC,
        .cpu_count = 1,
        .ioapic_count = 1,
        .ioapic = {{.address = PC_IOAPIC}},
        .override_count = 1,
        .override = {{.isa_line = 0, .gsi = 2}},
    };
}

static void read_all_tables(void)
{
    struct acpi_root root;
    size_t length;

    if (!find_root(&root)) {
        log_print(LOG_WARN, "acpi", "no tables found");
        return;
    }
    const uint8_t *table = map_table(root.address, &length);
    if (table == NULL)
        return;
    for (size_t i = 0; i < ROOT_ENTRIES_MAX; i++) {
        uint64_t entry = acpi_root_entry(table, length, root.entry_bytes, i);
        if (entry != 0)
            read_table(entry);
    }
}

void acpi_init(void)
{
    read_all_tables();
    if (!has_madt || madt.ioapic_count == 0) {
        log_print(LOG_WARN, "acpi",
                  "no interrupt controllers listed, "
                  "assuming those of a PC");
        assume_pc();
    }
    if (has_fadt)
        tell_power();
}

const struct acpi_madt *acpi_madt(void)
{
    return &madt;
}

const struct acpi_hpet *acpi_hpet(void)
{
    return has_hpet ? &hpet : NULL;
}

const struct acpi_mcfg *acpi_mcfg(void)
{
    return has_mcfg ? &mcfg : NULL;
}

const struct acpi_fadt *acpi_fadt(void)
{
    return has_fadt ? &fadt : NULL;
}
