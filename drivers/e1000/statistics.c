/* SPDX-License-Identifier: MIT */
/*
 * What the chip counts [8254x 13.7] and what the driver counts, under the
 * names `ethtool -S` has on Linux where it has one. The chip's registers are
 * cleared by reading, so they are summed up here once per second; QEMU's
 * model does not clear some of them, which is noticed by reading again.
 */
#include "drivers/e1000/device.h"

#include "kernel/console.h"

#include <string.h>

struct register_row {
    const char *name;
    uint16_t offset;
    bool is_wide; /* two registers, the low one read first */
};

static const struct register_row rows[] = {
    {"rx_packets", 0x4074, false},
    {"tx_packets", 0x4080, false},
    {"rx_bytes", 0x4088, true},
    {"tx_bytes", 0x4090, true},
    {"rx_broadcast", 0x4078, false},
    {"tx_broadcast", 0x40F4, false},
    {"rx_multicast", 0x407C, false},
    {"tx_multicast", 0x40F0, false},
    {"rx_total_packets", 0x40D0, false},
    {"tx_total_packets", 0x40D4, false},
    {"collisions", 0x4028, false},
    {"rx_crc_errors", 0x4000, false},
    {"rx_align_errors", 0x4004, false},
    {"rx_symbol_errors", 0x4008, false},
    {"rx_frame_errors", 0x400C, false},
    {"rx_missed_errors", 0x4010, false},
    {"rx_carrier_errors", 0x403C, false},
    {"rx_length_field_errors", 0x4040, false},
    {"rx_no_buffer_count", 0x40A0, false},
    {"rx_short_length_errors", 0x40A4, false},
    {"rx_fragment_errors", 0x40A8, false},
    {"rx_long_length_errors", 0x40AC, false},
    {"rx_jabber_errors", 0x40B0, false},
    {"rx_flow_control_xon", 0x4048, false},
    {"tx_flow_control_xon", 0x404C, false},
    {"rx_flow_control_xoff", 0x4050, false},
    {"tx_flow_control_xoff", 0x4054, false},
    {"tx_single_coll_ok", 0x4014, false},
    {"tx_aborted_errors", 0x4018, false},
    {"tx_multi_coll_ok", 0x401C, false},
    {"tx_window_errors", 0x4020, false},
    {"tx_deferred_ok", 0x4030, false},
    {"tx_carrier_errors", 0x4034, false},
    {"tx_tcp_seg_good", 0x40F8, false},
    {"tx_tcp_seg_failed", 0x40FC, false},
};
_Static_assert(ARRAY_COUNT(rows) <= E1000_STATISTICS_MAX, "all have a sum");

struct counter_row {
    const char *name;
    size_t offset; /* in struct e1000_counters */
};

#define COUNTER(name) offsetof(struct e1000_counters, name)

static const struct counter_row counters[] = {
    {"tx_timeout_count", COUNTER(tx_timeouts)},
    {"rx_timeout_count", COUNTER(rx_timeouts)},
    {"tx_restart_queue", COUNTER(tx_resumed)},
    {"tx_stop_queue", COUNTER(tx_stopped)},
    {"alloc_rx_buff_failed", COUNTER(rx_dropped_memory)},
    {"rx_frames", COUNTER(rx_frames)},
    {"rx_csum_offload_good", COUNTER(rx_verified)},
    {"rx_doorbells", COUNTER(rx_doorbells)},
    {"rx_dropped_split", COUNTER(rx_dropped_split)},
    {"rx_dropped_error", COUNTER(rx_dropped_error)},
    {"rx_dropped_length", COUNTER(rx_dropped_length)},
    {"tx_frames", COUNTER(tx_frames)},
    {"tx_descriptors", COUNTER(tx_descriptors)},
    {"tx_doorbells", COUNTER(tx_doorbells)},
    {"tx_reports", COUNTER(tx_reports)},
    {"tx_padded", COUNTER(tx_padded)},
    {"tx_segmented", COUNTER(tx_segmented)},
    {"tx_dropped_link", COUNTER(tx_dropped_link)},
    {"tx_dropped_full", COUNTER(tx_dropped_full)},
    {"tx_dropped_reset", COUNTER(tx_dropped_reset)},
    {"interrupts", COUNTER(interrupts)},
    {"interrupts_foreign", COUNTER(interrupts_foreign)},
    {"interrupts_receive", COUNTER(interrupts_receive)},
    {"interrupts_transmit", COUNTER(interrupts_transmit)},
    {"interrupts_link", COUNTER(interrupts_link)},
    {"interrupts_overrun", COUNTER(interrupts_overrun)},
    {"polls", COUNTER(polls)},
    {"resets", COUNTER(resets)},
    {"rctl_writes", COUNTER(rctl_writes)},
};
_Static_assert(ARRAY_COUNT(rows) + ARRAY_COUNT(counters) <= E1000_NAMES_MAX,
               "all can be logged");

static uint32_t read_offset(const struct e1000 *nic, uint32_t offset)
{
    return mmio_read32(nic->registers + offset);
}

/* What a register has counted since the last call. If a second reading shows
 * less, the first has cleared it; if not, it counts on and on. */
static uint32_t narrow_increase(const struct e1000 *nic, uint32_t offset,
                                uint32_t *last)
{
    uint32_t value = read_offset(nic, offset);
    uint32_t again;
    uint32_t increase;

    if (value == 0) {
        *last = 0;
        return 0;
    }
    again = read_offset(nic, offset);
    if (again < value) {
        *last = 0;
        return value + again;
    }
    increase = again >= *last ? again - *last : again;
    *last = again;
    return increase;
}

void e1000_statistics_update(struct e1000 *nic)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); ++i) {
        uint64_t increase;
        if (rows[i].is_wide) {
            increase = read_offset(nic, rows[i].offset);
            increase |= (uint64_t)read_offset(nic, rows[i].offset + 4u) << 32;
        } else {
            increase =
                narrow_increase(nic, rows[i].offset, &nic->statistics_last[i]);
        }
        nic->statistics[i] += increase;
    }
}

/* What was counted before we came is not ours. */
void e1000_statistics_reset(struct e1000 *nic)
{
    e1000_statistics_update(nic);
    memset(nic->statistics, 0, sizeof(nic->statistics));
}

void e1000_statistics_visit(struct netif *netif,
                            void (*visit)(void *context, const char *name,
                                          uint64_t value),
                            void *context)
{
    struct e1000 *nic = netif->driver;

    if (nic->state == E1000_UP)
        e1000_statistics_update(nic);
    for (size_t i = 0; i < ARRAY_COUNT(rows); ++i)
        visit(context, rows[i].name, nic->statistics[i]);
    for (size_t i = 0; i < ARRAY_COUNT(counters); ++i) {
        uint64_t value;
        memcpy(&value, (const char *)&nic->counters + counters[i].offset,
               sizeof(value));
        visit(context, counters[i].name, value);
    }
}

struct log_cursor {
    struct e1000 *nic;
    size_t index;
};

static void log_if_changed(void *context, const char *name, uint64_t value)
{
    struct log_cursor *cursor = context;
    uint64_t *logged = &cursor->nic->statistics_logged[cursor->index++];

    if (*logged == value)
        return;
    *logged = value;
    log_print(LOG_INFO, cursor->nic->netif.name, "%s=%llu", name,
              (unsigned long long)value);
}

/* For tests and for people at the console: whatever has changed. */
void e1000_statistics_log(struct e1000 *nic)
{
    struct log_cursor cursor = {nic, 0};

    e1000_statistics_visit(&nic->netif, log_if_changed, &cursor);
}
