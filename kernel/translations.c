/* SPDX-License-Identifier: MIT */
#include "kernel/translations.h"

#include "kernel/cpu.h"

/* QEMU's own window for judging how full the table is. A flush costs about as
 * many walks as there are pages in use, 0.3 ms for a thousand. */
#define REFRESH_NS UINT64_C(100000000)

static uint64_t refreshed_ns; /* per processor, when there are more */

void translations_refresh(uint64_t now_ns)
{
    if (now_ns - refreshed_ns < REFRESH_NS)
        return;
    refreshed_ns = now_ns;
    cpu_write_cr3(cpu_read_cr3());
}
