/* SPDX-License-Identifier: MIT */
/*
 * Runs an app on the TAP port:
 *   hosted-APP [--tap NAME] [-v] [ip=...] [net.NAME=VALUE] [-- app arguments]
 */
#include "tests/host/tap_platform.h"

#include "net/socket/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int app_main(int argc, char **argv);

static void usage(const char *name)
{
    fprintf(stderr,
            "usage: %s [--tap NAME] [-v] [ip=...] [net.NAME=VALUE] "
            "[-- app arguments]\n"
            "  --tap NAME  TAP device to use (tap0); it must exist, or you\n"
            "              must be allowed to create it\n"
            "  -v          log every packet's fate\n"
            "  ip=..., net.NAME=VALUE\n"
            "              as on the kernel command line; DHCP without ip=\n",
            name);
    exit(2);
}

int main(int argc, char **argv)
{
    struct tap_settings settings = {.tap = "tap0",
                                    .words = (const char **)argv + argc};
    int first = argc;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            first = i;
            break;
        }
        if (strcmp(argv[i], "--tap") == 0 && i + 1 < argc) {
            settings.tap = argv[++i];
        } else if (strcmp(argv[i], "-v") == 0) {
            settings.verbose = true;
        } else if (strncmp(argv[i], "ip=", 3) == 0 ||
                   strncmp(argv[i], "net.", 4) == 0) {
            argv[1 + settings.word_count++] = argv[i];
        } else {
            fprintf(stderr, "%s: '%s' is not understood\n", argv[0], argv[i]);
            usage(argv[0]);
        }
    }
    settings.words = (const char **)&argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0); /* as on a console */
    if (tap_platform_start(&settings) != 0)
        return 1;
    if (first == argc)
        first = argc - 1;
    argv[first] = argv[0];
    return app_main(argc - first, argv + first);
}
