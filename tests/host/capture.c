/* SPDX-License-Identifier: MIT */
/*
 * What every port sent: as a pcap file (nanosecond format, Ethernet) for
 * people, as a hash for tests that compare two runs.
 */
#include "tests/host/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *capture;
static bool is_tracing;
static uint64_t trace;

void world_capture(const char *path)
{
    static const uint32_t header[6] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 1};

    if (capture != NULL) {
        fclose(capture);
        capture = NULL;
    }
    if (path != NULL) {
        capture = fopen(path, "wb");
        if (capture == NULL)
            world_fail("cannot write the capture");
        fwrite(header, sizeof(header), 1, capture);
    }
}

void capture_start(void)
{
    static unsigned count;
    const char *prefix = getenv("WORLD_PCAP");
    char path[4096];

    is_tracing = false;
    if (prefix == NULL || *prefix == '\0')
        return;
    (void)snprintf(path, sizeof(path), "%s-%ld-%u.pcap", prefix, (long)getpid(),
                   count++);
    world_capture(path);
}

void world_trace(bool on)
{
    is_tracing = on;
    trace = 0;
}

uint64_t world_trace_hash(void)
{
    return trace;
}

static void mix(uint64_t value)
{
    trace = (trace ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    trace ^= trace >> 32;
}

static void hash_frame(const struct frame *frame)
{
    mix(world_now());
    mix(frame->length);
    for (size_t at = 0; at < frame->length; at += sizeof(uint64_t)) {
        size_t left = frame->length - at;
        uint64_t word = 0;
        memcpy(&word, frame->bytes + at,
               left < sizeof(word) ? left : sizeof(word));
        mix(word);
    }
}

void capture_frame(const struct frame *frame)
{
    if (is_tracing)
        hash_frame(frame);
    if (capture == NULL)
        return;
    uint32_t header[4] = {(uint32_t)(world_now() / NS_PER_S),
                          (uint32_t)(world_now() % NS_PER_S),
                          (uint32_t)frame->length, (uint32_t)frame->length};
    fwrite(header, sizeof(header), 1, capture);
    fwrite(frame->bytes, frame->length, 1, capture);
    fflush(capture); /* a failing test ends by abort() */
}
