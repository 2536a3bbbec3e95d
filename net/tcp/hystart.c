/* SPDX-License-Identifier: MIT */
/*
 * HyStart++ (RFC 9406 4.2 and 4.3). Its limit L on the bytes one ACK may add
 * is not the eight segments of a sender that does not pace: one ACK stands for
 * all that a receiver took up at once. All modules keep to theirs in the first
 * slow start (congestion_slow_start).
 */
#include "net/tcp/hystart.h"

#include "net/tcp/congestion_growth.h"
#include "net/tcp/internal.h"

/* RFC 9406 4.3 */
enum {
    THRESHOLD_MIN_US = 4000,
    THRESHOLD_MAX_US = 16000,
    RTT_DIVISOR = 8,
    RTT_SAMPLES = 8,
    CSS_GROWTH_DIVISOR = 4,
    CSS_ROUNDS = 5,
};

/* max(MIN_RTT_THRESH, min(lastRoundMinRTT / MIN_RTT_DIVISOR, MAX_RTT_THRESH));
 * samples have 27 bits, so the sum with one has no overflow. */
static bool rtt_has_grown(const struct hystart *hystart)
{
    uint32_t threshold =
        larger(THRESHOLD_MIN_US,
               smaller(hystart->last_us / RTT_DIVISOR, THRESHOLD_MAX_US));

    return hystart->last_us != 0 &&
           hystart->current_us >= hystart->last_us + threshold;
}

static void begin_round(struct tcp_congestion *congestion,
                        struct hystart *hystart)
{
    hystart->last_us = hystart->current_us;
    hystart->current_us = 0;
    hystart->samples = 0;
    if (hystart->css_rounds == 0)
        return;
    if (hystart->css_rounds >= CSS_ROUNDS)
        congestion->ssthresh = congestion->cwnd;
    else
        hystart->css_rounds++;
}

static void take_sample(struct hystart *hystart, uint32_t sample_us)
{
    if (hystart->current_us == 0 || sample_us < hystart->current_us)
        hystart->current_us = sample_us;
    if (hystart->samples < RTT_SAMPLES)
        hystart->samples++;
    if (hystart->samples < RTT_SAMPLES)
        return;
    if (hystart->css_rounds == 0 && tcp_settings.hystart &&
        rtt_has_grown(hystart)) {
        hystart->baseline_us = hystart->current_us;
        hystart->css_rounds = 1;
    } else if (hystart->css_rounds != 0 &&
               hystart->current_us < hystart->baseline_us) {
        hystart->css_rounds = 0; /* it was jitter */
    }
}

void hystart_ack(struct tcp_congestion *congestion, struct hystart *hystart,
                 const struct tcp_ack_event *ack)
{
    uint32_t sample_us = ack->rtt_us;

    if (congestion_is_new_round(congestion, ack))
        begin_round(congestion, hystart);
    if (sample_us != 0)
        take_sample(hystart, sample_us);
    if (congestion_in_slow_start(congestion)) /* still */
        congestion_slow_start(
            congestion, ack, hystart->css_rounds != 0 ? CSS_GROWTH_DIVISOR : 1);
}
