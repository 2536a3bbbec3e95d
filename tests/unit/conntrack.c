/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking: which state packets have, and what flows live through.
 * test-links: tests/unit/support_filter.c
 */
#include "tests/unit/support_filter.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(conntrack, .init = start_filter, .timeout = 60);

static unsigned lan_tcp(uint8_t flags, uint32_t sequence, uint32_t ack,
                        size_t payload)
{
    struct test_packet packet = tcp_packet(CLIENT, 1024, SERVER, 80, flags);

    tcp_number(&packet, sequence, ack, payload);
    return state_of(from_lan(&packet));
}

static unsigned wan_tcp(uint8_t flags, uint32_t sequence, uint32_t ack,
                        size_t payload)
{
    struct test_packet packet = tcp_packet(SERVER, 80, CLIENT, 1024, flags);

    tcp_number(&packet, sequence, ack, payload);
    return state_of(from_wan(&packet));
}

static void open_connection(void)
{
    cr_assert_eq(lan_tcp(S, 100, 0, 0), TRACK_NEW);
    cr_assert_eq(wan_tcp(S | A, 500, 101, 0), TRACK_ESTABLISHED);
    cr_assert_eq(lan_tcp(A, 101, 501, 0), TRACK_ESTABLISHED);
}

static struct filter_flow_view seen;
static size_t seen_count;

static void see(void *context, const struct filter_flow_view *flow)
{
    (void)context;
    seen = *flow;
    seen_count++;
}

static const char *tcp_state(void)
{
    seen_count = 0;
    seen.state = "no flow";
    cr_assert_eq(filter_visit_flows(0, SIZE_MAX, test_now, see, NULL), 0);
    return seen.state;
}

Test(conntrack, handshake_data_and_close_are_followed)
{
    open_connection();
    cr_assert_str_eq(tcp_state(), "ESTABLISHED");
    cr_assert(seen.is_assured);
    cr_assert_eq(lan_tcp(P | A, 101, 501, 1000), TRACK_ESTABLISHED);
    cr_assert_eq(wan_tcp(A, 501, 1101, 0), TRACK_ESTABLISHED);
    cr_assert_eq(lan_tcp(F | A, 1101, 501, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "FIN_WAIT");
    cr_assert_eq(wan_tcp(A, 501, 1102, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "CLOSE_WAIT");
    cr_assert_eq(wan_tcp(F | A, 501, 1102, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "LAST_ACK");
    cr_assert_eq(lan_tcp(A, 1102, 502, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "TIME_WAIT");
    cr_assert_eq(seen.direction[0].packets, 5);
    cr_assert_eq(seen.direction[1].packets, 4 - 0);
    test_now += 121 * NS_PER_S;
    cr_assert_str_eq(tcp_state(), "no flow");
}

Test(conntrack, hostile_N3_reset_outside_window_changes_nothing)
{
    open_connection();
    cr_assert_eq(wan_tcp(R, 501 + 100000, 0, 0), TRACK_INVALID);
    cr_assert_eq(wan_tcp(R | A, 400, 101, 0), TRACK_INVALID);
    cr_assert_str_eq(tcp_state(), "ESTABLISHED");
}

Test(conntrack, hostile_N3_reset_in_window_but_not_exact_keeps_the_flow)
{
    open_connection();
    cr_assert_eq(wan_tcp(R, 600, 0, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "ESTABLISHED");
    cr_assert_eq(wan_tcp(R, 501, 0, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "CLOSE");
}

Test(conntrack, hostile_N3_fin_outside_window_changes_nothing)
{
    open_connection();
    cr_assert_eq(wan_tcp(F | A, 501 + 100000, 101, 0), TRACK_INVALID);
    cr_assert_str_eq(tcp_state(), "ESTABLISHED");
    cr_assert_eq(wan_tcp(F | A, 501, 101 + 5000, 0), TRACK_INVALID);
    cr_assert_str_eq(tcp_state(), "ESTABLISHED");
}

Test(conntrack, hostile_N3_reset_outside_window_of_a_half_closed_flow_passes_by)
{
    open_connection();
    cr_assert_eq(lan_tcp(F | A, 101, 501, 0), TRACK_ESTABLISHED);
    cr_assert_eq(wan_tcp(A, 501, 102, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "CLOSE_WAIT");
    cr_assert_eq(wan_tcp(R, 501 + 100000, 0, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "CLOSE_WAIT");
    cr_assert_eq(wan_tcp(R, 501, 0, 300), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "CLOSE");
    /* The 300 octets of the reset never were data. */
    cr_assert_eq(lan_tcp(A, 102, 801, 0), TRACK_INVALID);
}

Test(conntrack, a_little_more_than_the_window_passes_and_may_be_acknowledged)
{
    open_connection();
    cr_assert_eq(wan_tcp(P | A, 501 + 10001, 101, 100), TRACK_ESTABLISHED);
    cr_assert_eq(lan_tcp(A, 101, 501 + 10101, 0), TRACK_ESTABLISHED);
    cr_assert_eq(wan_tcp(P | A, 501 + 100000, 101, 100), TRACK_INVALID);
}

/* RFC 5961 4.2: a SYN meets a connection that the peer still has. */
Test(conntrack, reset_that_answers_a_challenge_is_believed)
{
    cr_assert_eq(lan_tcp(S, 100, 0, 0), TRACK_NEW);
    cr_assert_eq(wan_tcp(A, 7000, 90000, 0), TRACK_ESTABLISHED);
    cr_assert_eq(lan_tcp(R, 90001, 0, 0), TRACK_INVALID);
    cr_assert_str_eq(tcp_state(), "SYN_SENT");
    cr_assert_eq(lan_tcp(R, 90000, 0, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "CLOSE");
}

Test(conntrack, reset_of_a_flow_met_in_its_middle_forgets_it)
{
    cr_assert_eq(lan_tcp(A, 100, 500, 0), TRACK_NEW);
    cr_assert_eq(lan_tcp(R | A, 100, 500, 1), TRACK_NEW);
    cr_assert_str_eq(tcp_state(), "no flow");
    cr_assert_eq(wan_tcp(R | A, 500, 101, 1), TRACK_INVALID);
}

Test(conntrack, flow_that_a_rule_resets_is_closed)
{
    load("table ip t { chain c { type filter hook forward priority 0;"
         " tcp flags psh reject with tcp reset; } }");
    open_connection();
    (void)lan_tcp(P | A, 101, 501, 10);
    cr_assert_str_eq(tcp_state(), "CLOSE");
    test_now += 11 * NS_PER_S;
    cr_assert_str_eq(tcp_state(), "no flow");
}

Test(conntrack, hostile_C4_error_that_quotes_an_odd_icmp_type_is_invalid)
{
    struct test_packet quote = icmp_packet(CLIENT, SERVER, 8, 7);
    struct test_packet error;

    from_lan(&quote);
    for (unsigned type = 0; type < 256; type++) {
        quote.bytes[20] = (uint8_t)type;
        error = icmp_error(SERVER, CLIENT, 3, 1, quote.bytes, 28);
        cr_assert_eq(state_of(from_wan(&error)),
                     type == 8 ? TRACK_RELATED : TRACK_INVALID, "%u", type);
    }
}

Test(conntrack, liberal_setting_takes_what_is_outside_the_window)
{
    cr_assert_eq(filter_set("netfilter.nf_conntrack_tcp_be_liberal", 1), 0);
    open_connection();
    cr_assert_eq(wan_tcp(A, 501 + 100000, 101, 10), TRACK_ESTABLISHED);
}

Test(conntrack, refused_connection_is_forgotten)
{
    cr_assert_eq(lan_tcp(S, 100, 0, 0), TRACK_NEW);
    cr_assert_eq(wan_tcp(R | A, 0, 101, 0), TRACK_ESTABLISHED);
    cr_assert_str_eq(tcp_state(), "no flow");
}

Test(conntrack, connection_is_taken_up_in_its_middle_unless_strict)
{
    cr_assert_eq(lan_tcp(A, 5000, 700, 10), TRACK_NEW);
    cr_assert_eq(wan_tcp(A, 700, 5010, 0), TRACK_ESTABLISHED);
    start_filter();
    cr_assert_eq(filter_set("netfilter.nf_conntrack_tcp_loose", 0), 0);
    cr_assert_eq(lan_tcp(A, 5000, 700, 10), TRACK_INVALID);
}

Test(conntrack, syn_ack_that_nobody_asked_for_is_invalid)
{
    cr_assert_eq(wan_tcp(S | A, 1, 2, 0), TRACK_INVALID);
    cr_assert_eq(wan_tcp(F, 1, 2, 0), TRACK_INVALID);
    cr_assert_eq(wan_tcp(S | F, 1, 2, 0), TRACK_INVALID);
    cr_assert_eq(wan_tcp(0, 1, 2, 0), TRACK_INVALID);
    cr_assert_eq(wan_tcp(R, 1, 2, 0), TRACK_INVALID);
}

Test(conntrack, syn_after_time_wait_begins_anew)
{
    open_connection();
    lan_tcp(F | A, 101, 501, 0);
    wan_tcp(F | A, 501, 102, 0);
    lan_tcp(A, 102, 502, 0);
    cr_assert_str_eq(tcp_state(), "TIME_WAIT");
    cr_assert_eq(lan_tcp(S, 9000, 0, 0), TRACK_NEW);
    cr_assert_str_eq(tcp_state(), "SYN_SENT");
    cr_assert_eq(seen_count, 1);
}

Test(conntrack, wrong_checksum_is_invalid)
{
    struct test_packet packet = tcp_packet(CLIENT, 1, SERVER, 2, S);

    packet.bytes[37] ^= 1;
    cr_assert_eq(state_of(from_lan(&packet)), TRACK_INVALID);
    cr_assert_eq(filter_set("netfilter.nf_conntrack_checksum", 0), 0);
    cr_assert_eq(state_of(from_lan(&packet)), TRACK_NEW);
}

/* Fresh, and where a flow is known, which has a shorter way. */
static void expect_invalid(const struct test_packet *packet)
{
    struct test_packet known = udp_packet(CLIENT, 1, SERVER, 2);

    cr_expect_eq(state_of(from_lan(packet)), TRACK_INVALID);
    cr_expect_eq(state_of(from_lan(&known)), TRACK_NEW);
    cr_expect_eq(state_of(from_lan(packet)), TRACK_INVALID);
    start_filter();
}

Test(conntrack, datagrams_that_lie_are_invalid)
{
    struct test_packet packet = udp_packet(CLIENT, 1, SERVER, 2);
    struct udp_header *udp = (void *)(packet.bytes + 20);
    uint16_t length = be16_get(udp->length);

    packet.bytes[packet.length - 1] ^= 1;
    expect_invalid(&packet);
    packet.bytes[packet.length - 1] ^= 1;
    udp->checksum = be16_from(0);
    udp->length = be16_from((uint16_t)(length + 1));
    expect_invalid(&packet);
    udp->length = be16_from(7);
    expect_invalid(&packet);
}

/* How long a connection without another packet is kept. */
static uint32_t seconds_left(void)
{
    (void)tcp_state();
    return seen.seconds_left;
}

enum { DAYS_5 = 5 * 86400, U = TCP_URG };

/* As plain data, which has a shorter way, and as data that is not plain. */
static const uint8_t kinds[] = {A, A | U};

Test(conntrack, what_nobody_acknowledges_is_not_waited_for_five_days)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        start_filter();
        open_connection();
        cr_expect_geq(seconds_left(), DAYS_5 - 1);
        cr_expect_leq(seconds_left(), DAYS_5);
        lan_tcp(kinds[i], 101, 501, 1000);
        cr_expect_leq(seconds_left(), 300);
        wan_tcp(kinds[i], 501, 1101, 0);
        cr_expect_geq(seconds_left(), DAYS_5 - 1);
    }
}

/* The same segment again, but for one field of its three. */
static void expect_left(uint8_t flags, uint32_t sequence, uint32_t ack,
                        size_t payload, uint32_t seconds)
{
    lan_tcp(flags, sequence, ack, payload);
    cr_expect_leq(seconds_left(), seconds, "%u", seconds);
    cr_expect_gt(seconds_left(), seconds - 2, "%u", seconds);
}

Test(conntrack, what_is_sent_again_and_again_is_waited_for_less_long)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        start_filter();
        cr_assert_eq(
            filter_set("netfilter.nf_conntrack_tcp_timeout_max_retrans", 60),
            0);
        open_connection();
        wan_tcp(A, 501, 101, 50);
        lan_tcp(kinds[i], 101, 501, 1000);
        expect_left(kinds[i], 101, 501, 1000, 300);
        expect_left(kinds[i], 101, 501, 1000, 300);
        expect_left(kinds[i], 101, 501, 1000, 60);
        expect_left(kinds[i], 101, 501, 1000, 60);
        expect_left(kinds[i], 101, 551, 1000, 300); /* another ACK */
        expect_left(kinds[i], 101, 551, 1000, 300);
        expect_left(kinds[i], 101, 551, 1000, 300);
        expect_left(kinds[i], 101, 551, 1000, 60);
        expect_left(kinds[i], 102, 551, 999, 300); /* another beginning */
        expect_left(kinds[i], 102, 551, 999, 300);
        expect_left(kinds[i], 102, 551, 999, 300);
        expect_left(kinds[i], 102, 551, 999, 60);
        expect_left(kinds[i], 102, 551, 998, 300); /* another end */
    }
}

static struct test_packet with_scale(struct test_packet syn, uint32_t sequence,
                                     uint32_t ack)
{
    struct tcp_header *tcp = (void *)(syn.bytes + 20);

    tcp->sequence = be32_from(sequence);
    tcp->acknowledgement = be32_from(ack);
    tcp->data_offset = 0x60;
    memcpy(tcp + 1, "\x01\x03\x03\x07", 4);
    syn.length = 44;
    fix_packet(&syn);
    return syn;
}

/* RFC 7323 2.2: where both ends say it, a window of 10000 is 1,280,000. */
Test(conntrack, windows_are_scaled_where_both_ends_scale_them)
{
    struct test_packet syn =
        with_scale(tcp_packet(CLIENT, 1024, SERVER, 80, S), 100, 0);
    struct test_packet answer =
        with_scale(tcp_packet(SERVER, 80, CLIENT, 1024, S | A), 500, 101);

    from_lan(&syn);
    from_wan(&answer);
    lan_tcp(A, 101, 501, 0);
    cr_expect_eq(wan_tcp(A, 501 + 1270000, 101, 100), TRACK_ESTABLISHED);
    cr_expect_eq(wan_tcp(A, 501 + 2600000, 101, 100), TRACK_INVALID);
    start_filter();
    from_lan(&syn);
    wan_tcp(S | A, 500, 101, 0);
    lan_tcp(A, 101, 501, 0);
    cr_expect_eq(wan_tcp(A, 501 + 1270000, 101, 100), TRACK_INVALID);
}

Test(conntrack, udp_is_established_by_its_answer_and_expires)
{
    struct test_packet query = udp_packet(CLIENT, 5000, SERVER, 53);
    struct test_packet answer = udp_packet(SERVER, 53, CLIENT, 5000);

    cr_assert_eq(state_of(from_wan(&answer)), TRACK_NEW);
    test_now += 31 * NS_PER_S;
    cr_assert_eq(state_of(from_lan(&query)), TRACK_NEW);
    cr_assert_eq(state_of(from_lan(&query)), TRACK_NEW);
    cr_assert_eq(state_of(from_wan(&answer)), TRACK_ESTABLISHED);
    cr_assert_eq(state_of(from_lan(&query)), TRACK_ESTABLISHED);
    test_now += 31 * NS_PER_S;
    cr_assert_eq(state_of(from_lan(&query)), TRACK_NEW);
}

Test(conntrack, udp_stream_lives_longer)
{
    struct test_packet query = udp_packet(CLIENT, 5000, SERVER, 53);
    struct test_packet answer = udp_packet(SERVER, 53, CLIENT, 5000);

    from_lan(&query);
    from_wan(&answer);
    test_now += 3 * NS_PER_S;
    from_lan(&query);
    test_now += 100 * NS_PER_S;
    cr_assert_eq(state_of(from_wan(&answer)), TRACK_ESTABLISHED);
}

Test(conntrack, echo_is_answered_once_it_was_asked)
{
    struct test_packet ask = icmp_packet(CLIENT, SERVER, 8, 77);
    struct test_packet answer = icmp_packet(SERVER, CLIENT, 0, 77);
    struct test_packet other = icmp_packet(SERVER, CLIENT, 0, 78);

    cr_assert_eq(state_of(from_wan(&answer)), TRACK_INVALID);
    cr_assert_eq(state_of(from_lan(&ask)), TRACK_NEW);
    cr_assert_eq(state_of(from_wan(&answer)), TRACK_ESTABLISHED);
    cr_assert_eq(state_of(from_wan(&other)), TRACK_INVALID);
}

Test(conntrack, error_about_a_flow_is_related)
{
    struct test_packet query = udp_packet(CLIENT, 5000, SERVER, 53);
    struct test_packet error =
        icmp_error(0x01020304, CLIENT, 3, 1, query.bytes, 28);

    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
    from_lan(&query);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_RELATED);
}

Test(conntrack, hostile_C4_error_with_a_bad_inner_header_is_invalid)
{
    struct test_packet query = udp_packet(CLIENT, 5000, SERVER, 53);
    struct test_packet error;

    from_lan(&query);
    error = icmp_error(SERVER, CLIENT, 3, 1, query.bytes, 27);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
    error = icmp_error(SERVER, CLIENT, 3, 1, query.bytes, 28);
    error.bytes[28] = 0x44; /* inner header length 16 */
    fix_packet(&error);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
    error.bytes[28] = 0x4f; /* 60 */
    fix_packet(&error);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
    error.bytes[28] = 0x45;
    error.bytes[31] = 19; /* inner total length */
    fix_packet(&error);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
    error = icmp_error(SERVER, OTHER, 3, 1, query.bytes, 28);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
}

Test(conntrack, what_a_rule_drops_costs_no_flow)
{
    struct test_packet query = udp_packet(CLIENT, 5000, SERVER, 53);

    load("table inet t { chain c { type filter hook forward priority 0\n"
         "drop; } }");
    cr_assert_eq(from_lan(&query)->verdict, FILTER_DROP);
    tcp_state();
    cr_assert_eq(seen_count, 0);
}

static void fill(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct test_packet packet =
            tcp_packet(CLIENT + (i >> 16 << 8), (uint16_t)i, SERVER, 80, S);

        cr_assert_eq(from_lan(&packet)->end, PATH_FORWARDED);
    }
}

Test(conntrack, hostile_N1_half_open_flows_make_room_established_survive)
{
    cr_assert_eq(filter_set("netfilter.nf_conntrack_max", 500), 0);
    open_connection();
    fill(5000);
    seen_count = 0;
    filter_visit_flows(0, SIZE_MAX, test_now, see, NULL);
    cr_assert_eq(seen_count, 500);
    cr_assert_eq(wan_tcp(A, 501, 101, 100), TRACK_ESTABLISHED);
}

Test(conntrack, hostile_N1_a_table_full_of_assured_flows_refuses)
{
    struct test_packet packet = udp_packet(CLIENT, 9, SERVER, 9);

    cr_assert_eq(filter_set("netfilter.nf_conntrack_max", 1), 0);
    open_connection();
    cr_assert_eq(from_lan(&packet)->verdict, FILTER_DROP);
    cr_assert_eq(wan_tcp(A, 501, 101, 100), TRACK_ESTABLISHED);
}

Test(conntrack, hostile_N1_a_full_table_has_room_for_what_begins_anew)
{
    struct test_packet again = tcp_packet(OTHER, 1, SERVER, 1, S);

    cr_assert_eq(from_lan(&again)->end, PATH_FORWARDED);
    test_now += 60 * NS_PER_S;
    fill((uint32_t)flow_capacity() - 1);
    cr_assert_eq(flow_count(), flow_capacity());
    test_now += 61 * NS_PER_S; /* the first one's time is over */
    cr_assert_eq(from_lan(&again)->end, PATH_FORWARDED);
    cr_assert_eq(flow_count(), flow_capacity());
}

Test(conntrack, hostile_N1_assured_flows_whose_time_is_over_make_room)
{
    struct test_packet packet = udp_packet(CLIENT, 9, SERVER, 9);

    cr_assert_eq(filter_set("netfilter.nf_conntrack_max", 1), 0);
    open_connection();
    cr_assert_eq(from_lan(&packet)->verdict, FILTER_DROP);
    test_now += 6 * 86400 * NS_PER_S;
    cr_assert_eq(from_lan(&packet)->end, PATH_FORWARDED);
}

/* An answer is worth more than none, though it does not assure. */
Test(conntrack, hostile_N1_what_was_answered_outlives_what_was_not)
{
    struct test_packet query = udp_packet(CLIENT, 9, SERVER, 53);
    struct test_packet answer = udp_packet(SERVER, 53, CLIENT, 9);

    cr_assert_eq(filter_set("netfilter.nf_conntrack_max", 4), 0);
    cr_assert_eq(from_lan(&query)->end, PATH_FORWARDED);
    cr_assert_eq(state_of(from_wan(&answer)), TRACK_ESTABLISHED);
    fill(100);
    cr_assert_eq(state_of(from_wan(&answer)), TRACK_ESTABLISHED);
}

Test(conntrack, ten_thousand_flows_fit_sixteen_mebibytes)
{
    start_filter_with(14 << 20);
    fill(10000);
    seen_count = 0;
    filter_visit_flows(0, SIZE_MAX, test_now, see, NULL);
    cr_assert_eq(seen_count, 10000, "%zu of %zu", seen_count, flow_capacity());
}

/* The longest chain is not visible; the time of attackers' choice is bounded
 * by the key alone. Tuples that differ only where a plain sum would not. */
Test(conntrack, hostile_S1_flows_spread_whatever_their_tuples)
{
    for (uint32_t i = 0; i < 4096; i++) {
        struct test_packet packet =
            udp_packet(CLIENT + (i & 0x3f), (uint16_t)(1000 + (i >> 6)),
                       SERVER - (i & 0x3f), (uint16_t)(9000 - (i >> 6)));

        cr_assert_eq(from_lan(&packet)->end, PATH_FORWARDED);
    }
    cr_assert_leq(flow_longest_chain(), 8);
}

static struct flow *udp_flow(uint16_t port)
{
    struct flow fresh = {.protocol = FLOW_UDP, .expires = 1000};

    fresh.tuple[FLOW_ORIGINAL] = (struct flow_tuple){SERVER, CLIENT, 53, port};
    fresh.tuple[FLOW_REPLY] =
        flow_inverse(&fresh.tuple[FLOW_ORIGINAL], FLOW_UDP);
    return flow_insert(&fresh, 0);
}

/* The words of a tuple by which it is looked up. */
struct words {
    uint64_t hosts;
    uint32_t ports;
};

static struct words words_of(uint16_t port)
{
    struct flow_tuple tuple = {SERVER, CLIENT, 53, port};
    struct words words;

    memcpy(&words.hosts, &tuple, sizeof(words.hosts));
    memcpy(&words.ports, &tuple.destination_port, sizeof(words.ports));
    return words;
}

static const uint32_t *place_of(uint16_t port)
{
    struct words words = words_of(port);

    return flow_recent_of(words.hosts, words.ports);
}

static struct flow *find_port(uint16_t port)
{
    struct words words = words_of(port);

    return flow_find_recent(words.hosts, words.ports, FLOW_UDP, 0).flow;
}

/* Ports whose tuples meet in front of the table: one more than it has room
 * for there. */
static void ports_that_meet(uint16_t ports[FLOW_RECENT_PAIR + 1])
{
    size_t count = 1;

    ports[0] = 1;
    for (uint16_t port = 2; count <= FLOW_RECENT_PAIR; port++) {
        cr_assert_neq(port, 0);
        if (place_of(port) == place_of(ports[0]))
            ports[count++] = port;
    }
}

Test(conntrack, flows_that_meet_in_front_are_told_apart_and_forgotten)
{
    uint16_t ports[FLOW_RECENT_PAIR + 1];
    struct flow *flows[ARRAY_COUNT(ports)];

    ports_that_meet(ports);
    for (size_t i = 0; i < ARRAY_COUNT(ports); i++)
        flows[i] = udp_flow(ports[i]);
    for (size_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < ARRAY_COUNT(ports); i++) {
            cr_assert_not_null(flows[i]);
            cr_assert_eq(find_port(ports[i]), flows[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(ports); i++) {
        flow_remove(flows[i]);
        for (size_t j = 0; j < ARRAY_COUNT(ports); j++)
            cr_assert_eq(find_port(ports[j]), j <= i ? NULL : flows[j]);
    }
}

Test(conntrack, aging_empties_the_table)
{
    fill(1000);
    test_now += 121 * NS_PER_S;
    for (unsigned i = 0; i < FLOW_AGE_TURNS; i++)
        flow_table_age(flow_ticks(test_now),
                       flow_capacity() / FLOW_AGE_TURNS + 1);
    cr_assert_eq(flow_count(), 0);
}

Test(conntrack, settings_bear_linux_names)
{
    cr_assert_eq(filter_set("netfilter.nf_conntrack_udp_timeout", 5), 0);
    cr_assert_eq(filter_set("netfilter.nf_conntrack_udp_timeout", 0), -22);
    cr_assert_eq(filter_set("netfilter.nf_conntrack_nothing", 5), -2);
    cr_assert_eq(filter_set("ipv4.tcp_sack", 1), -2);
}
