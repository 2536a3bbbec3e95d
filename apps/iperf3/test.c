/* SPDX-License-Identifier: MIT */
/*
 * See test.h. Steps are single bytes, parameters and results are JSON behind a
 * length of 32 bits. One test at a time; whatever is wrong with what a client
 * says ends its own test, with the error number that iperf3 has for it.
 */
#include "test.h"

#include "json.h"
#include "limits.h"
#include "report.h"
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Steps, as the other side knows them. */
enum step {
    TEST_START = 1,
    TEST_RUNNING = 2,
    TEST_END = 4,
    PARAM_EXCHANGE = 9,
    CREATE_STREAMS = 10,
    SERVER_TERMINATE = 11,
    CLIENT_TERMINATE = 12,
    EXCHANGE_RESULTS = 13,
    DISPLAY_RESULTS = 14,
    IPERF_DONE = 16,
    ACCESS_DENIED = 0xff,
    SERVER_ERROR = 0xfe,
};

/* Its numbers of errors. */
enum { ERROR_PARAMETERS = 114, ERROR_RESULTS = 117 };

enum { LENGTH_SIZE = 4, OUTPUT_SIZE = RESULTS_LIMIT };

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

enum phase { NO_TEST, PARAMETERS, CREATING, RUNNING, RESULTS, DISPLAYING };

static struct test {
    enum phase phase;
    struct watch control;
    char cookie[COOKIE_SIZE];
    struct parameters parameters;
    struct result result;
    uint64_t deadline_ns; /* of this phase */
    uint64_t counted_ns;  /* when counting began */
    uint64_t heard_ns;    /* when a byte moved last */
    uint64_t activity;
    bool is_omitting;
    size_t input_length;
    size_t output_start;
    size_t output_length;
} test = {.control = {.descriptor = -1}};

static char input[RESULTS_LIMIT];
static char output[OUTPUT_SIZE];

static void enter(enum phase phase)
{
    test.phase = phase;
    test.deadline_ns = loop_now_ns() + PHASE_MS * NS_PER_MS;
    test.input_length = 0;
}

static void leave(const char *reason)
{
    if (test.phase == NO_TEST)
        return;
    if (test.phase >= CREATING && test.phase <= RUNNING)
        streams_end();
    loop_close(&test.control);
    test.phase = NO_TEST;
    if (reason != NULL) {
        printf("iperf3: %s: %s\n", inet_ntoa(test.result.peer), reason);
        fflush(stdout);
    }
}

/* ---- saying ------------------------------------------------------------- */

static void flush(void)
{
    while (test.output_start < test.output_length) {
        ssize_t sent = send(test.control.descriptor, output + test.output_start,
                            test.output_length - test.output_start, 0);

        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR)
                leave("gone");
            else
                loop_change(&test.control, LOOP_READ | LOOP_WRITE);
            return;
        }
        test.output_start += (size_t)sent;
    }
    test.output_start = test.output_length = 0;
    loop_change(&test.control, LOOP_READ);
}

static void put_length(char *at, size_t length)
{
    uint32_t word = htonl((uint32_t)length);

    memcpy(at, &word, sizeof(word));
}

static void say(enum step step)
{
    if (test.output_length < OUTPUT_SIZE)
        output[test.output_length++] = (char)step;
    flush();
}

static void refuse(unsigned error, const char *reason)
{
    char text[1 + 2 * LENGTH_SIZE] = {(char)SERVER_ERROR};

    put_length(text + 1, error);
    (void)send(test.control.descriptor, text, sizeof(text), 0);
    leave(reason);
}

/* ---- hearing ------------------------------------------------------------ */

static void take_parameters(size_t length)
{
    const char *problem =
        parameters_read(input + LENGTH_SIZE, length, &test.parameters);

    if (problem != NULL) {
        char reason[64];

        snprintf(reason, sizeof(reason), "refused: %s", problem);
        refuse(ERROR_PARAMETERS, reason);
        return;
    }
    report_begin(&test.result);
    streams_begin(&test.parameters, test.result.peer);
    enter(CREATING);
    say(CREATE_STREAMS);
}

/* The names of the streams are the client's: usually 1, 3, 4, 5... */
static bool take_ids(struct json results)
{
    struct json list, entry, value;
    int64_t id;

    for (unsigned i = 0; i < STREAMS_MAX; i++)
        test.result.ids[i] = (unsigned char)(i == 0 ? 1 : i + 2);
    if (!json_member(results, "streams", &list) || *list.at != '[')
        return false;
    for (unsigned i = 0; i < STREAMS_MAX && json_next(&list, &entry); i++) {
        if (!json_member(entry, "id", &value) || !json_integer(value, &id))
            return false;
        test.result.ids[i] = (unsigned char)id;
    }
    return true;
}

static void take_results(size_t length)
{
    struct json results;

    if (!json_parse(input + LENGTH_SIZE, length, &results) ||
        !take_ids(results)) {
        refuse(ERROR_RESULTS, "its results are no JSON of that kind");
        return;
    }
    enter(DISPLAYING);
    length = report_json(&test.result, output + LENGTH_SIZE,
                         OUTPUT_SIZE - LENGTH_SIZE - 1);
    put_length(output, length);
    test.output_length = LENGTH_SIZE + length;
    say(DISPLAY_RESULTS);
}

static void end_test(void)
{
    uint64_t now_ns = loop_now_ns();

    streams_end();
    test.result.seconds = (double)(now_ns - test.counted_ns) / 1e9;
    report_end(&test.result);
    enter(RESULTS);
    say(EXCHANGE_RESULTS);
}

static void take_step(void)
{
    enum step step = (unsigned char)input[0];

    test.input_length = 0;
    if (step == TEST_END && test.phase == RUNNING)
        end_test();
    else if (step == IPERF_DONE && test.phase == DISPLAYING)
        leave(NULL);
    else if (step == CLIENT_TERMINATE)
        leave("gave up");
    else
        leave("said what does not belong here");
}

/* How many bytes make the next thing to be understood; 0: too many. */
static size_t wanted(void)
{
    size_t limit = test.phase == PARAMETERS ? PARAMETERS_LIMIT
                                            : RESULTS_LIMIT - LENGTH_SIZE;
    uint32_t length;

    if (test.phase != PARAMETERS && test.phase != RESULTS)
        return 1;
    if (test.input_length < LENGTH_SIZE)
        return LENGTH_SIZE;
    memcpy(&length, input, sizeof(length));
    length = ntohl(length);
    return length == 0 || length > limit ? 0 : LENGTH_SIZE + length;
}

static void take_input(void)
{
    size_t length = wanted();

    if (length == 0) {
        refuse(test.phase == PARAMETERS ? ERROR_PARAMETERS : ERROR_RESULTS,
               "refused: a length that cannot be");
        return;
    }
    if (test.input_length < length)
        return;
    if (test.phase == PARAMETERS)
        take_parameters(length - LENGTH_SIZE);
    else if (test.phase == RESULTS)
        take_results(length - LENGTH_SIZE);
    else
        take_step();
}

static void control_ready(struct watch *watch, unsigned events)
{
    size_t length = wanted();
    ssize_t received;

    if (events & LOOP_WRITE)
        flush();
    if (test.phase == NO_TEST || !(events & LOOP_READ))
        return;
    received = recv(watch->descriptor, input + test.input_length,
                    length - test.input_length, 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (received <= 0) {
        leave(test.phase == DISPLAYING ? NULL : "went away");
        return;
    }
    test.input_length += (size_t)received;
    take_input();
}

/* ---- time --------------------------------------------------------------- */

static void start(uint64_t now_ns)
{
    enter(RUNNING);
    test.counted_ns = now_ns;
    test.heard_ns = now_ns;
    test.is_omitting = test.parameters.omit_s > 0;
    test.deadline_ns = UINT64_MAX;
    if (test.parameters.time_s > 0)
        test.deadline_ns =
            now_ns + GRACE_MS * NS_PER_MS +
            (test.parameters.time_s + test.parameters.omit_s) * NS_PER_S;
    streams_start(now_ns);
    say(TEST_START);
    if (test.phase == RUNNING)
        say(TEST_RUNNING);
}

static void check_running(uint64_t now_ns)
{
    if (test.is_omitting &&
        now_ns - test.counted_ns >= test.parameters.omit_s * NS_PER_S) {
        test.is_omitting = false;
        test.counted_ns = now_ns;
        streams_omit();
    }
    if (test.activity != streams_activity()) {
        test.activity = streams_activity();
        test.heard_ns = now_ns;
    }
    if (now_ns - test.heard_ns > SILENCE_MS * NS_PER_MS)
        test.deadline_ns = now_ns;
}

int test_run(void)
{
    uint64_t now_ns;
    int wait_ms;

    if (test.phase == NO_TEST)
        return -1;
    now_ns = loop_now_ns();
    if (test.phase == CREATING && streams_are_complete())
        start(now_ns);
    if (test.phase == RUNNING)
        check_running(now_ns);
    if (test.phase != NO_TEST && now_ns >= test.deadline_ns) {
        char step = SERVER_TERMINATE;

        (void)send(test.control.descriptor, &step, 1, 0);
        leave("took too long");
    }
    wait_ms = streams_run(now_ns);
    if (test.phase == RUNNING && wait_ms < 0)
        return test.is_omitting ? 10 : 1000;
    return test.phase == NO_TEST || wait_ms >= 0 ? wait_ms : 1000;
}

/* TEST_RUNNING must not wait until TEST_START is acknowledged: what is sent
 * before it has come nobody reads. */
static void send_steps_at_once(void)
{
    int on = 1;

    (void)setsockopt(test.control.descriptor, IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof(on));
}

void test_admit(struct watch *from, const char *cookie,
                const struct sockaddr_in *peer)
{
    static const unsigned char denied = ACCESS_DENIED;

    if (test.phase == CREATING &&
        memcmp(test.cookie, cookie, COOKIE_SIZE) == 0) {
        streams_take(from);
        return;
    }
    if (test.phase != NO_TEST) {
        (void)send(from->descriptor, &denied, 1, 0);
        loop_close(from);
        return;
    }
    test = (struct test){
        .control = {.ready = control_ready, .descriptor = -1},
        .result = {.parameters = &test.parameters, .peer = peer->sin_addr},
        .activity = streams_activity(),
    };
    memcpy(test.cookie, cookie, COOKIE_SIZE);
    loop_move(&test.control, from);
    send_steps_at_once();
    enter(PARAMETERS);
    say(PARAM_EXCHANGE);
}
