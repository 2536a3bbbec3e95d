/* SPDX-License-Identifier: MIT */
#include "tests/unit/support_e1000_cut.h"

#include <criterion/criterion.h>
#include <string.h>

static uint32_t get(const uint8_t *bytes, unsigned int count)
{
    uint32_t value = 0;

    while (count-- > 0)
        value = value << 8 | *bytes++;
    return value;
}

static void put(uint8_t *bytes, unsigned int count, uint32_t value)
{
    while (count-- > 0) {
        bytes[count] = (uint8_t)value;
        value >>= 8;
    }
}

void fake_checksum(uint8_t *frame, uint32_t start, uint32_t end, uint32_t field)
{
    uint32_t sum = 0;

    for (uint32_t i = start; i < end; ++i)
        sum += (i - start) % 2 == 0 ? (uint32_t)frame[i] << 8 : frame[i];
    while (sum > 0xFFFF)
        sum = (sum & 0xFFFF) + (sum >> 16);
    put(frame + field, 2, ~sum & 0xFFFF);
}

uint32_t fake_cut(const struct fake_context *context, const uint8_t *large,
                  uint32_t index, uint8_t frame[FAKE_FRAME_MAX])
{
    uint32_t ip = context->offsets & 0xFF;
    uint32_t ip_field = context->offsets >> 8 & 0xFF;
    uint32_t ip_end = (context->offsets >> 16 & 0xFFFF) + 1;
    uint32_t tcp = context->offsets >> 32 & 0xFF;
    uint32_t field = context->offsets >> 40 & 0xFF;
    uint32_t done = index * context->mss;
    uint32_t text = context->payload - done;

    if (done >= context->payload)
        return 0;
    if (text > context->mss)
        text = context->mss;
    cr_assert_leq(context->header + text, FAKE_FRAME_MAX);
    cr_assert_eq(get(large + ip + 2, 2), 0, "the IP length is the chip's");
    cr_assert_eq(get(large + ip_field, 2), 0, "so is the checksum");
    cr_assert_eq(ip_end, tcp);
    memcpy(frame, large, context->header);
    memcpy(frame + context->header, large + context->header + done, text);
    put(frame + ip + 2, 2, context->header + text - ip);
    put(frame + ip + 4, 2, get(large + ip + 4, 2) + index);
    fake_checksum(frame, ip, ip_end, ip_field);
    put(frame + tcp + 4, 4, get(large + tcp + 4, 4) + done);
    if (done + text < context->payload)
        frame[tcp + 13] &= 0xF6; /* FIN, PSH */
    put(frame + field, 2, 0);
    uint32_t sum = get(large + field, 2) + context->header + text - tcp;
    put(frame + field, 2, (sum & 0xFFFF) + (sum >> 16));
    fake_checksum(frame, tcp, context->header + text, field);
    return context->header + text;
}
