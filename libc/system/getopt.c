/* SPDX-License-Identifier: MIT */
/*
 * getopt (POSIX) and getopt_long (GNU), without reordering of the words.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *optarg;
int optind = 1;
int opterr = 1;
int optopt;

static const char *next_letter = ""; /* in a word of several options */

static int complain(const char *program, const char *options, const char *what,
                    const char *option)
{
    if (opterr != 0 && options[0] != ':')
        fprintf(stderr, "%s: %s -- '%s'\n", program, what, option);
    return '?';
}

/* Ends the word; true when argv has no more options. */
static bool is_end(int argc, char *const argv[])
{
    if (optind >= argc || argv[optind][0] != '-' || argv[optind][1] == '\0')
        return true;
    if (strcmp(argv[optind], "--") == 0) {
        optind++;
        return true;
    }
    return false;
}

static int take_letter(int argc, char *const argv[], const char *options)
{
    char letter = *next_letter++;
    char text[2] = {letter, '\0'};
    const char *found = letter != ':' ? strchr(options, letter) : NULL;

    if (*next_letter == '\0')
        optind++;
    optopt = letter;
    if (found == NULL)
        return complain(argv[0], options, "no such option", text);
    if (found[1] != ':')
        return letter;
    optarg = NULL;
    if (*next_letter != '\0') {
        optarg = (char *)(unsigned long)next_letter;
        optind++;
    } else if (found[2] != ':') {
        if (optind >= argc) {
            next_letter = "";
            (void)complain(argv[0], options, "needs an argument", text);
            return options[0] == ':' ? ':' : '?';
        }
        optarg = argv[optind++];
    }
    next_letter = "";
    return letter;
}

/* An optind of 0 means: from the beginning, as in GNU. */
static void start_call(void)
{
    optarg = NULL;
    if (optind == 0) {
        optind = 1;
        next_letter = "";
    }
}

int getopt(int argc, char *const argv[], const char *options)
{
    start_call();
    if (*next_letter == '\0') {
        if (is_end(argc, argv))
            return -1;
        next_letter = argv[optind] + 1;
    }
    return take_letter(argc, argv, options);
}

static const struct option *find_long(const char *name, size_t length,
                                      const struct option *options)
{
    const struct option *abbreviated = NULL;

    for (; options->name != NULL; options++) {
        if (strncmp(options->name, name, length) != 0)
            continue;
        if (options->name[length] == '\0')
            return options;
        if (abbreviated != NULL)
            return NULL;
        abbreviated = options;
    }
    return abbreviated;
}

int getopt_long(int argc, char *const argv[], const char *options,
                const struct option *long_options, int *index)
{
    const struct option *option;
    const char *name;
    size_t length;

    start_call();
    if (*next_letter == '\0' && is_end(argc, argv))
        return -1;
    if (*next_letter != '\0' || argv[optind][1] != '-')
        return getopt(argc, argv, options);
    name = argv[optind++] + 2;
    length = strcspn(name, "=");
    option = find_long(name, length, long_options);
    optopt = option != NULL ? option->val : 0;
    if (option == NULL)
        return complain(argv[0], options, "no such option", name);
    if (name[length] == '=') {
        if (option->has_arg == no_argument)
            return complain(argv[0], options, "takes no argument", name);
        optarg = (char *)(unsigned long)(name + length + 1);
    } else if (option->has_arg == required_argument) {
        if (optind >= argc) {
            (void)complain(argv[0], options, "needs an argument", name);
            return options[0] == ':' ? ':' : '?';
        }
        optarg = argv[optind++];
    }
    if (index != NULL)
        *index = (int)(option - long_options);
    if (option->flag == NULL)
        return option->val;
    *option->flag = option->val;
    return 0;
}
