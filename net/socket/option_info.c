/* SPDX-License-Identifier: MIT */
/*
 * TCP_INFO: what the connection tells of itself, in Linux's struct and units.
 * Rates are left out, and how long sending was limited by what.
 */
#include "net/socket/option_info.h"
#include "net/socket/table.h"

#include "net/limits.h"

#include <string.h>

/* <linux/tcp.h>'s struct tcp_info. */
struct info {
    uint8_t state, congestion_state, retransmits, probes, backoff, options;
    uint8_t window_scales, flags;
    uint32_t rto_us, ack_timeout_us, send_mss, receive_mss;
    uint32_t unacknowledged, sacked, lost, retransmitting, forward_acks;
    uint32_t last_data_sent_ms, last_ack_sent_ms;
    uint32_t last_data_received_ms, last_ack_received_ms;
    uint32_t path_mtu, receive_threshold, rtt_us, rtt_variation_us;
    uint32_t send_threshold, congestion_window, advertised_mss, reordering;
    uint32_t receive_rtt_us, receive_space, total_retransmits;
    uint64_t pacing_rate, pacing_rate_most, bytes_acknowledged, bytes_received;
    uint32_t segments_out, segments_in, unsent, rtt_least_us;
    uint32_t text_in, text_out;
    uint64_t delivery_rate, busy_us, window_limited_us, buffer_limited_us;
    uint32_t delivered, delivered_marked;
    uint64_t bytes_sent, bytes_again;
    uint32_t dsacks, reorderings, out_of_order, send_window, receive_window;
    uint32_t rehashes;
    uint16_t timeouts, timeout_recoveries;
    uint32_t timeout_ms;
};

_Static_assert(sizeof(struct info) == 248, "as Linux lays it out");

/* Linux's enum tcp_ca_state. */
enum {
    STATE_OPEN = 0,
    STATE_DISORDER = 1,
    STATE_REDUCING = 2,
    STATE_RECOVERY = 3,
    STATE_LOSS = 4,

    REORDERING_LEAST = 3, /* Linux's tcp_reordering */
    THRESHOLD_NONE = INT32_MAX,
};

/* Linux numbers its TCP states its own way (include/net/tcp_states.h). */
static uint8_t linux_state(enum tcp_state state)
{
    static const uint8_t numbers[TCP_STATE_COUNT] = {
        [TCP_CLOSED] = 7,       [TCP_LISTEN] = 10,     [TCP_SYN_SENT] = 2,
        [TCP_SYN_RECEIVED] = 3, [TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4,
        [TCP_FIN_WAIT_2] = 5,   [TCP_CLOSE_WAIT] = 8,  [TCP_CLOSING] = 11,
        [TCP_LAST_ACK] = 9,     [TCP_TIME_WAIT] = 6};

    return numbers[state];
}

static uint32_t ms_since(uint32_t then_ms, uint64_t now_ns)
{
    return then_ms == 0 ? 0 : (uint32_t)(now_ns / NS_PER_MS) - then_ms;
}

static uint32_t segments(uint32_t bytes, uint32_t size)
{
    return (bytes + size - 1) / size;
}

/* Segments at least that were passed over by one that came later. */
static uint32_t reordering(const struct tcp_status *status, uint32_t mss)
{
    uint32_t seen = segments(status->reordered_most, mss);

    return seen > REORDERING_LEAST ? seen : REORDERING_LEAST;
}

static uint8_t congestion_state(const struct tcp_status *status)
{
    if (status->timeouts != 0)
        return STATE_LOSS;
    if (status->is_recovering)
        return STATE_RECOVERY;
    if (status->is_reducing)
        return STATE_REDUCING;
    return status->has_gaps ? STATE_DISORDER : STATE_OPEN;
}

static void fill_sender(struct info *info, const struct tcp_status *status)
{
    uint32_t mss = status->send_mss != 0 ? status->send_mss : 1;
    uint32_t waits =
        status->retransmits + segments(status->flight - status->sacked, mss);

    info->congestion_state = congestion_state(status);
    info->retransmits = status->timeouts;
    info->probes = status->probes;
    info->backoff = status->backoff;
    info->rto_us = (uint32_t)(status->rto_ns / NS_PER_US);
    info->send_mss = status->send_mss;
    info->unacknowledged = segments(status->flight, mss);
    info->sacked = segments(status->sacked, mss);
    /* Linux counts what was sent again for it. */
    info->lost = segments(status->lost, mss);
    if (info->congestion_state >= STATE_RECOVERY)
        info->lost += segments(status->again, mss);
    info->retransmitting = segments(status->again, mss);
    info->path_mtu = status->path_mtu;
    info->rtt_us = (uint32_t)(status->rtt_ns / NS_PER_US);
    info->rtt_variation_us = (uint32_t)(status->rtt_variation_ns / NS_PER_US);
    info->rtt_least_us = status->rtt_least_us;
    info->send_threshold = status->slow_start_threshold == TCP_THRESHOLD_NONE
                               ? THRESHOLD_NONE
                               : status->slow_start_threshold / mss;
    info->congestion_window = status->congestion_window / mss;
    info->reordering = reordering(status, mss);
    info->reorderings = status->reorderings;
    info->dsacks = status->dsacks;
    info->total_retransmits = status->retransmits;
    info->bytes_acknowledged = status->bytes_acknowledged;
    info->bytes_again = status->bytes_again;
    info->bytes_sent =
        status->bytes_acknowledged + status->flight + status->bytes_again;
    info->segments_out = status->segments_out;
    info->text_out = status->text_out;
    info->unsent = status->unsent;
    info->delivered = status->text_out > waits ? status->text_out - waits : 0;
    info->send_window = status->send_window;
}

static void fill_receiver(struct info *info, const struct tcp_status *status)
{
    info->ack_timeout_us = (uint32_t)(TCP_ACK_DELAY_NS / NS_PER_US);
    info->receive_mss = status->receive_mss;
    info->advertised_mss = status->announced_mss;
    info->receive_threshold = status->receive_limit;
    info->receive_space = status->receive_window;
    info->receive_window = status->receive_window;
    info->bytes_received = status->bytes_received;
    info->segments_in = status->segments_in;
    info->text_in = status->text_in;
}

static void fill_connection(struct info *info,
                            const struct tcp_connection *connection,
                            uint64_t now_ns)
{
    struct tcp_status status;

    tcp_get_status(connection, &status);
    info->state = linux_state(status.state);
    info->options =
        (uint8_t)((status.has_timestamps ? 1 : 0) | (status.has_sack ? 2 : 0) |
                  (status.receive_scale != 0 ? 4 : 0) |
                  (status.has_ecn ? 8 : 0));
    info->window_scales =
        (uint8_t)(status.send_scale | status.receive_scale << 4);
    fill_sender(info, &status);
    fill_receiver(info, &status);
    info->last_data_sent_ms = ms_since(status.data_sent_ms, now_ns);
    info->last_data_received_ms = ms_since(status.text_ms, now_ns);
    info->last_ack_received_ms = ms_since(status.heard_ms, now_ns);
}

int option_get_info(const struct socket *socket, void *value, socklen_t *length,
                    uint64_t now_ns)
{
    struct info info = {.state = linux_state(TCP_CLOSED)};

    if (socket->kind == SOCKET_LISTENER) {
        info.state = linux_state(TCP_LISTEN);
        /* As `ss` reads it of a listener: the accept queue, and its room. */
        tcp_listener_count(socket->listener, &info.unacknowledged,
                           &info.sacked);
    } else if (socket->kind == SOCKET_CONNECTION) {
        fill_connection(&info, socket->connection, now_ns);
    }
    if (*length > sizeof(info))
        *length = sizeof(info);
    memcpy(value, &info, *length);
    return 0;
}
