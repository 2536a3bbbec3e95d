/* SPDX-License-Identifier: MIT */
/*
 * Connections in SYN-RECEIVED that a listener waits for: small objects, so
 * that a flood of SYNs costs little. Each stands in the queue of its number
 * of retransmissions, where all wait equally long; when objects run out, the
 * oldest goes: an honest peer answers within a round trip. Past a threshold
 * nothing is kept at all, and the SYN-ACK carries a cookie (RFC 4987).
 */
#include "net/tcp/cookie.h"
#include "net/tcp/listen.h"

#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/wire/ipv4.h"

struct half_open {
    struct tcp_node node; /* value: the peer's MSS */
    struct tcp_listener *listener;
    struct half_open *next;
    struct half_open *previous;
    struct seq32 iss;
    struct seq32 irs;
    uint32_t ts_recent;
    uint32_t expires_ms;
    uint8_t window_scale;
    uint8_t retries;
};

_Static_assert(sizeof(struct half_open) <= 96, "a SYN costs no more");

enum {
    HAS_TIMESTAMPS = 1 << 0,
    HAS_WINDOW_SCALE = 1 << 1,
    HAS_SACK = 1 << 2,
    IS_COOKIE = 1 << 3,   /* not an object of the pool */
    IS_DEFERRED = 1 << 4, /* acknowledged, but data is waited for */
    QUEUES = TCP_SYN_ACK_RETRIES + 1,
};

struct queue {
    struct half_open *first;
    struct half_open *last;
};

static struct {
    struct pool objects;
    struct queue queues[QUEUES]; /* by retries */
    size_t count;
    struct timer timer;
} pool;

static uint32_t milliseconds(uint64_t now_ns)
{
    return (uint32_t)(now_ns / NS_PER_MS);
}

static uint32_t wait_ms(unsigned retries)
{
    return (uint32_t)(TCP_SYN_ACK_RTO_NS / NS_PER_MS) << retries;
}

size_t half_open_count(void)
{
    return pool.count;
}

static void queue_append(struct half_open *h)
{
    struct queue *queue = &pool.queues[h->retries];

    h->next = NULL;
    h->previous = queue->last;
    if (queue->last == NULL)
        queue->first = h;
    else
        queue->last->next = h;
    queue->last = h;
}

static void queue_remove(struct half_open *h)
{
    struct queue *queue = &pool.queues[h->retries];

    if (h->previous == NULL)
        queue->first = h->next;
    else
        h->previous->next = h->next;
    if (h->next == NULL)
        queue->last = h->previous;
    else
        h->next->previous = h->previous;
}

static void half_open_remove(struct half_open *h)
{
    queue_remove(h);
    table_remove(&h->node);
    h->listener->half_open_count--;
    pool_give(&pool.objects, h);
    pool.count--;
    tcp_counters.states[TCP_SYN_RECEIVED]--;
}

static uint16_t offered_window(const struct half_open *h)
{
    uint32_t buffer = h->listener->options.receive_buffer;

    return (uint16_t)(buffer < TCP_WINDOW_MAX ? buffer : TCP_WINDOW_MAX);
}

static uint32_t timestamp_of(const struct half_open *h, uint64_t now_ns)
{
    return milliseconds(now_ns) + identity_timestamp_offset(&h->node.tuple);
}

static void owe_stamped(const struct half_open *h, uint8_t flags,
                        uint32_t timestamp)
{
    bool is_syn = (flags & TCP_SYN) != 0;
    struct tcp_reply reply = {
        .tuple = h->node.tuple,
        .seq = is_syn ? h->iss : seq_add(h->iss, 1),
        .ack = seq_add(h->irs, 1),
        .window = offered_window(h),
        .flags = flags,
        .ttl = h->listener->options.ttl,
        .tos = h->listener->options.tos,
    };
    struct ip_route route;

    if (is_syn) {
        if (ip_route_lookup(&reply.tuple.remote, &reply.tuple.local, &route) !=
            0)
            return;
        reply.options.mss = (uint16_t)(route.netif->mtu - IPV4_HEADER_LENGTH -
                                       TCP_HEADER_LENGTH);
        reply.options.has_window_scale =
            (h->node.flags & HAS_WINDOW_SCALE) != 0;
        reply.options.window_scale = TCP_WINDOW_SCALE;
        reply.options.has_sack_permitted = (h->node.flags & HAS_SACK) != 0;
    } else if ((h->node.flags & HAS_WINDOW_SCALE) != 0) {
        reply.window >>= TCP_WINDOW_SCALE;
    }
    reply.options.has_timestamp = (h->node.flags & HAS_TIMESTAMPS) != 0;
    reply.options.timestamp = timestamp;
    reply.options.timestamp_echo = h->ts_recent;
    reply_queue(&reply);
}

static void owe_segment(const struct half_open *h, uint8_t flags,
                        uint64_t now_ns)
{
    bool has_timestamps = (h->node.flags & HAS_TIMESTAMPS) != 0;

    owe_stamped(h, flags, has_timestamps ? timestamp_of(h, now_ns) : 0);
}

static void set_timer(uint64_t now_ns)
{
    int32_t least = INT32_MAX;

    for (size_t i = 0; i < QUEUES; i++) {
        const struct half_open *first = pool.queues[i].first;
        if (first == NULL)
            continue;
        int32_t left = (int32_t)(first->expires_ms - milliseconds(now_ns));
        least = left < least ? left : least;
    }
    if (least != INT32_MAX)
        timer_set(&pool.timer,
                  now_ns + (least > 0 ? (uint64_t)least : 0) * NS_PER_MS +
                      NS_PER_MS);
}

static void expire_one(struct half_open *h, uint64_t now_ns)
{
    bool is_deferred = (h->node.flags & IS_DEFERRED) != 0;
    uint8_t defer = h->listener->options.defer_accept;
    uint8_t limit = tcp_settings.syn_ack_retries;

    if (is_deferred && limit < defer)
        limit = defer;
    if (h->retries >= limit) {
        tcp_counters.attempt_fails++;
        half_open_remove(h);
        return;
    }
    queue_remove(h);
    h->retries++;
    h->expires_ms = milliseconds(now_ns) + wait_ms(h->retries);
    queue_append(h);
    /* One that is deferred is asked once more, at the end of its time: the
     * answer completes it. */
    if (is_deferred && h->retries < defer)
        return;
    tcp_counters.syn_ack_retransmits++;
    tcp_counters.retransmitted_segments++;
    owe_segment(h, TCP_SYN | TCP_ACK, now_ns);
}

static void expire(struct timer *timer, uint64_t now_ns)
{
    /* A reply queue's worth at a time; the rest is due at once again. */
    unsigned work = TCP_REPLIES_MAX / 2;

    (void)timer;
    for (size_t i = QUEUES; i > 0; i--) {
        struct half_open *h = pool.queues[i - 1].first;
        while (work > 0 && h != NULL &&
               (int32_t)(h->expires_ms - milliseconds(now_ns)) <= 0) {
            expire_one(h, now_ns);
            work--;
            h = pool.queues[i - 1].first;
        }
    }
    set_timer(now_ns);
}

int half_open_init(size_t count)
{
    pool.timer.expire = expire;
    return pool_init(&pool.objects, count, sizeof(struct half_open),
                     _Alignof(struct half_open));
}

static void evict_oldest(void)
{
    for (size_t i = QUEUES; i > 0; i--) {
        if (pool.queues[i - 1].first != NULL) {
            tcp_counters.syn_evictions++;
            half_open_remove(pool.queues[i - 1].first);
            return;
        }
    }
}

/* What the SYN says, as far as we take part in it. */
static void read_syn(struct half_open *h, struct tcp_listener *listener,
                     const struct tcp_tuple *tuple,
                     const struct tcp_segment *segment)
{
    const struct tcp_header_options *options = &segment->options;

    *h = (struct half_open){
        .node = {.kind = TCP_NODE_HALF_OPEN,
                 .tuple = *tuple,
                 .value = options->mss},
        .listener = listener,
        .irs = segment->seq,
        .ts_recent = options->timestamp,
        .window_scale = options->window_scale,
    };
    if (options->has_timestamp && tcp_settings.timestamps)
        h->node.flags |= HAS_TIMESTAMPS;
    if (options->has_window_scale && tcp_settings.window_scaling)
        h->node.flags |= HAS_WINDOW_SCALE;
    if (options->has_sack_permitted && tcp_settings.sack)
        h->node.flags |= HAS_SACK;
}

void half_open_create(struct tcp_listener *listener,
                      const struct tcp_tuple *tuple,
                      const struct tcp_segment *segment, struct seq32 iss,
                      uint64_t now_ns)
{
    if (pool.objects.available == 0)
        evict_oldest();
    struct half_open *h = pool_take(&pool.objects);
    ASSERT(h != NULL);
    read_syn(h, listener, tuple, segment);
    h->iss = iss;
    h->expires_ms = milliseconds(now_ns) + wait_ms(0);
    table_insert(&h->node);
    queue_append(h);
    pool.count++;
    listener->half_open_count++;
    tcp_counters.states[TCP_SYN_RECEIVED]++;
    if (!timer_is_set(&pool.timer))
        set_timer(now_ns);
    owe_segment(h, TCP_SYN | TCP_ACK, now_ns);
}

void half_open_forget(const struct tcp_listener *listener)
{
    for (size_t i = 0; i < QUEUES; i++) {
        struct half_open *h = pool.queues[i].first;
        while (h != NULL) {
            struct half_open *next = h->next;
            if (h->listener == listener)
                half_open_remove(h);
            h = next;
        }
    }
}

/* The handshake is complete: a whole connection takes its place. NULL when
 * there is none. */
static struct tcp_connection *complete(struct half_open *h,
                                       const struct tcp_segment *segment,
                                       uint64_t now_ns)
{
    struct half_open copy = *h;
    bool is_cookie = (h->node.flags & IS_COOKIE) != 0;
    bool is_deferred = (h->node.flags & IS_DEFERRED) != 0;
    const struct tcp_header_options options = {
        .timestamp = h->ts_recent,
        .mss = h->node.value,
        .window_scale = h->window_scale,
        .has_window_scale = (h->node.flags & HAS_WINDOW_SCALE) != 0,
        .has_timestamp = (h->node.flags & HAS_TIMESTAMPS) != 0,
        .has_sack_permitted = (h->node.flags & HAS_SACK) != 0,
    };
    struct ip_route route;

    if (ip_route_lookup(&h->node.tuple.remote, &h->node.tuple.local, &route) !=
            0 ||
        !connection_is_available())
        return NULL;
    if (!is_cookie)
        half_open_remove(h);
    struct tcp_connection *c = connection_create(
        &copy.node.tuple, &route, &copy.listener->options, now_ns);
    c->iss = copy.iss;
    c->irs = copy.irs;
    c->ts_offset = identity_timestamp_offset(&copy.node.tuple);
    send_queue_init(&c->send, seq_add(c->iss, 1));
    c->rcv.nxt = seq_add(c->irs, 1);
    c->rcv.edge = seq_add(c->rcv.nxt, offered_window(&copy));
    c->rcv.last_ack = c->rcv.nxt;
    connection_negotiate(c, &options, now_ns);
    c->retries = is_deferred ? 0 : copy.retries; /* none was lost */
    if (copy.retries == 0 && !is_cookie && !is_deferred) {
        uint32_t sent_ms = copy.expires_ms - wait_ms(0);
        c->rtt_timing = true;
        c->rtt_at_ns = now_ns - (milliseconds(now_ns) - sent_ms) * NS_PER_MS;
    }
    connection_establish(c, segment, now_ns);
    tcp_counters.passive_opens++;
    return c;
}

/* The checks of RFC 9293 3.10.7.4 for SYN-RECEIVED. */
static bool passes_checks(struct half_open *h,
                          const struct tcp_segment *segment, uint64_t now_ns)
{
    int32_t from = seq_diff(segment->seq, seq_add(h->irs, 1));
    int32_t to = from + (int32_t)segment_space(segment);

    if ((segment->flags & TCP_RST) != 0) {
        if (from == 0) {
            tcp_counters.attempt_fails++;
            half_open_remove(h);
        } else if (from > 0 && from < offered_window(h)) {
            owe_segment(h, TCP_ACK, now_ns); /* RFC 5961 3.2 */
        }
        return false;
    }
    if ((segment->flags & TCP_SYN) != 0) {
        bool is_again =
            seq_equal(segment->seq, h->irs) && (segment->flags & TCP_ACK) == 0;
        owe_segment(h, is_again ? TCP_SYN | TCP_ACK : TCP_ACK, now_ns);
        return false;
    }
    if ((h->node.flags & HAS_TIMESTAMPS) != 0) {
        if (!segment->options.has_timestamp)
            return false;
        if ((int32_t)(segment->options.timestamp - h->ts_recent) < 0) {
            tcp_counters.paws_drops++;
            owe_segment(h, TCP_ACK, now_ns);
            return false;
        }
    }
    if ((from < 0 && to <= 0) || from > offered_window(h)) {
        owe_segment(h, TCP_ACK, now_ns);
        return false;
    }
    if ((segment->flags & TCP_ACK) == 0)
        return false;
    if (!seq_equal(segment->ack, seq_add(h->iss, 1))) {
        reply_reset(&h->node.tuple, segment);
        return false;
    }
    return true;
}

/* Into the accept queue with it, if there is room. */
static void offer(struct half_open *h, struct packet *packet,
                  struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_listener *listener = h->listener;

    if (!listener_has_room(listener)) {
        packet_drop(packet, DROP_TCP_BACKLOG);
        return;
    }
    struct tcp_connection *c = complete(h, segment, now_ns);
    if (c == NULL) {
        packet_drop(packet, DROP_NO_MEMORY);
        return;
    }
    listener_offer(listener, c);
    connection_receive(c, packet, segment, now_ns);
}

void half_open_receive(struct tcp_node *node, struct packet *packet,
                       struct tcp_segment *segment, uint64_t now_ns)
{
    struct half_open *h = container_of(node, struct half_open, node);

    if (!passes_checks(h, segment, now_ns)) {
        packet_drop(packet, DROP_TCP_SYN);
        return;
    }
    if (segment_space(segment) == 0 &&
        h->retries < h->listener->options.defer_accept) {
        h->node.flags |= IS_DEFERRED;
        packet_free(packet);
        return;
    }
    offer(h, packet, segment, now_ns);
}

/* ---- cookies ------------------------------------------------------------- */

bool half_open_wants_cookie(const struct tcp_listener *listener)
{
    uint32_t limit = listener->backlog;

    if (tcp_settings.syncookies != 1)
        return tcp_settings.syncookies != 0;
    if (limit < TCP_SYN_QUEUE_MIN)
        limit = TCP_SYN_QUEUE_MIN;
    return listener->half_open_count >= limit ||
           pool.objects.available <=
               pool.objects.count / TCP_SYN_RESERVE_DIVISOR;
}

void half_open_send_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple,
                           const struct tcp_segment *segment, uint64_t now_ns)
{
    struct half_open h;

    read_syn(&h, listener, tuple, segment);
    struct tcp_cookie cookie = {
        .mss = h.node.value,
        .window_scale = h.window_scale,
        .has_window_scale = (h.node.flags & HAS_WINDOW_SCALE) != 0,
        .has_sack = (h.node.flags & HAS_SACK) != 0,
        .has_timestamp = (h.node.flags & HAS_TIMESTAMPS) != 0,
    };
    h.iss = cookie_make(tuple, h.irs, &cookie, now_ns);
    if (cookie.has_timestamp) {
        owe_stamped(&h, TCP_SYN | TCP_ACK,
                    cookie_timestamp(&cookie, timestamp_of(&h, now_ns)));
    } else {
        h.node.flags = 0;
        owe_stamped(&h, TCP_SYN | TCP_ACK, 0);
    }
    listener->cookies_until_ns = now_ns + 2 * TCP_COOKIE_EPOCH_NS;
    tcp_counters.syncookies_sent++;
}

bool half_open_take_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple, struct packet *packet,
                           struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_cookie cookie = {.has_timestamp =
                                    segment->options.has_timestamp &&
                                    tcp_settings.timestamps};

    if ((segment->flags & (TCP_SYN | TCP_RST)) != 0 ||
        now_ns >= listener->cookies_until_ns)
        return false;
    if (!cookie_check(tuple, seq_subtract(segment->seq, 1),
                      seq_subtract(segment->ack, 1),
                      segment->options.timestamp_echo, &cookie, now_ns)) {
        tcp_counters.syncookies_failed++;
        return false;
    }
    tcp_counters.syncookies_received++;
    struct half_open h = {
        .node = {.tuple = *tuple, .flags = IS_COOKIE, .value = cookie.mss},
        .listener = listener,
        .iss = seq_subtract(segment->ack, 1),
        .irs = seq_subtract(segment->seq, 1),
        .ts_recent = segment->options.timestamp,
        .window_scale = cookie.window_scale,
    };
    h.node.flags |= (uint8_t)((cookie.has_timestamp ? HAS_TIMESTAMPS : 0) |
                              (cookie.has_window_scale ? HAS_WINDOW_SCALE : 0) |
                              (cookie.has_sack ? HAS_SACK : 0));
    offer(&h, packet, segment, now_ns);
    return true;
}
