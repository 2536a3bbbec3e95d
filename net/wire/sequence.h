/* SPDX-License-Identifier: MIT */
/*
 * TCP sequence numbers: arithmetic modulo 2^32 (RFC 9293 3.4). The wrapper
 * makes `<` on them a compile error: it would be wrong whenever they wrap.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct seq32 {
    uint32_t value;
};

static inline struct seq32 seq_from(uint32_t value)
{
    return (struct seq32){value};
}

static inline struct seq32 seq_add(struct seq32 a, uint32_t count)
{
    return (struct seq32){a.value + count};
}

static inline struct seq32 seq_subtract(struct seq32 a, uint32_t count)
{
    return (struct seq32){a.value - count};
}

/* How far `a` lies behind `b`: b + seq_diff(a, b) == a. Negative when `a`
 * comes before `b`; the two must be less than 2^31 apart. */
static inline int32_t seq_diff(struct seq32 a, struct seq32 b)
{
    return (int32_t)(a.value - b.value);
}

static inline bool seq_equal(struct seq32 a, struct seq32 b)
{
    return a.value == b.value;
}

static inline bool seq_before(struct seq32 a, struct seq32 b)
{
    return seq_diff(a, b) < 0;
}

static inline bool seq_after(struct seq32 a, struct seq32 b)
{
    return seq_diff(a, b) > 0;
}

static inline struct seq32 seq_max(struct seq32 a, struct seq32 b)
{
    return seq_before(a, b) ? b : a;
}
