/* SPDX-License-Identifier: MIT */
/*
 * Hostile DNS. The names carry the line of the checklist.
 * test-links: tests/unit/support_net.c tests/unit/support_dns.c
 */
#include "tests/unit/support_dns.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/wire/dns.h"

TestSuite(hostile, .init = dns_world, .timeout = 60);

static bool decent(struct dns_message *message)
{
    put_address(message, 60, 0x01020304);
    set_counts(message, 1, 0);
    return true;
}

/* What the answer would be if it were decent, spoilt by a test. */
static void (*spoil)(struct dns_message *message);

/* First a spoilt answer, in the end a decent one: only that counts. */
static bool spoilt_then_decent(struct dns_message *message)
{
    struct dns_message bad = *message;

    spoil(&bad);
    send_answer(&bad, name_server.server);
    return decent(message);
}

static void assert_ignored(void (*how)(struct dns_message *message))
{
    spoil = how;
    name_server.answer = spoilt_then_decent;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(be32_get(ip_address_ipv4(&result.addresses[0])), 0x01020304);
    cr_assert_eq(result.count, 1);
    cr_assert_eq(name_server.heard, 1);
}

static uint8_t message[600];

static size_t name_at(size_t at, size_t length)
{
    char text[DNS_TEXT_SIZE];

    return dns_read_name(message, length, at, text);
}

Test(hostile, D1_pointers_only_lead_backwards)
{
    memcpy(message + 12, "\3www\0", 5);
    memcpy(message + 17, "\xc0\x0c", 2);
    cr_assert_eq(name_at(17, 19), 19);
    memcpy(message + 17, "\xc0\x11", 2); /* itself */
    cr_assert_eq(name_at(17, 19), 0);
    memcpy(message + 17, "\xc0\x13\xc0\x11", 4); /* forward, and a loop */
    cr_assert_eq(name_at(17, 21), 0);
    cr_assert_eq(name_at(19, 21), 0);
    /* Forward, to a name that is one. */
    memcpy(message + 17, "\xc0\x15\xc0\x11\3www\0", 9);
    cr_assert_eq(name_at(17, 26), 0);
    cr_assert_eq(name_at(19, 26), 0, "back and forward");
    memcpy(message + 17, "\xff\xff", 2); /* past the end */
    cr_assert_eq(name_at(17, 19), 0);
    memcpy(message + 17, "\xc0\x00", 2); /* into the header */
    cr_assert_eq(name_at(17, 19), 0);
    memcpy(message + 17, "\xc0", 1); /* cut in half */
    cr_assert_eq(name_at(17, 18), 0);
    /* A label that leads back to itself by a pointer at its end. */
    memcpy(message + 12, "\1a\xc0\x0c", 4);
    cr_assert_eq(name_at(12, 16), 0);
}

Test(hostile, D1_longest_chain_of_pointers_ends)
{
    message[12] = 0;
    for (size_t i = 0; i < 200; i++) {
        size_t target = i == 0 ? 12 : 13 + 2 * (i - 1);

        message[13 + 2 * i] = (uint8_t)(0xc0 | target >> 8);
        message[14 + 2 * i] = (uint8_t)target;
    }
    cr_assert_eq(name_at(13 + 2 * 199, sizeof(message)), 15 + 2 * 199);
}

/* One long name, and records that each point at it: of what one message makes
 * us read, there is an end. */
Test(hostile, D1_names_read_again_and_again_have_a_bound)
{
    enum { LABELS = 80, RECORDS_BEYOND = 16 };
    static const uint8_t head[] = {0, 7, 0x80, 0,   0, 1, 0, 0, 0, 0,
                                   0, 0, 1,    'a', 0, 0, 1, 0, 1};
    static const uint8_t tail[] = {0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4};
    struct dns_answer answer;
    size_t at = sizeof(head);

    memcpy(message, head, sizeof(head));
    for (int i = 0; i < LABELS; i++, at += 2)
        memcpy(message + at, "\1b", 2);
    message[at++] = 0;
    memcpy(message + at, tail, sizeof(tail));
    at += sizeof(tail);
    for (int count = 1; count <= RECORDS_BEYOND; count++) {
        bool is_read = count <= 2;
        message[7] = (uint8_t)count;
        cr_assert_eq(dns_parse_answer(message, at, 7, "a", DNS_TYPE_A, &answer),
                     is_read ? DNS_IS_ANSWER : DNS_MALFORMED);
        memcpy(message + at, "\xc0\x13", 2);
        memcpy(message + at + 2, tail, sizeof(tail));
        at += 2 + sizeof(tail);
    }
    /* But not to those who point at the question. */
    for (at = sizeof(head); at + 2 + sizeof(tail) < DNS_MESSAGE_MAX;) {
        memcpy(message + at, "\xc0\x0c", 2);
        memcpy(message + at + 2, tail, sizeof(tail));
        at += 2 + sizeof(tail);
        message[7] = (uint8_t)((at - sizeof(head)) / (2 + sizeof(tail)));
    }
    cr_assert_eq(dns_parse_answer(message, at, 7, "a", DNS_TYPE_A, &answer),
                 DNS_IS_ANSWER);
    cr_assert_eq(answer.count, DNS_ADDRESSES);
}

Test(hostile, D2_labels_and_names_too_long_are_malformed)
{
    memset(message, 'a', sizeof(message));
    for (unsigned length = 64; length < 192; length++) {
        message[12] = (uint8_t)length;
        message[13 + length] = 0; /* else the whole name is too long, too */
        cr_assert_eq(name_at(12, sizeof(message)), 0);
        message[13 + length] = 'a';
    }
    for (size_t at = 12; at < 12 + 256; at += 64)
        message[at] = 63;
    message[12 + 4 * 64] = 0;
    cr_assert_eq(name_at(12, sizeof(message)), 0, "255 characters");
    message[12 + 3 * 64] = 61;
    message[12 + 3 * 64 + 62] = 0;
    cr_assert_neq(name_at(12, sizeof(message)), 0, "253 characters");
}

Test(hostile, D2_name_without_end_is_malformed)
{
    memcpy(message + 12, "\3www\3com", 8);
    for (size_t length = 12; length <= 20; length++)
        cr_assert_eq(name_at(12, length), 0);
    cr_assert_eq(name_at(12, 21), 21);
    cr_assert_eq(name_at(21, 21), 0);
}

Test(hostile, D2_octets_no_host_has_make_a_name_malformed)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        bool is_fine =
            (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
            (octet >= 'A' && octet <= 'Z') || octet == '-' || octet == '_';

        memcpy(message + 12, "\3a?b\0", 5);
        message[14] = (uint8_t)octet;
        cr_assert_eq(name_at(12, 17) != 0, is_fine, "octet %u", octet);
    }
}

static void long_data(struct dns_message *m)
{
    put_address(m, 60, 0x66666666);
    m->bytes[m->length - 6] = 1; /* 260 bytes */
    set_counts(m, 1, 0);
}

static void short_address(struct dns_message *m)
{
    put_record(m, "\xc0\x0c", 2, 1, 60, "\6\6\6", 3);
    set_counts(m, 1, 0);
}

static void long_address(struct dns_message *m)
{
    put_record(m, "\xc0\x0c", 2, 1, 60, "\6\6\6\6\6", 5);
    set_counts(m, 1, 0);
}

static void many_counted(struct dns_message *m)
{
    put_address(m, 60, 0x66666666);
    set_counts(m, 65535, 0);
}

Test(hostile, D3_data_longer_than_there_is_is_dropped)
{
    assert_ignored(long_data);
}

Test(hostile, D3_address_of_three_or_five_bytes_is_dropped)
{
    assert_ignored(short_address);
    dns_world();
    assert_ignored(long_address);
}

Test(hostile, D3_more_records_counted_than_there_are_is_dropped)
{
    assert_ignored(many_counted);
}

Test(hostile, D3_every_cut_of_an_answer_is_survived)
{
    struct dns_message m = {.length = 0};
    struct dns_answer answer;

    put_bytes(&m, "\1\2\x81\x80\0\1\0\0\0\0\0\0\3www\0\0\1\0\1", 21);
    put_address(&m, 60, 0x01020304);
    put_record(&m, "\xc0\x0c", 2, 1, 60, "\5\6\7\10", 4);
    set_counts(&m, 2, 0);
    for (size_t length = 0; length < m.length; length++)
        cr_assert_neq(dns_parse_answer(m.bytes, length, 0x0102, "www",
                                       DNS_TYPE_A, &answer),
                      DNS_IS_ANSWER);
    cr_assert_eq(
        dns_parse_answer(m.bytes, m.length, 0x0102, "www", DNS_TYPE_A, &answer),
        DNS_IS_ANSWER);
    cr_assert_eq(answer.count, 2);
}

static void other_id(struct dns_message *m)
{
    put_address(m, 60, 0x66666666);
    set_counts(m, 1, 0);
    m->bytes[1] ^= 1;
}

static void other_question(struct dns_message *m)
{
    put_address(m, 60, 0x66666666);
    set_counts(m, 1, 0);
    m->bytes[13] = 'v';
}

static void other_type(struct dns_message *m)
{
    put_address(m, 60, 0x66666666);
    set_counts(m, 1, 0);
    m->bytes[12 + 17 + 1] = 28;
}

static void no_question(struct dns_message *m)
{
    m->length = 12;
    m->bytes[5] = 0;
    put_record(m, "\3www\7example\3org\0", 17, 1, 60, "\6\6\6\6", 4);
    set_counts(m, 1, 0);
}

static void a_query(struct dns_message *m)
{
    put_address(m, 60, 0x66666666);
    set_counts(m, 1, 0);
    m->bytes[2] &= 0x7f;
}

/* About a name that was not asked for: the poison of Kaminsky's kind. */
static void other_owner(struct dns_message *m)
{
    put_record(m, "\4evil\0", 6, 1, 60, "\6\6\6\6", 4);
    put_address(m, 60, 0x01020304);
    set_counts(m, 2, 0);
}

Test(hostile, D4_other_identification_is_dropped)
{
    assert_ignored(other_id);
}

Test(hostile, D4_other_question_is_dropped)
{
    assert_ignored(other_question);
    dns_world();
    assert_ignored(other_type);
    dns_world();
    assert_ignored(no_question);
    dns_world();
    assert_ignored(a_query);
}

Test(hostile, D4_records_about_other_names_do_not_count)
{
    assert_ignored(other_owner);
}

static bool from_another(struct dns_message *m)
{
    struct dns_message bad = *m;

    put_address(&bad, 60, 0x66666666);
    set_counts(&bad, 1, 0);
    send_answer(&bad, 0x0a000063);
    return decent(m);
}

Test(hostile, D4_other_server_is_dropped)
{
    name_server.answer = from_another;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(be32_get(ip_address_ipv4(&result.addresses[0])), 0x01020304);
}

static bool to_another_port(struct dns_message *m)
{
    struct dns_message bad = *m;

    put_address(&bad, 60, 0x66666666);
    set_counts(&bad, 1, 0);
    name_server.port++;
    send_answer(&bad, name_server.server);
    name_server.port--;
    return decent(m);
}

Test(hostile, D4_other_port_is_dropped)
{
    name_server.answer = to_another_port;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(be32_get(ip_address_ipv4(&result.addresses[0])), 0x01020304);
}

Test(hostile, D5_identifications_and_ports_are_spread)
{
    uint16_t ids[200];
    uint16_t ports[200];
    char name[] = "a000.example.org";
    size_t steps = 0;
    size_t repeats = 0;

    name_server.answer = decent;
    for (int i = 0; i < 200; i++) {
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        cr_assert_eq(look_up(name), DNS_OK);
        ids[i] = name_server.id;
        ports[i] = name_server.port;
        for (int j = 0; j < i; j++)
            repeats += (size_t)((ids[j] == ids[i]) + (ports[j] == ports[i]));
        if (i > 0 && ((uint16_t)(ids[i] - ids[i - 1]) < 16 ||
                      (uint16_t)(ports[i] - ports[i - 1]) < 16))
            steps++;
    }
    /* Of 2 * 19,900 pairs, by chance: 0.3 ids and 0.6 ports. */
    cr_assert_leq(repeats, 8);
    cr_assert_leq(steps, 3);
}

static uint16_t heard_ids[32];
static uint16_t heard_ports[32];

static bool note_and_be_silent(struct dns_message *m)
{
    (void)m;
    cr_assert_leq(name_server.heard, ARRAY_COUNT(heard_ids));
    heard_ids[name_server.heard - 1] = name_server.id;
    heard_ports[name_server.heard - 1] = name_server.port;
    return false;
}

/* Who saw the first question knows nothing of the next, whoever is asked. */
Test(hostile, D5_a_question_asked_again_has_another_number_and_port)
{
    name_server.answer = note_and_be_silent;
    cr_assert_neq(look_up("www.example.org"), DNS_OK);
    cr_assert_geq(name_server.heard, 4);
    for (size_t i = 0; i < name_server.heard; i++) {
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(heard_ids[i], heard_ids[j]);
            cr_assert_neq(heard_ports[i], heard_ports[j]);
        }
    }
}

static bool truncated(struct dns_message *m)
{
    m->bytes[2] |= 2;
    return decent(m);
}

Test(hostile, D6_truncated_answer_fails_cleanly)
{
    name_server.answer = truncated;
    cr_assert_eq(look_up("www.example.org"), DNS_FAILED);
    cr_assert_eq(missing_packets(), 0);
}

static unsigned chain_length;

/* www.example.org -> a -> b -> c ..., and then an address. */
static bool chain(struct dns_message *m)
{
    char owner[3] = {1, 'a', 0};
    char target[3] = {1, 'a', 0};

    put_record(m, "\xc0\x0c", 2, 5, 60, target, 3);
    for (unsigned i = 1; i < chain_length; i++) {
        owner[1] = (char)('a' + i - 1);
        target[1] = (char)('a' + i);
        put_record(m, owner, 3, 5, 60, target, 3);
    }
    put_record(m, target, 3, 1, 60, "\1\2\3\4", 4);
    set_counts(m, (uint16_t)(chain_length + 1), 0);
    return true;
}

static bool loop(struct dns_message *m)
{
    put_record(m, "\xc0\x0c", 2, 5, 60, "\1a\0", 3);
    put_record(m, "\1a\0", 3, 5, 60, "\xc0\x0c", 2);
    set_counts(m, 2, 0);
    return true;
}

Test(hostile, D6_chains_of_aliases_are_followed_so_far)
{
    cr_assert_leq(DNS_CHAIN_MAX, 8);
    name_server.answer = chain;
    chain_length = DNS_CHAIN_MAX;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    dns_world();
    name_server.answer = chain;
    chain_length = DNS_CHAIN_MAX + 1;
    cr_assert_neq(look_up("www.example.org"), DNS_OK);
    dns_world();
    name_server.answer = loop;
    cr_assert_neq(look_up("www.example.org"), DNS_OK);
}

static bool flood(struct dns_message *m)
{
    struct dns_message bad = *m;

    other_id(&bad);
    for (int i = 0; i < 500; i++)
        send_answer(&bad, name_server.server);
    return decent(m);
}

Test(hostile, D4_flood_of_forgeries_makes_the_question_move)
{
    name_server.answer = flood;
    cr_assert_neq(look_up("www.example.org"), DNS_OK);
    cr_assert_geq(name_server.heard, 2);
    cr_assert_eq(missing_packets(), 0);
}
