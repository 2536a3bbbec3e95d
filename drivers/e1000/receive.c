/* SPDX-License-Identifier: MIT */
/*
 * The receive ring [8254x 3.2]. Each slot always holds a buffer: a frame is
 * handed up only when another buffer could be put in its place, so the ring
 * never has a hole and an empty pool costs frames, not the receiver.
 * Deliberately missing: frames that span several buffers are dropped whole.
 */
#include "drivers/e1000/device.h"

#include "kernel/memory.h"

#include <errno.h>

/* With RCTL.LPE off no frame is longer than 1522 bytes [8254x 13.4.22], so
 * the chip never uses the whole of the 2048 it believes each buffer to have,
 * and the rest may be our headroom. */
_Static_assert(1522 + PACKET_RECEIVE_HEADROOM <= BUFFER_SIZE,
               "a frame fits behind the headroom");

static void give_to_chip(struct e1000 *nic, uint32_t slot)
{
    volatile struct e1000_rx_descriptor *descriptor =
        &nic->rx.descriptors[slot];
    /* The chip ORs its bits into what stands there [8254x 3.2.3.1]. */
    descriptor->status = 0;
    descriptor->errors = 0;
    descriptor->length = 0;
    descriptor->special = 0;
    descriptor->address =
        memory_physical(nic->rx.buffers[slot] + nic->headroom);
}

/* The one register write of this file. RDT names the first descriptor that
 * the chip may not use. */
static void doorbell(struct e1000 *nic)
{
    struct e1000_rx_ring *ring = &nic->rx;

    ring->given = ring->next;
    ++nic->counters.rx_doorbells;
    /* The descriptors must be in memory before the chip is told of them. */
    cpu_barrier_write();
    e1000_write(nic, E1000_RDT, (ring->next - 1) % ring->size);
}

/* Gives every slot a buffer. -ENOMEM when the pool has too few: then the ring
 * is left without any. */
int e1000_receive_fill(struct e1000 *nic)
{
    struct e1000_rx_ring *ring = &nic->rx;

    for (uint32_t slot = 0; slot < ring->size; ++slot) {
        ring->buffers[slot] = buffer_alloc();
        if (ring->buffers[slot] == NULL) {
            e1000_receive_free(nic);
            return -ENOMEM;
        }
    }
    return 0;
}

/* Hands the whole ring to a chip whose RDH is 0. */
void e1000_receive_restart(struct e1000 *nic)
{
    nic->rx.verifies = (nic->chip->quirks & E1000_QUIRK_RX_CHECKSUM) != 0 &&
                       e1000_options.rx_checksum;
    e1000_write(nic, E1000_RXCSUM,
                nic->rx.verifies ? E1000_RXCSUM_IPOFL | E1000_RXCSUM_TUOFL : 0);
    for (uint32_t slot = 0; slot < nic->rx.size; ++slot)
        give_to_chip(nic, slot);
    nic->rx.next = 0;
    nic->rx.discarding = false;
    doorbell(nic);
}

/* The chip must not be able to write any more. */
void e1000_receive_free(struct e1000 *nic)
{
    for (uint32_t slot = 0; slot < nic->rx.size; ++slot) {
        buffer_release(nic->rx.buffers[slot]);
        nic->rx.buffers[slot] = NULL;
    }
}

bool e1000_receive_is_waiting(const struct e1000 *nic)
{
    uint32_t slot = nic->rx.next % nic->rx.size;
    return (nic->rx.descriptors[slot].status & E1000_RX_DD) != 0;
}

/* Whether the descriptor holds one whole, undamaged frame. What it says is
 * not trusted: only a length that fits the buffer is believed. */
static bool is_deliverable(struct e1000 *nic,
                           const struct e1000_rx_descriptor *seen)
{
    struct e1000_rx_ring *ring = &nic->rx;
    bool is_last = (seen->status & E1000_RX_EOP) != 0;

    if (ring->discarding || !is_last) {
        ring->discarding = !is_last;
        if (is_last)
            ++nic->counters.rx_dropped_split;
        return false;
    }
    if ((seen->errors & E1000_RX_ERRORS) != 0) {
        ++nic->counters.rx_dropped_error;
        return false;
    }
    if (seen->length < ETHERNET_HEADER_LENGTH ||
        seen->length > BUFFER_SIZE - nic->headroom) {
        ++nic->counters.rx_dropped_length;
        return false;
    }
    return true;
}

/* Whether the chip found the checksum of TCP or UDP right. Where it found it
 * wrong the stack shall see for itself, and count. */
static bool is_verified(const struct e1000 *nic,
                        const struct e1000_rx_descriptor *seen)
{
    return nic->rx.verifies &&
           (seen->status & (E1000_RX_IXSM | E1000_RX_TCPCS)) ==
               E1000_RX_TCPCS &&
           (seen->errors & E1000_RX_TCPE) == 0;
}

/* Replaces the slot's buffer and hands the old one up as a packet. */
static void deliver(struct e1000 *nic, uint32_t slot,
                    const struct e1000_rx_descriptor *seen)
{
    uint8_t *filled = nic->rx.buffers[slot];
    uint8_t *fresh = buffer_alloc();
    struct packet *packet;

    if (fresh == NULL) {
        ++nic->counters.rx_dropped_memory;
        ++nic->netif.counters.rx_dropped;
        give_to_chip(nic, slot);
        return;
    }
    nic->rx.buffers[slot] = fresh;
    give_to_chip(nic, slot);
    packet = packet_alloc_around(filled, nic->headroom);
    packet->length = seen->length;
    packet->netif = &nic->netif;
    if ((seen->status & E1000_RX_VP) != 0) {
        packet->has_vlan_tag = true;
        packet->vlan_tag = seen->special;
    }
    if (is_verified(nic, seen)) {
        packet->checksum = PACKET_CHECKSUM_VERIFIED;
        ++nic->counters.rx_verified;
    }
    ++nic->counters.rx_frames;
    nic->counters.rx_bytes += seen->length;
    netif_receive(&nic->netif, packet);
}

/* So many buffers are worth a doorbell of their own; fewer wait for the next
 * frames: the chip has three quarters of its ring or more meanwhile. */
static uint32_t group_size(const struct e1000_rx_ring *ring)
{
    return ring->size < 4 * E1000_RX_BATCH ? ring->size / 4 : E1000_RX_BATCH;
}

/* Takes at most `budget` descriptors; less means that the ring was empty. */
size_t e1000_receive(struct e1000 *nic, size_t budget)
{
    struct e1000_rx_ring *ring = &nic->rx;
    size_t done = 0;

    while (done < budget && e1000_receive_is_waiting(nic)) {
        uint32_t slot = ring->next % ring->size;
        struct e1000_rx_descriptor seen;

        /* DD was seen; the rest of the descriptor is read after it. */
        cpu_barrier_read();
        seen.status = ring->descriptors[slot].status;
        seen.errors = ring->descriptors[slot].errors;
        seen.length = ring->descriptors[slot].length;
        seen.special = ring->descriptors[slot].special;
        ++ring->next;
        ++done;
        if (is_deliverable(nic, &seen))
            deliver(nic, slot, &seen);
        else
            give_to_chip(nic, slot);
        if (ring->next - ring->given >= E1000_RX_BATCH)
            doorbell(nic);
    }
    if (ring->next - ring->given >= group_size(ring))
        doorbell(nic);
    return done;
}
