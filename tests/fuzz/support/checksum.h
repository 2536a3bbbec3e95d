/* SPDX-License-Identifier: MIT */
/*
 * Checksums as the harness puts them right: written out once more, so that
 * an error in net/wire does not confirm itself. The stack itself has no
 * special case for fuzzing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline uint32_t fuzz_sum(uint32_t sum, const uint8_t *bytes,
                                size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static inline void fuzz_put_sum(uint8_t *field, uint32_t sum)
{
    field[0] = (uint8_t)(~sum >> 8);
    field[1] = (uint8_t)~sum;
}

static inline void fuzz_put_16(uint8_t *field, size_t value)
{
    field[0] = (uint8_t)(value >> 8);
    field[1] = (uint8_t)value;
}

/* Length and checksum of one IPv4 packet and of the TCP, UDP or ICMP in it,
 * as far as they are there. */
void fuzz_repair_packet(uint8_t *ip, size_t length);
