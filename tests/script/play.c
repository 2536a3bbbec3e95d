/* SPDX-License-Identifier: MIT */
/*
 * The player: waits for each event's time, lets the world run meanwhile, and
 * compares. A relative time counts from when the event before it happened.
 */
#include "tests/script/play.h"
#include "tests/script/app.h"
#include "tests/script/calls.h"
#include "tests/script/check.h"
#include "tests/script/compare.h"
#include "tests/script/flow.h"
#include "tests/script/stage.h"

#include "net/attributes.h"
#include "net/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PACKET_MAX = 65536,
    TEXT_MAX = 512,
    /* After the script: what is left must end, retransmissions included. */
    AFTERMATH_S = 4000,
    ANY_TIME_S = 4000, /* how long a packet with time * may take */
};

static struct {
    const struct script *script;
    const struct event *event;
    uint64_t zero_ns; /* script time 0 */
    uint64_t last_ns; /* of the event before */
    bool is_verbose;
    /* The blocking call under way. */
    const struct event *blocked;
    uint64_t blocked_end_ns;
} player;

static double seconds(uint64_t time_ns)
{
    return ((double)time_ns - (double)player.zero_ns) / 1e9;
}

static _Noreturn void fail(const struct event *event, const char *format, ...)
    PRINTF_LIKE(2, 3);

static _Noreturn void fail(const struct event *event, const char *format, ...)
{
    va_list values;

    fflush(stdout);
    fprintf(stderr, "%s:%u: ", player.script->file, event->line);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    _exit(1);
}

static void would_block(void)
{
    fail(player.event, "the call would block; give it a range of time "
                       "(a...b) if it may");
}

static bool is_near(uint64_t time_ns, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t tolerance = (uint64_t)player.script->tolerance_us * NS_PER_US;

    return time_ns + tolerance >= from_ns && time_ns <= to_ns + tolerance;
}

/* ---- calls --------------------------------------------------------------- */

static void compare_result(const struct event *event,
                           const struct outcome *outcome)
{
    const struct call *call = &event->call;
    long long result = outcome->result < 0 ? -1 : outcome->result;
    int error = outcome->result < 0 ? (int)-outcome->result : 0;

    if (!call->any_result && (result != call->result || error != call->error))
        fail(event, "%s: expected %lld %s\n%*sbut it was  %lld %s%s%s",
             call->name, call->result,
             call->error == 0 ? "" : symbol_errno(call->error), 8, "", result,
             error == 0 ? "" : symbol_errno(error),
             outcome->problem[0] == '\0' ? "" : "; ", outcome->problem);
    if (outcome->problem[0] != '\0')
        fail(event, "%s: %s", call->name, outcome->problem);
}

static void look_at_app(void)
{
    struct outcome outcome;
    uint64_t ended_ns;

    if (!app_is_done(&outcome, &ended_ns))
        return;
    compare_result(player.blocked, &outcome);
    if (!is_near(ended_ns, player.blocked_end_ns, player.blocked_end_ns))
        fail(player.blocked,
             "%s: expected to end at %.6f\n%*sbut it was     "
             "     at %.6f",
             player.blocked->call.name, seconds(player.blocked_end_ns), 8, "",
             seconds(ended_ns));
    player.blocked = NULL;
}

static void run_until(uint64_t time_ns)
{
    stage_run_until(time_ns);
    look_at_app();
}

static void play_call(const struct event *event)
{
    struct outcome outcome;

    if (!event->is_blocking) {
        call_make(&event->call, &outcome);
        compare_result(event, &outcome);
        return;
    }
    if (app_is_busy())
        fail(event, "the blocking call of line %u is still under way",
             player.blocked->line);
    int64_t length_us = event->end_us - event->from_us;
    player.blocked = event;
    player.blocked_end_ns = stage_now() + (uint64_t)length_us * NS_PER_US;
    app_begin(&event->call);
    look_at_app();
}

/* ---- packets ------------------------------------------------------------- */

static void print_packet(char direction, uint64_t time_ns,
                         const struct segment *segment)
{
    char text[TEXT_MAX];

    if (!player.is_verbose)
        return;
    segment_print(segment, text, sizeof(text));
    printf("%10.6f %c %s\n", seconds(time_ns), direction, text);
}

static void play_inject(const struct event *event)
{
    static uint8_t packet[PACKET_MAX];
    size_t length = flow_encode(&event->segment, packet, sizeof(packet));

    print_packet('<', stage_now(), &event->segment);
    stage_inject(packet, length);
    look_at_app();
}

/* What the script does not say of IP is not shown either. */
static void hide_unsaid(const struct segment *wanted, struct segment *got)
{
    if (wanted == NULL || wanted->ttl < 0)
        got->ttl = -1;
    if (wanted == NULL || wanted->tos < 0)
        got->tos = -1;
    if (wanted == NULL || wanted->ecn < 0)
        got->ecn = -1;
}

static _Noreturn void fail_packet(const struct event *event, const char *why,
                                  const struct segment *got, uint64_t time_ns)
{
    char wanted[TEXT_MAX];
    char actual[TEXT_MAX];

    segment_print(&event->segment, wanted, sizeof(wanted));
    segment_print(got, actual, sizeof(actual));
    fail(event, "%s\n    expected > %s\n    actual   > %s   at %.6f", why,
         wanted, actual, seconds(time_ns));
}

static void play_expect(const struct event *event, uint64_t from_ns,
                        uint64_t to_ns)
{
    uint64_t tolerance = (uint64_t)player.script->tolerance_us * NS_PER_US;
    struct segment got;
    char text[TEXT_MAX];

    struct stage_packet *packet = stage_take(to_ns + tolerance);
    look_at_app();
    if (packet == NULL) {
        segment_print(&event->segment, text, sizeof(text));
        fail(event, "no packet came until %.6f\n    expected > %s",
             seconds(stage_now()), text);
    }
    const char *wrong =
        flow_decode(packet->bytes, packet->length, &event->segment, &got);
    hide_unsaid(&event->segment, &got);
    print_packet('>', packet->time_ns, &got);
    if (wrong == NULL)
        wrong = compare_segments(player.script, &event->segment, &got);
    if (wrong != NULL)
        fail_packet(event, wrong, &got, packet->time_ns);
    if (event->time != TIME_ANY && !is_near(packet->time_ns, from_ns, to_ns))
        fail(event, "expected at %.6f%s\n    actual   at %.6f",
             seconds(from_ns), to_ns != from_ns ? " or somewhat later" : "",
             seconds(packet->time_ns));
    player.last_ns = packet->time_ns;
    free(packet);
}

/* ---- events -------------------------------------------------------------- */

/* `sleep 1.5`: of all commands the one that means something here. */
static void play_command(const struct event *event)
{
    double length;

    if (sscanf(event->text, " sleep %lf", &length) != 1)
        fail(event, "commands are not run: `%s`", event->text);
    run_until(stage_now() + (uint64_t)(length * 1e9));
}

static void play_check(const struct event *event)
{
    char why[TEXT_MAX];

    if (!check_run(event->text, why, sizeof(why)))
        fail(event, "%s", why);
}

static void play_event(const struct event *event)
{
    uint64_t base =
        event->time == TIME_ABSOLUTE ? player.zero_ns : player.last_ns;
    uint64_t from_ns = base + (uint64_t)event->from_us * NS_PER_US;
    uint64_t to_ns = base + (uint64_t)event->to_us * NS_PER_US;

    player.event = event;
    if (event->kind == EVENT_EXPECT) {
        if (event->time == TIME_ANY)
            to_ns = stage_now() + ANY_TIME_S * NS_PER_S;
        play_expect(event, from_ns, to_ns);
        return;
    }
    run_until(from_ns);
    player.last_ns = stage_now();
    if (event->kind == EVENT_INJECT)
        play_inject(event);
    else if (event->kind == EVENT_CALL)
        play_call(event);
    else if (event->kind == EVENT_CHECK)
        play_check(event);
    else
        play_command(event);
    run_until(stage_now());
    player.last_ns = stage_now();
}

/* Nothing unexpected was sent, and everything ends and is given back. */
static void finish(const struct event *last)
{
    struct segment got;
    char text[TEXT_MAX];

    if (player.blocked != NULL)
        fail(player.blocked, "%s: has not ended", player.blocked->call.name);
    struct stage_packet *packet = stage_take(stage_now());
    if (packet != NULL) {
        const char *wrong =
            flow_decode(packet->bytes, packet->length, NULL, &got);
        hide_unsaid(NULL, &got);
        segment_print(&got, text, sizeof(text));
        fail(last,
             "at the script's end, one packet more than expected\n"
             "    actual   > %s   at %.6f%s%s",
             text, seconds(packet->time_ns), wrong == NULL ? "" : "; ",
             wrong == NULL ? "" : wrong);
    }
    calls_close_all();
    run_until(stage_now() + AFTERMATH_S * NS_PER_S);
    if (stage_leaks()[0] != '\0')
        fail(last, "after everything was closed: %s", stage_leaks());
}

static void set_up(const struct script *script, unsigned options)
{
    player.script = script;
    player.is_verbose = (options & PLAY_VERBOSE) != 0;
    app_would_block = would_block;
    const char *refused = stage_start(script);
    if (refused != NULL)
        fail(script->events, "no such setting, or not such a value: %s",
             refused);
    if ((options & PLAY_CAPTURE) != 0) {
        char name[TEXT_MAX];
        const char *base = strrchr(script->file, '/');
        snprintf(name, sizeof(name), "%s.pcap",
                 base == NULL ? script->file : base + 1);
        stage_capture(name);
    }
    for (size_t i = 0; i < script->setting_count; i++)
        if (strstr(script->settings[i], "tcp_mtu_discovery=0") != NULL)
            flow_has_df = false;
    flows_init(script->remote_isn);
    player.zero_ns = stage_now();
    player.last_ns = player.zero_ns;
}

void play(const struct script *script, unsigned options)
{
    const struct event *last = NULL;

    set_up(script, options);
    for (const struct event *event = script->events; event != NULL;
         event = event->next) {
        play_event(event);
        last = event;
    }
    finish(last);
    fflush(stdout);
}
