/* SPDX-License-Identifier: MIT */
/*
 * One card as the driver sees it, and what the driver's files call of each
 * other. A ring is counted with free-running 32-bit numbers: `produced` minus
 * `consumed` is what lies between, `number % size` is the descriptor; sizes
 * are powers of two, so nothing special happens when the numbers wrap.
 */
#pragma once

#include "drivers/e1000/registers.h"
#include "kernel/cpu.h"
#include "kernel/pci.h"
#include "net/link/netif.h"
#include "net/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    E1000_RING_SIZE = 256, /* one page of descriptors */
    E1000_RING_SIZE_MIN = 8,
    E1000_RING_SIZE_MAX = 4096,
    /* Buffers go back to the chip in groups: each RDT write costs QEMU a trip
     * through its main loop, and a KVM guest an exit. A smaller group would
     * lose frames there: what QEMU has read from a stream ahead of an
     * exhausted ring (64 KiB) is delivered whole at the next RDT write,
     * whether it fits or not. */
    E1000_RX_BATCH = NETIF_POLL_BUDGET,
    /* A descriptor reports (RS) at least this often, so that a long burst
     * can be freed in parts. */
    E1000_TX_REPORT_INTERVAL = 16,
    /* One piece of a frame; the chip takes up to 16288 [8254x 3.3.3]. */
    E1000_TX_PIECE_MAX = 8192,
    /* Before it reads a piece of what it cuts, the chip makes room in its FIFO
     * for the headers of so many frames, and for no more. */
    E1000_TX_PIECE_SEGMENTS = 4,
    /* The largest packet: linear part, fragments, these cut into pieces,
     * context, padding, the last bytes of a segmented one. Fewer free
     * descriptors than this stop the stack. */
    E1000_TX_RESERVE =
        PACKET_FRAGMENTS_MAX + TCP_BURST_SEGMENTS / E1000_TX_PIECE_SEGMENTS + 6,
    E1000_TX_RING_SIZE_MIN = 128,
    /* ITR while much is moved: 20,000 interrupts a second, units of 256 ns. */
    E1000_GAP_BULK = 195,
    E1000_GAP_ADAPTIVE = UINT16_MAX + 1, /* as e1000_options.interrupt_gap */
    E1000_PADDING = 64, /* zeros behind a short frame in pieces */
    E1000_REGISTER_BYTES = 0x20000,
    E1000_STATISTICS_MAX = 48, /* registers */
    E1000_NAMES_MAX = 96,      /* what ethtool -S would list */
};

/* What a chip needs beyond the common code. */
enum e1000_quirk {
    /* TXDCTL bit 22 must be set. */
    E1000_QUIRK_COUNT_DESCRIPTORS = 1 << 0,
    /* Firmware shares the chip and wants to know that a driver is there. */
    E1000_QUIRK_MANAGED = 1 << 1,
    /* CTRL.ASDE must stay 0: the PHY alone knows the speed. */
    E1000_QUIRK_NO_SPEED_DETECTION = 1 << 2,
    /* It verifies checksums, in QEMU, too. */
    E1000_QUIRK_RX_CHECKSUM = 1 << 3,
};

struct e1000_chip {
    uint16_t device;
    uint16_t quirks;
    const char *name;
};

enum e1000_state {
    E1000_PROBED, /* listening without buffers */
    E1000_UP,
    E1000_FAILED, /* not usable, or pulled out: never touched again */
};

/* Receive: every slot always holds a buffer. The chip owns the descriptors
 * from `next` up to one less than a full turn: the missing one keeps RDH from
 * meeting RDT, which would mean "no buffers" [8254x 3.2.6]. */
struct e1000_rx_ring {
    volatile struct e1000_rx_descriptor *descriptors;
    uint8_t **buffers;
    uint32_t size;
    uint32_t next;   /* looked at next */
    uint32_t given;  /* `next` when RDT was written last */
    bool discarding; /* inside a frame that spans buffers */
    bool verifies;   /* the chip was told to look at checksums */
};

/* Transmit: [consumed, produced) holds frames, of which the chip knows those
 * before `rung`. `reports` remembers which descriptors carry RS, because only
 * those are written back. */
struct e1000_tx_ring {
    volatile struct e1000_tx_descriptor *descriptors;
    struct packet **packets; /* with the last descriptor of each frame */
    uint32_t *reports;       /* by report number % size */
    uint8_t *zeros;          /* E1000_PADDING bytes */
    uint32_t size;
    uint32_t piece_max; /* of the frame being put */
    uint32_t produced;
    uint32_t consumed;
    uint32_t rung;
    uint32_t report_produced;
    uint32_t report_consumed;
    /* The checksum context the chip remembers; 0: none. */
    uint64_t context;
    bool after_segmented; /* the last packet was */
};

_Static_assert(2 * E1000_TX_RESERVE <= E1000_TX_RING_SIZE_MIN,
               "what lets the stack go on does not stop it again");

struct e1000_counters {
    uint64_t rx_frames;
    uint64_t rx_bytes;
    uint64_t rx_doorbells;
    uint64_t rx_verified;      /* with a checksum that the chip found right */
    uint64_t rx_dropped_split; /* spanned buffers: longer than an MTU */
    uint64_t rx_dropped_error;
    uint64_t rx_dropped_length; /* a descriptor that cannot be true */
    uint64_t rx_dropped_memory;
    uint64_t tx_frames;
    uint64_t tx_bytes;
    uint64_t tx_descriptors;
    uint64_t tx_doorbells;
    uint64_t tx_reports;
    uint64_t tx_padded;
    uint64_t tx_segmented; /* packets that the chip cut */
    uint64_t tx_dropped_link;
    uint64_t tx_dropped_full;
    uint64_t tx_dropped_reset;
    uint64_t tx_stopped;
    uint64_t tx_resumed;
    uint64_t tx_timeouts;
    uint64_t rx_timeouts;
    uint64_t interrupts;
    uint64_t interrupts_foreign; /* a neighbour on the line meant another */
    uint64_t interrupts_receive;
    uint64_t interrupts_transmit;
    uint64_t interrupts_link;
    uint64_t interrupts_overrun;
    uint64_t polls;
    uint64_t resets;
    uint64_t rctl_writes;
};

struct e1000 {
    struct netif netif;
    const struct e1000_chip *chip;
    struct pci_device *pci;
    uint8_t *registers;
    enum e1000_state state;
    struct e1000_rx_ring rx;
    struct e1000_tx_ring tx;
    uint32_t rctl;        /* as decided once, at probe */
    uint32_t link_seen;   /* STATUS when the link was last adapted to */
    uint32_t headroom;    /* in front of each received frame */
    uint8_t eeprom_shift; /* of the address in EERD; 0: no EEPROM answers */
    uint32_t eeprom_done;
    /* The group filters as last set; a reset writes them again. */
    struct ethernet_address groups[E1000_RA_COUNT - 1];
    uint32_t group_count;
    uint32_t group_hashes[E1000_MTA_COUNT];
    /* Hardirq shares these two; softirq touches them with interrupts off. */
    volatile uint32_t unmasked; /* causes that may interrupt now */
    volatile uint32_t causes;   /* read from ICR, not yet acted upon */
    bool is_answered; /* by a look: its interrupt may be on its way still */
    /* Moderation: the class, and what was when it was last judged. */
    uint32_t interrupt_gap;
    uint32_t polls_judged;
    uint64_t bytes_judged;
    uint64_t judged_ns;
    /* The watchdog's view of a second ago. */
    uint32_t last_consumed;
    uint32_t last_tdh;
    uint32_t stalled_ticks;
    uint32_t last_next;
    uint32_t astray_ticks;
    uint32_t hold_ticks; /* debugging: the poller rests so long */
    struct e1000_counters counters;
    /* Of the chip: sums, and the last reading of what does not clear. */
    uint64_t statistics[E1000_STATISTICS_MAX];
    uint32_t statistics_last[E1000_STATISTICS_MAX];
    uint64_t statistics_logged[E1000_NAMES_MAX];
};

struct e1000_options {
    uint32_t rx_ring; /* 0: by memory */
    uint32_t tx_ring;
    uint32_t interrupt_gap; /* ITR, 256 ns units, or adaptive */
    uint32_t hold;          /* seconds */
    uint32_t vlan_count;
    uint16_t vlans[8]; /* none: all are received */
    bool long_packets;
    bool checksum;    /* the chip inserts it */
    bool rx_checksum; /* the chip is believed when it verified one */
    bool tso;         /* the chip cuts large packets */
    bool look;        /* an idle processor looks for frames */
    bool msi;         /* a chip that can interrupts by message */
    bool gather;      /* it takes a frame in pieces */
    bool log_statistics;
};

extern struct e1000_options e1000_options;

static inline uint32_t e1000_read(const struct e1000 *nic,
                                  enum e1000_register offset)
{
    return mmio_read32(nic->registers + offset);
}

static inline void e1000_write(const struct e1000 *nic,
                               enum e1000_register offset, uint32_t value)
{
    mmio_write32(nic->registers + offset, value);
}

static inline void e1000_write_array(const struct e1000 *nic,
                                     enum e1000_register first, uint32_t index,
                                     uint32_t value)
{
    mmio_write32(nic->registers + first + index * sizeof(value), value);
}

/* hardware.c */
int e1000_reset(struct e1000 *nic);
void e1000_eeprom_probe(struct e1000 *nic);
int e1000_mac_read(struct e1000 *nic);
void e1000_filters_init(struct e1000 *nic);
void e1000_filter_multicast(struct netif *netif,
                            const struct ethernet_address *list, size_t count);
void e1000_flow_control_init(struct e1000 *nic);
void e1000_moderate(struct e1000 *nic);

/* link.c */
void e1000_link_init(struct e1000 *nic);
void e1000_link_check(struct e1000 *nic);

/* receive.c */
int e1000_receive_fill(struct e1000 *nic);
void e1000_receive_restart(struct e1000 *nic);
void e1000_receive_free(struct e1000 *nic);
size_t e1000_receive(struct e1000 *nic, size_t budget);
bool e1000_receive_is_waiting(const struct e1000 *nic);

/* transmit.c */
void e1000_transmit(struct netif *netif, struct packet *packet);
void e1000_transmit_kick(struct netif *netif);
void e1000_transmit_reclaim(struct e1000 *nic);
void e1000_transmit_free(struct e1000 *nic);

/* e1000.c */
int e1000_bring_up(struct e1000 *nic);
void e1000_mask(struct e1000 *nic);
void e1000_unmask(struct e1000 *nic);
void e1000_unmask_transmit(struct e1000 *nic);

/* watchdog.c */
void e1000_tick(struct netif *netif, uint64_t now_ns);
void e1000_dump(struct netif *netif);

/* statistics.c */
void e1000_statistics_update(struct e1000 *nic);
void e1000_statistics_reset(struct e1000 *nic);
void e1000_statistics_visit(struct netif *netif,
                            void (*visit)(void *context, const char *name,
                                          uint64_t value),
                            void *context);
void e1000_statistics_log(struct e1000 *nic);
