/* SPDX-License-Identifier: MIT */
/*
 * Once per second: is the card still there, may it still use the bus, does it
 * still send, and receive where we look? A card that hangs is reset as a whole
 * and nothing is replayed; one that was pulled out is left alone for good.
 */
#include "drivers/e1000/device.h"

#include "kernel/console.h"

enum {
    PCI_VENDOR = 0x00,
    PCI_NOBODY = 0xFFFF,
    /* So many seconds without progress are a hang. */
    STALLED_TICKS_MAX = 3,
    ASTRAY_TICKS_MAX = 2,
};

/* Whether the card can neither read nor write memory from now on: PCI takes the
 * bus from one that does not listen to us, too. One that is not there says so
 * by ones. */
static bool take_off_the_bus(struct e1000 *nic)
{
    uint16_t command = pci_read16(nic->pci, PCI_COMMAND);

    pci_write16(nic->pci, PCI_COMMAND,
                command & (uint16_t)~PCI_COMMAND_BUS_MASTER);
    command = pci_read16(nic->pci, PCI_COMMAND);
    return command == PCI_NOBODY || (command & PCI_COMMAND_BUS_MASTER) == 0;
}

/* The stack learns that the cable is out, once; the rings' memory goes back to
 * the pools, unless the card may still use it: then it stays as it is. */
static void leave_service(struct e1000 *nic)
{
    struct netif *netif = &nic->netif;

    nic->state = E1000_FAILED;
    if (take_off_the_bus(nic)) {
        e1000_transmit_free(nic);
        e1000_receive_free(nic);
    }
    netif->transmit_stopped = false;
    if (netif->link_up)
        netif_link_changed(netif, false);
}

static void restart(struct e1000 *nic)
{
    int error;

    e1000_statistics_update(nic);
    e1000_mask(nic);
    ++nic->counters.resets;
    error = e1000_bring_up(nic);
    if (error != 0) {
        log_print(LOG_ERROR, nic->netif.name,
                  "the card does not come back from reset (%d)", -error);
        leave_service(nic);
        return;
    }
    e1000_transmit_free(nic);
    e1000_receive_restart(nic);
    nic->causes = 0;
    nic->stalled_ticks = 0;
    nic->astray_ticks = 0;
    e1000_link_check(nic);
    e1000_transmit_reclaim(nic); /* lets a stopped stack go on */
    e1000_unmask(nic);
}

/* Whether frames were queued for seconds, with a link and nobody's PAUSE in
 * the way, and none of them left. */
static bool transmitter_hangs(struct e1000 *nic)
{
    uint32_t tdh = e1000_read(nic, E1000_TDH);
    bool has_moved =
        nic->tx.consumed != nic->last_consumed || tdh != nic->last_tdh;

    nic->last_consumed = nic->tx.consumed;
    nic->last_tdh = tdh;
    if (has_moved || nic->tx.rung == nic->tx.consumed || !nic->netif.link_up ||
        (e1000_read(nic, E1000_STATUS) & E1000_STATUS_TXOFF) != 0)
        nic->stalled_ticks = 0;
    else
        ++nic->stalled_ticks;
    return nic->stalled_ticks >= STALLED_TICKS_MAX;
}

/* Where no frame is waiting, the chip is about to write. If it is about to
 * write elsewhere, somebody has written into the ring, and the two may wait
 * for each other for ever. */
static bool receiver_is_astray(struct e1000 *nic)
{
    uint32_t head = e1000_read(nic, E1000_RDH);
    bool is_astray =
        head != nic->rx.next % nic->rx.size && !e1000_receive_is_waiting(nic);

    if (!is_astray || nic->rx.next != nic->last_next)
        nic->astray_ticks = 0;
    nic->last_next = nic->rx.next;
    if (is_astray)
        ++nic->astray_ticks;
    return nic->astray_ticks >= ASTRAY_TICKS_MAX;
}

static bool lost_the_bus(struct e1000 *nic)
{
    const uint16_t needed = PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER;

    return (pci_read16(nic->pci, PCI_COMMAND) & needed) != needed;
}

static void reset_because(struct e1000 *nic, const char *reason)
{
    log_print(LOG_WARN, nic->netif.name, "%s: resetting the card", reason);
    e1000_dump(&nic->netif);
    restart(nic);
}

void e1000_tick(struct netif *netif, uint64_t now_ns)
{
    struct e1000 *nic = netif->driver;

    (void)now_ns;
    if (nic->state != E1000_UP)
        return;
    if (pci_read16(nic->pci, PCI_VENDOR) == PCI_NOBODY) {
        log_print(LOG_ERROR, netif->name, "the card is gone");
        leave_service(nic);
        return;
    }
    if (lost_the_bus(nic)) {
        pci_enable(nic->pci);
        reset_because(nic, "bus mastering was switched off");
        return;
    }
    e1000_link_check(nic);
    e1000_moderate(nic);
    e1000_transmit_reclaim(nic);
    if (transmitter_hangs(nic)) {
        ++nic->counters.tx_timeouts;
        reset_because(nic, "the transmitter hangs");
    } else if (receiver_is_astray(nic)) {
        ++nic->counters.rx_timeouts;
        reset_because(nic, "the receive ring is out of step");
    }
    if (nic->hold_ticks > 0 && --nic->hold_ticks == 0)
        netif_schedule(netif);
    e1000_statistics_update(nic);
    if (e1000_options.log_statistics)
        e1000_statistics_log(nic);
}

static void dump_register(struct e1000 *nic, const char *name,
                          enum e1000_register offset)
{
    log_print(LOG_INFO, nic->netif.name, "%-6s %08x", name,
              e1000_read(nic, offset));
}

/* Reads nothing that clears by being read. */
void e1000_dump(struct netif *netif)
{
    struct e1000 *nic = netif->driver;

    if (nic->state != E1000_UP)
        return;
    dump_register(nic, "CTRL", E1000_CTRL);
    dump_register(nic, "STATUS", E1000_STATUS);
    dump_register(nic, "RCTL", E1000_RCTL);
    dump_register(nic, "RDH", E1000_RDH);
    dump_register(nic, "RDT", E1000_RDT);
    dump_register(nic, "TCTL", E1000_TCTL);
    dump_register(nic, "TDH", E1000_TDH);
    dump_register(nic, "TDT", E1000_TDT);
    dump_register(nic, "IMS", E1000_IMS);
    log_print(LOG_INFO, netif->name, "receive: next %u, given %u of %u",
              nic->rx.next, nic->rx.given, nic->rx.size);
    log_print(LOG_INFO, netif->name,
              "transmit: produced %u, rung %u, consumed %u of %u",
              nic->tx.produced, nic->tx.rung, nic->tx.consumed, nic->tx.size);
}
