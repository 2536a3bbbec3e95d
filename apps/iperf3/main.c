/* SPDX-License-Identifier: MIT */
/*
 * iperf3: a server for the iperf3 client of version 3.x, over TCP and UDP. One
 * loop, one test at a time. Left out: SCTP, authentication, IPv6, and asking
 * for the server's own output. Compiles on Linux unchanged.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "limits.h"
#include "loop.h"
#include "stream.h"
#include "test.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IPERF3_PORT = 5201, LISTEN_BACKLOG = 128 };

#define NS_PER_MS UINT64_C(1000000)

/* A connection before its cookie is complete. */
struct greeter {
    struct watch watch;
    struct sockaddr_in peer;
    uint64_t since_ns;
    size_t length;
    char cookie[COOKIE_SIZE];
};

static struct watch listener;
static struct greeter greeters[GREETERS_MAX];

static void greeter_ready(struct watch *watch, unsigned events)
{
    struct greeter *greeter = (struct greeter *)(void *)watch;
    ssize_t length = recv(watch->descriptor, greeter->cookie + greeter->length,
                          COOKIE_SIZE - greeter->length, 0);

    (void)events;
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        loop_close(watch);
        return;
    }
    greeter->length += (size_t)length;
    if (greeter->length == COOKIE_SIZE)
        test_admit(watch, greeter->cookie, &greeter->peer);
}

/* A free place, or that of the one who has waited longest. */
static struct greeter *place(void)
{
    struct greeter *oldest = &greeters[0];

    for (unsigned i = 0; i < GREETERS_MAX; i++) {
        if (greeters[i].watch.descriptor < 0)
            return &greeters[i];
        if (greeters[i].since_ns < oldest->since_ns)
            oldest = &greeters[i];
    }
    loop_close(&oldest->watch);
    return oldest;
}

static void listener_ready(struct watch *watch, unsigned events)
{
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof(peer);
    int descriptor = accept4(watch->descriptor, (struct sockaddr *)&peer, &size,
                             SOCK_NONBLOCK);
    struct greeter *greeter;

    (void)events;
    if (descriptor < 0)
        return;
    greeter = place();
    *greeter = (struct greeter){.watch = {.ready = greeter_ready},
                                .peer = peer,
                                .since_ns = loop_now_ns()};
    (void)loop_open(&greeter->watch, descriptor, LOOP_READ);
}

static void close_silent(uint64_t now_ns)
{
    for (unsigned i = 0; i < GREETERS_MAX; i++) {
        if (greeters[i].watch.descriptor >= 0 &&
            now_ns - greeters[i].since_ns > PHASE_MS * NS_PER_MS)
            loop_close(&greeters[i].watch);
    }
}

static bool open_listener(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)*port)};
    socklen_t size = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;

    if (descriptor < 0)
        return false;
    listener.ready = listener_ready;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
        listen(descriptor, LISTEN_BACKLOG) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0 ||
        !loop_open(&listener, descriptor, LOOP_READ))
        return false;
    *port = ntohs(address.sin_port);
    return true;
}

static const char usage[] = "usage: iperf3 [-p PORT]\n"
                            "  -p PORT  TCP and UDP; 5201; 0 for any\n";

/* Names what it does not understand. */
static bool read_words(int argc, char **argv, unsigned *port)
{
    const char *bad = argv[1];

    if (strcmp(argv[1], "-p") == 0 && argc > 2) {
        char *end;
        unsigned long number = strtoul(argv[2], &end, 10);

        if (isdigit((unsigned char)argv[2][0]) && *end == '\0' &&
            number <= UINT16_MAX && argc == 3) {
            *port = (unsigned)number;
            return true;
        }
        bad = argv[argc - 1];
    }
    fprintf(stderr, "iperf3: '%s' is not understood\n%s", bad, usage);
    return false;
}

int main(int argc, char **argv)
{
    unsigned port = IPERF3_PORT;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc > 1 && !read_words(argc, argv, &port))
        return 2;
    for (unsigned i = 0; i < GREETERS_MAX; i++)
        greeters[i].watch.descriptor = -1;
    signal(SIGPIPE, SIG_IGN);
    if (!loop_init() || !open_listener(&port) || !streams_init(port)) {
        fprintf(stderr, "iperf3: port %u: %s\n", port, strerror(errno));
        return 1;
    }
    printf("iperf3: port %u\n", port);
    fflush(stdout);
    for (;;) {
        int wait_ms = test_run();

        close_silent(loop_now_ns());
        loop_turn(wait_ms < 0 ? 1000 : wait_ms);
    }
}
