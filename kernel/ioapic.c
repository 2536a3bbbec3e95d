/* SPDX-License-Identifier: MIT */
/*
 * IOAPICs (Intel 82093AA sections 3.0 to 3.2).
 */
#include "kernel/ioapic.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"

#include <stddef.h>

enum {
    SELECT = 0x00, /* the two registers in memory */
    WINDOW = 0x10,
    IOAPIC_BYTES = 0x20,

    VERSION = 0x01, /* what SELECT may choose */
    REDIRECTION = 0x10,

    ACTIVE_LOW = 1 << 13,
    LEVEL = 1 << 15,
    MASKED = 1 << 16,
    DESTINATION_SHIFT = 24,

    NOBODY = UINT8_MAX, /* version register of an absent IOAPIC: all ones */
};

struct ioapic {
    volatile uint8_t *registers;
    uint32_t gsi_base;
    uint32_t pins;
};

static struct ioapic ioapics[ACPI_IOAPICS_MAX];
static size_t ioapic_count;

static uint32_t read(const struct ioapic *ioapic, uint32_t index)
{
    mmio_write32(ioapic->registers + SELECT, index);
    return mmio_read32(ioapic->registers + WINDOW);
}

static void write(const struct ioapic *ioapic, uint32_t index, uint32_t value)
{
    mmio_write32(ioapic->registers + SELECT, index);
    mmio_write32(ioapic->registers + WINDOW, value);
}

static uint32_t entry_low(uint32_t pin)
{
    return REDIRECTION + 2 * pin;
}

static void add(const struct acpi_ioapic *found)
{
    struct ioapic ioapic = {
        .registers = memory_map_device(found->address, IOAPIC_BYTES),
        .gsi_base = found->gsi_base,
    };

    if (ioapic.registers == NULL)
        return;
    uint32_t version = read(&ioapic, VERSION);
    if ((version & UINT8_MAX) == NOBODY || version == 0) {
        log_print(LOG_WARN, "ioapic", "none at %#llx",
                  (unsigned long long)found->address);
        return;
    }
    ioapic.pins = (version >> 16 & UINT8_MAX) + 1;
    for (uint32_t pin = 0; pin < ioapic.pins; pin++)
        write(&ioapic, entry_low(pin), MASKED);
    ioapics[ioapic_count++] = ioapic;
}

uint32_t ioapic_init(const struct acpi_madt *madt)
{
    uint32_t pins = 0;

    for (size_t i = 0; i < madt->ioapic_count; i++)
        add(&madt->ioapic[i]);
    for (size_t i = 0; i < ioapic_count; i++)
        pins += ioapics[i].pins;
    return pins;
}

static const struct ioapic *find(uint32_t gsi)
{
    for (size_t i = 0; i < ioapic_count; i++) {
        if (gsi >= ioapics[i].gsi_base &&
            gsi - ioapics[i].gsi_base < ioapics[i].pins)
            return &ioapics[i];
    }
    return NULL;
}

bool ioapic_route(struct acpi_route route, uint8_t vector, uint32_t apic_id)
{
    const struct ioapic *ioapic = find(route.gsi);

    if (ioapic == NULL)
        return false;
    uint32_t low = MASKED | vector;
    if (route.is_level)
        low |= LEVEL;
    if (route.is_active_low)
        low |= ACTIVE_LOW;
    uint32_t pin = route.gsi - ioapic->gsi_base;
    write(ioapic, entry_low(pin), low);
    write(ioapic, entry_low(pin) + 1, apic_id << DESTINATION_SHIFT);
    return true;
}

void ioapic_set_masked(uint32_t gsi, bool is_masked)
{
    const struct ioapic *ioapic = find(gsi);

    if (ioapic == NULL)
        return;
    uint32_t index = entry_low(gsi - ioapic->gsi_base);
    uint32_t low = read(ioapic, index);
    write(ioapic, index, is_masked ? low | MASKED : low & ~(uint32_t)MASKED);
}
