/* SPDX-License-Identifier: MIT */
/*
 * What all disciplines share: into the queue, and out of it while the device
 * takes packets. A device that is busy says so before it is given one too
 * many, and asks again when its ring has room (netif_transmit_resume): what
 * Linux puts back waits here where it is.
 */
#include "net/link/qdisc.h"

#include "net/platform.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

static struct qdisc *qdisc_from(struct netif_queueing *queueing)
{
    return container_of(queueing, struct qdisc, queueing);
}

static void run(struct qdisc *qdisc, uint64_t now_ns)
{
    struct netif *netif = qdisc->netif;

    while (!netif->transmit_stopped) {
        struct packet *packet = qdisc->operations->dequeue(qdisc, now_ns);

        if (packet == NULL)
            return;
        netif_give(netif, packet);
    }
    qdisc->counters.requeues += qdisc->backlog_packets != 0;
}

static NOINLINE void enqueue_and_run(struct qdisc *qdisc, struct packet *packet,
                                     uint64_t now_ns)
{
    qdisc->operations->enqueue(qdisc, packet, now_ns);
    run(qdisc, now_ns);
}

static NOINLINE void enqueue(struct qdisc *qdisc, struct packet *packet)
{
    uint64_t now_ns = platform_now_ns();

    if (qdisc->netif->transmit_stopped)
        qdisc->operations->enqueue(qdisc, packet, now_ns);
    else
        enqueue_and_run(qdisc, packet, now_ns);
}

static void transmit(struct netif_queueing *queueing, struct packet *packet)
{
    struct qdisc *qdisc = qdisc_from(queueing);

    if (qdisc->backlog_packets == 0 && !qdisc->netif->transmit_stopped &&
        qdisc->operations->is_passed_when_empty)
        netif_give(qdisc->netif, packet); /* nobody to be fair to */
    else
        enqueue(qdisc, packet);
}

static void resume(struct netif_queueing *queueing)
{
    run(qdisc_from(queueing), platform_now_ns());
}

static void clear(struct netif_queueing *queueing)
{
    struct qdisc *qdisc = qdisc_from(queueing);

    timer_cancel(&qdisc->timer);
    qdisc->operations->clear(qdisc);
}

static void expire(struct timer *timer, uint64_t now_ns)
{
    run(container_of(timer, struct qdisc, timer), now_ns);
}

struct qdisc *qdisc_make(const char *name,
                         const struct qdisc_settings *settings)
{
    static const struct {
        const char *name;
        struct qdisc *(*make)(const struct qdisc_settings *settings);
    } makers[] = {
        {"pfifo", qdisc_fifo_make},
        {"pfifo_fast", qdisc_prio_make},
        {"tbf", qdisc_tbf_make},
        {"fq_codel", qdisc_fq_codel_make},
    };

    for (size_t i = 0; i < ARRAY_COUNT(makers); i++)
        if (strcmp(makers[i].name, name) == 0)
            return makers[i].make(settings);
    return NULL;
}

int qdisc_attach(struct netif *netif, const struct qdisc_settings *settings)
{
    struct qdisc *qdisc = qdisc_make(settings->name, settings);

    if (qdisc == NULL)
        return -EINVAL;
    qdisc->netif = netif;
    qdisc->timer.expire = expire;
    qdisc->queueing = (struct netif_queueing){transmit, resume, clear};
    netif->queueing = &qdisc->queueing;
    return 0;
}

const struct qdisc *qdisc_of(const struct netif *netif)
{
    return netif->queueing == NULL ? NULL : qdisc_from(netif->queueing);
}

uint32_t qdisc_limit(const struct qdisc_settings *settings, uint32_t usual)
{
    size_t most = netif_queue_share();
    uint32_t limit = settings->limit != 0 ? settings->limit : usual;

    return limit < most ? limit : (uint32_t)most;
}

void qdisc_drop(struct qdisc *qdisc, struct packet *packet)
{
    qdisc->counters.dropped++;
    packet_drop(packet, DROP_TRANSMIT_FULL);
}

struct ipv4_header *qdisc_ip_header(const struct packet *packet)
{
    const struct ethernet_header *frame = (const void *)packet->data;
    const uint8_t *type = packet->data + ETHERNET_HEADER_LENGTH - 2;
    size_t offset = ETHERNET_HEADER_LENGTH;

    if (be16_get(frame->type) == ETHERNET_TYPE_VLAN) {
        type += ETHERNET_VLAN_LENGTH;
        offset += ETHERNET_VLAN_LENGTH;
    }
    if (type[0] != ETHERNET_TYPE_IPV4 >> 8 ||
        type[1] != (ETHERNET_TYPE_IPV4 & 0xff) ||
        packet->length < offset + IPV4_HEADER_LENGTH)
        return NULL;
    return (void *)(packet->data + offset);
}
