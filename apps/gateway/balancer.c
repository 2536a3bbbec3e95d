/* SPDX-License-Identifier: MIT */
/*
 * The machine's file of backends says who there is and what it believes of
 * them; whatever differs from what was found is written back. A connection
 * that opens is closed at once: nothing is asked on it. Backends without a
 * port of their own are not checked.
 */
#include "balancer.h"

#include "apps/httpd/clock.h"
#include "apps/httpd/loop.h"
#include "log.h"
#include "whole_file.h"
#include "words.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MACHINE_FILES
#define MACHINE_FILES "/proc/ferrule/"
#endif

enum {
    BACKENDS_MAX = 64,
    INTERVAL_MS = 2000,
    ANSWER_MS = 1500,
    FAILURES_MAX = 2,
    LINE_SIZE = 64,
    STATE_SIZE = 16,
};

struct backend {
    struct watch watch; /* first: found again from it */
    uint64_t deadline_ms;
    uint32_t address;
    uint16_t port;
    bool is_present; /* in the file just read */
    bool is_waiting;
    bool is_draining;
    unsigned failures;
    char state[STATE_SIZE]; /* as the machine has it */
};

static struct backend backends[BACKENDS_MAX];
static size_t count;
static uint64_t next_round_ms;

static struct backend *find(uint32_t address, uint16_t port)
{
    for (size_t i = 0; i < count; i++) {
        if (backends[i].address == address && backends[i].port == port)
            return &backends[i];
    }
    return NULL;
}

static const char *wanted_state(const struct backend *backend)
{
    if (backend->is_draining)
        return "draining";
    return backend->failures >= FAILURES_MAX ? "down" : "up";
}

/* Tells the machine what it does not know yet. */
static void settle(struct backend *backend)
{
    const char *wanted = wanted_state(backend);
    char text[LINE_SIZE];
    int length;

    if (strcmp(backend->state, wanted) == 0)
        return;
    length = snprintf(text, sizeof(text), "%s %u %s",
                      log_address(backend->address), backend->port, wanted);
    if (!whole_file_write(MACHINE_FILES "backends", text, (size_t)length))
        return; /* the next round tries again */
    strcpy(backend->state, wanted);
    log_line(strcmp(wanted, "down") == 0 ? LOG_WARNING : LOG_NOTICE, "balancer",
             "%s:%u is %s", log_address(backend->address), backend->port,
             wanted);
}

/* ---- one check ----------------------------------------------------------- */

static void finish(struct backend *backend, bool is_alive)
{
    if (backend->is_waiting) {
        loop_unwatch(&backend->watch);
        close(backend->watch.descriptor);
        backend->is_waiting = false;
    }
    if (is_alive)
        backend->failures = 0;
    else if (backend->failures < FAILURES_MAX)
        backend->failures++;
    settle(backend);
}

/* Begins to connect, or (again) asks what came of it. */
static int join(const struct backend *backend, int descriptor)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(backend->port),
                                   .sin_addr = {htonl(backend->address)}};

    return connect(descriptor, (const struct sockaddr *)&to, sizeof(to));
}

static void ready(struct watch *watch)
{
    struct backend *backend = (struct backend *)watch;

    finish(backend, join(backend, watch->descriptor) == 0 || errno == EISCONN);
}

static void check(struct backend *backend)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return; /* our own trouble is not the server's */
    backend->watch.descriptor = descriptor;
    backend->watch.ready = ready;
    backend->deadline_ms = clock_ms() + ANSWER_MS;
    if (join(backend, descriptor) != 0 && errno != EINPROGRESS) {
        close(descriptor);
        finish(backend, false);
        return;
    }
    backend->is_waiting = loop_watch(&backend->watch, LOOP_WRITE);
    if (!backend->is_waiting)
        close(descriptor);
}

/* ---- who there is -------------------------------------------------------- */

/* One whose server is in no rule any more, else a new one. A watched one must
 * not move: the loop knows where it lies. */
static struct backend *find_unused(void)
{
    for (size_t i = 0; i < count; i++) {
        if (!backends[i].is_present && !backends[i].is_waiting &&
            !backends[i].is_draining)
            return &backends[i];
    }
    return count < BACKENDS_MAX ? &backends[count++] : NULL;
}

/* "ADDRESS  PORT  STATE  FLOWS" */
static void note_line(const char *line, const char *end)
{
    struct words words = {.start = line, .at = line, .end = end};
    struct word word[3] = {{0}};
    struct backend *backend;
    uint32_t address, port;

    for (size_t i = 0; i < 3; i++) {
        while (words.at < words.end && *words.at == ' ')
            words.at++;
        word[i] = words_take(&words, ' ');
    }
    if (!word_to_address(word[0], &address) ||
        !word_to_number(word[1], UINT16_MAX, &port) || port == 0)
        return; /* the names of the columns, or not to be checked */
    backend = find(address, (uint16_t)port);
    if (backend == NULL)
        backend = find_unused();
    if (backend == NULL)
        return;
    if (backend->address != address || backend->port != port)
        *backend = (struct backend){.address = address, .port = (uint16_t)port};
    backend->is_present = true;
    (void)word_copy(word[2], backend->state, sizeof(backend->state));
}

static void read_backends(void)
{
    size_t length;
    char *text = whole_file_read(MACHINE_FILES "backends", &length);
    const char *line = text;

    for (size_t i = 0; i < count; i++)
        backends[i].is_present = false;
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');

        note_line(line, end != NULL ? end : line + strlen(line));
        line = end != NULL ? end + 1 : NULL;
    }
    free(text);
}

void balancer_turn(void)
{
    uint64_t now_ms = clock_ms();

    for (size_t i = 0; i < count; i++) {
        if (backends[i].is_waiting && now_ms >= backends[i].deadline_ms)
            finish(&backends[i], false);
    }
    if (now_ms < next_round_ms)
        return;
    next_round_ms = now_ms + INTERVAL_MS;
    read_backends();
    for (size_t i = 0; i < count; i++) {
        if (backends[i].is_present && !backends[i].is_waiting) {
            settle(&backends[i]); /* rules made anew believe in all */
            check(&backends[i]);
        }
    }
}

bool balancer_drain(const char *server, bool is_draining)
{
    struct words words = {
        .start = server, .at = server, .end = server + strlen(server)};
    struct word host = words_take(&words, ':');
    struct backend *backend = NULL;
    uint32_t address, port;

    read_backends();
    if (word_to_address(host, &address) &&
        word_to_number(words_take(&words, '\0'), UINT16_MAX, &port))
        backend = find(address, (uint16_t)port);
    if (backend == NULL)
        return false;
    backend->is_draining = is_draining;
    settle(backend);
    return true;
}
