/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071), written out a second time on purpose, so
 * that an error in net/wire does not confirm itself.
 */
#include "tests/script/checksum.h"
#include "tests/script/bytes.h"

uint16_t internet_checksum(const uint8_t *bytes, size_t length, uint32_t sum)
{
    uint64_t wide = sum;

    for (size_t i = 0; i < length; i++)
        wide += i % 2 == 0 ? (uint64_t)bytes[i] << 8 : bytes[i];
    while (wide >> 16 != 0)
        wide = (wide & 0xffff) + (wide >> 16);
    return (uint16_t)~wide;
}

uint32_t pseudo_sum(const uint8_t *ip)
{
    uint32_t header = (uint32_t)(ip[0] & 0x0f) * 4;
    uint32_t sum = ip[9] + get16(ip + 2) - header;

    for (size_t i = 12; i < 20; i += 2)
        sum += get16(ip + i);
    return sum;
}
