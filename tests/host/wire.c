/* SPDX-License-Identifier: MIT */
/*
 * wire: a bad cable between two network ports (see wire --help). Linux only.
 * Reading stops while a direction is full, so that nothing is dropped but what
 * was asked for; only the queue before a speed limit overflows, as it should.
 */
#include "tests/host/wire_lane.h"
#include "tests/host/wire_options.h"
#include "tests/host/wire_port.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct wire_port ports[2];
static struct wire_lane lanes[2]; /* lane n leads from port n to the other */
static FILE *captures[2];
static volatile sig_atomic_t wants_end;
static volatile sig_atomic_t wants_report;

static void on_signal(int number)
{
    if (number == SIGUSR1) {
        wants_report = 1;
    } else {
        wants_end = 1;
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* --- capture files, in the classic pcap format --- */

static void put32(FILE *file, uint32_t value)
{
    fwrite(&value, sizeof(value), 1, file);
}

static bool open_capture(int side, const char *prefix)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s-%c.pcap", prefix, 'a' + side);
    FILE *file = length < (int)sizeof(path) ? fopen(path, "wb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "wire: cannot write %s: %s\n", path, strerror(errno));
        return false;
    }
    put32(file, 0xa1b2c3d4U);   /* microseconds, this machine's order */
    put32(file, 2U | 4U << 16); /* version 2.4 */
    put32(file, 0);
    put32(file, 0);
    put32(file, WIRE_FRAME_MAX);
    put32(file, 1); /* Ethernet */
    captures[side] = file;
    return true;
}

static void capture(int side, const uint8_t *bytes, size_t length)
{
    FILE *file = captures[side];
    struct timespec now;
    if (file == NULL) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    put32(file, (uint32_t)now.tv_sec);
    put32(file, (uint32_t)(now.tv_nsec / 1000));
    put32(file, (uint32_t)length);
    put32(file, (uint32_t)length);
    fwrite(bytes, 1, length, file);
}

static void flush_captures(void)
{
    for (int side = 0; side < 2; side++) {
        if (captures[side] != NULL) {
            fflush(captures[side]);
        }
    }
}

/* --- the relay --- */

static void report(void)
{
    for (int i = 0; i < 2; i++) {
        const struct wire_counters *c = &lanes[i].counters;
        printf(
            "%s -> %s: %llu in, %llu out, %llu lost, %llu doubled, "
            "%llu reordered, %llu corrupted, %llu overflowed, "
            "%llu refused\n",
            ports[i].name, ports[1 - i].name, (unsigned long long)c->received,
            (unsigned long long)c->sent, (unsigned long long)c->lost,
            (unsigned long long)c->duplicated, (unsigned long long)c->reordered,
            (unsigned long long)c->corrupted, (unsigned long long)c->overflowed,
            (unsigned long long)ports[1 - i].refused);
    }
    fflush(stdout);
}

/* Takes in what port `side` has read. */
static void take_in(int side)
{
    uint64_t now = now_ns();
    size_t length;
    while (wire_lane_has_room(&lanes[side])) {
        uint8_t *bytes = wire_port_next(&ports[side], &length);
        if (bytes == NULL) {
            return;
        }
        capture(side, bytes, length);
        wire_lane_receive(&lanes[side], now, bytes, length);
    }
}

/* Lets out what is due from port `side` to the other. */
static void let_out(int side)
{
    struct wire_port *to = &ports[1 - side];
    uint64_t now = now_ns();
    while (wire_port_can_send(to)) {
        struct wire_frame *frame = wire_lane_take(&lanes[side], now);
        if (frame == NULL) {
            return;
        }
        capture(1 - side, frame->bytes, frame->length);
        wire_port_send(to, frame->bytes, frame->length);
        free(frame);
    }
}

static void wait_for_work(struct pollfd *watched, const sigset_t *signals)
{
    uint64_t due = UINT64_MAX;
    for (int side = 0; side < 2; side++) {
        short events = 0;
        bool may_read = wire_lane_has_room(&lanes[side]) &&
                        !wire_port_has_frame(&ports[side]);
        events |= may_read ? POLLIN : 0;
        events |= wire_port_is_waiting(&ports[side]) ? POLLOUT : 0;
        watched[side] = (struct pollfd){ports[side].fd, events, 0};
        /* A frame that the far port has no room for is not a deadline. */
        if (wire_port_can_send(&ports[1 - side]) &&
            wire_lane_next_ns(&lanes[side]) < due) {
            due = wire_lane_next_ns(&lanes[side]);
        }
    }
    uint64_t now = now_ns();
    uint64_t left = due <= now ? 0 : due - now;
    struct timespec wait = {(time_t)(left / UINT64_C(1000000000)),
                            (long)(left % UINT64_C(1000000000))};
    if (left > 0) {
        flush_captures();
    }
    ppoll(watched, 2, due == UINT64_MAX ? NULL : &wait, signals);
}

/* Reads for a while, but not so long that the other side starves. */
static bool read_from(int side)
{
    int turns = 64;
    do {
        if (!wire_port_fill(&ports[side])) {
            return false;
        }
        if (!wire_port_has_frame(&ports[side])) {
            return true;
        }
        take_in(side);
    } while (!wire_port_has_frame(&ports[side]) && --turns > 0);
    return true;
}

static void relay(const sigset_t *signals)
{
    struct pollfd watched[2];
    while (!wants_end) {
        wait_for_work(watched, signals);
        if (wants_report) {
            wants_report = 0;
            report();
        }
        for (int side = 0; side < 2; side++) {
            take_in(side); /* what had no room before */
            if (watched[side].events & POLLIN && watched[side].revents &&
                !read_from(side)) {
                return;
            }
        }
        for (int side = 0; side < 2; side++) {
            let_out(side);
            if (!wire_port_flush(&ports[1 - side])) {
                return;
            }
        }
    }
}

/* Signals are delivered only while waiting: none can be missed. */
static void watch_signals(sigset_t *while_waiting)
{
    static const int watched[] = {SIGTERM, SIGINT, SIGUSR1};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
        sigaction(watched[i], &action, NULL);
        sigaddset(&blocked, watched[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, while_waiting);
}

/* Waits until the peer of every listening port is there. */
static bool meet_peers(const sigset_t *signals)
{
    for (int side = 0; side < 2 && !wants_end; side++) {
        struct pollfd watched = {ports[side].listener, POLLIN, 0};
        if (ports[side].listener >= 0 &&
            ppoll(&watched, 1, NULL, signals) < 0) {
            side--; /* a signal: ask again whether to end */
            continue;
        }
        if (!wire_port_accept(&ports[side])) {
            return false;
        }
    }
    return !wants_end;
}

int main(int count, char **words)
{
    struct wire_options options;
    sigset_t while_waiting;

    if (!wire_options_parse(&options, count, words)) {
        return 2;
    }
    if (options.wants_help) {
        wire_options_help();
        return 0;
    }
    for (int side = 0; side < 2; side++) {
        lanes[side].settings = options.lane[side];
        lanes[side].seed = options.seed;
        lanes[side].direction = (unsigned int)side;
        lanes[side].is_by_data = options.is_by_data;
        if (!wire_port_open(&ports[side], options.port[side]) ||
            (options.pcap != NULL && !open_capture(side, options.pcap))) {
            return 1;
        }
    }
    watch_signals(&while_waiting);
    if (meet_peers(&while_waiting)) {
        relay(&while_waiting);
    }
    flush_captures();
    report();
    return 0;
}
