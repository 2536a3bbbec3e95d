/* SPDX-License-Identifier: MIT */
/*
 * The five hooks of a packet's way, as netfilter names them. One function hangs
 * on a hook (the firewall's goes through its chains by their priorities) and
 * returns a verdict, and ip/ acts on it. With nothing registered a hook costs
 * one comparison, and nothing but its empty table is linked.
 *
 * What ip/ owes a hook. The packet's data stands at its IP header, whose
 * checksum is right; the transport header, as far as there is one, is linear.
 * The packet is whole: ip/ puts fragments together before PREROUTING, and cuts
 * after POSTROUTING, while filter_is_used(FILTER_PREROUTING). `packet->netif`
 * is the interface it came in by, at every hook, and NULL if it was made here;
 * the one it leaves by is given. Between PREROUTING and INPUT or POSTROUTING
 * nothing else that the hooks may see is worked on, but for an answer about
 * this packet after which it is dropped.
 *
 * What a hook may do. It may change addresses, ports and whatever depends on
 * them, but not lengths: PREROUTING and OUTPUT the destination (ip/ routes
 * afterwards, or once more), INPUT and POSTROUTING the source.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/packet.h"

enum filter_hook {
    FILTER_PREROUTING,
    FILTER_INPUT,
    FILTER_FORWARD,
    FILTER_OUTPUT,
    FILTER_POSTROUTING,
    FILTER_HOOK_COUNT,
};

/* Linux's numbers, which rule files name. */
enum filter_priority {
    FILTER_PRIORITY_RAW = -300,
    FILTER_PRIORITY_TRACK = -200,
    FILTER_PRIORITY_MANGLE = -150,
    FILTER_PRIORITY_DESTINATION = -100,
    FILTER_PRIORITY_FILTER = 0,
    FILTER_PRIORITY_SECURITY = 50,
    FILTER_PRIORITY_SOURCE = 100,
    FILTER_PRIORITY_CONFIRM = INT32_MAX,
};

enum filter_verdict {
    FILTER_ACCEPT,
    FILTER_DROP,
    /* Drop, and tell the sender: so. ICMP about the packet, but for the
     * last, which is a TCP segment (RFC 9293 3.10.7.1). */
    FILTER_REJECT_NET_UNREACHABLE,
    FILTER_REJECT_HOST_UNREACHABLE,
    FILTER_REJECT_PROTOCOL_UNREACHABLE,
    FILTER_REJECT_PORT_UNREACHABLE,
    FILTER_REJECT_NET_PROHIBITED,
    FILTER_REJECT_HOST_PROHIBITED,
    FILTER_REJECT_ADMIN_PROHIBITED,
    FILTER_REJECT_TCP_RESET,
    FILTER_VERDICT_COUNT,
};

struct filter_context {
    enum filter_hook hook;
    const struct netif *out; /* FORWARD, OUTPUT, POSTROUTING; else NULL */
    uint64_t now_ns;
};

/* May change the packet, and only borrows it. */
typedef enum filter_verdict filter_function(struct packet *packet,
                                            const struct filter_context *at);

/* Hangs a function on a hook, in the place of the one before it. */
void filter_register(enum filter_hook hook, filter_function *function);

/* Those on the hooks have nothing to do there for a while. */
void filter_suspend(bool is_suspended);

/* Takes every function off its hook. */
void filter_clear(void);

/* The way to the functions of a hook, NULL without any: so that who registers
 * none links none of it. */
extern filter_function *filter_runners[FILTER_HOOK_COUNT];

/* Packets of known flows through several hooks at once, as far as these have
 * nothing else to say; NULL: each has to be run. False: nothing was done, and
 * the hooks are to be run. */
struct filter_express {
    bool (*enter)(struct packet *packet, uint64_t now_ns); /* PREROUTING */
    /* FORWARD, unless that is done, and POSTROUTING. */
    bool (*cross)(struct packet *packet, bool is_forwarded);
};

extern const struct filter_express *filter_express;

static inline bool filter_is_used(enum filter_hook hook)
{
    return filter_runners[hook] != NULL;
}

static inline enum filter_verdict filter_run(enum filter_hook hook,
                                             struct packet *packet,
                                             const struct netif *out,
                                             uint64_t now_ns)
{
    struct filter_context at = {hook, out, now_ns};

    if (!filter_is_used(hook))
        return FILTER_ACCEPT;
    return filter_runners[hook](packet, &at);
}

/* Of packet->flow_state: as `ct direction` has it, and, before OUTPUT alone,
 * that the packet speaks of one that is on its way through the hooks. */
enum {
    FILTER_ANSWERS = 1 << 4,
    FILTER_IS_REPLY = 1 << 7,
};

/* An error or a reset about that packet: it belongs to the same flow, the other
 * way round, though that may be in no table yet. */
static inline void filter_attach(struct packet *answer,
                                 const struct packet *packet)
{
    if (packet->flow == NULL)
        return;
    answer->flow = packet->flow;
    answer->flow_state =
        (uint8_t)(FILTER_ANSWERS | (~packet->flow_state & FILTER_IS_REPLY));
}

static inline bool filter_is_reject(enum filter_verdict verdict)
{
    return verdict >= FILTER_REJECT_NET_UNREACHABLE;
}
