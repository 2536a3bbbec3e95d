/* SPDX-License-Identifier: MIT */
/*
 * The judge: the same random calls and segments, by seed, against variants of
 * the stack that must not differ in what an app sees. It knows nothing of how
 * TCP works inside: what was sent is what is received, in order, and two runs
 * of one script agree. After every step the invariants are asked, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JUDGE_SETTINGS = 2,
};

struct judge_variant {
    const char *name;
    const char *settings[JUDGE_SETTINGS][2]; /* name, value */
    bool is_exact;      /* every result and every frame must agree */
    bool joins_nothing; /* no segment goes up in a train: GRO is off */
    bool is_tampered;   /* words of payload change places: must be noticed */
};

/* What a run came to. */
struct judge_result {
    uint64_t seen;   /* hash of every result an app got */
    uint64_t wire;   /* of every frame, and when */
    uint64_t bytes;  /* read by apps */
    uint64_t joined; /* segments that went up in trains */
    char fault[256]; /* not empty: it went wrong by itself */
};

struct judge_case {
    uint64_t seed;
    const struct judge_variant *variant; /* NULL: as it comes */
};

/* Random segments of every kind, and random calls, against one stack: a peer
 * made of frames. In an exact run the peer contradicts itself, too. */
void judge_segments(struct judge_case *run, struct judge_result *result,
                    bool is_exact);

/* Random calls at both ends of connections between two stacks, over a path
 * with all kinds of trouble. */
void judge_calls(struct judge_case *run, struct judge_result *result);

/* Puts a fault down; the first one counts. */
void judge_fault(struct judge_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void judge_mix(uint64_t *hash, uint64_t value);
uint64_t judge_random(uint64_t *state);
uint8_t judge_byte(uint64_t key, uint32_t offset);
