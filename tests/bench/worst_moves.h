/* SPDX-License-Identifier: MIT */
/*
 * Moves against the victim: what a search strings together, and a file keeps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOVES_MAX = 24 };

struct move {
    uint32_t kind; /* of worst_moves.c's table */
    uint32_t count;
    uint32_t a;
    uint32_t b;
    uint32_t c;
};

struct moves {
    size_t count;
    struct move list[MOVES_MAX];
};

/* Plays them, calling `poll` for every frame that was built. */
void moves_play(const struct moves *moves, void (*poll)(void));

/* A file names the one frame that counts, too: from 1 on. Without a path:
 * standard output. */
bool moves_read(struct moves *moves, unsigned long *frame, const char *path);
void moves_write(const struct moves *moves, unsigned long frame,
                 const char *path);

/* worst_search.c */
int worst_search(const char *seed, const char *rounds, const char *path,
                 bool is_crossing);
