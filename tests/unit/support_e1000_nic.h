/* SPDX-License-Identifier: MIT */
/*
 * A fake 8254x at register level: the ring rules of the manual's chapters 3
 * and 13, and QEMU's habits (RST that resets nothing, counters that do not
 * clear, no padding), each of which a test can switch. It never does more
 * than a real chip may: breaking a rule of the rings fails the test.
 */
#pragma once

#include "drivers/e1000/registers.h"
#include "tests/unit/support_kernel_fake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAKE_SENT_MAX = 4096,
    FAKE_FRAME_MAX = 2048,
    FAKE_WRITES_MAX = 20000,
};

enum fake_eeprom { FAKE_EEPROM_SMALL, FAKE_EEPROM_LARGE, FAKE_EEPROM_NONE };

struct fake_sent {
    uint32_t length;
    uint32_t descriptors;
    bool has_tag;
    uint16_t tag;
    uint8_t bytes[FAKE_FRAME_MAX];
};

struct fake_write {
    uint32_t offset;
    uint32_t value;
};

struct fake_nic {
    uint32_t registers[0x20000 / 4]; /* first: its address is the BAR's */
    struct fake_device *device;
    uint16_t eeprom[64];
    uint16_t phy[32];
    enum fake_eeprom eeprom_kind;
    bool reset_clears; /* as real chips; QEMU's does not */
    bool reset_hangs;
    bool missed_clears;  /* MPC and its kin clear on read */
    bool holds_transmit; /* descriptors wait for fake_nic_send() */
    bool is_gone;
    /* What happened. */
    struct fake_write writes[FAKE_WRITES_MAX];
    size_t write_count;
    uint32_t icr_reads;
    struct fake_sent *sent; /* FAKE_SENT_MAX of them */
    size_t sent_count;
    uint32_t contexts;
    /* The last one, as the 82574L keeps it: offsets, command, status. */
    uint64_t context;
    uint32_t context_command;
    uint32_t context_status;
    uint8_t *large; /* a packet to be cut, as far as it was read */
    uint32_t large_length;
    uint32_t large_count;
    size_t phy_writes;
    /* Called on each write, after it has taken effect. */
    void (*on_write)(struct fake_nic *nic, uint32_t offset);
};

struct fake_nic *fake_nic_add(uint16_t device);
uint32_t fake_nic_get(const struct fake_nic *nic, uint32_t offset);
void fake_nic_set(struct fake_nic *nic, uint32_t offset, uint32_t value);
size_t fake_nic_count_writes(const struct fake_nic *nic, uint32_t offset);
/* Position in `writes` of the n-th write to a register, or -1. */
long fake_nic_find_write(const struct fake_nic *nic, uint32_t offset, size_t n);

enum fake_verdict {
    FAKE_STORED,
    FAKE_HELD,     /* no buffer: stays with the sender */
    FAKE_FILTERED, /* not for us, or too long */
    FAKE_LOST,     /* overrun */
};

enum fake_verdict fake_nic_receive(struct fake_nic *nic, const void *frame,
                                   size_t length);
/* Overwrites what the chip would write into the next descriptor. */
void fake_nic_write_back(struct fake_nic *nic, uint16_t length, uint8_t status,
                         uint8_t errors);
/* Sends at most `frames` of what TDT offers. */
void fake_nic_send(struct fake_nic *nic, size_t frames);
void fake_nic_link(struct fake_nic *nic, bool is_up);
void fake_nic_raise(struct fake_nic *nic, uint32_t causes);
/* Calls the driver's handler if the line is asserted; whether it claimed. */
bool fake_nic_interrupt(struct fake_nic *nic);
/* The handler is called because a neighbour asserts the line. */
bool fake_nic_interrupt_by_neighbour(struct fake_nic *nic);
