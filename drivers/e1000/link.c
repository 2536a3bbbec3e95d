/* SPDX-License-Identifier: MIT */
/*
 * The PHY and the link. Negotiation is the PHY's own business and is not
 * restarted while there is a link (that would cost half a second without
 * one); only a PHY that a predecessor left asleep is woken.
 */
#include "drivers/e1000/device.h"

#include "kernel/clock.h"

#include <errno.h>

enum {
    MDIC_WAIT_US = 2000, /* a frame on the PHY's bus takes about 64 */
    MDIC_STEP_US = 10,
};

static int mdic_run(const struct e1000 *nic, uint32_t request, uint16_t *data)
{
    e1000_write(nic, E1000_MDIC, request | E1000_MDIC_PHY_1);
    for (uint32_t waited = 0; waited < MDIC_WAIT_US; waited += MDIC_STEP_US) {
        uint32_t word = e1000_read(nic, E1000_MDIC);
        if ((word & E1000_MDIC_READY) != 0) {
            *data = (uint16_t)word;
            return (word & E1000_MDIC_ERROR) != 0 ? -EIO : 0;
        }
        clock_delay_us(MDIC_STEP_US);
    }
    return -ETIMEDOUT;
}

static int phy_read(const struct e1000 *nic, enum e1000_phy_register number,
                    uint16_t *value)
{
    return mdic_run(nic, E1000_MDIC_READ | E1000_MDIC_REGISTER(number), value);
}

static void phy_write(const struct e1000 *nic, enum e1000_phy_register number,
                      uint16_t value)
{
    uint16_t ignored;
    /* A PHY that does not listen shows as a link that never comes up. */
    (void)mdic_run(nic, E1000_MDIC_WRITE | E1000_MDIC_REGISTER(number) | value,
                   &ignored);
}

static void phy_wake(const struct e1000 *nic)
{
    uint16_t control;

    if (phy_read(nic, E1000_PHY_CONTROL, &control) != 0)
        return;
    if ((control & (E1000_PHY_CONTROL_POWER_DOWN | E1000_PHY_CONTROL_ISOLATE |
                    E1000_PHY_CONTROL_NEGOTIATE)) ==
        E1000_PHY_CONTROL_NEGOTIATE)
        return;
    phy_write(nic, E1000_PHY_CONTROL,
              E1000_PHY_CONTROL_NEGOTIATE | E1000_PHY_CONTROL_RESTART);
}

/* CTRL as this driver wants it [8254x 14.3]: link on, speed and duplex from
 * the PHY, tags stripped and inserted. */
void e1000_link_init(struct e1000 *nic)
{
    uint32_t control = e1000_read(nic, E1000_CTRL);

    control &= ~(E1000_CTRL_LRST | E1000_CTRL_ILOS | E1000_CTRL_FRCSPD |
                 E1000_CTRL_FRCDPLX | E1000_CTRL_PHY_RST | E1000_CTRL_RFCE |
                 E1000_CTRL_TFCE | E1000_CTRL_ASDE);
    control |= E1000_CTRL_SLU | E1000_CTRL_VME;
    if ((nic->chip->quirks & E1000_QUIRK_NO_SPEED_DETECTION) == 0)
        control |= E1000_CTRL_ASDE;
    e1000_write(nic, E1000_CTRL, control);
    nic->link_seen = UINT32_MAX; /* nothing of it is kept here */
    if ((e1000_read(nic, E1000_STATUS) & E1000_STATUS_LU) == 0)
        phy_wake(nic);
}

/* What both ends want of PAUSE [802.3 table 28B-3], as CTRL bits. */
static uint32_t resolve_pause(uint16_t local, uint16_t partner)
{
    if ((local & partner & E1000_PHY_PAUSE) != 0)
        return E1000_CTRL_RFCE | E1000_CTRL_TFCE;
    if ((local & partner & E1000_PHY_PAUSE_ASYMMETRIC) == 0)
        return 0;
    if ((partner & E1000_PHY_PAUSE) != 0)
        return E1000_CTRL_TFCE;
    return (local & E1000_PHY_PAUSE) != 0 ? E1000_CTRL_RFCE : 0;
}

static void adapt_to_link(struct e1000 *nic, bool is_full_duplex)
{
    uint32_t tctl = e1000_read(nic, E1000_TCTL);
    uint32_t wanted = tctl & ~E1000_TCTL_COLD;
    uint32_t control = e1000_read(nic, E1000_CTRL);
    uint32_t pause = 0;
    uint16_t local;
    uint16_t partner;

    wanted |= is_full_duplex ? E1000_TCTL_COLD_FD : E1000_TCTL_COLD_HD;
    if (wanted != tctl)
        e1000_write(nic, E1000_TCTL, wanted);
    if (is_full_duplex && phy_read(nic, E1000_PHY_ADVERTISED, &local) == 0 &&
        phy_read(nic, E1000_PHY_PARTNER, &partner) == 0)
        pause = resolve_pause(local, partner);
    control &= ~(E1000_CTRL_RFCE | E1000_CTRL_TFCE);
    e1000_write(nic, E1000_CTRL, control | pause);
}

/* Looks at the link. It may have gone and come, as another one, since the
 * last look; the stack is told only what it does not know. */
void e1000_link_check(struct e1000 *nic)
{
    static const uint16_t speeds[] = {10, 100, 1000, 1000};
    uint32_t status = e1000_read(nic, E1000_STATUS);
    bool is_up = (status & E1000_STATUS_LU) != 0;
    bool is_full_duplex = (status & E1000_STATUS_FD) != 0;
    uint32_t seen = status & E1000_STATUS_LINK;

    if (seen == nic->link_seen || status == UINT32_MAX)
        return;
    nic->link_seen = seen;
    nic->netif.link_speed = 0;
    if (is_up) {
        adapt_to_link(nic, is_full_duplex);
        nic->netif.link_speed = speeds[E1000_STATUS_SPEED(status)];
    }
    if (is_up != nic->netif.link_up)
        netif_link_changed(&nic->netif, is_up);
}
