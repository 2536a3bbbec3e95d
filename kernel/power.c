/* SPDX-License-Identifier: MIT */
/*
 * ACPI 6.5 sections 4.8.3.6 (reset register) and 4.8.3.2.1 (PM1 control);
 * before and behind them the PC's own: port 0xcf9 of the chip set, the
 * keyboard controller, and at last a fault nobody can handle.
 */
#include "kernel/power.h"

#include "kernel/console.h"
#include "kernel/cpu.h"

#include <stddef.h>
#include <string.h>

enum {
    PM1_SCI_ENABLE = 1 << 0,
    PM1_SLEEP_TYPE_SHIFT = 10,
    PM1_SLEEP_TYPE_MASK = 7 << PM1_SLEEP_TYPE_SHIFT,
    PM1_SLEEP_ENABLE = 1 << 13,

    RESET_CONTROL = 0xcf9,
    RESET_CONTROL_HARD = 0x02,
    RESET_CONTROL_GO = 0x06,
    KEYBOARD_COMMAND = 0x64,
    KEYBOARD_PULSE_RESET = 0xfe,

    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_COMMAND_ONE_SHOT_2 = 0xb0, /* channel 2, both bytes, mode 0 */
    PIT_GATE = 0x61,
    PIT_GATE_ENABLE = 0x01, /* and the speaker, bit 1, off */
    PIT_GATE_OUTPUT = 0x20,
    PIT_TICKS_PER_MS = 1193, /* 1.193182 MHz */

    /* Port reads per millisecond are below this on every machine; it ends
     * the wait where there is no PIT. */
    PIT_READS_MAX = 20000,

    SETTLE_MS = 100,
    ACPI_WAIT_MS = 300,
};

enum exit_action { EXIT_OFF, EXIT_RESET, EXIT_HALT, EXIT_ACTIONS };

static const char *const exit_names[EXIT_ACTIONS] = {"off", "reset", "halt"};
static enum exit_action exit_action;
static struct power_registers acpi;

void power_set_registers(const struct power_registers *registers)
{
    acpi = *registers;
}

static void wait_one_ms(void)
{
    cpu_out8(PIT_GATE, PIT_GATE_ENABLE);
    cpu_out8(PIT_COMMAND, PIT_COMMAND_ONE_SHOT_2);
    cpu_out8(PIT_CHANNEL_2, PIT_TICKS_PER_MS & 0xff);
    cpu_out8(PIT_CHANNEL_2, PIT_TICKS_PER_MS >> 8);
    for (unsigned reads = 0; reads < PIT_READS_MAX; reads++) {
        if ((cpu_in8(PIT_GATE) & PIT_GATE_OUTPUT) != 0)
            return;
        cpu_pause();
    }
}

void power_wait_ms(unsigned milliseconds)
{
    while (milliseconds-- > 0)
        wait_one_ms();
}

void power_reset(void)
{
    struct cpu_table_pointer no_vectors = {.limit = 0};

    cpu_interrupts_disable();
    if (acpi.reset_port != 0) {
        cpu_out8(acpi.reset_port, acpi.reset_value);
        power_wait_ms(SETTLE_MS);
    }
    cpu_out8(RESET_CONTROL, RESET_CONTROL_HARD);
    cpu_out8(RESET_CONTROL, RESET_CONTROL_GO);
    power_wait_ms(SETTLE_MS);
    cpu_out8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    power_wait_ms(SETTLE_MS);
    cpu_lidt(&no_vectors);
    cpu_breakpoint();
    for (;;)
        cpu_halt();
}

/* Some firmware leaves the registers without a function until asked. */
static void enter_acpi_mode(void)
{
    if (acpi.smi_port == 0 || acpi.acpi_enable == 0)
        return;
    if ((cpu_in16(acpi.sleep_port_a) & PM1_SCI_ENABLE) != 0)
        return;
    cpu_out8(acpi.smi_port, acpi.acpi_enable);
    for (unsigned i = 0; i < ACPI_WAIT_MS; i++) {
        if ((cpu_in16(acpi.sleep_port_a) & PM1_SCI_ENABLE) != 0)
            return;
        power_wait_ms(1);
    }
}

static void sleep_by(uint16_t port, uint8_t type)
{
    unsigned value;

    if (port == 0)
        return;
    value = cpu_in16(port) & ~(unsigned)PM1_SLEEP_TYPE_MASK;
    value |= (unsigned)type << PM1_SLEEP_TYPE_SHIFT & PM1_SLEEP_TYPE_MASK;
    cpu_out16(port, (uint16_t)(value | PM1_SLEEP_ENABLE));
}

void power_off(void)
{
    cpu_interrupts_disable();
    if (acpi.has_sleep_type && acpi.sleep_port_a != 0) {
        enter_acpi_mode();
        sleep_by(acpi.sleep_port_a, acpi.sleep_type_a);
        sleep_by(acpi.sleep_port_b, acpi.sleep_type_b);
    }
    power_wait_ms(SETTLE_MS);
    log_print(LOG_WARN, "power", "this machine cannot switch itself off");
    for (;;)
        cpu_halt();
}

void power_app_exited(int status)
{
    cpu_interrupts_disable();
    log_print(LOG_INFO, "app", "exited with status %d", status);
    if (exit_action == EXIT_OFF)
        power_off();
    if (exit_action == EXIT_RESET)
        power_reset();
    for (;;)
        cpu_halt();
}

static bool apply_exit(const char *name, const char *value)
{
    (void)name;
    for (unsigned i = 0; value != NULL && i < EXIT_ACTIONS; i++) {
        if (strcmp(value, exit_names[i]) == 0) {
            exit_action = (enum exit_action)i;
            return true;
        }
    }
    return false;
}

const struct command_word power_words[POWER_WORDS] = {{"exit", apply_exit}};
