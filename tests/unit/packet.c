/* SPDX-License-Identifier: MIT */
/*
 * Packets, buffers and their pools.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/attributes.h"
#include "net/wire/checksum.h"

TestSuite(packet, .init = net_world, .timeout = 60);

Test(packet, pull_and_push_move_the_start)
{
    struct packet *packet = packet_alloc(100);

    memcpy(packet_append(packet, 10), "0123456789", 10);
    cr_assert_eq(memcmp(packet_pull(packet, 4), "0123", 4), 0);
    cr_assert_eq(packet->length, 6);
    cr_assert_eq(packet->data[0], '4');
    cr_assert_null(packet_pull(packet, 7));
    cr_assert_eq(packet->length, 6, "nothing has changed");
    memcpy(packet_push(packet, 2), "ab", 2);
    cr_assert_eq(memcmp(packet->data, "ab456789", 8), 0);
    cr_assert_eq(packet_headroom(packet), 102);
    packet_free(packet);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet, push_beyond_the_headroom_is_our_mistake, .signal = SIGABRT)
{
    struct packet *packet = packet_alloc(8);

    packet_push(packet, 9);
}

Test(packet, append_beyond_the_buffer_is_our_mistake, .signal = SIGABRT)
{
    struct packet *packet = packet_alloc(8);

    packet_append(packet, BUFFER_SIZE - 7);
}

Test(packet, second_free_is_our_mistake, .signal = SIGABRT)
{
    struct packet *packet = packet_alloc(8);

    packet_free(packet);
    packet_free(packet);
}

Test(packet, drop_counts_by_reason)
{
    packet_drop(packet_alloc(0), DROP_FILTER);
    packet_drop(packet_alloc(0), DROP_FILTER);
    cr_assert_eq(drop_count(DROP_FILTER), 2);
    cr_assert_eq(counter_value("drops_total{reason=\"filter\"}"), 2);
    cr_assert_eq(missing_packets(), 0);
}

Test(packet, every_reason_has_a_name_of_its_own)
{
    for (enum drop_reason a = DROP_NONE; a < DROP_REASON_COUNT; a++) {
        cr_assert_not_null(drop_reason_name(a));
        for (enum drop_reason b = DROP_NONE; b < a; b++)
            cr_assert_str_neq(drop_reason_name(a), drop_reason_name(b));
    }
}

Test(packet, empty_pool_fails_counts_and_recovers)
{
    struct packet *list = NULL;
    struct packet *packet;

    while ((packet = packet_alloc(0)) != NULL) {
        packet->next = list;
        list = packet;
    }
    cr_assert_eq(buffer_alloc_failures(), 1);
    cr_assert_eq(buffer_count_free_lowest(), buffer_count_free());
    while (list != NULL) {
        packet = list;
        list = packet->next;
        packet_free(packet);
    }
    cr_assert_eq(missing_packets(), 0);
    packet = packet_alloc(0);
    cr_assert_not_null(packet);
    packet_free(packet);
}

/* Whatever was known of the one before. */
Test(packet, a_packet_taken_anew_knows_nothing)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    struct packet fresh = *packet;
    struct packet *again;

    packet->next = packet;
    packet->netif = &device->netif;
    packet->time_ns = 1;
    memset(&packet->length, 0x55,
           offsetof(struct packet, references) -
               offsetof(struct packet, length));
    packet->fragments_length = 0;
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->has_vlan_tag = packet->is_broadcast = packet->is_looped = true;
    packet->protocol = 6;
    packet->checksum_start = packet->checksum_offset = 7;
    packet->flow_state = packet->joined_size = 8;
    packet->flow = packet;
    packet_free(packet);
    again = packet_alloc(PACKET_HEADROOM);
    cr_assert_eq(again, packet);
    cr_assert_null(again->flow);
    cr_assert_null(again->netif);
    cr_assert_eq(again->time_ns, fresh.time_ns);
    cr_assert_arr_eq(&again->length, &fresh.length,
                     offsetof(struct packet, flow) -
                         offsetof(struct packet, length));
    packet_free(again);
}

Test(packet, a_packet_made_anew_lets_its_fragments_go)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    uint8_t *buffer = buffer_alloc();

    packet_add_fragment(packet, buffer, 5, LOAN_NONE);
    buffer_release(buffer);
    packet_renew(packet, 100);
    cr_assert_eq(packet_total_length(packet), 0);
    cr_assert_eq(packet_headroom(packet), 100);
    packet_free(packet);
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet, fragment_keeps_its_buffer)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    uint8_t *buffer = buffer_alloc();
    size_t before = buffer_count_free();

    packet_add_fragment(packet, buffer + 10, 5, LOAN_NONE);
    buffer_release(buffer);
    cr_assert_eq(buffer_count_free(), before);
    packet_free(packet);
    cr_assert_eq(buffer_count_free(), before + 2);
}

Test(packet, a_large_buffer_is_held_by_any_part_of_it)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    uint8_t *buffer = buffer_alloc_large();
    size_t before = buffer_count_free();

    memset(buffer, 7, BUFFER_LARGE_SIZE);
    packet_add_fragment(packet, buffer + 3 * BUFFER_SIZE + 10, 5000, LOAN_NONE);
    packet_add_fragment(packet, buffer + BUFFER_LARGE_SIZE - 1, 1, LOAN_NONE);
    buffer_release(buffer);
    cr_assert_eq(buffer_count_free(), before);
    packet_free(packet);
    cr_assert_eq(buffer_count_free(), before + 1 + BUFFERS_OF_LARGE);
    cr_assert_eq(buffer_alloc_large(), buffer);
    buffer_release(buffer + BUFFER_SIZE);
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet, large_buffers_become_small_ones_when_those_run_out)
{
    size_t total = buffer_count_total();
    uint8_t *large[16];
    uint8_t **small = calloc(total, sizeof(*small));
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_COUNT(large); i++) {
        large[i] = buffer_alloc_large();
        cr_assert_not_null(large[i]);
    }
    cr_assert_eq(buffer_count_free(), total - 16 * BUFFERS_OF_LARGE);
    for (size_t i = 1; i < ARRAY_COUNT(large); i++)
        buffer_release(large[i]);
    while ((small[count] = buffer_alloc()) != NULL)
        memset(small[count++], 1, BUFFER_SIZE);
    cr_assert_eq(count, total - BUFFERS_OF_LARGE);
    cr_assert_eq(buffer_alloc_failures(), 1);
    cr_assert_null(buffer_alloc_large());
    cr_assert_eq(buffer_count_free_lowest(), 0);
    buffer_release(large[0]);
    while (count != 0)
        buffer_release(small[--count]);
    cr_assert_eq(missing_buffers(), 0);
    free(small);
}

Test(packet, memory_outside_the_pool_needs_no_holding)
{
    static const uint8_t file[100];
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    buffer_hold(file);
    buffer_release(file);
    packet_add_fragment(packet, file, sizeof(file), LOAN_NONE);
    packet_free(packet);
    cr_assert_eq(missing_buffers(), 0);
}

static uint32_t key_returned;

static void note_return(void *lender, uint32_t key)
{
    cr_assert_eq(lender, &key_returned);
    key_returned = key;
}

/* A loan that only this packet holds, in two pieces. */
static struct packet *make_loan(void)
{
    static const uint8_t memory[100];
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    key_returned = 0;
    loans_init(note_return);
    uint32_t loan = loan_open(&key_returned, 7);
    cr_assert_neq(loan, LOAN_NONE);
    packet_add_fragment(packet, memory, 60, loan);
    packet_add_fragment(packet, memory + 60, 40, loan);
    loan_release(loan);
    cr_assert_eq(key_returned, 0);
    cr_assert_eq(loans_out(), 1);
    return packet;
}

Test(packet, a_loan_lasts_as_long_as_a_packet_points_at_it)
{
    struct packet *packet = make_loan();

    packet_trim(packet, 50);
    cr_assert_eq(loans_out(), 1);
    packet_free(packet);
    cr_assert_eq(key_returned, 7);
    cr_assert_eq(loans_out(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet, a_loan_ends_when_its_bytes_are_copied)
{
    struct packet *packet = make_loan();

    cr_assert(packet_linearise(packet));
    cr_assert_eq(key_returned, 7);
    packet_free(packet);
    cr_assert_eq(loans_out(), 0);
}

Test(packet, a_packet_made_anew_gives_its_loans_back)
{
    struct packet *packet = make_loan();

    packet_renew(packet, 0);
    cr_assert_eq(key_returned, 7);
    packet_free(packet);
}

Test(packet, so_many_loans_are_out_at_once)
{
    loans_init(note_return);
    for (uint32_t i = 1; i <= LOANS_MAX; i++)
        cr_assert_eq(loan_open(&key_returned, i), i);
    cr_assert_eq(loan_open(&key_returned, 0), LOAN_NONE);
    loan_release(100);
    cr_assert_eq(key_returned, 100);
    cr_assert_eq(loan_open(&key_returned, 1), 100);
}

/* A packet of 20 linear bytes and fragments of the lengths given; byte i of
 * the whole is i. */
static struct packet *make_gathered(const uint32_t *lengths, size_t count)
{
    static uint8_t bytes[256];
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    uint32_t at = 20;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    memcpy(packet_append(packet, 20), bytes, 20);
    for (size_t i = 0; i < count; i++) {
        packet_add_fragment(packet, bytes + at, lengths[i], LOAN_NONE);
        at += lengths[i];
    }
    return packet;
}

static const uint32_t lengths[] = {3, 7, 0, 1, 50, 5};

Test(packet, bytes_are_copied_out_across_fragments)
{
    struct packet *packet = make_gathered(lengths, ARRAY_COUNT(lengths));
    size_t total = packet_total_length(packet);
    uint8_t bytes[256];

    cr_assert_eq(total, 86);
    for (size_t from = 0; from <= total; from++) {
        for (size_t length = 0; length <= total - from; length++) {
            cr_assert(packet_copy_out(packet, from, bytes, length));
            for (size_t i = 0; i < length; i++)
                cr_assert_eq(bytes[i], from + i);
        }
        cr_assert_not(packet_copy_out(packet, from, bytes, total - from + 1));
    }
    cr_assert_not(packet_copy_out(packet, total + 1, bytes, 0));
    packet_free(packet);
}

Test(packet, sum_is_that_of_the_bytes_wherever_they_lie)
{
    struct packet *packet = make_gathered(lengths, ARRAY_COUNT(lengths));
    uint8_t bytes[256];
    size_t total = packet_total_length(packet);

    cr_assert(packet_copy_out(packet, 0, bytes, total));
    for (size_t from = 0; from <= total; from++)
        cr_assert_eq(
            checksum_fold(packet_sum(packet, from)),
            checksum_fold(checksum_add(0, bytes + from, total - from)));
    packet_free(packet);
}

Test(packet, trim_cuts_linear_part_and_fragments)
{
    for (size_t keep = 0; keep <= 90; keep++) {
        struct packet *packet = make_gathered(lengths, ARRAY_COUNT(lengths));
        size_t expected = keep < 86 ? keep : 86;
        uint8_t bytes[256];

        packet_trim(packet, keep);
        cr_assert_eq(packet_total_length(packet), expected);
        cr_assert(packet_copy_out(packet, 0, bytes, expected));
        packet_free(packet);
    }
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet, linearise_gathers_in_place)
{
    struct packet *packet = make_gathered(lengths, ARRAY_COUNT(lengths));

    cr_assert(packet_linearise(packet));
    cr_assert_eq(packet->fragment_count, 0);
    cr_assert_eq(packet->length, 86);
    for (size_t i = 0; i < 86; i++)
        cr_assert_eq(packet->data[i], i);
    packet_free(packet);
    cr_assert_eq(missing_buffers(), 0);
}

Test(packet, full_frame_can_be_linearised)
{
    static uint8_t bytes[1460];
    struct packet *packet = packet_alloc(PACKET_HEADROOM - 54);

    memset(bytes, 0x5a, sizeof(bytes));
    memset(packet_append(packet, 54), 1, 54);
    packet_add_fragment(packet, bytes, 730, LOAN_NONE);
    packet_add_fragment(packet, bytes, 730, LOAN_NONE);
    cr_assert(packet_linearise(packet));
    cr_assert_eq(packet->length, 1514);
    cr_assert_eq(packet->data[1513], 0x5a);
    packet_free(packet);
}

Test(packet, too_long_is_not_linearised_and_not_changed)
{
    static uint8_t bytes[2000];
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    packet_add_fragment(packet, bytes, sizeof(bytes), LOAN_NONE);
    cr_assert_not(packet_linearise(packet));
    cr_assert_eq(packet->fragment_count, 1);
    cr_assert_eq(packet_total_length(packet), sizeof(bytes));
    packet_free(packet);
}

Test(packet, copy_has_the_same_bytes_and_offsets)
{
    struct packet *packet = make_gathered(lengths, ARRAY_COUNT(lengths));
    struct packet *copy;

    packet->network_offset = (uint16_t)(packet_headroom(packet) + 2);
    packet->transport_offset = (uint16_t)(packet_headroom(packet) + 8);
    copy = packet_copy(packet);
    cr_assert_not_null(copy);
    cr_assert_eq(copy->length, 86);
    cr_assert_eq(copy->data[85], 85);
    cr_assert_eq(*(uint8_t *)packet_network_header(copy), 2);
    cr_assert_eq(*(uint8_t *)packet_transport_header(copy), 8);
    packet_free(packet);
    packet_free(copy);
    cr_assert_eq(missing_packets(), 0);
}

Test(packet, queue_is_first_in_first_out_and_knows_its_size)
{
    struct packet_queue queue = {0};
    struct packet *packets[5];

    for (size_t i = 0; i < 5; i++) {
        packets[i] = packet_alloc(0);
        packet_queue_append(&queue, packets[i]);
    }
    cr_assert_eq(queue.count, 5);
    cr_assert_eq(queue.true_size, 5 * packet_true_size(packets[0]));
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(packet_queue_take(&queue), packets[i]);
        packet_free(packets[i]);
    }
    packet_queue_drop_all(&queue, DROP_FILTER);
    cr_assert_null(packet_queue_take(&queue));
    cr_assert_eq(queue.true_size, 0);
    cr_assert_eq(drop_count(DROP_FILTER), 2);
    cr_assert_eq(missing_packets(), 0);
}
