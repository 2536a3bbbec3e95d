/* SPDX-License-Identifier: MIT */
/*
 * Rule files while memory is short: each request of the parser fails once, for
 * every file of tests/rules. The file is refused, its error says why, and the
 * rules in use stay.
 * test-links: tests/unit/support_filter.c
 * test-flags: -Wl,--wrap=rule_alloc,--wrap=rule_copy_text
 * test-flags: -Wl,--wrap=rule_map_place,--wrap=rule_map_finish
 */
#include "tests/unit/support_filter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "net/filter/rule_set.h"
#include "net/filter/rules.h"

enum { OF_THE_FILE = 2 }; /* its name, its text */

void *__real_rule_alloc(struct rule_set *set, size_t size);
void *__wrap_rule_alloc(struct rule_set *set, size_t size);
char *__real_rule_copy_text(struct rule_set *set, const char *text,
                            size_t length);
char *__wrap_rule_copy_text(struct rule_set *set, const char *text,
                            size_t length);
uint32_t *__real_rule_map_place(struct rule_set *set, struct rule_map *map);
uint32_t *__wrap_rule_map_place(struct rule_set *set, struct rule_map *map);
int __real_rule_map_finish(struct rule_set *set, struct rule_map *map);
int __wrap_rule_map_finish(struct rule_set *set, struct rule_map *map);

static struct rules_error error;
static size_t requests;
static size_t failing; /* the number of the one that fails; 0: none */

void *__wrap_rule_alloc(struct rule_set *set, size_t size)
{
    return ++requests == failing ? NULL : __real_rule_alloc(set, size);
}

char *__wrap_rule_copy_text(struct rule_set *set, const char *text,
                            size_t length)
{
    return ++requests == failing ? NULL
                                 : __real_rule_copy_text(set, text, length);
}

uint32_t *__wrap_rule_map_place(struct rule_set *set, struct rule_map *map)
{
    return ++requests == failing ? NULL : __real_rule_map_place(set, map);
}

int __wrap_rule_map_finish(struct rule_set *set, struct rule_map *map)
{
    return ++requests == failing ? -ENOMEM : __real_rule_map_finish(set, map);
}

TestSuite(failure_rules, .init = start_filter, .timeout = 60);

static int load_failing(const char *name, const char *text, size_t request)
{
    requests = 0;
    failing = request;
    return rules_load(name, text, strlen(text), &error);
}

/* Returns the number of requests. */
static size_t refuse_each(const char *name, const char *text)
{
    size_t all;

    cr_assert_eq(load_failing(name, text, 0), 0, "%s", error.text);
    all = requests;
    load("table ip t { chain c { } }");
    for (size_t i = 1; i <= all; i++) {
        const char *why = i <= OF_THE_FILE ? "the file is too long"
                                           : "no memory for more rules";

        cr_assert_neq(load_failing(name, text, i), 0, "%s, %zu", name, i);
        cr_assert_not_null(strstr(error.text, why), "%s, %zu: %s", name, i,
                           error.text);
        cr_assert_str_eq(rules_name(), "test", "%s, %zu", name, i);
    }
    cr_assert_eq(load_failing(name, text, 0), 0);
    return all;
}

Test(failure_rules, whatever_finds_no_memory_refuses_the_file_and_says_so)
{
    static char text[8192];
    size_t all = refuse_each("mss", "table ip t { chain c {\n"
                                    "tcp option maxseg size set rt mtu } }");
    glob_t files;

    cr_assert_eq(glob("tests/rules/*.nft", 0, NULL, &files), 0,
                 "not started where tests/ is");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *file = fopen(files.gl_pathv[i], "r");
        size_t length = fread(text, 1, sizeof(text) - 1, file);

        text[length] = '\0';
        fclose(file);
        all += refuse_each(files.gl_pathv[i], text);
    }
    globfree(&files);
    cr_assert_gt(all, 500);
}
