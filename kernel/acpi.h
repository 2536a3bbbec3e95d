/* SPDX-License-Identifier: MIT */
/*
 * What the firmware says about the machine: interrupt controllers, clocks,
 * configuration space, how to switch off. Finds and checks the tables; their
 * formats are in kernel/acpi_parse.h. A machine without ACPI gets what every
 * PC has.
 */
#pragma once

#include "kernel/acpi_parse.h"

/* Reads all tables, once; tells kernel/power.h how to switch off. */
void acpi_init(void);

/* Never NULL: without a table, what a PC without one looks like. */
const struct acpi_madt *acpi_madt(void);

/* NULL when the machine has none. */
const struct acpi_hpet *acpi_hpet(void);
const struct acpi_mcfg *acpi_mcfg(void);
const struct acpi_fadt *acpi_fadt(void);
