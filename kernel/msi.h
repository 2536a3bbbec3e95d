/* SPDX-License-Identifier: MIT */
/*
 * Interrupts by message, PCI Local Bus 3.0 section 6.8.1: a device writes its
 * vector to the local APIC, and shares no line with anybody. One message a
 * device. Left out: MSI-X, which pays where a device has several queues.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pci_device;

/* The device's messages carry this vector to this APIC; masked until
 * msi_set_masked() says otherwise, and its INTx pin is silent from now on.
 * False: it has no such messages, or they cannot name that APIC. */
bool msi_route(const struct pci_device *device, uint8_t vector,
               uint32_t apic_id);

/* Only after msi_route() was true. */
void msi_set_masked(const struct pci_device *device, bool is_masked);
