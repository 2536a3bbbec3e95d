/* SPDX-License-Identifier: MIT */
/*
 * getsockopt and setsockopt.
 */
#include "tests/script/calls_private.h"

#include "net/socket/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static long long field(const struct value *value, const char *first,
                       const char *second)
{
    const struct value *found = member(value, first);

    if (found == NULL)
        found = member(value, second);
    return found == NULL ? 0 : found->number;
}

static bool is_time(int level, int name)
{
    return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

void call_set(const struct call *call, struct outcome *outcome)
{
    int id = handle_of(call)->id;
    int level = number(call, 1);
    int name = number(call, 2);
    const struct value *value = argument(call, 3);

    if (level == SOL_SOCKET && name == SO_LINGER) {
        struct linger linger = {
            .l_onoff = (int)field(value, "onoff", "l_onoff"),
            .l_linger = (int)field(value, "linger", "l_linger")};
        outcome->result =
            socket_setsockopt(id, level, name, &linger, sizeof(linger));
    } else if (is_time(level, name)) {
        struct timeval time = {.tv_sec = field(value, "tv_sec", ""),
                               .tv_usec = field(value, "tv_usec", "")};
        outcome->result =
            socket_setsockopt(id, level, name, &time, sizeof(time));
    } else if (value->kind == VALUE_STRING) {
        outcome->result = socket_setsockopt(id, level, name, value->text,
                                            (socklen_t)strlen(value->text));
    } else {
        int plain = value->first == NULL ? (int)value->number
                                         : (int)value->first->number;
        const struct value *length = argument(call, 4);
        outcome->result = socket_setsockopt(id, level, name, &plain,
                                            length->kind == VALUE_NUMBER
                                                ? (socklen_t)length->number
                                                : (socklen_t)sizeof(plain));
    }
}

static void get_linger(const struct call *call, int id, struct outcome *outcome)
{
    const struct value *wanted = argument(call, 3);
    struct linger linger = {.l_onoff = -1};
    socklen_t length = sizeof(linger);

    outcome->result =
        socket_getsockopt(id, SOL_SOCKET, SO_LINGER, &linger, &length);
    if (outcome->result == 0 &&
        (linger.l_onoff != field(wanted, "onoff", "l_onoff") ||
         linger.l_linger != field(wanted, "linger", "l_linger")))
        problem(outcome, "the value is {onoff=%d, linger=%d}", linger.l_onoff,
                linger.l_linger);
}

void call_get(const struct call *call, struct outcome *outcome)
{
    int id = handle_of(call)->id;
    int level = number(call, 1);
    int name = number(call, 2);
    const struct value *wanted = argument(call, 3)->first;
    char bytes[256] = {0};
    socklen_t length = sizeof(int);
    int value = 0;

    if (level == SOL_SOCKET && name == SO_LINGER) {
        get_linger(call, id, outcome);
        return;
    }
    if (argument(call, 3)->kind == VALUE_STRING) {
        length = sizeof(bytes) - 1;
        outcome->result = socket_getsockopt(id, level, name, bytes, &length);
        if (outcome->result == 0 && strcmp(bytes, argument(call, 3)->text) != 0)
            problem(outcome, "the value is \"%s\"", bytes);
        return;
    }
    outcome->result = socket_getsockopt(id, level, name, &value, &length);
    if (outcome->result != 0 || wanted == NULL ||
        wanted->kind != VALUE_NUMBER || wanted->number == value)
        return;
    if (name == SO_ERROR && level == SOL_SOCKET)
        problem(outcome, "the value is %d %s", value, symbol_errno(value));
    else
        problem(outcome, "the value is %d", value);
}
