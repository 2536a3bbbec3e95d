/* SPDX-License-Identifier: MIT */
/*
 * The congestion modules against plain floating-point models of their papers,
 * over long random sequences of events, and at the ends of their ranges.
 * test-flags: -lm
 */
#include <criterion/criterion.h>
#include <math.h>

#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/congestion_growth.h"
#include "net/tcp/internal.h"

static uint64_t state;

static uint64_t any(uint64_t below)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* A connection that always fills its window. */
struct flow {
    struct tcp_congestion c;
    uint64_t now_ns;
    uint64_t rtt_ns;
    struct seq32 una;
};

static size_t number_of(const struct tcp_congestion_module *module)
{
    return (size_t)tcp_congestion_number(module->name);
}

static struct flow flow_start(const struct tcp_congestion_module *module,
                              uint32_t mss, uint64_t rtt_ns)
{
    struct flow f = {.now_ns = 5 * NS_PER_S, .rtt_ns = rtt_ns};

    tcp_settings.initial_window = TCP_INITIAL_WINDOW;
    tcp_settings.hystart = true;
    congestion_init(&f.c, mss, f.una);
    congestion_select(&f.c, number_of(module));
    return f;
}

/* One ACK; `rtt_ns` 0 is no sample. */
static void flow_ack(struct flow *f, uint32_t acked, uint64_t rtt_ns)
{
    f->una = seq_add(f->una, acked);
    const struct tcp_ack_event ack = {
        .now_ns = f->now_ns,
        .rtt_us = (uint32_t)(rtt_ns / NS_PER_US),
        .acked = acked,
        .smoothed_rtt_us = (uint32_t)(f->rtt_ns / NS_PER_US),
        .una = f->una,
        .nxt = seq_add(f->una, f->c.cwnd),
    };
    congestion_chosen(&f->c)->on_ack(&f->c, &ack);
}

static void flow_signal(struct flow *f, enum tcp_congestion_signal signal)
{
    congestion_chosen(&f->c)->on_signal(&f->c, signal, f->c.cwnd);
    if (signal == TCP_SIGNAL_LOSS || signal == TCP_SIGNAL_ECN)
        congestion_chosen(&f->c)->on_recovered(&f->c, f->c.cwnd);
}

/* The window's ACKs, evenly over a round trip. */
static void flow_round(struct flow *f)
{
    uint32_t acks = f->c.cwnd / f->c.mss;

    for (uint32_t i = 0; i < acks; i++) {
        f->now_ns += f->rtt_ns / acks;
        flow_ack(f, f->c.mss, f->rtt_ns);
    }
}

/* Receivers acknowledge many at a time: what their cards and their GRO hand up
 * at once. */
Test(tcp_congestion, slow_start_counts_a_train_an_ack_and_later_two)
{
    for (size_t i = 0; congestion_module(i) != NULL; i++) {
        struct flow f = flow_start(congestion_module(i), 1000, NS_PER_MS);
        uint32_t before = f.c.cwnd;

        congestion_slow_start(&f.c, &(struct tcp_ack_event){.acked = 99000}, 1);
        cr_assert_eq(f.c.cwnd, before + 64000);
        flow_signal(&f, TCP_SIGNAL_TIMEOUT);
        before = f.c.cwnd;
        congestion_slow_start(&f.c, &(struct tcp_ack_event){.acked = 10000}, 1);
        cr_assert_eq(f.c.cwnd, before + 2000);
    }
}

/* ---- CUBIC --------------------------------------------------------------- */

/* RFC 9438 section 4 as it stands: segments and seconds. */
struct cubic_model {
    double cwnd, maximum, prior, origin, k, estimate, began;
    bool is_running;
};

static void cubic_model_ack(struct cubic_model *m, double now, double rtt,
                            double acked)
{
    if (!m->is_running) {
        m->is_running = true;
        m->began = now;
        m->origin = fmax(m->maximum, m->cwnd);
        m->k = cbrt((m->origin - m->cwnd) / 0.4);
        m->estimate = m->cwnd;
    }
    double alpha = m->estimate < m->prior ? 3 * (1 - 0.7) / (1 + 0.7) : 1;
    double t = now - m->began;
    m->estimate += alpha * acked / m->cwnd;
    double curve = 0.4 * pow(t - m->k, 3) + m->origin;
    if (curve < m->estimate) {
        m->cwnd = fmax(m->cwnd, m->estimate);
        return;
    }
    double target = 0.4 * pow(t + rtt - m->k, 3) + m->origin;
    target = fmin(fmax(target, m->cwnd), 1.5 * m->cwnd);
    m->cwnd += (target - m->cwnd) / m->cwnd * acked;
}

static void cubic_model_loss(struct cubic_model *m)
{
    m->maximum = m->cwnd < m->maximum ? m->cwnd * (1 + 0.7) / 2 : m->cwnd;
    m->prior = m->cwnd;
    m->cwnd = fmax(m->cwnd * 0.7, 2);
    m->is_running = false;
}

/* Stages of congestion avoidance of random lengths; before every loss the
 * model's windows are set to the module's, so that errors add up within a
 * stage only, and both agree whether ground was lost. */
static double cubic_worst_error(uint32_t mss, uint64_t rtt_ns, int stages)
{
    struct flow f = flow_start(&cubic_module, mss, rtt_ns);
    struct cubic_model m = {.cwnd = 0};
    double worst = 0;

    f.c.cwnd = 50 * mss;
    m.cwnd = 50;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    cubic_model_loss(&m);
    m.cwnd = (double)f.c.cwnd / mss;
    for (int i = 0; i < stages; i++) {
        uint64_t acks = 1 + any(20000);
        for (uint64_t j = 0; j < acks && f.c.cwnd < 1 << 28; j++) {
            uint32_t acked = mss * (uint32_t)(1 + any(3));
            acked = acked < f.c.cwnd ? acked : f.c.cwnd;
            f.now_ns += rtt_ns * acked / f.c.cwnd;
            flow_ack(&f, acked, 0);
            cubic_model_ack(&m, (double)f.now_ns / NS_PER_S,
                            (double)rtt_ns / NS_PER_S, (double)acked / mss);
            double mine = (double)f.c.cwnd / mss;
            double error = fabs(mine - m.cwnd) / fmax(m.cwnd, 10);
            worst = fmax(worst, error);
        }
        m.cwnd = (double)f.c.cwnd / mss;
        m.maximum = (double)f.c.cubic.maximum / mss;
        flow_signal(&f, TCP_SIGNAL_LOSS);
        cubic_model_loss(&m);
        double apart = fabs((double)f.c.cwnd / mss - m.cwnd) +
                       fabs((double)f.c.cubic.maximum / mss - m.maximum);
        worst = fmax(worst, apart / fmax(m.cwnd, 10));
    }
    return worst;
}

/* covers: RFC9438-4.1 RFC9438-4.2 RFC9438-4.4 RFC9438-4.5 */
Test(tcp_congestion, cubic_keeps_to_its_rfc_within_a_hundredth)
{
    static const uint64_t rtts_ms[] = {1, 10, 50, 200, 1000};
    static const uint32_t sizes[] = {88, 536, 1448, 8948};

    for (size_t i = 0; i < ARRAY_COUNT(rtts_ms); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(sizes); j++) {
            state = i * 16 + j;
            double error =
                cubic_worst_error(sizes[j], rtts_ms[i] * NS_PER_MS, 40);
            cr_assert_lt(error, 0.01, "%u ms, %u bytes: %f",
                         (unsigned)rtts_ms[i], sizes[j], error);
        }
    }
}

/* covers: RFC9438-4.2 RFC9438-4.4 RFC9438-4.6 */
Test(tcp_congestion, cubic_is_back_at_its_maximum_after_k)
{
    struct flow f = flow_start(&cubic_module, 1000, 100 * NS_PER_MS);

    f.c.cwnd = 1000000;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    cr_assert_eq(f.c.cwnd, 700000);
    uint64_t start_ns = f.now_ns;
    while (f.c.cwnd < 995000)
        flow_round(&f);
    /* K = cbrt(300 / 0.4) = 9.09 s, flat around it. */
    double seconds = (double)(f.now_ns - start_ns) / NS_PER_S;
    cr_assert(seconds > 6.5 && seconds < 9.2, "%f s", seconds);
}

/* covers: RFC9438-4.7 */
Test(tcp_congestion, cubic_gives_up_more_when_it_lost_ground)
{
    struct flow f = flow_start(&cubic_module, 1000, 100 * NS_PER_MS);

    f.c.cwnd = 100000;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    cr_assert_eq(f.c.cubic.maximum, 100000);
    flow_signal(&f, TCP_SIGNAL_LOSS); /* at 70000 */
    cr_assert_eq(f.c.cubic.maximum, 59500);
    cr_assert_eq(f.c.cwnd, 49000);
}

/* covers: RFC9438-4.3 */
Test(tcp_congestion, cubic_is_never_slower_than_reno)
{
    /* 10 ms, 20 segments: the curve alone would take seconds. */
    struct flow f = flow_start(&cubic_module, 1000, 10 * NS_PER_MS);

    f.c.cwnd = 20000;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    for (int i = 0; i < 12; i++)
        flow_round(&f);
    /* 9 / 17 of a segment per round, from 14. */
    cr_assert(f.c.cwnd > 19500 && f.c.cwnd < 21500, "%u", f.c.cwnd);
}

/* covers: RFC9438-5.8 */
Test(tcp_congestion, cubic_does_not_count_time_the_window_was_unused)
{
    struct flow f = flow_start(&cubic_module, 1000, 100 * NS_PER_MS);

    f.c.cwnd = 1000000;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    for (int i = 0; i < 5; i++)
        flow_round(&f);
    uint32_t before = f.c.cwnd;
    for (int i = 0; i < 600; i++) {
        f.now_ns += NS_PER_S;
        const struct tcp_ack_event ack = {
            .now_ns = f.now_ns, .acked = 1000, .is_unused = true};
        congestion_chosen(&f.c)->on_ack(&f.c, &ack);
    }
    cr_assert_eq(f.c.cwnd, before);
    flow_round(&f);
    cr_assert_lt(f.c.cwnd, before + before / 10);
}

/* What is below the window after an idle time does not begin anew. */
Test(tcp_congestion, cubic_does_not_count_time_without_anything_to_send)
{
    struct flow f = flow_start(&cubic_module, 1000, 100 * NS_PER_MS);

    f.c.cwnd = 8000;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    flow_round(&f);
    uint32_t before = f.c.cwnd;
    congestion_chosen(&f.c)->on_idle(&f.c);
    cr_assert_eq(f.c.cwnd, before);
    f.now_ns += 600 * NS_PER_S;
    flow_round(&f);
    cr_assert_leq(f.c.cwnd, before + 1000);
}

/* ACKs that come together find a window that grew by those before them, with
 * no more in flight than when it was filled. */
Test(tcp_congestion, a_window_that_was_full_and_grew_since_was_in_use)
{
    struct tcp_congestion c = {.cwnd = 100000, .mss = 1000, .peak = 97000};

    cr_assert(congestion_is_unused(&c));
    c.was_full = true;
    cr_assert_not(congestion_is_unused(&c));
}

/* covers: RFC9438-4.9 */
Test(tcp_congestion, cubic_goes_on_after_a_signal_that_was_a_mistake)
{
    struct flow f = flow_start(&cubic_module, 1000, 100 * NS_PER_MS);
    struct flow g;

    f.c.cwnd = 1000000;
    flow_signal(&f, TCP_SIGNAL_LOSS);
    for (int i = 0; i < 30; i++)
        flow_round(&f);
    g = f;
    congestion_chosen(&f.c)->on_signal(&f.c, TCP_SIGNAL_LOSS, f.c.cwnd);
    f.c.cwnd = g.c.cwnd;
    f.c.ssthresh = g.c.ssthresh;
    congestion_chosen(&f.c)->on_signal(&f.c, TCP_SIGNAL_UNDO, 0);
    for (int i = 0; i < 30; i++) {
        flow_round(&f);
        flow_round(&g);
    }
    cr_assert_eq(f.c.cubic.maximum, g.c.cubic.maximum);
    cr_assert_leq(abs((int)(f.c.cwnd - g.c.cwnd)), 2000);
}

/* ---- HyStart++ ----------------------------------------------------------- */

/* covers: RFC9438-4.10 RFC9406-4.2.1 */
Test(tcp_congestion, hystart_leaves_slow_start_when_queues_build)
{
    struct flow f = flow_start(&cubic_module, 1000, 50 * NS_PER_MS);

    /* A path of 200 segments: beyond, each adds to the queue. */
    for (int i = 0; i < 20 && congestion_in_slow_start(&f.c); i++) {
        if (f.c.cwnd > 200000)
            f.rtt_ns = 50 * NS_PER_MS * (f.c.cwnd / 1000) / 200;
        flow_round(&f);
    }
    cr_assert_not(congestion_in_slow_start(&f.c));
    cr_assert(f.c.cwnd > 200000 && f.c.cwnd < 1500000, "%u", f.c.cwnd);
}

/* covers: RFC9406-4.2.2 */
Test(tcp_congestion, hystart_forgets_a_delay_that_passes)
{
    struct flow f = flow_start(&cubic_module, 1000, 50 * NS_PER_MS);

    flow_round(&f);
    f.rtt_ns = 70 * NS_PER_MS;
    flow_round(&f);
    cr_assert_neq(f.c.cubic.hystart.css_rounds, 0);
    f.rtt_ns = 50 * NS_PER_MS;
    uint32_t before = f.c.cwnd;
    flow_round(&f);
    flow_round(&f);
    cr_assert_eq(f.c.cubic.hystart.css_rounds, 0);
    cr_assert(congestion_in_slow_start(&f.c));
    cr_assert_gt(f.c.cwnd, 3 * before);
}

/* RFC 9406 4.3: an eighth of the round trip, from 4 to 16 ms, in a round of
 * eight samples at least. */
Test(tcp_congestion, hystart_takes_a_delay_from_its_threshold_on)
{
    static const uint64_t rtt_us[][2] = {{8000, 4000},
                                         {31900, 4000},
                                         {80000, 10000},
                                         {128800, 16000},
                                         {400000, 16000}};

    for (size_t i = 0; i < 5; i++) {
        for (uint64_t below = 0; below < 2; below++) {
            struct flow f =
                flow_start(&cubic_module, 1000, rtt_us[i][0] * NS_PER_US);
            flow_round(&f);
            f.rtt_ns += (rtt_us[i][1] - below) * NS_PER_US;
            for (int sample = 0; sample < 7; sample++)
                flow_ack(&f, 1000, f.rtt_ns);
            cr_assert_eq(f.c.cubic.hystart.css_rounds, 0);
            flow_ack(&f, 1000, f.rtt_ns);
            cr_assert_eq(f.c.cubic.hystart.css_rounds, 1 - below);
        }
    }
}

/* covers: RFC9438-4.10 RFC9406-4.2.3 */
Test(tcp_congestion, hystart_doubles_on_an_even_path)
{
    struct flow f = flow_start(&cubic_module, 1000, 50 * NS_PER_MS);

    for (int i = 0; i < 8; i++)
        flow_round(&f);
    cr_assert_eq(f.c.cwnd, 10000 << 8);
}

/* ---- BIC, Westwood+, Vegas ------------------------------------------------
 */

/* The paper's step in segments per round trip, with Smax 16 and B 4. */
static double bic_model_step(double cwnd, double maximum)
{
    if (cwnd <= 14)
        return 1;
    if (cwnd < maximum) {
        double middle = (maximum - cwnd) / 4;
        return middle > 16 ? 16 : middle <= 1 ? 0.2 : middle;
    }
    if (maximum == 0)
        return fmax(16, cwnd / 20);
    if (cwnd - maximum < 4)
        return 0.2;
    return fmin((cwnd - maximum) / 3, 16);
}

Test(tcp_congestion, bic_keeps_to_its_paper)
{
    struct flow f = flow_start(&bic_module, 1448, 20 * NS_PER_MS);
    double cwnd = 10, maximum = 0;

    state = 5;
    f.c.ssthresh = f.c.cwnd;
    for (int i = 0; i < 300; i++) {
        uint64_t acks = 1 + any(5000);
        cwnd = (double)f.c.cwnd / 1448;
        for (uint64_t j = 0; j < acks; j++) {
            flow_ack(&f, 1448, 0);
            cwnd += bic_model_step(cwnd, maximum) / cwnd;
            double error = fabs((double)f.c.cwnd / 1448 - cwnd);
            /* Beyond the maximum, steps grow by their own size. */
            cr_assert_lt(error, 0.01 * cwnd + 1.5, "%f", error);
        }
        cwnd = (double)f.c.cwnd / 1448;
        maximum = cwnd < maximum ? cwnd * (1024 + 819) / 2048 : cwnd;
        double expected = cwnd <= 14 ? cwnd / 2 : cwnd * 819 / 1024;
        flow_signal(&f, TCP_SIGNAL_LOSS);
        cr_assert_lt(fabs((double)f.c.cwnd / 1448 - fmax(expected, 2)), 0.01);
    }
}

Test(tcp_congestion, westwood_estimates_the_rate_of_the_path)
{
    struct flow f = flow_start(&westwood_module, 1000, 80 * NS_PER_MS);
    double raw = 0, rate = 0, bytes = 0, began = 0;

    state = 9;
    f.c.ssthresh = f.c.cwnd;
    for (int i = 0; i < 100000; i++) {
        /* 1 to 3 segments, about 2 MB/s. */
        uint32_t acked = 1000 * (uint32_t)(1 + any(3));
        f.now_ns += any(2 * NS_PER_MS);
        flow_ack(&f, acked, f.rtt_ns + any(5 * NS_PER_MS));
        double now = (double)(f.now_ns / NS_PER_MS) / 1000;
        if (began == 0) {
            began = now;
            continue;
        }
        bytes += acked;
        if (now - began < 0.07999)
            continue;
        double sample = bytes / (now - began);
        raw = rate == 0 ? sample : 0.875 * raw + 0.125 * sample;
        rate = rate == 0 ? sample : 0.875 * rate + 0.125 * raw;
        began = now;
        bytes = 0;
        cr_assert_lt(fabs(f.c.westwood.rate - rate), 0.001 * rate + 16);
    }
    congestion_chosen(&f.c)->on_signal(&f.c, TCP_SIGNAL_LOSS, f.c.cwnd);
    cr_assert_lt(fabs(f.c.ssthresh - rate * 0.08), 0.01 * rate * 0.08);
}

Test(tcp_congestion, vegas_keeps_two_to_four_segments_queued)
{
    /* 40 ms and 100 segments: the round trip grows with the excess. */
    struct flow f = flow_start(&vegas_module, 1000, 40 * NS_PER_MS);

    for (int i = 0; i < 200; i++) {
        uint64_t segments = f.c.cwnd / 1000;
        f.rtt_ns = 40 * NS_PER_MS * (segments > 100 ? segments : 100) / 100;
        flow_round(&f);
    }
    cr_assert(f.c.cwnd >= 102000 && f.c.cwnd <= 105000, "%u", f.c.cwnd);
}

Test(tcp_congestion, vegas_ends_slow_start_without_loss)
{
    struct flow f = flow_start(&vegas_module, 1000, 40 * NS_PER_MS);

    for (int i = 0; i < 30 && congestion_in_slow_start(&f.c); i++) {
        uint64_t segments = f.c.cwnd / 1000;
        f.rtt_ns = 40 * NS_PER_MS * (segments > 100 ? segments : 100) / 100;
        flow_round(&f);
    }
    cr_assert(f.c.cwnd >= 50000 && f.c.cwnd <= 110000, "%u", f.c.cwnd);
}

Test(tcp_congestion, vegas_grows_as_newreno_when_nothing_was_measured)
{
    struct flow f = flow_start(&vegas_module, 1000, 40 * NS_PER_MS);
    uint32_t before = f.c.cwnd;

    flow_ack(&f, 1000, 0); /* a round begins */
    cr_assert_eq(f.c.cwnd, before + 1000);
    flow_signal(&f, TCP_SIGNAL_LOSS);
    f.una = f.c.round_end;
    before = f.c.cwnd;
    flow_ack(&f, 1000, 0);
    cr_assert_eq(f.c.cwnd, before + 1000);
}

/* ---- every module ---------------------------------------------------------
 */

static void random_event(struct flow *f)
{
    const struct tcp_ack_event wild = {
        .now_ns = f->now_ns,
        .rtt_us = (uint32_t)any(120000001),
        .acked = (uint32_t)(any(UINT32_MAX) >> any(32)),
        .is_unused = any(2) != 0,
        .smoothed_rtt_us = (uint32_t)any(120000000),
        .una = f->una,
        .nxt = seq_add(f->una, (uint32_t)any(1 << 30)),
    };

    f->now_ns += any(UINT64_MAX) >> (16 + any(48));
    f->una = seq_add(f->una, (uint32_t)any(1 << 20));
    switch (any(12)) {
    case 0:
        congestion_chosen(&f->c)->on_signal(&f->c,
                                            (enum tcp_congestion_signal)any(4),
                                            (uint32_t)any(UINT32_MAX));
        break;
    case 1:
        congestion_chosen(&f->c)->on_recovered(&f->c,
                                               (uint32_t)any(UINT32_MAX));
        break;
    case 2:
        congestion_chosen(&f->c)->on_idle(&f->c);
        break;
    case 3:
        congestion_set_mss(&f->c, 88 + (uint32_t)any(65448));
        break;
    case 4:
        f->c.ssthresh = f->c.cwnd; /* to congestion avoidance */
        break;
    case 5:
        flow_ack(f, f->c.cwnd, NS_PER_MS);
        break;
    default:
        congestion_chosen(&f->c)->on_ack(&f->c, &wild);
        break;
    }
}

Test(tcp_congestion, no_events_drive_a_module_out_of_its_range)
{
    for (size_t i = 0; congestion_module(i) != NULL; i++) {
        struct flow f = flow_start(congestion_module(i), 88, NS_PER_MS);
        state = i;
        for (int j = 0; j < 300000; j++) {
            random_event(&f);
            cr_assert(f.c.cwnd >= 88 && f.c.cwnd <= CWND_MAX, "%s: %u",
                      congestion_chosen(&f.c)->name, f.c.cwnd);
            cr_assert(f.c.ssthresh >= 88 && f.c.ssthresh <= CWND_MAX);
        }
    }
}

Test(tcp_congestion, every_module_halves_at_least_a_little)
{
    for (size_t i = 0; congestion_module(i) != NULL; i++) {
        struct flow f = flow_start(congestion_module(i), 1000, NS_PER_MS);
        f.c.cwnd = 200000;
        flow_signal(&f, TCP_SIGNAL_LOSS);
        cr_assert_leq(f.c.cwnd, 160000, "%s", congestion_chosen(&f.c)->name);
        cr_assert_geq(f.c.cwnd, 100000, "%s", congestion_chosen(&f.c)->name);
        flow_signal(&f, TCP_SIGNAL_TIMEOUT);
        cr_assert_eq(f.c.cwnd, 1000);
    }
}
