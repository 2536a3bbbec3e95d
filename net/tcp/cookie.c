/* SPDX-License-Identifier: MIT */
/*
 * A cookie is 28 bits of a keyed hash over both ends, the peer's sequence
 * number and the options kept, then three bits for the MSS and one for the
 * epoch. Each epoch has a key of its own, and the key of the last one but one
 * is gone: older cookies can not be told from guesses. Window scale, SACK and
 * ECN stand in the low bits of our timestamp (as in Linux), which the peer
 * echoes.
 */
#include "net/tcp/cookie.h"

#include <string.h>

#include "net/hash.h"
#include "net/limits.h"

enum {
    EPOCH_BIT = 1,
    MSS_SHIFT = 1,
    MSS_MASK = 7,
    OPEN_BITS = 15, /* those that are not hash */

    HAS_STAMP = 64, /* hashed only */

    ETHERNET_MSS = 1460, /* what most SYNs say... */
    ETHERNET_SIZE = 6,   /* ...and where it stands below */
};

/* What most paths allow: the least an MSS may be here; RFC 9293's default;
 * IPv6's minimum; tunnels; PPPoE and some; Ethernet; jumbo frames. */
static const uint16_t sizes[MSS_MASK + 1] = {
    TCP_MSS_FLOOR, TCP_MSS_DEFAULT, 1220, 1340, 1400, 1440, 1460, 8960};

static struct {
    struct hash_key key;
    uint64_t epoch; /* whose key it is; 0: nobody's */
} secrets[2];

void cookies_init(void)
{
    memset(secrets, 0, sizeof(secrets));
}

/* Counts from 1. */
static uint64_t epoch_at(uint64_t now_ns)
{
    return now_ns / TCP_COOKIE_EPOCH_NS + 1;
}

/* The lower half is the cookie's, the upper one the timestamps'. SipHash-1-3
 * of the table's keyed hash of the tuple, which was needed before: a key is
 * used for two minutes, and 28 bits can be guessed before its rounds are
 * thought about. */
static uint64_t hash(const struct hash_key *key, const struct tcp_tuple *tuple,
                     struct seq32 irs, unsigned kept)
{
    return hash_three(key, table_hash_of(tuple),
                      (uint64_t)kept << 32 | irs.value);
}

static unsigned kept_of(const struct tcp_cookie *cookie, unsigned size)
{
    return (cookie->has_timestamp ? HAS_STAMP | cookie->stamp : 0U) << 3 | size;
}

static unsigned size_of(uint16_t mss)
{
    unsigned size = MSS_MASK;

    if (mss == ETHERNET_MSS)
        return ETHERNET_SIZE;

    if (mss == 0)
        mss = TCP_MSS_DEFAULT;
    while (size > 0 && sizes[size] > mss)
        size--;
    return size;
}

struct seq32 cookie_make(const struct tcp_tuple *tuple, struct seq32 irs,
                         struct tcp_cookie *cookie, uint64_t now_ns)
{
    uint64_t epoch = epoch_at(now_ns);
    unsigned size = size_of(cookie->mss);

    if (secrets[epoch & EPOCH_BIT].epoch != epoch) {
        hash_key_generate(&secrets[epoch & EPOCH_BIT].key);
        secrets[epoch & EPOCH_BIT].epoch = epoch;
    }
    uint64_t value = hash(&secrets[epoch & EPOCH_BIT].key, tuple, irs,
                          kept_of(cookie, size));
    cookie->timestamp_offset = (uint32_t)(value >> 32);
    return seq_from(((uint32_t)value & ~(uint32_t)OPEN_BITS) |
                    size << MSS_SHIFT | (uint32_t)(epoch & EPOCH_BIT));
}

bool cookie_check(const struct tcp_tuple *tuple, struct seq32 irs,
                  struct seq32 iss, uint32_t echo, struct tcp_cookie *cookie,
                  uint64_t now_ns)
{
    uint64_t now = epoch_at(now_ns);
    unsigned parity = iss.value & EPOCH_BIT;
    uint64_t epoch = (now & EPOCH_BIT) == parity ? now : now - 1;
    unsigned size = iss.value >> MSS_SHIFT & MSS_MASK;
    bool has_timestamp = cookie->has_timestamp;

    *cookie =
        (struct tcp_cookie){.mss = sizes[size], .has_timestamp = has_timestamp};
    if (has_timestamp)
        cookie->stamp = echo & COOKIE_STAMP_BITS;
    if (secrets[parity].epoch != epoch)
        return false;
    uint64_t value =
        hash(&secrets[parity].key, tuple, irs, kept_of(cookie, size));
    cookie->timestamp_offset = (uint32_t)(value >> 32);
    return (((uint32_t)value ^ iss.value) & ~(uint32_t)OPEN_BITS) == 0;
}
