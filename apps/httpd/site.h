/* SPDX-License-Identifier: MIT */
/*
 * The built-in page, made from site/index.html by tools/embed when the app is
 * built: what runs here, with counters that the page itself keeps fetching.
 */
#pragma once

#include <stddef.h>

extern const unsigned char site_page[];
extern const size_t site_page_length;
