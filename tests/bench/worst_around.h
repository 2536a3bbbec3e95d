/* SPDX-License-Identifier: MIT */
/*
 * What else runs on the victim, and frames against it: neighbours, groups,
 * names, leases, half datagrams, tracked flows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What the victim does. */
void around_guard(void);            /* rules, tracking, translation */
void around_groups(uint32_t count); /* joined */
void around_ask(uint32_t number);   /* for the address of a name */
void around_lease(void);            /* a DHCP client begins */

/* What the victim has sent. */
void around_sent(const uint8_t *frame, size_t length);

/* The addresses of the packet in victim.frame, and its header's sum. */
void around_address(uint32_t from, uint32_t to);

/* Into victim.frame, of three numbers. */
void around_arp(uint32_t a, uint32_t b, uint32_t c);
void around_query(uint32_t a, uint32_t b, uint32_t c);
void around_answer(uint32_t a, uint32_t b, uint32_t c);
void around_offer(uint32_t a, uint32_t b, uint32_t c);
void around_piece(uint32_t a, uint32_t b, uint32_t c);
void around_flow(uint32_t a, uint32_t b, uint32_t c);
