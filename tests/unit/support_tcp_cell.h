/* SPDX-License-Identifier: MIT */
/*
 * One cell of the TCP state table: a real connection in a state, and the
 * segment that is sent to it.
 */
#pragma once

#include "tests/host/scene.h"
#include "tests/unit/support_tcp_model.h"

enum {
    CELL_TEXT = 10,        /* bytes of text in a segment */
    CELL_OUTSTANDING = 10, /* bytes we sent that are not acknowledged */
    CELL_PEER_WINDOW = 65535,
};

/* Where SEG.SEQ stands, of a window that begins at RCV.NXT. */
enum position {
    LONG_BEFORE,     /* 1000 before it: nothing of the segment is new */
    ACROSS_THE_LEFT, /* text: begins 5 before it, 5 are new; else 1 before */
    AT_NEXT,
    INSIDE, /* 100 after it: a gap before the segment */
    BEYOND, /* 1000 after its right edge */
    POSITIONS,
};

enum acknowledges {
    ALL,     /* SND.NXT */
    NOTHING, /* SND.UNA */
    FUTURE,  /* SND.NXT + 1 */
    ANCIENT, /* before SND.UNA - MAX.SND.WND */
    ACKNOWLEDGES,
};

enum stamp { OFF, NEW, OLD, MISSING, STAMPS };

struct cell {
    enum model_state state;
    bool is_passive;
    uint8_t flags;
    enum position position;
    bool has_text;
    enum acknowledges acknowledges;
    enum stamp stamp;
};

extern struct scene cell_scene;
extern const uint8_t cell_text[CELL_TEXT];

/* The stack listens. */
void cell_start(void);

/* A connection in the cell's state, and the model's of it. */
struct model_connection cell_prepare(const struct cell *cell);

/* Sends the cell's segment. */
struct model_segment cell_inject(const struct cell *cell,
                                 const struct model_connection *model);
