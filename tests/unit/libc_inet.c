/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text, sorting and error texts, against the host's.
 * test-links: libc/pure/format.c
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define inet_pton ferrule_inet_pton
#define inet_ntop ferrule_inet_ntop
#define inet_aton ferrule_inet_aton
#define inet_addr ferrule_inet_addr
#define inet_ntoa ferrule_inet_ntoa
#include "libc/pure/inet.c"
#undef inet_pton
#undef inet_ntop
#undef inet_aton
#undef inet_addr
#undef inet_ntoa

#define qsort   ferrule_qsort
#define bsearch ferrule_bsearch
#include "libc/pure/sort.c"
#undef qsort
#undef bsearch

enum { ROUNDS = 200000 };

static void agree_on_text(int family, const char *text)
{
    uint8_t ours[16] = {0};
    uint8_t theirs[16] = {0};

    cr_assert_eq(ferrule_inet_pton(family, text, ours),
                 inet_pton(family, text, theirs), "%s", text);
    cr_assert_eq(memcmp(ours, theirs, 16), 0, "%s", text);
}

static void agree_on_address(int family, const uint8_t *address)
{
    char ours[INET6_ADDRSTRLEN];
    char theirs[INET6_ADDRSTRLEN];

    cr_assert_not_null(ferrule_inet_ntop(family, address, ours, sizeof(ours)));
    inet_ntop(family, address, theirs, sizeof(theirs));
    cr_assert_str_eq(ours, theirs);
}

Test(libc_inet, known_texts_are_read_as_the_host_reads_them)
{
    static const char *const ipv4[] = {
        "1.2.3.4",  "255.255.255.255", "256.1.1.1", "1.2.3",     "1.2.3.4.5",
        "01.2.3.4", "0.0.0.0",         "",          "1.2.3.4 ",  " 1.2.3.4",
        "1..2.3",   "1.2.3.",          "-1.2.3.4",  "1.2.3.400", "0001.2.3.4",
    };
    static const char *const ipv6[] = {
        "::",
        "::1",
        "1::",
        "1:2:3:4:5:6:7:8",
        "1:2::7:8",
        ":",
        ":1",
        "1:",
        "1:::2",
        "::1::",
        "12345::",
        "1:2:3:4:5:6:7",
        "g::",
        "::1.2.3.4",
        "1.2.3.4::",
        "::ffff:10.0.0.1",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6:7:8:9",
        "::1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7::",
        "fe80::1%eth0",
        "::00001",
        "ABCD::ef",
    };

    for (size_t i = 0; i < sizeof(ipv4) / sizeof(ipv4[0]); i++)
        agree_on_text(AF_INET, ipv4[i]);
    for (size_t i = 0; i < sizeof(ipv6) / sizeof(ipv6[0]); i++)
        agree_on_text(AF_INET6, ipv6[i]);
}

Test(libc_inet, random_texts_are_read_as_the_host_reads_them)
{
    static const char letters[] = "::::1.20f.";

    srand(6);
    for (int round = 0; round < ROUNDS; round++) {
        char text[24];
        size_t length = (size_t)rand() % sizeof(text);

        for (size_t i = 0; i < length; i++)
            text[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        text[length] = '\0';
        agree_on_text(AF_INET, text);
        agree_on_text(AF_INET6, text);
    }
}

Test(libc_inet, random_addresses_are_written_as_the_host_writes_them)
{
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t address[16];

        for (size_t i = 0; i < sizeof(address); i++)
            address[i] = rand() % 3 ? 0 : (uint8_t)rand();
        if (rand() % 8 == 0)
            memset(address + 10, 0xff, 2);
        agree_on_address(AF_INET, address);
        agree_on_address(AF_INET6, address);
    }
}

Test(libc_inet, a_small_buffer_is_enospc_and_an_odd_family_eafnosupport)
{
    uint8_t address[4] = {192, 168, 100, 200};
    char text[15];

    cr_assert_null(ferrule_inet_ntop(AF_INET, address, text, sizeof(text)));
    cr_assert_eq(errno, ENOSPC);
    cr_assert_eq(ferrule_inet_pton(AF_UNIX, "x", address), -1);
    cr_assert_eq(errno, EAFNOSUPPORT);
}

Test(libc_inet, old_forms_are_read_as_the_host_reads_them)
{
    static const char *const texts[] = {
        "1.2.3.4",   "1",          "1.2",        "1.2.3",     "0x7f.1",
        "010.1",     "4294967295", "4294967296", "1.2.3.256", "1.16777216",
        "",          "1.",         "a",          "1.2.3.4 x", "1.2.3.4x",
        "1.2.3.4.5", "-1",         "256.1",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct in_addr ours = {0};
        struct in_addr theirs = {0};

        cr_assert_eq(ferrule_inet_aton(texts[i], &ours),
                     inet_aton(texts[i], &theirs), "%s", texts[i]);
        cr_assert_eq(ours.s_addr, theirs.s_addr, "%s", texts[i]);
    }
}

static int compare(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *b = right;

    return (*a > *b) - (*a < *b);
}

Test(libc_sort, qsort_orders_and_bsearch_finds)
{
    srand(8);
    for (size_t count = 0; count < 300; count++) {
        uint32_t *ours = malloc(count * sizeof(*ours) + 1);
        uint32_t *theirs = malloc(count * sizeof(*theirs) + 1);

        for (size_t i = 0; i < count; i++)
            ours[i] = theirs[i] = (uint32_t)rand() % 100;
        ferrule_qsort(ours, count, sizeof(*ours), compare);
        qsort(theirs, count, sizeof(*theirs), compare);
        cr_assert_eq(memcmp(ours, theirs, count * sizeof(*ours)), 0);
        for (uint32_t key = 0; key < 100; key++) {
            uint32_t *found =
                ferrule_bsearch(&key, ours, count, sizeof(*ours), compare);

            cr_assert_eq(found != NULL,
                         bsearch(&key, ours, count, sizeof(*ours), compare) !=
                             NULL);
            cr_assert(found == NULL || *found == key);
        }
        free(ours);
        free(theirs);
    }
}
