/* SPDX-License-Identifier: MIT */
/*
 * The 8254x as seen from the bus: register offsets, their bits, and the
 * descriptors of both rings. Numbers in brackets are sections of Intel's
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's
 * Manual" [8254x]. Only what this driver uses is here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum e1000_register {
    /* General [8254x 13.4.1-13.4.16] */
    E1000_CTRL = 0x0000,
    E1000_STATUS = 0x0008,
    E1000_EERD = 0x0014,
    E1000_CTRL_EXT = 0x0018,
    E1000_MDIC = 0x0020,
    E1000_FCAL = 0x0028,
    E1000_FCAH = 0x002C,
    E1000_FCT = 0x0030,
    E1000_VET = 0x0038,
    E1000_FCTTV = 0x0170,
    E1000_PBA = 0x1000,
    E1000_FCRTL = 0x2160,
    E1000_FCRTH = 0x2168,
    /* Interrupts [8254x 13.4.17-13.4.21] */
    E1000_ICR = 0x00C0,
    E1000_ITR = 0x00C4,
    E1000_IMS = 0x00D0,
    E1000_IMC = 0x00D8,
    /* Receive [8254x 13.4.22, 13.4.25-13.4.32, 13.4.46] */
    E1000_RCTL = 0x0100,
    E1000_RDBAL = 0x2800,
    E1000_RDBAH = 0x2804,
    E1000_RDLEN = 0x2808,
    E1000_RDH = 0x2810,
    E1000_RDT = 0x2818,
    E1000_RDTR = 0x2820,
    E1000_RXDCTL = 0x2828,
    E1000_RADV = 0x282C,
    E1000_RSRPD = 0x2C00,
    E1000_RXCSUM = 0x5000,
    /* Transmit [8254x 13.4.33-13.4.44] */
    E1000_TCTL = 0x0400,
    E1000_TIPG = 0x0410,
    E1000_TDBAL = 0x3800,
    E1000_TDBAH = 0x3804,
    E1000_TDLEN = 0x3808,
    E1000_TDH = 0x3810,
    E1000_TDT = 0x3818,
    E1000_TIDV = 0x3820,
    E1000_TXDCTL = 0x3828,
    E1000_TADV = 0x382C,
    /* Filters [8254x 13.5] */
    E1000_MTA = 0x5200,
    E1000_RAL = 0x5400, /* RAL and RAH alternate */
    E1000_RAH = 0x5404,
    E1000_VFTA = 0x5600,
    /* Statistics [8254x 13.7]: statistics.c lists them */
    E1000_STATISTICS = 0x4000,
};

enum {
    E1000_MTA_COUNT = 128,
    E1000_RA_COUNT = 16,
    E1000_RA_STRIDE = 8,
    E1000_VFTA_COUNT = 128,
};

/* CTRL [8254x 13.4.1] */
#define E1000_CTRL_LRST    (UINT32_C(1) << 3)
#define E1000_CTRL_ASDE    (UINT32_C(1) << 5)
#define E1000_CTRL_SLU     (UINT32_C(1) << 6)
#define E1000_CTRL_ILOS    (UINT32_C(1) << 7)
#define E1000_CTRL_FRCSPD  (UINT32_C(1) << 11)
#define E1000_CTRL_FRCDPLX (UINT32_C(1) << 12)
#define E1000_CTRL_RST     (UINT32_C(1) << 26)
#define E1000_CTRL_RFCE    (UINT32_C(1) << 27)
#define E1000_CTRL_TFCE    (UINT32_C(1) << 28)
#define E1000_CTRL_VME     (UINT32_C(1) << 30)
#define E1000_CTRL_PHY_RST (UINT32_C(1) << 31)

/* STATUS [8254x 13.4.2] */
#define E1000_STATUS_FD          (UINT32_C(1) << 0)
#define E1000_STATUS_LU          (UINT32_C(1) << 1)
#define E1000_STATUS_TXOFF       (UINT32_C(1) << 4)
#define E1000_STATUS_SPEED(word) ((word) >> 6 & 3) /* 10, 100, 1000, 1000 */
#define E1000_STATUS_LINK        UINT32_C(0xC3)    /* FD, LU, SPEED */

/* EERD [8254x 13.4.4]: two layouts, told apart by the DONE bit that rises */
#define E1000_EERD_START      (UINT32_C(1) << 0)
#define E1000_EERD_DONE_SMALL (UINT32_C(1) << 4)
#define E1000_EERD_DONE_LARGE (UINT32_C(1) << 1)
#define E1000_EERD_DATA(word) ((uint16_t)((word) >> 16))
enum {
    E1000_EERD_SHIFT_SMALL = 8, /* of the word's address */
    E1000_EERD_SHIFT_LARGE = 2,
    E1000_EEPROM_WORDS = 64,
    E1000_EEPROM_SUM = 0xBABA, /* of all 64 words [8254x 5.6.35] */
};

/* CTRL_EXT [8254x 13.4.6]; DRV_LOAD tells the 82574's firmware we are here */
#define E1000_CTRL_EXT_DRV_LOAD (UINT32_C(1) << 28)

/* MDIC [8254x 13.4.7] and the PHY's registers behind it [802.3 22.2.4] */
#define E1000_MDIC_REGISTER(number) ((uint32_t)(number) << 16)
#define E1000_MDIC_PHY_1            (UINT32_C(1) << 21)
#define E1000_MDIC_WRITE            (UINT32_C(1) << 26)
#define E1000_MDIC_READ             (UINT32_C(2) << 26)
#define E1000_MDIC_READY            (UINT32_C(1) << 28)
#define E1000_MDIC_ERROR            (UINT32_C(1) << 30)
enum e1000_phy_register {
    E1000_PHY_CONTROL = 0,
    E1000_PHY_STATUS = 1,
    E1000_PHY_ADVERTISED = 4,
    E1000_PHY_PARTNER = 5,
};
enum {
    E1000_PHY_CONTROL_RESTART = 1 << 9,
    E1000_PHY_CONTROL_ISOLATE = 1 << 10,
    E1000_PHY_CONTROL_POWER_DOWN = 1 << 11,
    E1000_PHY_CONTROL_NEGOTIATE = 1 << 12,
    E1000_PHY_PAUSE = 1 << 10, /* in ADVERTISED and PARTNER */
    E1000_PHY_PAUSE_ASYMMETRIC = 1 << 11,
};

/* Interrupt causes: ICR, IMS, IMC [8254x 13.4.17] */
#define E1000_CAUSE_TXDW   (UINT32_C(1) << 0) /* descriptor written back */
#define E1000_CAUSE_LSC    (UINT32_C(1) << 2) /* link status changed */
#define E1000_CAUSE_RXSEQ  (UINT32_C(1) << 3) /* link symbols out of order */
#define E1000_CAUSE_RXDMT0 (UINT32_C(1) << 4) /* free buffers run low */
#define E1000_CAUSE_RXO    (UINT32_C(1) << 6) /* frame lost: no buffers */
#define E1000_CAUSE_RXT0   (UINT32_C(1) << 7) /* frame received */

/* RCTL [8254x 13.4.22]; BSIZE 0 without BSEX is 2048 bytes */
#define E1000_RCTL_EN    (UINT32_C(1) << 1)
#define E1000_RCTL_LPE   (UINT32_C(1) << 5)
#define E1000_RCTL_BAM   (UINT32_C(1) << 15)
#define E1000_RCTL_VFE   (UINT32_C(1) << 18)
#define E1000_RCTL_SECRC (UINT32_C(1) << 26)

/* RXCSUM [8254x 13.4.46], offset 0: the whole frame's sum is not asked for */
#define E1000_RXCSUM_IPOFL (UINT32_C(1) << 8)
#define E1000_RXCSUM_TUOFL (UINT32_C(1) << 9)

/* TCTL [8254x 13.4.33] */
#define E1000_TCTL_EN      (UINT32_C(1) << 1)
#define E1000_TCTL_PSP     (UINT32_C(1) << 3)
#define E1000_TCTL_CT      (UINT32_C(0x0F) << 4)
#define E1000_TCTL_COLD_FD (UINT32_C(0x40) << 12)
#define E1000_TCTL_COLD_HD (UINT32_C(0x200) << 12)
#define E1000_TCTL_COLD    (UINT32_C(0x3FF) << 12)
#define E1000_TCTL_RTLC    (UINT32_C(1) << 24)

/* TIPG for copper [8254x 13.4.34]: IPGT 8, IPGR1 8, IPGR2 6 */
#define E1000_TIPG_COPPER UINT32_C(0x00602008)

/* TXDCTL [8254x 13.4.43]: thresholds count descriptors, write back each */
#define E1000_TXDCTL_GRAN    (UINT32_C(1) << 24)
#define E1000_TXDCTL_WTHRESH (UINT32_C(1) << 16)
/* "Must be set" on the 82571 and later [82574 10.2.6.11] */
#define E1000_TXDCTL_COUNT (UINT32_C(1) << 22)

/* PBA [8254x 13.4.16]: KiB of the chip's memory given to reception */
#define E1000_PBA_RX_KIB(word) ((word)&0xFFFF)

/* Flow control: PAUSE is 01-80-C2-00-00-01, type 8808 [802.3 31] */
#define E1000_FCAL_PAUSE  UINT32_C(0x00C28001)
#define E1000_FCAH_PAUSE  UINT32_C(0x00000100)
#define E1000_FCT_PAUSE   UINT32_C(0x00008808)
#define E1000_FCTTV_PAUSE UINT32_C(0x0000FFFF)
#define E1000_FCRTL_XONE  (UINT32_C(1) << 31)

/* RAH [8254x 13.5.3] */
#define E1000_RAH_AV (UINT32_C(1) << 31)

/* Receive descriptor, legacy layout [8254x 3.2.3] */
struct e1000_rx_descriptor {
    uint64_t address;
    uint16_t length; /* in this buffer */
    uint16_t checksum;
    uint8_t status;
    uint8_t errors; /* valid with EOP */
    uint16_t special;
};
_Static_assert(sizeof(struct e1000_rx_descriptor) == 16, "as the chip reads");
_Static_assert(offsetof(struct e1000_rx_descriptor, status) == 12, "status");

enum {
    E1000_RX_DD = 1 << 0,    /* the chip is done with it */
    E1000_RX_EOP = 1 << 1,   /* last of its frame */
    E1000_RX_IXSM = 1 << 2,  /* the next say nothing */
    E1000_RX_VP = 1 << 3,    /* a tag was taken out into `special` */
    E1000_RX_TCPCS = 1 << 5, /* the checksum of TCP or UDP was verified... */
    E1000_RX_TCPE = 1 << 5,  /* (errors) ...and is wrong */
    /* CE, SE, SEQ, CXE, RXE: damaged on the wire */
    E1000_RX_ERRORS = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4 | 1 << 7,
};

/* Transmit descriptor: legacy, context and data layouts share these words
 * [8254x 3.3]; TX_* below say what lies in each. */
struct e1000_tx_descriptor {
    uint64_t address;
    uint32_t command;
    uint32_t status;
};
_Static_assert(sizeof(struct e1000_tx_descriptor) == 16, "as the chip reads");

/* `command`, legacy and data: length in 15:0 */
#define E1000_TX_LENGTH UINT32_C(0xFFFF)
#define E1000_TX_EOP    (UINT32_C(1) << 24)
#define E1000_TX_IFCS   (UINT32_C(1) << 25)
#define E1000_TX_TSE    (UINT32_C(1) << 26) /* segmentation; context too */
#define E1000_TX_RS     (UINT32_C(1) << 27) /* report status: write back DD */
#define E1000_TX_DEXT   (UINT32_C(1) << 29) /* not legacy */
#define E1000_TX_VLE    (UINT32_C(1) << 30) /* insert the tag in `status` */
#define E1000_TX_DATA   (E1000_TX_DEXT | UINT32_C(1) << 20)
/* `command`, context: PAYLEN in 19:0 (0 without segmentation) */
#define E1000_TX_CONTEXT      E1000_TX_DEXT
#define E1000_TX_CONTEXT_TCP  (UINT32_C(1) << 24)
#define E1000_TX_CONTEXT_IPV4 (UINT32_C(1) << 25)
/* `status`, context with TSE */
#define E1000_TX_HDRLEN(bytes) ((uint32_t)(bytes) << 8)
#define E1000_TX_MSS(bytes)    ((uint32_t)(bytes) << 16)
/* `status`, legacy and data */
#define E1000_TX_DD        (UINT32_C(1) << 0)
#define E1000_TX_IXSM      (UINT32_C(1) << 8) /* insert the IP checksum */
#define E1000_TX_TXSM      (UINT32_C(1) << 9) /* insert the L4 checksum */
#define E1000_TX_VLAN(tag) ((uint32_t)(tag) << 16)
