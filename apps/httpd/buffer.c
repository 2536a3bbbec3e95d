/* SPDX-License-Identifier: MIT */
/*
 * A stack of free buffers over malloc: the buffer used last, still in the
 * cache, is the next one out, and a burst's surplus goes back to the heap.
 */
#include "buffer.h"

#include "limits.h"

#include <stdlib.h>

static char *kept[BUFFERS_KEPT];
static unsigned kept_count;

char *buffer_take(void)
{
    return kept_count > 0 ? kept[--kept_count] : malloc(BUFFER_SIZE);
}

void buffer_give(char *buffer)
{
    if (buffer && kept_count < BUFFERS_KEPT)
        kept[kept_count++] = buffer;
    else
        free(buffer);
}
