/* SPDX-License-Identifier: MIT */
/*
 * tbf: a token bucket in front of another discipline. Tokens are kept as the
 * time they are worth at the rate; the packet whose turn it is waits outside
 * the child until there are enough. No peak rate.
 */
#include "net/link/qdisc.h"
#include "net/platform.h"

struct tbf {
    struct qdisc qdisc;
    struct qdisc *child;
    struct packet *waiting; /* the next to leave */
    uint64_t rate_bytes_s;
    int64_t burst_ns;
    int64_t tokens_ns;  /* below 0: owed for a packet larger than the bucket */
    uint64_t filled_ns; /* when the tokens were counted */
};

static struct tbf *tbf_of(struct qdisc *qdisc)
{
    return container_of(qdisc, struct tbf, qdisc);
}

static int64_t worth_ns(const struct tbf *tbf, uint64_t bytes)
{
    return (int64_t)(bytes * NS_PER_S / tbf->rate_bytes_s);
}

static void tbf_enqueue(struct qdisc *qdisc, struct packet *packet,
                        uint64_t now_ns)
{
    struct tbf *tbf = tbf_of(qdisc);

    tbf->child->operations->enqueue(tbf->child, packet, now_ns);
    qdisc->backlog_packets =
        tbf->child->backlog_packets + (tbf->waiting != NULL);
}

static void fill(struct tbf *tbf, uint64_t now_ns)
{
    tbf->tokens_ns += (int64_t)(now_ns - tbf->filled_ns);
    tbf->filled_ns = now_ns;
    if (tbf->tokens_ns > tbf->burst_ns)
        tbf->tokens_ns = tbf->burst_ns;
}

static struct packet *tbf_dequeue(struct qdisc *qdisc, uint64_t now_ns)
{
    struct tbf *tbf = tbf_of(qdisc);
    struct packet *packet = tbf->waiting;
    int64_t cost_ns, needed_ns;

    if (packet == NULL)
        packet = tbf->child->operations->dequeue(tbf->child, now_ns);
    tbf->waiting = packet;
    if (packet == NULL)
        return NULL;
    fill(tbf, now_ns);
    cost_ns = worth_ns(tbf, packet_total_length(packet));
    needed_ns = cost_ns < tbf->burst_ns ? cost_ns : tbf->burst_ns;
    if (needed_ns > tbf->tokens_ns) {
        qdisc->counters.overlimits++;
        timer_set(&qdisc->timer,
                  now_ns + (uint64_t)(needed_ns - tbf->tokens_ns));
        return NULL;
    }
    tbf->tokens_ns -= cost_ns;
    tbf->waiting = NULL;
    qdisc->backlog_packets = tbf->child->backlog_packets;
    return packet;
}

static void tbf_clear(struct qdisc *qdisc)
{
    struct tbf *tbf = tbf_of(qdisc);

    if (tbf->waiting != NULL)
        packet_drop(tbf->waiting, DROP_LINK_DOWN);
    tbf->waiting = NULL;
    tbf->child->operations->clear(tbf->child);
    qdisc->backlog_packets = 0;
}

static const struct qdisc_operations operations = {
    .name = "tbf",
    .enqueue = tbf_enqueue,
    .dequeue = tbf_dequeue,
    .clear = tbf_clear,
};

struct qdisc *qdisc_tbf_make(const struct qdisc_settings *settings)
{
    struct tbf *tbf;
    struct qdisc *child;

    if (settings->rate_bytes_s == 0)
        return NULL;
    child = qdisc_make(settings->child, settings);
    tbf = platform_memory(sizeof(*tbf), 8);
    if (child == NULL || tbf == NULL)
        return NULL;
    tbf->qdisc.operations = &operations;
    tbf->child = child;
    tbf->rate_bytes_s = settings->rate_bytes_s;
    tbf->burst_ns = worth_ns(tbf, settings->burst_bytes);
    tbf->tokens_ns = tbf->burst_ns;
    tbf->filled_ns = platform_now_ns();
    return &tbf->qdisc;
}
