/* SPDX-License-Identifier: MIT */
/*
 * Looks for the frame that costs most: lists of moves are changed at random,
 * and what costs no less is kept. Costs are counted in basic blocks of the
 * stack, which the compiler makes tell of themselves: the same for a seed
 * every time. Each try is a process of its own, forked behind the handshake.
 * Callgrind then says how many instructions it really is (host_run --worst).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/worst_moves.h"
#include "tests/bench/worst_victim.h"

enum { PATIENCE = 400 }; /* rounds without progress before a new start */

struct result {
    uint64_t blocks; /* of the worst frame */
    unsigned long frame;
};

static struct result *shared;
static struct result worst;
static uint64_t blocks;
static unsigned long frame;
static uint64_t state;
static bool goes_through; /* a gateway */

void __sanitizer_cov_trace_pc(void);

/* Called by every basic block of a stack compiled for it. */
void __sanitizer_cov_trace_pc(void)
{
    blocks++;
}

static uint32_t random_below(uint32_t limit)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)((state >> 33) % limit);
}

static void poll_counted(void)
{
    victim_rest();
    uint64_t before = blocks;
    victim_poll();
    frame++;
    if (blocks - before > shared->blocks)
        *shared = (struct result){blocks - before, frame};
}

static struct result try(const struct moves *moves)
{
    int status;

    *shared = (struct result){0, 0};
    pid_t child = fork();
    if (child == 0) {
        moves_play(moves, poll_counted);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        fail("fork");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        moves_write(moves, 1, NULL);
        fail("that one ends the stack");
    }
    return *shared;
}

static uint32_t any_number(void)
{
    static const uint32_t good[] = {0,    1,    2,     3,      8,
                                    100,  1447, 1448,  1460,   2896,
                                    2920, 5840, 65535, 100000, 1000000};

    if (random_below(3) != 0)
        return good[random_below(sizeof(good) / sizeof(good[0]))];
    return random_below(1U << random_below(31));
}

/* Kinds, as in worst_moves.c. */
enum { TEXT, EARLY, REVERSE, WAIT = 7, FRAGMENT = 10, NOISE = 12, FLOW };
enum { ARP = 14, QUERY, ANSWER, OFFER, PIECE, TRACK, ASK, SERVICE };
enum { GATEWAY = 22, CROSS, PARCEL };

static struct move any_move(void)
{
    static const uint8_t crossing[8] = {CROSS,  CROSS, CROSS, PARCEL,
                                        PARCEL, WAIT,  ARP,   NOISE};
    uint32_t kind =
        goes_through ? crossing[random_below(8)] : random_below(256);

    return (struct move){kind, any_number(), any_number(), any_number(),
                         any_number()};
}

static uint32_t other_number(uint32_t value)
{
    switch (random_below(6)) {
    case 0:
        return value + 1;
    case 1:
        return value - 1;
    case 2:
        return value * 2;
    case 3:
        return value / 2;
    case 4:
        return value + random_below(1000);
    default:
        return any_number();
    }
}

static void change(struct moves *moves)
{
    uint32_t at = random_below((uint32_t)moves->count);
    struct move *move = &moves->list[at];

    switch (random_below(9)) {
    case 0: /* one more, here */
        if (moves->count < MOVES_MAX) {
            for (size_t i = moves->count++; i > at; i--)
                moves->list[i] = moves->list[i - 1];
            if (random_below(2) == 0)
                *move = any_move();
        }
        break;
    case 1: /* one less */
        if (moves->count > 1)
            for (moves->count--; at < moves->count; at++)
                moves->list[at] = moves->list[at + 1];
        break;
    case 2:
        *move = any_move();
        break;
    case 3:
        moves->list[random_below((uint32_t)moves->count)] = *move;
        break;
    case 4:
    case 5:
        move->count = other_number(move->count);
        break;
    case 6:
        move->a = other_number(move->a);
        break;
    case 7:
        move->b = other_number(move->b);
        break;
    default:
        move->c = other_number(move->c);
        break;
    }
}

/* Half of the time from what fills a queue. */
static struct moves any_moves(void)
{
    const struct move starts[] = {
        {FLOW, 100, any_number(), 0, 0},
        {FLOW, 600, 2895, 0, 0},
        {EARLY, 1000, 1 + any_number(), any_number(), any_number()},
        {REVERSE, 1000, 1 + any_number(), any_number(), any_number()},
        {FRAGMENT, 100, random_below(16), 0, any_number()},
        {ARP, 300, any_number(), 0, any_number()},
        {QUERY, 10, any_number(), any_number(), any_number()},
        {ANSWER, 1, any_number(), any_number(), any_number()},
        {OFFER, 1, any_number(), any_number(), any_number()},
        {PIECE, 600, any_number(), any_number(), any_number()},
        {TRACK, 1000, any_number(), any_number(), any_number()},
    };
    struct moves moves = {.count = 4 + random_below(8)};

    for (size_t i = 0; i < moves.count; i++)
        moves.list[i] = any_move();
    moves.list[0] = (struct move){TEXT, 8, MSS, 0, 0};
    if (!goes_through && random_below(2) == 0) {
        moves.list[2] = (struct move){SERVICE, 0, any_number(), 31, 0};
        moves.list[3] = (struct move){ASK, 0, any_number(), 0, 0};
    }
    if (goes_through || random_below(2) == 0) {
        moves.list[0] = (struct move){GATEWAY, 0, any_number(), 0, 0};
        moves.list[2] =
            (struct move){PARCEL, random_below(128), random_below(8),
                          any_number(), any_number()};
        moves.list[3] = (struct move){CROSS, random_below(1200), any_number(),
                                      any_number(), any_number()};
    }
    if (!goes_through && random_below(2) == 0)
        moves.list[1] = starts[random_below(sizeof(starts) / sizeof(*starts))];
    return moves;
}

int worst_search(const char *seed, const char *rounds, const char *path,
                 bool is_crossing)
{
    struct moves best = {.count = 0};
    struct moves now = {.count = 0};
    struct result cost = {0, 0};
    unsigned long idle = PATIENCE;

    state = strtoull(seed, NULL, 10);
    goes_through = is_crossing;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        fail("mmap");
    victim_connect();
    for (unsigned long left = strtoul(rounds, NULL, 10); left > 0; left--) {
        struct moves next = now;
        if (idle++ >= PATIENCE) {
            next = any_moves();
            cost = (struct result){0, 0};
            idle = 0;
        } else {
            for (uint32_t i = 0; i <= random_below(3); i++)
                change(&next);
        }
        struct result result = try(&next);
        if (result.blocks < cost.blocks)
            continue;
        if (result.blocks > cost.blocks)
            idle = 0;
        now = next;
        cost = result;
        if (cost.blocks > worst.blocks) {
            worst = cost;
            best = now;
        }
    }
    printf("%llu basic blocks for frame %lu of:\n",
           (unsigned long long)worst.blocks, worst.frame);
    moves_write(&best, worst.frame, NULL);
    if (path != NULL)
        moves_write(&best, worst.frame, path);
    return 0;
}
