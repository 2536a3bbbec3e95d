/* SPDX-License-Identifier: MIT */
/*
 * httpd: a web server for one machine's pages, and for the machine's own
 * counters. One thread, one loop, no waiting. Compiles on Linux unchanged.
 */
#include "access_log.h"
#include "connection.h"
#include "content.h"
#include "files.h"
#include "listener.h"
#include "loop.h"
#include "options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int start(const struct options *options)
{
    int port;

    if (!files_init(options->root)) {
        fprintf(stderr, "httpd: %s: not a folder\n", options->root);
        return 1;
    }
    if (!loop_init()) {
        fprintf(stderr, "httpd: epoll: %s\n", strerror(errno));
        return 1;
    }
    port = listener_open(options);
    if (port < 0) {
        fprintf(stderr, "httpd: port %u: %s\n", options->port, strerror(errno));
        return 1;
    }
    access_log_init(options->access_log);
    connections_init(options);
    content_init(options->is_status_on);
    printf("httpd: serving %s on port %d\n",
           files_root() ? files_root() : "the built-in site", port);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    const char *bad_word;
    bool is_help;

    options_set_defaults(&options);
    bad_word = options_parse(&options, argc, argv, &is_help);
    if (bad_word) {
        fprintf(stderr, "httpd: '%s' is not understood\n%s", bad_word,
                options_usage());
        return 2;
    }
    if (is_help) {
        fputs(options_usage(), stdout);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    if (start(&options) != 0)
        return 1;
    for (;;) {
        int rest_ms = listener_refresh();
        int timeout_ms = connections_timeout_ms();

        if (timeout_ms < 0 || (rest_ms >= 0 && rest_ms < timeout_ms))
            timeout_ms = rest_ms;
        loop_turn(timeout_ms);
        connections_expire();
        access_log_flush();
    }
}
