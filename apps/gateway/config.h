/* SPDX-License-Identifier: MIT */
/*
 * What /etc/dnsmasq.conf says: a subset of dnsmasq's own syntax, named in
 * docs/gateway.md. A line that cannot be understood is reported with its
 * place and left out; the others count. Addresses are in host order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONFIG_RANGES_MAX = 8,
    CONFIG_HOSTS_MAX = 256,
    CONFIG_OPTIONS_MAX = 32,
    CONFIG_SERVERS_MAX = 32,
    CONFIG_ADDRESSES_MAX = 1024,
    CONFIG_NAME_SIZE = 254,     /* a domain as text (RFC 1035 2.3.4), and 0 */
    CONFIG_HOST_SIZE = 64,      /* one label (RFC 1035 2.3.1), and 0 */
    CONFIG_OPTION_SIZE = 255,   /* RFC 2132 2: the length is one byte */
    CONFIG_DEVICE_SIZE = 16,    /* IFNAMSIZ */
    CONFIG_CACHE_DEFAULT = 150, /* names, as dnsmasq */
    CONFIG_CACHE_MAX = 10000,
    CONFIG_LEASES_DEFAULT = 1000, /* as dnsmasq */
    CONFIG_LEASES_MAX = 65536,
    CONFIG_LEASE_S = 3600, /* as dnsmasq */
    CONFIG_LEASE_MIN_S = 120,
};

#define CONFIG_LEASE_INFINITE UINT32_MAX

struct config_range {
    uint32_t first, last;
    uint32_t netmask; /* 0: the interface's */
    uint32_t lease_s;
    bool is_static_only; /* known hosts only */
};

struct config_host {
    uint8_t hardware[6];
    uint32_t address;            /* 0: any of the range */
    char name[CONFIG_HOST_SIZE]; /* "": none */
    uint32_t lease_s;            /* 0: the range's */
    bool is_ignored;
};

struct config_option {
    uint8_t code;
    uint8_t length;
    uint8_t bytes[CONFIG_OPTION_SIZE];
};

struct config_server {
    char domain[CONFIG_NAME_SIZE]; /* "": for every name */
    uint32_t address;              /* 0: answered from here alone */
    uint16_t port;
};

struct config_address {
    char domain[CONFIG_NAME_SIZE]; /* it and all below; "": every name */
    uint32_t address;              /* 0: there is no such name */
};

struct config {
    char device[CONFIG_DEVICE_SIZE];
    char domain[CONFIG_NAME_SIZE];
    struct config_range ranges[CONFIG_RANGES_MAX];
    struct config_host hosts[CONFIG_HOSTS_MAX];
    struct config_option options[CONFIG_OPTIONS_MAX];
    struct config_server servers[CONFIG_SERVERS_MAX];
    struct config_address *addresses; /* the owner frees it */
    size_t range_count, host_count, option_count, server_count;
    size_t address_count;
    uint32_t cache_size;
    uint32_t leases_max;
    bool is_authoritative;
    bool needs_domain;   /* domain-needed: plain names are not forwarded */
    bool keeps_private;  /* bogus-priv: private PTR are not forwarded */
    bool ignores_uplink; /* no-resolv: only the servers named here */
};

/* Called for each line that could not be understood. Column and line count
 * from 1. */
typedef void config_report(void *context, unsigned line, unsigned column,
                           const char *message);

void config_set_defaults(struct config *config);

/* Adds what `text` says. Returns how many lines were left out. */
unsigned config_parse(struct config *config, const char *text, size_t length,
                      config_report *report, void *context);

void config_free(struct config *config);
