/* SPDX-License-Identifier: MIT */
/*
 * Who has which address of the LAN, and until when. Bounded: a client beyond
 * `dhcp-lease-max`, or beyond the range, gets nothing, and never takes what
 * another holds; an address that was only offered is taken back first. In
 * memory alone: after a restart clients keep what they have, because what
 * they ask for is free (dhcp-authoritative).
 */
#pragma once

#include "config.h"

enum { LEASE_KEY_SIZE = 32 };

enum lease_state {
    LEASE_FREE, /* kept for its client, who may come again */
    LEASE_OFFERED,
    LEASE_BOUND,
    LEASE_DECLINED, /* somebody else uses the address */
};

struct lease {
    uint32_t address;
    uint32_t length_s;
    uint64_t ends_s; /* offered, bound, declined; UINT64_MAX: never */
    uint32_t next_of_key, next_of_address; /* index + 1; 0: last */
    enum lease_state state;
    uint8_t key_length;
    uint8_t key[LEASE_KEY_SIZE]; /* client identifier, or 1 and hardware */
    uint8_t hardware[6];
    char host[CONFIG_HOST_SIZE];
};

/* Who asks. */
struct lease_client {
    uint8_t key[LEASE_KEY_SIZE];
    uint8_t key_length;
    uint8_t hardware[6];
    uint32_t wanted; /* an address it would like; 0: none */
};

/* `own` is our address on the LAN. Seconds count from any start, and never
 * back. False without memory. */
bool leases_start(const struct config *config, uint32_t own, uint32_t netmask);
void leases_stop(void);

struct lease *lease_of_client(const struct lease_client *client);
struct lease *lease_of_address(uint32_t address);
/* By the name a client gave or was given, whichever is in force. */
struct lease *lease_of_name(const char *name, uint64_t now_s);

/* The lease this client should have: the one it has, its reserved address,
 * the one it wants, any. NULL when there is none. Marks it offered unless it
 * is bound. */
struct lease *lease_offer(const struct lease_client *client, uint64_t now_s);
void lease_bind(struct lease *lease, uint32_t length_s, uint64_t now_s);
void lease_release(struct lease *lease);
void lease_decline(struct lease *lease, uint64_t now_s);
bool lease_is_in_force(const struct lease *lease, uint64_t now_s);

/* Does this address belong to one of our ranges or reservations? */
bool lease_may_give(uint32_t address, const struct config_host *host);
const struct config_host *lease_reservation(const uint8_t hardware[6]);
/* Of the range that holds the address, or of the host. */
uint32_t lease_length_s(uint32_t address, const struct config_host *host);

/* In order of creation; NULL after the last. */
const struct lease *lease_at(size_t index);
