/* SPDX-License-Identifier: MIT */
/*
 * Answers kept until their time is over, whole messages by question. At most
 * `capacity` of them; the one that has not been asked for longest goes first.
 */
#pragma once

#include "dns_message.h"

struct dns_cache_counters {
    uint64_t hits, misses, insertions, evictions;
};

extern struct dns_cache_counters dns_cache_counters;

/* 0: nothing is kept. False without memory. */
bool dns_cache_start(uint32_t capacity);
void dns_cache_stop(void);
void dns_cache_clear(void);
size_t dns_cache_count(void);

/* Copies the message, whose records live `ttl_s` more seconds. */
void dns_cache_add(const struct dns_question *question, const uint8_t *message,
                   size_t length, uint32_t ttl_s, uint64_t now_s);
/* The message with its times brought up to date, `*length` bytes, valid until
 * the next call of anything here; NULL: not there. */
const uint8_t *dns_cache_find(const struct dns_question *question,
                              uint64_t now_s, size_t *length);
