/* SPDX-License-Identifier: MIT */
/*
 * One address space for good: text R-X, constants R--, variables and stacks
 * RW-, all RAM RW- in the direct map but for the image (which thus has no
 * second, writable address) and the module (R--). Page 0 and the guard pages
 * are mapped nowhere. The largest page that fits is used, so that tables for
 * gigabytes stay in a few pages.
 */
#include "kernel/paging.h"

#include "boot/layout.h"
#include "kernel/boot_info.h"
#include "kernel/cpu.h"
#include "kernel/image.h"
#include "kernel/memory.h"
#include "kernel/memory_ranges.h"
#include "kernel/panic.h"
#include "kernel/stack.h"

#define ENTRY_PRESENT    UINT64_C(0x001)
#define ENTRY_WRITE      UINT64_C(0x002)
#define ENTRY_USER       UINT64_C(0x004)
#define ENTRY_UNCACHED   UINT64_C(0x018) /* PWT and PCD: UC in the reset PAT */
#define ENTRY_LARGE      UINT64_C(0x080)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)
#define ENTRY_ADDRESS    UINT64_C(0x000ffffffffff000)

enum {
    LEVEL_PAGE = 0, /* 4 KiB; each level up is 512 times as large */
    LEVEL_1_GIB = 2,
    LEVEL_TOP = 3,
    SLOTS = 512,
    SLOT_BITS = 9,

    CPUID_FEATURES = 7, /* leaf, and bits of EBX and ECX */
    CPUID_EBX_SMEP = 1 << 7,
    CPUID_EBX_SMAP = 1 << 20,
    CPUID_ECX_UMIP = 1 << 2,
    CPUID_EDX_NX = 1 << 20, /* of the extended leaf */
    CPUID_EDX_1_GIB = 1 << 26,
    CR4_UMIP = 1 << 11,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
};

#define CPUID_EXTENDED UINT32_C(0x80000001)

static uint64_t *top_table;
static uint64_t no_execute; /* ENTRY_NO_EXECUTE, or 0 on a CPU without */
static int largest_level = LEVEL_1_GIB - 1;

static uint64_t level_bytes(int level)
{
    return UINT64_C(1) << (PAGE_SHIFT + SLOT_BITS * level);
}

static unsigned slot(uint64_t address, int level)
{
    return address >> (PAGE_SHIFT + SLOT_BITS * level) & (SLOTS - 1);
}

static uint64_t *table_behind(uint64_t entry)
{
    return memory_direct(entry & ENTRY_ADDRESS);
}

/* NULL when memory is exhausted. */
static uint64_t *table_below(uint64_t *entry)
{
    if ((*entry & ENTRY_PRESENT) == 0) {
        uint64_t *table = memory_take(PAGE_BYTES, PAGE_BYTES);

        if (table == NULL)
            return NULL;
        /* Rights are given at the leaves; above, everything is allowed. */
        *entry = memory_physical(table) | ENTRY_PRESENT | ENTRY_WRITE;
    }
    return table_behind(*entry);
}

/* Maps one page as large as fits; returns its bytes, 0 without memory. */
static uint64_t map_one(uint64_t address, uint64_t physical, uint64_t bytes,
                        uint64_t flags)
{
    uint64_t *table = top_table;

    for (int level = LEVEL_TOP; table != NULL; level--) {
        uint64_t *entry = &table[slot(address, level)];
        uint64_t size = level_bytes(level);

        if (level <= largest_level && (*entry & ENTRY_PRESENT) == 0 &&
            ((address | physical) & (size - 1)) == 0 && bytes >= size) {
            *entry = physical | flags | ENTRY_PRESENT |
                     (level > LEVEL_PAGE ? ENTRY_LARGE : 0);
            return size;
        }
        /* Mapped before (a device or a table asked for twice). */
        if (level == LEVEL_PAGE || (*entry & ENTRY_LARGE) != 0)
            return size - (address & (size - 1));
        table = table_below(entry);
    }
    return 0;
}

static bool map(uint64_t address, uint64_t physical, uint64_t bytes,
                uint64_t flags)
{
    while (bytes > 0) {
        uint64_t done = map_one(address, physical, bytes, flags);

        if (done == 0)
            return false;
        if (done > bytes)
            done = bytes;
        address += done;
        physical += done;
        bytes -= done;
    }
    return true;
}

static void map_or_panic(uint64_t address, uint64_t physical, uint64_t bytes,
                         uint64_t flags)
{
    if (!map(address, physical, bytes, flags))
        panic("not enough memory for page tables");
}

static void map_image(const char *start, const char *end, uint64_t flags)
{
    enum stack stack;

    for (uintptr_t page = (uintptr_t)start; page < (uintptr_t)end;
         page += PAGE_BYTES) {
        if (stack_of(page, &stack) && stack_is_guard(stack, page))
            continue;
        map_or_panic(page, page - IMAGE_BASE, PAGE_BYTES, flags);
    }
}

static void map_direct(void)
{
    struct ranges ram = boot_info.ram;
    struct range module = boot_info.module;

    module.start &= ~(uint64_t)(PAGE_BYTES - 1);
    module.end = (module.end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    ranges_remove(&ram, memory_physical(image_start),
                  memory_physical(image_end));
    ranges_remove(&ram, module.start, module.end);
    for (size_t i = 0; i < ram.count; i++) {
        map_or_panic(DIRECT_BASE + ram.list[i].start, ram.list[i].start,
                     ram.list[i].end - ram.list[i].start,
                     ENTRY_WRITE | no_execute);
    }
    map_or_panic(DIRECT_BASE + module.start, module.start,
                 module.end - module.start, no_execute);
}

static void use_cpu_features(void)
{
    struct cpuid extended = cpu_cpuid(CPUID_EXTENDED, 0);
    uint64_t cr4 = cpu_read_cr4();

    if ((extended.edx & CPUID_EDX_NX) != 0)
        no_execute = ENTRY_NO_EXECUTE; /* start.S has set EFER.NXE */
    if ((extended.edx & CPUID_EDX_1_GIB) != 0)
        largest_level = LEVEL_1_GIB;
    if (cpu_cpuid(0, 0).eax >= CPUID_FEATURES) {
        struct cpuid features = cpu_cpuid(CPUID_FEATURES, 0);

        /* There is no user mode; a stray user page must not help anyone. */
        if ((features.ebx & CPUID_EBX_SMEP) != 0)
            cr4 |= CR4_SMEP;
        if ((features.ebx & CPUID_EBX_SMAP) != 0)
            cr4 |= CR4_SMAP;
        if ((features.ecx & CPUID_ECX_UMIP) != 0)
            cr4 |= CR4_UMIP;
    }
    cpu_write_cr4(cr4);
}

void paging_start(void)
{
    use_cpu_features();
    top_table = memory_take(PAGE_BYTES, PAGE_BYTES);
    if (top_table == NULL)
        panic("not enough memory for page tables");
    map_image(text_start, text_end, 0);
    map_image(rodata_start, rodata_end, no_execute);
    map_image(data_start, data_end, ENTRY_WRITE | no_execute);
    map_direct();
    cpu_write_cr3(memory_physical(top_table));
    memory_extend();
}

static void *map_window(uint64_t base, uint64_t physical, size_t bytes,
                        uint64_t flags)
{
    uint64_t offset = physical & (PAGE_BYTES - 1);
    uint64_t first = physical - offset;

    if (physical >= PHYSICAL_LIMIT || bytes > PHYSICAL_LIMIT - physical)
        return NULL;
    bytes = (bytes + offset + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    if (!map(base + first, first, bytes, flags))
        return NULL;
    return (void *)(base + physical);
}

const void *memory_map_firmware(uint64_t physical, size_t bytes)
{
    return map_window(FIRMWARE_BASE, physical, bytes, no_execute);
}

void *memory_map_device(uint64_t physical, size_t bytes)
{
    return map_window(DEVICE_BASE, physical, bytes,
                      ENTRY_WRITE | ENTRY_UNCACHED | no_execute);
}

static unsigned rights_of(uint64_t entry)
{
    return PAGE_READABLE | ((entry & ENTRY_WRITE) != 0 ? PAGE_WRITABLE : 0U) |
           ((entry & no_execute) == 0 ? PAGE_EXECUTABLE : 0U);
}

unsigned paging_rights(uint64_t address)
{
    const uint64_t *table = top_table;

    for (int level = LEVEL_TOP; table != NULL; level--) {
        uint64_t entry = table[slot(address, level)];

        if ((entry & ENTRY_PRESENT) == 0)
            return PAGE_UNMAPPED;
        if (level == LEVEL_PAGE || (entry & ENTRY_LARGE) != 0)
            return rights_of(entry);
        table = table_behind(entry);
    }
    return PAGE_UNMAPPED;
}

static bool is_within(uint64_t address, const char *start, const char *end)
{
    return address >= (uintptr_t)start && address < (uintptr_t)end;
}

static void check_leaf(uint64_t address, uint64_t entry)
{
    unsigned rights = rights_of(entry);

    if ((entry & ENTRY_USER) != 0)
        panic("page tables: user page at %#lx", address);
    if (is_within(address, text_start, text_end)) {
        if ((rights & PAGE_WRITABLE) != 0)
            panic("page tables: text is writable at %#lx", address);
    } else if (no_execute != 0 && (rights & PAGE_EXECUTABLE) != 0) {
        panic("page tables: data is executable at %#lx", address);
    }
    if (is_within(address, rodata_start, rodata_end) &&
        (rights & PAGE_WRITABLE) != 0)
        panic("page tables: constants are writable at %#lx", address);
}

static uint64_t check_table(const uint64_t *table, int level, uint64_t address)
{
    uint64_t leaves = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t entry = table[i];
        uint64_t at = address + i * level_bytes(level);

        if ((entry & ENTRY_PRESENT) == 0)
            continue;
        if (level == LEVEL_TOP && i >= SLOTS / 2)
            at |= UINT64_C(0xffff) << 48; /* canonical form */
        if (level == LEVEL_PAGE || (entry & ENTRY_LARGE) != 0) {
            check_leaf(at, entry);
            leaves++;
        } else {
            leaves += check_table(table_behind(entry), level - 1, at);
        }
    }
    return leaves;
}

uint64_t paging_check(void)
{
    uint64_t leaves = check_table(top_table, LEVEL_TOP, 0);

    if (paging_rights(0) != PAGE_UNMAPPED)
        panic("page tables: page 0 is mapped");
    for (unsigned i = 0; i < STACK_COUNT; i++) {
        const void *guard = stack_guard((enum stack)i);

        if (paging_rights((uintptr_t)guard) != PAGE_UNMAPPED)
            panic("page tables: no guard below the %s stack",
                  stack_name((enum stack)i));
    }
    return leaves;
}
