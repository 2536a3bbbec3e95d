/* SPDX-License-Identifier: MIT */
/*
 * usage: pack ELF EMPTIED PACKED
 * Packs the constants of an image and what its variables begin with for
 * kernel/unpack.c and checks that they come out as they went in; then writes
 * them to PACKED, and to EMPTIED the image in which they are announced, but no
 * longer in the file.
 */
#include "tools/pack/elf.h"
#include "tools/pack/packer.h"

#include "kernel/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSTANTS ".rodata"
#define VARIABLES ".data"

static int fail(const char *what, const char *name)
{
    fprintf(stderr, "pack: %s %s\n", what, name);
    return 1;
}

static uint8_t *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    uint8_t *bytes = NULL;
    long end;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) > 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        *length = (size_t)end;
        bytes = malloc(*length);
        if (bytes != NULL && fread(bytes, 1, *length, file) != *length) {
            free(bytes);
            bytes = NULL;
        }
    }
    fclose(file);
    return bytes;
}

static bool write_file(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(name, "wb");

    return file != NULL && fwrite(bytes, 1, length, file) == length &&
           fclose(file) == 0;
}

static bool is_same(const uint8_t *packed, const uint8_t *bytes, size_t length)
{
    uint8_t *again = malloc(length);
    bool is_so;

    if (again == NULL)
        return false;
    unpack(packed, again, length);
    is_so = memcmp(again, bytes, length) == 0;
    free(again);
    return is_so;
}

/* As in memory: constants, zeros to the end of their page, variables. */
static uint8_t *join(const struct elf_part *constants,
                     const struct elf_part *variables, size_t *length)
{
    size_t distance = (size_t)(variables->address - constants->address);
    uint8_t *bytes;

    if (variables->address < constants->address + constants->length)
        return NULL;
    *length = distance + variables->length;
    bytes = calloc(*length, 1);
    if (bytes == NULL)
        return NULL;
    memcpy(bytes, constants->bytes, constants->length);
    memcpy(bytes + distance, variables->bytes, variables->length);
    return bytes;
}

int main(int argc, char **argv)
{
    size_t file_length, length, packed_length;
    struct elf_part constants, variables;
    uint8_t *file, *bytes, *packed;

    if (argc != 4)
        return fail("usage:", "pack ELF EMPTIED PACKED");
    file = read_file(argv[1], &file_length);
    if (file == NULL)
        return fail("cannot read", argv[1]);
    if (!elf_section(file, file_length, CONSTANTS, &constants) ||
        !elf_section(file, file_length, VARIABLES, &variables))
        return fail("no " CONSTANTS " or no " VARIABLES " in", argv[1]);
    bytes = join(&constants, &variables, &length);
    if (bytes == NULL)
        return fail(VARIABLES " is not behind " CONSTANTS " in", argv[1]);
    packed = pack(bytes, length, &packed_length);
    if (!is_same(packed, bytes, length))
        return fail("what is packed is not what was there:", argv[1]);
    if (!elf_empty_section(file, file_length, CONSTANTS) ||
        !elf_empty_section(file, file_length, VARIABLES))
        return fail("no segments end with what is packed in", argv[1]);
    if (!write_file(argv[2], file, file_length))
        return fail("cannot write", argv[2]);
    if (!write_file(argv[3], packed, packed_length))
        return fail("cannot write", argv[3]);
    free(file);
    free(bytes);
    free(packed);
    return 0;
}
