/* SPDX-License-Identifier: MIT */
/*
 * How large the buffers of a connection are when its app did not say: the
 * send buffer follows the congestion window, the receive buffer what the app
 * reads in a round trip (dynamic right-sizing, Fisk and Feng 2001). When send
 * memory runs short, nobody queues more than it can soon send: else those who
 * came first would keep out the rest.
 */
#include "net/attributes.h"
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

enum {
    /* The next round trip's bytes may be twice this one's, the new window
     * takes a round trip to matter, and something is always waiting to be
     * read when an ACK tells of it. */
    READ_ROUNDS = 6,
};

COLD uint32_t autotune_low_limit(const struct tcp_connection *c, uint32_t limit,
                                 uint32_t low)
{
    uint32_t flight = (uint32_t)seq_diff(c->snd.max, c->snd.una);
    uint32_t window = c->snd.wnd > flight ? c->snd.wnd - flight : 0;
    uint64_t most = (uint64_t)flight + smaller(window, recovery_room(c)) + low;

    return (uint32_t)smaller_64(limit, most);
}

void autotune_read(struct tcp_connection *c, uint32_t length, uint64_t now_ns)
{
    uint32_t now_us = (uint32_t)(now_ns / NS_PER_US);
    uint32_t rtt_us = c->rtt.smoothed_us;
    uint32_t elapsed_us = now_us - c->read_at_us;

    if (c->options.receive_buffer_fixed || !tcp_settings.moderate_receive ||
        rtt_us == 0)
        return;
    c->read_bytes += length;
    if (elapsed_us < rtt_us)
        return;
    /* Not of a longer time, even if the next burst comes late: what a peer in
     * slow start sends comes in bursts, which an average would hide. */
    uint64_t round = c->read_bytes;
    c->read_bytes = 0;
    c->read_at_us = now_us;
    if (receive_memory_is_short())
        return;
    c->options.receive_buffer = (uint32_t)smaller_64(
        tcp_settings.buffer_max,
        larger_64(c->options.receive_buffer, READ_ROUNDS * round));
}
