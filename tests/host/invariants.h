/* SPDX-License-Identifier: MIT */
/*
 * What must hold of every TCP connection between two entries into the stack,
 * whatever peers and apps did. For fuzzers and random tests, after each step.
 */
#pragma once

/* NULL when all holds, else what does not, of which connection. The second is
 * the same for the second stack (stack.h). */
const char *tcp_check_invariants(void);
const char *peer_tcp_check_invariants(void);
