/* SPDX-License-Identifier: MIT */
/*
 * The PCI bus. Configuration space is reached through ECAM where the MCFG
 * table covers the bus, else through the two ports (PCI 3.0 section 3.2.2.3).
 * Every bus behind a bridge is walked by the numbers firmware gave it.
 */
#include "kernel/pci.h"
#include "kernel/acpi.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/pci_bar.h"

enum {
    ADDRESS_PORT = 0xCF8,
    DATA_PORT = 0xCFC,

    VENDOR = 0x00,
    DEVICE = 0x02,
    REVISION = 0x08,
    INTERFACE = 0x09,
    SUBCLASS = 0x0A,
    CLASS = 0x0B,
    HEADER_TYPE = 0x0E,
    BAR_0 = 0x10,
    SECONDARY_BUS = 0x19,
    SUBSYSTEM_VENDOR = 0x2C,
    SUBSYSTEM_DEVICE = 0x2E,
    INTERRUPT_LINE = 0x3C,
    INTERRUPT_PIN = 0x3D,

    STATUS_CAPABILITIES = 1 << 4,
    CAPABILITY_MSI = 0x05, /* PCI 3.0 appendix H */
    CAPABILITY_FIRST = 0x40,
    CAPABILITIES_MAX = 48, /* as many have room */

    HEADER_MULTIFUNCTION = 1 << 7,
    HEADER_DEVICE = 0,
    HEADER_BRIDGE = 1,
    NO_VENDOR = 0xFFFF,

    BUSES = 256,
    SLOTS = 32,
    FUNCTIONS = 8,
    ECAM_BUS_BYTES = 1 << 20,
    ECAM_PORT_SEGMENT = 0, /* the one that the ports reach */
};

#define ADDRESS_ENABLE UINT32_C(0x80000000)

static struct pci_device devices[PCI_DEVICES_MAX];
static size_t device_count;
static size_t devices_ignored;

/* Of the segment being walked, and of the devices found: a megabyte each. */
static volatile uint8_t *ecam_bus[BUSES];

static volatile uint8_t *ecam_address(const struct pci_device *device,
                                      uint16_t offset)
{
    volatile uint8_t *bus = ecam_bus[device->bus];

    if (bus == NULL)
        return NULL;
    return bus + ((size_t)device->slot << 15) +
           ((size_t)device->function << 12) + offset;
}

/* Selects a doubleword and says where its byte `offset` appears. */
static uint16_t select_port(const struct pci_device *device, uint16_t offset)
{
    uint32_t address = ADDRESS_ENABLE | (uint32_t)device->bus << 16 |
                       (uint32_t)device->slot << 11 |
                       (uint32_t)device->function << 8 | (offset & 0xFC);

    cpu_out32(ADDRESS_PORT, address);
    return (uint16_t)(DATA_PORT + (offset & 3));
}

/* The two accesses through the ports must not be torn apart. */
uint32_t pci_read32(const struct pci_device *device, uint16_t offset)
{
    volatile uint8_t *address = ecam_address(device, offset);

    if (address != NULL)
        return mmio_read32(address);
    bool were_enabled = cpu_interrupts_save();
    uint32_t value = cpu_in32(select_port(device, offset));
    cpu_interrupts_restore(were_enabled);
    return value;
}

void pci_write32(const struct pci_device *device, uint16_t offset,
                 uint32_t value)
{
    volatile uint8_t *address = ecam_address(device, offset);

    if (address != NULL) {
        mmio_write32(address, value);
        return;
    }
    bool were_enabled = cpu_interrupts_save();
    cpu_out32(select_port(device, offset), value);
    cpu_interrupts_restore(were_enabled);
}

uint16_t pci_read16(const struct pci_device *device, uint16_t offset)
{
    uint32_t value = pci_read32(device, (uint16_t)(offset & ~3));

    return (uint16_t)(value >> (offset & 2) * 8);
}

uint8_t pci_read8(const struct pci_device *device, uint16_t offset)
{
    uint32_t value = pci_read32(device, (uint16_t)(offset & ~3));

    return (uint8_t)(value >> (offset & 3) * 8);
}

/* A narrow write must stay narrow: the neighbour may be a status register
 * whose ones clear it. */
void pci_write16(const struct pci_device *device, uint16_t offset,
                 uint16_t value)
{
    volatile uint8_t *address = ecam_address(device, offset);

    if (address != NULL) {
        mmio_write16(address, value);
        return;
    }
    bool were_enabled = cpu_interrupts_save();
    cpu_out16(select_port(device, offset), value);
    cpu_interrupts_restore(were_enabled);
}

/*
 * Writes ones and sees which stay (PCI 3.0 section 6.2.5.1), decoding off
 * meanwhile so that nothing appears at the address of ones. That takes the
 * device off the bus for a moment, in QEMU for most of a millisecond: it is
 * done when a driver claims the device, not to all of them.
 */
static void size_bars(struct pci_device *device)
{
    uint32_t was[PCI_BAR_COUNT], ones[PCI_BAR_COUNT];
    uint16_t command = pci_read16(device, PCI_COMMAND);

    pci_write16(device, PCI_COMMAND,
                (uint16_t)(command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)));
    for (unsigned int i = 0; i < PCI_BAR_COUNT; i++) {
        uint16_t offset = (uint16_t)(BAR_0 + 4 * i);
        was[i] = pci_read32(device, offset);
        pci_write32(device, offset, UINT32_MAX);
        ones[i] = pci_read32(device, offset);
        pci_write32(device, offset, was[i]);
    }
    pci_decode_bars(was, ones, PCI_BAR_COUNT, device->bar);
    device->is_sized = true;
}

/* PCI 3.0 section 6.7. 0: there is none. */
static uint8_t find_capability(const struct pci_device *device, uint8_t id)
{
    uint8_t at = pci_read8(device, PCI_CAPABILITIES);

    if ((pci_read16(device, PCI_STATUS) & STATUS_CAPABILITIES) == 0)
        return 0;
    for (int i = 0; i < CAPABILITIES_MAX && at >= CAPABILITY_FIRST; i++) {
        at &= (uint8_t)~3;
        if (pci_read8(device, at) == id)
            return at;
        at = pci_read8(device, (uint16_t)(at + 1));
    }
    return 0;
}

static void read_identity(struct pci_device *device)
{
    device->vendor = pci_read16(device, VENDOR);
    device->device = pci_read16(device, DEVICE);
    device->revision = pci_read8(device, REVISION);
    device->interface = pci_read8(device, INTERFACE);
    device->subclass = pci_read8(device, SUBCLASS);
    device->class_code = pci_read8(device, CLASS);
    device->interrupt_pin = pci_read8(device, INTERRUPT_PIN);
    device->interrupt_line = pci_read8(device, INTERRUPT_LINE);
}

/* Which buses still have to be walked: bridges can be told any number, so a
 * bus is walked once, however many bridges claim to lead to it. */
struct walk {
    bool is_known[BUSES];
    uint8_t queue[BUSES];
    size_t queued;
};

static void add_bus(struct walk *walk, uint8_t bus)
{
    if (walk->is_known[bus])
        return;
    walk->is_known[bus] = true;
    walk->queue[walk->queued++] = bus;
}

/* Returns the header type; the device is kept if there is room. */
static uint8_t add_device(struct pci_device found, struct walk *walk)
{
    uint8_t header = pci_read8(&found, HEADER_TYPE);

    read_identity(&found);
    switch (header & ~HEADER_MULTIFUNCTION) {
    case HEADER_DEVICE:
        found.subsystem_vendor = pci_read16(&found, SUBSYSTEM_VENDOR);
        found.subsystem_device = pci_read16(&found, SUBSYSTEM_DEVICE);
        break;
    case HEADER_BRIDGE:
        add_bus(walk, pci_read8(&found, SECONDARY_BUS));
        break;
    default: /* CardBus: not in any machine this runs on */
        break;
    }
    if (device_count < PCI_DEVICES_MAX)
        devices[device_count++] = found;
    else
        devices_ignored++;
    return header;
}

static void walk_bus(uint16_t segment, uint8_t bus, struct walk *walk)
{
    struct pci_device at = {.segment = segment, .bus = bus};

    for (at.slot = 0; at.slot < SLOTS; at.slot++) {
        for (at.function = 0; at.function < FUNCTIONS; at.function++) {
            if (pci_read16(&at, VENDOR) == NO_VENDOR) {
                if (at.function == 0)
                    break;
                continue;
            }
            uint8_t header = add_device(at, walk);
            if (at.function == 0 && (header & HEADER_MULTIFUNCTION) == 0)
                break;
        }
    }
}

/* ECAM for a bus, if the table offers it and it shows what the ports show: a
 * wrong table leads to all ones or to memory. */
static void open_ecam(uint8_t bus)
{
    const struct acpi_mcfg *mcfg = acpi_mcfg();
    struct pci_device first = {.bus = bus};

    for (size_t i = 0; mcfg != NULL && i < mcfg->count; i++) {
        const struct acpi_segment *segment = &mcfg->segment[i];
        if (segment->segment != ECAM_PORT_SEGMENT || bus < segment->first_bus ||
            bus > segment->last_bus)
            continue;
        uint32_t expected = pci_read32(&first, VENDOR);
        ecam_bus[bus] = memory_map_device(
            segment->address + (uint64_t)bus * ECAM_BUS_BYTES, ECAM_BUS_BYTES);
        if (ecam_bus[bus] == NULL)
            return;
        if (pci_read32(&first, VENDOR) != expected)
            ecam_bus[bus] = NULL;
        return;
    }
}

void pci_scan(void)
{
    static struct walk walk;
    size_t ecam_buses = 0;

    add_bus(&walk, 0);
    for (size_t i = 0; i < walk.queued; i++) {
        open_ecam(walk.queue[i]);
        if (ecam_bus[walk.queue[i]] != NULL)
            ecam_buses++;
        walk_bus(ECAM_PORT_SEGMENT, walk.queue[i], &walk);
    }
    log_print(LOG_INFO, "pci", "%zu devices on %zu buses, %zu by ECAM",
              device_count, walk.queued, ecam_buses);
    if (devices_ignored != 0)
        log_print(LOG_WARN, "pci", "%zu more devices ignored", devices_ignored);
}

size_t pci_count(void)
{
    return device_count;
}

struct pci_device *pci_at(size_t index)
{
    return index < device_count ? &devices[index] : NULL;
}

void pci_enable(struct pci_device *device)
{
    uint16_t command = pci_read16(device, PCI_COMMAND);

    if (!device->is_sized) {
        size_bars(device);
        device->msi_capability = find_capability(device, CAPABILITY_MSI);
        command &= (uint16_t)~PCI_COMMAND_INTX_DISABLE;
    }
    command |= PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER;
    pci_write16(device, PCI_COMMAND, command);
}

void *pci_map_bar(const struct pci_device *device, unsigned int index)
{
    if (index >= PCI_BAR_COUNT)
        return NULL;
    const struct pci_bar *bar = &device->bar[index];
    if (bar->kind != PCI_BAR_MEMORY || bar->address == 0)
        return NULL;
    return memory_map_device(bar->address, bar->size);
}
