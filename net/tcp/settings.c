/* SPDX-License-Identifier: MIT */
/*
 * Named settings, under Linux's names where Linux has one (docs/guide.md lists
 * them). What is set counts from the next connection or event on.
 */
#include "net/tcp/internal.h"

#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct tcp_settings tcp_settings;

void settings_init(size_t memory)
{
    uint32_t buffer =
        (uint32_t)clamp_64(memory / TCP_BUFFER_MEMORY_SHARE,
                           TCP_BUFFER_DEFAULT_MIN, TCP_BUFFER_DEFAULT_MAX);

    tcp_settings = (struct tcp_settings){
        .send_buffer = buffer,
        .receive_buffer = buffer,
        .buffer_max = TCP_BUFFER_MAX,
        .keep_idle_s = TCP_KEEP_IDLE_S,
        .keep_interval_s = TCP_KEEP_INTERVAL_S,
        .keep_count = TCP_KEEP_COUNT,
        .fin_timeout_s = TCP_FIN_TIMEOUT_S,
        .syn_retries = TCP_SYN_RETRIES,
        .syn_ack_retries = TCP_SYN_ACK_RETRIES,
        .syncookies = 1,
        .retries = TCP_RETRIES,
        .timestamps = true,
        .window_scaling = true,
        .header_prediction = true,
        .plain_output = true,
        .moderate_receive = true,
        .ecn = 2,
        .sack = true,
        .dsack = true,
        .recovery = true,
        .early_retransmit = true,
        .frto = true,
        .prr = true,
        .undo = true,
        .adapt_reordering = true,
        .limited_transmit = true,
        .hystart = true,
        .slow_start_after_idle = true,
        .mtu_discovery = true,
        .reuse_time_wait = true,
        .quick_start = true,
        .window_shift = TCP_WINDOW_SCALE,
        .initial_window = TCP_INITIAL_WINDOW,
        .challenges = TCP_CHALLENGES_PER_S,
        .rto_min_us = TCP_RTO_MIN_NS / NS_PER_US,
    };
}

/* One setting that is a number; a flag is a number of 0 or 1. */
struct setting {
    const char *name;
    uint16_t offset; /* in struct tcp_settings */
    uint16_t size;   /* of the field: 1, 2 or 4 */
    uint32_t least;
    uint32_t most;
};

#define FIELD(member)                                                          \
    offsetof(struct tcp_settings, member),                                     \
        sizeof(((struct tcp_settings *)0)->member)

_Static_assert(sizeof(bool) == 1, "flags are set as octets");

static const struct setting table[] = {
    {"tcp_timestamps", FIELD(timestamps), 0, 1},
    {"tcp_window_scaling", FIELD(window_scaling), 0, 1},
    {"tcp_header_prediction", FIELD(header_prediction), 0, 1},
    {"tcp_plain_output", FIELD(plain_output), 0, 1},
    {"tcp_moderate_rcvbuf", FIELD(moderate_receive), 0, 1},
    {"tcp_sack", FIELD(sack), 0, 1},
    {"tcp_dsack", FIELD(dsack), 0, 1},
    {"tcp_recovery", FIELD(recovery), 0, 1},
    {"tcp_reordering_adapt", FIELD(adapt_reordering), 0, 1},
    {"tcp_early_retrans", FIELD(early_retransmit), 0, 3},
    {"tcp_limited_transmit", FIELD(limited_transmit), 0, 1},
    {"tcp_frto", FIELD(frto), 0, 2},
    {"tcp_prr", FIELD(prr), 0, 1},
    {"tcp_undo", FIELD(undo), 0, 1},
    {"tcp_hystart", FIELD(hystart), 0, 1},
    {"tcp_slow_start_after_idle", FIELD(slow_start_after_idle), 0, 1},
    {"tcp_initial_window", FIELD(initial_window), 1, TCP_INITIAL_WINDOW},
    {"tcp_mtu_discovery", FIELD(mtu_discovery), 0, 1},
    {"tcp_mtu_probing", FIELD(mtu_probing), 0, 2},
    {"tcp_ecn", FIELD(ecn), 0, 2},
    {"tcp_read_after_shutdown", FIELD(read_after_shut), 0, 1},
    {"tcp_window_shift", FIELD(window_shift), 1, TCP_WINDOW_SCALE_MAX},
    {"tcp_push_bursts", FIELD(push_bursts), 0, 1},
    {"tcp_close_wait_epipe", FIELD(close_wait_pipe), 0, 1},
    {"tcp_tolerate_missing_ts", FIELD(tolerate_missing), 0, 1},
    {"tcp_syncookies", FIELD(syncookies), 0, 2},
    {"tcp_tw_reuse", FIELD(reuse_time_wait), 0, 1},
    {"tcp_challenge_ack_limit", FIELD(challenges), 1, UINT8_MAX},
    {"tcp_syn_retries", FIELD(syn_retries), 1, INT8_MAX},
    {"tcp_syn_linear_timeouts", FIELD(syn_linear), 0, INT8_MAX},
    {"tcp_synack_retries", FIELD(syn_ack_retries), 0, TCP_SYN_ACK_RETRIES},
    {"tcp_retries2", FIELD(retries), 1, INT8_MAX},
    {"tcp_rto_min_us", FIELD(rto_min_us), TCP_RTO_LEAST_US, 60000000},
    {"tcp_rto_slack_us", FIELD(rto_slack_us), 0, 60000000},
    {"tcp_keepalive_probes", FIELD(keep_count), 1, INT8_MAX},
    {"tcp_keepalive_time", FIELD(keep_idle_s), 1, INT16_MAX},
    {"tcp_keepalive_intvl", FIELD(keep_interval_s), 1, INT16_MAX},
    {"tcp_fin_timeout", FIELD(fin_timeout_s), 1, INT16_MAX},
    {"tcp_rmem", FIELD(receive_buffer), TCP_BUFFER_MIN, TCP_BUFFER_MAX},
    {"tcp_notsent_lowat", FIELD(unsent_low), 0, TCP_BUFFER_MAX},
    {"tcp_wmem", FIELD(send_buffer), TCP_BUFFER_MIN, TCP_BUFFER_MAX},
};

static bool parse_number(const char *text, uint32_t most, uint32_t *value)
{
    uint32_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || number > most)
            return false;
        number = number * 10 + (uint32_t)(*text - '0');
    }
    *value = number;
    return number <= most;
}

static int set_number(const struct setting *setting, const char *text)
{
    uint8_t *field = (uint8_t *)&tcp_settings + setting->offset;
    uint32_t value;

    if (!parse_number(text, setting->most, &value) || value < setting->least) {
        platform_log(PLATFORM_WARN, "tcp", "%s takes %u to %u, not %s",
                     setting->name, setting->least, setting->most, text);
        return -EINVAL;
    }
    if (setting->size == sizeof(uint32_t))
        memcpy(field, &value, sizeof(value));
    else if (setting->size == sizeof(uint16_t))
        memcpy(field, &(uint16_t){(uint16_t)value}, sizeof(uint16_t));
    else
        *field = (uint8_t)value;
    /* A bool holds 0 or 1 alone; frto and early_retransmit take Linux's
     * numbers, of which all but 0 mean the same. */
    if (setting->offset >= offsetof(struct tcp_settings, timestamps))
        *field = value != 0;
    return 0;
}

static int set_congestion(const char *text)
{
    int number = tcp_congestion_number(text);

    if (number < 0) {
        platform_log(PLATFORM_WARN, "tcp", "no congestion control %s:", text);
        for (size_t i = 0; congestion_module(i) != NULL; i++)
            platform_log(PLATFORM_WARN, "tcp", "    there is %s",
                         congestion_module(i)->name);
        return -EINVAL;
    }
    tcp_settings.congestion = (uint8_t)number;
    return 0;
}

/* When the first segments are acknowledged: at once, as Linux does, or every
 * second one from the start. */
static int set_delay_policy(const char *text)
{
    bool is_linux = strcmp(text, "linux") == 0;

    if (!is_linux && strcmp(text, "bsd") != 0) {
        platform_log(PLATFORM_WARN, "tcp",
                     "tcp_delack_policy takes linux or bsd, not %s", text);
        return -EINVAL;
    }
    tcp_settings.quick_start = is_linux;
    return 0;
}

int tcp_set(const char *name, const char *value)
{
    static const char prefix[] = "ipv4.";

    if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
        name += sizeof(prefix) - 1;
    if (strcmp(name, "tcp_congestion_control") == 0)
        return set_congestion(value);
    if (strcmp(name, "tcp_delack_policy") == 0)
        return set_delay_policy(value);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        if (strcmp(name, table[i].name) == 0)
            return set_number(&table[i], value);
    return -ENOENT;
}
