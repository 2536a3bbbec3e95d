/* SPDX-License-Identifier: MIT */
/*
 * Multiboot2 Specification 2.0 section 3.6 (boot information) and the Xen
 * x86/HVM direct boot ABI (struct hvm_start_info, version 0 and 1).
 */
#include "kernel/boot_info.h"

#include <string.h>

enum {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_RSDP_OLD = 14,
    TAG_RSDP_NEW = 15,
    TAG_ALIGNMENT = 8,

    TAGS_MAX = 256, /* GRUB sends about 20 */

    PVH_MAGIC = 0x336ec578,
    MEMORY_USABLE = 1, /* of E820, which both protocols follow */
    MEMORY_ENTRIES_MAX = 1024,
};

struct tag {
    uint32_t type, size; /* size without the padding behind it */
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

/* The same in both protocols. */
struct memory_entry {
    uint64_t start, length;
    uint32_t type, reserved;
};

struct pvh_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp;
    /* version 1 */
    uint64_t memory_map;
    uint32_t memory_map_entries, reserved;
};

struct pvh_module {
    uint64_t address, size, command_line, reserved;
};

struct boot_info boot_info;

static void set_command_line(struct boot_info *info, const char *text,
                             size_t size)
{
    size_t length = 0;

    while (length < size && text[length] != '\0')
        length++;
    if (length > BOOT_COMMAND_LINE_BYTES - 1) {
        length = BOOT_COMMAND_LINE_BYTES - 1;
        info->is_command_line_cut = true;
    }
    memcpy(info->command_line, text, length);
    info->command_line[length] = '\0';
    info->command_line_length = length;
}

static void set_module(struct boot_info *info, uint64_t start, uint64_t length)
{
    if (info->module.end != 0 || length == 0 || start > UINT64_MAX - length) {
        info->modules_ignored++;
        return;
    }
    info->module = (struct range){start, start + length};
}

/* First all that is usable, then away with what is also called otherwise. */
static void set_memory_map(struct boot_info *info, const uint8_t *entries,
                           size_t count, size_t stride)
{
    struct memory_entry entry;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            memcpy(&entry, entries + i * stride, sizeof(entry));
            if (entry.length > UINT64_MAX - entry.start)
                entry.length = UINT64_MAX - entry.start;
            if (pass == 0 && entry.type == MEMORY_USABLE) {
                ranges_add(&info->ram, entry.start, entry.start + entry.length);
            }
            if (pass == 1 && entry.type != MEMORY_USABLE) {
                ranges_remove(&info->ram, entry.start,
                              entry.start + entry.length);
            }
        }
    }
}

static void set_rsdp(struct boot_info *info, const uint8_t *bytes, size_t size)
{
    if (size > BOOT_RSDP_BYTES)
        size = BOOT_RSDP_BYTES;
    if (size <= info->rsdp_copy_length)
        return; /* the new one is the longer one */
    memcpy(info->rsdp_copy, bytes, size);
    info->rsdp_copy_length = size;
}

static void read_tag(struct boot_info *info, const uint8_t *tag, uint32_t type,
                     uint32_t size)
{
    const uint8_t *content = tag + sizeof(struct tag);
    struct tag_memory_map map;
    struct tag_module module;

    if (type == TAG_COMMAND_LINE) {
        set_command_line(info, (const char *)content,
                         size - sizeof(struct tag));
    } else if (type == TAG_MODULE && size >= sizeof(module)) {
        memcpy(&module, tag, sizeof(module));
        if (module.start <= module.end)
            set_module(info, module.start, module.end - module.start);
    } else if (type == TAG_MEMORY_MAP && size >= sizeof(map)) {
        memcpy(&map, tag, sizeof(map));
        if (map.entry_size >= sizeof(struct memory_entry)) {
            set_memory_map(info, tag + sizeof(map),
                           (size - sizeof(map)) / map.entry_size,
                           map.entry_size);
        }
    } else if (type == TAG_RSDP_OLD || type == TAG_RSDP_NEW) {
        set_rsdp(info, content, size - sizeof(struct tag));
    }
}

bool boot_info_read_multiboot2(struct boot_info *info, uint64_t physical,
                               boot_memory *memory)
{
    const uint32_t *header = memory(physical, 2 * sizeof(*header));
    const uint8_t *bytes;
    uint32_t total, offset = 2 * sizeof(*header);

    info->loader = "multiboot2";
    if (header == NULL)
        return false;
    total = header[0];
    bytes = memory(physical, total);
    if (bytes == NULL)
        return false;
    for (unsigned i = 0; i < TAGS_MAX; i++) {
        struct tag tag;

        if (offset > total || total - offset < sizeof(tag))
            break;
        memcpy(&tag, bytes + offset, sizeof(tag));
        if (tag.type == TAG_END || tag.size < sizeof(tag) ||
            tag.size > total - offset)
            break;
        read_tag(info, bytes + offset, tag.type, tag.size);
        if (tag.size > total - offset - (TAG_ALIGNMENT - 1))
            break;
        offset += (tag.size + TAG_ALIGNMENT - 1) & ~(TAG_ALIGNMENT - 1U);
    }
    return info->ram.count > 0;
}

static void read_pvh_modules(struct boot_info *info,
                             const struct pvh_start_info *start,
                             boot_memory *memory)
{
    struct pvh_module module;
    const void *first;

    if (start->module_count == 0)
        return;
    first = memory(start->modules, sizeof(module));
    if (first == NULL)
        return;
    memcpy(&module, first, sizeof(module));
    set_module(info, module.address, module.size);
    info->modules_ignored += start->module_count - 1;
}

bool boot_info_read_pvh(struct boot_info *info, uint64_t physical,
                        boot_memory *memory)
{
    struct pvh_start_info start;
    const void *bytes = memory(physical, sizeof(start));

    info->loader = "PVH";
    if (bytes == NULL)
        return false;
    memcpy(&start, bytes, sizeof(start));
    if (start.magic != PVH_MAGIC || start.version < 1)
        return false; /* version 0 has no memory map */

    if (start.command_line != 0) {
        /* Its length is not told; what can be read may be shorter. */
        size_t size = BOOT_COMMAND_LINE_BYTES + 1;

        bytes = memory(start.command_line, size);
        if (bytes != NULL)
            set_command_line(info, bytes, size);
    }
    read_pvh_modules(info, &start, memory);
    info->rsdp_physical = start.rsdp;

    if (start.memory_map_entries > MEMORY_ENTRIES_MAX)
        start.memory_map_entries = MEMORY_ENTRIES_MAX;
    bytes = memory(start.memory_map,
                   start.memory_map_entries * sizeof(struct memory_entry));
    if (bytes != NULL) {
        set_memory_map(info, bytes, start.memory_map_entries,
                       sizeof(struct memory_entry));
    }
    return info->ram.count > 0;
}
