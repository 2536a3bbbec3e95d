/* SPDX-License-Identifier: MIT */
/*
 * What the command line says of each interface, for net.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/attributes.h"
#include "net/link/netif.h"
#include "net/limits.h"
#include "net/wire/byteorder.h"

enum net_config_method {
    NET_CONFIG_DHCP,
    NET_CONFIG_STATIC,
    NET_CONFIG_OFF,
};

struct net_config {
    enum net_config_method method;
    struct be32 address;
    unsigned prefix_length;
    struct be32 gateway;          /* 0.0.0.0: none */
    struct be32 dns[2];           /* 0.0.0.0: none */
    char host[64];                /* empty: none */
    char device[NETIF_NAME_SIZE]; /* empty: any */
    bool is_taken;
};

void net_config_init(void);

/* Parses one `ip=` value and keeps it. -EINVAL and -ENOSPC, after naming in
 * the log what is wrong. */
int net_config_add(const char *value) MUST_CHECK;

/* What is said of this interface: by its name, else the first word without a
 * name (DHCP and off without a name go for all). NULL: nothing. */
const struct net_config *net_config_find(const struct netif *netif);

/* Will net_config_find know something of the second and later interfaces? By
 * this name, by a word for all, or by a second word without a name. */
bool net_config_speaks_of(const char *device);

/* The device of the index-th word, "" when it names none; NULL: no more. */
const char *net_config_device(size_t index);

/* Calls for the names that no interface has. */
void net_config_report_unused(void);
