/* SPDX-License-Identifier: MIT */
/*
 * What the files that make calls share.
 */
#pragma once

#include "tests/script/calls.h"

#include "net/attributes.h"

#include <netinet/in.h>

#define LOCAL  "192.168.0.1"
#define REMOTE "192.0.2.1"

enum {
    HANDLES = 256,
    BYTES_MAX = 1 << 20, /* of one call */
};

/* A descriptor of the script. */
struct handle {
    int id; /* the socket's, -1: none */
    bool is_open;
    bool is_bound;
    bool is_datagram;
    bool has_connected;
    uint64_t read_at; /* of the stream */
    uint64_t written_at;
};

void problem(struct outcome *outcome, const char *format, ...)
    PRINTF_LIKE(2, 3);
const struct value *argument(const struct call *call, unsigned index);
int number(const struct call *call, unsigned index);
const struct value *member(const struct value *value, const char *name);
struct handle *handle_of(const struct call *call); /* never NULL */
struct handle *handle_at(long long fd);            /* NULL: not open */
void address_of(const struct call *call, unsigned index, struct handle *handle,
                bool is_local, struct sockaddr_in *address);

void call_read(const struct call *call, struct outcome *outcome);
void call_write(const struct call *call, struct outcome *outcome);
void call_receive(const struct call *call, struct outcome *outcome);
void call_send(const struct call *call, struct outcome *outcome);
void call_poll(const struct call *call, struct outcome *outcome);
void call_get(const struct call *call, struct outcome *outcome);
void call_set(const struct call *call, struct outcome *outcome);
