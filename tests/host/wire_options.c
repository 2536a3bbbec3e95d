/* SPDX-License-Identifier: MIT */
/* A table of options; each value is stored for the chosen direction(s). */
#include "tests/host/wire_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { SHARE, MILLISECONDS, MEGABITS, KILOBYTES };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *help;
};

static const struct option OPTIONS[] = {
    {"--loss", SHARE, offsetof(struct wire_settings, loss_ppm),
     "share of frames lost, in percent"},
    {"--duplicate", SHARE, offsetof(struct wire_settings, duplicate_ppm),
     "share of frames that come twice, in percent"},
    {"--reorder", SHARE, offsetof(struct wire_settings, reorder_ppm),
     "share of frames held back while others pass, in percent"},
    {"--corrupt", SHARE, offsetof(struct wire_settings, corrupt_ppm),
     "share of frames with one bit turned over, in percent"},
    {"--reorder-by", MILLISECONDS,
     offsetof(struct wire_settings, reorder_by_ns),
     "how long a frame is held back, in ms (2)"},
    {"--delay", MILLISECONDS, offsetof(struct wire_settings, delay_ns),
     "delay of every frame, in ms"},
    {"--jitter", MILLISECONDS, offsetof(struct wire_settings, jitter_ns),
     "up to so many ms more, at random; order is kept"},
    {"--rate", MEGABITS, offsetof(struct wire_settings, rate_bps),
     "speed limit, in Mbit/s"},
    {"--queue", KILOBYTES, offsetof(struct wire_settings, queue_bytes),
     "what may wait for the speed limit, in KiB (256)"},
};

enum { OPTION_COUNT = sizeof(OPTIONS) / sizeof(OPTIONS[0]) };

void wire_options_help(void)
{
    printf("usage: wire [options] A B\n\n"
           "Carries Ethernet frames between two ports and treats them as\n"
           "badly as asked. A port is one of\n"
           "  tap:NAME       a TAP interface that exists\n"
           "  listen:PATH    a Unix socket for QEMU's -netdev stream,"
           "server=off\n"
           "  connect:PATH   the same, with QEMU listening\n\n"
           "These hold for both directions, or, after --ab (from A to B) or\n"
           "--ba (from B to A), for that one; --both returns to both:\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        printf("  %-12s N  %s\n", OPTIONS[i].name, OPTIONS[i].help);
    }
    printf("\nFor the whole relay:\n"
           "  --seed N        the same seed spoils the same frames (1)\n"
           "  --by-data       spoils by what a frame has of a TCP stream:\n"
           "                  whoever sends it loses the same octets and ACKs\n"
           "  --pcap PREFIX   writes PREFIX-a.pcap and PREFIX-b.pcap: what\n"
           "                  each port received and sent\n"
           "  --help          this text\n\n"
           "Ends when a peer hangs up or on SIGTERM, and then prints what it\n"
           "did. SIGUSR1 prints the same at any time.\n");
}

static bool read_number(const char *option, const char *text, double highest,
                        double *value)
{
    char *end;
    errno = 0;
    *value = text == NULL ? 0 : strtod(text, &end);
    if (text == NULL || end == text || *end != '\0' || errno != 0 ||
        !(*value >= 0 && *value <= highest)) {
        fprintf(stderr, "wire: %s needs a number from 0 to %g, not '%s'\n",
                option, highest, text == NULL ? "" : text);
        return false;
    }
    return true;
}

static void store(struct wire_settings *settings, const struct option *option,
                  double value)
{
    static const double factor[] = {[SHARE] = 1e4,
                                    [MILLISECONDS] = 1e6,
                                    [MEGABITS] = 1e6,
                                    [KILOBYTES] = 1024};
    char *field = (char *)settings + option->offset;
    uint64_t whole = (uint64_t)(value * factor[option->kind] + 0.5);
    if (option->kind == SHARE) {
        uint32_t share = (uint32_t)whole;
        memcpy(field, &share, sizeof(share));
    } else {
        memcpy(field, &whole, sizeof(whole));
    }
}

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(OPTIONS[i].name, name) == 0) {
            return &OPTIONS[i];
        }
    }
    return NULL;
}

/* Sets an option that has a value; `lanes` is a mask of directions. */
static bool set_valued(struct wire_options *options, unsigned int lanes,
                       const char *name, const char *text)
{
    static const double highest[] = {[SHARE] = 100,
                                     [MILLISECONDS] = 60000,
                                     [MEGABITS] = 100000,
                                     [KILOBYTES] = 1048576};
    double value;

    if (strcmp(name, "--pcap") == 0 && text != NULL) {
        options->pcap = text;
        return true;
    }
    if (strcmp(name, "--seed") == 0) {
        bool is_good = read_number(name, text, 9e15, &value);
        options->seed = is_good ? (uint64_t)value : 0;
        return is_good;
    }
    const struct option *option = find(name);
    if (option == NULL) {
        fprintf(stderr, "wire: no option '%s'; see wire --help\n", name);
        return false;
    }
    if (!read_number(name, text, highest[option->kind], &value)) {
        return false;
    }
    for (unsigned int lane = 0; lane < 2; lane++) {
        if (lanes & 1U << lane) {
            store(&options->lane[lane], option, value);
        }
    }
    return true;
}

bool wire_options_parse(struct wire_options *options, int count,
                        char *const *words)
{
    unsigned int lanes = 3;
    int ports = 0;

    *options = (struct wire_options){.seed = 1};
    for (int lane = 0; lane < 2; lane++) {
        options->lane[lane].reorder_by_ns = UINT64_C(2000000);
        options->lane[lane].queue_bytes = UINT64_C(256) * 1024;
    }
    for (int i = 1; i < count; i++) {
        const char *word = words[i];
        if (strcmp(word, "--help") == 0) {
            options->wants_help = true;
            return true;
        } else if (strcmp(word, "--by-data") == 0) {
            options->is_by_data = true;
        } else if (strcmp(word, "--ab") == 0) {
            lanes = 1;
        } else if (strcmp(word, "--ba") == 0) {
            lanes = 2;
        } else if (strcmp(word, "--both") == 0) {
            lanes = 3;
        } else if (word[0] != '-' && ports < 2) {
            options->port[ports++] = word;
        } else if (word[0] != '-') {
            fprintf(stderr, "wire: a third port: '%s'\n", word);
            return false;
        } else {
            const char *value = i + 1 < count ? words[i + 1] : NULL;
            if (!set_valued(options, lanes, word, value)) {
                return false;
            }
            i++;
        }
    }
    if (ports != 2) {
        fprintf(stderr, "wire: two ports are needed; see wire --help\n");
    }
    return ports == 2;
}
