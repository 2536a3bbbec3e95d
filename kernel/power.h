/* SPDX-License-Identifier: MIT */
/*
 * Reset and power off, by the ACPI registers when they are known and by the
 * older ways of the PC after that.
 */
#pragma once

#include "kernel/attributes.h"
#include "kernel/command_line.h"

#include <stdbool.h>
#include <stdint.h>

/* From the FADT and the _S5 package; a port of 0 means there is none. */
struct power_registers {
    uint16_t sleep_port_a, sleep_port_b; /* PM1a_CNT_BLK, PM1b_CNT_BLK */
    uint8_t sleep_type_a, sleep_type_b;  /* SLP_TYPa, SLP_TYPb */
    bool has_sleep_type;
    uint16_t reset_port; /* RESET_REG when it is an I/O port */
    uint8_t reset_value;
    uint16_t smi_port; /* SMI_CMD, to enter ACPI mode first */
    uint8_t acpi_enable;
};

void power_set_registers(const struct power_registers *registers);

_Noreturn void power_reset(void);

/* Halts when the machine has no way to switch itself off. */
_Noreturn void power_off(void);

/*
 * The app has returned or called exit(): says so, then does what the word
 * exit= wants: "off" (the default), "reset" or "halt".
 */
_Noreturn void power_app_exited(int status);

/* Busy waiting by the PIT, for when nothing else works any more. */
void power_wait_ms(unsigned milliseconds);

/* The word "exit=". */
extern const struct command_word power_words[];
enum { POWER_WORDS = 1 };
