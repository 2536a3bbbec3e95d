/* SPDX-License-Identifier: MIT */
/*
 * In this order, as on a real path: queue and rate limit, then the cable with
 * its delay, on which frames get lost, spoilt, doubled or held back.
 */
#include "tests/host/wire_lane.h"

static const uint64_t NS_PER_SECOND = UINT64_C(1000000000);

/* Passes the rate limiter; false when its queue is full. */
static bool shape(struct wire_lane *lane, uint64_t now_ns, size_t length,
                  uint64_t *leaves_ns)
{
    const struct wire_settings *settings = &lane->settings;
    if (settings->rate_bps == 0) {
        *leaves_ns = now_ns;
        return true;
    }
    uint64_t starts_ns = lane->free_at_ns > now_ns ? lane->free_at_ns : now_ns;
    uint64_t waiting_ns = starts_ns - now_ns;
    uint64_t takes_ns = length * 8 * NS_PER_SECOND / settings->rate_bps;
    uint64_t limit_ns =
        settings->queue_bytes * 8 * NS_PER_SECOND / settings->rate_bps;
    if (waiting_ns > limit_ns) {
        return false;
    }
    lane->free_at_ns = starts_ns + takes_ns;
    *leaves_ns = lane->free_at_ns;
    return true;
}

static uint64_t arrival(struct wire_lane *lane, const struct wire_fate *fate,
                        uint64_t leaves_ns)
{
    uint64_t due_ns = leaves_ns + fate->delay_ns;
    if (due_ns < lane->latest_ns) {
        due_ns = lane->latest_ns;
    }
    if (fate->is_reordered) {
        lane->counters.reordered++;
        return due_ns + lane->settings.reorder_by_ns;
    }
    lane->latest_ns = due_ns;
    return due_ns;
}

void wire_lane_receive(struct wire_lane *lane, uint64_t now_ns, uint8_t *bytes,
                       size_t length)
{
    struct wire_counters *counters = &lane->counters;
    uint64_t number = counters->received++;
    if (lane->is_by_data) {
        number = wire_name(&lane->names, bytes, length);
    }
    struct wire_fate fate = wire_fate_draw(&lane->settings, lane->seed,
                                           lane->direction, number, length);
    uint64_t leaves_ns;

    if (!shape(lane, now_ns, length, &leaves_ns)) {
        counters->overflowed++;
        return;
    }
    if (fate.is_lost) {
        counters->lost++;
        return;
    }
    if (fate.is_corrupted && length > 0) {
        counters->corrupted++;
        bytes[fate.corrupt_bit / 8] ^= (uint8_t)(1U << fate.corrupt_bit % 8);
    }
    uint64_t due_ns = arrival(lane, &fate, leaves_ns);
    if (!wire_queue_put(&lane->queue, due_ns, bytes, length)) {
        counters->overflowed++;
        return;
    }
    if (fate.is_duplicated &&
        wire_queue_put(&lane->queue, due_ns, bytes, length)) {
        counters->duplicated++;
    }
}

struct wire_frame *wire_lane_take(struct wire_lane *lane, uint64_t now_ns)
{
    if (wire_lane_next_ns(lane) > now_ns) {
        return NULL;
    }
    lane->counters.sent++;
    return wire_queue_take(&lane->queue);
}

uint64_t wire_lane_next_ns(const struct wire_lane *lane)
{
    const struct wire_frame *first = wire_queue_first(&lane->queue);
    return first == NULL ? UINT64_MAX : first->due_ns;
}

bool wire_lane_has_room(const struct wire_lane *lane)
{
    return wire_queue_room(&lane->queue) >= 2;
}
