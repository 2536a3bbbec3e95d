/* SPDX-License-Identifier: MIT */
/*
 * pfifo: one queue with a limit; and pfifo_fast: three, of which a later one
 * waits while an earlier one holds anything (Linux's priomap).
 */
#include "net/link/qdisc.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

enum {
    BANDS = 3,
};

struct fifo {
    struct qdisc qdisc;
    struct packet_queue bands[BANDS];
    uint32_t limit; /* of each */
};

static struct fifo *fifo_of(struct qdisc *qdisc)
{
    return container_of(qdisc, struct fifo, qdisc);
}

/* By the TOS bits of RFC 1349: minimise delay first, bulk last. What is not
 * IP (ARP) is control traffic. */
static unsigned band_of(const struct packet *packet)
{
    static const uint8_t bands[16] = {1, 1, 1, 1, 2, 2, 2, 2,
                                      0, 0, 0, 0, 1, 1, 1, 1};
    const struct ipv4_header *header = qdisc_ip_header(packet);

    return header == NULL ? 0 : bands[header->tos >> 1 & 15];
}

static void add(struct fifo *fifo, unsigned band, struct packet *packet)
{
    if (fifo->bands[band].count >= fifo->limit) {
        qdisc_drop(&fifo->qdisc, packet);
        return;
    }
    fifo->qdisc.backlog_packets++;
    packet_queue_append(&fifo->bands[band], packet);
}

static void fifo_enqueue(struct qdisc *qdisc, struct packet *packet,
                         uint64_t now_ns)
{
    (void)now_ns;
    add(fifo_of(qdisc), 0, packet);
}

static void prio_enqueue(struct qdisc *qdisc, struct packet *packet,
                         uint64_t now_ns)
{
    (void)now_ns;
    add(fifo_of(qdisc), band_of(packet), packet);
}

static struct packet *fifo_dequeue(struct qdisc *qdisc, uint64_t now_ns)
{
    struct fifo *fifo = fifo_of(qdisc);

    (void)now_ns;
    for (unsigned band = 0; band < BANDS; band++) {
        struct packet *packet = packet_queue_take(&fifo->bands[band]);

        if (packet != NULL) {
            qdisc->backlog_packets--;
            return packet;
        }
    }
    return NULL;
}

static void fifo_clear(struct qdisc *qdisc)
{
    struct fifo *fifo = fifo_of(qdisc);

    for (unsigned band = 0; band < BANDS; band++)
        packet_queue_drop_all(&fifo->bands[band], DROP_LINK_DOWN);
    qdisc->backlog_packets = 0;
}

static const struct qdisc_operations fifo_operations = {
    .name = "pfifo",
    .is_passed_when_empty = true,
    .enqueue = fifo_enqueue,
    .dequeue = fifo_dequeue,
    .clear = fifo_clear,
};

static const struct qdisc_operations prio_operations = {
    .name = "pfifo_fast",
    .is_passed_when_empty = true,
    .enqueue = prio_enqueue,
    .dequeue = fifo_dequeue,
    .clear = fifo_clear,
};

static struct qdisc *make(const struct qdisc_settings *settings,
                          const struct qdisc_operations *operations)
{
    struct fifo *fifo = platform_memory(sizeof(*fifo), 8);

    if (fifo == NULL)
        return NULL;
    fifo->qdisc.operations = operations;
    fifo->limit = qdisc_limit(settings, QDISC_FIFO_PACKETS);
    return &fifo->qdisc;
}

struct qdisc *qdisc_fifo_make(const struct qdisc_settings *settings)
{
    return make(settings, &fifo_operations);
}

struct qdisc *qdisc_prio_make(const struct qdisc_settings *settings)
{
    return make(settings, &prio_operations);
}
