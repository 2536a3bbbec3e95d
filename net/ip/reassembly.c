/* SPDX-License-Identifier: MIT */
/*
 * Reassembly (RFC 791 3.2, RFC 1122 3.3.2, RFC 815, RFC 3168 5.3). Pieces are
 * copied into buffers at their place and their packets freed, so that what a
 * datagram holds is what it is long, however it was cut. The exact pieces are
 * kept in order: one that came before is ignored, one that overlaps kills the
 * datagram (RFC 5722), and it stays dead until its time is over. Memory is
 * bounded by buffers, by datagrams, by datagrams of one source and by pieces.
 */
#include "net/ip/reassembly.h"

#include "net/ip/icmp.h"
#include "net/ip/input.h"
#include "net/platform.h"
#include "net/timer.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <string.h>

struct piece {
    uint16_t start;
    uint16_t end; /* one past the last byte */
};

struct datagram {
    struct timer timer;
    struct be32 source;
    struct be32 destination;
    struct be16 identification;
    uint8_t protocol;
    uint8_t marks; /* bit N: a piece's ECN field was N */
    bool is_used;
    bool is_dead;
    bool has_last;
    bool is_broadcast;
    bool is_looped;
    struct netif *netif;
    uint64_t started_ns;
    uint32_t length; /* of the payload, once the last piece is here */
    uint32_t received;
    uint32_t sum; /* of the payload; pieces begin at even places */
    uint32_t piece_count;
    uint32_t header_length; /* 0: the first piece is not here */
    uint16_t largest;       /* piece, with its header */
    uint16_t largest_whole; /* of those that must not be cut (DF) */
    uint8_t header[IPV4_HEADER_MAX];
    struct piece pieces[REASSEMBLY_PIECES_MAX];
    /* The first leaves PACKET_HEADROOM free for headers. */
    uint8_t *buffers[REASSEMBLY_BUFFERS];
};

enum {
    MARKED = 1 << 3,            /* congestion experienced */
    MARKS_AT_ODDS = MARKED | 1, /* and not capable of it */
};

_Static_assert(PACKET_HEADROOM + REASSEMBLY_FIRST_BYTES +
                       PACKET_FRAGMENTS_MAX * sizeof(struct packet_fragment) <=
                   BUFFER_SIZE,
               "the first buffer holds the descriptions of the others");
_Static_assert(REASSEMBLY_FIRST_BYTES +
                       (REASSEMBLY_BUFFERS - 1) * BUFFER_SIZE >=
                   IPV4_TOTAL_MAX - IPV4_HEADER_LENGTH,
               "the largest datagram fits");
_Static_assert(REASSEMBLY_BUFFERS - 1 <= PACKET_FRAGMENTS_MAX,
               "and one packet can describe it");

static struct {
    struct datagram datagrams[REASSEMBLY_MAX];
    size_t count;
    size_t buffers;
    size_t buffers_limit;
} reassembly;

static void reassembly_expire(struct timer *timer, uint64_t now_ns);

void reassembly_init(void)
{
    size_t limit = buffer_count_total() / REASSEMBLY_POOL_DIVISOR;

    memset(&reassembly, 0, sizeof(reassembly));
    for (size_t i = 0; i < REASSEMBLY_MAX; i++)
        reassembly.datagrams[i].timer.expire = reassembly_expire;
    if (limit > REASSEMBLY_BYTES_MAX / BUFFER_SIZE)
        limit = REASSEMBLY_BYTES_MAX / BUFFER_SIZE;
    reassembly.buffers_limit = limit;
}

size_t reassembly_count(void)
{
    return reassembly.count;
}

size_t reassembly_buffers(void)
{
    return reassembly.buffers;
}

/* ---- datagrams ----------------------------------------------------------- */

static void release_buffers(struct datagram *d)
{
    for (size_t i = 0; i < REASSEMBLY_BUFFERS; i++) {
        if (d->buffers[i] == NULL)
            continue;
        buffer_release(d->buffers[i]);
        d->buffers[i] = NULL;
        reassembly.buffers--;
    }
}

static void forget(struct datagram *d)
{
    release_buffers(d);
    timer_cancel(&d->timer);
    d->is_used = false;
    reassembly.count--;
}

/* Its memory goes, its name stays: pieces still on their way belong to it. */
static void kill(struct datagram *d)
{
    release_buffers(d);
    if (!d->is_dead)
        ip_counters.reassembly_failed++;
    d->is_dead = true;
}

static void reassembly_expire(struct timer *timer, uint64_t now_ns)
{
    struct datagram *d = container_of(timer, struct datagram, timer);

    if (!d->is_dead) {
        ip_counters.reassembly_failed++;
        /* RFC 1122 3.3.2: only who sent the first piece is told. */
        if (d->header_length != 0) {
            uint8_t quote[IPV4_HEADER_MAX + ICMP_QUOTE_MIN];

            memcpy(quote, d->header, d->header_length);
            memcpy(quote + d->header_length, d->buffers[0] + PACKET_HEADROOM,
                   ICMP_QUOTE_MIN);
            icmp_send_time_exceeded(quote, d->header_length + ICMP_QUOTE_MIN,
                                    d->is_broadcast, now_ns);
        }
    }
    forget(d);
}

static struct datagram *find(const struct ipv4_header *header)
{
    for (size_t i = 0; i < REASSEMBLY_MAX; i++) {
        struct datagram *d = &reassembly.datagrams[i];

        if (d->is_used &&
            be16_equal(d->identification, header->identification) &&
            be32_equal(d->source, header->source) &&
            be32_equal(d->destination, header->destination) &&
            d->protocol == header->protocol)
            return d;
    }
    return NULL;
}

/* Dead ones first, then the oldest. */
static struct datagram *find_victim(const struct datagram *keep)
{
    struct datagram *victim = NULL;

    for (size_t i = 0; i < REASSEMBLY_MAX; i++) {
        struct datagram *d = &reassembly.datagrams[i];

        if (!d->is_used || d == keep)
            continue;
        if (victim == NULL || (d->is_dead && !victim->is_dead) ||
            (d->is_dead == victim->is_dead &&
             d->started_ns < victim->started_ns))
            victim = d;
    }
    return victim;
}

static size_t count_of_source(struct be32 source)
{
    size_t count = 0;

    for (size_t i = 0; i < REASSEMBLY_MAX; i++)
        if (reassembly.datagrams[i].is_used &&
            be32_equal(reassembly.datagrams[i].source, source))
            count++;
    return count;
}

static struct datagram *create(const struct ipv4_header *header,
                               const struct packet *packet, uint64_t now_ns)
{
    struct datagram *d = NULL;

    if (count_of_source(header->source) >= REASSEMBLY_PER_SOURCE)
        return NULL;
    if (reassembly.count == REASSEMBLY_MAX) {
        d = find_victim(NULL);
        kill(d);
        forget(d);
    }
    for (size_t i = 0; i < REASSEMBLY_MAX; i++)
        if (!reassembly.datagrams[i].is_used)
            d = &reassembly.datagrams[i];
    memset(&d->source, 0, sizeof(*d) - offsetof(struct datagram, source));
    d->source = header->source;
    d->destination = header->destination;
    d->identification = header->identification;
    d->protocol = header->protocol;
    d->is_used = true;
    d->is_broadcast = packet->is_broadcast;
    d->is_looped = packet->is_looped;
    d->netif = packet->netif;
    d->started_ns = now_ns;
    timer_set(&d->timer, now_ns + REASSEMBLY_TIMEOUT_NS);
    reassembly.count++;
    return d;
}

/* ---- pieces -------------------------------------------------------------- */

/* Where the byte at `offset` lies: which buffer, and where in it. */
static size_t place(uint32_t offset, size_t *within, size_t *room)
{
    if (offset < REASSEMBLY_FIRST_BYTES) {
        *within = PACKET_HEADROOM + offset;
        *room = REASSEMBLY_FIRST_BYTES - offset;
        return 0;
    }
    offset -= REASSEMBLY_FIRST_BYTES;
    *within = offset % BUFFER_SIZE;
    *room = BUFFER_SIZE - *within;
    return 1 + offset / BUFFER_SIZE;
}

static bool take_buffer(struct datagram *d, size_t index)
{
    while (reassembly.buffers >= reassembly.buffers_limit) {
        struct datagram *victim = find_victim(d);

        if (victim == NULL)
            return false;
        kill(victim);
        forget(victim);
    }
    d->buffers[index] = buffer_alloc();
    if (d->buffers[index] == NULL)
        return false;
    reassembly.buffers++;
    return true;
}

static bool copy_in(struct datagram *d, uint32_t offset, const uint8_t *bytes,
                    size_t length)
{
    while (length != 0) {
        size_t within;
        size_t room;
        size_t index = place(offset, &within, &room);

        if (room > length)
            room = length;
        if (d->buffers[index] == NULL && !take_buffer(d, index))
            return false;
        memcpy(d->buffers[index] + within, bytes, room);
        bytes += room;
        length -= room;
        offset += (uint32_t)room;
    }
    return true;
}

/* The place of a piece among those that are here, by binary search: how many
 * begin before `start`. */
static size_t find_place(const struct datagram *d, uint32_t start)
{
    size_t low = 0;
    size_t high = d->piece_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (d->pieces[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum drop_reason insert_piece(struct datagram *d, uint32_t start,
                                     uint32_t end, bool *is_duplicate)
{
    size_t at = find_place(d, start);

    *is_duplicate = at < d->piece_count && d->pieces[at].start == start &&
                    d->pieces[at].end == end;
    if (*is_duplicate)
        return DROP_NONE;
    if ((at > 0 && d->pieces[at - 1].end > start) ||
        (at < d->piece_count && d->pieces[at].start < end))
        return DROP_FRAGMENT_OVERLAP;
    if (d->piece_count == REASSEMBLY_PIECES_MAX)
        return DROP_FRAGMENT_LIMIT;
    memmove(&d->pieces[at + 1], &d->pieces[at],
            (d->piece_count - at) * sizeof(d->pieces[0]));
    d->pieces[at] = (struct piece){(uint16_t)start, (uint16_t)end};
    d->piece_count++;
    d->received += end - start;
    return DROP_NONE;
}

/* What must hold for any piece: RFC 791, RFC 1858, RFC 3128. */
static bool is_well_formed(const struct packet *packet,
                           const struct ipv4_header *header)
{
    uint32_t field = be16_get(header->fragment);
    uint32_t start = (field & IPV4_FRAGMENT_OFFSET) * IPV4_FRAGMENT_UNIT;
    bool is_last = (field & IPV4_MORE_FRAGMENTS) == 0;
    size_t room = IPV4_TOTAL_MAX - ipv4_header_length(header);
    size_t first_min = ICMP_QUOTE_MIN;

    if (packet->length == 0 || start > room || packet->length > room - start)
        return false;
    if (!is_last && packet->length % IPV4_FRAGMENT_UNIT != 0)
        return false;
    if (header->protocol == IP_PROTOCOL_TCP) {
        first_min = IPV4_HEADER_LENGTH; /* as long as TCP's */
        if (start == IPV4_FRAGMENT_UNIT)
            return false; /* it would hold TCP's flags */
    }
    return start != 0 || packet->length >= first_min;
}

/* The ends agree: one last piece, and nothing beyond it. */
static bool agrees_on_end(struct datagram *d, uint32_t end, bool is_last)
{
    if (d->has_last)
        return is_last ? end == d->length : end <= d->length;
    if (!is_last)
        return true;
    if (d->piece_count != 0 && d->pieces[d->piece_count - 1].end > end)
        return false;
    d->has_last = true;
    d->length = end;
    return true;
}

/* Before it is cut again, nothing may be larger than it came (RFC 791 3.2:
 * what must not be cut stays so; as on Linux). */
static void note_size(struct datagram *d, const struct ipv4_header *header)
{
    uint16_t size = be16_get(header->total_length);

    if (size > d->largest)
        d->largest = size;
    if ((be16_get(header->fragment) & IPV4_DONT_FRAGMENT) != 0 &&
        size > d->largest_whole)
        d->largest_whole = size;
}

static enum drop_reason add(struct datagram *d, const struct packet *packet,
                            const struct ipv4_header *header)
{
    uint32_t field = be16_get(header->fragment);
    uint32_t start = (field & IPV4_FRAGMENT_OFFSET) * IPV4_FRAGMENT_UNIT;
    uint32_t end = start + packet->length;
    enum drop_reason reason;
    bool is_duplicate;

    if (!agrees_on_end(d, end, (field & IPV4_MORE_FRAGMENTS) == 0))
        return DROP_FRAGMENT_OVERLAP;
    reason = insert_piece(d, start, end, &is_duplicate);
    if (reason != DROP_NONE || is_duplicate)
        return reason;
    if (!copy_in(d, start, packet->data, packet->length))
        return DROP_FRAGMENT_LIMIT;
    d->sum = checksum_add(d->sum, packet->data, packet->length);
    /* RFC 3168 5.3: congestion that cannot be told is a loss. */
    d->marks |= (uint8_t)(1U << (header->tos & 3));
    note_size(d, header);
    if ((d->marks & MARKS_AT_ODDS) == MARKS_AT_ODDS)
        return DROP_FRAGMENT_MALFORMED;
    if (start == 0) {
        d->header_length = (uint32_t)ipv4_header_length(header);
        memcpy(d->header, header, d->header_length);
    }
    return DROP_NONE;
}

/* ---- the whole ------------------------------------------------------------
 */

/* The transport's checksum, which was summed as the pieces came. */
static bool is_intact(const struct datagram *d)
{
    uint32_t sum = checksum_add_32(d->sum, be32_get(d->source));

    if (d->protocol != IP_PROTOCOL_UDP && d->protocol != IP_PROTOCOL_TCP)
        return false; /* not known */
    sum = checksum_add_32(sum, be32_get(d->destination));
    return checksum_is_valid(checksum_add_32(sum, d->length + d->protocol));
}

/* All pieces are here: the first buffer becomes the packet, the others its
 * fragments, or its tail if all fits one buffer (TCP wants it so). */
static struct packet *finish(struct datagram *d, uint64_t now_ns)
{
    uint32_t first =
        d->length < REASSEMBLY_FIRST_BYTES ? d->length : REASSEMBLY_FIRST_BYTES;
    uint32_t left = d->length - first;
    struct packet *packet = packet_alloc_around(d->buffers[0], PACKET_HEADROOM);
    struct ipv4_header *header;

    d->buffers[0] = NULL;
    reassembly.buffers--;
    packet->length = first;
    for (size_t i = 1; left != 0; i++) {
        uint32_t length = left < BUFFER_SIZE ? left : BUFFER_SIZE;

        packet_add_fragment(packet, d->buffers[i], length, LOAN_NONE);
        left -= length;
    }
    if (packet->fragment_count != 0 && !packet_linearise(packet))
        ASSERT(d->length > BUFFER_SIZE - PACKET_HEADROOM);
    header = (void *)(packet->data - d->header_length);
    memcpy(header, d->header, d->header_length);
    if ((d->marks & MARKED) != 0)
        header->tos |= 3;
    header->fragment = be16_from(0);
    if (d->largest == d->largest_whole) {
        header->fragment = be16_from(IPV4_DONT_FRAGMENT);
        packet->joined_size = d->largest;
    }
    header->total_length = be16_from((uint16_t)(d->header_length + d->length));
    header->checksum = be16_from(0);
    header->checksum =
        checksum_finish(checksum_add(0, header, d->header_length));
    packet->network_offset =
        (uint16_t)(packet_headroom(packet) - d->header_length);
    packet->netif = d->netif;
    packet->time_ns = now_ns;
    packet->protocol = d->protocol;
    packet->is_broadcast = d->is_broadcast;
    packet->is_looped = d->is_looped;
    if (is_intact(d))
        packet->checksum = PACKET_CHECKSUM_VERIFIED;
    ip_counters.reassembly_done++;
    forget(d);
    return packet;
}

struct packet *reassembly_receive(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = packet_network_header(packet);
    enum drop_reason reason;
    struct datagram *d;

    ip_counters.reassembly_required++;
    d = find(header);
    if (!is_well_formed(packet, header)) {
        if (d != NULL)
            kill(d);
        packet_drop(packet, DROP_FRAGMENT_MALFORMED);
        return NULL;
    }
    if (d == NULL)
        d = create(header, packet, now_ns);
    if (d == NULL || d->is_dead) {
        packet_drop(packet,
                    d == NULL ? DROP_FRAGMENT_LIMIT : DROP_FRAGMENT_OVERLAP);
        return NULL;
    }
    reason = add(d, packet, header);
    if (reason != DROP_NONE) {
        kill(d);
        packet_drop(packet, reason);
        return NULL;
    }
    packet_free(packet);
    if (!d->has_last || d->received != d->length || d->header_length == 0)
        return NULL;
    return finish(d, now_ns);
}
