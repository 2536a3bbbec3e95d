/* SPDX-License-Identifier: MIT */
/*
 * The named settings: under both names, within their bounds, and with a word
 * in the log when not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/net.h"
#include "tests/host/world.h"

static int set(const char *name, const char *value)
{
    return net_set(name, value);
}

static void start(void)
{
    world_start(1);
    (void)world_enter(world_stack_add("a", (size_t)8 << 20));
}

TestSuite(net_settings, .init = start);

/* Every one there is, the least and the most it takes, and one beyond. */
static const struct {
    const char *name;
    const char *least;
    const char *most;
    const char *beyond;
} all[] = {
    {"tcp_timestamps", "0", "1", "2"},
    {"tcp_window_scaling", "0", "1", "2"},
    {"tcp_moderate_rcvbuf", "0", "1", "2"},
    {"tcp_sack", "0", "1", "2"},
    {"tcp_dsack", "0", "1", "2"},
    {"tcp_recovery", "0", "1", "2"},
    {"tcp_reordering_adapt", "0", "1", "2"},
    {"tcp_early_retrans", "0", "3", "4"},
    {"tcp_limited_transmit", "0", "1", "2"},
    {"tcp_frto", "0", "2", "3"},
    {"tcp_prr", "0", "1", "2"},
    {"tcp_undo", "0", "1", "2"},
    {"tcp_hystart", "0", "1", "2"},
    {"tcp_push_bursts", "0", "1", "2"},
    {"tcp_window_shift", "1", "14", "15"},
    {"tcp_read_after_shutdown", "0", "1", "2"},
    {"tcp_slow_start_after_idle", "0", "1", "2"},
    {"tcp_initial_window", "1", "10", "11"},
    {"tcp_mtu_discovery", "0", "1", "2"},
    {"tcp_mtu_probing", "0", "2", "3"},
    {"tcp_ecn", "0", "2", "3"},
    {"tcp_syncookies", "0", "2", "3"},
    {"tcp_tw_reuse", "0", "1", "2"},
    {"tcp_challenge_ack_limit", "1", "255", "256"},
    {"tcp_syn_retries", "1", "127", "128"},
    {"tcp_synack_retries", "0", "5", "6"},
    {"tcp_retries2", "1", "127", "128"},
    {"tcp_rto_min_us", "5000", "60000000", "60000001"},
    {"tcp_keepalive_probes", "1", "127", "128"},
    {"tcp_keepalive_time", "1", "32767", "32768"},
    {"tcp_keepalive_intvl", "1", "32767", "32768"},
    {"tcp_fin_timeout", "1", "32767", "32768"},
    {"tcp_rmem", "4096", "4194304", "4194305"},
    {"tcp_wmem", "4096", "4194304", "4194305"},
    {"tcp_delack_policy", "linux", "bsd", "other"},
    {"tcp_congestion_control", "reno", "cubic", "tahoe"},
};

Test(net_settings, each_takes_what_lies_in_its_bounds_and_no_more)
{
    char name[64];

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        cr_assert_eq(set(all[i].name, all[i].least), 0, "%s", all[i].name);
        cr_assert_eq(set(all[i].name, all[i].most), 0, "%s", all[i].name);
        cr_assert_eq(set(all[i].name, all[i].beyond), -EINVAL, "%s",
                     all[i].name);
        cr_assert_eq(set(all[i].name, ""), -EINVAL, "%s", all[i].name);
        cr_assert_eq(set(all[i].name, "-1"), -EINVAL, "%s", all[i].name);
        cr_assert_eq(set(all[i].name, "99999999999999999999"), -EINVAL);
        snprintf(name, sizeof(name), "%llu", (1ULL << 32) + 1); /* is not 1 */
        cr_assert_eq(set(all[i].name, name), -EINVAL, "%s", all[i].name);
        snprintf(name, sizeof(name), "ipv4.%s", all[i].name);
        cr_assert_eq(set(name, all[i].least), 0, "%s", name);
    }
}

Test(net_settings, what_is_refused_is_told_with_what_is_allowed)
{
    cr_assert_eq(set("tcp_ecn", "7"), -EINVAL);
    cr_assert(strstr(world_log_text(), "tcp_ecn takes 0 to 2, not 7"));
    cr_assert_eq(set("ipv4.tcp_delack_policy", "x"), -EINVAL);
    cr_assert(strstr(world_log_text(), "takes linux or bsd, not x"));
    cr_assert_eq(set("ipv4.ip_default_ttl", "0"), -EINVAL);
    cr_assert(strstr(world_log_text(), "ip_default_ttl takes 1 to 255, not 0"));
    cr_assert_eq(set("tcp_congestion_control", "tahoe"), -EINVAL);
    cr_assert(strstr(world_log_text(), "no congestion control tahoe"));
    cr_assert(strstr(world_log_text(), "there is cubic"));
}

Test(net_settings, a_wrong_name_is_told)
{
    cr_assert_eq(set("tcp_sakc", "0"), -ENOENT);
    cr_assert(strstr(world_log_text(), "no setting tcp_sakc"));
    cr_assert_eq(set("ipv6.tcp_sack", "0"), -ENOENT);
    cr_assert_eq(set("sack", "0"), -ENOENT);
    cr_assert_eq(set("ipv4.ipv4.tcp_sack", "0"), -ENOENT);
}
