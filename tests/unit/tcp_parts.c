/* SPDX-License-Identifier: MIT */
/*
 * The parts of TCP that need no connection: options, round-trip time,
 * congestion window, queues, replies.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/limits.h"
#include "net/tcp/congestion.h"
#include "net/tcp/queues.h"
#include "net/tcp/internal.h"
#include "net/tcp/rtt.h"
#include "net/wire/tcp.h"
#include "tests/host/world.h"

static uint64_t state = 1;

static uint32_t any(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 33) % below;
}

/* ---- options ------------------------------------------------------------- */

/* covers: MUST-68 */
Test(tcp_wire, what_is_emitted_is_parsed_back)
{
    for (int i = 0; i < 20000; i++) {
        bool is_syn = any(2) != 0;
        struct tcp_header_options in = {
            .mss = is_syn ? (uint16_t)(1 + any(65535)) : 0,
            .has_window_scale = is_syn && any(2),
            .has_sack_permitted = is_syn && any(2),
            .has_timestamp = any(2) != 0,
            .sack_count = is_syn ? 0 : (uint8_t)any(5),
        };
        if (in.has_window_scale)
            in.window_scale = (uint8_t)any(15);
        if (in.has_timestamp) {
            in.timestamp = any(UINT32_MAX);
            in.timestamp_echo = any(UINT32_MAX);
            if (in.sack_count > 3)
                in.sack_count = 3;
        }
        for (unsigned k = 0; k < in.sack_count; k++)
            in.sack[k] = (struct tcp_sack_block){seq_from(any(UINT32_MAX)),
                                                 seq_from(any(UINT32_MAX))};
        uint8_t bytes[TCP_OPTIONS_MAX];
        struct tcp_header_options out;
        size_t length = tcp_options_emit(&in, bytes);
        cr_assert(length <= TCP_OPTIONS_MAX && length % 4 == 0);
        tcp_options_parse(bytes, length, is_syn, &out);
        cr_assert_eq(out.mss, in.mss);
        cr_assert_eq(out.has_window_scale, in.has_window_scale);
        cr_assert_eq(out.window_scale, in.window_scale);
        cr_assert_eq(out.has_sack_permitted, in.has_sack_permitted);
        cr_assert_eq(out.has_timestamp, in.has_timestamp);
        cr_assert_eq(out.timestamp, in.timestamp);
        cr_assert_eq(out.timestamp_echo, in.timestamp_echo);
        cr_assert_eq(out.sack_count, in.sack_count);
        for (unsigned k = 0; k < in.sack_count; k++)
            cr_assert(seq_equal(out.sack[k].left, in.sack[k].left) &&
                      seq_equal(out.sack[k].right, in.sack[k].right));
    }
}

/* covers: MUST-7 */
Test(tcp_wire, any_bytes_are_parsed_within_their_length)
{
    for (int i = 0; i < 100000; i++) {
        size_t length = any(TCP_OPTIONS_MAX + 1);
        /* Exactly as long, so that a sanitizer sees one octet too many. */
        uint8_t *bytes = malloc(length == 0 ? 1 : length);
        struct tcp_header_options out;
        for (size_t k = 0; k < length; k++)
            bytes[k] = (uint8_t)(any(3) ? any(12) : any(256));
        tcp_options_parse(bytes, length, i % 2 != 0, &out);
        cr_assert_leq(out.sack_count, TCP_SACK_BLOCKS);
        cr_assert_leq(out.window_scale, TCP_WINDOW_SCALE_MAX);
        free(bytes);
    }
}

/* ---- round-trip time ----------------------------------------------------- */

/* covers: RFC6298-2.2 */
static void usual_settings(void)
{
    tcp_settings.rto_min_us = (uint32_t)(TCP_RTO_MIN_NS / NS_PER_US);
    tcp_settings.initial_window = TCP_INITIAL_WINDOW;
    tcp_settings.hystart = true;
}

TestSuite(tcp_rtt, .init = usual_settings);
TestSuite(tcp_congestion, .init = usual_settings);

Test(tcp_rtt, the_first_sample_sets_everything)
{
    struct tcp_rtt rtt;
    rtt_init(&rtt);
    cr_assert_eq(rtt_timeout_ns(&rtt), NS_PER_S);
    rtt_sample(&rtt, 300 * NS_PER_MS);
    cr_assert_eq(rtt.smoothed_us, 300000);
    cr_assert_eq(rtt.variation_us, 150000);
    cr_assert_eq(rtt_timeout_ns(&rtt), 900 * NS_PER_MS);
}

/* covers: RFC6298-2.3 */
Test(tcp_rtt, later_samples_are_smoothed)
{
    struct tcp_rtt rtt;
    rtt_init(&rtt);
    rtt_sample(&rtt, 100 * NS_PER_MS);
    rtt_sample(&rtt, 180 * NS_PER_MS);
    /* 3/4 * 50 + 1/4 * 80 and 7/8 * 100 + 1/8 * 180 */
    cr_assert_eq(rtt.variation_us, 57500);
    cr_assert_eq(rtt.smoothed_us, 110000);
}

/* covers: RFC6298-2.5 */
Test(tcp_rtt, the_timeout_stays_between_its_bounds)
{
    struct tcp_rtt rtt;
    rtt_init(&rtt);
    for (int i = 0; i < 1000; i++) {
        rtt_sample(&rtt, any(3) * UINT64_C(1000) * any(1000000));
        cr_assert_geq(rtt_timeout_ns(&rtt), 200 * NS_PER_MS);
        cr_assert_leq(rtt_timeout_ns(&rtt), 120 * NS_PER_S);
    }
    rtt_sample(&rtt, UINT64_MAX);
    for (int i = 0; i < 100; i++) {
        rtt_back_off(&rtt);
        cr_assert_leq(rtt_timeout_ns(&rtt), 120 * NS_PER_S);
    }
}

Test(tcp_rtt, a_sample_ends_the_backoff)
{
    struct tcp_rtt rtt;
    rtt_init(&rtt);
    rtt_sample(&rtt, NS_PER_MS);
    rtt_back_off(&rtt);
    rtt_back_off(&rtt);
    cr_assert_eq(rtt_timeout_ns(&rtt), 800 * NS_PER_MS);
    rtt_sample(&rtt, NS_PER_MS);
    cr_assert_eq(rtt_timeout_ns(&rtt), 200 * NS_PER_MS);
}

/* ---- congestion window --------------------------------------------------- */

static void acked(struct tcp_congestion *c, uint32_t bytes)
{
    const struct tcp_ack_event ack = {.acked = bytes};
    congestion_chosen(c)->on_ack(c, &ack);
}

Test(tcp_congestion, the_initial_window_is_that_of_rfc_6928)
{
    cr_assert_eq(congestion_initial_window(1460), 14600);
    cr_assert_eq(congestion_initial_window(536), 5360);
    cr_assert_eq(congestion_initial_window(4000), 14600);
    cr_assert_eq(congestion_initial_window(9000), 18000);
}

/* covers: MUST-19 */
Test(tcp_congestion, slow_start_doubles_and_avoidance_adds_one)
{
    struct tcp_congestion c;
    congestion_init(&c, 1000, seq_from(0));
    for (int i = 0; i < 10; i++)
        acked(&c, 1000);
    cr_assert_eq(c.cwnd, 20000);
    c.ssthresh = 20000;
    for (int i = 0; i < 20; i++)
        acked(&c, 1000);
    cr_assert_eq(c.cwnd, 21000);
}

Test(tcp_congestion, one_ack_counts_for_a_train_and_for_two_after_a_loss)
{
    struct tcp_congestion c;
    congestion_init(&c, 1000, seq_from(0));
    acked(&c, 10000);
    cr_assert_eq(c.cwnd, 20000);
    congestion_chosen(&c)->on_signal(&c, TCP_SIGNAL_TIMEOUT, 20000);
    cr_assert_eq(c.cwnd, 1000);
    acked(&c, 10000);
    cr_assert_eq(c.cwnd, 3000);
}

Test(tcp_congestion, an_unused_window_does_not_grow)
{
    struct tcp_congestion c;
    congestion_init(&c, 1000, seq_from(0));
    const struct tcp_ack_event ack = {.acked = 1000, .is_unused = true};
    for (int i = 0; i < 100; i++)
        congestion_chosen(&c)->on_ack(&c, &ack);
    cr_assert_eq(c.cwnd, 10000);
}

Test(tcp_congestion, no_order_of_events_leaves_the_proven_range)
{
    struct tcp_congestion c;
    congestion_init(&c, 88, seq_from(0));
    for (int i = 0; i < 200000; i++) {
        switch (any(6)) {
        case 0:
            congestion_chosen(&c)->on_signal(&c, TCP_SIGNAL_LOSS,
                                             any(UINT32_MAX));
            break;
        case 1:
            congestion_chosen(&c)->on_signal(&c, TCP_SIGNAL_TIMEOUT,
                                             any(UINT32_MAX));
            break;
        case 2:
            congestion_chosen(&c)->on_recovered(&c, any(1U << 30));
            break;
        case 3:
            congestion_set_mss(&c, 88 + any(9000));
            break;
        default:
            acked(&c, any(UINT32_MAX));
            break;
        }
        cr_assert(c.cwnd >= 88 && c.cwnd <= 1U << 30, "step %d: %u", i, c.cwnd);
        cr_assert_geq(c.ssthresh, 2 * 88);
    }
}

/* ---- queues -------------------------------------------------------------- */

/* One loan at a time, so that each has the number 1. */
static unsigned loans_returned;

static void note_return(void *lender, uint32_t key)
{
    (void)lender;
    (void)key;
    loans_returned++;
}

/* Bytes that stay where they are; now and then those of an app. */
static uint32_t write_in_place(struct tcp_send_queue *queue,
                               const uint8_t *bytes, uint32_t length,
                               unsigned *loans)
{
    uint8_t loan = LOAN_NONE;
    uint32_t written;

    if (length == 0)
        return 0;
    if (loans_out() == 0)
        loan = loan_open(NULL, 0);
    written = send_queue_write_static(queue, bytes, length, loan);
    if (loan != LOAN_NONE) {
        ++*loans;
        loan_release(loan);
    }
    return written;
}

static bool points_at_loan(const struct packet *packet)
{
    bool points = false;

    for (size_t i = 0; i < packet->fragment_count; i++)
        points |= packet_fragments(packet)[i].loan != LOAN_NONE;
    return points;
}

Test(tcp_queue, the_send_queue_is_a_window_on_a_stream)
{
    static uint8_t stream[60000];
    unsigned loans = 0;
    static const uint32_t sizes[] = {1, 7, 300, 1460, 2048, 5000};
    struct tcp_send_queue queue;
    uint32_t start = 0xffffe000; /* wraps on the way */
    uint32_t written = 0;
    uint32_t gone = 0;

    world_start(1);
    (void)world_stack_add("a", (size_t)16 << 20);
    loans_init(note_return);
    size_t buffers = buffer_count_free();
    for (size_t i = 0; i < sizeof(stream); i++)
        stream[i] = (uint8_t)any(256);
    send_queue_init(&queue, seq_from(start));
    while (gone < sizeof(stream)) {
        uint32_t size = sizes[any(6)];
        uint32_t left = (uint32_t)sizeof(stream) - written;
        size = size < left ? size : left;
        if (any(3) == 0)
            written += write_in_place(&queue, stream + written, size, &loans);
        else
            written += send_queue_write(&queue, stream + written, size);
        cr_assert_eq(queue.length, written - gone);
        /* A segment from anywhere in it. */
        uint32_t from = gone + (written > gone ? any(written - gone) : 0);
        uint32_t length = written - from < 1400 ? written - from : 1400;
        struct packet *packet = packet_alloc(PACKET_HEADROOM);
        uint32_t filled =
            send_queue_fill(&queue, seq_from(start + from), length, packet);
        cr_assert(filled <= length && (filled > 0 || length == 0));
        uint32_t at = from;
        cr_assert_arr_eq(packet->data, stream + at, packet->length);
        at += packet->length;
        for (size_t i = 0; i < packet->fragment_count; i++) {
            const struct packet_fragment *part = &packet_fragments(packet)[i];
            cr_assert_arr_eq(part->data, stream + at, part->length);
            at += part->length;
        }
        cr_assert_eq(at, from + filled);
        /* Acknowledged while the packet is still on its way. */
        if (written > gone)
            gone += any(written - gone + 1);
        if (written == sizeof(stream) && any(4) == 0)
            gone = written;
        send_queue_acknowledge(&queue, seq_from(start + gone));
        at = from;
        for (size_t i = 0; i < packet->fragment_count; i++) {
            const struct packet_fragment *part = &packet_fragments(packet)[i];
            cr_assert_arr_eq(part->data, stream + at, part->length);
            at += part->length;
        }
        cr_assert(!points_at_loan(packet) || loans_out() == 1);
        packet_free(packet);
    }
    cr_assert_gt(loans, 1);
    cr_assert_eq(loans_returned, loans);
    cr_assert_null(queue.head);
    cr_assert_eq(send_buffers_used(), 0);
    cr_assert_eq(buffer_count_free(), buffers);
}

/* ---- replies ------------------------------------------------------------- */

/* There is no packet yet that could be given back. */
Test(tcp_reply, a_full_queue_drops_what_comes)
{
    const struct tcp_tuple tuple = {.local_port = 80};
    const struct tcp_segment segment = {.flags = TCP_ACK};

    tcp_replies.count = TCP_REPLIES_MAX;
    reply_reset(&tuple, &segment);
    cr_assert_eq(tcp_counters.replies_dropped, 1);
    cr_assert_eq(tcp_replies.count, TCP_REPLIES_MAX);
}
