/* SPDX-License-Identifier: MIT */
/*
 * Asking other servers (RFC 5452): each question from a socket and with a
 * number of its own, connected, so that only the server asked can answer;
 * one question under way serves all who ask the same. A truncated answer is
 * fetched again over TCP.
 */
#pragma once

#include "config.h"
#include "dns_message.h"

/* Who waits for an answer. The service's; the relay only hands it back. */
struct dns_waiter {
    struct dns_waiter *next;
};

struct dns_relay_counters {
    uint64_t asked, answered, retried, failed;
    uint64_t forged; /* answers to something else */
    uint64_t over_tcp, shared, refused;
};

extern struct dns_relay_counters dns_relay_counters;

/* An answer for all waiters, in a list; they are the callee's now. `message`
 * is NULL when nobody answered; else without OPT record, `answer` about it. */
typedef void dns_relay_done(const struct dns_question *question,
                            struct dns_waiter *waiters, const uint8_t *message,
                            const struct dns_answer *answer);

void dns_relay_start(dns_relay_done *done);

/* Asks the servers in turn. False, and the waiter stays the caller's, when
 * too many questions are under way, or no server is given. */
bool dns_relay_ask(const struct dns_question *question,
                   const struct config_server *servers, size_t count,
                   struct dns_waiter *waiter);

/* The ms until dns_relay_expire wants to be called; -1: nothing waits. */
int dns_relay_timeout_ms(void);
void dns_relay_expire(void);
