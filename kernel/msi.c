/* SPDX-License-Identifier: MIT */
#include "kernel/msi.h"
#include "kernel/pci.h"

enum {
    CONTROL = 2, /* offsets in the capability */
    ADDRESS = 4,
    DATA_32 = 8, /* where addresses have 32 bits... */
    ADDRESS_UPPER = 8,
    DATA_64 = 12, /* ...and 64; vectors' masks follow */

    CONTROL_ENABLE = 1 << 0,
    CONTROL_COUNT = 7 << 4, /* of messages allowed; 0 is one */
    CONTROL_64_BIT = 1 << 7,
    CONTROL_MASKS = 1 << 8,

    APIC_ID_SHIFT = 12,
    APIC_ID_MAX = 0xFF, /* SDM 10.11.1: beyond, interrupts are remapped */
};

/* Edge-triggered, fixed delivery: nothing to add to the vector. */
#define APIC_ADDRESS UINT32_C(0xFEE00000)

static uint16_t register_at(const struct pci_device *device, uint16_t offset)
{
    return (uint16_t)(device->msi_capability + offset);
}

bool msi_route(const struct pci_device *device, uint8_t vector,
               uint32_t apic_id)
{
    if (device->msi_capability == 0 || apic_id > APIC_ID_MAX)
        return false;
    uint16_t control = pci_read16(device, register_at(device, CONTROL));
    uint16_t data = control & CONTROL_64_BIT ? DATA_64 : DATA_32;

    control &= (uint16_t) ~(CONTROL_ENABLE | CONTROL_COUNT);
    pci_write16(device, register_at(device, CONTROL), control);
    pci_write32(device, register_at(device, ADDRESS),
                APIC_ADDRESS | apic_id << APIC_ID_SHIFT);
    if (control & CONTROL_64_BIT)
        pci_write32(device, register_at(device, ADDRESS_UPPER), 0);
    pci_write16(device, register_at(device, data), vector);
    if (control & CONTROL_MASKS)
        pci_write32(device, register_at(device, (uint16_t)(data + 4)), 0);
    pci_write16(device, PCI_COMMAND,
                pci_read16(device, PCI_COMMAND) | PCI_COMMAND_INTX_DISABLE);
    return true;
}

void msi_set_masked(const struct pci_device *device, bool is_masked)
{
    uint16_t at = register_at(device, CONTROL);
    uint16_t control = pci_read16(device, at);

    control &= (uint16_t)~CONTROL_ENABLE;
    pci_write16(device, at,
                is_masked ? control : (uint16_t)(control | CONTROL_ENABLE));
}
