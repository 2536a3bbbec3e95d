/* SPDX-License-Identifier: MIT */
/*
 * The stack above the e1000 driver under test: the real packets and buffers,
 * and an interface layer that remembers what it was told. The test's flags
 * wrap the functions this replaces (-Wl,--wrap).
 */
#pragma once

#include "net/link/netif.h"
#include "net/packet.h"
#include "tests/unit/support_e1000_nic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STACK_FRAMES_MAX = 8192 };

struct stack_interface {
    struct netif *netif;
    struct packet *frames[STACK_FRAMES_MAX]; /* received, in order */
    size_t frame_count;
    size_t link_changes;
    size_t resumes;
    /* Called by netif_transmit_resume(). */
    void (*on_resume)(struct netif *netif);
};

extern struct stack_interface stack_interfaces[NETIF_MAX];
extern size_t stack_count;

/* Pools of that many buffers and packets. */
void stack_init(size_t buffers);

/* One card of this model in service; its fake and its interface. */
struct fake_nic *stack_start_one(uint16_t device);
struct netif *stack_netif(void);

/* Delivers the interrupt if there is one, then polls while scheduled. */
void stack_run(struct fake_nic *nic);
size_t stack_poll(size_t budget);
void stack_tick(size_t times);

/* A frame to the card's own address, each byte of it told by `seed`. */
void stack_make_frame(uint8_t *frame, size_t length, uint8_t seed);
/* The n-th frame the stack got equals this one. */
bool stack_got(size_t n, const void *frame, size_t length);
void stack_free_frames(void);

struct packet *stack_packet(size_t length, uint8_t seed);
void stack_send(size_t count, size_t length);
uint64_t stack_statistic(const char *name);
