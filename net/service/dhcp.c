/* SPDX-License-Identifier: MIT */
/*
 * DHCP client (RFC 2131 4.4). The first acceptable offer is taken; its address
 * is probed for before it is used (RFC 5227) and declined when somebody has
 * it. A lease outlives its server and the link until it expires; a link that
 * comes back may lead to another network, so the lease is verified then (3.7).
 * Deliberately absent: INFORM, RELEASE, and a lease kept over a boot.
 */
#include "net/counter.h"
#include "net/service/dhcp.h"

#include "net/ip/route.h"
#include "net/link/acd.h"
#include "net/platform.h"
#include "net/service/dns.h"
#include "net/service/lease.h"
#include "net/timer.h"
#include "net/udp/udp.h"
#include "net/wire/dhcp.h"
#include "net/wire/ipv4.h"

#include <string.h>

struct client {
    struct timer timer;
    struct netif *netif;
    struct udp_socket *socket;
    enum dhcp_state state;
    unsigned attempts; /* messages sent in this state */
    uint32_t transaction;
    uint64_t started_ns; /* of this round, for the seconds field */
    uint64_t sent_ns;    /* of the last request: a lease counts from then */
    struct lease_times times;
    struct dhcp_reply reply; /* the offer, then the lease */
    struct be32 router;      /* of our default route; 0.0.0.0: there is none */
    char host[DHCP_HOST_SIZE];
};

static struct client clients[NETIF_MAX];

static struct {
    uint64_t sent[DHCP_DECLINE + 1]; /* by type */
    uint64_t offers;
    uint64_t acknowledgements;
    uint64_t refusals;
    uint64_t ignored;
    uint64_t expired;
} counters;

static void client_expire(struct timer *timer, uint64_t now_ns);

void dhcp_init(void)
{
    memset(clients, 0, sizeof(clients));
    memset(&counters, 0, sizeof(counters));
    for (size_t i = 0; i < NETIF_MAX; i++)
        clients[i].timer.expire = client_expire;
}

enum dhcp_state dhcp_state(const struct netif *netif)
{
    return clients[netif->index].state;
}

/* ---- messages out ------------------------------------------------------- */

static void send_message(struct client *client, enum dhcp_type type,
                         uint64_t now_ns)
{
    static const struct be32 broadcast = {{255, 255, 255, 255}};
    struct dhcp_request request = {
        .type = type,
        .transaction = client->transaction,
        .seconds = (uint16_t)((now_ns - client->started_ns) / NS_PER_S),
        /* We hear unicast without an address; who cannot send it so is asked
         * to broadcast every other time. */
        .wants_broadcast = (client->attempts & 1) != 0,
        .client_hardware = client->netif->address,
        .host = client->host,
    };
    struct udp_endpoint to = {ip_address_from_ipv4(broadcast),
                              DHCP_SERVER_PORT};
    uint8_t bytes[DHCP_SEND_MAX];

    if (client->state == DHCP_RENEWING || client->state == DHCP_REBINDING) {
        request.client_address = client->netif->ip.address;
        request.wants_broadcast = false;
        if (client->state == DHCP_RENEWING)
            to.address = ip_address_from_ipv4(client->reply.server);
    } else if (type != DHCP_DISCOVER) {
        request.requested_address = client->reply.your_address;
        if (client->state != DHCP_REBOOTING)
            request.server = client->reply.server;
    }
    client->attempts++;
    if (udp_send(client->socket, &to, bytes, dhcp_build(bytes, &request),
                 now_ns) >= 0) /* else counted there; it is repeated anyway */
        counters.sent[type]++;
}

static uint64_t with_jitter(uint64_t wait_ns)
{
    uint32_t random;

    platform_random(&random, sizeof(random));
    return wait_ns - wait_ns / 4 + random % (wait_ns / 2);
}

/* RFC 2131 4.1: doubled each time. */
static uint64_t retry_wait_ns(const struct client *client)
{
    uint64_t wait_ns = DHCP_RETRY_FIRST_NS;

    for (unsigned i = 1; i < client->attempts && wait_ns < DHCP_RETRY_MAX_NS;
         i++)
        wait_ns *= 2;
    return with_jitter(wait_ns);
}

static void set_state(struct client *client, enum dhcp_state state)
{
    client->state = state;
    client->attempts = 0;
}

static void new_transaction(struct client *client, uint64_t now_ns)
{
    platform_random(&client->transaction, sizeof(client->transaction));
    client->started_ns = now_ns;
}

static void discover(struct client *client, uint64_t now_ns)
{
    if (client->state != DHCP_SELECTING) {
        set_state(client, DHCP_SELECTING);
        new_transaction(client, now_ns);
    }
    send_message(client, DHCP_DISCOVER, now_ns);
    timer_set(&client->timer, now_ns + retry_wait_ns(client));
}

/* Begins anew, after a while. */
static void restart(struct client *client, uint64_t wait_ns, uint64_t now_ns)
{
    set_state(client, DHCP_INIT);
    timer_set(&client->timer, now_ns + wait_ns);
}

static void request(struct client *client, uint64_t now_ns)
{
    client->sent_ns = now_ns;
    send_message(client, DHCP_REQUEST, now_ns);
    timer_set(&client->timer, now_ns + retry_wait_ns(client));
}

/* ---- the lease ---------------------------------------------------------- */

static void take_servers(struct client *client)
{
    const struct dhcp_reply *reply = &client->reply;
    struct ip_address servers[DHCP_LIST_MAX];

    for (size_t i = 0; i < reply->dns_count; i++)
        servers[i] = ip_address_from_ipv4(reply->dns[i]);
    dns_set_servers(client->netif, servers, reply->dns_count);
}

static void configure(struct client *client, uint64_t now_ns)
{
    const struct dhcp_reply *reply = &client->reply;
    struct netif *netif = client->netif;
    char address[IPV4_TEXT_SIZE];
    char server[IPV4_TEXT_SIZE];

    ip_configure(netif, reply->your_address, lease_prefix_length(reply),
                 now_ns);
    client->router = be32_from(0);
    platform_log(
        PLATFORM_INFO, netif->name, "address %s/%u from %s, lease %u s",
        ipv4_format(reply->your_address, address), lease_prefix_length(reply),
        ipv4_format(reply->server, server), (unsigned)reply->lease_s);
}

static void take_router(struct client *client)
{
    struct netif *netif = client->netif;
    struct be32 router = client->reply.routers[0];

    if (!ipv4_is_unicast(router)) /* there may be none: 0.0.0.0 */
        router = be32_from(0);
    if (be32_equal(router, client->router))
        return;
    client->router = router;
    ip_route_remove_default(netif);
    if (be32_get(router) != 0 &&
        ip_route_add(be32_from(0), 0, router, netif) != 0)
        platform_log(PLATFORM_ERROR, netif->name, "no room for its router");
}

static void enter_bound(struct client *client, uint64_t now_ns)
{
    struct netif *netif = client->netif;
    const struct dhcp_reply *reply = &client->reply;

    set_state(client, DHCP_BOUND);
    if (!be32_equal(netif->ip.address, reply->your_address) ||
        !be32_equal(netif->ip.netmask,
                    ipv4_netmask(lease_prefix_length(reply))))
        configure(client, now_ns);
    take_router(client);
    take_servers(client);
    timer_set(&client->timer, client->times.t1_ns);
}

static void lose(struct client *client, const char *why)
{
    platform_log(PLATFORM_WARN, client->netif->name, "address lost: %s", why);
    ip_deconfigure(client->netif);
    dns_set_servers(client->netif, NULL, 0);
}

static void decline(struct client *client, uint64_t now_ns)
{
    char address[IPV4_TEXT_SIZE];

    platform_log(PLATFORM_WARN, client->netif->name, "%s declined",
                 ipv4_format(client->reply.your_address, address));
    set_state(client, DHCP_REQUESTING);
    new_transaction(client, now_ns);
    send_message(client, DHCP_DECLINE, now_ns);
    restart(client, DHCP_DECLINE_WAIT_NS, now_ns);
}

static void probed(struct netif *netif, struct be32 address, bool is_free,
                   uint64_t now_ns)
{
    struct client *client = &clients[netif->index];

    (void)address;
    if (client->state != DHCP_PROBING)
        return;
    if (is_free)
        enter_bound(client, now_ns);
    else
        decline(client, now_ns);
}

/* ---- time --------------------------------------------------------------- */

/* Asks again at half of what is left, but not too often, and in time for the
 * end of the state. */
static void renew(struct client *client, uint64_t end_ns, uint64_t now_ns)
{
    uint64_t wait_ns = (end_ns - now_ns) / 2;

    if (wait_ns < DHCP_RENEW_MIN_NS)
        wait_ns = DHCP_RENEW_MIN_NS;
    if (wait_ns > end_ns - now_ns)
        wait_ns = end_ns - now_ns;
    client->sent_ns = now_ns;
    send_message(client, DHCP_REQUEST, now_ns);
    timer_set(&client->timer, now_ns + wait_ns);
}

/* Asks whether the lease is good, and again; not beyond its end. */
static void verify(struct client *client, uint64_t now_ns)
{
    request(client, now_ns);
    if (client->timer.deadline_ns > client->times.expires_ns)
        timer_set(&client->timer, client->times.expires_ns);
}

static void client_expire(struct timer *timer, uint64_t now_ns)
{
    struct client *client = container_of(timer, struct client, timer);

    switch (client->state) {
    case DHCP_STOPPED:
    case DHCP_PROBING:
        return;
    case DHCP_INIT:
    case DHCP_SELECTING:
        discover(client, now_ns);
        return;
    case DHCP_REQUESTING:
        if (client->attempts < DHCP_REQUESTS)
            request(client, now_ns);
        else
            discover(client, now_ns);
        return;
    case DHCP_REBOOTING:
        if (client->attempts < DHCP_REQUESTS &&
            now_ns < client->times.expires_ns) {
            verify(client, now_ns);
            return;
        }
        /* Nobody knows: it is good while it lasts. */
        set_state(client, DHCP_BOUND);
        timer_set(&client->timer, client->times.t1_ns);
        return;
    case DHCP_BOUND:
        set_state(client, DHCP_RENEWING);
        new_transaction(client, now_ns);
        /* fall through */
    case DHCP_RENEWING:
        if (now_ns < client->times.t2_ns) {
            renew(client, client->times.t2_ns, now_ns);
            return;
        }
        set_state(client, DHCP_REBINDING);
        /* fall through */
    case DHCP_REBINDING:
        if (now_ns < client->times.expires_ns) {
            renew(client, client->times.expires_ns, now_ns);
            return;
        }
        counters.expired++;
        lose(client, "the lease has expired");
        discover(client, now_ns);
        return;
    }
}

/* ---- messages in -------------------------------------------------------- */

static void receive_offer(struct client *client, const struct dhcp_reply *reply,
                          uint64_t now_ns)
{
    if (client->state != DHCP_SELECTING || !reply->has_server ||
        !lease_is_usable(reply)) {
        counters.ignored++;
        return;
    }
    counters.offers++;
    client->reply = *reply;
    set_state(client, DHCP_REQUESTING);
    request(client, now_ns);
}

static void receive_acknowledgement(struct client *client,
                                    const struct dhcp_reply *reply,
                                    uint64_t now_ns)
{
    bool is_new = client->state == DHCP_REQUESTING;
    bool is_asked_for =
        be32_equal(reply->your_address, client->reply.your_address);

    if (!reply->has_lease || !reply->has_server ||
        (is_new && !be32_equal(reply->server, client->reply.server)) ||
        ((is_new || client->state == DHCP_REBOOTING) && !is_asked_for)) {
        counters.ignored++;
        return;
    }
    counters.acknowledgements++;
    client->reply = *reply;
    if (!lease_is_usable(reply)) {
        if (!is_new)
            lose(client, "it is not usable any more");
        decline(client, now_ns);
        return;
    }
    lease_compute_times(reply, client->sent_ns, &client->times);
    if (!is_new) {
        enter_bound(client, now_ns);
        return;
    }
    set_state(client, DHCP_PROBING);
    timer_cancel(&client->timer);
    acd_probe(client->netif, reply->your_address, true, probed, now_ns);
}

static void receive_refusal(struct client *client,
                            const struct dhcp_reply *reply, uint64_t now_ns)
{
    /* Only by whom we asked, if it was not anybody. */
    if (client->state < DHCP_REBINDING &&
        (!reply->has_server ||
         !be32_equal(reply->server, client->reply.server))) {
        counters.ignored++;
        return;
    }
    counters.refusals++;
    if (client->state != DHCP_REQUESTING)
        lose(client, "the server refuses it");
    restart(client, with_jitter(NS_PER_S), now_ns);
}

static void receive(struct client *client, const struct dhcp_reply *reply,
                    uint64_t now_ns)
{
    bool awaits_answer =
        client->state == DHCP_REQUESTING || client->state > DHCP_BOUND;

    if (reply->transaction != client->transaction ||
        !ethernet_address_equal(&reply->client_hardware,
                                &client->netif->address))
        counters.ignored++;
    else if (reply->type == DHCP_OFFER)
        receive_offer(client, reply, now_ns);
    else if (reply->type == DHCP_ACK && awaits_answer)
        receive_acknowledgement(client, reply, now_ns);
    else if (reply->type == DHCP_NAK && awaits_answer)
        receive_refusal(client, reply, now_ns);
    else
        counters.ignored++;
}

static void socket_ready(void *owner, uint32_t ready)
{
    static uint8_t bytes[DHCP_RECEIVE_MAX];
    struct client *client = owner;
    struct udp_endpoint from;

    (void)ready;
    for (;;) {
        uint64_t now_ns = udp_read_time_ns(client->socket);
        int length =
            udp_read(client->socket, bytes, sizeof(bytes), 0, &from, NULL);
        struct dhcp_reply reply;

        if (length < 0)
            return;
        if (from.port != DHCP_SERVER_PORT || (size_t)length > sizeof(bytes) ||
            !dhcp_parse(bytes, (size_t)length, &reply))
            counters.ignored++;
        else
            receive(client, &reply, now_ns);
    }
}

/* ---- start -------------------------------------------------------------- */

void dhcp_start(struct netif *netif, const char *host, uint64_t now_ns)
{
    static const struct udp_endpoint local = {.port = DHCP_CLIENT_PORT};
    struct client *client = &clients[netif->index];

    client->netif = netif;
    if (strlen(host) < sizeof(client->host))
        memcpy(client->host, host, strlen(host) + 1);
    if (udp_open(client, socket_ready, &client->socket) != 0) {
        platform_log(PLATFORM_ERROR, netif->name, "no socket for DHCP");
        return;
    }
    udp_bind_netif(client->socket, netif);
    if (udp_set_option(client->socket, UDP_OPTION_BROADCAST, 1) != 0 ||
        udp_bind(client->socket, &local) != 0) {
        platform_log(PLATFORM_ERROR, netif->name, "DHCP's port is taken");
        udp_close(client->socket);
        return;
    }
    netif->has_dhcp_client = true; /* filter/ lets its answers in */
    set_state(client, DHCP_INIT);
    if (netif->link_up)
        discover(client, now_ns);
}

void dhcp_link_changed(struct netif *netif, uint64_t now_ns)
{
    struct client *client = &clients[netif->index];

    if (client->state == DHCP_STOPPED)
        return;
    if (client->state >= DHCP_BOUND) {
        if (!netif->link_up)
            return;
        set_state(client, DHCP_REBOOTING);
        new_transaction(client, now_ns);
        verify(client, now_ns);
        return;
    }
    set_state(client, DHCP_INIT);
    if (netif->link_up)
        discover(client, now_ns);
    else
        timer_cancel(&client->timer);
}

static const struct counter shown[] = {
    {"dhcp_discovers_total", &counters.sent[DHCP_DISCOVER],
     "DHCP discover messages sent"},
    {"dhcp_requests_total", &counters.sent[DHCP_REQUEST],
     "DHCP request messages sent"},
    {"dhcp_declines_total", &counters.sent[DHCP_DECLINE],
     "addresses given by DHCP that somebody had"},
    {"dhcp_offers_total", &counters.offers, "DHCP offers accepted"},
    {"dhcp_acknowledgements_total", &counters.acknowledgements,
     "DHCP leases given or renewed"},
    {"dhcp_refusals_total", &counters.refusals, "DHCP requests refused"},
    {"dhcp_ignored_total", &counters.ignored,
     "DHCP messages malformed, unexpected or not for us"},
    {"dhcp_expired_total", &counters.expired, "DHCP leases that expired"},
};

void dhcp_visit_counters(void (*visit)(void *context, const char *name,
                                       uint64_t value, const char *help),
                         void *context)
{
    counters_visit(shown, ARRAY_COUNT(shown), visit, context);
}
