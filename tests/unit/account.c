/* SPDX-License-Identifier: MIT */
/*
 * Cycles by stage. In virtual time a cycle is a nanosecond, and time moves only
 * when a test lets it.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/account.h"
#include "net/net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

TestSuite(account, .init = socket_world);

static size_t lines;
static uint64_t entries;

static void count_line(void *context, const char *name, uint64_t value,
                       const char *help)
{
    (void)context;
    (void)help;
    lines += strncmp(name, "net_cycles_total{", 17) == 0;
    if (strcmp(name, "net_entries_total") == 0)
        entries = value;
}

static void look(void)
{
    lines = 0;
    entries = 0;
    net_visit_counters(count_line, NULL);
}

static void talk(void)
{
    int ends[2];
    char bytes[8];

    make_connection(ends);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
        cr_assert_eq(receive_bytes(ends[1], bytes, sizeof(bytes), 0), 1);
    }
}

Test(account, time_belongs_to_the_innermost_stage)
{
    enum account_stage outer, inner;

    account_set(true);
    outer = account_enter(ACCOUNT_POLL);
    world_run_for(100);
    inner = account_enter(ACCOUNT_IP);
    world_run_for(50);
    account_return(inner);
    world_run_for(10);
    account_return(outer);
    world_run_for(1000);
    cr_assert_eq(account.cycles[ACCOUNT_POLL], 110 * ACCOUNT_SAMPLE);
    cr_assert_eq(account.cycles[ACCOUNT_IP], 50 * ACCOUNT_SAMPLE);
    cr_assert_eq(account.cycles[ACCOUNT_OUTSIDE], 0);
    cr_assert_eq(account.entries, 1);
}

Test(account, one_entry_of_sixteen_is_followed)
{
    account_set(true);
    for (int i = 0; i < 4 * ACCOUNT_SAMPLE; i++) {
        enum account_stage outer = account_enter(ACCOUNT_SOCKET);

        world_run_for(5);
        account_return(outer);
    }
    cr_assert_eq(account.entries, 4 * ACCOUNT_SAMPLE);
    cr_assert_eq(account.cycles[ACCOUNT_SOCKET], 4 * 5 * ACCOUNT_SAMPLE);
}

Test(account, nothing_is_told_or_counted_while_it_is_off)
{
    talk();
    look();
    cr_assert_eq(lines, 0);
    cr_assert_eq(account.entries, 0);
}

Test(account, switched_on_every_stage_is_told_and_all_works)
{
    cr_assert_eq(net_set("accounting", "1"), 0);
    talk();
    look();
    cr_assert_eq(lines, ACCOUNT_STAGES - 1);
    cr_assert_gt(entries, 20);
    cr_assert_eq(account.stage, ACCOUNT_OUTSIDE, "every entry was left");
    cr_assert_eq(net_set("accounting", "2"), -EINVAL);
    cr_assert_eq(net_set("accounting", "0"), 0);
    look();
    cr_assert_eq(lines, 0);
}
