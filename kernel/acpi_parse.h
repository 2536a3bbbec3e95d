/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables as bytes: pure functions over (bytes, length) that never read
 * past the length and take nothing in a table at its word. ACPI 6.5 sections
 * 5.2 (tables) and 7.4.2 (_Sx). Left out: AML, but for the _S5 package.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ACPI_HEADER_BYTES = 36,
    ACPI_RSDP_BYTES = 20,     /* revision 0 */
    ACPI_RSDP_2_BYTES = 36,   /* revision 2 and later */
    ACPI_TABLE_MAX = 1 << 20, /* DSDTs are large, a megabyte is a lie */
    ACPI_IOAPICS_MAX = 8,
    ACPI_OVERRIDES_MAX = 16,
    ACPI_SEGMENTS_MAX = 8,
    ACPI_ISA_LINES = 16,
};

struct acpi_root {
    uint64_t address;         /* of the RSDT or XSDT */
    unsigned int entry_bytes; /* 4: RSDT, 8: XSDT */
};

/* Where an ISA interrupt really arrives, and how. */
struct acpi_route {
    uint32_t gsi;
    bool is_level;
    bool is_active_low;
};

struct acpi_ioapic {
    uint64_t address;
    uint32_t gsi_base;
};

struct acpi_override {
    uint8_t isa_line;
    uint32_t gsi;
    uint16_t flags; /* polarity 1:0, trigger mode 3:2 */
};

struct acpi_madt {
    uint64_t apic_address;
    size_t cpu_count; /* enabled ones */
    size_t ioapic_count;
    struct acpi_ioapic ioapic[ACPI_IOAPICS_MAX];
    size_t override_count;
    struct acpi_override override[ACPI_OVERRIDES_MAX];
};

struct acpi_hpet {
    uint64_t address;
};

struct acpi_segment { /* one piece of memory mapped configuration space */
    uint64_t address; /* of bus 0, even if first_bus is not 0 */
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

struct acpi_mcfg {
    size_t count;
    struct acpi_segment segment[ACPI_SEGMENTS_MAX];
};

struct acpi_fadt { /* a port of 0 means there is none */
    uint64_t dsdt;
    uint16_t pm_timer_port;
    uint16_t smi_port;
    uint8_t acpi_enable;
    uint16_t pm1a_control_port, pm1b_control_port;
    uint16_t reset_port;
    uint8_t reset_value;
    bool has_century; /* the CMOS clock keeps one */
    uint8_t century_register;
};

/* Sums to zero modulo 256. */
bool acpi_is_sum_zero(const uint8_t *bytes, size_t length);

/* "RSD PTR ", checksums, and a root table's address that is not zero. */
bool acpi_parse_rsdp(const uint8_t *bytes, size_t length,
                     struct acpi_root *root);

/* The length a header claims, 0 if it is no plausible table. Needs only
 * ACPI_HEADER_BYTES bytes. */
size_t acpi_table_length(const uint8_t *header);

bool acpi_has_signature(const uint8_t *table, const char signature[4]);

/* Physical address of the index-th table a root table lists, 0 at the end. */
uint64_t acpi_root_entry(const uint8_t *table, size_t length,
                         unsigned int entry_bytes, size_t index);

/* These want a whole table, its length and checksum already verified; false
 * when it is too short to be of use. */
bool acpi_parse_madt(const uint8_t *table, size_t length,
                     struct acpi_madt *madt);
bool acpi_parse_hpet(const uint8_t *table, size_t length,
                     struct acpi_hpet *hpet);
bool acpi_parse_mcfg(const uint8_t *table, size_t length,
                     struct acpi_mcfg *mcfg);
bool acpi_parse_fadt(const uint8_t *table, size_t length,
                     struct acpi_fadt *fadt);

/* The sleep types of soft-off, found by shape in a DSDT or SSDT. */
bool acpi_find_s5(const uint8_t *table, size_t length, uint8_t *type_a,
                  uint8_t *type_b);

/* Follows the overrides. A PCI interrupt is level triggered whatever the bus
 * default of its line says. */
struct acpi_route acpi_route_isa(const struct acpi_madt *madt, uint8_t line,
                                 bool is_pci);
