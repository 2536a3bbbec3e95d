/* SPDX-License-Identifier: MIT */
/*
 * Packets of any bytes through tracking and translation, ICMP errors about
 * flows among them. Input: for each packet an octet (which side, how many
 * octets of the last packet that left to quote), a length, and its bytes from
 * the protocol on.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "tests/host/filter_path.h"

static const char rules[] =
    "table ip n { chain pre { type nat hook prerouting priority dstnat\n"
    "iif eth0 tcp dport 80 dnat to 192.168.1.3:8080 }\n"
    "chain post { type nat hook postrouting priority srcnat\n"
    "oif eth0 masquerade } }\n";

static uint8_t bytes[600];

static size_t build(const uint8_t *data, size_t length,
                    const struct path_result *last, unsigned how)
{
    struct ipv4_header *ip = (void *)bytes;
    size_t payload = length;

    memset(bytes, 0, sizeof(bytes));
    ip->version_ihl = 0x45;
    ip->ttl = 64;
    ip->protocol = data[0];
    ip->source = be32_from((how & 1) != 0 ? 0xc0a80102 : 0xcb007101);
    ip->destination = be32_from((how & 1) != 0 ? 0xcb007101 : PATH_WAN_ADDRESS);
    memcpy(ip + 1, data + 1, length - 1);
    if ((how & 2) != 0 && last != NULL && last->length > 8) {
        size_t quote = last->length < 200 ? last->length : 200;

        ip->protocol = 1;
        memcpy(bytes + 28, last->bytes, quote);
        if (length > 4)
            bytes[28 + data[3] % quote] ^= data[4];
        payload = 8 + quote;
    }
    ip->total_length = be16_from((uint16_t)(20 + payload));
    ip->checksum = checksum_finish(checksum_add(0, ip, 20));
    return 20 + payload;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct path_result last;
    static int is_started;
    struct rules_error error;
    uint64_t now_ns = NS_PER_S;

    if (!is_started++) {
        path_start(16 << 20);
        if (rules_load("fuzz", rules, strlen(rules), &error) != 0)
            __builtin_trap();
    }
    (void)!filter_set("netfilter.nf_conntrack_checksum", 0);
    last.length = 0;
    while (size > 2) {
        unsigned how = data[0];
        size_t length = 1 + data[1] % 60U;
        const struct path_result *result;
        size_t total;

        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        total = build(data, length, &last, how);
        now_ns += (uint64_t)(how >> 4) * NS_PER_S;
        result = path_receive((how & 1) != 0 ? PATH_LAN : PATH_WAN, bytes,
                              total, now_ns);
        if (result->end == PATH_FORWARDED && result->length < 600)
            memcpy(&last, result,
                   offsetof(struct path_result, bytes) + result->length);
        data += length;
        size -= length;
    }
    flow_table_clear();
    return 0;
}
