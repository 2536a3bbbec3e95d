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
    struct tcp_cookie cookie = {
        .mss = options->mss,
        .has_timestamp = options->has_timestamp && tcp_settings.timestamps,
    };

    if (!cookie.has_timestamp)
        return cookie;
    cookie.stamp = options->has_window_scale && tcp_settings.window_scaling
                       ? options->window_scale
                       : COOKIE_SCALE_MASK;
    if (options->has_sack_permitted && tcp_settings.sack)
        cookie.stamp |= COOKIE_HAS_SACK;
    if (ecn_is_asked(segment))
        cookie.stamp |= COOKIE_HAS_ECN;
    return cookie;
}

static struct be32 *put(struct be32 *to, uint32_t value)
{
    *to = be32_from(value);
    return to + 1;
}

void half_open_send_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple, struct packet *packet,
                           const struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_cookie cookie = read_syn(segment);
    bool has_scale = cookie_has_scale(&cookie);
    bool has_sack = (cookie.stamp & COOKIE_HAS_SACK) != 0;
    unsigned words = 1U + has_scale + (cookie.has_timestamp ? 3U : has_sack);

    packet = reply_begin(tuple, packet, NULL);
    if (packet == NULL)
        return;
    struct seq32 iss = cookie_make(tuple, segment->seq, &cookie, now_ns);
    struct tcp_header *header =
        reply_push(packet, tuple, TCP_HEADER_LENGTH + 4 * words,
                   listener->options.ttl, listener->options.tos);
    struct be32 *to = (void *)(header + 1);

    header->sequence = be32_from(iss.value);
    header->window = be16_from(listener_window(listener));
    header->acknowledgement = be32_from(seq_add(segment->seq, 1).value);
    header->flags = TCP_SYN | TCP_ACK |
                    ((cookie.stamp & COOKIE_HAS_ECN) != 0 ? TCP_ECE : 0);
    to = put(to, TCP_MSS_WORD | listener_mss(listener, reply_hop(packet)));
    if (cookie.has_timestamp) {
        to = put(to, has_sack ? TCP_SACK_TIMESTAMP_WORD : TCP_TIMESTAMP_WORD);
        to = put(to, cookie_timestamp(&cookie, milliseconds(now_ns) +
                                                   cookie.timestamp_offset));
        to = put(to, segment->options.timestamp);
    } else if (has_sack) {
        to = put(to, TCP_SACK_PERMITTED_WORD);
    }
    if (has_scale)
        (void)put(to, TCP_WINDOW_SCALE_WORD | tcp_settings.window_shift);
    reply_append(packet);
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
        .window_scale = cookie.stamp & COOKIE_SCALE_MASK,
    };
    h.node.flags |=
        (uint8_t)((cookie.has_timestamp ? HAS_TIMESTAMPS : 0) |
                  (cookie_has_scale(&cookie) ? HAS_WINDOW_SCALE : 0) |
                  ((cookie.stamp & COOKIE_HAS_SACK) != 0 ? HAS_SACK : 0) |
                  ((cookie.stamp & COOKIE_HAS_ECN) != 0 ? HAS_ECN : 0));
    half_open_offer(&h, packet, segment, now_ns);
    return true;
}
