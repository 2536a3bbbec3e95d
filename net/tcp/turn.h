/* SPDX-License-Identifier: MIT */
/*
 * What one frame may cause at a connection: TCP_TURN_STEPS, and what was begun
 * before they are used up. Loops over what a peer may have made long count
 * their steps; what waits for the next turn, which comes at once, is owed. A
 * frame leaves to the output that follows it what it has not used.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/filter/filter.h"
#include "net/limits.h"

extern uint32_t turn_steps; /* so far, in this turn of the one at work */

static inline void turn_spend(uint32_t steps)
{
    turn_steps += steps;
}

/* Packets sent; rules and tracking cost as much again. */
static inline void turn_spend_packets(uint32_t count)
{
    turn_steps +=
        count * (filter_is_used(FILTER_OUTPUT) ? (uint32_t)TCP_TURN_PACKET * 2
                                               : (uint32_t)TCP_TURN_PACKET);
}

/* Eight passed in a search are one. */
static inline void turn_spend_search(uint32_t passed)
{
    turn_steps += passed / 8;
}

static inline bool turn_is_over(void)
{
    return turn_steps >= TCP_TURN_STEPS;
}
