/* SPDX-License-Identifier: MIT */
/*
 * The smallest world two stacks can live in, for counting what they do: a
 * clock somebody moves, memory that is not touched before it is used, and a
 * cable that is one copy of the bytes. What the world itself does is told
 * apart by file, and not counted (host_run).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/stack.h"

enum {
    END_RING = 1024,
    END_FRAME = 1600,
};

struct end {
    const struct stack_functions *call;
    struct netif netif;
    struct end *other; /* NULL: what it sends is lost */
    uint8_t *memory;
    size_t memory_size;
    size_t memory_used;
    struct packet *sent[END_RING];
    uint32_t sent_first; /* not taken by the other end yet */
    uint32_t sent_free;  /* not given back to the stack yet */
    uint32_t sent_end;
    uint32_t batch;  /* frames taken in one poll */
    uint32_t offset; /* of payload taken from a large send */
    size_t (*generate)(struct end *end, uint8_t frame[END_FRAME]);
    uint64_t frames; /* received */
    bool is_verified;
    bool is_raised; /* work is left for another poll */
};

extern uint64_t world_ns;
extern struct end ends[2];

/* Both ends, 10.0.0.1 and 10.0.0.2 with a gateway behind each other, whose
 * cards can do that much. */
void ends_start(size_t memory_size, uint32_t features, uint32_t batch);

/* Lets an end receive what the other has sent, or `generate` makes. */
bool end_poll(struct end *end);

/* The app's way out: sends what is owed. */
void end_leave(struct end *end);

/* Until nobody has anything to say; then the time moves, with timers. */
void ends_settle(void);
void ends_wait(uint64_t duration_ns);

/* Not memcpy: that one's cost counts as the stack's. */
void world_copy(void *to, const void *from, size_t length);

_Noreturn void fail(const char *text);
