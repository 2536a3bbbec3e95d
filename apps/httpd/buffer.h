/* SPDX-License-Identifier: MIT */
/*
 * Buffers of BUFFER_SIZE bytes, held by a connection only while it has a
 * request or a response in hand; an idle one holds none.
 */
#pragma once

/* NULL when memory is short. */
char *buffer_take(void);
/* NULL is allowed. */
void buffer_give(char *buffer);
