/* SPDX-License-Identifier: MIT */
/*
 * Connections in SYN-RECEIVED that a listener waits for: small objects, so
 * that a flood of SYNs costs little. Each stands in the queue of its number
 * of retransmissions, where all wait equally long; when objects run out, the
 * oldest goes: an honest peer answers within a round trip. Past a threshold
 * nothing is kept at all, and the SYN-ACK carries a cookie (RFC 4987).
 */
#include "net/tcp/half_open.h"

#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"

enum {
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

void half_open_free(struct half_open *h)
{
    queue_remove(h);
    h->listener->half_open_count--;
    pool_give(&pool.objects, h);
    pool.count--;
    tcp_counters.states[TCP_SYN_RECEIVED]--;
}

static void half_open_remove(struct half_open *h)
{
    table_remove(&h->node);
    half_open_free(h);
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
    h->expires_ms = milliseconds(now_ns) + half_open_wait_ms(h->retries);
    queue_append(h);
    /* One that is deferred is asked once more, at the end of its time: the
     * answer completes it. */
    if (is_deferred && h->retries < defer)
        return;
    tcp_counters.syn_ack_retransmits++;
    tcp_counters.retransmitted_segments++;
    half_open_owe(h, TCP_SYN | TCP_ACK, NULL, now_ns);
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

struct half_open *half_open_create(struct tcp_listener *listener,
                                   const struct tcp_tuple *tuple,
                                   const struct tcp_segment *segment,
                                   struct tcp_identity identity,
                                   uint64_t now_ns)
{
    if (pool.objects.available == 0)
        evict_oldest();
    struct half_open *h = pool_take(&pool.objects);
    ASSERT(h != NULL);
    half_open_read_syn(h, listener, tuple, segment);
    h->iss = identity.sequence;
    h->timestamp_offset = identity.timestamp_offset;
    h->expires_ms = milliseconds(now_ns) + half_open_wait_ms(0);
    table_insert(&h->node);
    queue_append(h);
    pool.count++;
    listener->half_open_count++;
    tcp_counters.states[TCP_SYN_RECEIVED]++;
    if (!timer_is_set(&pool.timer))
        set_timer(now_ns);
    return h;
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

/* The checks of RFC 9293 3.10.7.4 for SYN-RECEIVED. */
static bool passes_checks(struct half_open *h,
                          const struct tcp_segment *segment, uint64_t now_ns)
{
    struct seq32 end = seq_add(segment->seq, segment_space(segment));
    int32_t from = seq_diff(segment->seq, seq_add(h->irs, 1));
    int32_t to = seq_diff(end, seq_add(h->irs, 1));

    if ((segment->flags & TCP_RST) != 0) {
        if (from == 0) {
            tcp_counters.attempt_fails++;
            half_open_remove(h);
        } else if (from > 0 && from < listener_window(h->listener)) {
            half_open_owe(h, TCP_ACK, NULL, now_ns); /* RFC 5961 3.2 */
        }
        return false;
    }
    if ((segment->flags & TCP_SYN) != 0) {
        bool is_again =
            seq_equal(segment->seq, h->irs) && (segment->flags & TCP_ACK) == 0;
        if (is_again && !ecn_is_asked(segment))
            h->node.flags &= (uint8_t)~HAS_ECN; /* RFC 3168 6.1.1.1 */
        half_open_owe(h, is_again ? TCP_SYN | TCP_ACK : TCP_ACK, NULL, now_ns);
        return false;
    }
    if ((h->node.flags & HAS_TIMESTAMPS) != 0) {
        if (!segment->options.has_timestamp)
            return false;
        if ((int32_t)(segment->options.timestamp - h->ts_recent) < 0) {
            tcp_counters.paws_drops++;
            half_open_owe(h, TCP_ACK, NULL, now_ns);
            return false;
        }
    }
    if ((from < 0 && to <= 0) || from > listener_window(h->listener)) {
        half_open_owe(h, TCP_ACK, NULL, now_ns);
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
    half_open_offer(h, packet, segment, now_ns);
}

/* As on Linux: who cannot be reached is not waited for. Nobody is told: it is
 * no error of accept(). */
bool half_open_error(struct tcp_node *node, enum ip_error error,
                     struct seq32 seq)
{
    struct half_open *h = container_of(node, struct half_open, node);

    if (!seq_equal(seq, h->iss) ||
        (error != IP_ERROR_NET_UNREACHABLE &&
         error != IP_ERROR_HOST_UNREACHABLE && error != IP_ERROR_TIME_EXCEEDED))
        return false;
    tcp_counters.attempt_fails++;
    half_open_remove(h);
    return true;
}

void half_open_visit(void (*visit)(void *context,
                                   const struct tcp_status *status),
                     void *context)
{
    for (size_t i = 0; i < QUEUES; i++) {
        for (const struct half_open *h = pool.queues[i].first; h != NULL;
             h = h->next) {
            const struct tcp_tuple *tuple = &h->node.tuple;
            const struct tcp_status status = {
                .state = TCP_SYN_RECEIVED,
                .local = {tuple->local, tuple->local_port},
                .remote = {tuple->remote, tuple->remote_port},
            };
            visit(context, &status);
        }
    }
}

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
