/* SPDX-License-Identifier: MIT */
/*
 * The table of flows. Places are numbered; the chains of the hash link handles
 * (place and direction in one number, 0 is none), half as large as pointers.
 * Nothing is touched before it is used, so that a large table costs nothing
 * while it is empty. Whoever expired is found by a clock hand that passes a
 * few places at a time, or earlier by the packet that meets it. In front stands
 * a table without chains or key that tells, in pairs of places, where tuples
 * were found last: who makes others' tuples meet there costs them the keyed
 * search, and no more.
 */
#include "net/filter/flow.h"

#include "net/hash.h"
#include "net/platform.h"
#include "net/wire/icmp.h"

#include <errno.h>
#include <string.h>

struct flow_counters flow_counters;

enum {
    ICMP_NONE = UINT8_MAX, /* a type that no flow has */
};

static struct {
    struct flow *flows;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t capacity; /* there is memory for */
    uint32_t limit;    /* and so many may be used */
    uint32_t touched;  /* places ever used */
    uint32_t count;
    uint32_t free;  /* a chain of places through next[0], plus one */
    uint32_t dying; /* the same: freed by flow_reap */
    uint32_t hand;
    struct hash_key key;
} table;

struct flow_recent flow_recent; /* see front_of */

static size_t power_of_two_above(size_t count)
{
    size_t power = 1;

    while (power < count)
        power *= 2;
    return power;
}

/* Places in front of so many buckets: more where memory is plenty, so that few
 * flows of 100,000 meet there. */
static size_t front_of(size_t buckets)
{
    return buckets < FLOW_FRONT_BUCKETS ? buckets : 4 * buckets;
}

static uint32_t *take_buckets(size_t count)
{
    return platform_memory((count + front_of(count)) * sizeof(uint32_t), 64);
}

COLD int flow_table_init(void)
{
    size_t share = platform_memory_size() / FLOW_MEMORY_SHARE;
    size_t each = sizeof(struct flow) + 3 * sizeof(uint32_t);
    size_t count = share / each;
    size_t buckets;

    if (count > FLOW_TABLE_MAX)
        count = FLOW_TABLE_MAX;
    if (count < FLOW_TABLE_MIN)
        count = FLOW_TABLE_MIN;
    memset(&table, 0, sizeof(table));
    memset(&flow_counters, 0, sizeof(flow_counters));
    /* Others were here first: rather fewer flows than no start. */
    for (;; count -= count / 4) {
        table.flows =
            platform_memory_untouched(count * sizeof(struct flow), 128);
        if (table.flows != NULL || count <= FLOW_TABLE_MIN)
            break;
    }
    buckets = power_of_two_above(count + count / 2);
    table.buckets = take_buckets(buckets);
    while (table.buckets == NULL && buckets > FLOW_TABLE_MIN) {
        buckets /= 2;
        table.buckets = take_buckets(buckets);
    }
    if (table.flows == NULL || table.buckets == NULL)
        return -ENOMEM;
    flow_recent = (struct flow_recent){table.flows, table.buckets + buckets,
                                       (uint32_t)front_of(buckets) - 2};
    table.bucket_mask = (uint32_t)buckets - 1;
    table.capacity = (uint32_t)count;
    table.limit = table.capacity;
    hash_key_generate(&table.key);
    return 0;
}

COLD void flow_table_limit(size_t count)
{
    table.limit = count < table.capacity ? (uint32_t)count : table.capacity;
}

size_t flow_table_limit_now(void)
{
    return table.limit;
}

static uint32_t *bucket_of(const struct flow_tuple *tuple, uint8_t protocol)
{
    uint64_t hosts = (uint64_t)tuple->source << 32 | tuple->destination;
    uint64_t rest = (uint64_t)protocol << 32 |
                    (uint32_t)tuple->source_port << 16 |
                    tuple->destination_port;

    return &table.buckets[hash_three(&table.key, hosts, rest) &
                          table.bucket_mask];
}

static struct flow *flow_of(uint32_t handle)
{
    return &table.flows[(handle - 1) / 2];
}

static enum flow_direction direction_of(uint32_t handle)
{
    return (handle - 1) & 1 ? FLOW_REPLY : FLOW_ORIGINAL;
}

static uint32_t handle_of(const struct flow *flow,
                          enum flow_direction direction)
{
    return (uint32_t)(flow - table.flows) * 2 + direction + 1;
}

static struct flow *search(uint32_t handle, const struct flow_tuple *tuple,
                           uint8_t protocol, enum flow_direction *direction)
{
    while (handle != 0) {
        struct flow *flow = flow_of(handle);

        *direction = direction_of(handle);
        if (flow_tuple_equal(&flow->tuple[*direction], tuple) &&
            flow->protocol == protocol)
            return flow;
        handle = flow->next[*direction];
    }
    return NULL;
}

static uint32_t *recent_of(const struct flow_tuple *tuple)
{
    uint64_t hosts;
    uint32_t ports;

    memcpy(&hosts, tuple, sizeof(hosts));
    memcpy(&ports, &tuple->destination_port, sizeof(ports));
    return flow_recent_of(hosts, ports);
}

/* Who was there goes to the second place of the pair. */
static void remember(const struct flow_tuple *tuple, uint32_t handle)
{
    uint32_t *recent = recent_of(tuple);

    if (recent[0] == handle)
        return;
    recent[1] = recent[0];
    recent[0] = handle;
}

COLD static void forget(const struct flow_tuple *tuple, uint32_t handle)
{
    uint32_t *recent = recent_of(tuple);

    for (unsigned i = 0; i < FLOW_RECENT_PAIR; i++) {
        if (recent[i] == handle)
            recent[i] = 0;
    }
}

struct flow *flow_find(const struct flow_tuple *tuple, uint8_t protocol,
                       uint32_t now, enum flow_direction *direction)
{
    const uint32_t *bucket = bucket_of(tuple, protocol);
    struct flow *flow;

    while ((flow = search(*bucket, tuple, protocol, direction)) != NULL) {
        if (!flow_is_due(flow->expires, now)) {
            remember(tuple, handle_of(flow, *direction));
            return flow;
        }
        flow_counters.expired++;
        flow_remove(flow);
    }
    *direction = FLOW_ORIGINAL;
    return NULL;
}

struct flow_found flow_find_words(uint64_t hosts, uint32_t ports,
                                  uint8_t protocol, uint32_t now)
{
    struct flow_found found = flow_found_at(flow_recent_of(hosts, ports)[1],
                                            hosts, ports, protocol, now);
    struct flow_tuple tuple;

    if (found.flow != NULL)
        return found;
    memcpy(&tuple, &hosts, sizeof(hosts));
    memcpy(&tuple.destination_port, &ports, sizeof(ports));
    found.flow = flow_find(&tuple, protocol, now, &found.direction);
    return found;
}

bool flow_is_taken(const struct flow_tuple *tuple, uint8_t protocol,
                   uint32_t now)
{
    enum flow_direction direction;

    return flow_find(tuple, protocol, now, &direction) != NULL;
}

COLD static void unlink_direction(struct flow *flow,
                                  enum flow_direction direction)
{
    uint32_t handle = handle_of(flow, direction);
    uint32_t *link = bucket_of(&flow->tuple[direction], flow->protocol);

    while (*link != handle) {
        ASSERT(*link != 0);
        link = &flow_of(*link)->next[direction_of(*link)];
    }
    *link = flow->next[direction];
    forget(&flow->tuple[direction], handle);
}

COLD void flow_remove(struct flow *flow)
{
    ASSERT((flow->status & FLOW_CONFIRMED) != 0);
    ASSERT((flow->status & FLOW_DYING) == 0);
    unlink_direction(flow, FLOW_ORIGINAL);
    unlink_direction(flow, FLOW_REPLY);
    flow->status |= FLOW_DYING;
    flow->next[0] = table.dying;
    table.dying = (uint32_t)(flow - table.flows) + 1;
    table.count--;
}

COLD void flow_reap(void)
{
    while (table.dying != 0) {
        struct flow *flow = &table.flows[table.dying - 1];
        uint32_t next = flow->next[0];

        flow->status = 0;
        flow->next[0] = table.free;
        table.free = table.dying;
        table.dying = next;
    }
}

struct flow *flow_at(size_t index)
{
    struct flow *flow = &table.flows[index];

    if (index >= table.touched ||
        (flow->status & (FLOW_CONFIRMED | FLOW_DYING)) != FLOW_CONFIRMED)
        return NULL;
    return flow;
}

static struct flow *under_hand(void)
{
    if (table.hand >= table.touched)
        table.hand = 0;
    return flow_at(table.hand++);
}

COLD void flow_table_age(uint32_t now, size_t count)
{
    for (size_t i = 0; i < count && i < table.touched; i++) {
        struct flow *flow = under_hand();

        if (flow == NULL || !flow_is_due(flow->expires, now))
            continue;
        flow_counters.expired++;
        flow_remove(flow);
    }
    flow_reap();
}

/* Room for one more: among the next places under the hand, what has expired,
 * or was never answered, or at least is not assured. */
COLD static bool evict(uint32_t now)
{
    struct flow *victim = NULL;

    for (unsigned i = 0; i < FLOW_VICTIMS_MAX; i++) {
        struct flow *flow = under_hand();

        if (flow == NULL || (flow->status & FLOW_ASSURED) != 0) {
            if (flow == NULL || !flow_is_due(flow->expires, now))
                continue;
        }
        victim = flow;
        if (flow_is_due(flow->expires, now) ||
            (flow->status & FLOW_SEEN_REPLY) == 0)
            break;
    }
    if (victim == NULL)
        return false;
    flow_counters.evicted++;
    flow_remove(victim);
    flow_reap();
    return true;
}

static COLD struct flow *take_place(uint32_t now)
{
    uint32_t place;

    flow_reap(); /* whom this one follows */
    if (table.count >= table.limit && !evict(now))
        return NULL;
    place = table.free;
    if (place != 0) {
        table.free = table.flows[place - 1].next[0];
        return &table.flows[place - 1];
    }
    if (table.touched == table.capacity)
        return NULL;
    return &table.flows[table.touched++];
}

static void link_direction(struct flow *flow, enum flow_direction direction)
{
    uint32_t *bucket = bucket_of(&flow->tuple[direction], flow->protocol);

    flow->next[direction] = *bucket;
    *bucket = handle_of(flow, direction);
}

struct flow *flow_insert(const struct flow *fresh, uint32_t now)
{
    struct flow *flow = NULL;

    if (!flow_is_taken(&fresh->tuple[FLOW_ORIGINAL], fresh->protocol, now) &&
        !flow_is_taken(&fresh->tuple[FLOW_REPLY], fresh->protocol, now))
        flow = take_place(now);
    if (flow == NULL) {
        flow_counters.refused++;
        return NULL;
    }
    *flow = *fresh;
    flow->status |= FLOW_CONFIRMED;
    link_direction(flow, FLOW_ORIGINAL);
    link_direction(flow, FLOW_REPLY);
    table.count++;
    flow_counters.created++;
    return flow;
}

COLD void flow_table_clear(void)
{
    for (size_t i = 0; i < table.touched; i++) {
        struct flow *flow = flow_at(i);

        if (flow != NULL)
            flow_remove(flow);
    }
    flow_reap();
}

size_t flow_count(void)
{
    return table.count;
}

size_t flow_capacity(void)
{
    return table.capacity;
}

size_t flow_longest_chain(void)
{
    size_t longest = 0;

    for (uint32_t i = 0; i <= table.bucket_mask; i++) {
        size_t length = 0;

        for (uint32_t handle = table.buckets[i]; handle != 0; length++)
            handle = flow_of(handle)->next[direction_of(handle)];
        if (length > longest)
            longest = length;
    }
    return longest;
}

/* What is neither question nor answer has an inverse that nobody sends: a
 * quoted packet may be of any type. */
static uint16_t inverse_icmp(uint16_t type_and_code)
{
    static const uint8_t inverse[ICMP_ADDRESS_MASK_REPLY + 1] = {
        [ICMP_ECHO_REPLY] = ICMP_ECHO_REQUEST,
        [ICMP_TIMESTAMP] = ICMP_TIMESTAMP_REPLY,
        [ICMP_TIMESTAMP_REPLY] = ICMP_TIMESTAMP,
        [ICMP_INFORMATION] = ICMP_INFORMATION_REPLY,
        [ICMP_INFORMATION_REPLY] = ICMP_INFORMATION,
        [ICMP_ADDRESS_MASK] = ICMP_ADDRESS_MASK_REPLY,
        [ICMP_ADDRESS_MASK_REPLY] = ICMP_ADDRESS_MASK,
    };
    unsigned type = type_and_code >> 8;
    unsigned other = type < ARRAY_COUNT(inverse) ? inverse[type] : 0;

    if (type == ICMP_ECHO_REQUEST)
        other = ICMP_ECHO_REPLY;
    else if (other == 0)
        other = ICMP_NONE;
    return (uint16_t)(other << 8 | (type_and_code & 0xff));
}

COLD struct flow_tuple flow_inverse(const struct flow_tuple *tuple,
                                    uint8_t protocol)
{
    if (protocol == FLOW_ICMP)
        return (struct flow_tuple){tuple->source, tuple->destination,
                                   inverse_icmp(tuple->destination_port),
                                   tuple->source_port};
    return (struct flow_tuple){tuple->source, tuple->destination,
                               tuple->source_port, tuple->destination_port};
}
