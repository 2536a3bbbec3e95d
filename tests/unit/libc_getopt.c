/* SPDX-License-Identifier: MIT */
/*
 * getopt and getopt_long against the host's (told not to reorder by '+').
 */
#include <criterion/criterion.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option host_words[] = {
    {"port", required_argument, NULL, 'p'},
    {"verbose", no_argument, NULL, 'v'},
    {"level", optional_argument, NULL, 'l'},
    {"long-name", no_argument, NULL, 'n'},
    {NULL, 0, NULL, 0},
};

#define optarg      ferrule_optarg
#define optind      ferrule_optind
#define opterr      ferrule_opterr
#define optopt      ferrule_optopt
#define getopt      ferrule_getopt
#define getopt_long ferrule_getopt_long
extern char *ferrule_optarg;
extern int ferrule_optind, ferrule_opterr, ferrule_optopt;
#include "libc/system/getopt.c"
#undef optarg
#undef optind
#undef opterr
#undef optopt
#undef getopt
#undef getopt_long

enum { WORDS = 6 };

static void agree(int argc, char **argv)
{
    int ours;
    int theirs;

    ferrule_optind = 0;
    optind = 0;
    ferrule_opterr = opterr = 0;
    do {
        ours = ferrule_getopt_long(argc, argv, "vp:l::n", host_words, NULL);
        theirs = getopt_long(argc, argv, "+vp:l::n", host_words, NULL);
        cr_assert_eq(ours, theirs, "%d is not %d: %s %s %s %s %s", ours, theirs,
                     argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "",
                     argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : "",
                     argc > 5 ? argv[5] : "");
        cr_assert_eq(ferrule_optind, optind);
        if (ours > 0 && ours != '?')
            cr_assert_eq(ferrule_optarg, optarg);
    } while (ours != -1);
}

Test(libc_getopt, random_command_lines_are_read_as_the_host_reads_them)
{
    static const char *const words[] = {
        "-v",        "-p",        "80",     "-p80",   "-vv", "-vp",
        "-l",        "-l3",       "--port", "x",      "--",  "-",
        "--port=80", "--verbose", "--verb", "--none", "-x",  "--verbose=1",
        "--level",   "--level=2", "-nvl7",  "--long",
    };

    srand(12);
    for (int round = 0; round < 50000; round++) {
        char *argv[WORDS + 2] = {(char *)(uintptr_t) "program"};
        int argc = 1 + rand() % WORDS;

        for (int i = 1; i < argc; i++)
            argv[i] = (char *)(uintptr_t)
                words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
        agree(argc, argv);
    }
}
