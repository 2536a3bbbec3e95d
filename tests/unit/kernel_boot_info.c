/* SPDX-License-Identifier: MIT */
/*
 * What boot loaders tell, and what they might get wrong. The loader's memory
 * is a heap block of exactly the right size, so that the address sanitizer
 * sees every byte read beyond it.
 * test-links: kernel/boot_info.c kernel/ranges.c
 */
#include "kernel/boot_info.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { PHYSICAL = 0x10000, SIZE_MAX_BYTES = 16384 };

static uint8_t image[SIZE_MAX_BYTES];
static size_t image_length;
static uint8_t *heap;
static struct boot_info *info;

static const void *memory(uint64_t physical, uint64_t bytes)
{
    if (physical < PHYSICAL || physical - PHYSICAL > image_length ||
        bytes > image_length - (physical - PHYSICAL))
        return NULL;
    return heap + (physical - PHYSICAL);
}

static void put(const void *bytes, size_t length)
{
    memcpy(image + image_length, bytes, length);
    image_length += length;
}

static void put32(uint32_t value)
{
    put(&value, sizeof(value));
}

static void put64(uint64_t value)
{
    put(&value, sizeof(value));
}

static void align(void)
{
    image_length = (image_length + 7) & ~(size_t)7;
}

static void entry(uint64_t start, uint64_t length, uint32_t type)
{
    put64(start);
    put64(length);
    put32(type);
    put32(0);
}

static void load(void)
{
    heap = malloc(image_length);
    memcpy(heap, image, image_length);
    info = calloc(1, sizeof(*info));
}

static bool read_multiboot2(void)
{
    uint32_t total = (uint32_t)image_length;

    memcpy(image, &total, sizeof(total));
    load();
    return boot_info_read_multiboot2(info, PHYSICAL, memory);
}

static void tag(uint32_t type, uint32_t size)
{
    align();
    put32(type);
    put32(size);
}

static void begin(void)
{
    image_length = 0;
    put64(0);
}

static void put_map(void)
{
    tag(6, 16 + 3 * 24);
    put32(24);
    put32(0);
    entry(0, 0x9fc00, 1);
    entry(0x100000, 0x700000, 1);
    entry(0x300000, 0x1000, 2);
}

static void put_end(void)
{
    tag(0, 8);
}

static void expect_map(void)
{
    cr_assert_eq(info->ram.count, 3);
    cr_assert_eq(info->ram.list[0].end, 0x9fc00);
    cr_assert_eq(info->ram.list[1].end, 0x300000);
    cr_assert_eq(info->ram.list[2].start, 0x301000);
    cr_assert_eq(info->ram.list[2].end, 0x800000);
}

Test(boot_info, multiboot2_tells_everything)
{
    begin();
    tag(1, 8 + 12);
    put("ip=dhcp a=b", 12);
    tag(3, 16 + 5);
    put32(0x400000);
    put32(0x400123);
    put("site", 5);
    put_map();
    tag(14, 8 + 20);
    put("RSD PTR old.........", 20);
    tag(15, 8 + 36);
    put("RSD PTR new.........................", 36);
    put_end();
    cr_assert(read_multiboot2());
    cr_assert_str_eq(info->loader, "multiboot2");
    cr_assert_str_eq(info->command_line, "ip=dhcp a=b");
    cr_assert_eq(info->command_line_length, 11);
    cr_assert_eq(info->module.start, 0x400000);
    cr_assert_eq(info->module.end, 0x400123);
    cr_assert_eq(info->rsdp_copy_length, 36);
    cr_assert_eq(memcmp(info->rsdp_copy, "RSD PTR new", 11), 0);
    expect_map();
}

Test(boot_info, the_newer_root_pointer_wins_in_either_order)
{
    begin();
    put_map();
    tag(15, 8 + 36);
    put("RSD PTR new.........................", 36);
    tag(14, 8 + 20);
    put("RSD PTR old.........", 20);
    put_end();
    cr_assert(read_multiboot2());
    cr_assert_eq(info->rsdp_copy_length, 36);
    cr_assert_eq(memcmp(info->rsdp_copy, "RSD PTR new", 11), 0);
}

Test(boot_info, without_a_memory_map_multiboot2_is_refused)
{
    begin();
    put_end();
    cr_assert_not(read_multiboot2());
}

Test(boot_info, a_second_module_is_counted_and_left_alone)
{
    begin();
    put_map();
    for (unsigned i = 1; i <= 3; i++) {
        tag(3, 16 + 1);
        put32(i * 0x1000);
        put32(i * 0x1000 + 10);
        put("", 1);
    }
    put_end();
    cr_assert(read_multiboot2());
    cr_assert_eq(info->module.start, 0x1000);
    cr_assert_eq(info->modules_ignored, 2);
}

Test(boot_info, a_module_that_ends_before_it_begins_is_none)
{
    begin();
    put_map();
    tag(3, 16 + 1);
    put32(0x2000);
    put32(0x1000);
    put("", 1);
    put_end();
    cr_assert(read_multiboot2());
    cr_assert_eq(info->module.end, 0);
}

Test(boot_info, a_command_line_without_its_nul_ends_with_its_tag)
{
    begin();
    put_map();
    tag(1, 8 + 4);
    put("abcd", 4);
    put_end();
    cr_assert(read_multiboot2());
    cr_assert_str_eq(info->command_line, "abcd");
}

Test(boot_info, a_long_command_line_is_cut_and_says_so)
{
    static char text[BOOT_COMMAND_LINE_BYTES + 100];

    memset(text, 'x', sizeof(text) - 1);
    begin();
    put_map();
    tag(1, 8 + sizeof(text));
    put(text, sizeof(text));
    put_end();
    cr_assert(read_multiboot2());
    cr_assert(info->is_command_line_cut);
    cr_assert_eq(strlen(info->command_line), BOOT_COMMAND_LINE_BYTES - 1);
}

/* Every tag's size and every length may lie; nothing beyond may be read. */
Test(boot_info, multiboot2_of_any_length_and_any_byte_is_survived)
{
    size_t whole;

    begin();
    tag(1, 8 + 12);
    put("ip=dhcp a=b", 12);
    put_map();
    tag(15, 8 + 36);
    put("RSD PTR new.........................", 36);
    tag(3, 16 + 5);
    put32(0x400000);
    put32(0x400123);
    put("site", 5);
    put_end();
    whole = image_length;
    for (image_length = 8; image_length <= whole; image_length++) {
        (void)!read_multiboot2();
        free(heap);
        free(info);
    }
    image_length = whole;
    for (size_t i = 8; i < whole; i++) {
        static const uint8_t values[] = {0, 1, 7, 0x7f, 0x80, 0xff};
        uint8_t kept = image[i];

        for (size_t j = 0; j < sizeof(values); j++) {
            image[i] = values[j];
            (void)!read_multiboot2();
            free(heap);
            free(info);
        }
        image[i] = kept;
    }
}

Test(boot_info, a_total_size_beyond_reach_is_refused)
{
    uint32_t total = 0xffffffff;

    begin();
    put_map();
    put_end();
    load();
    memcpy(heap, &total, sizeof(total));
    cr_assert_not(boot_info_read_multiboot2(info, PHYSICAL, memory));
}

enum { PVH_BYTES = 56, PVH_MAP = PHYSICAL + PVH_BYTES };

static void begin_pvh(uint32_t modules, uint64_t command_line)
{
    image_length = 0;
    put32(0x336ec578);
    put32(1);
    put32(0);
    put32(modules);
    put64(PVH_MAP + 3 * 24);
    put64(command_line);
    put64(0xf5a30);
    put64(PVH_MAP);
    put32(3);
    put32(0);
    entry(0, 0x9fc00, 1);
    entry(0x100000, 0x700000, 1);
    entry(0x300000, 0x1000, 2);
}

Test(boot_info, pvh_tells_everything)
{
    static char line[BOOT_COMMAND_LINE_BYTES + 1] = "a=b -- c";

    begin_pvh(2, PVH_MAP + 3 * 24 + 64);
    put64(0x500000);
    put64(0x800);
    put64(0);
    put64(0);
    put64(0x600000);
    put64(0x800);
    put64(0);
    put64(0);
    put(line, sizeof(line));
    load();
    cr_assert(boot_info_read_pvh(info, PHYSICAL, memory));
    cr_assert_str_eq(info->loader, "PVH");
    cr_assert_str_eq(info->command_line, "a=b -- c");
    cr_assert_eq(info->module.start, 0x500000);
    cr_assert_eq(info->module.end, 0x500800);
    cr_assert_eq(info->modules_ignored, 1);
    cr_assert_eq(info->rsdp_physical, 0xf5a30);
    expect_map();
}

Test(boot_info, pvh_without_its_magic_or_its_map_is_refused)
{
    begin_pvh(0, 0);
    load();
    cr_assert(boot_info_read_pvh(info, PHYSICAL, memory));
    heap[0] ^= 1;
    cr_assert_not(boot_info_read_pvh(info, PHYSICAL, memory));
    heap[0] ^= 1;
    heap[4] = 0; /* version 0 */
    cr_assert_not(boot_info_read_pvh(info, PHYSICAL, memory));
    heap[4] = 1;
    info->ram.count = 0;
    heap[47] = 0xff; /* the map's address */
    cr_assert_not(boot_info_read_pvh(info, PHYSICAL, memory));
    cr_assert_not(boot_info_read_pvh(info, 0, memory));
}

Test(boot_info, a_memory_entry_at_the_end_of_the_world_does_not_wrap)
{
    begin();
    tag(6, 16 + 3 * 24);
    put32(24);
    put32(0);
    entry(0x100000, 0x100000, 1);
    entry(0xfffffffffffff000, 0x2000, 1);
    entry(0xfffffffffffff800, UINT64_MAX, 2);
    put_end();
    cr_assert(read_multiboot2());
    cr_assert_eq(info->ram.list[0].start, 0x100000);
    cr_assert_eq(info->ram.list[0].end, 0x200000);
    cr_assert_eq(info->ram.list[1].start, 0xfffffffffffff000);
    cr_assert_eq(info->ram.list[1].end, 0xfffffffffffff800);
}
