/* SPDX-License-Identifier: MIT */
/*
 * Rule files of any bytes; one that is good then meets a few packets.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/host/filter_path.h"

static const uint8_t packet[] = {
    0x45, 0, 0,   40, 0,    1, 0,    0, 64, 6,  0x67, 0x00, 192, 168,
    1,    2, 203, 0,  113,  1, 4,    0, 0,  80, 0,    0,    0,   1,
    0,    0, 0,   0,  0x50, 2, 0x20, 0, 0,  0,  0,    0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int is_started;
    struct rules_error error;

    if (!is_started++)
        path_start(16 << 20);
    if (filter_set("netfilter.nf_conntrack_checksum", 0) != 0)
        __builtin_trap();
    if (rules_load("fuzz", (const char *)data, size, &error) != 0) {
        if (error.text[0] == '\0')
            __builtin_trap();
        return 0;
    }
    path_receive(PATH_LAN, packet, sizeof(packet), NS_PER_S);
    path_receive(PATH_WAN, packet, sizeof(packet), NS_PER_S);
    path_send(packet, sizeof(packet), NS_PER_S);
    flow_table_clear();
    return 0;
}
