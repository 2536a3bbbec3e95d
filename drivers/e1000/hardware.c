/* SPDX-License-Identifier: MIT */
/*
 * What is asked of the chip outside its rings: reset, EEPROM, its address,
 * the receive filters, flow control, moderation. Every wait is bounded.
 * Deliberately missing: the 82544's EEPROM by bit-banging (its address
 * registers are loaded by the chip itself), reset through the I/O BAR.
 */
#include "drivers/e1000/device.h"

#include "kernel/clock.h"

#include <errno.h>
#include <string.h>

enum {
    RESET_WAIT_US = 20000,
    DRAIN_US = 10000, /* a transfer under way when the rings are stopped */
    EEPROM_WAIT_US = 10000,
    STEP_US = 10,
    LONGEST_FRAME = 1522,
};

/* Bytes a second, both ways, from which on a transfer is what the card is
 * used for, and below which it is not. */
#define BULK_RATE  UINT64_C(40000000)
#define LIGHT_RATE UINT64_C(20000000)

static bool is_nobody(uint32_t status)
{
    return status == 0 || status == UINT32_MAX;
}

/* Silence, rest, reset [8254x 14.1, 14.3]. QEMU's RST clears nothing, so
 * whoever calls this writes every register it relies on. -ENODEV: nobody
 * answers; -ETIMEDOUT: the reset does not end. */
int e1000_reset(struct e1000 *nic)
{
    e1000_write(nic, E1000_IMC, UINT32_MAX);
    if (is_nobody(e1000_read(nic, E1000_STATUS)))
        return -ENODEV;
    /* A predecessor (a boot ROM, a warm start) left the receiver on. Not
     * written otherwise: QEMU is deaf for a second after each write. */
    if (e1000_read(nic, E1000_RCTL) != 0) {
        e1000_write(nic, E1000_RCTL, 0);
        ++nic->counters.rctl_writes;
        e1000_write(nic, E1000_TCTL, E1000_TCTL_PSP);
        e1000_read(nic, E1000_STATUS);
        clock_delay_us(DRAIN_US);
    }
    e1000_write(nic, E1000_CTRL, e1000_read(nic, E1000_CTRL) | E1000_CTRL_RST);
    /* The chip then loads its address from the EEPROM, and says so by AV
     * [8254x 13.5.3]. A card without a usable EEPROM never does: that is for
     * e1000_mac_read() to judge. */
    for (uint32_t waited = 0; waited < RESET_WAIT_US; waited += STEP_US) {
        clock_delay_us(1);
        if ((e1000_read(nic, E1000_CTRL) & E1000_CTRL_RST) == 0 &&
            (e1000_read(nic, E1000_RAH) & E1000_RAH_AV) != 0)
            break;
        clock_delay_us(STEP_US);
    }
    e1000_write(nic, E1000_IMC, UINT32_MAX);
    e1000_read(nic, E1000_ICR);
    if ((e1000_read(nic, E1000_CTRL) & E1000_CTRL_RST) != 0)
        return -ETIMEDOUT;
    return 0;
}

static int eerd_wait(const struct e1000 *nic, uint32_t done, uint32_t *word)
{
    for (uint32_t waited = 0; waited < EEPROM_WAIT_US; waited += STEP_US) {
        *word = e1000_read(nic, E1000_EERD);
        if ((*word & done) != 0)
            return 0;
        clock_delay_us(STEP_US);
    }
    return -ETIMEDOUT;
}

/* EERD has two layouts. A request for word 0 means the same in both; the DONE
 * bit that rises tells which one this chip has. None: no EEPROM for us. */
void e1000_eeprom_probe(struct e1000 *nic)
{
    uint32_t word = 0;

    e1000_write(nic, E1000_EERD, E1000_EERD_START);
    if (eerd_wait(nic, E1000_EERD_DONE_SMALL | E1000_EERD_DONE_LARGE, &word) !=
        0)
        return;
    if ((word & E1000_EERD_DONE_SMALL) != 0) {
        nic->eeprom_done = E1000_EERD_DONE_SMALL;
        nic->eeprom_shift = E1000_EERD_SHIFT_SMALL;
    } else {
        nic->eeprom_done = E1000_EERD_DONE_LARGE;
        nic->eeprom_shift = E1000_EERD_SHIFT_LARGE;
    }
}

static int eeprom_read(const struct e1000 *nic, uint32_t address,
                       uint16_t *value)
{
    uint32_t word = 0;
    int error;

    if (nic->eeprom_shift == 0)
        return -ENODEV;
    e1000_write(nic, E1000_EERD,
                E1000_EERD_START | address << nic->eeprom_shift);
    error = eerd_wait(nic, nic->eeprom_done, &word);
    *value = E1000_EERD_DATA(word);
    return error;
}

static bool is_usable(const struct ethernet_address *address)
{
    return !ethernet_address_is_group(address) &&
           !ethernet_address_is_zero(address);
}

static int mac_from_eeprom(struct e1000 *nic)
{
    uint16_t sum = 0;
    uint16_t value;
    int error;

    for (uint32_t word = 0; word < E1000_EEPROM_WORDS; ++word) {
        error = eeprom_read(nic, word, &value);
        if (error != 0)
            return error;
        sum = (uint16_t)(sum + value);
        if (word < sizeof(nic->netif.address.octet) / 2) {
            nic->netif.address.octet[2 * word] = (uint8_t)value;
            nic->netif.address.octet[2 * word + 1] = (uint8_t)(value >> 8);
        }
    }
    return sum == E1000_EEPROM_SUM ? 0 : -EIO;
}

/* The address the chip has loaded; else the EEPROM's, if its checksum holds;
 * else -EADDRNOTAVAIL. Never an invented one. */
int e1000_mac_read(struct e1000 *nic)
{
    struct ethernet_address *address = &nic->netif.address;
    uint32_t low = e1000_read(nic, E1000_RAL);
    uint32_t high = e1000_read(nic, E1000_RAH);

    for (int i = 0; i < 4; ++i)
        address->octet[i] = (uint8_t)(low >> 8 * i);
    address->octet[4] = (uint8_t)high;
    address->octet[5] = (uint8_t)(high >> 8);
    if ((high & E1000_RAH_AV) != 0 && is_usable(address))
        return 0;
    if (mac_from_eeprom(nic) == 0 && is_usable(address))
        return 0;
    return -EADDRNOTAVAIL;
}

static void receive_address_write(const struct e1000 *nic, uint32_t index,
                                  const struct ethernet_address *address)
{
    uint32_t pair = index * E1000_RA_STRIDE / sizeof(uint32_t);
    uint32_t low = 0;
    uint32_t high = 0;

    /* AV goes first and comes last: the chip never sees half an address. */
    e1000_write_array(nic, E1000_RAH, pair, 0);
    if (address != NULL) {
        for (int i = 0; i < 4; ++i)
            low |= (uint32_t)address->octet[i] << 8 * i;
        high = (uint32_t)address->octet[4] | (uint32_t)address->octet[5] << 8 |
               E1000_RAH_AV;
    }
    e1000_write_array(nic, E1000_RAL, pair, low);
    if (high != 0)
        e1000_write_array(nic, E1000_RAH, pair, high);
}

/* Our own address, and the groups of e1000_filter_multicast(). */
static void write_addresses(const struct e1000 *nic)
{
    receive_address_write(nic, 0, &nic->netif.address);
    for (uint32_t i = 1; i < E1000_RA_COUNT; ++i)
        receive_address_write(
            nic, i, i <= nic->group_count ? &nic->groups[i - 1] : NULL);
    for (uint32_t i = 0; i < E1000_MTA_COUNT; ++i)
        e1000_write_array(nic, E1000_MTA, i, nic->group_hashes[i]);
}

/* Addresses, groups, and the VLANs asked for (all, if none were). The VLAN
 * filter is always on and its table decides, so that no change ever needs a
 * write to RCTL. */
void e1000_filters_init(struct e1000 *nic)
{
    uint32_t others = e1000_options.vlan_count == 0 ? UINT32_MAX : 0;

    write_addresses(nic);
    for (uint32_t i = 0; i < E1000_VFTA_COUNT; ++i) {
        uint32_t word = others;
        if (i == 0)
            word |= 1; /* VLAN 0: priority only */
        for (uint32_t v = 0; v < e1000_options.vlan_count; ++v)
            if (e1000_options.vlans[v] / 32 == i)
                word |= UINT32_C(1) << e1000_options.vlans[v] % 32;
        e1000_write_array(nic, E1000_VFTA, i, word);
    }
}

/* The first fifteen groups are matched exactly, the rest by a hash of twelve
 * bits [8254x 13.5.1]: with RCTL.MO 0, bits 47:36 of the address. */
void e1000_filter_multicast(struct netif *netif,
                            const struct ethernet_address *list, size_t count)
{
    struct e1000 *nic = netif->driver;

    nic->group_count = 0;
    memset(nic->group_hashes, 0, sizeof(nic->group_hashes));
    for (size_t i = 0; i < count; ++i) {
        uint32_t hash =
            (uint32_t)list[i].octet[4] >> 4 | (uint32_t)list[i].octet[5] << 4;
        if (nic->group_count < ARRAY_COUNT(nic->groups))
            nic->groups[nic->group_count++] = list[i];
        else
            nic->group_hashes[hash / 32] |= UINT32_C(1) << hash % 32;
    }
    if (nic->state == E1000_UP)
        write_addresses(nic);
}

/* When the chip's own memory is nearly full it asks the sender to pause, and
 * lets it go on a little below that [8254x 13.4.23, 13.4.24]. Whether PAUSE
 * is used at all is decided with each link (link.c). */
void e1000_flow_control_init(struct e1000 *nic)
{
    uint32_t bytes = E1000_PBA_RX_KIB(e1000_read(nic, E1000_PBA)) * 1024;
    uint32_t high = bytes / 10 * 9;

    if (bytes > LONGEST_FRAME && high > bytes - LONGEST_FRAME)
        high = bytes - LONGEST_FRAME;
    high &= ~UINT32_C(7);
    e1000_write(nic, E1000_FCAL, E1000_FCAL_PAUSE);
    e1000_write(nic, E1000_FCAH, E1000_FCAH_PAUSE);
    e1000_write(nic, E1000_FCT, E1000_FCT_PAUSE);
    e1000_write(nic, E1000_FCTTV, E1000_FCTTV_PAUSE);
    e1000_write(nic, E1000_FCRTH, high);
    e1000_write(nic, E1000_FCRTL, high > 8 ? (high - 8) | E1000_FCRTL_XONE : 0);
}

/* Two classes, as in Intel's adaptive drivers: every frame at once while
 * little moves, so that answers are quick, and a gap while much does. A longer
 * one than that cost more than it saved. */
void e1000_moderate(struct e1000 *nic)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t bytes = nic->counters.rx_bytes + nic->counters.tx_bytes;
    uint64_t us = (now_ns - nic->judged_ns) / 1000 + 1;
    uint64_t rate = (bytes - nic->bytes_judged) * 1000000 / us;
    uint32_t gap = nic->interrupt_gap;

    nic->polls_judged = 0;
    nic->bytes_judged = bytes;
    nic->judged_ns = now_ns;
    if (rate >= BULK_RATE)
        gap = E1000_GAP_BULK;
    else if (rate < LIGHT_RATE)
        gap = 0;
    if (gap == nic->interrupt_gap ||
        e1000_options.interrupt_gap != E1000_GAP_ADAPTIVE)
        return;
    nic->interrupt_gap = gap;
    e1000_write(nic, E1000_ITR, gap);
}
