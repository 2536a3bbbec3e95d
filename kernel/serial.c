/* SPDX-License-Identifier: MIT */
/*
 * See serial.h. Interrupts of the port stay off: output waits for the FIFO,
 * input is asked for by whoever wants it.
 */
#include "kernel/serial.h"

#include "kernel/attributes.h"
#include "kernel/cpu.h"

enum {
    /* Registers, PC16550D table II. */
    DATA = 0,
    INTERRUPT_ENABLE = 1,
    DIVISOR_LOW = 0, /* while LINE_CONTROL_DIVISOR is set */
    DIVISOR_HIGH = 1,
    FIFO_CONTROL = 2,
    LINE_CONTROL = 3,
    MODEM_CONTROL = 4,
    LINE_STATUS = 5,
    SCRATCH = 7,

    FIFO_CONTROL_ENABLE_AND_CLEAR = 0x07,
    LINE_CONTROL_8N1 = 0x03,
    LINE_CONTROL_DIVISOR = 0x80,
    MODEM_CONTROL_READY = 0x0b, /* DTR, RTS, OUT2 */
    LINE_STATUS_RECEIVED = 0x01,
    LINE_STATUS_EMPTY = 0x20,

    DIVISOR_115200 = 1,
    FIFO_BYTES = 16,
    SCRATCH_PATTERN = 0x5a,

    /* A port access takes about 1 us on hardware; 16 bytes take 1.4 ms. */
    WAIT_TURNS = 100000,
};

static const uint16_t ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
static uint16_t port; /* 0: none */

static uint8_t get(uint16_t reg)
{
    return cpu_in8((uint16_t)(port + reg));
}

static void put(uint16_t reg, uint8_t value)
{
    cpu_out8((uint16_t)(port + reg), value);
}

bool serial_start(unsigned number)
{
    port = number < ARRAY_COUNT(ports) ? ports[number] : 0;
    if (port == 0)
        return false;
    put(SCRATCH, SCRATCH_PATTERN);
    if (get(SCRATCH) != SCRATCH_PATTERN) {
        port = 0;
        return false;
    }
    put(INTERRUPT_ENABLE, 0);
    put(LINE_CONTROL, LINE_CONTROL_DIVISOR);
    put(DIVISOR_LOW, DIVISOR_115200);
    put(DIVISOR_HIGH, 0);
    put(LINE_CONTROL, LINE_CONTROL_8N1);
    put(FIFO_CONTROL, FIFO_CONTROL_ENABLE_AND_CLEAR);
    put(MODEM_CONTROL, MODEM_CONTROL_READY);
    return true;
}

size_t serial_write(const uint8_t *bytes, size_t length)
{
    unsigned turns = 0;

    if (length > FIFO_BYTES)
        length = FIFO_BYTES;
    if (port == 0)
        return length;
    while ((get(LINE_STATUS) & LINE_STATUS_EMPTY) == 0) {
        if (turns++ == WAIT_TURNS)
            return length;
        cpu_pause();
    }
    for (size_t i = 0; i < length; i++)
        put(DATA, bytes[i]);
    return length;
}

int serial_read(void)
{
    if (port == 0 || (get(LINE_STATUS) & LINE_STATUS_RECEIVED) == 0)
        return -1;
    return get(DATA);
}
