/* SPDX-License-Identifier: MIT */
/*
 * Listening with nothing kept of a SYN (RFC 4987 3.6). What a cookie holds is
 * cookie.c's business.
 */
#include "net/tcp/cookie.h"
#include "net/tcp/half_open.h"

/* What of the SYN's options a cookie can keep and we take part in. */
static struct tcp_cookie read_syn(const struct tcp_segment *segment)
{
    const struct tcp_header_options *options = &segment->options;

    return (struct tcp_cookie){
        .mss = options->mss,
        .window_scale = options->window_scale,
        .has_window_scale =
            options->has_window_scale && tcp_settings.window_scaling,
        .has_sack = options->has_sack_permitted && tcp_settings.sack,
        .has_timestamp = options->has_timestamp && tcp_settings.timestamps,
        .has_ecn = ecn_is_asked(segment),
    };
}

void half_open_send_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple, struct packet *packet,
                           const struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_cookie cookie = read_syn(segment);

    packet = reply_begin(tuple, packet, NULL);
    if (packet == NULL)
        return;
    struct seq32 iss = cookie_make(tuple, segment->seq, &cookie, now_ns);
    struct tcp_reply reply = {
        .seq = iss,
        .ack = seq_add(segment->seq, 1),
        .window = listener_window(listener),
        .flags = (uint8_t)(TCP_SYN | TCP_ACK | (cookie.has_ecn ? TCP_ECE : 0)),
        .ttl = listener->options.ttl,
        .tos = listener->options.tos,
        .options = {.mss = route_mss(reply_route(packet)),
                    .has_window_scale = cookie.has_window_scale,
                    .window_scale = TCP_WINDOW_SCALE,
                    .has_sack_permitted = cookie.has_sack},
    };
    if (cookie.has_timestamp) {
        reply.options.has_timestamp = true;
        reply.options.timestamp = cookie_timestamp(
            &cookie, milliseconds(now_ns) + cookie.timestamp_offset);
        reply.options.timestamp_echo = segment->options.timestamp;
    }
    reply_queue(packet, tuple, &reply);
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
        .timestamp_offset = cookie.timestamp_offset,
        .window_scale = cookie.window_scale,
    };
    h.node.flags |= (uint8_t)((cookie.has_timestamp ? HAS_TIMESTAMPS : 0) |
                              (cookie.has_window_scale ? HAS_WINDOW_SCALE : 0) |
                              (cookie.has_sack ? HAS_SACK : 0) |
                              (cookie.has_ecn ? HAS_ECN : 0));
    half_open_offer(&h, packet, segment, now_ns);
    return true;
}
