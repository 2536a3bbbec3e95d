/* SPDX-License-Identifier: MIT */
/*
 * Paths that swallow large packets without a word (RFC 4821, RFC 8899's
 * elder): repeated timeouts of full segments make them smaller, and when data
 * flows again a larger one is tried now and then, by halving the interval. A
 * probe is ordinary data, so a lost one costs what any loss costs; 7.6.2's
 * exemption from congestion control is not made use of.
 */
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"
#include "net/wire/ipv4.h"

static uint32_t current_mtu(const struct tcp_connection *c)
{
    return c->path_mtu == 0 ? c->hop.mtu : smaller(c->path_mtu, c->hop.mtu);
}

/* The largest packet worth trying. */
static uint32_t largest_mtu(const struct tcp_connection *c)
{
    uint32_t mss = c->peer_mss;

    if (c->options.maximum_segment != 0)
        mss = smaller(mss, c->options.maximum_segment);
    return smaller(c->hop.mtu, mss + IPV4_HEADER_LENGTH + TCP_HEADER_LENGTH);
}

static void set_mtu(struct tcp_connection *c, uint32_t mtu)
{
    c->path_mtu = (uint16_t)mtu;
    connection_update_mss(c);
}

void mtu_start(struct tcp_connection *c, uint64_t now_ns)
{
    if (tcp_settings.mtu_probing != 2)
        return;
    struct tcp_seldom *seldom = seldom_get(c);
    if (seldom == NULL)
        return; /* as if it were off */
    seldom->mtu.high = (uint16_t)largest_mtu(c);
    seldom->mtu.not_before_s = (uint32_t)(now_ns / NS_PER_S);
    if (current_mtu(c) > TCP_MTU_BASE)
        set_mtu(c, TCP_MTU_BASE);
}

void mtu_timeout(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t mtu = TCP_MTU_BASE;

    if (c->seldom != NULL)
        c->seldom->mtu.probe = 0;
    if (tcp_settings.mtu_probing == 0 || c->retries < TCP_MTU_TIMEOUTS)
        return;
    /* What is small anyway was not lost for its size. */
    if ((uint32_t)seq_diff(c->snd.max, c->snd.una) < c->snd.mss)
        return;
    if (current_mtu(c) <= mtu)
        mtu = TCP_PATH_MTU_FLOOR;
    if (current_mtu(c) <= mtu)
        return;
    tcp_counters.mtu_black_holes++;
    struct tcp_seldom *seldom = seldom_get(c);
    if (seldom != NULL) {
        seldom->mtu.high = (uint16_t)smaller(largest_mtu(c), current_mtu(c));
        seldom->mtu.not_before_s =
            (uint32_t)(now_ns / NS_PER_S) + TCP_MTU_PROBE_DELAY_S;
    }
    c->acked_size = 0;
    set_mtu(c, mtu);
}

uint32_t mtu_probe_length(const struct tcp_connection *c, uint32_t waiting,
                          uint64_t now_ns)
{
    const struct tcp_mtu_search *search = &c->seldom->mtu;
    uint32_t low = current_mtu(c);

    if (search->high <= low || search->probe != 0 ||
        (int32_t)((uint32_t)(now_ns / NS_PER_S) - search->not_before_s) < 0 ||
        c->congestion.is_recovering || !seq_equal(c->snd.nxt, c->snd.max))
        return 0;
    /* The largest first: most often all is well. */
    uint32_t mtu =
        search->has_failed ? (low + search->high + 1) / 2 : search->high;
    uint32_t length = c->snd.mss + (mtu - low);
    uint32_t flight = connection_flight(c);
    if (waiting < length + TCP_DUPLICATE_ACKS * c->snd.mss ||
        c->congestion.cwnd < TCP_MTU_PROBE_WINDOW * c->snd.mss ||
        recovery_room(c) < length || c->snd.wnd < flight ||
        c->snd.wnd - flight < length)
        return 0;
    return length;
}

void mtu_probe_sent(struct tcp_connection *c, uint32_t length)
{
    struct tcp_mtu_search *search = &c->seldom->mtu;

    search->probe = (uint16_t)(current_mtu(c) + (length - c->snd.mss));
    search->probe_end = c->snd.nxt;
    search->retransmits = c->retransmits;
    tcp_counters.mtu_probes++;
}

/* Ends the search, or goes on with it. */
static void narrow(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_mtu_search *search = &c->seldom->mtu;
    uint32_t now_s = (uint32_t)(now_ns / NS_PER_S);

    search->probe = 0;
    search->not_before_s = now_s;
    if (search->high < current_mtu(c) + TCP_MTU_PROBE_STEP) {
        /* RFC 4821 7.6: the path may change. */
        search->high = (uint16_t)largest_mtu(c);
        search->not_before_s = now_s + TCP_MTU_PROBE_INTERVAL_S;
        search->has_failed = false;
    }
}

void mtu_acknowledged(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_mtu_search *search = &c->seldom->mtu;

    if (search->probe == 0 || seq_before(c->snd.una, search->probe_end))
        return;
    if (c->retransmits == search->retransmits) {
        tcp_counters.mtu_raises++;
        set_mtu(c, search->probe);
    } else {
        search->high = search->probe - 1;
        search->has_failed = true;
    }
    narrow(c, now_ns);
}

bool mtu_probe_refused(struct tcp_connection *c, uint32_t mtu)
{
    struct tcp_mtu_search *search = c->seldom == NULL ? NULL : &c->seldom->mtu;

    if (search == NULL || search->probe == 0 || mtu < current_mtu(c) ||
        mtu >= search->probe)
        return false;
    search->probe = 0;
    search->high = (uint16_t)mtu;
    return true;
}
