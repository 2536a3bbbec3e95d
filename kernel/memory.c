/* SPDX-License-Identifier: MIT */
/*
 * RAM from the boot loader's map to boot-time blocks. The list of free ranges
 * only shrinks; pages_start() hands what is left of it to the allocator that
 * malloc uses, and later requests are served from there.
 */
#include "kernel/memory.h"
#include "kernel/memory_ranges.h"

#include "boot/layout.h"
#include "kernel/assert.h"
#include "kernel/boot_info.h"
#include "kernel/firmware_code.h"
#include "kernel/image.h"

#include <string.h>

enum {
    ALIGNMENT_DEFAULT = 16,
    PAGE_WORDS = PAGE_BYTES / sizeof(uint64_t),
    WORDS_AT_ONCE = 8,
};

static struct ranges free_ranges;
static uint64_t reach = BOOT_MAPPED; /* what the direct map shows by now */
static size_t total_bytes;
static bool is_handed_over;

static uint64_t page_floor(uint64_t address)
{
    return address & ~(uint64_t)(PAGE_BYTES - 1);
}

static uint64_t page_ceiling(uint64_t address)
{
    return page_floor(address + PAGE_BYTES - 1);
}

uint64_t memory_physical(const void *address)
{
    uintptr_t value = (uintptr_t)address;

    if (value >= IMAGE_BASE)
        return value - IMAGE_BASE;
    ASSERT(value >= DIRECT_BASE);
    ASSERT(value < DIRECT_BASE + PHYSICAL_LIMIT);
    return value - DIRECT_BASE;
}

void *memory_direct(uint64_t physical)
{
    ASSERT(physical < PHYSICAL_LIMIT);
    return (void *)(DIRECT_BASE + physical);
}

/* Page 0 stays out: the BIOS keeps its data there. */
void memory_start(void)
{
    struct ranges *ram = &boot_info.ram;
    const struct range *module = &boot_info.module;

    ranges_align(ram, PAGE_BYTES);
    ranges_remove(ram, 0, PAGE_BYTES);
    ranges_remove(ram, PHYSICAL_LIMIT, UINT64_MAX);
    total_bytes = ranges_total(ram);
    for (size_t i = 0; i < ram->count; i++)
        if (ram->list[i].end <= UINT64_C(1) << 32)
            firmware_code_start(ram->list[i].end);

    free_ranges = *ram;
    ranges_remove(&free_ranges, (uintptr_t)boot_start,
                  memory_physical(image_end));
    ranges_remove(&free_ranges, page_floor(module->start),
                  page_ceiling(module->end));
}

void memory_extend(void)
{
    reach = PHYSICAL_LIMIT;
    ranges_add(&free_ranges, (uintptr_t)boot_start, (uintptr_t)boot_end);
}

struct ranges *memory_free_ranges(void)
{
    return &free_ranges;
}

void memory_hand_over(void)
{
    is_handed_over = true;
}

static void *take_block(size_t bytes, size_t alignment)
{
    unsigned order = 0;

    if (alignment > bytes)
        bytes = alignment;
    while ((size_t)PAGE_BYTES << order < bytes)
        order++;
    /* Blocks are aligned within their run only: ask for twice as much. */
    if (alignment > PAGE_BYTES)
        order++;
    return pages_allocate(order);
}

void *memory_take_untouched(size_t bytes, size_t alignment)
{
    uint64_t start;

    if (alignment == 0)
        alignment = ALIGNMENT_DEFAULT;
    ASSERT((alignment & (alignment - 1)) == 0);
    if (bytes == 0 || bytes > PHYSICAL_LIMIT)
        return NULL;
    if (is_handed_over) {
        start = (uintptr_t)take_block(bytes, alignment);
        return (void *)((start + alignment - 1) & ~(alignment - 1));
    }
    start = ranges_take(&free_ranges, bytes, alignment, reach);
    if (start == 0)
        return NULL;
    firmware_code_forget(memory_direct(start), start, bytes);
    return memory_direct(start);
}

static bool is_clear(const uint64_t *words, size_t count)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < count; i += WORDS_AT_ONCE) {
        seen |= words[i] | words[i + 1] | words[i + 2] | words[i + 3];
        seen |= words[i + 4] | words[i + 5] | words[i + 6] | words[i + 7];
    }
    return seen == 0;
}

/*
 * Most RAM of a fresh virtual machine is zeros that the host has not even
 * allocated. Looking before writing leaves it so.
 */
static void clear(uint8_t *block, size_t bytes)
{
    while (bytes > 0) {
        size_t part = PAGE_BYTES - ((uintptr_t)block & (PAGE_BYTES - 1));

        if (part > bytes)
            part = bytes;
        if (part != PAGE_BYTES ||
            !is_clear((const uint64_t *)(const void *)block, PAGE_WORDS))
            memset(block, 0, part);
        block += part;
        bytes -= part;
    }
}

void *memory_take(size_t bytes, size_t alignment)
{
    void *block = memory_take_untouched(bytes, alignment);

    if (block != NULL)
        clear(block, bytes);
    return block;
}

size_t memory_total(void)
{
    return total_bytes;
}

size_t memory_available(void)
{
    return is_handed_over ? pages_available() : ranges_total(&free_ranges);
}
