/* SPDX-License-Identifier: MIT */
#include "tools/pack/elf.h"

#include <elf.h>
#include <string.h>

static bool is_inside(size_t file_length, uint64_t offset, uint64_t length)
{
    return offset <= file_length && length <= file_length - offset;
}

static Elf64_Shdr *find(uint8_t *file, size_t file_length, const char *name)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    Elf64_Shdr *sections, *names;

    if (file_length < sizeof(*header) ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 ||
        !is_inside(file_length, header->e_shoff,
                   header->e_shnum * sizeof(*sections)) ||
        header->e_shstrndx >= header->e_shnum)
        return NULL;
    sections = (Elf64_Shdr *)(file + header->e_shoff);
    names = &sections[header->e_shstrndx];
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (is_inside(file_length, names->sh_offset + sections[i].sh_name,
                      strlen(name) + 1) &&
            strcmp((const char *)file + names->sh_offset + sections[i].sh_name,
                   name) == 0 &&
            is_inside(file_length, sections[i].sh_offset, sections[i].sh_size))
            return &sections[i];
    }
    return NULL;
}

bool elf_section(uint8_t *file, size_t file_length, const char *name,
                 struct elf_part *part)
{
    const Elf64_Shdr *section = find(file, file_length, name);

    if (section == NULL || section->sh_type != SHT_PROGBITS)
        return false;
    *part = (struct elf_part){file + section->sh_offset, section->sh_size,
                              section->sh_addr};
    return true;
}

bool elf_empty_section(uint8_t *file, size_t file_length, const char *name)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    Elf64_Shdr *section = find(file, file_length, name);
    Elf64_Phdr *segments;

    if (section == NULL || !is_inside(file_length, header->e_phoff,
                                      header->e_phnum * sizeof(*segments)))
        return false;
    segments = (Elf64_Phdr *)(file + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD &&
            segments[i].p_vaddr <= section->sh_addr &&
            segments[i].p_vaddr + segments[i].p_filesz ==
                section->sh_addr + section->sh_size) {
            segments[i].p_filesz = section->sh_addr - segments[i].p_vaddr;
            section->sh_type = SHT_NOBITS;
            return true;
        }
    }
    return false;
}
