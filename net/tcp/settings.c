/* SPDX-License-Identifier: MIT */
/*
 * TCP starts: how much memory it takes, of what there is; and its named
 * settings, under Linux's names below net.ipv4.
 */
#include <errno.h>
#include <string.h>

#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/cookie.h"
#include "net/tcp/internal.h"

struct tcp_settings tcp_settings;
struct tcp_counters tcp_counters;

static size_t clamp(size_t value, size_t least, size_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

static void settings_init(size_t memory)
{
    uint32_t buffer =
        (uint32_t)clamp(memory / TCP_BUFFER_MEMORY_SHARE,
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
        .moderate_receive = true,
        .ecn = 2,
        .sack = true,
        .dsack = true,
        .recovery = true,
        .early_retransmit = true,
        .frto = true,
        .prr = true,
        .undo = true,
    };
}

int tcp_init(uint64_t now_ns)
{
    size_t memory = platform_memory_size();
    size_t connections = clamp(memory / TCP_CONNECTION_MEMORY_SHARE,
                               TCP_CONNECTIONS_MIN, TCP_CONNECTIONS_MAX);
    size_t half_open = connections / TCP_HALF_OPEN_DIVISOR;

    (void)now_ns;
    settings_init(memory);
    identity_init();
    cookies_init();
    listeners_init();
    receive_memory_init();
    if (table_init(2 * connections + half_open) != 0 ||
        connection_pool_init(connections) != 0 ||
        half_open_init(half_open) != 0 || time_wait_init(connections) != 0 ||
        send_queues_init(connections) != 0 ||
        spans_init(memory / TCP_SPAN_MEMORY_SHARE) != 0 ||
        recoveries_init(connections / TCP_RECOVERY_DIVISOR) != 0) {
        platform_log(PLATFORM_ERROR, "tcp", "no memory for %zu connections",
                     connections);
        return -ENOMEM;
    }
    return 0;
}

static int parse_number(const char *text, uint32_t least, uint32_t most,
                        uint32_t *value)
{
    uint32_t number = 0;

    if (*text == '\0')
        return -EINVAL;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || number > most)
            return -EINVAL;
        number = number * 10 + (uint32_t)(*text - '0');
    }
    if (number < least || number > most)
        return -EINVAL;
    *value = number;
    return 0;
}

static int set_flag(bool *flag, const char *text)
{
    uint32_t value;
    int status = parse_number(text, 0, 3, &value);

    if (status == 0)
        *flag = value != 0;
    return status;
}

static int set_level(uint8_t *level, const char *text)
{
    uint32_t value;
    int status = parse_number(text, 0, 2, &value);

    if (status == 0)
        *level = (uint8_t)value;
    return status;
}

static int set_octet(uint8_t *field, const char *text)
{
    uint32_t value;
    int status = parse_number(text, 1, INT8_MAX, &value);

    if (status == 0)
        *field = (uint8_t)value;
    return status;
}

static int set_seconds(uint16_t *field, const char *text)
{
    uint32_t value;
    int status = parse_number(text, 1, INT16_MAX, &value);

    if (status == 0)
        *field = (uint16_t)value;
    return status;
}

static int set_buffer(uint32_t *field, const char *text)
{
    return parse_number(text, TCP_BUFFER_MIN, tcp_settings.buffer_max, field);
}

static const struct {
    const char *name;
    bool *flag;
    uint8_t *level; /* 0 to 2 */
    uint8_t *octet;
    uint16_t *seconds;
    uint32_t *buffer;
} table[] = {
    {"ipv4.tcp_timestamps", .flag = &tcp_settings.timestamps},
    {"ipv4.tcp_window_scaling", .flag = &tcp_settings.window_scaling},
    {"ipv4.tcp_moderate_rcvbuf", .flag = &tcp_settings.moderate_receive},
    {"ipv4.tcp_sack", .flag = &tcp_settings.sack},
    {"ipv4.tcp_dsack", .flag = &tcp_settings.dsack},
    {"ipv4.tcp_recovery", .flag = &tcp_settings.recovery},
    {"ipv4.tcp_early_retrans", .flag = &tcp_settings.early_retransmit},
    {"ipv4.tcp_frto", .flag = &tcp_settings.frto},
    {"ipv4.tcp_prr", .flag = &tcp_settings.prr},
    {"ipv4.tcp_undo", .flag = &tcp_settings.undo},
    {"ipv4.tcp_mtu_probing", .level = &tcp_settings.mtu_probing},
    {"ipv4.tcp_ecn", .level = &tcp_settings.ecn},
    {"ipv4.tcp_syncookies", .level = &tcp_settings.syncookies},
    {"ipv4.tcp_syn_retries", .octet = &tcp_settings.syn_retries},
    {"ipv4.tcp_retries2", .octet = &tcp_settings.retries},
    {"ipv4.tcp_keepalive_probes", .octet = &tcp_settings.keep_count},
    {"ipv4.tcp_keepalive_time", .seconds = &tcp_settings.keep_idle_s},
    {"ipv4.tcp_keepalive_intvl", .seconds = &tcp_settings.keep_interval_s},
    {"ipv4.tcp_fin_timeout", .seconds = &tcp_settings.fin_timeout_s},
    {"ipv4.tcp_rmem", .buffer = &tcp_settings.receive_buffer},
    {"ipv4.tcp_wmem", .buffer = &tcp_settings.send_buffer},
};

static int set_syn_ack_retries(const char *text)
{
    uint32_t value;
    int status = parse_number(text, 0, TCP_SYN_ACK_RETRIES, &value);

    if (status == 0)
        tcp_settings.syn_ack_retries = (uint8_t)value;
    return status;
}

static int set_congestion(const char *text)
{
    int number = tcp_congestion_number(text);

    if (number < 0)
        return -EINVAL;
    tcp_settings.congestion = (uint8_t)number;
    return 0;
}

int tcp_set(const char *name, const char *value)
{
    if (strcmp(name, "ipv4.tcp_congestion_control") == 0)
        return set_congestion(value);
    if (strcmp(name, "ipv4.tcp_synack_retries") == 0)
        return set_syn_ack_retries(value);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (strcmp(name, table[i].name) != 0)
            continue;
        if (table[i].flag != NULL)
            return set_flag(table[i].flag, value);
        if (table[i].level != NULL)
            return set_level(table[i].level, value);
        if (table[i].octet != NULL)
            return set_octet(table[i].octet, value);
        if (table[i].seconds != NULL)
            return set_seconds(table[i].seconds, value);
        return set_buffer(table[i].buffer, value);
    }
    return -ENOENT;
}
