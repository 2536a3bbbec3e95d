/* SPDX-License-Identifier: MIT */
/*
 * Inputs that are lists of records, and a mutator for them: it changes one
 * frame or control byte, drops or doubles a record, and half of the time puts
 * lengths and checksums right again, so that changes get past the first
 * checks.
 */
#include "tests/fuzz/support/records.h"

#include "tests/fuzz/support/checksum.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned int seed);

enum {
    HEADER = 3,
    ETHERNET = 14,
    RECORDS = 64,
    LENGTH_MAX = 0x7ff,
};

struct record {
    size_t at;
    size_t length; /* of the frame */
};

static size_t record_end(const struct record *record)
{
    return record->at + HEADER + record->length;
}

void fuzz_repair_packet(uint8_t *ip, size_t length)
{
    size_t header = (size_t)(ip[0] & 15) * 4;
    uint32_t sum = 0;

    if (length < 20 || header < 20 || header > length)
        return;
    fuzz_put_16(ip + 2, length);
    memset(ip + 10, 0, 2);
    fuzz_put_sum(ip + 10, fuzz_sum(0, ip, header));
    uint8_t *payload = ip + header;
    size_t rest = length - header;
    size_t field = ip[9] == 1 ? 2 : ip[9] == 17 ? 6 : 16;
    if ((ip[9] != 1 && ip[9] != 6 && ip[9] != 17) || rest < field + 2)
        return;
    if (ip[9] == 17)
        fuzz_put_16(payload + 4, rest);
    if (ip[9] != 1)
        sum = fuzz_sum((uint32_t)rest + ip[9], ip + 12, 8);
    memset(payload + field, 0, 2);
    fuzz_put_sum(payload + field, fuzz_sum(sum, payload, rest));
}

static size_t find(const uint8_t *data, size_t size,
                   struct record records[RECORDS])
{
    size_t count = 0;

    for (size_t at = 0; count < RECORDS && size - at >= HEADER;) {
        size_t length = data[at + 1] | (size_t)(data[at + 2] & 7) << 8;
        if (length > size - at - HEADER)
            length = size - at - HEADER;
        records[count] = (struct record){at, length};
        at = record_end(&records[count++]);
    }
    return count;
}

void fuzz_each_record(const uint8_t *data, size_t size, size_t longest,
                      void (*take)(uint8_t control, const uint8_t *frame,
                                   size_t length))
{
    struct record records[RECORDS];
    size_t count = find(data, size, records);

    for (size_t i = 0; i < count; i++) {
        const uint8_t *record = data + records[i].at;
        size_t length = records[i].length;

        take(record[0], record + HEADER, length < longest ? length : longest);
    }
}

/* Makes the frame `length` long; what follows moves. */
static size_t resize(uint8_t *data, size_t size, const struct record *record,
                     size_t length)
{
    uint8_t *end = data + record->at + HEADER + record->length;
    size_t rest = size - record_end(record);

    memmove(data + record->at + HEADER + length, end, rest);
    data[record->at + 1] = (uint8_t)length;
    data[record->at + 2] = (uint8_t)((data[record->at + 2] & ~7) | length >> 8);
    return record->at + HEADER + length + rest;
}

static size_t mutate_frame(uint8_t *data, size_t size, size_t max_size,
                           const struct record *record)
{
    uint8_t frame[LENGTH_MAX];
    size_t most = record->length + (max_size - size);

    if (most == 0)
        return size; /* libFuzzer would add an octet all the same */
    memcpy(frame, data + record->at + HEADER, record->length);
    size_t length = LLVMFuzzerMutate(frame, record->length,
                                     most < LENGTH_MAX ? most : LENGTH_MAX);
    size = resize(data, size, record, length);
    memcpy(data + record->at + HEADER, frame, length);
    return size;
}

static size_t drop_record(uint8_t *data, size_t size,
                          const struct record *record)
{
    memmove(data + record->at, data + record_end(record),
            size - record_end(record));
    return size - HEADER - record->length;
}

static size_t double_record(uint8_t *data, size_t size, size_t max_size,
                            const struct record *record)
{
    size_t length = HEADER + record->length;

    if (length > max_size - size)
        return size;
    memmove(data + record_end(record), data + record->at, size - record->at);
    return size + length;
}

static void repair_all(uint8_t *data, size_t size)
{
    struct record records[RECORDS];
    size_t count = find(data, size, records);

    for (size_t i = 0; i < count; i++) {
        uint8_t *frame = data + records[i].at + HEADER;
        if (records[i].length > ETHERNET + 20 && frame[12] == 8 &&
            frame[13] == 0)
            fuzz_repair_packet(frame + ETHERNET, records[i].length - ETHERNET);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned int seed)
{
    struct record records[RECORDS];
    size_t count = size > max_size ? 0 : find(data, size, records);

    if (count == 0 || seed % 4 == 0)
        return LLVMFuzzerMutate(data, size < max_size ? size : max_size,
                                max_size);
    const struct record *chosen = &records[(seed >> 8) % count];
    switch (seed >> 4 & 15) {
    case 0:
        data[chosen->at] ^= (uint8_t)(1U << (seed >> 24 & 7));
        break;
    case 1:
        size = drop_record(data, size, chosen);
        break;
    case 2:
        size = double_record(data, size, max_size, chosen);
        break;
    default:
        size = mutate_frame(data, size, max_size, chosen);
        break;
    }
    if (seed & 4)
        repair_all(data, size);
    return size;
}
