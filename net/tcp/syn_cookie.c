/* SPDX-License-Identifier: MIT */
/*
 * Listening with nothing kept of a SYN (RFC 4987 3.6). What a cookie holds is
 * cookie.c's business.
 */
#include "net/tcp/cookie.h"
#include "net/tcp/half_open.h"

void half_open_send_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple,
                           const struct tcp_segment *segment, uint64_t now_ns)
{
    struct half_open h;

    half_open_read_syn(&h, listener, tuple, segment);
    struct tcp_cookie cookie = {
        .mss = h.node.value,
        .window_scale = h.window_scale,
        .has_window_scale = (h.node.flags & HAS_WINDOW_SCALE) != 0,
        .has_sack = (h.node.flags & HAS_SACK) != 0,
        .has_timestamp = (h.node.flags & HAS_TIMESTAMPS) != 0,
        .has_ecn = (h.node.flags & HAS_ECN) != 0,
    };
    h.iss = cookie_make(tuple, h.irs, &cookie, now_ns);
    if (cookie.has_timestamp) {
        half_open_owe_stamped(
            &h, TCP_SYN | TCP_ACK,
            cookie_timestamp(&cookie, half_open_timestamp(&h, now_ns)));
    } else {
        h.node.flags = 0;
        half_open_owe_stamped(&h, TCP_SYN | TCP_ACK, 0);
    }
    listener->cookies_until_ns = now_ns + 2 * TCP_COOKIE_EPOCH_NS;
    tcp_counters.syncookies_sent++;
}

bool half_open_take_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple, struct packet *packet,
                           struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_cookie cookie = {.has_timestamp =
                                    segment->options.has_timestamp &&
                                    tcp_settings.timestamps};

    if ((segment->flags & (TCP_SYN | TCP_RST)) != 0 ||
        now_ns >= listener->cookies_until_ns)
        return false;
    if (!cookie_check(tuple, seq_subtract(segment->seq, 1),
                      seq_subtract(segment->ack, 1),
                      segment->options.timestamp_echo, &cookie, now_ns)) {
        tcp_counters.syncookies_failed++;
        return false;
    }
    tcp_counters.syncookies_received++;
    struct half_open h = {
        .node = {.tuple = *tuple, .flags = IS_COOKIE, .value = cookie.mss},
        .listener = listener,
        .iss = seq_subtract(segment->ack, 1),
        .irs = seq_subtract(segment->seq, 1),
        .ts_recent = segment->options.timestamp,
        .window_scale = cookie.window_scale,
    };
    h.node.flags |= (uint8_t)((cookie.has_timestamp ? HAS_TIMESTAMPS : 0) |
                              (cookie.has_window_scale ? HAS_WINDOW_SCALE : 0) |
                              (cookie.has_sack ? HAS_SACK : 0) |
                              (cookie.has_ecn ? HAS_ECN : 0));
    half_open_offer(&h, packet, segment, now_ns);
    return true;
}
