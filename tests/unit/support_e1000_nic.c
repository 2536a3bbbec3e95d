/* SPDX-License-Identifier: MIT */
#include "tests/unit/support_e1000_nic.h"

#include "kernel/cpu.h"
#include "tests/unit/support_e1000_cut.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct fake_nic *nics[FAKE_DEVICES_MAX];
static size_t nic_count;

static uint32_t *at(struct fake_nic *nic, uint32_t offset)
{
    return &nic->registers[offset / 4];
}

uint32_t fake_nic_get(const struct fake_nic *nic, uint32_t offset)
{
    return nic->registers[offset / 4];
}

void fake_nic_set(struct fake_nic *nic, uint32_t offset, uint32_t value)
{
    *at(nic, offset) = value;
}

static void load_address(struct fake_nic *nic)
{
    *at(nic, E1000_RAL) = nic->eeprom[0] | (uint32_t)nic->eeprom[1] << 16;
    *at(nic, E1000_RAH) = nic->eeprom[2] | E1000_RAH_AV;
}

static void set_eeprom(struct fake_nic *nic, uint8_t last)
{
    uint16_t sum = 0;

    nic->eeprom[0] = 0x5452;
    nic->eeprom[1] = 0x1200;
    nic->eeprom[2] = (uint16_t)(0x34 | last << 8);
    for (size_t i = 0; i < 63; ++i)
        sum = (uint16_t)(sum + nic->eeprom[i]);
    nic->eeprom[63] = (uint16_t)(E1000_EEPROM_SUM - sum);
}

struct fake_nic *fake_nic_add(uint16_t device)
{
    struct fake_nic *nic = calloc(1, sizeof(*nic));

    nic->sent = calloc(FAKE_SENT_MAX, sizeof(*nic->sent));
    nic->large = calloc(1, FAKE_LARGE_MAX);
    nic->device = fake_device_add(device, nic->registers);
    nic->eeprom_kind = device == 0x10D3 ? FAKE_EEPROM_LARGE : FAKE_EEPROM_SMALL;
    set_eeprom(nic, (uint8_t)(0x56 + nic_count));
    load_address(nic);
    *at(nic, E1000_STATUS) = 0x80080783;
    *at(nic, E1000_CTRL) = 0x00140240;
    *at(nic, E1000_PBA) = 0x00100030;
    nic->phy[E1000_PHY_CONTROL] = 0x1140;
    nic->phy[E1000_PHY_STATUS] = 0x794D;
    nic->phy[E1000_PHY_ADVERTISED] = 0x0DE1;
    nic->phy[E1000_PHY_PARTNER] = 0x01E0;
    nics[nic_count++] = nic;
    return nic;
}

static struct fake_nic *nic_of(const volatile void *address, uint32_t *offset)
{
    for (size_t i = 0; i < nic_count; ++i) {
        const char *start = (const char *)nics[i]->registers;
        const char *there = (const char *)(uintptr_t)address;
        if (there >= start && there < start + sizeof(nics[i]->registers)) {
            *offset = (uint32_t)(there - start);
            return nics[i];
        }
    }
    cr_assert_fail("no device at %p", (const void *)(uintptr_t)address);
    abort();
}

size_t fake_nic_count_writes(const struct fake_nic *nic, uint32_t offset)
{
    size_t count = 0;

    for (size_t i = 0; i < nic->write_count; ++i)
        count += nic->writes[i].offset == offset;
    return count;
}

long fake_nic_find_write(const struct fake_nic *nic, uint32_t offset, size_t n)
{
    for (size_t i = 0; i < nic->write_count; ++i)
        if (nic->writes[i].offset == offset && n-- == 0)
            return (long)i;
    return -1;
}

/* --- registers --- */

static bool clears_on_read(const struct fake_nic *nic, uint32_t offset)
{
    if (offset < 0x4000 || offset > 0x40FC)
        return false;
    if (offset <= 0x4054 || offset == 0x40A0)
        return nic->missed_clears;
    return true;
}

uint32_t mmio_read32(const volatile void *address)
{
    uint32_t offset = 0;
    struct fake_nic *nic = nic_of(address, &offset);
    uint32_t value = *at(nic, offset);

    if (nic->is_gone)
        return 0;
    if (offset == E1000_ICR) {
        ++nic->icr_reads;
        *at(nic, offset) = 0;
    }
    if (clears_on_read(nic, offset))
        *at(nic, offset) = 0;
    return value;
}

static void eeprom_request(struct fake_nic *nic, uint32_t value)
{
    bool is_small = nic->eeprom_kind == FAKE_EEPROM_SMALL;
    uint32_t word = is_small ? value >> 8 & 0xFF : value >> 2 & 0x3FFF;

    if ((value & E1000_EERD_START) == 0 || nic->eeprom_kind == FAKE_EEPROM_NONE)
        return;
    *at(nic, E1000_EERD) =
        (word < 64 ? (uint32_t)nic->eeprom[word] << 16 : 0) |
        (is_small ? E1000_EERD_DONE_SMALL : E1000_EERD_DONE_LARGE);
}

static void phy_request(struct fake_nic *nic, uint32_t value)
{
    uint32_t number = value >> 16 & 31;

    if ((value >> 21 & 31) != 1) {
        *at(nic, E1000_MDIC) |= E1000_MDIC_READY | E1000_MDIC_ERROR;
        return;
    }
    if ((value & E1000_MDIC_WRITE) != 0) {
        nic->phy[number] = (uint16_t)value;
        ++nic->phy_writes;
    }
    *at(nic, E1000_MDIC) =
        (value & 0x0FFF0000) | nic->phy[number] | E1000_MDIC_READY;
}

static void control_written(struct fake_nic *nic, uint32_t value)
{
    if ((value & E1000_CTRL_RST) == 0 || nic->reset_hangs)
        return;
    *at(nic, E1000_CTRL) &= ~E1000_CTRL_RST;
    if (!nic->reset_clears)
        return;
    *at(nic, E1000_RCTL) = 0;
    *at(nic, E1000_TCTL) = 0;
    *at(nic, E1000_IMS) = 0;
    for (uint32_t offset = 0x2800; offset < 0x3900; offset += 4)
        *at(nic, offset) = 0;
    load_address(nic);
}

static uint32_t ring_length(struct fake_nic *nic, uint32_t block)
{
    uint32_t bytes = *at(nic, block + 8) & 0xFFF80;

    cr_assert_eq(bytes, *at(nic, block + 8), "ring not of 128 bytes");
    cr_assert_neq(bytes, 0, "ring of no length");
    return bytes / 16;
}

static void *ring_base(struct fake_nic *nic, uint32_t block)
{
    uint64_t base = (uint64_t)*at(nic, block + 4) << 32 | *at(nic, block);
    uint32_t bytes = ring_length(nic, block) * 16;

    cr_assert_eq(base % 16, 0, "ring not aligned");
    if (bytes <= 65536)
        cr_assert_eq(base / 65536, (base + bytes - 1) / 65536,
                     "ring crosses 64 KiB");
    return fake_bus_memory(base);
}

void mmio_write32(volatile void *address, uint32_t value)
{
    uint32_t offset = 0;
    struct fake_nic *nic = nic_of(address, &offset);

    if (nic->is_gone)
        return;
    cr_assert_lt(nic->write_count, FAKE_WRITES_MAX);
    nic->writes[nic->write_count++] = (struct fake_write){offset, value};
    if (offset == E1000_IMS || offset == E1000_IMC) {
        uint32_t mask = *at(nic, E1000_IMS);
        *at(nic, E1000_IMS) =
            offset == E1000_IMS ? mask | value : mask & ~value;
    } else if (offset != E1000_STATUS && offset != E1000_ICR) {
        *at(nic, offset) = value;
    }
    if (offset == E1000_CTRL)
        control_written(nic, value);
    if (offset == E1000_EERD)
        eeprom_request(nic, value);
    if (offset == E1000_MDIC)
        phy_request(nic, value);
    if (offset == E1000_RDT)
        cr_assert_lt(value, ring_length(nic, E1000_RDBAL), "RDT beyond ring");
    if (offset == E1000_TDT) {
        cr_assert_lt(value, ring_length(nic, E1000_TDBAL), "TDT beyond ring");
        if (!nic->holds_transmit)
            fake_nic_send(nic, SIZE_MAX);
    }
    if (nic->on_write != NULL)
        nic->on_write(nic, offset);
}

/* --- receive --- */

static bool may_use_bus(const struct fake_nic *nic)
{
    return (nic->device->command & PCI_COMMAND_BUS_MASTER) != 0;
}

static bool matches_address(struct fake_nic *nic, const uint8_t *frame)
{
    uint32_t low;
    uint32_t high = (uint32_t)frame[4] | (uint32_t)frame[5] << 8;
    uint32_t hash = (uint32_t)frame[4] >> 4 | (uint32_t)frame[5] << 4;

    memcpy(&low, frame, 4);
    if (low == UINT32_MAX && high == 0xFFFF)
        return (*at(nic, E1000_RCTL) & E1000_RCTL_BAM) != 0;
    for (uint32_t i = 0; i < E1000_RA_COUNT; ++i)
        if (*at(nic, E1000_RAL + 8 * i) == low &&
            *at(nic, E1000_RAH + 8 * i) == (high | E1000_RAH_AV))
            return true;
    return (frame[0] & 1) != 0 &&
           (*at(nic, E1000_MTA + hash / 32 * 4) >> hash % 32 & 1) != 0;
}

static bool matches_vlan(struct fake_nic *nic, const uint8_t *frame)
{
    uint32_t vlan = (uint32_t)(frame[14] << 8 | frame[15]) & 0xFFF;

    if (frame[12] != 0x81 || frame[13] != 0 ||
        (*at(nic, E1000_RCTL) & E1000_RCTL_VFE) == 0)
        return true;
    return (*at(nic, E1000_VFTA + vlan / 32 * 4) >> vlan % 32 & 1) != 0;
}

static volatile struct e1000_rx_descriptor *next_receive(struct fake_nic *nic)
{
    volatile struct e1000_rx_descriptor *ring = ring_base(nic, E1000_RDBAL);
    uint32_t head = *at(nic, E1000_RDH);
    volatile struct e1000_rx_descriptor *descriptor = &ring[head];

    cr_assert_neq(head, *at(nic, E1000_RDT), "no descriptor is the chip's");
    cr_assert_eq(descriptor->status, 0, "status not cleared by the driver");
    *at(nic, E1000_RDH) = (head + 1) % ring_length(nic, E1000_RDBAL);
    return descriptor;
}

void fake_nic_write_back(struct fake_nic *nic, uint16_t length, uint8_t status,
                         uint8_t errors)
{
    volatile struct e1000_rx_descriptor *descriptor = next_receive(nic);

    descriptor->length = length;
    descriptor->errors = errors;
    descriptor->status = status;
    fake_nic_raise(nic, E1000_CAUSE_RXT0);
}

static void store(struct fake_nic *nic, const uint8_t *bytes, size_t length,
                  bool has_tag, uint16_t tag)
{
    size_t position = 0;

    do {
        volatile struct e1000_rx_descriptor *descriptor = next_receive(nic);
        size_t piece = length - position;
        if (piece > 2048)
            piece = 2048;
        memcpy(fake_bus_memory(descriptor->address), bytes + position, piece);
        position += piece;
        descriptor->length = (uint16_t)piece;
        descriptor->special = has_tag ? tag : 0;
        descriptor->status = (uint8_t)(E1000_RX_DD | 4 |
                                       (position == length ? E1000_RX_EOP : 0) |
                                       (has_tag ? E1000_RX_VP : 0));
    } while (position < length);
}

static size_t free_buffers(struct fake_nic *nic)
{
    uint32_t size = ring_length(nic, E1000_RDBAL);

    return (*at(nic, E1000_RDT) + size - *at(nic, E1000_RDH)) % size;
}

enum fake_verdict fake_nic_receive(struct fake_nic *nic, const void *frame,
                                   size_t length)
{
    uint8_t bytes[16384] = {0};
    uint32_t control = *at(nic, E1000_RCTL);
    bool has_tag = false;
    uint16_t tag = 0;

    if ((control & E1000_RCTL_EN) == 0 || !may_use_bus(nic) ||
        (*at(nic, E1000_STATUS) & E1000_STATUS_LU) == 0 ||
        free_buffers(nic) == 0)
        return FAKE_HELD;
    memcpy(bytes, frame, length);
    if (length < 60)
        length = 60;
    if (length > 1522 && (control & E1000_RCTL_LPE) == 0) {
        ++*at(nic, 0x40AC);
        return FAKE_FILTERED;
    }
    if (!matches_address(nic, bytes) || !matches_vlan(nic, bytes))
        return FAKE_FILTERED;
    if (bytes[12] == 0x81 && bytes[13] == 0 &&
        (*at(nic, E1000_CTRL) & E1000_CTRL_VME) != 0) {
        has_tag = true;
        tag = (uint16_t)(bytes[14] << 8 | bytes[15]);
        memmove(bytes + 12, bytes + 16, length - 16);
        length -= 4;
    }
    if ((length + 2047) / 2048 > free_buffers(nic)) {
        ++*at(nic, 0x4010);
        fake_nic_raise(nic, E1000_CAUSE_RXO);
        return FAKE_LOST;
    }
    store(nic, bytes, length, has_tag, tag);
    ++*at(nic, 0x4074);
    fake_nic_raise(nic, E1000_CAUSE_RXT0);
    return FAKE_STORED;
}

/* --- transmit --- */

static void insert_checksum(const struct fake_nic *nic, struct fake_sent *sent)
{
    uint32_t start = nic->context >> 32 & 0xFF;

    cr_assert_eq(nic->context_command & E1000_TX_TSE, 0, "another's context");
    cr_assert_lt(start, sent->length);
    fake_checksum(sent->bytes, start, sent->length, nic->context >> 40 & 0xFF);
}

static void finish_frame(struct fake_nic *nic, struct fake_sent *sent,
                         uint32_t command, uint32_t status)
{
    sent->has_tag = (command & E1000_TX_VLE) != 0;
    sent->tag = (uint16_t)(status >> 16);
    if ((*at(nic, E1000_STATUS) & E1000_STATUS_LU) == 0)
        return; /* lost on a dead wire */
    ++nic->sent_count;
    ++*at(nic, 0x4080);
}

/* One descriptor of a large packet; with its last, all frames leave. */
static void segment(struct fake_nic *nic, uint64_t address, uint32_t command,
                    uint32_t status)
{
    const struct fake_context context = {
        .offsets = nic->context,
        .payload = nic->context_command & 0xFFFFF,
        .header = nic->context_status >> 8 & 0xFF,
        .mss = nic->context_status >> 16,
    };
    struct fake_sent *sent = &nic->sent[nic->sent_count];

    cr_assert(nic->context_command & E1000_TX_TSE, "no context to cut by");
    /* It makes room for the headers of four frames before it reads a piece. */
    cr_assert_leq(command & 0xFFFF, 4 * context.mss, "overruns the FIFO");
    cr_assert_leq(nic->large_length + (command & 0xFFFF), FAKE_LARGE_MAX);
    memcpy(nic->large + nic->large_length, fake_bus_memory(address),
           command & 0xFFFF);
    nic->large_length += command & 0xFFFF;
    if ((command & E1000_TX_EOP) == 0)
        return;
    cr_assert_eq(nic->large_length, context.header + context.payload);
    for (uint32_t i = 0;; ++i) {
        sent->length = fake_cut(&context, nic->large, i, sent->bytes);
        if (sent->length == 0)
            break;
        finish_frame(nic, sent, command, status);
        cr_assert_lt(nic->sent_count, FAKE_SENT_MAX);
        sent = &nic->sent[nic->sent_count];
        memset(sent, 0, sizeof(*sent));
    }
    nic->large_length = 0;
    ++nic->large_count;
}

void fake_nic_send(struct fake_nic *nic, size_t frames)
{
    volatile struct e1000_tx_descriptor *ring;
    struct fake_sent *sent = &nic->sent[nic->sent_count];
    bool wants_sum = false;

    if ((*at(nic, E1000_TCTL) & E1000_TCTL_EN) == 0 || !may_use_bus(nic))
        return;
    ring = ring_base(nic, E1000_TDBAL);
    memset(sent, 0, sizeof(*sent));
    while (frames > 0 && *at(nic, E1000_TDH) != *at(nic, E1000_TDT)) {
        uint32_t head = *at(nic, E1000_TDH);
        volatile struct e1000_tx_descriptor *descriptor = &ring[head];
        uint32_t command = descriptor->command;

        cr_assert_eq(descriptor->status & E1000_TX_DD, 0, "DD left standing");
        *at(nic, E1000_TDH) = (head + 1) % ring_length(nic, E1000_TDBAL);
        if ((command & E1000_TX_DATA) == E1000_TX_CONTEXT) {
            nic->context = descriptor->address;
            nic->context_command = command;
            nic->context_status = descriptor->status;
            ++nic->contexts;
        } else if ((command & E1000_TX_TSE) != 0) {
            segment(nic, descriptor->address, command, descriptor->status);
            sent = &nic->sent[nic->sent_count];
            frames -= (command & E1000_TX_EOP) != 0;
        } else {
            uint32_t length = command & 0xFFFF;
            cr_assert_neq(length, 0, "descriptor of no bytes");
            cr_assert_leq(sent->length + length, FAKE_FRAME_MAX);
            cr_assert(command & E1000_TX_IFCS, "frame without FCS");
            if (sent->length == 0)
                wants_sum = (descriptor->status & E1000_TX_TXSM) != 0;
            memcpy(sent->bytes + sent->length,
                   fake_bus_memory(descriptor->address), length);
            sent->length += length;
            ++sent->descriptors;
            if ((command & E1000_TX_EOP) != 0) {
                if (wants_sum)
                    insert_checksum(nic, sent);
                finish_frame(nic, sent, command, descriptor->status);
                cr_assert_lt(nic->sent_count, FAKE_SENT_MAX);
                sent = &nic->sent[nic->sent_count];
                memset(sent, 0, sizeof(*sent));
                --frames;
            }
        }
        if ((command & E1000_TX_RS) != 0) {
            descriptor->status |= E1000_TX_DD;
            fake_nic_raise(nic, E1000_CAUSE_TXDW);
        }
    }
    fake_nic_raise(nic, UINT32_C(1) << 1); /* TXQE, as QEMU */
}

/* --- link and interrupts --- */

void fake_nic_link(struct fake_nic *nic, bool is_up)
{
    if (is_up)
        *at(nic, E1000_STATUS) |= E1000_STATUS_LU;
    else
        *at(nic, E1000_STATUS) &= ~E1000_STATUS_LU;
    fake_nic_raise(nic, E1000_CAUSE_LSC);
}

void fake_nic_raise(struct fake_nic *nic, uint32_t causes)
{
    *at(nic, E1000_ICR) |= causes;
}

bool fake_nic_interrupt_by_neighbour(struct fake_nic *nic)
{
    if (!fake_kernel.interrupts_enabled || nic->device->handler == NULL)
        return false;
    return nic->device->handler(nic->device->handler_context);
}

bool fake_nic_interrupt(struct fake_nic *nic)
{
    if (nic->is_gone || (*at(nic, E1000_ICR) & *at(nic, E1000_IMS)) == 0)
        return false;
    return fake_nic_interrupt_by_neighbour(nic);
}
