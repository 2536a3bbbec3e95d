/* SPDX-License-Identifier: MIT */
/*
 * Who owes something, and when it is paid: input, timers and the app's calls
 * only note it (connection_touch), and every entry into the stack ends with
 * tcp_run_pending(), which lets each of them send once. With that goes the
 * turn, a bound on what one frame may cause (turn.h).
 */
#include "net/tcp/internal.h"

#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"

uint32_t turn_steps;
bool tcp_is_owed;

static struct {
    struct tcp_connection *first;
    struct tcp_connection *last;
    struct tcp_connection *refused_last; /* of this run, by the device */
    bool is_crowded;                     /* there were such in the last run */
} pending;

void connection_touch(struct tcp_connection *c, unsigned owed)
{
    c->owed |= (uint8_t)owed;
    if (c->is_pending)
        return;
    c->is_pending = true;
    tcp_is_owed = true;
    c->pending_next = NULL;
    if (pending.first == NULL)
        pending.first = c;
    else
        pending.last->pending_next = c;
    pending.last = c;
}

COLD void connection_note_spent(struct tcp_connection *c)
{
    uint32_t parts = smaller(turn_steps / TCP_TURN_PART, SPENT_ALL);

    if (parts > c->spent)
        c->spent = (uint8_t)(parts & 7U);
}

void connection_wait_for_device(struct tcp_connection *c)
{
    struct tcp_connection *after = pending.refused_last;

    c->owed |= OWES_OUTPUT;
    if (c->is_pending)
        return;
    c->is_pending = true;
    tcp_is_owed = true;
    c->pending_next = after == NULL ? pending.first : after->pending_next;
    if (after == NULL)
        pending.first = c;
    else
        after->pending_next = c;
    if (c->pending_next == NULL)
        pending.last = c;
    pending.refused_last = c;
}

bool connections_wait_for_device(void)
{
    return pending.is_crowded;
}

/* The next touched connection that is alive; NULL when there is none. */
static struct tcp_connection *pending_take(struct tcp_connection **list)
{
    while (*list != NULL) {
        struct tcp_connection *c = *list;
        *list = c->pending_next;
        c->is_pending = false;
        if (!c->is_dead)
            return c;
        connection_free(c);
    }
    return NULL;
}

/* What closed connections left. */
static COLD void reap(void)
{
    bool is_more = receive_memory_reap();

    if (!send_queues_reap() && !is_more)
        return;
    tcp_is_owed = true;
    platform_raise_receive();
}

static inline void run_pending(uint64_t now_ns)
{
    struct tcp_connection *list = pending.first;

    pending.first = NULL;
    pending.is_crowded = pending.refused_last != NULL;
    pending.refused_last = NULL;
    for (struct tcp_connection *c = pending_take(&list); c != NULL;
         c = pending_take(&list)) {
        c->is_sending = true;
        if (!output_plain(c, now_ns))
            connection_output(c, now_ns);
        c->is_sending = false;
        if (c->is_dead && !c->is_pending)
            connection_free(c);
    }
}

void tcp_run_owed(uint64_t now_ns)
{
    tcp_is_owed = false;
    replies_send(now_ns);
    if (pending.first != NULL)
        run_pending(now_ns);
    if (receive_memory.left != NULL || send_memory.left != NULL)
        reap();
}
