/* SPDX-License-Identifier: MIT */
/*
 * What the resolver remembers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/service/dns.h"
#include "net/wire/dns.h"

void dns_cache_init(void);

/* A fresh entry, with the rest of its time as ttl_s. */
bool dns_cache_find(const char *name, enum dns_type type,
                    struct dns_result *result, uint64_t now_ns);

/* Remembers it for ttl_s; not at all when that is 0. */
void dns_cache_add(const char *name, enum dns_type type,
                   const struct dns_result *result, uint64_t now_ns);

/* Other servers may say otherwise. */
void dns_cache_flush(void);
