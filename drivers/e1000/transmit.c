/* SPDX-License-Identifier: MIT */
/*
 * The transmit ring [8254x 3.3, 3.4]. Frames become descriptors at once; the
 * chip is told once per burst (TDT in `kick`). Finished frames are found by
 * the DD bit of the descriptors that carry RS, at every poll and when the ring
 * gets tight; no interrupt is needed for that unless the ring is full. Chips
 * remember one context for checksums and one for segmentation, the 82574L only
 * the last; so only the last is relied on here.
 */
#include "drivers/e1000/device.h"

#include "kernel/memory.h"

#include <string.h>

enum {
    IP_CHECKSUM_OFFSET = 10, /* in the header, RFC 791 3.1 */
    SPLIT_LENGTH = 4,
};

static uint32_t free_descriptors(const struct e1000_tx_ring *ring)
{
    /* One stays empty: TDH meeting TDT means "nothing to send". */
    return ring->size - 1 - (ring->produced - ring->consumed);
}

static void put(struct e1000_tx_ring *ring, uint64_t address, uint32_t command,
                uint32_t status)
{
    volatile struct e1000_tx_descriptor *descriptor =
        &ring->descriptors[ring->produced % ring->size];

    descriptor->address = address;
    descriptor->command = command;
    descriptor->status = status;
    ring->packets[ring->produced % ring->size] = NULL;
    ++ring->produced;
}

/* Marks the last descriptor before `produced` to be written back when done.
 * The chip has not been told of it yet. */
static void ask_for_report(struct e1000 *nic)
{
    struct e1000_tx_ring *ring = &nic->tx;
    uint32_t last = ring->produced - 1;

    if (ring->report_produced != ring->report_consumed &&
        ring->reports[(ring->report_produced - 1) % ring->size] == last)
        return;
    ring->descriptors[last % ring->size].command |= E1000_TX_RS;
    ring->reports[ring->report_produced % ring->size] = last;
    ++ring->report_produced;
    ++nic->counters.tx_reports;
}

/* The one register write of this file. */
static void doorbell(struct e1000 *nic)
{
    struct e1000_tx_ring *ring = &nic->tx;

    if (ring->rung == ring->produced)
        return;
    ask_for_report(nic);
    ring->rung = ring->produced;
    ++nic->counters.tx_doorbells;
    /* The descriptors must be in memory before the chip is told of them. */
    cpu_barrier_write();
    e1000_write(nic, E1000_TDT, ring->produced % ring->size);
}

static void release(struct e1000_tx_ring *ring, uint32_t end,
                    void (*finish)(struct packet *packet))
{
    while (ring->consumed != end) {
        uint32_t slot = ring->consumed % ring->size;
        if (ring->packets[slot] != NULL)
            finish(ring->packets[slot]);
        ring->packets[slot] = NULL;
        ++ring->consumed;
    }
}

static void collect(struct e1000_tx_ring *ring)
{
    while (ring->report_consumed != ring->report_produced) {
        uint32_t number = ring->reports[ring->report_consumed % ring->size];
        uint32_t status = ring->descriptors[number % ring->size].status;
        if ((status & E1000_TX_DD) == 0)
            break;
        ++ring->report_consumed;
        release(ring, number + 1, packet_free);
    }
}

/* Frees what was sent, and lets the stack go on if it was stopped. */
void e1000_transmit_reclaim(struct e1000 *nic)
{
    collect(&nic->tx);
    if (nic->netif.transmit_stopped &&
        free_descriptors(&nic->tx) >= nic->tx.size / 2) {
        nic->netif.transmit_stopped = false;
        ++nic->counters.tx_resumed;
        netif_transmit_resume(&nic->netif);
    }
}

static void drop_after_reset(struct packet *packet)
{
    packet_drop(packet, DROP_LINK_DOWN);
}

/* Empties the ring; the chip must have been stopped. */
void e1000_transmit_free(struct e1000 *nic)
{
    struct e1000_tx_ring *ring = &nic->tx;

    for (uint32_t number = ring->consumed; number != ring->produced; ++number)
        if (ring->packets[number % ring->size] != NULL)
            ++nic->counters.tx_dropped_reset;
    release(ring, ring->produced, drop_after_reset);
    ring->produced = 0;
    ring->consumed = 0;
    ring->rung = 0;
    ring->report_produced = 0;
    ring->report_consumed = 0;
    ring->context = 0;
    ring->after_segmented = false;
}

static uint32_t piece_limit(const struct packet *packet)
{
    uint32_t limit = (uint32_t)E1000_TX_PIECE_SEGMENTS * packet->segment_size;

    return limit == 0 || limit > E1000_TX_PIECE_MAX ? E1000_TX_PIECE_MAX
                                                    : limit;
}

static uint32_t descriptors_for(const struct packet *packet)
{
    const struct packet_fragment *fragments = packet_fragments(packet);
    uint32_t limit = piece_limit(packet);
    /* context, padding, last bytes of a segmented packet */
    uint32_t count = (uint32_t)packet->length / limit + 4;

    for (size_t i = 0; i < packet->fragment_count; ++i)
        count += (uint32_t)fragments[i].length / limit + 1;
    return count;
}

/* Tells the chip where the checksum of the next frames begins and where it
 * goes [8254x 3.3.6]; it remembers, so equal frames need no second context.
 * The pseudo-header's sum already stands in the field. */
static void put_checksum_context(struct e1000_tx_ring *ring,
                                 const struct packet *packet)
{
    uint64_t start = packet->checksum_start - packet_headroom(packet);
    uint64_t field = start + packet->checksum_offset;
    uint64_t context = start << 32 | field << 40; /* TUCSE 0: to the end */

    if (context == ring->context)
        return;
    put(ring, context, E1000_TX_CONTEXT, 0);
    ring->context = context;
}

/* For a large packet: where its headers are, how long, and what fits a frame
 * [8254x 3.3.6.1, 3.5]. The IP checksum too is made for each frame. */
static void put_segmentation_context(struct e1000_tx_ring *ring,
                                     const struct packet *packet)
{
    uint64_t ip = packet->network_offset - packet_headroom(packet);
    uint64_t tcp = packet->transport_offset - packet_headroom(packet);
    uint64_t context = ip | (ip + IP_CHECKSUM_OFFSET) << 8 | (tcp - 1) << 16 |
                       tcp << 32 | (tcp + packet->checksum_offset) << 40;

    put(ring, context,
        E1000_TX_CONTEXT | E1000_TX_TSE | E1000_TX_CONTEXT_TCP |
            E1000_TX_CONTEXT_IPV4 | packet->fragments_length,
        E1000_TX_HDRLEN(packet->length) | E1000_TX_MSS(packet->segment_size));
    ring->context = 0;
}

static void put_pieces(struct e1000_tx_ring *ring, const uint8_t *data,
                       size_t length, uint32_t command, uint32_t status)
{
    while (length > 0) {
        size_t piece = length;
        if (piece > ring->piece_max)
            piece = ring->piece_max;
        put(ring, memory_physical(data), command | (uint32_t)piece, status);
        data += piece;
        length -= piece;
    }
}

/* Brings a frame to 60 bytes. The chip's own padding (TCTL.PSP) is not
 * trusted: QEMU has none, and early chips corrupt frames with it. */
static void pad(struct e1000 *nic, struct packet *packet, uint32_t command,
                uint32_t status)
{
    size_t length = packet_total_length(packet);

    if (length >= ETHERNET_MINIMUM_LENGTH)
        return;
    ++nic->counters.tx_padded;
    put_pieces(&nic->tx, nic->tx.zeros, ETHERNET_MINIMUM_LENGTH - length,
               command, status);
}

/* A short linear frame is padded in place: one descriptor less. */
static void pad_in_place(struct e1000 *nic, struct packet *packet)
{
    size_t missing;

    if (packet->fragment_count != 0 ||
        packet->length >= ETHERNET_MINIMUM_LENGTH)
        return;
    missing = ETHERNET_MINIMUM_LENGTH - packet->length;
    if (packet_tailroom(packet) < missing)
        return;
    ++nic->counters.tx_padded;
    memset(packet_append(packet, missing), 0, missing);
}

/* What the context and the descriptors of a packet say beside its bytes. */
static void describe(struct e1000 *nic, const struct packet *packet,
                     uint32_t *command, uint32_t *status)
{
    struct e1000_tx_ring *ring = &nic->tx;

    *command = E1000_TX_IFCS;
    *status = 0;
    if (packet->has_vlan_tag) {
        *command |= E1000_TX_VLE;
        *status |= E1000_TX_VLAN(packet->vlan_tag);
    }
    if (packet->checksum != PACKET_CHECKSUM_PARTIAL)
        return;
    *command |= E1000_TX_DATA;
    *status |= E1000_TX_TXSM;
    if (packet->segment_size == 0) {
        put_checksum_context(ring, packet);
        return;
    }
    put_segmentation_context(ring, packet);
    *command |= E1000_TX_TSE;
    *status |= E1000_TX_IXSM;
    ++nic->counters.tx_segmented;
}

/* Erratum: chips write the last descriptor of a segmented packet back, or the
 * next one that is a whole frame, before they have read its bytes. Four bytes
 * in a descriptor of their own make up for it. */
static void split_last(struct e1000_tx_ring *ring, const struct packet *packet)
{
    uint32_t slot = (ring->produced - 1) % ring->size;
    volatile struct e1000_tx_descriptor *last = &ring->descriptors[slot];
    uint32_t length = last->command & E1000_TX_LENGTH;
    bool is_after = ring->after_segmented;

    ring->after_segmented = packet->segment_size != 0;
    if (length <= 2 * SPLIT_LENGTH ||
        (packet->segment_size == 0 &&
         (!is_after || packet->fragment_count != 0)))
        return;
    last->command -= SPLIT_LENGTH;
    put(ring, last->address + (length - SPLIT_LENGTH),
        (last->command & ~E1000_TX_LENGTH) | SPLIT_LENGTH, last->status);
}

static void encapsulate(struct e1000 *nic, struct packet *packet)
{
    struct e1000_tx_ring *ring = &nic->tx;
    const struct packet_fragment *fragments = packet_fragments(packet);
    uint32_t first = ring->produced;
    uint32_t command;
    uint32_t status;

    pad_in_place(nic, packet);
    /* QEMU's 82574L counts padding into the length it sums; zeros do not
     * matter to us. */
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL &&
        packet_total_length(packet) <= ETHERNET_MINIMUM_LENGTH)
        packet_finish_checksum(packet);
    describe(nic, packet, &command, &status);
    ring->piece_max = piece_limit(packet);
    put_pieces(ring, packet->data, packet->length, command, status);
    for (size_t i = 0; i < packet->fragment_count; ++i)
        put_pieces(ring, fragments[i].data, fragments[i].length, command,
                   status);
    pad(nic, packet, command, status);
    split_last(ring, packet);
    ring->descriptors[(ring->produced - 1) % ring->size].command |=
        E1000_TX_EOP;
    ring->packets[(ring->produced - 1) % ring->size] = packet;
    nic->counters.tx_descriptors += ring->produced - first;
}

static bool report_is_due(const struct e1000_tx_ring *ring)
{
    uint32_t since = ring->consumed;

    if (ring->report_produced != ring->report_consumed)
        since = ring->reports[(ring->report_produced - 1) % ring->size] + 1;
    return ring->produced - since >= E1000_TX_REPORT_INTERVAL;
}

/* Makes room at once if the chip has finished anything; what a chip has not
 * been told of it cannot finish. */
static bool has_room(struct e1000 *nic, uint32_t needed)
{
    if (free_descriptors(&nic->tx) >= needed)
        return true;
    doorbell(nic);
    collect(&nic->tx);
    return free_descriptors(&nic->tx) >= needed;
}

/* One descriptor is enough, and there is room for whatever may follow. */
static inline bool is_plain(const struct e1000 *nic,
                            const struct packet *packet)
{
    return packet->fragment_count == 0 && !packet->has_vlan_tag &&
           packet->checksum != PACKET_CHECKSUM_PARTIAL &&
           packet->length >= ETHERNET_MINIMUM_LENGTH &&
           packet->length <= E1000_TX_PIECE_MAX && !nic->tx.after_segmented &&
           free_descriptors(&nic->tx) > E1000_TX_RESERVE;
}

static inline void put_plain(struct e1000 *nic, struct packet *packet)
{
    struct e1000_tx_ring *ring = &nic->tx;
    uint32_t slot = ring->produced % ring->size;

    put(ring, memory_physical(packet->data),
        E1000_TX_IFCS | E1000_TX_EOP | packet->length, 0);
    ring->packets[slot] = packet;
    ++nic->counters.tx_descriptors;
}

void e1000_transmit(struct netif *netif, struct packet *packet)
{
    struct e1000 *nic = netif->driver;

    if (nic->state != E1000_UP || !netif->link_up) {
        ++nic->counters.tx_dropped_link;
        packet_drop(packet, DROP_LINK_DOWN);
        return;
    }
    ++nic->counters.tx_frames;
    nic->counters.tx_bytes += packet_total_length(packet);
    if (is_plain(nic, packet)) {
        put_plain(nic, packet);
    } else if (packet_total_length(packet) != 0 &&
               has_room(nic, descriptors_for(packet))) {
        encapsulate(nic, packet);
    } else {
        --nic->counters.tx_frames;
        nic->counters.tx_bytes -= packet_total_length(packet);
        ++nic->counters.tx_dropped_full;
        packet_drop(packet, DROP_TRANSMIT_FULL);
        return;
    }
    if (report_is_due(&nic->tx))
        ask_for_report(nic);
    if (!has_room(nic, E1000_TX_RESERVE)) {
        netif->transmit_stopped = true;
        ++nic->counters.tx_stopped;
        e1000_unmask_transmit(nic);
    }
}

void e1000_transmit_kick(struct netif *netif)
{
    struct e1000 *nic = netif->driver;

    if (nic->state == E1000_UP)
        doorbell(nic);
}
