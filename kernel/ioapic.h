/* SPDX-License-Identifier: MIT */
/*
 * IOAPICs (Intel 82093AA): global system interrupts in, vectors out. All pins
 * are masked at init; each is routed once and then masked and unmasked.
 */
#pragma once

#include "kernel/acpi_parse.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns how many pins there are in all. */
uint32_t ioapic_init(const struct acpi_madt *madt);

/* Points a pin at a vector of this CPU, masked; false when no IOAPIC has it. */
bool ioapic_route(struct acpi_route route, uint8_t vector, uint32_t apic_id);

void ioapic_set_masked(uint32_t gsi, bool is_masked);
