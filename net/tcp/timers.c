/* SPDX-License-Identifier: MIT */
/*
 * When a connection must be looked at next. Events set deadlines; one wheel
 * timer serves the earliest. It is not moved when a deadline moves away (which
 * every ACK makes it do), only looked at again when it fires.
 */
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

#include <errno.h>

#define MEMORY_RETRY_NS (10 * NS_PER_MS)

enum {
    PERSIST_SHIFT_MAX = 16, /* 120 s are reached long before */
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

void timers_update(struct tcp_connection *c)
{
    uint64_t next =
        earlier(earlier(c->retransmit_at_ns, c->ack_at_ns), c->keep_at_ns);

    if (c->recovery != NULL)
        next = earlier(next, c->recovery->deadline_ns);
    if (c->state == TCP_CLOSED || next == 0)
        return;
    if (!timer_is_set(&c->timer) || c->timer.deadline_ns > next)
        timer_set(&c->timer, next);
}

/* When that was, to the millisecond. */
static uint64_t since_ns(uint32_t at_ms, uint64_t now_ns)
{
    uint32_t passed_ms = connection_ms(now_ns) - at_ms;

    return (now_ns / NS_PER_MS - passed_ms) * NS_PER_MS;
}

/* RFC 5482, locally: when to give up waiting for progress; 0: never. */
static uint64_t give_up_at(const struct tcp_connection *c, uint64_t now_ns)
{
    if (c->options.user_timeout_ms == 0)
        return 0;
    return since_ns(c->progress_at_ms, now_ns) +
           c->options.user_timeout_ms * NS_PER_MS;
}

static void set_retransmit(struct tcp_connection *c, uint64_t now_ns)
{
    c->retransmit_at_ns =
        earlier(now_ns + rtt_timeout_ns(&c->rtt), give_up_at(c, now_ns));
}

void timers_start(struct tcp_connection *c, uint64_t now_ns)
{
    c->progress_at_ms = connection_ms(now_ns);
    c->is_persisting = false;
    c->retries = 0;
    set_retransmit(c, now_ns);
}

void timers_progress(struct tcp_connection *c, uint64_t now_ns)
{
    c->retries = 0;
    c->progress_at_ms = connection_ms(now_ns);
    c->is_persisting = false;
    c->retransmit_at_ns = 0;
    if (!seq_equal(c->snd.una, c->snd.max))
        set_retransmit(c, now_ns);
}

/* What was sent again deserves its time. */
void timers_restart(struct tcp_connection *c, uint64_t now_ns)
{
    if (!c->is_persisting)
        set_retransmit(c, now_ns);
}

void timers_delay_ack(struct tcp_connection *c, uint64_t now_ns)
{
    if (c->ack_at_ns == 0)
        c->ack_at_ns = now_ns + TCP_ACK_DELAY_NS;
}

static uint64_t persist_interval(const struct tcp_connection *c)
{
    uint64_t base_ns = larger_64(rtt_timeout_ns(&c->rtt), TCP_PERSIST_MIN_NS);
    unsigned shift = smaller(c->retries, PERSIST_SHIFT_MAX);

    return smaller_64(base_ns << shift, TCP_RTO_MAX_NS);
}

void timers_persist(struct tcp_connection *c, uint64_t now_ns)
{
    if (c->retransmit_at_ns != 0 && c->is_persisting)
        return;
    timers_start(c, now_ns);
    c->is_persisting = true;
    c->retransmit_at_ns =
        earlier(now_ns + persist_interval(c), give_up_at(c, now_ns));
}

void timers_memory(struct tcp_connection *c, uint64_t now_ns)
{
    uint64_t retry = now_ns + MEMORY_RETRY_NS;

    c->owed |= OWES_MEMORY;
    c->ack_at_ns = earlier(c->ack_at_ns, retry);
}

void timers_keep_alive(struct tcp_connection *c, uint64_t from_ns)
{
    if (c->is_orphan)
        return;
    c->keep_at_ns = 0;
    if (c->options.keep_alive && state_is_synchronised(c->state))
        c->keep_at_ns = from_ns + (uint64_t)c->options.keep_idle_s * NS_PER_S;
}

void timers_keep_idle(struct tcp_connection *c, uint64_t now_ns)
{
    timers_keep_alive(c, since_ns(c->heard_at_ms, now_ns));
}

void timers_orphan(struct tcp_connection *c, uint64_t now_ns)
{
    c->keep_at_ns = 0;
    if (c->state == TCP_FIN_WAIT_2)
        c->keep_at_ns = now_ns + (uint64_t)c->options.linger2_s * NS_PER_S;
}

static void give_up(struct tcp_connection *c)
{
    tcp_counters.aborts_on_timeout++;
    if (!state_is_synchronised(c->state))
        tcp_counters.attempt_fails++;
    connection_finish(c, c->soft_error != 0 ? c->soft_error : ETIMEDOUT);
}

static bool is_hopeless(const struct tcp_connection *c, uint64_t now_ns)
{
    uint64_t end = give_up_at(c, now_ns);
    unsigned limit = tcp_settings.retries;

    if (!state_is_synchronised(c->state)) {
        if (end != 0 && now_ns >= end)
            return true;
        limit = c->options.syn_count;
    } else if (c->is_orphan) {
        limit = TCP_ORPHAN_RETRIES;
    } else if (end != 0) {
        return now_ns >= end;
    }
    return c->retries >= limit;
}

static void retransmit_expired(struct tcp_connection *c, uint64_t now_ns)
{
    if (is_hopeless(c, now_ns)) {
        give_up(c);
        return;
    }
    /* RFC 8985 7.2: a segment that is alone has no deadline for its probe,
     * which takes the place of the first timeout. */
    if (c->retries == 0 && connection_is_tracking(c)) {
        probe_schedule(c, now_ns);
        if (c->recovery->is_probe_timer && c->recovery->deadline_ns != 0) {
            recovery_timer_expired(c, now_ns);
            return;
        }
    }
    c->retries++;
    if (c->state != TCP_SYN_SENT || c->retries > tcp_settings.syn_linear)
        rtt_back_off(&c->rtt);
    tcp_counters.timeouts++;
    set_retransmit(c, now_ns);
    if (!state_is_synchronised(c->state)) {
        connection_touch(c, OWES_SYN);
        return;
    }
    if (c->mtu_pending) {
        /* RFC 5927 7.2: no progress, so the claim may well be true. */
        c->mtu_pending = false;
        c->path_mtu = c->pending_mtu;
        c->acked_size = 0;
        tcp_counters.mtu_reductions++;
        connection_update_mss(c);
    }
    mtu_timeout(c, now_ns);
    recovery_timeout(c);
    connection_touch(c, OWES_OUTPUT);
}

static void persist_expired(struct tcp_connection *c, uint64_t now_ns)
{
    uint64_t end = give_up_at(c, now_ns);
    bool is_closed = c->snd.wnd == 0;

    /* An answered probe does not count, except for an orphan: nobody waits
     * for a peer that keeps its window shut (sockstress). */
    if (c->keep_probes >= tcp_settings.retries ||
        (c->is_orphan && c->retries >= TCP_ORPHAN_RETRIES) ||
        (is_closed && end != 0 && now_ns >= end)) {
        give_up(c);
        return;
    }
    if (c->retries < UINT8_MAX)
        c->retries++;
    if (is_closed)
        c->keep_probes++;
    c->retransmit_at_ns =
        earlier(now_ns + persist_interval(c), is_closed ? end : 0);
    connection_touch(c, OWES_PROBE);
}

static void keep_alive_expired(struct tcp_connection *c, uint64_t now_ns)
{
    uint64_t idle_ns = (uint64_t)c->options.keep_idle_s * NS_PER_S;
    uint64_t heard_ns = since_ns(c->heard_at_ms, now_ns);

    if (c->is_orphan) {
        connection_finish(c, 0);
        return;
    }
    if (!c->options.keep_alive)
        return;
    /* What is to be sent has timers of its own, which tell as much. */
    if (tcp_write_queued(c) != 0) {
        c->keep_at_ns = now_ns + idle_ns;
        c->is_keep_probing = false;
        return;
    }
    if (!c->is_keep_probing) {
        if (now_ns < heard_ns + idle_ns) {
            c->keep_at_ns = heard_ns + idle_ns;
            return;
        }
        c->keep_probes = 0;
    }
    uint64_t end = c->options.user_timeout_ms == 0
                       ? 0
                       : heard_ns + c->options.user_timeout_ms * NS_PER_MS;
    /* As on Linux (tcp(7)) a user timeout takes the place of the count. */
    if (c->keep_probes != 0 &&
        (end != 0 ? now_ns >= end : c->keep_probes >= c->options.keep_count)) {
        tcp_counters.aborts_on_timeout++;
        connection_abort(c, c->soft_error != 0 ? c->soft_error : ETIMEDOUT);
        return;
    }
    c->is_keep_probing = true;
    if (c->keep_probes < UINT8_MAX)
        c->keep_probes++;
    c->keep_at_ns = now_ns + (uint64_t)c->options.keep_interval_s * NS_PER_S;
    connection_touch(c, OWES_KEEP);
}

static void ack_expired(struct tcp_connection *c, uint64_t now_ns)
{
    c->ack_at_ns = 0;
    if ((c->owed & OWES_MEMORY) != 0) {
        if (send_memory_is_short()) {
            c->ack_at_ns = now_ns + MEMORY_RETRY_NS;
        } else {
            c->owed &= (uint8_t)~OWES_MEMORY;
            if ((tcp_ready(c) & TCP_WRITABLE) != 0)
                connection_notify(c, TCP_WRITABLE);
        }
        connection_touch(c, OWES_OUTPUT);
    }
    if (!seq_equal(c->rcv.last_ack, c->rcv.nxt))
        tcp_counters.delayed_acks++;
    else if ((c->owed & OWES_ACK) == 0)
        return;
    connection_touch(c, OWES_ACK);
}

void connection_timer_expired(struct timer *timer, uint64_t now_ns)
{
    struct tcp_connection *c =
        container_of(timer, struct tcp_connection, timer);

    turn_steps = 0;
    if (c->ack_at_ns != 0 && c->ack_at_ns <= now_ns)
        ack_expired(c, now_ns);
    if (c->recovery != NULL && c->recovery->deadline_ns != 0 &&
        c->recovery->deadline_ns <= now_ns)
        recovery_timer_expired(c, now_ns);
    if (c->retransmit_at_ns != 0 && c->retransmit_at_ns <= now_ns) {
        if (c->is_persisting)
            persist_expired(c, now_ns);
        else
            retransmit_expired(c, now_ns);
    }
    if (c->keep_at_ns != 0 && c->keep_at_ns <= now_ns) {
        c->keep_at_ns = 0;
        keep_alive_expired(c, now_ns);
    }
    connection_turn_end(c);
    timers_update(c);
}
