/* SPDX-License-Identifier: MIT */
/*
 * The driver for Intel's 8254x Gigabit Ethernet controllers and the 82574L,
 * in the order of the manual's chapter 14: find, general initialisation,
 * receive, transmit; then interrupt, poll and what the stack calls. [8254x]
 * is Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual". Left out: MSI-X, several queues, jumbo frames.
 *
 * Read device.h for the structures, then this; receive.c and transmit.c hold
 * the rings, hardware.c and link.c what is done rarely.
 */
#include "drivers/e1000/e1000.h"

#include "drivers/e1000/device.h"
#include "kernel/console.h"
#include "kernel/interrupt.h"
#include "kernel/memory.h"
#include "kernel/softirq.h"

#include <errno.h>
#include <string.h>

#define RECEIVE_CAUSES (E1000_CAUSE_RXT0 | E1000_CAUSE_RXDMT0 | E1000_CAUSE_RXO)
#define LINK_CAUSES    (E1000_CAUSE_LSC | E1000_CAUSE_RXSEQ)

enum {
    VENDOR_INTEL = 0x8086,
    /* Erratum 23: no ring may cross 64 KiB; 4096 bytes at a multiple of that
     * do not, and longer rings are aligned to their own size. */
    RING_ALIGNMENT = 4096,
    /* All cards' receive buffers: a fifth of the pool, which is made later,
     * of 3/16 of the memory left now. */
    POOL_PARTS = 5,
    POOL_MEMORY_SHARE = 3,
    POOL_MEMORY_PARTS = 16,
    /* What is moved is judged after so many polls. */
    POLLS_JUDGED = 32,
};

static const struct e1000_chip chips[] = {
    {0x100C, 0, "82544GC"},
    {0x100E, 0, "82540EM"},
    {0x100F, 0, "82545EM"},
    {0x10D3,
     E1000_QUIRK_COUNT_DESCRIPTORS | E1000_QUIRK_MANAGED |
         E1000_QUIRK_NO_SPEED_DETECTION | E1000_QUIRK_RX_CHECKSUM,
     "82574L"},
};

static struct e1000 *cards[NETIF_MAX];
static size_t card_count;

/* --- Finding the cards --- */

static const struct e1000_chip *chip_of(const struct pci_device *pci)
{
    if (pci->vendor != VENDOR_INTEL)
        return NULL;
    for (size_t i = 0; i < ARRAY_COUNT(chips); ++i)
        if (chips[i].device == pci->device)
            return &chips[i];
    return NULL;
}

/* The registers are behind the first memory BAR that is large enough; its
 * number differs between chips. */
static uint8_t *map_registers(const struct pci_device *pci)
{
    for (unsigned int i = 0; i < PCI_BAR_COUNT; ++i)
        if (pci->bar[i].kind == PCI_BAR_MEMORY &&
            pci->bar[i].size >= E1000_REGISTER_BYTES)
            return pci->bar[i].address == 0 ? NULL : pci_map_bar(pci, i);
    return NULL;
}

static uint32_t receive_ring_size(size_t count)
{
    size_t pool = memory_available() / POOL_MEMORY_PARTS * POOL_MEMORY_SHARE /
                  BUFFER_SIZE;
    uint32_t size = E1000_RING_SIZE;

    if (e1000_options.rx_ring != 0)
        return e1000_options.rx_ring;
    if (pool < POOL_BUFFERS_MIN)
        pool = POOL_BUFFERS_MIN;
    if (pool > POOL_BUFFERS_MAX)
        pool = POOL_BUFFERS_MAX;
    while (size > E1000_RING_SIZE_MIN && size * count > pool / POOL_PARTS)
        size /= 2;
    return size;
}

static void *take_ring(uint32_t size)
{
    size_t bytes = size * sizeof(struct e1000_rx_descriptor);
    return memory_take(bytes, bytes > RING_ALIGNMENT ? bytes : RING_ALIGNMENT);
}

static int take_memory(struct e1000 *nic, uint32_t receive_size)
{
    struct e1000_rx_ring *rx = &nic->rx;
    struct e1000_tx_ring *tx = &nic->tx;

    rx->size = receive_size;
    rx->descriptors = take_ring(rx->size);
    rx->buffers = memory_take(rx->size * sizeof(*rx->buffers), 0);
    tx->size = e1000_options.tx_ring;
    if (tx->size == 0)
        tx->size = E1000_RING_SIZE;
    tx->descriptors = take_ring(tx->size);
    tx->packets = memory_take(tx->size * sizeof(*tx->packets), 0);
    tx->reports = memory_take(tx->size * sizeof(*tx->reports), 0);
    tx->zeros = memory_take(E1000_PADDING, E1000_PADDING);
    if (rx->descriptors == NULL || rx->buffers == NULL ||
        tx->descriptors == NULL || tx->packets == NULL || tx->reports == NULL ||
        tx->zeros == NULL)
        return -ENOMEM;
    return 0;
}

/* Why a card that is there cannot be used; NULL: it listens now. */
static const char *probe(struct e1000 *nic, uint32_t receive_size)
{
    pci_enable(nic->pci);
    if (!e1000_options.msi)
        nic->pci->msi_capability = 0;
    nic->registers = map_registers(nic->pci);
    if (nic->registers == NULL)
        return "firmware gave its registers no address";
    if (take_memory(nic, receive_size) != 0)
        return "no memory for its rings";
    nic->headroom = PACKET_RECEIVE_HEADROOM;
    nic->rctl =
        E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_VFE | E1000_RCTL_SECRC;
    if (e1000_options.long_packets) {
        /* Now the chip may fill a buffer to its end. */
        nic->rctl |= E1000_RCTL_LPE;
        nic->headroom = 0;
    }
    switch (e1000_bring_up(nic)) {
    case 0:
        break;
    case -EADDRNOTAVAIL:
        return "neither registers nor EEPROM hold a valid address";
    default:
        return "it does not answer";
    }
    e1000_statistics_reset(nic);
    return NULL;
}

static void report_stranger(const struct pci_device *pci)
{
    if (pci->class_code == PCI_CLASS_NETWORK)
        log_print(LOG_WARN, "e1000",
                  "no driver for the network card %04x:%04x at %02x:%02x.%u, "
                  "only for e1000 and e1000e",
                  pci->vendor, pci->device, pci->bus, pci->slot, pci->function);
}

size_t e1000_probe_all(void)
{
    uint32_t receive_size;
    size_t present = 0;

    for (size_t i = 0; i < pci_count(); ++i)
        if (chip_of(pci_at(i)) != NULL)
            ++present;
    receive_size = receive_ring_size(present);
    for (size_t i = 0; i < pci_count() && card_count < NETIF_MAX; ++i) {
        struct pci_device *pci = pci_at(i);
        const struct e1000_chip *chip = chip_of(pci);
        const char *trouble = "no memory";
        struct e1000 *nic;

        if (chip == NULL) {
            report_stranger(pci);
            continue;
        }
        nic = memory_take(sizeof(*nic), 0);
        if (nic != NULL) {
            nic->chip = chip;
            nic->pci = pci;
            trouble = probe(nic, receive_size);
        }
        if (trouble == NULL)
            cards[card_count++] = nic;
        else
            log_print(LOG_ERROR, "e1000", "%s at %02x:%02x.%u: %s", chip->name,
                      pci->bus, pci->slot, pci->function, trouble);
    }
    return card_count;
}

/* --- Initialisation, in the manual's order --- */

/* [8254x 14.3] General: quiet, address, filters, link. */
static int initialise_general(struct e1000 *nic)
{
    int error = e1000_reset(nic);

    if (error != 0)
        return error;
    if (nic->state == E1000_PROBED) {
        e1000_eeprom_probe(nic);
        error = e1000_mac_read(nic);
        if (error != 0)
            return error;
    }
    if ((nic->chip->quirks & E1000_QUIRK_MANAGED) != 0)
        e1000_write(nic, E1000_CTRL_EXT,
                    e1000_read(nic, E1000_CTRL_EXT) | E1000_CTRL_EXT_DRV_LOAD);
    e1000_write(nic, E1000_VET, ETHERNET_TYPE_VLAN);
    e1000_flow_control_init(nic);
    e1000_filters_init(nic);
    return 0;
}

/* [8254x 14.4] Receive: an empty ring (RDH = RDT: the chip owns nothing),
 * then RCTL, once, with its final value. Buffers come later, by RDT alone:
 * QEMU's model holds all frames back for a second after each RCTL write. */
static void initialise_receive(struct e1000 *nic)
{
    uint64_t base = memory_physical((const void *)nic->rx.descriptors);

    e1000_write(nic, E1000_RDBAL, (uint32_t)base);
    e1000_write(nic, E1000_RDBAH, (uint32_t)(base >> 32));
    e1000_write(nic, E1000_RDLEN,
                nic->rx.size * (uint32_t)sizeof(*nic->rx.descriptors));
    e1000_write(nic, E1000_RDH, 0);
    e1000_write(nic, E1000_RDT, 0);
    /* No delays: RDTR is known to hang early chips, ITR does it better. */
    e1000_write(nic, E1000_RDTR, 0);
    e1000_write(nic, E1000_RADV, 0);
    e1000_write(nic, E1000_RSRPD, 0);
    nic->interrupt_gap = e1000_options.interrupt_gap;
    if (nic->interrupt_gap == E1000_GAP_ADAPTIVE)
        nic->interrupt_gap = 0;
    e1000_write(nic, E1000_ITR, nic->interrupt_gap);
    e1000_write(nic, E1000_RXDCTL, 0);
    /* Until the ring has buffers. */
    e1000_write(nic, E1000_RXCSUM, 0);
    e1000_write(nic, E1000_RCTL, nic->rctl);
    ++nic->counters.rctl_writes;
}

/* [8254x 14.5] Transmit. Each descriptor that asks for it is written back at
 * once; other thresholds hang early chips. */
static void initialise_transmit(struct e1000 *nic)
{
    uint64_t base = memory_physical((const void *)nic->tx.descriptors);
    uint32_t control = E1000_TXDCTL_GRAN | E1000_TXDCTL_WTHRESH;

    if ((nic->chip->quirks & E1000_QUIRK_COUNT_DESCRIPTORS) != 0)
        control |= E1000_TXDCTL_COUNT;
    e1000_write(nic, E1000_TDBAL, (uint32_t)base);
    e1000_write(nic, E1000_TDBAH, (uint32_t)(base >> 32));
    e1000_write(nic, E1000_TDLEN,
                nic->tx.size * (uint32_t)sizeof(*nic->tx.descriptors));
    e1000_write(nic, E1000_TDH, 0);
    e1000_write(nic, E1000_TDT, 0);
    e1000_write(nic, E1000_TIPG, E1000_TIPG_COPPER);
    e1000_write(nic, E1000_TIDV, 0);
    e1000_write(nic, E1000_TADV, 0);
    e1000_write(nic, E1000_TXDCTL, control);
    e1000_write(nic, E1000_TCTL,
                E1000_TCTL_EN | E1000_TCTL_PSP | E1000_TCTL_CT |
                    E1000_TCTL_COLD_FD | E1000_TCTL_RTLC);
}

/* From any state to a chip that listens and has no buffers. -errno if it does
 * not answer or has no address. */
int e1000_bring_up(struct e1000 *nic)
{
    int error = initialise_general(nic);

    if (error != 0)
        return error;
    initialise_receive(nic);
    initialise_transmit(nic);
    e1000_link_init(nic);
    return 0;
}

/* --- Interrupts --- */

void e1000_mask(struct e1000 *nic)
{
    nic->unmasked = 0;
    e1000_write(nic, E1000_IMC, UINT32_MAX);
}

/* With interrupts off, because the handler must never see a chip that differs
 * from what `unmasked` says. */
void e1000_unmask(struct e1000 *nic)
{
    bool were_enabled = cpu_interrupts_save();

    nic->unmasked = RECEIVE_CAUSES | LINK_CAUSES;
    if (nic->netif.transmit_stopped)
        nic->unmasked |= E1000_CAUSE_TXDW;
    e1000_write(nic, E1000_IMS, nic->unmasked);
    cpu_interrupts_restore(were_enabled);
}

/* The ring is full: from now on a finished transmit is worth an interrupt.
 * If everything is masked a poll is on its way, and will see to it. */
void e1000_unmask_transmit(struct e1000 *nic)
{
    bool were_enabled = cpu_interrupts_save();

    if (nic->unmasked != 0) {
        nic->unmasked |= E1000_CAUSE_TXDW;
        e1000_write(nic, E1000_IMS, E1000_CAUSE_TXDW);
    }
    cpu_interrupts_restore(were_enabled);
}

static void count_interrupt(struct e1000 *nic, uint32_t causes)
{
    ++nic->counters.interrupts;
    if ((causes & E1000_CAUSE_RXT0) != 0)
        ++nic->counters.interrupts_receive;
    if ((causes & E1000_CAUSE_TXDW) != 0)
        ++nic->counters.interrupts_transmit;
    if ((causes & LINK_CAUSES) != 0)
        ++nic->counters.interrupts_link;
}

/* Hardirq. Reading ICR acknowledges every cause at once, so it is read once
 * and all it says is kept. A card on a shared line has causes that are masked
 * (a finished transmit, say): those are no reason to claim the interrupt. */
static bool interrupt(void *context)
{
    struct e1000 *nic = context;
    uint32_t causes;

    if (nic->state != E1000_UP)
        return false;
    causes = e1000_read(nic, E1000_ICR);
    if (causes == UINT32_MAX)
        return false; /* it was pulled out: for the watchdog */
    nic->causes |= causes;
    if ((causes & E1000_CAUSE_RXO) != 0)
        ++nic->counters.interrupts_overrun;
    if ((causes & nic->unmasked) == 0) {
        if (nic->is_answered) {
            nic->is_answered = false;
            return true;
        }
        ++nic->counters.interrupts_foreign;
        return false;
    }
    nic->is_answered = false;
    count_interrupt(nic, causes);
    e1000_mask(nic);
    netif_schedule(&nic->netif);
    return true;
}

/* --- The bottom half --- */

static void act_on_causes(struct e1000 *nic)
{
    bool were_enabled;
    uint32_t causes;

    if (nic->causes == 0)
        return;
    were_enabled = cpu_interrupts_save();
    causes = nic->causes;
    nic->causes = 0;
    cpu_interrupts_restore(were_enabled);
    if ((causes & LINK_CAUSES) != 0)
        e1000_link_check(nic);
}

/* Softirq. When the ring is found empty the causes are unmasked and the ring
 * is looked at once more: a frame that came between the last look and the
 * unmasking may have had its cause read by an interrupt of a neighbour on the
 * line, and would wait for ever. */
static size_t poll(struct netif *netif, size_t budget)
{
    struct e1000 *nic = netif->driver;
    size_t done;

    if (nic->state != E1000_UP)
        return 0;
    ++nic->counters.polls;
    act_on_causes(nic);
    if (nic->hold_ticks > 0) {
        e1000_transmit_reclaim(nic);
        return 0;
    }
    done = e1000_receive(nic, budget);
    netif_flush(); /* answers leave before anything is tidied up */
    e1000_transmit_reclaim(nic);
    if (++nic->polls_judged >= POLLS_JUDGED)
        e1000_moderate(nic);
    if (done == budget)
        return done;
    e1000_unmask(nic);
    if (e1000_receive_is_waiting(nic) || (nic->causes & LINK_CAUSES) != 0)
        netif_schedule(netif);
    return done;
}

/* --- Into service --- */

static const struct netif_operations operations = {
    .transmit = e1000_transmit,
    .kick = e1000_transmit_kick,
    .poll = poll,
    .set_multicast = e1000_filter_multicast,
    .statistics = e1000_statistics_visit,
    .dump = e1000_dump,
    .tick = e1000_tick,
};

static const char *eeprom_name(const struct e1000 *nic)
{
    if (nic->eeprom_done == E1000_EERD_DONE_SMALL)
        return "small";
    return nic->eeprom_done == E1000_EERD_DONE_LARGE ? "large" : "no";
}

static void report(const struct e1000 *nic)
{
    const uint8_t *octet = nic->netif.address.octet;

    log_print(LOG_INFO, nic->netif.name,
              "%s at %02x:%02x.%u, %02x:%02x:%02x:%02x:%02x:%02x, "
              "%s EEPROM, rings %u/%u",
              nic->chip->name, nic->pci->bus, nic->pci->slot,
              nic->pci->function, octet[0], octet[1], octet[2], octet[3],
              octet[4], octet[5], eeprom_name(nic), nic->rx.size, nic->tx.size);
}

/* Why a card that listens cannot be used; NULL: it is in service. */
static const char *start(struct e1000 *nic)
{
    struct netif *netif = &nic->netif;

    if (e1000_receive_fill(nic) != 0)
        return "too few buffers for its receive ring";
    netif->operations = &operations;
    netif->driver = nic;
    netif->mtu = ETHERNET_MTU;
    netif->features = NETIF_VLAN_STRIP | NETIF_VLAN_INSERT;
    if (e1000_options.gather)
        netif->features |= NETIF_TX_FRAGMENTS;
    if (e1000_options.checksum)
        netif->features |= NETIF_TX_CHECKSUM;
    if (e1000_options.tso)
        netif->features |= NETIF_TX_SEGMENT;
    if (netif_register(netif) != 0) {
        e1000_receive_free(nic);
        return "too many interfaces";
    }
    if (interrupt_request_pci(nic->pci, interrupt, nic) != 0) {
        e1000_receive_free(nic);
        return "no interrupt for it";
    }
    report(nic);
    nic->hold_ticks = e1000_options.hold;
    nic->state = E1000_UP;
    e1000_receive_restart(nic);
    e1000_link_check(nic);
    e1000_unmask(nic);
    return NULL;
}

/* Interrupts off. Does what the interrupt would that the chip still holds back,
 * or that waits for interrupts to be on: then it comes afterwards, finds
 * nothing, and is no stray for that. */
static bool look(void)
{
    for (size_t i = 0; i < card_count; ++i) {
        struct e1000 *nic = cards[i];

        if (nic->state == E1000_UP && e1000_receive_is_waiting(nic) &&
            interrupt(nic)) {
            nic->is_answered = true;
            return true;
        }
    }
    return false;
}

size_t e1000_start_all(void)
{
    size_t started = 0;

    if (e1000_options.look)
        softirq_set_idle_look(look);

    for (size_t i = 0; i < card_count; ++i) {
        struct e1000 *nic = cards[i];
        const char *trouble = start(nic);

        if (trouble == NULL) {
            ++started;
            continue;
        }
        nic->state = E1000_FAILED;
        log_print(LOG_ERROR, "e1000", "%s at %02x:%02x.%u: %s", nic->chip->name,
                  nic->pci->bus, nic->pci->slot, nic->pci->function, trouble);
    }
    return started;
}
