/* SPDX-License-Identifier: MIT */
/*
 * See ranges.h. Lists are short, so every operation is a plain walk.
 */
#include "kernel/ranges.h"

static void delete_at(struct ranges *ranges, size_t index)
{
    ranges->count--;
    for (size_t i = index; i < ranges->count; i++)
        ranges->list[i] = ranges->list[i + 1];
}

static void insert_at(struct ranges *ranges, size_t index, uint64_t start,
                      uint64_t end)
{
    if (ranges->count == RANGES_MAX) {
        ranges->bytes_lost += end - start;
        return;
    }
    for (size_t i = ranges->count; i > index; i--)
        ranges->list[i] = ranges->list[i - 1];
    ranges->list[index] = (struct range){start, end};
    ranges->count++;
}

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
    size_t index = 0;

    if (start >= end)
        return;
    while (index < ranges->count && ranges->list[index].end < start)
        index++;
    while (index < ranges->count && ranges->list[index].start <= end) {
        const struct range *other = &ranges->list[index];

        if (other->start < start)
            start = other->start;
        if (other->end > end)
            end = other->end;
        delete_at(ranges, index);
    }
    insert_at(ranges, index, start, end);
}

void ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end)
{
    size_t index = 0;

    if (start >= end)
        return;
    while (index < ranges->count) {
        struct range old = ranges->list[index];

        if (old.end <= start || old.start >= end) {
            index++;
            continue;
        }
        delete_at(ranges, index);
        if (end < old.end)
            insert_at(ranges, index, end, old.end);
        if (old.start < start)
            insert_at(ranges, index++, old.start, start);
    }
}

void ranges_align(struct ranges *ranges, uint64_t unit)
{
    size_t index = 0;

    while (index < ranges->count) {
        struct range *range = &ranges->list[index];
        uint64_t start = (range->start + (unit - 1)) & ~(unit - 1);
        uint64_t end = range->end & ~(unit - 1);

        if (start < range->start || start >= end) {
            delete_at(ranges, index);
            continue;
        }
        range->start = start;
        range->end = end;
        index++;
    }
}

uint64_t ranges_take(struct ranges *ranges, uint64_t bytes, uint64_t alignment,
                     uint64_t limit)
{
    for (size_t i = 0; i < ranges->count; i++) {
        struct range range = ranges->list[i];
        uint64_t start = (range.start + (alignment - 1)) & ~(alignment - 1);

        if (range.end > limit)
            range.end = limit;
        if (start < range.start || start > range.end ||
            bytes > range.end - start)
            continue;
        ranges_remove(ranges, start, start + bytes);
        return start;
    }
    return 0;
}

uint64_t ranges_total(const struct ranges *ranges)
{
    uint64_t total = 0;

    for (size_t i = 0; i < ranges->count; i++)
        total += ranges->list[i].end - ranges->list[i].start;
    return total;
}
