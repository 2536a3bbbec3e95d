/* SPDX-License-Identifier: MIT */
/*
 * poll.
 */
#include "tests/script/calls_private.h"
#include "tests/script/stage.h"

#include <limits.h>

enum { POLL_MAX = 64 };

void call_poll(const struct call *call, struct outcome *outcome)
{
    struct pollfd list[POLL_MAX];
    const struct value *wanted[POLL_MAX];
    int timeout_ms = number(call, 2);
    size_t count = 0;

    for (const struct value *item = argument(call, 0)->first;
         item != NULL && count < POLL_MAX; item = item->next) {
        const struct value *fd = member(item, "fd");
        const struct value *events = member(item, "events");
        const struct handle *handle = handle_at(fd == NULL ? -1 : fd->number);
        list[count] = (struct pollfd){
            .fd = handle == NULL ? INT_MAX : handle->id,
            .events = events == NULL ? (short)0 : (short)events->number};
        wanted[count++] = member(item, "revents");
    }
    outcome->result = stage_poll(list, count, timeout_ms);
    for (size_t i = 0; i < count; i++)
        if (wanted[i] != NULL && wanted[i]->kind == VALUE_NUMBER &&
            wanted[i]->number != list[i].revents)
            problem(outcome, "revents of entry %zu are 0x%x, not 0x%llx", i,
                    (unsigned)list[i].revents,
                    (unsigned long long)wanted[i]->number);
}
