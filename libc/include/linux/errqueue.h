/* SPDX-License-Identifier: MIT */
/*
 * What recvmsg(MSG_ERRQUEUE) tells, as Linux has it: here only that memory of
 * MSG_ZEROCOPY is the app's again. ee_info to ee_data are the numbers of the
 * sends, counted from 0.
 */
#pragma once

#include <stdint.h>

struct sock_extended_err {
    uint32_t ee_errno;
    uint8_t ee_origin;
    uint8_t ee_type;
    uint8_t ee_code;
    uint8_t ee_pad;
    uint32_t ee_info;
    uint32_t ee_data;
};

#define SO_EE_ORIGIN_NONE          0
#define SO_EE_ORIGIN_LOCAL         1
#define SO_EE_ORIGIN_ICMP          2
#define SO_EE_ORIGIN_ZEROCOPY      5
#define SO_EE_CODE_ZEROCOPY_COPIED 1
