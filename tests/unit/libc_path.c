/* SPDX-License-Identifier: MIT */
/*
 * Paths and directory listings over a module made of an array.
 * test-links: libc/system/path.c kernel/report.c
 */
#include "kernel/module.h"
#include "kernel/report.h"
#include "libc/system/path.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define directory_stream ferrule_directory_stream
#define DIR              struct ferrule_directory_stream
#define opendir          ferrule_opendir
#define readdir          ferrule_readdir
#define rewinddir        ferrule_rewinddir
#define closedir         ferrule_closedir
struct ferrule_directory_stream;
void ferrule_rewinddir(DIR *directory);
#include "libc/system/directory.c"

/* In byte order, as kernel/module.c keeps them: '-' and '.' before '/'. */
static const struct module_file files[] = {
    {.name = "etc/hosts", .length = 3},
    {.name = "www", .is_directory = true},
    {.name = "www-old/a", .length = 1},
    {.name = "www/deep/er/file", .length = 1},
    {.name = "www/deep/file", .length = 1},
    {.name = "www/index.html", .length = 5},
    {.name = "www/sub", .is_directory = true},
    {.name = "www/sub.txt", .length = 2},
    {.name = "www/sub/x", .length = 2},
};

enum { COUNT = sizeof(files) / sizeof(files[0]) };

size_t module_count(void)
{
    return COUNT;
}

const struct module_file *module_at(size_t index)
{
    return &files[index];
}

size_t module_lower_bound(const char *name)
{
    size_t index = 0;

    while (index < COUNT && strcmp(files[index].name, name) < 0)
        index++;
    return index;
}

const struct module_file *module_find(const char *name)
{
    size_t index = module_lower_bound(name);

    return index < COUNT && strcmp(files[index].name, name) == 0 ? &files[index]
                                                                 : NULL;
}

static size_t write_nothing(char *buffer, size_t size)
{
    (void)buffer;
    (void)size;
    return 0;
}

static const struct report counters = {"counters", write_nothing, NULL};
static const struct report messages = {"dmesg", write_nothing, NULL};

static void leads_to(const char *path, enum place_kind kind, const char *name)
{
    struct place place;

    cr_assert_eq(path_find(path, &place), 0, "%s", path);
    cr_assert_eq(place.kind, kind, "%s", path);
    cr_assert_str_eq(place.name, name, "%s", path);
}

static void fails(const char *path, int error)
{
    struct place place;

    cr_assert_eq(path_find(path, &place), error, "%s", path);
}

Test(libc_path, paths_lead_where_they_do_on_linux)
{
    leads_to("/", PLACE_DIRECTORY, "");
    leads_to("..", PLACE_DIRECTORY, "");
    leads_to("/www", PLACE_DIRECTORY, "www");
    leads_to("//www//./index.html", PLACE_FILE, "www/index.html");
    leads_to("www/sub/../index.html", PLACE_FILE, "www/index.html");
    leads_to("/../../www/deep/", PLACE_DIRECTORY, "www/deep");
    leads_to("/etc", PLACE_DIRECTORY, "etc");
    fails("", -ENOENT);
    fails("/ww", -ENOENT);
    fails("/www/none/at/all", -ENOENT);
    fails("/www/index.html/", -ENOTDIR);
    fails("/www/index.html/x", -ENOTDIR);
}

Test(libc_path, reports_stand_below_proc)
{
    cr_assert_eq(report_register(&counters), 0);
    leads_to("/proc", PLACE_DIRECTORY, "proc");
    leads_to("/proc/ferrule/", PLACE_DIRECTORY, "proc/ferrule");
    leads_to("/proc/ferrule/counters", PLACE_REPORT, "proc/ferrule/counters");
    fails("/proc/ferrule/none", -ENOENT);
    fails("/proc/ferrule/counters/x", -ENOTDIR);
}

Test(libc_path, too_many_reports_are_refused)
{
    int error = 0;

    for (int i = 0; i < 100 && error == 0; i++)
        error = report_register(&counters);
    cr_assert_eq(error, -ENOSPC);
}

Test(libc_path, a_path_longer_than_any_name_is_refused)
{
    char path[2 * PATH_NAME_SIZE];

    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    fails(path, -ENAMETOOLONG);
    for (size_t i = 0; i + 1 < sizeof(path); i += 2)
        path[i] = '/';
    fails(path, -ENAMETOOLONG);
}

Test(libc_path, relative_paths_start_at_the_current_directory)
{
    cr_assert_eq(path_change_directory("/www/sub"), 0);
    cr_assert_str_eq(path_current_directory(), "/www/sub");
    leads_to("x", PLACE_FILE, "www/sub/x");
    leads_to("../index.html", PLACE_FILE, "www/index.html");
    cr_assert_eq(path_change_directory("x"), -ENOTDIR);
    cr_assert_eq(path_change_directory("../none"), -ENOENT);
    cr_assert_eq(path_change_directory("/"), 0);
    cr_assert_str_eq(path_current_directory(), "/");
    leads_to("www", PLACE_DIRECTORY, "www");
}

static void lists(const char *path, const char *expected)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char all[512] = "";

    cr_assert_not_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        strcat(all, entry->d_name);
        strcat(all, entry->d_type == DT_DIR ? "/ " : " ");
    }
    cr_assert_str_eq(all, expected);
    rewinddir(directory);
    cr_assert_not_null(readdir(directory));
    closedir(directory);
}

Test(libc_directory, each_name_is_listed_once_with_or_without_its_own_entry)
{
    lists("/", "etc/ www/ www-old/ proc/ ");
    lists("/www", "deep/ index.html sub/ sub.txt ");
    lists("/www/deep", "er/ file ");
    lists("www/sub/", "x ");
}

Test(libc_directory, reports_are_listed)
{
    cr_assert_eq(report_register(&counters), 0);
    cr_assert_eq(report_register(&messages), 0);
    lists("/proc", "ferrule/ ");
    lists("/proc/ferrule", "counters dmesg ");
}

Test(libc_directory, a_file_is_no_directory)
{
    cr_assert_null(opendir("/www/index.html"));
    cr_assert_eq(errno, ENOTDIR);
    cr_assert_null(opendir("/none"));
    cr_assert_eq(errno, ENOENT);
}
