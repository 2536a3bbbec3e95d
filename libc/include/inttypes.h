/* SPDX-License-Identifier: MIT */
/*
 * printf and scanf conversions for the exact-width types (ISO C 7.8). On
 * x86_64 the 64-bit and pointer types are long, as on Linux; the compiler's
 * freestanding stdint.h agrees (__INT64_TYPE__ is long).
 */
#pragma once

#include <stdint.h>

#define PRId8   "d"
#define PRId16  "d"
#define PRId32  "d"
#define PRId64  "ld"
#define PRIi8   "i"
#define PRIi16  "i"
#define PRIi32  "i"
#define PRIi64  "li"
#define PRIu8   "u"
#define PRIu16  "u"
#define PRIu32  "u"
#define PRIu64  "lu"
#define PRIo8   "o"
#define PRIo16  "o"
#define PRIo32  "o"
#define PRIo64  "lo"
#define PRIx8   "x"
#define PRIx16  "x"
#define PRIx32  "x"
#define PRIx64  "lx"
#define PRIX8   "X"
#define PRIX16  "X"
#define PRIX32  "X"
#define PRIX64  "lX"
#define PRIdMAX "ld"
#define PRIuMAX "lu"
#define PRIxMAX "lx"
#define PRIdPTR "ld"
#define PRIuPTR "lu"
#define PRIxPTR "lx"

#define SCNd8   "hhd"
#define SCNi8   "hhi"
#define SCNu8   "hhu"
#define SCNo8   "hho"
#define SCNx8   "hhx"
#define SCNd16  "hd"
#define SCNi16  "hi"
#define SCNu16  "hu"
#define SCNo16  "ho"
#define SCNx16  "hx"
#define SCNd32  "d"
#define SCNi32  "i"
#define SCNu32  "u"
#define SCNo32  "o"
#define SCNx32  "x"
#define SCNd64  "ld"
#define SCNi64  "li"
#define SCNu64  "lu"
#define SCNo64  "lo"
#define SCNx64  "lx"
#define SCNdMAX "ld"
#define SCNuMAX "lu"
#define SCNxMAX "lx"

intmax_t strtoimax(const char *restrict text, char **restrict end, int base);
uintmax_t strtoumax(const char *restrict text, char **restrict end, int base);
