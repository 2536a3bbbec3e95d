/* SPDX-License-Identifier: MIT */
/*
 * Options, with the limits Linux has.
 */
#include "net/limits.h"
#include "net/tcp/internal.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <limits.h>

enum {
    KEEP_TIME_MAX_S = 32767,
    KEEP_COUNT_MAX = 127,
    SYN_COUNT_MAX = 127,
    LINGER2_MAX_S = 120,
};

void tcp_options_init(struct tcp_options *options)
{
    *options = (struct tcp_options){
        .send_buffer = tcp_settings.send_buffer,
        .receive_buffer = tcp_settings.receive_buffer,
        .unsent_low = tcp_settings.unsent_low,
        .keep_idle_s = tcp_settings.keep_idle_s,
        .keep_interval_s = tcp_settings.keep_interval_s,
        .keep_count = tcp_settings.keep_count,
        .syn_count = tcp_settings.syn_retries,
        .linger2_s = tcp_settings.fin_timeout_s,
        .congestion = tcp_settings.congestion,
        .mtu_discover = tcp_settings.mtu_discovery ? IP_MTU_DISCOVER_WANT
                                                   : IP_MTU_DISCOVER_DONT,
    };
}

static uint32_t clamp_buffer(int value)
{
    if (value < TCP_BUFFER_MIN)
        return TCP_BUFFER_MIN;
    return (uint32_t)value > tcp_settings.buffer_max ? tcp_settings.buffer_max
                                                     : (uint32_t)value;
}

uint16_t tcp_options_mss(const struct tcp_options *options, uint32_t mtu)
{
    uint32_t mss = mtu - (IPV4_HEADER_LENGTH + TCP_HEADER_LENGTH);

    if (options->maximum_segment != 0 && options->maximum_segment < mss)
        mss = options->maximum_segment;
    return (uint16_t)mss;
}

static int set_times(struct tcp_options *options, enum tcp_option option,
                     int value)
{
    if (value < 1 || value > KEEP_TIME_MAX_S)
        return -EINVAL;
    if (option == TCP_OPTION_KEEP_IDLE_S)
        options->keep_idle_s = (uint16_t)value;
    else
        options->keep_interval_s = (uint16_t)value;
    return 0;
}

/* As on Linux: 0 is the default, less than that no FIN-WAIT-2 at all. */
static void set_linger2(struct tcp_options *options, int value)
{
    if (value > LINGER2_MAX_S)
        value = LINGER2_MAX_S;
    else if (value == 0)
        value = tcp_settings.fin_timeout_s;
    options->linger2_s = value < 0 ? 0 : (uint16_t)value;
}

static int set_octet(uint8_t *field, int value, int least, int most)
{
    if (value < least || value > most)
        return -EINVAL;
    *field = (uint8_t)value;
    return 0;
}

static int set_maximum_segment(struct tcp_options *options, int value)
{
    if (value != 0 && (value < TCP_MSS_FLOOR || value > TCP_WINDOW_MAX))
        return -EINVAL;
    options->maximum_segment = (uint16_t)value;
    return 0;
}

/* As in Linux the seconds become the least number of waits for a SYN-ACK's
 * answer, 1 s, 2 s, 4 s..., that are as long together. */
static uint8_t defer_timeouts(int seconds)
{
    uint8_t count = 0;

    while (count < TCP_SYN_ACK_RETRIES && seconds > (1 << count) - 1)
        count++;
    return count;
}

_Static_assert(TCP_SYN_ACK_RTO_NS == NS_PER_S, "counted in seconds");

int tcp_options_set(struct tcp_options *options, enum tcp_option option,
                    int value)
{
    switch (option) {
    case TCP_OPTION_SEND_BUFFER:
        options->send_buffer = clamp_buffer(value);
        options->send_buffer_fixed = true;
        return 0;
    case TCP_OPTION_RECEIVE_BUFFER:
        options->receive_buffer = clamp_buffer(value);
        options->receive_buffer_fixed = true;
        return 0;
    case TCP_OPTION_RECEIVE_LEAST:
        if (value < 0)
            value = INT_MAX;
        if (!options->receive_buffer_fixed &&
            value > (int)options->receive_buffer)
            options->receive_buffer = clamp_buffer(value);
        return (int)options->receive_buffer;
    case TCP_OPTION_NO_DELAY:
        options->no_delay = value != 0;
        return 0;
    case TCP_OPTION_CORK:
        options->cork = value != 0;
        return 0;
    case TCP_OPTION_QUICK_ACK:
        options->quick_ack = value != 0;
        options->delayed_ack = value == 0;
        return 0;
    case TCP_OPTION_KEEP_ALIVE:
        options->keep_alive = value != 0;
        return 0;
    case TCP_OPTION_KEEP_IDLE_S:
    case TCP_OPTION_KEEP_INTERVAL_S:
        return set_times(options, option, value);
    case TCP_OPTION_LINGER2_S:
        set_linger2(options, value);
        return 0;
    case TCP_OPTION_KEEP_COUNT:
        return set_octet(&options->keep_count, value, 1, KEEP_COUNT_MAX);
    case TCP_OPTION_SYN_COUNT:
        return set_octet(&options->syn_count, value, 1, SYN_COUNT_MAX);
    case TCP_OPTION_DEFER_ACCEPT_S:
        options->defer_accept = defer_timeouts(value);
        return 0;
    case TCP_OPTION_TTL:
        if (value == -1)
            value = ip_default_ttl;
        return set_octet(&options->ttl, value, 1, UINT8_MAX);
    case TCP_OPTION_TOS:
        return set_octet(&options->tos, value, 0, UINT8_MAX);
    case TCP_OPTION_MTU_DISCOVER:
        return set_octet(&options->mtu_discover, value, 0,
                         IP_MTU_DISCOVER_COUNT - 1);
    case TCP_OPTION_USER_TIMEOUT_MS:
        if (value < 0)
            return -EINVAL;
        options->user_timeout_ms = (uint32_t)value;
        return 0;
    case TCP_OPTION_MAXIMUM_SEGMENT:
        return set_maximum_segment(options, value);
    case TCP_OPTION_CONGESTION:
        if (value < 0 || congestion_module((size_t)value) == NULL)
            return -EINVAL;
        options->congestion = (uint8_t)value;
        return 0;
    case TCP_OPTION_UNSENT_LOW:
        options->unsent_low = (uint32_t)value;
        return 0;
    case TCP_OPTION_COUNT:
        break;
    }
    return -ENOPROTOOPT;
}

int tcp_options_get(const struct tcp_options *options, enum tcp_option option)
{
    switch (option) {
    case TCP_OPTION_SEND_BUFFER:
        return (int)options->send_buffer;
    case TCP_OPTION_RECEIVE_BUFFER:
        return (int)options->receive_buffer;
    case TCP_OPTION_NO_DELAY:
        return options->no_delay;
    case TCP_OPTION_CORK:
        return options->cork;
    case TCP_OPTION_QUICK_ACK:
        return options->quick_ack;
    case TCP_OPTION_KEEP_ALIVE:
        return options->keep_alive;
    case TCP_OPTION_KEEP_IDLE_S:
        return options->keep_idle_s;
    case TCP_OPTION_KEEP_INTERVAL_S:
        return options->keep_interval_s;
    case TCP_OPTION_KEEP_COUNT:
        return options->keep_count;
    case TCP_OPTION_USER_TIMEOUT_MS:
        return (int)options->user_timeout_ms;
    case TCP_OPTION_MAXIMUM_SEGMENT:
        return options->maximum_segment != 0 ? options->maximum_segment
                                             : TCP_MSS_DEFAULT;
    case TCP_OPTION_SYN_COUNT:
        return options->syn_count;
    case TCP_OPTION_DEFER_ACCEPT_S:
        return (1 << options->defer_accept) - 1;
    case TCP_OPTION_LINGER2_S:
        return options->linger2_s == 0 ? -1 : options->linger2_s;
    case TCP_OPTION_TTL:
        return options->ttl != 0 ? options->ttl : ip_default_ttl;
    case TCP_OPTION_TOS:
        return options->tos;
    case TCP_OPTION_MTU_DISCOVER:
        return options->mtu_discover;
    case TCP_OPTION_CONGESTION:
        return options->congestion;
    case TCP_OPTION_UNSENT_LOW:
        return (int)options->unsent_low;
    case TCP_OPTION_RECEIVE_LEAST:
    case TCP_OPTION_COUNT:
        break;
    }
    return -ENOPROTOOPT;
}

const struct tcp_options *tcp_connection_options(const struct tcp_connection *c)
{
    return &c->options;
}

int tcp_get_option(const struct tcp_connection *c, enum tcp_option option)
{
    if (option == TCP_OPTION_MAXIMUM_SEGMENT && c->snd.mss != 0)
        return c->snd.mss;
    return tcp_options_get(&c->options, option);
}

/* What was held back may leave now. As on Linux TCP_NODELAY sends it past a
 * cork, too, which holds again what is written after that. */
static void release(struct tcp_connection *c)
{
    c->is_cut = false;
    c->holds_more = false;
    c->is_pushed = c->options.no_delay;
    connection_touch(c, OWES_OUTPUT);
}

/* On Linux it also acknowledges what was read, and not yet acknowledged. */
static void acknowledge_read(struct tcp_connection *c)
{
    if (c->ack_at_ns != 0 && c->receive.length == 0 &&
        !seq_equal(c->rcv.last_ack, c->rcv.nxt))
        connection_touch(c, OWES_ACK);
}

/* What a new value means at once, beyond being kept. */
static void apply(struct tcp_connection *c, enum tcp_option option, int value,
                  uint64_t now_ns)
{
    bool is_set = value != 0;
    bool is_synchronised = state_is_synchronised(c->state);

    if (option == TCP_OPTION_UNSENT_LOW || option == TCP_OPTION_SEND_BUFFER) {
        acknowledge_notify(c);
    } else if (option == TCP_OPTION_KEEP_IDLE_S) {
        timers_keep_idle(c, now_ns);
        timers_update(c);
    } else if (option == TCP_OPTION_MAXIMUM_SEGMENT) {
        connection_update_mss(c);
    } else if (option == TCP_OPTION_CONGESTION && c->congestion.cwnd != 0) {
        congestion_select(&c->congestion, (size_t)value);
    } else if (!is_synchronised) {
        return;
    } else if (is_set ? option == TCP_OPTION_NO_DELAY
                      : option == TCP_OPTION_CORK) {
        release(c);
    } else if (option == TCP_OPTION_QUICK_ACK && is_set) {
        acknowledge_read(c);
    } else if (option == TCP_OPTION_RECEIVE_BUFFER && !c->fin_received) {
        window_read(c); /* else there is no window to tell of */
    }
}

int tcp_set_option(struct tcp_connection *c, enum tcp_option option, int value,
                   uint64_t now_ns)
{
    bool was_kept_alive = c->options.keep_alive;
    int status = tcp_options_set(&c->options, option, value);

    if (status != 0 || c->state == TCP_CLOSED)
        return status;
    apply(c, option, value, now_ns);
    if (c->options.keep_alive != was_kept_alive) {
        timers_keep_alive(c, now_ns);
        timers_update(c);
    }
    return 0;
}
