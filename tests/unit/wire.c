/* SPDX-License-Identifier: MIT */
/*
 * Wire formats: the checksum against a plain one, addresses as text, hashes
 * against their published values.
 */
#include "net/hash.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t state = 88172645463325252;

static uint64_t random_64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* RFC 1071 4.1, word by word. */
static uint16_t plain_sum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint8_t bytes[70000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)random_64();
}

Test(checksum, is_that_of_the_rfc_at_every_offset_and_length)
{
    fill();
    for (size_t offset = 0; offset < 17; offset++)
        for (size_t length = 0; length < 200; length++)
            cr_assert_eq(checksum_fold(checksum_add(0, bytes + offset, length)),
                         plain_sum(bytes + offset, length));
}

Test(checksum, example_of_rfc_1071)
{
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03,
                                      0xf4, 0xf5, 0xf6, 0xf7};

    cr_assert_eq(checksum_fold(checksum_add(0, example, sizeof(example))),
                 0xddf2);
}

Test(checksum, largest_packet_of_ones_does_not_overflow)
{
    memset(bytes, 0xff, sizeof(bytes));
    cr_assert_eq(checksum_fold(checksum_add(0xffffffff, bytes, 65535)),
                 plain_sum(bytes, 65535));
}

Test(checksum, pieces_combine_at_even_and_odd_places)
{
    fill();
    for (size_t length = 0; length < 100; length++) {
        for (size_t cut = 0; cut <= length; cut++) {
            uint32_t sum = checksum_add(0, bytes, cut);
            uint32_t piece = checksum_add(0, bytes + cut, length - cut);

            cr_assert_eq(checksum_fold(checksum_combine(sum, piece, cut)),
                         plain_sum(bytes, length));
        }
    }
}

/* The field that makes 20 bytes with a field at 10 right. */
static struct be16 field_of(uint8_t *header)
{
    memset(header + 10, 0, 2);
    return be16_from((uint16_t)~plain_sum(header, 20));
}

Test(checksum, update_of_16_bits_is_as_good_as_a_new_sum)
{
    static const uint16_t words[] = {0,      1,      0x00ff, 0x7fff,
                                     0x8000, 0xfffe, 0xffff};
    uint8_t header[20];

    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof(header); i++)
            header[i] = round == 0 ? 0 : (uint8_t)random_64();
        for (size_t i = 0; i < sizeof(words) / 2; i++) {
            uint16_t before = (uint16_t)(header[4] << 8 | header[5]);
            struct be16 field = field_of(header);

            field = checksum_update_16(field, before, words[i]);
            header[4] = (uint8_t)(words[i] >> 8);
            header[5] = (uint8_t)words[i];
            memcpy(header + 10, &field, 2);
            cr_assert_eq(plain_sum(header, 20), 0xffff);
        }
    }
}

Test(checksum, update_of_32_bits_is_as_good_as_a_new_sum)
{
    uint8_t header[20];

    for (int round = 0; round < 5000; round++) {
        uint32_t before;
        uint32_t after = round % 5 == 0 ? 0 : (uint32_t)random_64();
        struct be16 field;

        for (size_t i = 0; i < sizeof(header); i++)
            header[i] = round % 7 == 0 ? 0 : (uint8_t)random_64();
        field = field_of(header);
        before = (uint32_t)header[12] << 24 | (uint32_t)header[13] << 16 |
                 (uint32_t)header[14] << 8 | header[15];
        field = checksum_update_32(field, before, after);
        for (int i = 0; i < 4; i++)
            header[12 + i] = (uint8_t)(after >> (24 - 8 * i));
        memcpy(header + 10, &field, 2);
        cr_assert_eq(plain_sum(header, 20), 0xffff);
    }
}

Test(ipv4, text_and_address_are_the_same)
{
    char text[IPV4_TEXT_SIZE];
    struct be32 address;

    for (int round = 0; round < 10000; round++) {
        uint32_t value = (uint32_t)random_64();

        ipv4_format(be32_from(value), text);
        cr_assert(ipv4_parse(text, strlen(text), &address));
        cr_assert_eq(be32_get(address), value);
    }
    cr_assert_str_eq(ipv4_format(be32_from(0x0a000001), text), "10.0.0.1");
    cr_assert_str_eq(ipv4_format(be32_from(0xffffffff), text),
                     "255.255.255.255");
}

Test(ipv4, what_is_not_four_decimal_numbers_is_no_address)
{
    static const char *const wrong[] = {
        "",          "1",          "1.2.3",   "1.2.3.4.5",  "1.2.3.256",
        "1.2.3.",    ".1.2.3",     "1..2.3",  "1.2.3.4 ",   " 1.2.3.4",
        "0x1.2.3.4", "1.2.3.1000", "a.b.c.d", "1.2.3.4/24", "-1.2.3.4",
    };
    struct be32 address;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_not(ipv4_parse(wrong[i], strlen(wrong[i]), &address), "%s",
                      wrong[i]);
}

Test(ipv4, netmasks_and_prefixes_are_the_same)
{
    for (unsigned prefix = 0; prefix <= 32; prefix++) {
        cr_assert(ipv4_is_netmask(ipv4_netmask(prefix)));
        cr_assert_eq(ipv4_prefix_length(ipv4_netmask(prefix)), prefix);
    }
    cr_assert_not(ipv4_is_netmask(be32_from(0xff00ff00)));
    cr_assert_not(ipv4_is_netmask(be32_from(0x000000ff)));
}

/* The test vector of the SipHash paper, appendix A: key 00..0f, input
 * 00..0e. */
Test(hash, siphash_2_4_has_its_published_value)
{
    struct hash_key key;
    uint8_t input[64];

    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)i;
    memcpy(&key, input, sizeof(key));
    cr_assert_eq(hash_bytes(&key, input, 15), UINT64_C(0xa129ca6149be45e5));
    cr_assert_eq(hash_bytes(&key, input, 0), UINT64_C(0x726fdb47dd0e0e31));
}

Test(hash, words_depend_on_key_count_and_every_bit)
{
    struct hash_key key = {{1, 2}};
    struct hash_key other = {{1, 3}};
    uint64_t words[2] = {0, 0};
    uint64_t base = hash_words(&key, words, 2);

    cr_assert_neq(base, hash_words(&other, words, 2));
    cr_assert_neq(base, hash_words(&key, words, 1));
    for (int bit = 0; bit < 128; bit++) {
        words[bit / 64] ^= UINT64_C(1) << bit % 64;
        uint64_t changed = base ^ hash_words(&key, words, 2);
        words[bit / 64] ^= UINT64_C(1) << bit % 64;
        cr_assert_geq(__builtin_popcountll(changed), 12);
    }
}
