/* SPDX-License-Identifier: MIT */
/*
 * A 16550 serial port (National Semiconductor PC16550D), polled, 115200 8N1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Selects ttyS0 to ttyS3. False when nothing answers there. */
bool serial_start(unsigned number);

/* Sends up to a FIFO full once there is room; returns how many were sent.
 * A port that stays busy too long loses them. */
size_t serial_write(const uint8_t *bytes, size_t length);

/* One received byte, or -1. */
int serial_read(void);
