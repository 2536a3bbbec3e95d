/* SPDX-License-Identifier: MIT */
/*
 * A stack with nothing but its loopback, in virtual time, and sockets on it
 * in the states that tests begin with. Blocking calls let the world run;
 * whoever waits for what nobody will do fails the test.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "net/socket/socket.h"
#include "tests/host/world.h"

#define LOOPBACK 0x7f000001

enum { TEST_PORT = 8000 };

/* The stack that the socket calls go to. */
extern struct world_stack *socket_stack;

void socket_world(void);

/* Makes the calls go to this stack. */
void socket_world_use(struct world_stack *stack);

struct sockaddr_in socket_address(uint32_t address, uint16_t port);
int bind_to(int id, uint32_t address, uint16_t port);
int connect_to(int id, uint32_t address, uint16_t port);

/* A stream socket that listens on TEST_PORT. */
int make_listener(int backlog);

/* Two ends of one connection, both blocking; the listener is closed. */
void make_connection(int ends[2]);

/* A datagram socket bound to the loopback's `port`. */
int make_datagram(uint16_t port);

ssize_t send_bytes(int id, const void *bytes, size_t length, int flags);
ssize_t receive_bytes(int id, void *bytes, size_t size, int flags);

int set_option(int id, int level, int option, int value);
int get_option(int id, int level, int option);
void set_timeouts(int id, uint64_t timeout_ms);

/* Later, from an event: send, or close. */
void send_later(uint64_t delay_ns, int id, const char *text);
void close_later(uint64_t delay_ns, int id);
