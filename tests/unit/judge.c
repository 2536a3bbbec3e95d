/* SPDX-License-Identifier: MIT */
/*
 * Variants of the stack before the judge (tests/host/judge.h). JUDGE_SEEDS
 * says how many runs of each, JUDGE_FIRST where they begin; `make judge
 * SEEDS=5000 FIRST=1` is the long version.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/apart.h"
#include "tests/host/judge.h"
#include "tests/host/scene.h"

enum {
    SEEDS = 6,
};

/* The first is what all others are held against. */
static const struct judge_variant variants[] = {
    {.name = "as it comes"},
    {.name = "no header prediction",
     .settings = {{"ipv4.tcp_header_prediction", "0"}},
     .is_exact = true},
    {.name = "no plain output",
     .settings = {{"ipv4.tcp_plain_output", "0"}},
     .is_exact = true},
    {.name = "no SACK", .settings = {{"ipv4.tcp_sack", "0"}}},
    {.name = "no RACK, no TLP",
     .settings = {{"ipv4.tcp_recovery", "0"}, {"ipv4.tcp_early_retrans", "0"}}},
    {.name = "no timestamps", .settings = {{"ipv4.tcp_timestamps", "0"}}},
    {.name = "no window scaling",
     .settings = {{"ipv4.tcp_window_scaling", "0"}}},
    {.name = "small buffers",
     .settings = {{"ipv4.tcp_rmem", "4096"}, {"ipv4.tcp_wmem", "4096"}}},
    {.name = "large buffers",
     .settings = {{"ipv4.tcp_rmem", "2000000"}, {"ipv4.tcp_wmem", "2000000"}}},
    {.name = "no growing buffers",
     .settings = {{"ipv4.tcp_moderate_rcvbuf", "0"}}},
    {.name = "ECN", .settings = {{"ipv4.tcp_ecn", "1"}}},
    {.name = "no F-RTO, no undo",
     .settings = {{"ipv4.tcp_frto", "0"}, {"ipv4.tcp_undo", "0"}}},
    {.name = "NewReno", .settings = {{"ipv4.tcp_congestion_control", "reno"}}},
    {.name = "no GRO", .settings = {{"gro", "0"}}, .joins_nothing = true},
};

static const struct judge_variant misspelt = {
    .name = "a setting that nobody has",
    .settings = {{"core.no_such_setting", "0"}},
};

static const struct judge_variant tampered = {
    .name = "a peer that lets two words change places",
    .is_exact = true,
    .is_tampered = true,
};

enum {
    VARIANTS = sizeof(variants) / sizeof(variants[0]),
};

static void run_calls(void *context, void *result)
{
    judge_calls(context, result);
}

static void run_exact(void *context, void *result)
{
    judge_segments(context, result, true);
}

static void run_honest(void *context, void *result)
{
    judge_segments(context, result, false);
}

static struct judge_result run(void (*how)(void *, void *), uint64_t seed,
                               const struct judge_variant *variant)
{
    struct judge_case one = {.seed = seed, .variant = variant};
    struct judge_result result = {.seen = 0};

    if (!apart_run(how, &one, &result, sizeof(result)))
        judge_fault(&result, "it died");
    return result;
}

static uint64_t seeds(void)
{
    const char *text = getenv("JUDGE_SEEDS");

    return text == NULL ? SEEDS : strtoull(text, NULL, 10);
}

static uint64_t first_seed(void)
{
    const char *text = getenv("JUDGE_FIRST");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static void expect_right(const struct judge_result *result, uint64_t seed,
                         const struct judge_variant *variant)
{
    cr_assert_eq(result->fault[0], '\0', "seed %lu, %s: %s",
                 (unsigned long)seed, variant->name, result->fault);
}

/* A run without an oracle but the other one: the peer contradicts itself. */
static void expect_no_difference(const struct judge_variant *variant)
{
    uint64_t bytes = 0;
    uint64_t from = 4 * first_seed() - 3;

    for (uint64_t seed = from; seed < from + 4 * seeds(); seed++) {
        struct judge_result with = run(run_exact, seed, &variants[0]);
        struct judge_result without = run(run_exact, seed, variant);
        expect_right(&with, seed, &variants[0]);
        expect_right(&without, seed, variant);
        cr_assert_eq(with.seen, without.seen, "seed %lu: the app saw another",
                     (unsigned long)seed);
        cr_assert_eq(with.wire, without.wire, "seed %lu: the peer saw another",
                     (unsigned long)seed);
        bytes += with.bytes;
    }
    cr_assert_gt(bytes, 1000);
}

Test(judge, header_prediction_changes_nothing_at_all)
{
    expect_no_difference(&variants[1]);
}

Test(judge, the_short_way_out_changes_nothing_at_all)
{
    expect_no_difference(&variants[2]);
}

Test(judge, random_segments_put_no_wrong_byte_before_the_app)
{
    uint64_t from = first_seed();

    for (uint64_t seed = from; seed < from + seeds(); seed++) {
        for (size_t i = 0; i < VARIANTS; i++) {
            struct judge_result result = run(run_honest, seed, &variants[i]);
            expect_right(&result, seed, &variants[i]);
        }
    }
}

Test(judge, random_calls_over_a_bad_path_deliver_the_same_in_every_variant)
{
    uint64_t joined = 0;
    uint64_t from = first_seed();

    for (uint64_t seed = from; seed < from + seeds(); seed++) {
        struct judge_result first = {.seen = 0};
        for (size_t i = 0; i < VARIANTS; i++) {
            struct judge_result result = run(run_calls, seed, &variants[i]);
            expect_right(&result, seed, &variants[i]);
            if (i == 0)
                first = result;
            cr_assert_eq(result.seen, first.seen, "seed %lu, %s",
                         (unsigned long)seed, variants[i].name);
            if (variants[i].joins_nothing)
                cr_assert_eq(result.joined, 0);
            joined += result.joined;
        }
    }
    cr_assert_gt(joined, 50 * seeds(), "%lu segments went up in trains",
                 (unsigned long)joined);
}

/* The judge itself: what it is there to notice, it notices. */
Test(judge, notices_words_that_change_places_in_a_transfer)
{
    uint64_t noticed = 0;

    for (uint64_t seed = 1; seed <= 10; seed++)
        noticed += run(run_calls, seed, &tampered).fault[0] != '\0';
    /* There are runs of few frames: none of them need be spoilt. */
    cr_assert_geq(noticed, 8, "%lu", (unsigned long)noticed);
}

Test(judge, notices_words_that_change_places_in_random_segments)
{
    uint64_t noticed = 0;
    uint64_t differ = 0;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        noticed += run(run_honest, seed, &tampered).fault[0] != '\0';
        differ += run(run_exact, seed, &tampered).seen !=
                  run(run_exact, seed, &variants[0]).seen;
    }
    cr_assert_geq(noticed, 5, "%lu", (unsigned long)noticed);
    cr_assert_geq(differ, 5, "%lu", (unsigned long)differ);
}

Test(judge, notices_a_variant_whose_setting_there_is_not)
{
    cr_assert_neq(run(run_calls, 1, &misspelt).fault[0], '\0');
    cr_assert_neq(run(run_honest, 1, &misspelt).fault[0], '\0');
}

/* ---- what the judge found --------------------------------------------------
 */

static struct scene scene;

#define peer (&scene.peer)

/* RFC 9293 3.10.7.4: SND.WL1 never goes back. An empty segment tells of the
 * window from further on than the text that is on its way; the text, which is
 * predicted, does not make one between them a newer word. */
Test(judge, predicted_text_makes_no_old_window_new)
{
    scene_established(&scene, 0);
    dialogue_send(peer, A, peer->seq + 1000, peer->ack, NULL, 0);
    scene_says(&scene, A, "text", 4);
    cr_assert_eq(scene_status(&scene).send_window, peer->window);
    uint16_t window = peer->window;
    peer->window = 10;
    dialogue_send(peer, A, peer->seq + 500, peer->ack, NULL, 0);
    cr_assert_eq(scene_status(&scene).send_window, window);
    dialogue_send(peer, A, peer->seq + 1001, peer->ack, NULL, 0);
    cr_assert_eq(scene_status(&scene).send_window, 10);
    scene_abort(&scene);
    cr_assert(scene_is_clean(&scene));
}
