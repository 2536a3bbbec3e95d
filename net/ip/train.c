/* SPDX-License-Identifier: MIT */
/*
 * Large packets that GRO made for others (net/link/gro_transit.c) and that are
 * for us after all, as a hook's translation or one of our other addresses has
 * it: cut behind INPUT, as if they had never been one.
 */
#include "net/ip/forward.h"
#include "net/link/segment.h"

/* GRO has summed each segment. */
static struct packet *next(struct packet *large, struct segment_cursor *cursor)
{
    struct packet *segment = segment_next(large, cursor);

    if (segment == NULL)
        return NULL;
    segment->checksum = PACKET_CHECKSUM_VERIFIED;
    packet_pull(segment,
                (size_t)(segment->transport_offset - segment->network_offset));
    return segment;
}

void ip_cut_train(struct packet *large,
                  void (*pass)(struct packet *packet, uint64_t now_ns),
                  uint64_t now_ns)
{
    struct segment_cursor cursor = {.done = 0};
    struct packet *segment;

    packet_push(large,
                (size_t)(large->transport_offset - large->network_offset));
    do {
        segment = next(large, &cursor);
        if (segment == NULL)
            packet_drop(large, DROP_NO_MEMORY);
        else if (packet_linearise(segment))
            pass(segment, now_ns);
        else
            packet_drop(segment, DROP_NO_MEMORY);
    } while (segment != NULL && segment != large);
}
