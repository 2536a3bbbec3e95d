/* SPDX-License-Identifier: MIT */
/*
 * fq_codel (RFC 8290): flows by a keyed hash, deficit round robin with new
 * flows first, and CoDel (RFC 8289) on each. At the limit the fattest flow
 * pays. Deliberately absent: sets of flows per tin, and a memory limit beside
 * that of packets.
 */
#include "net/link/qdisc.h"
#include "net/platform.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <string.h>

struct flow {
    struct packet *first;
    struct packet *last; /* while there is a first */
    struct flow *next;   /* in the list of new or old ones */
    uint32_t bytes;
    int32_t deficit;
    bool is_listed;
    /* CoDel: RFC 8289 5.2. */
    bool is_dropping;
    uint32_t count;
    uint32_t count_before;
    uint64_t first_above_ns;
    uint64_t drop_next_ns;
};

struct flow_list {
    struct flow *first;
    struct flow *last;
};

struct fq_codel {
    struct qdisc qdisc;
    struct flow_list new_flows;
    struct flow_list old_flows;
    uint64_t key[2];
    uint32_t limit;
    struct flow flows[QDISC_FLOWS];
};

static struct fq_codel *fq_codel_of(struct qdisc *qdisc)
{
    return container_of(qdisc, struct fq_codel, qdisc);
}

static void list_append(struct flow_list *list, struct flow *flow)
{
    flow->next = NULL;
    if (list->first == NULL)
        list->first = flow;
    else
        list->last->next = flow;
    list->last = flow;
}

static void list_remove_first(struct flow_list *list)
{
    list->first = list->first->next;
}

_Static_assert(QDISC_FLOWS == UINT64_C(1) << (64 - QDISC_HASH_SHIFT),
               "a hash's upper bits are a flow's number");

/* Random odd factors, and the upper bits: two tuples that anybody chooses meet
 * with a probability of at most 2 / QDISC_FLOWS. */
static inline struct flow *flow_by(struct fq_codel *fq, uint64_t addresses,
                                   uint64_t rest)
{
    uint64_t hash = addresses * fq->key[0] + rest * fq->key[1];

    return &fq->flows[hash >> QDISC_HASH_SHIFT];
}

/* All that is known of a packet that is not plain IPv4. */
static struct flow *flow_of_any(struct fq_codel *fq,
                                const struct packet *packet)
{
    const struct ipv4_header *header = qdisc_ip_header(packet);
    uint64_t addresses = 0;
    uint32_t ports = 0;
    size_t length;

    if (header == NULL)
        return flow_by(fq, 0, 0);
    length = ipv4_header_length(header);
    memcpy(&addresses, &header->source, sizeof(addresses));
    if ((header->protocol == 6 || header->protocol == 17) &&
        !ipv4_is_fragment(header) &&
        packet->data + packet->length >=
            (const uint8_t *)header + length + sizeof(ports))
        memcpy(&ports, (const uint8_t *)header + length, sizeof(ports));
    return flow_by(fq, addresses, (uint64_t)header->protocol << 32 | ports);
}

/* The head, which there is. Returns its bytes. */
static inline uint32_t take(struct fq_codel *fq, struct flow *flow,
                            struct packet *packet)
{
    uint32_t length = (uint32_t)packet_total_length(packet);

    flow->first = packet->next;
    packet->next = NULL;
    flow->bytes -= length;
    fq->qdisc.backlog_packets--;
    return length;
}

static struct packet *take_head(struct fq_codel *fq, struct flow *flow)
{
    struct packet *packet = flow->first;

    if (packet != NULL)
        (void)take(fq, flow, packet);
    return packet;
}

/* RFC 8290 5.2.3: half of the fattest flow, at most so many packets. */
static NOINLINE void drop_from_fattest(struct fq_codel *fq)
{
    struct flow *fattest = &fq->flows[0];
    uint32_t enough;

    for (size_t i = 1; i < QDISC_FLOWS; i++)
        if (fq->flows[i].bytes > fattest->bytes)
            fattest = &fq->flows[i];
    enough = fattest->bytes / 2;
    for (size_t i = 0; i < QDISC_DROP_BATCH && fattest->bytes > enough; i++)
        qdisc_drop(&fq->qdisc, take_head(fq, fattest));
}

static NOINLINE void enqueue(struct fq_codel *fq, struct packet *packet,
                             uint64_t now_ns, struct flow *flow)
{
    packet->time_ns = now_ns;
    packet->next = NULL;
    flow->bytes += (uint32_t)packet_total_length(packet);
    if (!flow->is_listed) {
        flow->is_listed = true;
        flow->deficit = QDISC_QUANTUM;
        list_append(&fq->new_flows, flow);
    }
    if (flow->first == NULL)
        flow->first = packet;
    else
        flow->last->next = packet;
    flow->last = packet;
    if (++fq->qdisc.backlog_packets > fq->limit)
        drop_from_fattest(fq);
}

static NOINLINE void enqueue_any(struct fq_codel *fq, struct packet *packet,
                                 uint64_t now_ns)
{
    enqueue(fq, packet, now_ns, flow_of_any(fq, packet));
}

/* Nearly all are TCP or UDP behind a plain header. */
static void fq_codel_enqueue(struct qdisc *qdisc, struct packet *packet,
                             uint64_t now_ns)
{
    struct fq_codel *fq = fq_codel_of(qdisc);
    const struct ethernet_header *frame = (const void *)packet->data;
    const struct ipv4_header *header = (const void *)(frame + 1);
    uint64_t addresses;
    uint32_t ports;

    if (packet->length < sizeof(*frame) + sizeof(*header) + sizeof(ports) ||
        be16_get(frame->type) != ETHERNET_TYPE_IPV4 ||
        header->version_ihl != 0x45 || ipv4_is_fragment(header) ||
        (header->protocol != 6 && header->protocol != 17)) {
        enqueue_any(fq, packet, now_ns);
        return;
    }
    memcpy(&addresses, &header->source, sizeof(addresses));
    memcpy(&ports, header + 1, sizeof(ports));
    enqueue(fq, packet, now_ns,
            flow_by(fq, addresses, (uint64_t)header->protocol << 32 | ports));
}

/* ---- CoDel ---------------------------------------------------------------
 */

/* interval / sqrt(count), by the square root's digits: only when dropping. */
static uint64_t interval_over_root(uint32_t count)
{
    uint64_t scaled = (uint64_t)count << 20; /* the root has 10 more bits */
    uint64_t root = 0;

    for (uint64_t bit = UINT64_C(1) << 50; bit != 0; bit >>= 2) {
        if (scaled >= root + bit) {
            scaled -= root + bit;
            root = root / 2 + bit;
        } else {
            root /= 2;
        }
    }
    return (CODEL_INTERVAL_NS << 10) / root;
}

/* The head, and whether it may be dropped: RFC 8289 5.4. */
static struct packet *look(struct fq_codel *fq, struct flow *flow,
                           uint64_t now_ns, bool *may_drop)
{
    struct packet *packet = take_head(fq, flow);

    *may_drop = false;
    if (packet == NULL) {
        flow->first_above_ns = 0;
        return NULL;
    }
    if (now_ns - packet->time_ns < CODEL_TARGET_NS ||
        flow->bytes <= QDISC_QUANTUM)
        flow->first_above_ns = 0;
    else if (flow->first_above_ns == 0)
        flow->first_above_ns = now_ns + CODEL_INTERVAL_NS;
    else
        *may_drop = now_ns >= flow->first_above_ns;
    return packet;
}

/* RFC 3168: the packet is marked in place of being dropped, if it may. */
static bool mark(struct qdisc *qdisc, const struct packet *packet)
{
    struct ipv4_header *header = qdisc_ip_header(packet);
    uint16_t before;

    if (header == NULL || (header->tos & 3) == 0)
        return false;
    before = (uint16_t)(header->version_ihl << 8 | header->tos);
    header->tos |= 3;
    header->checksum =
        checksum_update_16(header->checksum, before,
                           (uint16_t)(header->version_ihl << 8 | header->tos));
    qdisc->counters.marked++;
    return true;
}

/* RFC 8289 5.5: the dropping state; the packet that leaves, or NULL. */
static struct packet *go_on_dropping(struct fq_codel *fq, struct flow *flow,
                                     struct packet *packet, uint64_t now_ns)
{
    bool may_drop = true;

    while (flow->is_dropping && now_ns >= flow->drop_next_ns) {
        flow->count++;
        flow->drop_next_ns += interval_over_root(flow->count);
        if (mark(&fq->qdisc, packet))
            return packet;
        qdisc_drop(&fq->qdisc, packet);
        packet = look(fq, flow, now_ns, &may_drop);
        if (!may_drop)
            flow->is_dropping = false;
    }
    return packet;
}

static struct packet *begin_dropping(struct fq_codel *fq, struct flow *flow,
                                     struct packet *packet, uint64_t now_ns)
{
    uint32_t delta = flow->count - flow->count_before;
    bool may_drop;

    if (!mark(&fq->qdisc, packet)) {
        qdisc_drop(&fq->qdisc, packet);
        packet = look(fq, flow, now_ns, &may_drop);
    }
    flow->is_dropping = true;
    /* Left it a short while ago: goes on at about that rate. */
    flow->count = 1;
    if (delta > 1 && now_ns - flow->drop_next_ns <
                         CODEL_RECENT_INTERVALS * CODEL_INTERVAL_NS)
        flow->count = delta;
    flow->count_before = flow->count;
    flow->drop_next_ns = now_ns + interval_over_root(flow->count);
    return packet;
}

static NOINLINE struct packet *codel_dequeue(struct fq_codel *fq,
                                             struct flow *flow, uint64_t now_ns)
{
    bool may_drop;
    struct packet *packet = look(fq, flow, now_ns, &may_drop);

    if (flow->is_dropping) {
        if (!may_drop)
            flow->is_dropping = false;
        else
            packet = go_on_dropping(fq, flow, packet, now_ns);
    } else if (may_drop) {
        packet = begin_dropping(fq, flow, packet, now_ns);
    }
    return packet;
}

/* ---- round robin ---------------------------------------------------------
 */

/* RFC 8289 5.4: for an empty queue CoDel begins anew. */
static inline void forget_delay(struct flow *flow)
{
    flow->first_above_ns = 0;
    flow->is_dropping = false;
}

/* Bytes that left. An emptied flow need not go through the old ones when there
 * are none. */
static inline void pay(struct fq_codel *fq, struct flow *flow, uint32_t length)
{
    flow->deficit -= (int32_t)length;
    if (flow->first == NULL && fq->old_flows.first == NULL) {
        fq->new_flows.first = flow->next;
        flow->is_listed = false;
    }
}

static struct packet *fq_codel_dequeue(struct qdisc *qdisc, uint64_t now_ns);

/* The flow whose turn it is has used its share, is empty, or its head waited
 * for long. */
static NOINLINE struct packet *dequeue_other(struct fq_codel *fq,
                                             struct flow *flow, uint64_t now_ns)
{
    struct flow_list *list =
        flow == fq->new_flows.first ? &fq->new_flows : &fq->old_flows;
    struct packet *packet;

    if (flow->deficit <= 0) {
        flow->deficit += QDISC_QUANTUM;
        list_remove_first(list);
        list_append(&fq->old_flows, flow);
    } else if (flow->first == NULL) {
        forget_delay(flow);
        list_remove_first(list);
        /* RFC 8290 4.2: once more through the old ones, so that nobody stays
         * new by sending little and often. */
        if (list == &fq->new_flows && fq->old_flows.first != NULL)
            list_append(&fq->old_flows, flow);
        else
            flow->is_listed = false;
    } else if ((packet = codel_dequeue(fq, flow, now_ns)) != NULL) {
        pay(fq, flow, (uint32_t)packet_total_length(packet));
        if (!flow->is_listed)
            forget_delay(flow);
        return packet;
    }
    return fq_codel_dequeue(&fq->qdisc, now_ns);
}

static struct packet *fq_codel_dequeue(struct qdisc *qdisc, uint64_t now_ns)
{
    struct fq_codel *fq = fq_codel_of(qdisc);
    struct flow *flow = fq->new_flows.first;
    struct packet *packet;

    if (flow == NULL)
        flow = fq->old_flows.first;
    if (flow == NULL)
        return NULL;
    packet = flow->first;
    if (packet == NULL || flow->deficit <= 0 ||
        now_ns - packet->time_ns >= CODEL_TARGET_NS)
        return dequeue_other(fq, flow, now_ns);
    forget_delay(flow); /* CoDel has nothing to say */
    pay(fq, flow, take(fq, flow, packet));
    return packet;
}

static COLD void fq_codel_clear(struct qdisc *qdisc)
{
    struct fq_codel *fq = fq_codel_of(qdisc);

    for (size_t i = 0; i < QDISC_FLOWS; i++) {
        struct packet *packet;

        while ((packet = take_head(fq, &fq->flows[i])) != NULL)
            packet_drop(packet, DROP_LINK_DOWN);
        fq->flows[i] = (struct flow){0};
    }
    fq->new_flows = (struct flow_list){0};
    fq->old_flows = (struct flow_list){0};
    qdisc->backlog_packets = 0;
}

static const struct qdisc_operations operations = {
    .name = "fq_codel",
    .is_passed_when_empty = true,
    .enqueue = fq_codel_enqueue,
    .dequeue = fq_codel_dequeue,
    .clear = fq_codel_clear,
};

COLD struct qdisc *qdisc_fq_codel_make(const struct qdisc_settings *settings)
{
    struct fq_codel *fq = platform_memory(sizeof(*fq), 64);

    if (fq == NULL)
        return NULL;
    fq->qdisc.operations = &operations;
    fq->limit = qdisc_limit(settings, QDISC_FQ_CODEL_PACKETS);
    platform_random(fq->key, sizeof(fq->key));
    fq->key[0] |= 1;
    fq->key[1] |= 1;
    return &fq->qdisc;
}
