/* SPDX-License-Identifier: MIT */
/*
 * The server's half of RFC 2131. Left out: unicasting an offer to a client
 * that has no address yet (it is broadcast, which every client takes), and
 * pinging an address before it is offered (clients probe, and decline).
 */
#include "dhcp_server.h"
#include "dhcp_message.h"

#include <string.h>

struct dhcp_counters dhcp_counters;

#define BROADCAST UINT32_C(0xffffffff)

/* One message in hand. */
struct exchange {
    const struct dhcp_server *server;
    const uint8_t *message;
    struct dhcp_request request;
    struct lease_client client;
    const struct config_host *host;
    uint64_t now_s;
    struct dhcp_reply reply;
    struct dhcp_event *event;
};

static void identify(struct exchange *exchange)
{
    const struct dhcp_request *request = &exchange->request;
    struct lease_client *client = &exchange->client;

    memcpy(client->hardware, request->hardware, 6);
    client->wanted = request->requested;
    if (request->id_length != 0) {
        client->key_length = request->id_length;
        memcpy(client->key, request->id, request->id_length);
    } else {
        client->key_length = 7;
        client->key[0] = 1;
        memcpy(client->key + 1, request->hardware, 6);
    }
    exchange->host = lease_reservation(request->hardware);
}

static void note(struct exchange *exchange, const char *what, const char *why,
                 uint32_t address)
{
    exchange->event->what = what;
    exchange->event->why = why;
    exchange->event->address = address;
}

/* ---- what a reply carries ------------------------------------------------ */

static uint32_t netmask_for(const struct exchange *exchange, uint32_t address)
{
    const struct config *config = exchange->server->config;

    for (size_t i = 0; i < config->range_count; i++) {
        const struct config_range *range = &config->ranges[i];

        if (address >= range->first && address <= range->last &&
            range->netmask != 0)
            return range->netmask;
    }
    return exchange->server->netmask;
}

/* A file's option stands in for ours; an empty one takes it away. */
static bool is_configured(const struct config *config, uint8_t code)
{
    for (size_t i = 0; i < config->option_count; i++) {
        if (config->options[i].code == code)
            return true;
    }
    return false;
}

static void add_default(struct exchange *exchange, uint8_t code,
                        uint32_t address)
{
    if (!is_configured(exchange->server->config, code))
        dhcp_reply_add_number(&exchange->reply, code, address);
}

static void add_text(struct exchange *exchange, uint8_t code, const char *text)
{
    if (text[0] != '\0' && !is_configured(exchange->server->config, code))
        dhcp_reply_add(&exchange->reply, code, text, strlen(text));
}

static bool is_asked_for(const struct dhcp_request *request, uint8_t code)
{
    if (request->parameter_count == 0)
        return true;
    return memchr(request->parameters, code, request->parameter_count) != NULL;
}

static void add_network(struct exchange *exchange, uint32_t address)
{
    const struct config *config = exchange->server->config;
    uint32_t own = exchange->server->address;
    uint32_t mask = netmask_for(exchange, address);

    add_default(exchange, DHCP_OPTION_NETMASK, mask);
    add_default(exchange, DHCP_OPTION_ROUTER, own);
    add_default(exchange, DHCP_OPTION_DNS, own);
    add_text(exchange, DHCP_OPTION_DOMAIN, config->domain);
    if (exchange->host != NULL)
        add_text(exchange, DHCP_OPTION_HOST, exchange->host->name);
    if (is_asked_for(&exchange->request, DHCP_OPTION_BROADCAST))
        add_default(exchange, DHCP_OPTION_BROADCAST, (own & mask) | ~mask);
    for (size_t i = 0; i < config->option_count; i++) {
        const struct config_option *option = &config->options[i];

        if (option->length != 0 &&
            (is_asked_for(&exchange->request, option->code) ||
             option->code == DHCP_OPTION_ROUTER ||
             option->code == DHCP_OPTION_DNS ||
             option->code == DHCP_OPTION_NETMASK))
            dhcp_reply_add(&exchange->reply, option->code, option->bytes,
                           option->length);
    }
}

/* RFC 2131 4.4.5: T1 at a half, T2 at seven eighths. */
static void add_times(struct exchange *exchange, uint32_t lease_s)
{
    dhcp_reply_add_number(&exchange->reply, DHCP_OPTION_LEASE, lease_s);
    if (lease_s == CONFIG_LEASE_INFINITE)
        return;
    dhcp_reply_add_number(&exchange->reply, DHCP_OPTION_T1, lease_s / 2);
    dhcp_reply_add_number(&exchange->reply, DHCP_OPTION_T2,
                          lease_s - lease_s / 8);
}

static void begin(struct exchange *exchange, enum dhcp_type type,
                  uint32_t address)
{
    dhcp_reply_begin(&exchange->reply, exchange->message, type, address);
    dhcp_reply_add_number(&exchange->reply, DHCP_OPTION_SERVER,
                          exchange->server->address);
    if (exchange->request.id_length != 0) /* RFC 6842 3 */
        dhcp_reply_add(&exchange->reply, DHCP_OPTION_CLIENT,
                       exchange->request.id, exchange->request.id_length);
}

static void give(struct exchange *exchange, enum dhcp_type type,
                 const struct lease *lease, uint32_t lease_s)
{
    begin(exchange, type, lease->address);
    add_times(exchange, lease_s);
    add_network(exchange, lease->address);
    dhcp_reply_end(&exchange->reply);
    exchange->event->lease = lease;
}

/* ---- the messages -------------------------------------------------------- */

static void handle_discover(struct exchange *exchange)
{
    struct lease *lease = lease_offer(&exchange->client, exchange->now_s);

    dhcp_counters.discovers++;
    if (lease == NULL) {
        bool is_ignored = exchange->host != NULL && exchange->host->is_ignored;

        dhcp_counters.exhausted += is_ignored ? 0 : 1;
        note(exchange, "DHCPDISCOVER",
             is_ignored ? "ignored by dhcp-host" : "no address available", 0);
        return;
    }
    dhcp_counters.offers++;
    note(exchange, "DHCPOFFER", NULL, lease->address);
    give(exchange, DHCP_OFFER, lease,
         lease_length_s(lease->address, exchange->host));
}

static void refuse(struct exchange *exchange, const char *why, uint32_t address)
{
    dhcp_counters.naks++;
    note(exchange, "DHCPNAK", why, address);
    begin(exchange, DHCP_NAK, 0);
    dhcp_reply_end(&exchange->reply);
}

static void acknowledge(struct exchange *exchange, struct lease *lease)
{
    uint32_t lease_s = lease_length_s(lease->address, exchange->host);
    const char *name = exchange->request.host;

    if (exchange->host != NULL && exchange->host->name[0] != '\0')
        name = exchange->host->name;
    /* A name belongs to who has it first. */
    if (name[0] != '\0') {
        const struct lease *holder = lease_of_name(name, exchange->now_s);

        if (holder == NULL || holder == lease)
            strcpy(lease->host, name);
    }
    lease_bind(lease, lease_s, exchange->now_s);
    dhcp_counters.acks++;
    note(exchange, "DHCPACK", NULL, lease->address);
    give(exchange, DHCP_ACK, lease, lease_s);
}

/* What the request is about: the address of option 50, or the one the client
 * uses already. */
static uint32_t asked_address(const struct dhcp_request *request)
{
    return request->requested != 0 ? request->requested
                                   : request->client_address;
}

static bool is_on_our_network(const struct exchange *exchange, uint32_t address)
{
    return ((address ^ exchange->server->address) &
            exchange->server->netmask) == 0;
}

/* An address of its own waits for it, and is free. */
static bool has_better(const struct exchange *exchange, uint32_t asked)
{
    const struct config_host *host = exchange->host;
    const struct lease *lease;

    if (host == NULL || host->address == asked ||
        !lease_may_give(host->address, host))
        return false;
    lease = lease_of_address(host->address);
    return lease == NULL || !lease_is_in_force(lease, exchange->now_s);
}

static void handle_request(struct exchange *exchange)
{
    const struct dhcp_request *request = &exchange->request;
    struct lease *lease = lease_of_client(&exchange->client);
    uint32_t asked = asked_address(request);

    dhcp_counters.requests++;
    if (request->server != 0 && request->server != exchange->server->address) {
        /* SELECTING, and another server was selected. */
        if (lease != NULL && lease->state == LEASE_OFFERED)
            lease_release(lease);
        return;
    }
    if (asked == 0)
        return;
    if (lease != NULL && lease->address == asked &&
        lease->state != LEASE_DECLINED &&
        lease_may_give(asked, exchange->host) &&
        (lease_is_in_force(lease, exchange->now_s) ||
         lease_offer(&exchange->client, exchange->now_s) == lease)) {
        if (lease->address == asked && !has_better(exchange, asked))
            acknowledge(exchange, lease);
        else
            refuse(exchange, "has another address", asked);
        return;
    }
    if (!is_on_our_network(exchange, asked)) {
        refuse(exchange, "wrong network", asked);
        return;
    }
    /* INIT-REBOOT or RENEWING with something we do not know. Only the one
     * server of a network may judge (RFC 2131 4.3.2). */
    if (request->server == 0 && !exchange->server->config->is_authoritative)
        return;
    if (lease == NULL && request->server == 0) {
        exchange->client.wanted = asked;
        lease = lease_offer(&exchange->client, exchange->now_s);
        if (lease != NULL && lease->address == asked) {
            acknowledge(exchange, lease);
            return;
        }
    }
    refuse(exchange, lease == NULL ? "not offered" : "has another address",
           asked);
}

static void handle_decline(struct exchange *exchange)
{
    struct lease *lease = lease_of_client(&exchange->client);

    dhcp_counters.declines++;
    if (lease == NULL || lease->address != exchange->request.requested ||
        exchange->request.server != exchange->server->address)
        return;
    lease_decline(lease, exchange->now_s);
    note(exchange, "DHCPDECLINE", "somebody else uses it", lease->address);
}

static void handle_release(struct exchange *exchange)
{
    struct lease *lease = lease_of_client(&exchange->client);

    dhcp_counters.releases++;
    if (lease == NULL || lease->state != LEASE_BOUND ||
        lease->address != exchange->request.client_address ||
        exchange->request.server != exchange->server->address)
        return;
    lease_release(lease);
    note(exchange, "DHCPRELEASE", NULL, lease->address);
}

/* RFC 2131 4.3.5: no lease, no times, no address. */
static void handle_inform(struct exchange *exchange)
{
    dhcp_counters.informs++;
    if (exchange->request.client_address == 0)
        return;
    begin(exchange, DHCP_ACK, 0);
    add_network(exchange, exchange->request.client_address);
    dhcp_reply_end(&exchange->reply);
    note(exchange, "DHCPINFORM", NULL, exchange->request.client_address);
}

static void handle(struct exchange *exchange)
{
    switch (exchange->request.type) {
    case DHCP_DISCOVER:
        handle_discover(exchange);
        break;
    case DHCP_REQUEST:
        handle_request(exchange);
        break;
    case DHCP_DECLINE:
        handle_decline(exchange);
        break;
    case DHCP_RELEASE:
        handle_release(exchange);
        break;
    case DHCP_INFORM:
        handle_inform(exchange);
        break;
    case DHCP_OFFER:
    case DHCP_ACK:
    case DHCP_NAK:
        dhcp_counters.malformed++; /* a server's words */
        break;
    }
}

/* RFC 2131 4.1. */
static void choose_destination(const struct exchange *exchange, uint32_t *to,
                               uint16_t *port)
{
    const struct dhcp_request *request = &exchange->request;
    bool is_refusal = strcmp(exchange->event->what, "DHCPNAK") == 0;

    *port = DHCP_CLIENT_PORT;
    *to = BROADCAST;
    if (request->relay_address != 0) {
        *to = request->relay_address;
        *port = DHCP_SERVER_PORT;
    } else if (request->client_address != 0 && !is_refusal &&
               is_on_our_network(exchange, request->client_address)) {
        *to = request->client_address;
    }
}

size_t dhcp_server_answer(const struct dhcp_server *server,
                          const uint8_t *message, size_t length, uint64_t now_s,
                          uint8_t *reply, uint32_t *to, uint16_t *port,
                          struct dhcp_event *event)
{
    struct exchange exchange = {.server = server,
                                .message = message,
                                .now_s = now_s,
                                .reply = {.bytes = reply},
                                .event = event};

    memset(event, 0, sizeof(*event));
    if (!dhcp_message_parse(message, length, &exchange.request) ||
        (exchange.request.relay_address != 0 &&
         !is_on_our_network(&exchange, exchange.request.relay_address))) {
        dhcp_counters.malformed++;
        return 0;
    }
    memcpy(event->hardware, exchange.request.hardware, 6);
    identify(&exchange);
    handle(&exchange);
    if (exchange.reply.length != 0)
        choose_destination(&exchange, to, port);
    return exchange.reply.length;
}
