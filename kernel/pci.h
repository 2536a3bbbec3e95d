/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space: who is on the bus, where its registers lie, and
 * reading and writing its settings. PCI Local Bus 3.0 section 6, PCI Express
 * 7.2.2 (ECAM). Left out: hot plug, resource assignment (firmware does it).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PCI_BAR_COUNT = 6,
    PCI_DEVICES_MAX = 64, /* more are counted and left alone */

    PCI_COMMAND = 0x04, /* offsets in configuration space */
    PCI_STATUS = 0x06,
    PCI_CAPABILITIES = 0x34,

    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_BUS_MASTER = 1 << 2,
    PCI_COMMAND_INTX_DISABLE = 1 << 10,

    PCI_CLASS_NETWORK = 0x02,
    PCI_SUBCLASS_ETHERNET = 0x00,
};

enum pci_bar_kind {
    PCI_BAR_NONE, /* not implemented, or the upper half of a 64-bit one */
    PCI_BAR_MEMORY,
    PCI_BAR_IO,
};

struct pci_bar {
    uint64_t address; /* 0: firmware assigned nothing */
    uint64_t size;
    enum pci_bar_kind kind;
    bool is_prefetchable;
};

struct pci_device {
    uint16_t segment;
    uint8_t bus;
    uint8_t slot;
    uint8_t function;

    uint16_t vendor;
    uint16_t device;
    uint16_t subsystem_vendor;
    uint16_t subsystem_device;
    uint8_t class_code;
    uint8_t subclass;
    uint8_t interface;
    uint8_t revision;

    uint8_t interrupt_pin;  /* 0 none, 1 A ... 4 D */
    uint8_t interrupt_line; /* ISA interrupt chosen by firmware, 0xFF none */

    /* Known after pci_enable(). */
    struct pci_bar bar[PCI_BAR_COUNT];
    uint8_t msi_capability; /* its offset; 0: none, or not to be used */
    bool is_sized;
};

/* Finds every device, behind bridges too; needs ACPI tables read before. */
void pci_scan(void);

size_t pci_count(void);
struct pci_device *pci_at(size_t index);

uint8_t pci_read8(const struct pci_device *device, uint16_t offset);
uint16_t pci_read16(const struct pci_device *device, uint16_t offset);
uint32_t pci_read32(const struct pci_device *device, uint16_t offset);
void pci_write16(const struct pci_device *device, uint16_t offset,
                 uint16_t value);
void pci_write32(const struct pci_device *device, uint16_t offset,
                 uint32_t value);

/* A driver claims the device: finds where its registers lie, how large they
 * are, and whether it has messages, and allows INTx; memory decoding and bus
 * mastering on, which alone is done when it is called again. */
void pci_enable(struct pci_device *device);

/* The registers behind a memory BAR, uncached; NULL if there are none. */
void *pci_map_bar(const struct pci_device *device, unsigned int index);
