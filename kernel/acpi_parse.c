/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables as bytes (ACPI 6.5 section 5.2). Every field is read through
 * a bounds-checked position, so a table may lie about everything inside it.
 */
#include "kernel/acpi_parse.h"

#include <string.h>

enum {
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_LENGTH = 20,
    RSDP_XSDT = 24,

    MADT_ENTRIES = 44,
    MADT_LOCAL_APIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_APIC_ADDRESS = 5,
    MADT_LOCAL_X2APIC = 9,
    MADT_CPU_ENABLED = 1 << 0,

    FLAGS_POLARITY = 3,
    FLAGS_ACTIVE_LOW = 3,
    FLAGS_TRIGGER = 3 << 2,
    FLAGS_EDGE = 1 << 2,
    FLAGS_LEVEL = 3 << 2,

    MCFG_ENTRIES = 44,
    MCFG_ENTRY_BYTES = 16,

    HPET_ADDRESS = 40, /* a generic address structure */

    FADT_DSDT = 40,
    FADT_SMI_PORT = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_PM_TIMER = 76,
    FADT_CENTURY = 108,
    FADT_FLAGS = 112,
    FADT_REVISION_1_BYTES = 116,
    FADT_RESET_REGISTER = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    FADT_X_PM_TIMER = 208,
    FADT_RESET_SUPPORTED = 1 << 10,

    GAS_BYTES = 12, /* generic address structure, 5.2.3.2 */
    GAS_ADDRESS = 4,
    GAS_MEMORY = 0,
    GAS_IO = 1,

    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_BYTE = 0x0A,
    AML_WORD = 0x0B,
    AML_DWORD = 0x0C,
    AML_PACKAGE = 0x12,
};

static uint16_t read16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t read32(const uint8_t *bytes)
{
    return read16(bytes) | (uint32_t)read16(bytes + 2) << 16;
}

static uint64_t read64(const uint8_t *bytes)
{
    return read32(bytes) | (uint64_t)read32(bytes + 4) << 32;
}

bool acpi_is_sum_zero(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

bool acpi_parse_rsdp(const uint8_t *bytes, size_t length,
                     struct acpi_root *root)
{
    if (length < ACPI_RSDP_BYTES || memcmp(bytes, "RSD PTR ", 8) != 0)
        return false;
    if (!acpi_is_sum_zero(bytes, ACPI_RSDP_BYTES))
        return false;
    root->address = read32(bytes + RSDP_RSDT);
    root->entry_bytes = 4;
    if (bytes[RSDP_REVISION] < 2 || length < ACPI_RSDP_2_BYTES)
        return root->address != 0;

    uint32_t claimed = read32(bytes + RSDP_LENGTH);
    uint64_t xsdt = read64(bytes + RSDP_XSDT);
    if (claimed >= ACPI_RSDP_2_BYTES && claimed <= length && xsdt != 0 &&
        acpi_is_sum_zero(bytes, claimed)) {
        root->address = xsdt;
        root->entry_bytes = 8;
    }
    return root->address != 0;
}

size_t acpi_table_length(const uint8_t *header)
{
    uint32_t length = read32(header + 4);

    if (length < ACPI_HEADER_BYTES || length > ACPI_TABLE_MAX)
        return 0;
    return length;
}

bool acpi_has_signature(const uint8_t *table, const char signature[4])
{
    return memcmp(table, signature, 4) == 0;
}

uint64_t acpi_root_entry(const uint8_t *table, size_t length,
                         unsigned int entry_bytes, size_t index)
{
    if (length < ACPI_HEADER_BYTES)
        return 0;
    if (index >= (length - ACPI_HEADER_BYTES) / entry_bytes)
        return 0;
    const uint8_t *entry = table + ACPI_HEADER_BYTES + index * entry_bytes;
    return entry_bytes == 8 ? read64(entry) : read32(entry);
}

static void parse_ioapic(const uint8_t *entry, struct acpi_madt *madt)
{
    if (madt->ioapic_count == ACPI_IOAPICS_MAX)
        return;
    struct acpi_ioapic *ioapic = &madt->ioapic[madt->ioapic_count++];
    ioapic->address = read32(entry + 4);
    ioapic->gsi_base = read32(entry + 8);
}

static void parse_override(const uint8_t *entry, struct acpi_madt *madt)
{
    if (madt->override_count == ACPI_OVERRIDES_MAX)
        return;
    if (entry[2] != 0) /* any bus but ISA: undefined */
        return;
    struct acpi_override *override = &madt->override[madt->override_count++];
    override->isa_line = entry[3];
    override->gsi = read32(entry + 4);
    override->flags = read16(entry + 8);
}

static void parse_madt_entry(const uint8_t *entry, size_t length,
                             struct acpi_madt *madt)
{
    switch (entry[0]) {
    case MADT_LOCAL_APIC:
        if (length >= 8 && read32(entry + 4) & MADT_CPU_ENABLED)
            madt->cpu_count++;
        break;
    case MADT_LOCAL_X2APIC:
        if (length >= 16 && read32(entry + 8) & MADT_CPU_ENABLED)
            madt->cpu_count++;
        break;
    case MADT_IOAPIC:
        if (length >= 12)
            parse_ioapic(entry, madt);
        break;
    case MADT_OVERRIDE:
        if (length >= 10)
            parse_override(entry, madt);
        break;
    case MADT_APIC_ADDRESS:
        if (length >= 12)
            madt->apic_address = read64(entry + 4);
        break;
    default: /* NMI sources, other architectures: of no use here */
        break;
    }
}

bool acpi_parse_madt(const uint8_t *table, size_t length,
                     struct acpi_madt *madt)
{
    memset(madt, 0, sizeof(*madt));
    if (length < MADT_ENTRIES)
        return false;
    madt->apic_address = read32(table + ACPI_HEADER_BYTES);

    size_t position = MADT_ENTRIES;
    while (length - position >= 2) {
        size_t entry_length = table[position + 1];
        if (entry_length < 2 || entry_length > length - position)
            break; /* the rest cannot be trusted either */
        parse_madt_entry(table + position, entry_length, madt);
        position += entry_length;
    }
    return true;
}

/* An address structure's address, 0 if it is absent or in another space. */
static uint64_t read_gas(const uint8_t *table, size_t length, size_t position,
                         uint8_t space)
{
    if (length < position + GAS_BYTES || table[position] != space)
        return 0;
    return read64(table + position + GAS_ADDRESS);
}

bool acpi_parse_hpet(const uint8_t *table, size_t length,
                     struct acpi_hpet *hpet)
{
    hpet->address = read_gas(table, length, HPET_ADDRESS, GAS_MEMORY);
    return hpet->address != 0;
}

bool acpi_parse_mcfg(const uint8_t *table, size_t length,
                     struct acpi_mcfg *mcfg)
{
    memset(mcfg, 0, sizeof(*mcfg));
    if (length < MCFG_ENTRIES)
        return false;
    size_t count = (length - MCFG_ENTRIES) / MCFG_ENTRY_BYTES;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = table + MCFG_ENTRIES + i * MCFG_ENTRY_BYTES;
        struct acpi_segment found = {
            .address = read64(entry),
            .segment = read16(entry + 8),
            .first_bus = entry[10],
            .last_bus = entry[11],
        };
        if (found.address == 0 || found.first_bus > found.last_bus)
            continue;
        if (mcfg->count < ACPI_SEGMENTS_MAX)
            mcfg->segment[mcfg->count++] = found;
    }
    return mcfg->count != 0;
}

/* A port from the extended field if there is one, else from the old field. */
static uint16_t read_port(const uint8_t *table, size_t length, size_t extended,
                          size_t old)
{
    uint64_t port = read_gas(table, length, extended, GAS_IO);

    if (port == 0)
        port = read32(table + old);
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

bool acpi_parse_fadt(const uint8_t *table, size_t length,
                     struct acpi_fadt *fadt)
{
    memset(fadt, 0, sizeof(*fadt));
    if (length < FADT_REVISION_1_BYTES)
        return false;
    uint32_t flags = read32(table + FADT_FLAGS);

    fadt->dsdt = read32(table + FADT_DSDT);
    if (length >= FADT_X_DSDT + 8 && read64(table + FADT_X_DSDT) != 0)
        fadt->dsdt = read64(table + FADT_X_DSDT);
    fadt->pm_timer_port =
        read_port(table, length, FADT_X_PM_TIMER, FADT_PM_TIMER);
    if (read32(table + FADT_SMI_PORT) <= UINT16_MAX)
        fadt->smi_port = read16(table + FADT_SMI_PORT);
    fadt->acpi_enable = table[FADT_ACPI_ENABLE];
    fadt->pm1a_control_port =
        read_port(table, length, FADT_X_PM1A_CONTROL, FADT_PM1A_CONTROL);
    fadt->pm1b_control_port =
        read_port(table, length, FADT_X_PM1B_CONTROL, FADT_PM1B_CONTROL);
    if (flags & FADT_RESET_SUPPORTED && length > FADT_RESET_VALUE) {
        uint64_t port = read_gas(table, length, FADT_RESET_REGISTER, GAS_IO);
        fadt->reset_port = port <= UINT16_MAX ? (uint16_t)port : 0;
        fadt->reset_value = table[FADT_RESET_VALUE];
    }
    fadt->century_register = table[FADT_CENTURY];
    fadt->has_century = fadt->century_register != 0;
    return true;
}

/* One integer of a package; false if it is anything else or cut off. */
static bool read_aml_integer(const uint8_t *table, size_t length,
                             size_t *position, uint8_t *value)
{
    if (length - *position < 1)
        return false;
    uint8_t opcode = table[(*position)++];
    size_t bytes = 0;

    if (opcode == AML_ZERO || opcode == AML_ONE) {
        *value = opcode;
        return true;
    }
    if (opcode == AML_BYTE)
        bytes = 1;
    else if (opcode == AML_WORD)
        bytes = 2;
    else if (opcode == AML_DWORD)
        bytes = 4;
    if (bytes == 0 || length - *position < bytes)
        return false;
    *value = table[*position];
    *position += bytes;
    return true;
}

/* Name (_S5, Package (n) {a, b, ...}): 20.2.5.4; PkgLength takes 1..4 bytes,
 * the top two bits of the first tell how many follow. */
static bool parse_s5_package(const uint8_t *table, size_t length,
                             size_t position, uint8_t *type_a, uint8_t *type_b)
{
    if (length - position < 3 || table[position] != AML_PACKAGE)
        return false;
    size_t skip = 2 + (size_t)(table[position + 1] >> 6);
    if (length - position < skip + 1)
        return false;
    uint8_t elements = table[position + skip];
    position += skip + 1;
    if (elements < 1 || !read_aml_integer(table, length, &position, type_a))
        return false;
    if (elements < 2 || !read_aml_integer(table, length, &position, type_b))
        *type_b = 0;
    return true;
}

bool acpi_find_s5(const uint8_t *table, size_t length, uint8_t *type_a,
                  uint8_t *type_b)
{
    for (size_t i = ACPI_HEADER_BYTES; i + 4 < length; i++) {
        if (memcmp(table + i, "_S5_", 4) == 0 &&
            parse_s5_package(table, length, i + 4, type_a, type_b))
            return true;
    }
    return false;
}

struct acpi_route acpi_route_isa(const struct acpi_madt *madt, uint8_t line,
                                 bool is_pci)
{
    /* The lines of an ISA bus: edge, active high. A PCI interrupt that the
     * chipset leads to one of them is level, and high again. */
    struct acpi_route route = {
        .gsi = line,
        .is_level = is_pci,
        .is_active_low = is_pci && line >= ACPI_ISA_LINES, /* a native pin */
    };

    for (size_t i = 0; i < madt->override_count; i++) {
        const struct acpi_override *override = &madt->override[i];
        if (override->isa_line != line)
            continue;
        route.gsi = override->gsi;
        route.is_active_low =
            (override->flags & FLAGS_POLARITY) == FLAGS_ACTIVE_LOW;
        if ((override->flags & FLAGS_TRIGGER) == FLAGS_LEVEL)
            route.is_level = true;
        if ((override->flags & FLAGS_TRIGGER) == FLAGS_EDGE && !is_pci)
            route.is_level = false;
        break;
    }
    return route;
}
