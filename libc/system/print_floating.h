/* SPDX-License-Identifier: MIT */
/*
 * The floating point half of printf, as the hook that format_to takes.
 */
#pragma once

#include "libc/pure/format.h"

format_floating print_floating;
