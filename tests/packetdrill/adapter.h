/* SPDX-License-Identifier: MIT */
/*
 * What the files of the adapter share: one mutex, one world, descriptors.
 */
#pragma once

#include "tests/packetdrill/interface.h"
#include "tests/script/lan.h"

#include <setjmp.h>

enum {
    DESCRIPTORS = 1024,
    /* How much virtual time a wait for a packet, or for a call that blocks
     * where nothing else can happen, may take. */
    PATIENCE_S = 130,
};

/* --- clock.c: time, threads, the way in and out of every call ------------ */

extern struct lan adapter_lan;

void clock_init(void);

/* Every function of the table begins and ends with these. */
void adapter_enter(void);
void adapter_leave(void);

/* Where a call on the main thread goes that waits for what cannot come:
 *   if (setjmp(*adapter_deadlock()) != 0) return adapter_give_up(); */
jmp_buf *adapter_deadlock(void);
int adapter_give_up(void);

/* One step of the world; whoever sleeps in a call looks again. */
bool clock_step(uint64_t until_ns);
void clock_run_until(uint64_t time_ns);

/* What gettimeofday says at that time. */
long long clock_time_us(uint64_t time_ns);

int clock_usleep(void *userdata, useconds_t length_us);
int clock_gettimeofday(void *userdata, struct timeval *time,
                       struct timezone *zone);

/* --- descriptors.c -------------------------------------------------------- */

/* A descriptor for this socket: a real one of the kernel, because packetdrill
 * closes with close(2) what a script left open. Negative: -errno. */
int descriptor_open(int socket);

/* The socket behind it, or -1. */
int descriptor_socket(int fd);
void descriptor_close(int fd);

/* -1 and errno for a negative result. */
ssize_t adapter_result(ssize_t result);

/* --- the rest ------------------------------------------------------------- */

void calls_fill(struct packetdrill_interface *table);
void data_fill(struct packetdrill_interface *table);
void wait_fill(struct packetdrill_interface *table);
void network_fill(struct packetdrill_interface *table);

/* Closes an epoll; false: the descriptor is none. */
bool epoll_forget(int fd);

/* Writes the connections into the file PACKETDRILL_STATES names. */
void states_write(void);
