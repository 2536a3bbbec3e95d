/* SPDX-License-Identifier: MIT */
/*
 * A name server at the peer of support_net.h: it answers whatever a test sets,
 * and keeps what it was asked.
 */
#pragma once

#include "net/service/dns.h"
#include "tests/unit/support_net.h"

/* A message being written. */
struct dns_message {
    uint8_t bytes[2048];
    size_t length;
};

struct name_server {
    /* Writes the answer to a question (its header and question are copied
     * already, as a response). False: no answer. NULL: silence. */
    bool (*answer)(struct dns_message *message);
    /* What was heard last, and how often. */
    size_t heard;
    uint16_t id;
    uint16_t port;
    uint32_t server; /* the address that was asked */
};

extern struct name_server name_server;

void dns_world(void); /* asks the peer, then the other one */
void put_bytes(struct dns_message *message, const void *bytes, size_t length);

/* One resource record; `name` and `data` in wire form. */
void put_record(struct dns_message *message, const char *name,
                size_t name_length, uint16_t type, uint32_t ttl_s,
                const void *data, size_t length);

/* An A record for the name in the question. */
void put_address(struct dns_message *message, uint32_t ttl_s, uint32_t address);
void set_counts(struct dns_message *message, uint16_t answers,
                uint16_t authorities);
void set_code(struct dns_message *message, uint8_t code);

/* Sends a message to the port that asked, from `source`. */
void send_answer(const struct dns_message *message, uint32_t source);

/* What the last lookup came to. */
extern struct dns_result result;
extern bool is_done;

/* Asks, and runs until it is done or `limit_s` seconds are over. */
enum dns_status look_up_for(const char *name, uint64_t limit_s);
enum dns_status look_up(const char *name);
