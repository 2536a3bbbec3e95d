/* SPDX-License-Identifier: MIT */
#include "kernel/image.h"

#include "kernel/unpack.h"

void image_unpack(void)
{
    unpack((const uint8_t *)packed_start, (uint8_t *)rodata_start,
           (size_t)(contents_end - rodata_start));
}
