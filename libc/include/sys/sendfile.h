/* SPDX-License-Identifier: MIT */
/*
 * From a file of the module to a socket without copying: the module stays in
 * memory, so the send queue just points at it.
 */
#pragma once

#include <sys/types.h>

ssize_t sendfile(int out_descriptor, int in_descriptor, off_t *offset,
                 size_t count);
