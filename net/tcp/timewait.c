/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT, as an object of 40 octets. All wait equally long, so they stand in
 * one queue by age with one timer for its head. One whose wait began anew keeps
 * its place and goes round again when it gets to the head. When all objects are
 * taken the oldest goes: better a short wait than no service.
 */
#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/tcp/internal.h"

struct time_wait {
    struct tcp_node node; /* value: expiry, in ticks */
    struct seq32 snd_nxt;
    struct seq32 rcv_nxt;
    uint32_t ts_recent;
    uint32_t next; /* index, in the queue */
};

_Static_assert(sizeof(struct time_wait) == 40, "a million take 40 MB");

enum {
    HAS_TIMESTAMPS = 1 << 0,
    IS_GONE = 1 << 1, /* not in the table; freed when it gets to the head */
};

#define TICK_NS (NS_PER_S / 16)
#define NOBODY  UINT32_MAX

static struct {
    struct pool pool;
    struct time_wait *objects; /* the pool's */
    uint32_t first;
    uint32_t last;
    size_t count; /* in the table */
    struct timer timer;
} waiting;

static uint16_t ticks(uint64_t now_ns)
{
    return (uint16_t)(now_ns / TICK_NS);
}

/* `chain`: of the table, or NULL: to be found. */
static void time_wait_free_first(struct tcp_node **chain)
{
    struct time_wait *first = &waiting.objects[waiting.first];

    if ((first->node.flags & IS_GONE) == 0) {
        if (chain != NULL)
            table_remove_from(chain, &first->node);
        else
            table_remove(&first->node);
        waiting.count--;
    }
    waiting.first = first->next;
    if (waiting.first == NOBODY)
        waiting.last = NOBODY;
    pool_give(&waiting.pool, first);
}

static void queue_append(uint32_t index)
{
    waiting.objects[index].next = NOBODY;
    if (waiting.last == NOBODY)
        waiting.first = index;
    else
        waiting.objects[waiting.last].next = index;
    waiting.last = index;
}

/* How far in the future it expires; 0 or negative: now. */
static int16_t ticks_left(const struct time_wait *object, uint64_t now_ns)
{
    return (int16_t)(uint16_t)(object->node.value - ticks(now_ns));
}

static bool is_due(const struct time_wait *object, uint64_t now_ns)
{
    return ticks_left(object, now_ns) <= 0 ||
           (object->node.flags & IS_GONE) != 0;
}

/* A few of the first ones that are due. They were put away a minute ago, and
 * so was all around them: their chains are asked for together, then what
 * begins those, and are there when they are needed. */
static size_t expire_some(uint64_t now_ns)
{
    struct tcp_node **chains[TCP_TIME_WAITS_AHEAD];
    size_t count = 0;

    for (uint32_t index = waiting.first;
         index != NOBODY && count < ARRAY_COUNT(chains); count++) {
        const struct time_wait *object = &waiting.objects[index];
        if (!is_due(object, now_ns))
            break;
        chains[count] = table_prefetch(&object->node);
        index = object->next;
    }
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(*chains[i]);
    for (size_t i = 0; i < count; i++)
        time_wait_free_first(chains[i]);
    return count;
}

/* A moment later than asked for is early enough. */
static void wait_until(uint64_t at_ns)
{
    timer_set(&waiting.timer, (at_ns | (TIMER_COARSE_NS - 1)) + 1);
}

/* A bounded number at a time; the rest is due at once again. */
static void expire(struct timer *timer, uint64_t now_ns)
{
    size_t work = 0;

    while (work < TCP_TIME_WAITS_PER_RUN) {
        size_t count = expire_some(now_ns);
        if (count < TCP_TIME_WAITS_AHEAD)
            break;
        work += count;
    }
    if (waiting.first == NOBODY)
        return;
    int16_t left = ticks_left(&waiting.objects[waiting.first], now_ns);
    if (left > 0)
        wait_until(now_ns + (uint64_t)left * TICK_NS);
    else
        timer_set(timer, now_ns + 1);
}

int time_wait_init(size_t count)
{
    int status = pool_init(&waiting.pool, count, sizeof(struct time_wait), 64);

    if (status != 0)
        return status;
    waiting.objects = (void *)waiting.pool.objects;
    waiting.first = NOBODY;
    waiting.last = NOBODY;
    waiting.timer.expire = expire;
    return 0;
}

static void start_wait(struct time_wait *object, uint64_t now_ns)
{
    object->node.value = (uint16_t)(ticks(now_ns) + TCP_TIME_WAIT_NS / TICK_NS);
    if (!timer_is_set(&waiting.timer))
        wait_until(now_ns + TCP_TIME_WAIT_NS);
}

/* With that TTL and TOS, by that way (NULL: to be found), with that offset of
 * timestamps. */
static void owe_ack(const struct time_wait *object, struct tcp_reply *reply,
                    const struct ip_hop *hop, uint32_t timestamp_offset,
                    uint64_t now_ns)
{
    const struct tcp_tuple *tuple = &object->node.tuple;

    reply->seq = object->snd_nxt;
    reply->ack = object->rcv_nxt;
    reply->window = TCP_WINDOW_MAX; /* no edge moves back; nothing comes */
    reply->flags = TCP_ACK;
    if ((object->node.flags & HAS_TIMESTAMPS) != 0) {
        reply->options.has_timestamp = true;
        reply->options.timestamp =
            (uint32_t)(now_ns / NS_PER_MS) + timestamp_offset;
        reply->options.timestamp_echo = object->ts_recent;
    }
    struct packet *packet = reply_begin(tuple, NULL, hop);
    if (packet != NULL)
        reply_queue(packet, tuple, reply);
}

void time_wait_enter(struct tcp_connection *c, uint64_t now_ns)
{
    if (waiting.pool.available == 0) {
        tcp_counters.time_wait_evictions++;
        time_wait_free_first(NULL);
    }
    /* Not coming from CLOSING. */
    bool owes_ack = (c->owed & OWES_ACK) != 0 && connection_route(c);
    const struct ip_hop hop = c->hop;
    struct tcp_reply reply = {.ttl = c->options.ttl, .tos = c->options.tos};
    uint32_t ts_offset = c->ts_offset;
    struct time_wait *object = pool_take(&waiting.pool);
    ASSERT(object != NULL);
    *object = (struct time_wait){
        .node = {.kind = TCP_NODE_TIME_WAIT,
                 .tuple = c->node.tuple,
                 .flags = c->has_timestamps ? HAS_TIMESTAMPS : 0},
        .snd_nxt = c->snd.max,
        .rcv_nxt = c->rcv.nxt,
        .ts_recent = c->ts_recent,
    };
    table_replace(&c->node, &object->node);
    connection_leave(c, 0);
    waiting.count++;
    tcp_counters.time_waits++;
    queue_append((uint32_t)(object - waiting.objects));
    start_wait(object, now_ns);
    if (owes_ack)
        owe_ack(object, &reply, &hop, ts_offset, now_ns);
}

/* RFC 6191 and RFC 9293 3.10.7.4: a new connection may take the place of the
 * old when nothing old can be mistaken for it. */
static bool may_reuse(const struct time_wait *object,
                      const struct tcp_segment *segment)
{
    if (!tcp_settings.reuse_time_wait ||
        (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
        return false;
    if ((object->node.flags & HAS_TIMESTAMPS) != 0 &&
        segment->options.has_timestamp) {
        int32_t newer =
            (int32_t)(segment->options.timestamp - object->ts_recent);
        if (newer != 0)
            return newer > 0;
    }
    return seq_after(segment->seq, object->rcv_nxt);
}

/* The new connection's numbers begin behind the old one's. */
static bool reuse(struct time_wait *object, const struct tcp_segment *segment,
                  uint64_t now_ns)
{
    const struct tcp_tuple tuple = object->node.tuple;

    table_remove(&object->node);
    if (!listen_again(&tuple, segment, object->snd_nxt, now_ns)) {
        table_insert(&object->node);
        return false;
    }
    waiting.count--;
    object->node.flags |= IS_GONE;
    tcp_counters.time_wait_reuses++;
    return true;
}

void time_wait_receive(struct tcp_node *node, struct packet *packet,
                       const struct tcp_segment *segment, uint64_t now_ns)
{
    struct time_wait *object = container_of(node, struct time_wait, node);

    if (may_reuse(object, segment) && reuse(object, segment, now_ns)) {
        packet_free(packet);
        return;
    }
    /* RFC 1337: a reset does not end the wait. A plain ACK in its place says
     * nothing new; anything else is told where we are, if it is what a TCP
     * sends: with an ACK, or a SYN. */
    if ((segment->flags & TCP_RST) == 0 &&
        (segment->flags & (TCP_ACK | TCP_SYN)) != 0 &&
        (segment_space(segment) != 0 ||
         !seq_equal(segment->seq, object->rcv_nxt))) {
        /* Only the peer's FIN, come again, begins the wait anew. */
        if ((segment->flags & TCP_FIN) != 0 &&
            seq_equal(seq_add(segment->seq, segment_space(segment)),
                      object->rcv_nxt))
            start_wait(object, now_ns);
        struct tcp_reply reply = {.ttl = 0};
        owe_ack(object, &reply, NULL,
                identity_make(&object->node.tuple, now_ns).timestamp_offset,
                now_ns);
    }
    packet_drop(packet, DROP_TCP_AFTER_CLOSE);
}

size_t time_wait_count(void)
{
    return waiting.count;
}

bool time_wait_uses(const struct tcp_endpoint *local)
{
    for (uint32_t index = waiting.first; index != NOBODY;
         index = waiting.objects[index].next) {
        const struct tcp_node *node = &waiting.objects[index].node;
        if ((node->flags & IS_GONE) == 0 &&
            node->tuple.local_port == local->port &&
            (ip_address_is_any(&local->address) ||
             ip_address_equal(&node->tuple.local, &local->address)))
            return true;
    }
    return false;
}

void time_wait_visit(void (*visit)(void *context,
                                   const struct tcp_status *status),
                     void *context)
{
    for (uint32_t index = waiting.first; index != NOBODY;
         index = waiting.objects[index].next) {
        const struct tcp_tuple *tuple = &waiting.objects[index].node.tuple;
        if ((waiting.objects[index].node.flags & IS_GONE) != 0)
            continue;
        const struct tcp_status status = {
            .state = TCP_TIME_WAIT,
            .local = {tuple->local, tuple->local_port},
            .remote = {tuple->remote, tuple->remote_port},
            .is_orphan = true,
        };
        visit(context, &status);
    }
}
