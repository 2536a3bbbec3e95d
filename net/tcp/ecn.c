/* SPDX-License-Identifier: MIT */
/*
 * Explicit congestion notification (RFC 3168 6.1): what is agreed in the
 * handshake, the echo of marks towards the sender, and the sender's answer,
 * once per window. Accurate ECN (RFC 9768) is left out: a SYN that offers it
 * gets the classic kind.
 */
#include "net/tcp/internal.h"

enum {
    ECN_CAPABLE_0 = 2,
    ECN_MARKED = 3,
};

static bool is_marked(const struct tcp_segment *segment)
{
    return (segment->ecn & ECN_MASK) == ECN_MARKED;
}

uint8_t ecn_syn_flags(struct tcp_connection *c, bool is_again)
{
    if (c->state == TCP_SYN_RECEIVED) /* both opened at once */
        return c->has_ecn ? TCP_ECE : 0;
    /* 6.1.1.1: without, the second time, should the first have been lost
     * for it. */
    c->ecn_asked = tcp_settings.ecn == 1 && !is_again;
    return c->ecn_asked ? TCP_ECE | TCP_CWR : 0;
}

void ecn_answered(struct tcp_connection *c, const struct tcp_segment *segment)
{
    uint8_t both = TCP_ECE | TCP_CWR;
    uint8_t granted = (segment->flags & TCP_ACK) != 0 ? TCP_ECE : both;

    c->has_ecn = c->ecn_asked && (segment->ecn & both) == granted;
}

void ecn_receive(struct tcp_connection *c, const struct tcp_segment *segment)
{
    if (!c->has_ecn)
        return;
    /* 6.1.3. Its window may be one segment now: it should not wait. What comes
     * too early never does. */
    if ((segment->ecn & TCP_CWR) != 0) {
        c->ecn_echo = false;
        if (segment->length != 0 && seq_equal(segment->seq, c->rcv.nxt))
            connection_touch(c, OWES_ACK);
    }
    if (is_marked(segment)) {
        tcp_counters.ecn_marks++;
        c->ecn_echo = true;
    }
}

void ecn_acknowledged(struct tcp_connection *c,
                      const struct tcp_segment *segment)
{
    struct tcp_congestion *congestion = &c->congestion;
    uint32_t flight = connection_flight(c);

    /* Beyond its end: CWR, with the first data after it, has arrived. */
    if (c->ecn_reduced && seq_after(segment->ack, c->ecn_end))
        c->ecn_reduced = false;
    c->ecn_heard = c->has_ecn && (segment->ecn & TCP_ECE) != 0;
    if (!c->ecn_heard || c->ecn_reduced)
        return;
    c->ecn_reduced = true;
    c->ecn_cwr_owed = true;
    c->ecn_end = c->snd.max;
    /* 6.1.2: a loss in this window has been answered already. */
    if (congestion->is_recovering || c->rtt.backoff != 0)
        return;
    tcp_counters.ecn_reductions++;
    recovery_reduce(c, TCP_SIGNAL_ECN, flight);
    if (congestion->cwnd > congestion->ssthresh)
        congestion->cwnd = congestion->ssthresh;
}

uint8_t ecn_stamp(struct tcp_connection *c, bool is_new_data, uint8_t *flags)
{
    uint8_t tos = c->options.tos & (uint8_t)~ECN_MASK;

    if (!c->has_ecn || (*flags & (TCP_SYN | TCP_RST)) != 0)
        return tos;
    if (c->ecn_echo && (*flags & TCP_ACK) != 0)
        *flags |= TCP_ECE;
    /* 6.1.4 to 6.1.6: neither pure ACKs nor what is sent again, nor window
     * probes. */
    if (!is_new_data || c->snd.wnd == 0)
        return tos;
    if (c->ecn_cwr_owed)
        *flags |= TCP_CWR;
    c->ecn_cwr_owed = false;
    return tos | ECN_CAPABLE_0;
}
