/* SPDX-License-Identifier: MIT */
/*
 * Where the cycles of a packet's walk go, stage by stage. Off unless asked for
 * (net.accounting=1); then one entry into the stack of ACCOUNT_SAMPLE is
 * followed, so that the clock is not read all the time, and stands for all.
 * What is outside of every stage is the app, idleness or an interrupt: the
 * kernel knows these.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum account_stage {
    ACCOUNT_OUTSIDE,
    ACCOUNT_POLL,      /* the driver's poll and the link layer */
    ACCOUNT_IP,        /* up to the transport */
    ACCOUNT_TRANSPORT, /* TCP and UDP, receiving */
    ACCOUNT_OUTPUT,    /* TCP sending, down to the descriptors */
    ACCOUNT_TIMERS,
    ACCOUNT_SOCKET, /* calls of the app */
    ACCOUNT_STAGES,
};

enum { ACCOUNT_SAMPLE = 16 };

extern struct account {
    bool is_on;
    bool is_followed;         /* the entry in hand */
    enum account_stage stage; /* of one not followed: the outermost */
    uint64_t since;           /* cycles, when the stage began */
    uint64_t entries;         /* into the stack */
    uint64_t cycles[ACCOUNT_STAGES];
} account;

void account_switch(enum account_stage stage);

/* Gives back the stage to return to. Softirq, or app with the lock held. */
static inline enum account_stage account_enter(enum account_stage stage)
{
    enum account_stage previous = account.stage;

    if (account.is_on && (account.is_followed || previous == ACCOUNT_OUTSIDE))
        account_switch(stage);
    return previous;
}

static inline void account_return(enum account_stage previous)
{
    if (account.is_on && (account.is_followed || previous == ACCOUNT_OUTSIDE))
        account_switch(previous);
}

/* Forgets everything. */
void account_set(bool is_on);

const char *account_stage_name(enum account_stage stage);
