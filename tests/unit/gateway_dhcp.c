/* SPDX-License-Identifier: MIT */
/*
 * The gateway's DHCP server against messages made by hand: RFC 2131 4.3 row
 * by row, and what floods and forgeries may not do.
 * test-links: apps/gateway/dhcp_server.c apps/gateway/dhcp_message.c
 * test-links: apps/gateway/lease.c
 */
#include "apps/gateway/dhcp_message.h"
#include "apps/gateway/dhcp_server.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    OWN = 0xc0a84d01,   /* 192.168.77.1 */
    FIRST = 0xc0a84d64, /* .100 */
    LAST = 0xc0a84d67,  /* .103 */
    FIXED = 0xc0a84d09,
    LEASE_S = 3600,
};

static struct config config;
static struct dhcp_server server = {&config, (uint32_t)OWN, 0xffffff00};
static uint64_t now_s;
static uint8_t reply[DHCP_MESSAGE_MAX];
static size_t reply_length;
static uint32_t to;
static uint16_t port;
static struct dhcp_event event;

static void start(void)
{
    memset(&config, 0, sizeof(config));
    config.leases_max = 16;
    config.is_authoritative = true;
    config.range_count = 1;
    config.ranges[0] = (struct config_range){
        .first = (uint32_t)FIRST, .last = (uint32_t)LAST, .lease_s = LEASE_S};
    config.host_count = 1;
    config.hosts[0] = (struct config_host){.hardware = {2, 0, 0, 0, 0, 99},
                                           .address = (uint32_t)FIXED,
                                           .name = "fixed"};
    strcpy(config.domain, "lan");
    now_s = 1000;
    cr_assert(leases_start(&config, (uint32_t)OWN, 0xffffff00));
}

TestSuite(gateway_dhcp, .init = start, .fini = leases_stop);

/* ---- a client ------------------------------------------------------------ */

struct ask {
    enum dhcp_type type;
    unsigned client; /* last byte of the hardware address */
    uint32_t requested, server, ciaddr, giaddr;
    const char *host;
};

static uint8_t *put32(uint8_t *at, uint8_t code, uint32_t value)
{
    if (value == 0)
        return at;
    *at++ = code;
    *at++ = 4;
    for (int i = 24; i >= 0; i -= 8)
        *at++ = (uint8_t)(value >> i);
    return at;
}

static size_t build(uint8_t *message, const struct ask *ask)
{
    uint8_t *at = message + DHCP_HEAD_SIZE;

    memset(message, 0, 600);
    message[0] = message[1] = 1;
    message[2] = 6;
    memcpy(message + 4, "\x11\x22\x33\x44", 4);
    put32(message + 10, 0, 0);
    for (int i = 0; i < 4; i++) {
        message[12 + i] = (uint8_t)(ask->ciaddr >> (24 - 8 * i));
        message[24 + i] = (uint8_t)(ask->giaddr >> (24 - 8 * i));
    }
    message[28] = 2;
    message[32] = (uint8_t)(ask->client >> 8);
    message[33] = (uint8_t)ask->client;
    memcpy(message + 236, "\x63\x82\x53\x63", 4);
    *at++ = 53;
    *at++ = 1;
    *at++ = (uint8_t)ask->type;
    at = put32(at, 50, ask->requested);
    at = put32(at, 54, ask->server);
    if (ask->host != NULL) {
        *at++ = 12;
        *at++ = (uint8_t)strlen(ask->host);
        memcpy(at, ask->host, strlen(ask->host));
        at += strlen(ask->host);
    }
    *at++ = 255;
    return (size_t)(at - message);
}

static void hear(const uint8_t *message, size_t length)
{
    to = 0;
    reply_length = dhcp_server_answer(&server, message, length, now_s, reply,
                                      &to, &port, &event);
}

static void say(struct ask ask)
{
    uint8_t message[600];

    hear(message, build(message, &ask));
}

static const uint8_t *option(uint8_t code, size_t *length)
{
    const uint8_t *at = reply + DHCP_HEAD_SIZE;

    while (at < reply + reply_length && *at != 255) {
        if (*at == 0) {
            at++;
            continue;
        }
        if (*at == code) {
            *length = at[1];
            return at + 2;
        }
        at += 2 + at[1];
    }
    return NULL;
}

static uint32_t number(uint8_t code)
{
    size_t length;
    const uint8_t *at = option(code, &length);

    if (at == NULL || length != 4)
        return 0;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static unsigned type(void)
{
    size_t length;
    const uint8_t *at = reply_length == 0 ? NULL : option(53, &length);

    return at == NULL ? 0 : at[0];
}

static uint32_t given(void)
{
    return (uint32_t)reply[16] << 24 | (uint32_t)reply[17] << 16 |
           (uint32_t)reply[18] << 8 | reply[19];
}

/* Through DISCOVER and REQUEST; returns the address. */
static uint32_t lease_to(unsigned client)
{
    uint32_t address;

    say((struct ask){.type = DHCP_DISCOVER, .client = client});
    if (type() != DHCP_OFFER)
        return 0;
    address = given();
    say((struct ask){.type = DHCP_REQUEST,
                     .client = client,
                     .requested = address,
                     .server = (uint32_t)OWN});
    cr_assert_eq(type(), DHCP_ACK);
    cr_assert_eq(given(), address);
    return address;
}

/* ---- the protocol -------------------------------------------------------- */

Test(gateway_dhcp, a_client_gets_an_address_and_all_it_needs)
{
    uint32_t address = lease_to(1);
    size_t length;

    cr_assert(address >= (uint32_t)FIRST && address <= (uint32_t)LAST);
    cr_assert_eq(number(54), (uint32_t)OWN);
    cr_assert_eq(number(51), LEASE_S);
    cr_assert_eq(number(58), LEASE_S / 2);
    cr_assert_eq(number(59), LEASE_S / 8 * 7);
    cr_assert_eq(number(1), 0xffffff00);
    cr_assert_eq(number(3), (uint32_t)OWN);
    cr_assert_eq(number(6), (uint32_t)OWN);
    cr_assert(memcmp(option(15, &length), "lan", 3) == 0);
    cr_assert_geq(reply_length, DHCP_MESSAGE_MIN);
    cr_assert_eq(memcmp(reply + 4, "\x11\x22\x33\x44", 4), 0);
    cr_assert_eq(to, 0xffffffff);
    cr_assert_eq(port, 68);
}

Test(gateway_dhcp, a_client_that_comes_again_gets_the_same_address)
{
    uint32_t address = lease_to(1);

    cr_assert_neq(lease_to(2), address);
    now_s += 2 * LEASE_S;
    cr_assert_eq(lease_to(1), address);
}

Test(gateway_dhcp, a_known_host_gets_its_own_address)
{
    cr_assert_eq(lease_to(99), (uint32_t)FIXED);
    say((struct ask){
        .type = DHCP_DISCOVER, .client = 5, .requested = (uint32_t)FIXED});
    cr_assert_neq(given(), (uint32_t)FIXED);
}

Test(gateway_dhcp, renewing_answers_to_the_client_itself)
{
    uint32_t address = lease_to(1);

    now_s += LEASE_S / 2;
    say((struct ask){.type = DHCP_REQUEST, .client = 1, .ciaddr = address});
    cr_assert_eq(type(), DHCP_ACK);
    cr_assert_eq(to, address);
    cr_assert_eq(number(51), LEASE_S);
}

Test(gateway_dhcp, a_relay_is_answered_at_its_own_port)
{
    say((struct ask){.type = DHCP_DISCOVER, .client = 1, .giaddr = 0xc0a84d02});
    cr_assert_eq(type(), DHCP_OFFER);
    cr_assert_eq(to, 0xc0a84d02);
    cr_assert_eq(port, 67);
}

/* RFC 2131 4.3.2: the relay must tell everybody, for the address is wrong. */
Test(gateway_dhcp, a_refusal_by_a_relay_is_to_be_broadcast)
{
    say((struct ask){.type = DHCP_REQUEST,
                     .client = 1,
                     .requested = 0x0a000005,
                     .giaddr = 0xc0a84d02});
    cr_assert_eq(type(), DHCP_NAK);
    cr_assert_eq(to, 0xc0a84d02);
    cr_assert_eq(reply[10], 0x80);
}

Test(gateway_dhcp, a_relay_of_another_network_gets_no_address_of_this_one)
{
    say((struct ask){.type = DHCP_DISCOVER, .client = 1, .giaddr = 0x0a000001});
    cr_assert_eq(reply_length, 0);
    say((struct ask){.type = DHCP_REQUEST,
                     .client = 1,
                     .requested = (uint32_t)FIRST,
                     .giaddr = 0x0a000001});
    cr_assert_eq(reply_length, 0);
}

/* RFC 6842 3. */
Test(gateway_dhcp, an_identifier_comes_back_as_it_was)
{
    static const uint8_t identifier[] = {61, 3, 0, 'm', 'e', 255};
    uint8_t message[600];
    struct ask ask = {.type = DHCP_DISCOVER, .client = 1};
    size_t length = build(message, &ask);
    const uint8_t *at;

    memcpy(message + length - 1, identifier, sizeof(identifier));
    hear(message, length - 1 + sizeof(identifier));
    at = option(61, &length);
    cr_assert_not_null(at);
    cr_assert_eq(length, 3);
    cr_assert_eq(memcmp(at, identifier + 2, 3), 0);
    lease_to(2);
    cr_assert_null(option(61, &length));
}

/* As dnsmasq: or it would renew what it has for ever. */
Test(gateway_dhcp, who_is_given_an_address_of_his_own_gets_it_when_he_renews)
{
    uint32_t address = lease_to(98);
    uint32_t other;

    config.hosts[0].hardware[5] = 98;
    say((struct ask){.type = DHCP_REQUEST, .client = 98, .ciaddr = address});
    cr_assert_eq(type(), DHCP_NAK);
    cr_assert_eq(lease_to(98), (uint32_t)FIXED);
    /* Not while somebody else has it. */
    other = lease_to(97);
    config.hosts[0].hardware[5] = 97;
    say((struct ask){.type = DHCP_REQUEST, .client = 97, .ciaddr = other});
    cr_assert_eq(type(), DHCP_ACK);
}

Test(gateway_dhcp, another_network_is_refused_at_once)
{
    say((struct ask){
        .type = DHCP_REQUEST, .client = 1, .requested = 0x0a000005});
    cr_assert_eq(type(), DHCP_NAK);
    cr_assert_eq(given(), 0);
    cr_assert_eq(to, 0xffffffff);
}

Test(gateway_dhcp, after_our_restart_clients_keep_what_they_have)
{
    say((struct ask){
        .type = DHCP_REQUEST, .client = 1, .requested = (uint32_t)FIRST + 2});
    cr_assert_eq(type(), DHCP_ACK);
    cr_assert_eq(given(), (uint32_t)FIRST + 2);
}

Test(gateway_dhcp, who_is_not_the_only_server_does_not_judge_strangers)
{
    config.is_authoritative = false;
    say((struct ask){
        .type = DHCP_REQUEST, .client = 1, .requested = (uint32_t)FIRST});
    cr_assert_eq(reply_length, 0);
}

Test(gateway_dhcp, another_servers_client_frees_our_offer)
{
    say((struct ask){.type = DHCP_DISCOVER, .client = 1});
    say((struct ask){.type = DHCP_REQUEST,
                     .client = 1,
                     .requested = given(),
                     .server = 0xc0a84d02});
    cr_assert_eq(reply_length, 0);
    for (unsigned client = 10; client < 14; client++)
        cr_assert_neq(lease_to(client), 0);
}

Test(gateway_dhcp, a_declined_address_is_not_given_again_for_a_while)
{
    uint32_t address = lease_to(1);

    say((struct ask){.type = DHCP_DECLINE,
                     .client = 1,
                     .requested = address,
                     .server = (uint32_t)OWN});
    for (unsigned client = 1; client < 4; client++)
        cr_assert_neq(lease_to(client), address);
    cr_assert_eq(lease_to(4), 0);
    now_s += 601;
    cr_assert_eq(lease_to(5), address);
}

Test(gateway_dhcp, a_released_address_goes_to_the_next_when_none_is_left)
{
    uint32_t address = lease_to(1);

    for (unsigned client = 2; client < 5; client++)
        cr_assert_neq(lease_to(client), 0);
    cr_assert_eq(lease_to(5), 0);
    say((struct ask){.type = DHCP_RELEASE,
                     .client = 1,
                     .ciaddr = address,
                     .server = (uint32_t)OWN});
    cr_assert_eq(lease_to(5), address);
}

Test(gateway_dhcp, inform_gets_no_lease)
{
    say((struct ask){.type = DHCP_INFORM, .client = 1, .ciaddr = 0xc0a84d20});
    cr_assert_eq(type(), DHCP_ACK);
    cr_assert_eq(given(), 0);
    cr_assert_eq(number(51), 0);
    cr_assert_eq(number(3), (uint32_t)OWN);
    cr_assert_eq(to, 0xc0a84d20);
}

Test(gateway_dhcp, an_option_of_the_file_replaces_ours_and_an_empty_one_removes)
{
    config.option_count = 2;
    config.options[0] =
        (struct config_option){.code = 3, .length = 4, .bytes = {1, 2, 3, 4}};
    config.options[1] = (struct config_option){.code = 6};
    lease_to(1);
    cr_assert_eq(number(3), 0x01020304);
    cr_assert_eq(number(6), 0);
}

Test(gateway_dhcp, an_option_of_the_file_goes_to_who_asks_for_all)
{
    size_t length;

    config.option_count = 1;
    config.options[0] = (struct config_option){.code = 42, .length = 4};
    memcpy(config.options[0].bytes, "\x0a\x00\x00\x09", 4);
    say((struct ask){.type = DHCP_DISCOVER, .client = 1});
    cr_assert_not_null(option(42, &length));
    cr_assert_eq(length, 4);
}

Test(gateway_dhcp, a_name_belongs_to_who_had_it_first)
{
    uint32_t address;

    say((struct ask){.type = DHCP_DISCOVER, .client = 1});
    address = given();
    say((struct ask){.type = DHCP_REQUEST,
                     .client = 1,
                     .requested = address,
                     .server = (uint32_t)OWN,
                     .host = "Laptop.example"});
    say((struct ask){.type = DHCP_DISCOVER, .client = 2});
    say((struct ask){.type = DHCP_REQUEST,
                     .client = 2,
                     .requested = given(),
                     .server = (uint32_t)OWN,
                     .host = "laptop"});
    cr_assert_eq(type(), DHCP_ACK);
    cr_assert_eq(lease_of_name("laptop", now_s)->address, address);
    cr_assert_null(lease_of_name("laptop", now_s + LEASE_S));
}

/* ---- hostile ------------------------------------------------------------- */

Test(gateway_dhcp, hostile_flood_of_clients_takes_nothing_from_who_has_a_lease)
{
    uint32_t address = lease_to(1);

    for (unsigned client = 100; client < 5100; client++)
        say((struct ask){.type = DHCP_DISCOVER, .client = client});
    now_s += LEASE_S / 2;
    say((struct ask){.type = DHCP_REQUEST, .client = 1, .ciaddr = address});
    cr_assert_eq(type(), DHCP_ACK);
    cr_assert_eq(given(), address);
    /* Offers that nobody took are over by now. */
    cr_assert_neq(lease_to(2), 0);
}

Test(gateway_dhcp, hostile_H1_an_option_past_the_end_is_no_message)
{
    uint8_t message[600];
    size_t length =
        build(message, &(struct ask){.type = DHCP_DISCOVER, .client = 1});

    message[length - 1] = 12; /* instead of the end: a code without length */
    hear(message, length);
    cr_assert_eq(reply_length, 0);
    message[length] = 200;
    hear(message, length + 1);
    cr_assert_eq(reply_length, 0);
    for (size_t cut = 0; cut < DHCP_HEAD_SIZE; cut++) {
        hear(message, cut);
        cr_assert_eq(reply_length, 0);
    }
}

Test(gateway_dhcp, hostile_H1_overload_is_followed_once_into_each_field)
{
    uint8_t message[600];
    size_t length =
        build(message, &(struct ask){.type = DHCP_DISCOVER, .client = 1});
    uint8_t *end = message + length - 1;

    memcpy(end, "\x34\x01\x03\xff", 4);       /* both fields */
    memcpy(message + 108, "\x34\x01\x03", 3); /* file: again both */
    message[111] = 255;
    memcpy(message + 44, "\x35\x01\x03\xff", 4); /* name: says REQUEST */
    hear(message, length + 3);
    cr_assert_eq(dhcp_counters.discovers, 0);
    cr_assert_eq(dhcp_counters.requests, 1);
    memset(message + 44, 12, 64); /* runs out of its field */
    hear(message, length + 3);
    cr_assert_eq(dhcp_counters.malformed, 1);
}

Test(gateway_dhcp, hostile_a_group_or_zero_hardware_address_is_ignored)
{
    uint8_t message[600];
    size_t length =
        build(message, &(struct ask){.type = DHCP_DISCOVER, .client = 1});

    message[28] = 0xff;
    hear(message, length);
    cr_assert_eq(reply_length, 0);
    memset(message + 28, 0, 6);
    hear(message, length);
    cr_assert_eq(reply_length, 0);
}

Test(gateway_dhcp, hostile_a_servers_own_words_are_not_answered)
{
    say((struct ask){.type = DHCP_OFFER, .client = 1});
    cr_assert_eq(reply_length, 0);
    say((struct ask){.type = DHCP_ACK, .client = 1});
    cr_assert_eq(reply_length, 0);
}

Test(gateway_dhcp, hostile_nobody_releases_or_declines_for_another)
{
    uint32_t address = lease_to(1);

    say((struct ask){.type = DHCP_RELEASE,
                     .client = 2,
                     .ciaddr = address,
                     .server = (uint32_t)OWN});
    say((struct ask){.type = DHCP_DECLINE,
                     .client = 2,
                     .requested = address,
                     .server = (uint32_t)OWN});
    cr_assert_eq(lease_of_address(address)->state, LEASE_BOUND);
}
