/* SPDX-License-Identifier: MIT */
/*
 * Settings of connection tracking, under Linux's names and with its values.
 */
#include "net/filter/track.h"

#include <errno.h>
#include <string.h>

uint32_t track_timeouts[TRACK_TIMEOUT_COUNT];
struct track_settings track_settings;

struct timeout {
    const char *name; /* behind "netfilter.nf_conntrack_" */
    unsigned place;
    unsigned seconds;
};

static const struct timeout timeouts[] = {
    {"generic_timeout", TRACK_GENERIC_TIMEOUT, 600},
    {"icmp_timeout", TRACK_ICMP_TIMEOUT, 30},
    {"udp_timeout", TRACK_UDP_TIMEOUT, 30},
    {"udp_timeout_stream", TRACK_UDP_STREAM_TIMEOUT, 120},
    {"tcp_timeout_syn_sent", TRACK_TCP_TIMEOUTS + FLOW_TCP_SYN_SENT, 120},
    {"tcp_timeout_syn_recv", TRACK_TCP_TIMEOUTS + FLOW_TCP_SYN_RECV, 60},
    {"tcp_timeout_established", TRACK_TCP_TIMEOUTS + FLOW_TCP_ESTABLISHED,
     5 * 86400},
    {"tcp_timeout_fin_wait", TRACK_TCP_TIMEOUTS + FLOW_TCP_FIN_WAIT, 120},
    {"tcp_timeout_close_wait", TRACK_TCP_TIMEOUTS + FLOW_TCP_CLOSE_WAIT, 60},
    {"tcp_timeout_last_ack", TRACK_TCP_TIMEOUTS + FLOW_TCP_LAST_ACK, 30},
    {"tcp_timeout_time_wait", TRACK_TCP_TIMEOUTS + FLOW_TCP_TIME_WAIT, 120},
    {"tcp_timeout_close", TRACK_TCP_TIMEOUTS + FLOW_TCP_CLOSE, 10},
    {"tcp_timeout_syn_sent2", TRACK_TCP_TIMEOUTS + FLOW_TCP_SYN_SENT2, 120},
    {"tcp_timeout_max_retrans", TRACK_TCP_MAX_RETRANS_TIMEOUT, 300},
    {"tcp_timeout_unacknowledged", TRACK_TCP_UNACKNOWLEDGED_TIMEOUT, 300},
};

static uint32_t ticks_of(unsigned seconds)
{
    return (uint32_t)(seconds * NS_PER_S >> FLOW_TICK_SHIFT);
}

void track_init(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(timeouts); i++)
        track_timeouts[timeouts[i].place] = ticks_of(timeouts[i].seconds);
    track_settings = (struct track_settings){
        .checksum = true,
        .tcp_loose = true,
        .tcp_max_retrans = TRACK_REPEATS_MAX,
    };
}

static int set_flag(bool *flag, unsigned value)
{
    if (value > 1)
        return -EINVAL;
    *flag = value == 1;
    return 0;
}

static int set_timeout(const char *name, unsigned value)
{
    for (size_t i = 0; i < ARRAY_COUNT(timeouts); i++) {
        if (strcmp(timeouts[i].name, name) != 0)
            continue;
        if (value == 0 || value > FLOW_TIMEOUT_MAX_S)
            return -EINVAL;
        track_timeouts[timeouts[i].place] = ticks_of(value);
        return 0;
    }
    return -ENOENT;
}

int track_set(const char *name, unsigned value)
{
    static const char prefix[] = "netfilter.nf_conntrack_";

    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return -ENOENT;
    name += sizeof(prefix) - 1;
    if (strcmp(name, "checksum") == 0)
        return set_flag(&track_settings.checksum, value);
    if (strcmp(name, "tcp_loose") == 0)
        return set_flag(&track_settings.tcp_loose, value);
    if (strcmp(name, "tcp_be_liberal") == 0)
        return set_flag(&track_settings.tcp_be_liberal, value);
    if (strcmp(name, "tcp_ignore_invalid_rst") == 0)
        return set_flag(&track_settings.tcp_ignore_invalid_rst, value);
    if (strcmp(name, "max") == 0) {
        if (value == 0)
            return -EINVAL;
        flow_table_limit(value);
        return 0;
    }
    if (strcmp(name, "tcp_max_retrans") == 0) {
        if (value > UINT8_MAX)
            return -EINVAL;
        track_settings.tcp_max_retrans = (uint8_t)value;
        return 0;
    }
    return set_timeout(name, value);
}
