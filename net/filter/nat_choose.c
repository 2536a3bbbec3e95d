/* SPDX-License-Identifier: MIT */
/*
 * Which address and port a flow is translated to: the port it has if that is
 * free (RFC 4787 4.2.1 calls it preservation), else one from a keyed place on
 * (RFC 6056 3.3.3), and never one whose answers would be another flow's.
 */
#include "net/filter/nat.h"

#include "net/hash.h"

static struct hash_key key;

void nat_init(void)
{
    hash_key_generate(&key);
}

struct ports {
    uint32_t first;
    uint32_t count;
};

/* Linux's ranges: well-known ports stay well known. */
static struct ports usual_ports(uint16_t port)
{
    if (port < 512)
        return (struct ports){1, 511};
    if (port < 1024)
        return (struct ports){600, 424};
    return (struct ports){1024, 64512};
}

static bool has_ports(uint8_t protocol)
{
    return protocol == FLOW_TCP || protocol == FLOW_UDP ||
           protocol == FLOW_ICMP;
}

static uint16_t *port_of(struct flow_tuple *tuple, uint8_t protocol,
                         enum nat_side side)
{
    return side == NAT_SOURCE || protocol == FLOW_ICMP
               ? &tuple->source_port
               : &tuple->destination_port;
}

static bool is_free(const struct flow_tuple *tuple, uint8_t protocol,
                    uint32_t now)
{
    struct flow_tuple answer = flow_inverse(tuple, protocol);

    return !flow_is_taken(&answer, protocol, now);
}

static void choose_address(struct flow_tuple *tuple, enum nat_side side,
                           const struct nat_range *range)
{
    uint32_t *address =
        side == NAT_SOURCE ? &tuple->source : &tuple->destination;
    uint64_t count = (uint64_t)range->last - range->first + 1;
    uint64_t word = (uint64_t)tuple->source << 32;

    if (range->first == 0)
        return;
    if (!range->is_persistent)
        word |= tuple->destination;
    *address = range->first;
    if (count > 1)
        *address +=
            (uint32_t)((hash_words(&key, &word, 1) >> 32) * count >> 32);
}

static bool is_within(uint16_t port, const struct nat_range *range)
{
    return port >= range->port_first && port <= range->port_last;
}

/* Whether what the tuple has will do. */
static bool may_keep(const struct flow_tuple *tuple, uint16_t port,
                     uint8_t protocol, const struct nat_range *range,
                     uint32_t now)
{
    if (range->is_random)
        return false;
    if (range->port_first == 0)
        return is_free(tuple, protocol, now);
    return is_within(port, range) && (range->port_first == range->port_last ||
                                      is_free(tuple, protocol, now));
}

static uint64_t hash_of(const struct flow_tuple *tuple, uint8_t protocol)
{
    const uint64_t words[2] = {
        (uint64_t)tuple->source << 32 | tuple->destination,
        (uint64_t)tuple->source_port << 32 |
            (uint64_t)tuple->destination_port << 16 | protocol,
    };

    return hash_words(&key, words, 2);
}

/* Which ports there are for a tuple that cannot keep its own. */
static struct ports ports_for(uint16_t port, uint8_t protocol,
                              const struct nat_range *range)
{
    if (range->port_first != 0)
        return (struct ports){range->port_first, (uint32_t)range->port_last -
                                                     range->port_first + 1};
    if (protocol == FLOW_ICMP)
        return (struct ports){0, 65536}; /* identifiers */
    return usual_ports(port);
}

static bool search(struct flow_tuple *tuple, uint16_t *port, uint8_t protocol,
                   const struct ports *ports, uint64_t start, uint32_t now)
{
    for (uint32_t i = 0; i < ports->count && i < NAT_ATTEMPTS_MAX; i++) {
        *port = (uint16_t)(ports->first + (start + i) % ports->count);
        if (is_free(tuple, protocol, now))
            return true;
    }
    return false;
}

bool nat_choose(struct flow_tuple *tuple, uint8_t protocol, enum nat_side side,
                const struct nat_range *range, uint32_t now)
{
    const struct flow_tuple before = *tuple;
    uint16_t *port = port_of(tuple, protocol, side);
    struct ports ports;

    choose_address(tuple, side, range);
    if (!has_ports(protocol))
        return true; /* flow_insert refuses what is taken */
    if (may_keep(tuple, *port, protocol, range, now))
        return true;
    if (side == NAT_DESTINATION && range->port_first == 0)
        return true; /* where it goes is not ours to choose */
    ports = ports_for(*port, protocol, range);
    /* A destination's ports are taken from the first on, as on Linux. */
    if (search(tuple, port, protocol, &ports,
               side == NAT_SOURCE ? hash_of(&before, protocol) : 0, now))
        return true;
    return side == NAT_DESTINATION && ports.count == 1;
}
