/* SPDX-License-Identifier: MIT */
/*
 * VLAN interfaces (802.1Q 9.6): the tag goes into the frame, or beside it
 * when the card inserts it; received tags choose the interface. Priorities
 * are sent as 0.
 */
#include "net/link/vlan.h"

#include "net/limits.h"
#include "net/link/ethernet.h"

#include <errno.h>
#include <string.h>

struct vlan {
    struct netif netif;
    uint16_t id;
};

static struct {
    struct vlan list[VLANS_MAX];
    size_t count;
} vlans;

enum {
    VLAN_ID_MAX = 4094,
    ID_DIGITS_MAX = 4,
};

static struct netif *find(const struct netif *parent, uint16_t id)
{
    for (size_t i = 0; i < vlans.count; i++)
        if (vlans.list[i].netif.parent == parent && vlans.list[i].id == id)
            return &vlans.list[i].netif;
    return NULL;
}

void vlan_init(void)
{
    memset(&vlans, 0, sizeof(vlans));
    ethernet_set_vlans(find);
}

/* The addresses move to the front, the tag takes their end's place. */
static void insert_tag(struct packet *packet, uint16_t id)
{
    uint8_t *front = packet_push(packet, ETHERNET_VLAN_LENGTH);
    const struct be16 tag[2] = {be16_from(ETHERNET_TYPE_VLAN), be16_from(id)};
    size_t addresses = 2 * sizeof(struct ethernet_address);

    memmove(front, front + ETHERNET_VLAN_LENGTH, addresses);
    memcpy(front + addresses, tag, sizeof(tag));
}

static void vlan_transmit(struct netif *netif, struct packet *packet)
{
    struct vlan *vlan = container_of(netif, struct vlan, netif);
    struct netif *parent = netif->parent;

    if ((parent->features & NETIF_VLAN_INSERT) != 0) {
        packet->has_vlan_tag = true;
        packet->vlan_tag = vlan->id;
    } else {
        insert_tag(packet, vlan->id);
    }
    netif_transmit(parent, packet);
}

/* The parent's own doorbell rings for what it was given. */
static void vlan_kick(struct netif *netif)
{
    (void)netif;
}

static size_t vlan_poll(struct netif *netif, size_t budget)
{
    (void)netif;
    (void)budget;
    return 0;
}

static const struct netif_operations operations = {
    .transmit = vlan_transmit,
    .kick = vlan_kick,
    .poll = vlan_poll,
};

static bool parse_id(const char *text, uint16_t *id)
{
    unsigned value = 0;
    size_t length = strlen(text);

    if (length == 0 || length > ID_DIGITS_MAX || text[0] == '0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
    }
    *id = (uint16_t)value;
    return value <= VLAN_ID_MAX;
}

int vlan_create(const char *name)
{
    const char *dot = strchr(name, '.');
    char parent_name[NETIF_NAME_SIZE] = "";
    struct vlan *vlan = &vlans.list[vlans.count];
    struct netif *parent;
    uint16_t id;

    if (dot == NULL || strlen(name) >= NETIF_NAME_SIZE ||
        !parse_id(dot + 1, &id))
        return -EINVAL;
    memcpy(parent_name, name, (size_t)(dot - name));
    parent = netif_by_name(parent_name);
    if (parent == NULL || (parent->features & NETIF_LOOPBACK) != 0)
        return -ENODEV;
    if (find(parent, id) != NULL)
        return 0;
    if (vlans.count == VLANS_MAX)
        return -ENOSPC;
    vlan->id = id;
    vlan->netif = (struct netif){
        .operations = &operations,
        .parent = parent,
        .address = parent->address,
        .features = parent->features & (NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS),
        .mtu = parent->mtu,
        .link_speed = parent->link_speed,
        .link_up = parent->link_up,
    };
    memcpy(vlan->netif.name, name, strlen(name) + 1);
    if (netif_register(&vlan->netif) != 0)
        return -ENOSPC;
    vlans.count++;
    return 0;
}
