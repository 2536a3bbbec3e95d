/* SPDX-License-Identifier: MIT */
/*
 * See console.h. `written` and `sent` count bytes for good; the place in the
 * ring is the remainder. What the port is too slow for is overwritten.
 */
#include "kernel/console.h"

#include "kernel/cpu.h"
#include "kernel/serial.h"
#include "libc/pure/format.h"

#include <string.h>

enum {
    RING_BYTES = 16384, /* a power of two */
    BURST_BYTES = 16,   /* between two looks at the interrupt flag */
    LEVEL_MAX = 15,
    TTY_PREFIX_BYTES = 4, /* "ttyS" */
};

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_US     UINT64_C(1000)

static char ring[RING_BYTES];
static uint64_t written, sent;
static bool is_sending, is_taken_over;
static long shown_below = LOG_LEVEL_DEFAULT;
static uint64_t (*clock_ns)(void);

/* Interrupts off. Returns the bytes in `burst`. */
static size_t next_burst(uint8_t burst[2 * BURST_BYTES])
{
    size_t length = 0;

    if (written - sent > RING_BYTES)
        sent = written - RING_BYTES;
    while (sent < written && length < BURST_BYTES) {
        char byte = ring[sent++ % RING_BYTES];

        if (byte == '\n')
            burst[length++] = '\r';
        burst[length++] = (uint8_t)byte;
    }
    return length;
}

static void send_burst(const uint8_t *burst, size_t length)
{
    while (length > 0) {
        size_t done = serial_write(burst, length);

        burst += done;
        length -= done;
    }
}

static void drain(void)
{
    bool were_enabled = cpu_interrupts_save();

    if (!is_sending || is_taken_over) {
        uint8_t burst[2 * BURST_BYTES];
        size_t length;

        is_sending = true;
        while ((length = next_burst(burst)) > 0) {
            cpu_interrupts_restore(were_enabled);
            send_burst(burst, length);
            cpu_interrupts_disable();
        }
        is_sending = false;
    }
    cpu_interrupts_restore(were_enabled);
}

static void put(const char *bytes, size_t length)
{
    bool were_enabled = cpu_interrupts_save();

    for (size_t i = 0; i < length; i++)
        ring[written++ % RING_BYTES] = bytes[i];
    cpu_interrupts_restore(were_enabled);
}

void console_start(void)
{
    (void)serial_start(0); /* without a port, the ring still remembers */
    drain();
}

void console_write(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t part = length < RING_BYTES / 2 ? length : RING_BYTES / 2;

        put(bytes, part);
        drain();
        bytes += part;
        length -= part;
    }
}

size_t console_read(char *bytes, size_t size)
{
    size_t length = 0;
    int byte;

    while (length < size && (byte = serial_read()) >= 0)
        bytes[length++] = (char)byte;
    return length;
}

size_t console_history(uint64_t *position, char *bytes, size_t size)
{
    bool were_enabled = cpu_interrupts_save();
    size_t length = 0;

    if (written - *position > RING_BYTES)
        *position = written - RING_BYTES;
    while (*position < written && length < size)
        bytes[length++] = ring[(*position)++ % RING_BYTES];
    cpu_interrupts_restore(were_enabled);
    return length;
}

void console_take_over(void)
{
    is_taken_over = true;
}

static bool is_shown(enum log_level level)
{
    return (long)level < shown_below;
}

int log_shown_below(void)
{
    return (int)shown_below;
}

void log_set_clock(uint64_t (*now_ns)(void))
{
    clock_ns = now_ns;
}

void log_print_list(enum log_level level, const char *part, const char *format,
                    va_list arguments)
{
    char line[LOG_LINE_BYTES];
    uint64_t now = clock_ns != NULL ? clock_ns() : 0;
    size_t length;

    if (!is_shown(level) && !is_taken_over)
        return;
    length = format_print(line, sizeof(line),
                          "[%5lu.%06lu] %s: ", now / NS_PER_SECOND,
                          now % NS_PER_SECOND / NS_PER_US, part);
    if (length < sizeof(line)) {
        length += format_text(line + length, sizeof(line) - length, format,
                              arguments);
    }
    if (length > sizeof(line) - 1)
        length = sizeof(line) - 1;
    line[length++] = '\n';
    put(line, length);
    drain();
}

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_print_list(level, part, format, arguments);
    va_end(arguments);
}

static bool apply_level(const char *name, const char *value)
{
    (void)name;
    return value != NULL &&
           command_line_number(value, 0, LEVEL_MAX, &shown_below);
}

static bool apply_quiet(const char *name, const char *value)
{
    (void)name;
    if (value != NULL)
        return false;
    shown_below = LOG_LEVEL_QUIET;
    return true;
}

static bool apply_debug(const char *name, const char *value)
{
    (void)name;
    if (value != NULL)
        return false;
    shown_below = LOG_DEBUG + 1;
    return true;
}

/* "ttyS1", "ttyS0,115200n8"; the speed is always 115200. A port that is not
 * there leaves the console where it was. */
static bool apply_console(const char *name, const char *value)
{
    long number;

    (void)name;
    if (value == NULL || strncmp(value, "ttyS", TTY_PREFIX_BYTES) != 0)
        return false;
    number = value[TTY_PREFIX_BYTES] - '0';
    value += TTY_PREFIX_BYTES;
    if (*value == '\0' || (value[1] != '\0' && value[1] != ','))
        return false;
    if (number == 0)
        return true; /* open already */
    if (number > 0 && serial_start((unsigned)number))
        return true;
    (void)serial_start(0);
    return false;
}

const struct command_word console_words[CONSOLE_WORDS] = {
    {"console", apply_console},
    {"loglevel", apply_level},
    {"quiet", apply_quiet},
    {"debug", apply_debug},
};
