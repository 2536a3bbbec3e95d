/* SPDX-License-Identifier: MIT */
/*
 * How large the buffers of a connection are when its app did not say: the
 * send buffer follows the congestion window, the receive buffer what the app
 * reads in a round trip (dynamic right-sizing, Fisk and Feng 2001). When send
 * memory runs short, nobody queues more than it can soon send: else those who
 * came first would keep out the rest.
 */
#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/internal.h"

enum {
    /* A window in flight, and as much to follow it. */
    SEND_WINDOWS = 2,
    /* The next round trip's bytes may be twice this one's, and the new window
     * takes a round trip to matter. */
    READ_ROUNDS = 4,
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint32_t autotune_send_limit(const struct tcp_connection *c)
{
    uint64_t buffer = c->options.send_buffer;
    uint64_t windows = (uint64_t)c->congestion.cwnd * SEND_WINDOWS;

    if (c->options.send_buffer_fixed)
        return c->options.send_buffer;
    if (send_buffers_used() >= send_buffers_limit() / 2)
        return (uint32_t)smaller(buffer, larger(windows, TCP_BUFFER_SCARCE));
    return (uint32_t)smaller(tcp_settings.buffer_max, larger(buffer, windows));
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
    /* 2^32 bytes * 2^27 us fits 64 bits. */
    uint64_t round = (uint64_t)c->read_bytes * rtt_us / elapsed_us;
    c->read_bytes = 0;
    c->read_at_us = now_us;
    if (receive_memory_is_short())
        return;
    c->options.receive_buffer = (uint32_t)smaller(
        tcp_settings.buffer_max,
        larger(c->options.receive_buffer, READ_ROUNDS * round));
}
