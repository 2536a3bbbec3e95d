/* SPDX-License-Identifier: MIT */
/*
 * The packet: one buffer type for every layer. A linear part with headroom for
 * each header that can be prepended and, for transmit, a short list of
 * fragments that point at memory held elsewhere (a send queue, a file of the
 * module), so that payload need not be copied.
 *
 * Ownership. A packet has one owner. Passing it to a function named *_receive,
 * *_send, *_queue, *_transmit, packet_free or packet_drop gives it away
 * whatever the outcome; such functions return nothing. The other packet_*
 * functions, and any `const struct packet *`, only borrow it for the call.
 * All of this runs in softirq context or in the app with the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/buffer.h"
#include "net/limits.h"
#include "net/loan.h"
#include "net/platform.h"

struct netif;

/* Why a packet was discarded; drop_reason.c names each for people. */
enum drop_reason {
    DROP_NONE,
    /* link */
    DROP_ETHERNET_SHORT,
    DROP_ETHERNET_SOURCE,
    DROP_ETHERNET_NOT_OURS,
    DROP_ETHERNET_TYPE,
    DROP_VLAN_SHORT,
    DROP_VLAN_UNKNOWN,
    DROP_ARP_MALFORMED,
    DROP_ARP_SENDER,
    DROP_NEIGHBOUR_QUEUE_FULL,
    DROP_NEIGHBOUR_FAILED,
    DROP_LINK_DOWN,
    DROP_TRANSMIT_FULL,
    DROP_TRANSMIT_TOO_LONG,
    DROP_RECEIVE_TOO_LONG,
    DROP_RECEIVE_ERROR,
    /* ip */
    DROP_IP_SHORT,
    DROP_IP_HEADER,
    DROP_IP_CHECKSUM,
    DROP_IP_OPTION,
    DROP_IP_SOURCE,
    DROP_IP_DESTINATION,
    DROP_IP_BROADCAST_FRAME,
    DROP_IP_NOT_FORWARDED,
    DROP_IP_NO_ROUTE,
    DROP_IP_TTL,
    DROP_IP_TOO_BIG,
    DROP_IP_PROTOCOL,
    DROP_FRAGMENT_MALFORMED,
    DROP_FRAGMENT_OVERLAP,
    DROP_FRAGMENT_LIMIT,
    DROP_FRAGMENT_TIMEOUT,
    DROP_ICMP_MALFORMED,
    DROP_ICMP_CHECKSUM,
    DROP_ICMP_IGNORED,
    DROP_IGMP_MALFORMED,
    DROP_FILTER,
    /* transports */
    DROP_UDP_SHORT,
    DROP_UDP_CHECKSUM,
    DROP_UDP_PORT,
    DROP_UDP_NO_SOCKET,
    DROP_UDP_QUEUE_FULL,
    DROP_TCP_SHORT,
    DROP_TCP_CHECKSUM,
    DROP_TCP_HEADER,
    DROP_TCP_OPTION,
    DROP_TCP_NO_CONNECTION,
    DROP_TCP_LISTEN,
    DROP_TCP_BACKLOG,
    DROP_TCP_SEQUENCE,
    DROP_TCP_ACK,
    DROP_TCP_RESET,
    DROP_TCP_SYN,
    DROP_TCP_PAWS,
    DROP_TCP_TIMESTAMP_MISSING,
    DROP_TCP_AFTER_CLOSE,
    DROP_TCP_DUPLICATE,
    DROP_TCP_OUT_OF_ORDER_LIMIT,
    DROP_TCP_MEMORY,
    DROP_SOCKET_CLOSED,
    DROP_NO_MEMORY,
    DROP_REASON_COUNT,
};

/* What is known of the transport checksum. */
enum packet_checksum {
    PACKET_CHECKSUM_NONE,     /* received: to be verified in software */
    PACKET_CHECKSUM_VERIFIED, /* received: the NIC (or loopback) vouches */
    PACKET_CHECKSUM_PARTIAL,  /* to send: pseudo-header sum is in place, the
                                 NIC or netif completes it */
};

struct packet_fragment {
    const uint8_t *data; /* in a held buffer, in memory that never goes, ... */
    uint32_t length;
    uint32_t loan; /* ...or in an app's: its number (net/loan.h) */
};

struct packet {
    struct packet *next;       /* for the owner's list */
    struct packet *train;      /* GRO: the segments that follow, linked by
                                  next; they go where this one goes */
    uint8_t *data;             /* first byte of the linear part */
    uint8_t *buffer;           /* BUFFER_SIZE bytes that hold the linear part */
    struct netif *netif;       /* received on, or to leave by */
    uint64_t time_ns;          /* when received, or queued */
    uint32_t length;           /* bytes in the linear part */
    uint32_t fragments_length; /* bytes in all fragments */
    uint16_t network_offset;   /* of the IP header, from buffer */
    uint16_t transport_offset; /* of the L4 header, from buffer */
    uint16_t link_offset;      /* received: of the Ethernet header */
    uint16_t vlan_tag;         /* TCI, valid with has_vlan_tag */
    uint16_t segment_size;     /* TSO: payload bytes per segment, 0 = none */
    uint16_t segment_count;    /* GRO: segments of a train, 0 or 1 = single */
    uint32_t train_length;     /* GRO: bytes of payload behind this one's */
    uint16_t references;       /* the pool's: to the buffer, ours included */
    uint8_t fragment_count;
    uint8_t checksum; /* enum packet_checksum */
    bool has_vlan_tag;
    bool is_broadcast;        /* received: sent to a group, by MAC or IP */
    bool is_looped;           /* never was on a wire */
    uint8_t protocol;         /* IP protocol, once known */
    uint16_t checksum_start;  /* PARTIAL: from buffer */
    uint16_t checksum_offset; /* PARTIAL: of the field, from checksum_start */
    uint16_t flow_state;      /* filter's view of it, between its hooks; its
                                 size leaves no hole, which clearing would
                                 go around */
    uint16_t joined_size;     /* Put together of pieces not to be cut (DF): the
                                 largest with its header; else 0 */
    void *flow;               /* filter's, between its hooks */
    /* For the current owner: TCP keeps its parsed view of a queued segment
     * here, neighbour and reassembly their own. */
    uint64_t scratch[8];
};

/* Where the fragments are described: at the far end of the packet's own
 * buffer, which a packet with fragments does not need for payload. */
static inline struct packet_fragment *
packet_fragments(const struct packet *packet)
{
    void *array = packet->buffer + BUFFER_SIZE -
                  PACKET_FRAGMENTS_MAX * sizeof(struct packet_fragment);
    return array;
}

/* Takes all packet memory: `count` buffers, each with its descriptor. -ENOMEM
 * when there is not that much. Boot. */
int packet_init(size_t count) MUST_CHECK;

/* An empty packet whose data starts `headroom` bytes into its buffer, or NULL
 * when there is no buffer (counted). */
struct packet *packet_alloc(size_t headroom) MUST_CHECK;

/* As above, of a buffer the caller took before (which is given away): each has
 * a descriptor of its own, so there always is one. */
struct packet *packet_alloc_around(uint8_t *buffer, size_t headroom);

/* Done with it, nothing lost: the packet did its work. */
void packet_free(struct packet *packet);

/* The same of `count` linear packets linked by next, none of them a train's
 * first. */
void packet_free_run(struct packet *first, size_t count);

/* Makes of a packet we own, its buffer included, an empty one: an answer that
 * needs no memory beyond the question's. */
void packet_renew(struct packet *packet, size_t headroom);

/* Discards it: frees, counts by reason, traces. */
void packet_drop(struct packet *packet, enum drop_reason reason);

/* Called with every packet that is dropped, before it is freed; NULL: nobody.
 */
typedef void packet_drop_trace(const struct packet *packet,
                               enum drop_reason reason);
void packet_set_drop_trace(packet_drop_trace *trace);

/* Removes `length` bytes from the front and returns where they stand, or NULL
 * when the linear part is shorter (nothing is changed then). */
static inline void *packet_pull(struct packet *packet, size_t length)
{
    void *front = packet->data;

    if (length > packet->length)
        return NULL;
    packet->data += length;
    packet->length -= (uint32_t)length;
    return front;
}

/* Makes room for `length` bytes in front; asserts headroom. */
void *packet_push(struct packet *packet, size_t length);

/* Makes room for `length` bytes at the end of the linear part; asserts
 * tailroom. */
void *packet_append(struct packet *packet, size_t length);

/* Cuts the packet to `length` bytes (linear and fragments); no-op if it is
 * shorter. */
void packet_trim(struct packet *packet, size_t length);

/* Adds a fragment and holds its buffer, or its loan (else LOAN_NONE). The
 * memory must stay unchanged while held. Asserts fragment_count <
 * PACKET_FRAGMENTS_MAX, and that the linear part leaves the end of the buffer
 * free for the descriptions. */
void packet_add_fragment(struct packet *packet, const uint8_t *data,
                         uint32_t length, uint32_t loan);

/* The same of one the caller holds, who then does no longer. */
static inline void packet_take_fragment(struct packet *packet,
                                        const uint8_t *data, uint32_t length,
                                        uint32_t loan)
{
    struct packet_fragment *fragments = packet_fragments(packet);

    ASSERT(packet->fragment_count < PACKET_FRAGMENTS_MAX);
    ASSERT(packet->data + packet->length <= (uint8_t *)fragments);
    fragments[packet->fragment_count++] =
        (struct packet_fragment){data, length, loan};
    packet->fragments_length += length;
}

/* The linear part of `packet` becomes a fragment, and that packet is no more.
 * It has no fragments and nothing hangs on it. */
void packet_absorb(struct packet *large, struct packet *packet);

/* A train's last segment; who made the train tells which one that is. */
static inline void packet_set_train_last(struct packet *first,
                                         struct packet *last)
{
    first->train->scratch[0] = (uintptr_t)last;
}

static inline struct packet *packet_train_last(struct packet *first)
{
    return first->train == NULL ? first
                                : (struct packet *)first->train->scratch[0];
}

/* A second packet with the same bytes (copied into its linear part) and the
 * same headers in front of them, or NULL. Asserts that they fit one buffer. */
struct packet *packet_copy(const struct packet *packet) MUST_CHECK;

/* Copies `length` bytes from `offset` on, fragments included. False when the
 * packet is shorter. */
bool packet_copy_out(const struct packet *packet, size_t offset, void *bytes,
                     size_t length) MUST_CHECK;

/* The checksum sum (wire/checksum.h) of everything from `offset` on. */
uint32_t packet_sum(const struct packet *packet, size_t offset);

/* Completes PACKET_CHECKSUM_PARTIAL in software. */
void packet_finish_checksum(struct packet *packet);

/* Moves the fragments into the linear part. False, and nothing is changed,
 * when there is no room for them behind it. */
bool packet_linearise(struct packet *packet) MUST_CHECK;

static inline size_t packet_headroom(const struct packet *packet)
{
    return (size_t)(packet->data - packet->buffer);
}

static inline size_t packet_tailroom(const struct packet *packet)
{
    size_t reserved =
        packet->fragment_count == 0
            ? 0
            : PACKET_FRAGMENTS_MAX * sizeof(struct packet_fragment);
    return BUFFER_SIZE - reserved - packet_headroom(packet) - packet->length;
}

static inline size_t packet_total_length(const struct packet *packet)
{
    return (size_t)packet->length + packet->fragments_length;
}

/* Memory it really holds, for every queue's byte limit: descriptor, own
 * buffer, and nothing for fragments (their owner is charged). */
static inline size_t packet_true_size(const struct packet *packet)
{
    return sizeof(*packet) + BUFFER_SIZE;
}

static inline void *packet_network_header(const struct packet *packet)
{
    return packet->buffer + packet->network_offset;
}

static inline void *packet_transport_header(const struct packet *packet)
{
    return packet->buffer + packet->transport_offset;
}

/* A first-in first-out list of packets. */
struct packet_queue {
    struct packet *first;
    struct packet *last;
    uint32_t count;
    size_t true_size;
};

void packet_queue_append(struct packet_queue *queue, struct packet *packet);
struct packet *packet_queue_take(struct packet_queue *queue); /* or NULL */

/* The same where they are much of what is done; of a queue that has one. */
static inline void packet_queue_push(struct packet_queue *queue,
                                     struct packet *packet)
{
    packet->next = NULL;
    if (queue->last == NULL)
        queue->first = packet;
    else
        queue->last->next = packet;
    queue->last = packet;
    queue->count++;
    queue->true_size += packet_true_size(packet);
}

static inline struct packet *packet_queue_pop(struct packet_queue *queue)
{
    struct packet *packet = queue->first;

    queue->first = packet->next;
    if (queue->first == NULL)
        queue->last = NULL;
    packet->next = NULL;
    queue->count--;
    queue->true_size -= packet_true_size(packet);
    return packet;
}

void packet_queue_drop_all(struct packet_queue *queue, enum drop_reason reason);

/* --- accounting, for net.c's table and for leak checks in tests ----------- */

const char *drop_reason_name(enum drop_reason reason);
uint64_t drop_count(enum drop_reason reason);
size_t packet_count_total(void);
size_t packet_count_free(void);
size_t packet_count_free_lowest(void);

/* --- within net/packet*.c ------------------------------------------------ */

void packet_counts_init(void);

/* Lets go of what one fragment holds. */
void packet_fragment_release(struct packet_fragment fragment);

/* Lets go of the fragments from the `from`-th on. */
void packet_release_fragments(struct packet *packet, size_t from);
