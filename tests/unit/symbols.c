/* SPDX-License-Identifier: MIT */
/*
 * Names of functions by address: what tools/make-symbols.awk writes, and
 * kernel/symbols.c finds again.
 * test-links: kernel/symbols.c
 */
#include "kernel/symbols.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_BYTES = 65536, FUNCTIONS = 1500, STEP = 48 };

/* The table lies here, followed by zeros; nothing is ever called in `text`. */
__asm__(".data\n"
        ".globl symbols_start, symbols_end\n"
        "symbols_start: .zero 65536\n"
        "symbols_end: .zero 1\n"
        ".text");
extern uint8_t symbols_start[];
extern char text_start[];
char text_start[FUNCTIONS * STEP + STEP];

static const char *const words[] = {"tcp",  "connection", "receive", "x",
                                    "send", "E1000",      "queue",   "b64"};

static void name_of(unsigned number, char name[SYMBOL_NAME_BYTES])
{
    snprintf(name, SYMBOL_NAME_BYTES, "%s_%s_%s%u", words[number % 8],
             words[number / 8 % 8], words[number / 64 % 8], number);
}

/* Feeds awk what `nm -n` would say, and takes what the assembler would. */
static void make_table(unsigned functions)
{
    const uint64_t base = UINT64_C(0xffffffff80200000);
    const char *list = "build-symbols-test.nm";
    char line[256], folder[] = "/tmp/symbols-XXXXXX", path[64], command[256];
    FILE *file;
    size_t length = 0;

    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, list);
    file = fopen(path, "w");
    cr_assert(file);
    fprintf(file, "%016" PRIx64 " T text_start\n", base);
    for (unsigned i = 0; i < functions; i++) {
        char name[SYMBOL_NAME_BYTES];

        name_of(i, name);
        fprintf(file, "%016" PRIx64 " %c %s%s\n", base + i * STEP,
                i % 2 ? 't' : 'T', name, i % 3 ? "" : ".constprop.0");
    }
    fprintf(file, "%016" PRIx64 " T text_end\n", base + functions * STEP);
    fclose(file);
    snprintf(command, sizeof(command),
             "awk -v app=test -f tools/make-symbols.awk <%s", path);
    file = popen(command, "r");
    cr_assert(file);
    while (fgets(line, sizeof(line), file) && !strstr(line, "symbols_end:")) {
        char *at = strstr(line, ".byte"), *text = strstr(line, ".asciz");

        if (at) {
            symbols_start[length++] = (uint8_t)strtoul(at + 5, NULL, 10);
        } else if (text) {
            text = strchr(text, '"') + 1;
            *strrchr(text, '"') = '\0';
            memcpy(symbols_start + length, text, strlen(text) + 1);
            length += strlen(text) + 1;
        }
    }
    while (fgets(line, sizeof(line), file))
        ;
    cr_assert_eq(pclose(file), 0);
    unlink(path);
    rmdir(folder);
}

static bool find(uint64_t distance, char *name, uint64_t *offset)
{
    return symbol_find((uintptr_t)text_start + distance, name, offset);
}

Test(symbols, every_function_is_found_by_its_first_and_last_byte)
{
    make_table(FUNCTIONS);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        char wanted[SYMBOL_NAME_BYTES], name[SYMBOL_NAME_BYTES];
        uint64_t offset;

        name_of(i, wanted);
        cr_assert(find(i * STEP, name, &offset));
        cr_assert_str_eq(name, wanted);
        cr_assert_eq(offset, 0);
        cr_assert(find(i * STEP + STEP - 1, name, &offset));
        cr_assert_str_eq(name, wanted);
        cr_assert_eq(offset, STEP - 1);
    }
}

Test(symbols, no_name_before_the_first_and_behind_the_last_function)
{
    char name[SYMBOL_NAME_BYTES];
    uint64_t offset;

    make_table(3);
    cr_assert(find(3 * STEP - 1, name, &offset));
    cr_assert_not(find(3 * STEP, name, &offset));
    cr_assert_not(symbol_find((uintptr_t)text_start - 1, name, &offset));
}

Test(symbols, the_empty_table_of_the_first_link_names_nothing)
{
    char name[SYMBOL_NAME_BYTES];
    uint64_t offset;

    make_table(0);
    cr_assert_not(find(0, name, &offset));
}
