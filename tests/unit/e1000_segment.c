/* SPDX-License-Identifier: MIT */
/*
 * Large packets through the card: what it cuts by the driver's context is byte
 * for byte what net/link/segment.c cuts in software.
 */
/* test-flags: -iquote tests/unit/fake_kernel */
/* test-flags: -Wl,--wrap=netif_register,--wrap=netif_schedule */
/* test-flags: -Wl,--wrap=netif_receive,--wrap=netif_transmit_resume */
/* test-flags: -Wl,--wrap=netif_link_changed,--wrap=platform_memory_untouched */
/* test-links: drivers/e1000/e1000.c drivers/e1000/hardware.c */
/* test-links: drivers/e1000/link.c drivers/e1000/options.c */
/* test-links: drivers/e1000/receive.c drivers/e1000/statistics.c */
/* test-links: drivers/e1000/transmit.c drivers/e1000/watchdog.c */
/* test-links: tests/unit/support_kernel_fake.c */
/* test-links: tests/unit/support_e1000_nic.c tests/unit/support_e1000_cut.c */
/* test-links: tests/unit/support_e1000_stack.c */

#include "drivers/e1000/device.h"
#include "drivers/e1000/e1000.h"
#include "net/link/segment.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"
#include "tests/unit/support_e1000_stack.h"

#include <criterion/criterion.h>
#include <string.h>

enum { OPTIONS = 12, HEADERS = 14 + 20 + 20 + OPTIONS };

static uint8_t text[65536];

/* Headers as TCP and IP make them, `length` bytes of text in odd pieces. */
static struct packet *make(uint32_t length, uint16_t mss, uint8_t flags)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    uint8_t *bytes = packet_append(packet, HEADERS);
    struct ipv4_header *ip = (void *)(bytes + 14);
    struct tcp_header *tcp = (void *)(ip + 1);
    uint32_t tcp_length = 20 + OPTIONS + length;
    uint32_t sum = checksum_add_32(0, 0x0a000001);

    memset(bytes, 0, HEADERS);
    memcpy(bytes, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
    ip->version_ihl = 0x45;
    ip->total_length = be16_from((uint16_t)(20 + tcp_length));
    ip->identification = be16_from(0xfffe);
    ip->ttl = 64;
    ip->protocol = 6;
    ip->source = be32_from(0x0a000001);
    ip->destination = be32_from(0x0a000002);
    ip->checksum = checksum_finish(checksum_add(0, ip, 20));
    tcp->source_port = be16_from(80);
    tcp->destination_port = be16_from(4000);
    tcp->sequence = be32_from(0xfffff000);
    tcp->acknowledgement = be32_from(1);
    tcp->data_offset = (20 + OPTIONS) / 4 << 4;
    tcp->flags = flags;
    tcp->window = be16_from(1000);
    memset(tcp + 1, 1, OPTIONS);
    sum = checksum_add_32(sum, 0x0a000002);
    sum = checksum_add_32(sum, 6 + tcp_length);
    tcp->checksum = be16_from(checksum_fold(sum));
    packet->network_offset = (uint16_t)(packet_headroom(packet) + 14);
    packet->transport_offset = (uint16_t)(packet->network_offset + 20);
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = packet->transport_offset;
    packet->checksum_offset = offsetof(struct tcp_header, checksum);
    packet->segment_size = mss;
    for (uint32_t done = 0; done < length;) {
        uint32_t part = done == 0 ? 333 : 2047;
        if (part > length - done)
            part = length - done;
        packet_add_fragment(packet, text + done, part, LOAN_NONE);
        done += part;
    }
    return packet;
}

static void send_large(struct packet *packet)
{
    segment_make_template(packet);
    stack_netif()->operations->transmit(stack_netif(), packet);
    stack_netif()->operations->kick(stack_netif());
}

static size_t compare(const struct fake_nic *nic, struct packet *large,
                      size_t first)
{
    struct segment_cursor cursor = {.done = 0};
    size_t n = first;
    bool is_last;

    do {
        struct packet *segment = segment_next(large, &cursor);
        cr_assert_not_null(segment);
        is_last = segment == large;
        packet_finish_checksum(segment);
        cr_assert(packet_linearise(segment));
        cr_assert_lt(n, nic->sent_count);
        cr_assert_eq(nic->sent[n].length, segment->length, "frame %zu", n);
        cr_assert_eq(memcmp(nic->sent[n].bytes, segment->data, segment->length),
                     0, "frame %zu", n);
        packet_free(segment);
        n++;
    } while (!is_last);
    return n;
}

static struct fake_nic *start(uint16_t device)
{
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 31 + i / 251);
    return stack_start_one(device);
}

Test(e1000_segment, the_card_and_software_cut_alike)
{
    static const uint16_t sizes[] = {257, 536, 1000, 1447, 1448};
    struct fake_nic *nic = start(0x100E);

    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (uint32_t length = sizes[i] + 1U; length < 65000;
             length += length / 3 + 1) {
            struct packet *model = make(length, sizes[i], 0x19);
            nic->sent_count = 0;
            send_large(make(length, sizes[i], 0x19));
            cr_assert_eq(compare(nic, model, 0), nic->sent_count);
            stack_poll(64);
        }
    }
    cr_assert_eq(packet_count_free(), 2048);
}

Test(e1000_segment, the_longest_burst_fits_what_is_kept_free_for_it)
{
    static const uint16_t sizes[] = {257, 536, 1022, 1448};
    struct fake_nic *nic = start(0x100E);

    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        uint32_t length = (uint32_t)TCP_BURST_SEGMENTS * sizes[i];
        uint64_t before = stack_statistic("tx_descriptors");

        if (length > TCP_BURST_MAX)
            length = TCP_BURST_MAX;
        nic->sent_count = 0;
        send_large(make(length, sizes[i], 0x18));
        stack_poll(64);
        cr_assert_leq(stack_statistic("tx_descriptors") - before,
                      E1000_TX_RESERVE, "segments of %u", sizes[i]);
    }
}

Test(e1000_segment, between_large_packets_small_ones_get_their_own_context)
{
    struct fake_nic *nic = start(0x10D3);

    for (int turn = 0; turn < 3; turn++) {
        size_t before = nic->sent_count;
        struct packet *small = make(700, 0, 0x18);
        send_large(make(5000, 1448, 0x18));
        stack_netif()->operations->transmit(stack_netif(), small);
        stack_netif()->operations->kick(stack_netif());
        cr_assert_eq(compare(nic, make(5000, 1448, 0x18), before), before + 4);
        cr_assert_eq(nic->sent_count, before + 5);
        cr_assert_eq(nic->sent[before + 4].length, HEADERS + 700);
        stack_poll(64);
    }
    cr_assert_eq(nic->large_count, 3);
    cr_assert_eq(stack_statistic("tx_segmented"), 3);
}

Test(e1000_segment, the_last_bytes_have_a_descriptor_of_their_own)
{
    struct fake_nic *nic = start(0x100E);
    uint64_t before = stack_statistic("tx_descriptors");

    send_large(make(333 + 2047, 1448, 0x18));
    /* context, headers, two pieces, the last four bytes */
    cr_assert_eq(stack_statistic("tx_descriptors") - before, 5);
    cr_assert_eq(nic->sent_count, 2);
}

Test(e1000_segment, a_full_ring_holds_large_packets_back_in_order)
{
    struct fake_nic *nic = start(0x100E);
    size_t given = 0;

    nic->holds_transmit = true;
    while (!stack_netif()->transmit_stopped) {
        send_large(make(60000, 1448, 0x18));
        given++;
    }
    cr_assert_gt(given, 1);
    nic->holds_transmit = false;
    fake_nic_send(nic, SIZE_MAX);
    stack_poll(64);
    cr_assert_eq(nic->large_count, given);
    cr_assert(!stack_netif()->transmit_stopped);
    cr_assert_eq(packet_count_free(), 2048);
}
