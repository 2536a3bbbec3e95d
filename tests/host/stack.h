/* SPDX-License-Identifier: MIT */
/*
 * One whole ferrule stack as a table of its functions. The protocols keep
 * static state, so two stacks back to back in one process are two links of
 * the same objects: the build merges net/ and stack.c into one object more,
 * in which every global symbol has the prefix "peer_". Only the table is
 * reached from outside.
 */
#pragma once

#include "net/net.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/platform.h"
#include "net/tcp/tcp.h"
#include "net/timer.h"

struct stack_functions {
    __typeof__(net_init) *net_init;
    __typeof__(net_receive_softirq) *net_receive_softirq;
    __typeof__(net_timer_softirq) *net_timer_softirq;
    __typeof__(net_next_deadline) *net_next_deadline;
    __typeof__(net_set) *net_set;
    __typeof__(net_configure_ip) *net_configure_ip;
    __typeof__(net_start) *net_start;
    __typeof__(net_visit_counters) *net_visit_counters;

    __typeof__(netif_register) *netif_register;
    __typeof__(netif_schedule) *netif_schedule;
    __typeof__(netif_receive) *netif_receive;
    __typeof__(netif_transmit_resume) *netif_transmit_resume;
    __typeof__(netif_link_changed) *netif_link_changed;
    __typeof__(netif_flush) *netif_flush;

    __typeof__(packet_alloc) *packet_alloc;
    __typeof__(packet_append) *packet_append;
    __typeof__(packet_free) *packet_free;
    __typeof__(packet_count_free) *packet_count_free;
    __typeof__(packet_count_total) *packet_count_total;
    __typeof__(buffer_count_free) *buffer_count_free;
    __typeof__(drop_count) *drop_count;
    __typeof__(timers_count) *timers_count;

    __typeof__(tcp_run_pending) *tcp_run_pending;
    __typeof__(tcp_set_notify) *tcp_set_notify;
    __typeof__(tcp_listen) *tcp_listen;
    __typeof__(tcp_listener_close) *tcp_listener_close;
    __typeof__(tcp_listener_options) *tcp_listener_options;
    __typeof__(tcp_accept) *tcp_accept;
    __typeof__(tcp_connect) *tcp_connect;
    __typeof__(tcp_write) *tcp_write;
    __typeof__(tcp_read) *tcp_read;
    __typeof__(tcp_shutdown) *tcp_shutdown;
    __typeof__(tcp_close) *tcp_close;
    __typeof__(tcp_abort) *tcp_abort;
    __typeof__(tcp_ready) *tcp_ready;
    __typeof__(tcp_take_error) *tcp_take_error;
    __typeof__(tcp_get_state) *tcp_get_state;
    __typeof__(tcp_set_option) *tcp_set_option;
    __typeof__(tcp_get_status) *tcp_get_status;
    __typeof__(tcp_visit_connections) *tcp_visit_connections;
    __typeof__(tcp_visit_counters) *tcp_visit_counters;
    __typeof__(tcp_write_queued) *tcp_write_queued;
};

extern const struct stack_functions stack_functions;
extern const struct stack_functions peer_stack_functions;
