/* SPDX-License-Identifier: MIT */
/*
 * Linux's name of the same things.
 */
#pragma once

#include <netpacket/packet.h>
