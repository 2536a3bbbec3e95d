/* SPDX-License-Identifier: MIT */
/*
 * HyStart++ (RFC 9406): leaves the first slow start when round-trip times
 * begin to grow, by way of a more cautious one, before packets are lost.
 */
#pragma once

#include "net/tcp/congestion.h"

/* One ACK of the first slow start, whose window is in use: grows the window, or
 * ends slow start by lowering ssthresh to it. */
void hystart_ack(struct tcp_congestion *congestion, struct hystart *hystart,
                 const struct tcp_ack_event *ack);
