/* SPDX-License-Identifier: MIT */
/*
 * The world of host_world.h, and its half of net/platform.h.
 */
#include "tests/bench/host_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

uint64_t world_ns;
struct end ends[2];

static struct end *current;
static uint64_t random_state;

/* Compiled with the image's flags, the stacks look here. */
extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard = 0x5b1e00aa;

_Noreturn void fail(const char *text)
{
    fprintf(stderr, "bench: %s\n", text);
    exit(1);
}

void world_copy(void *to, const void *from, size_t length)
{
    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(length)
                     :
                     : "memory");
}

/* ---- the cable ------------------------------------------------------------
 */

static void put_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get_16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void gather(const struct packet *packet, size_t from, size_t length,
                   uint8_t *to)
{
    for (size_t i = 0; i < packet->fragment_count && length != 0; i++) {
        const struct packet_fragment *at = &packet_fragments(packet)[i];
        if (from >= at->length) {
            from -= at->length;
            continue;
        }
        size_t part = at->length - from < length ? at->length - from : length;
        world_copy(to, at->data + from, part);
        to += part;
        length -= part;
        from = 0;
    }
}

/* One segment of a large send, as a card makes it. */
static size_t cut_segment(struct end *from, const struct packet *packet,
                          uint8_t *frame)
{
    uint32_t headers = packet->length;
    uint32_t left = packet->fragments_length - from->offset;
    uint32_t length = left < packet->segment_size ? left : packet->segment_size;
    uint8_t *ip = frame + 14;
    uint8_t *tcp = ip + 4 * (ip[0] & 15);
    uint32_t sum = 0;

    world_copy(frame, packet->data, headers);
    tcp = ip + 4 * (ip[0] & 15);
    gather(packet, from->offset, length, frame + headers);
    uint32_t seq = get_16(tcp + 4) << 16 | get_16(tcp + 6);
    seq += from->offset;
    put_16(tcp + 4, seq >> 16);
    put_16(tcp + 6, seq);
    put_16(ip + 2, headers - 14 + length);
    from->offset += length;
    if (from->offset == packet->fragments_length)
        from->offset = 0;
    else
        tcp[13] &= (uint8_t)~9U; /* FIN and PSH: the last one's */
    put_16(ip + 10, 0);
    for (size_t i = 0; i < 20; i += 2)
        sum += get_16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    put_16(ip + 10, ~((sum & 0xffff) + (sum >> 16)));
    return headers + length;
}

static size_t take_frame(struct end *from, uint8_t *frame)
{
    const struct packet *packet = from->sent[from->sent_first % END_RING];
    size_t length = packet_total_length(packet);

    if (packet->segment_size != 0 &&
        packet->fragments_length > packet->segment_size) {
        length = cut_segment(from, packet, frame);
        from->sent_first += from->offset == 0;
        return length;
    }
    world_copy(frame, packet->data, packet->length);
    gather(packet, 0, packet->fragments_length, frame + packet->length);
    from->sent_first++;
    return length;
}

/* ---- the card -------------------------------------------------------------
 */

static void transmit(struct netif *netif, struct packet *packet)
{
    struct end *end = netif->driver;

    if (end->sent_end - end->sent_free == END_RING)
        fail("a full ring");
    end->sent[end->sent_end++ % END_RING] = packet;
    if (end->sent_end - end->sent_free == END_RING)
        netif->transmit_stopped = true;
}

static void kick(struct netif *netif)
{
    struct end *end = netif->driver;

    if (end->other == NULL)
        end->sent_first = end->sent_end;
}

static void reclaim(struct end *end)
{
    while (end->sent_free != end->sent_first)
        end->call->packet_free(end->sent[end->sent_free++ % END_RING]);
    if (end->netif.transmit_stopped)
        end->call->netif_transmit_resume(&end->netif);
}

static bool has_frame(const struct end *end)
{
    return end->other != NULL && end->other->sent_first != end->other->sent_end;
}

/* As drivers have it, a finished transmit alone is worth an interrupt only
 * while the ring is full; else it is found at the next frame. */
static bool is_interrupted(const struct end *end)
{
    return has_frame(end) ||
           (end->netif.transmit_stopped && end->sent_free != end->sent_first);
}

/* The next frame for this end, made or sent; 0: there is none. */
static size_t next_frame(struct end *end, uint8_t *frame)
{
    size_t length = end->generate != NULL ? end->generate(end, frame) : 0;

    if (length == 0 && has_frame(end))
        length = take_frame(end->other, frame);
    return length;
}

static size_t poll(struct netif *netif, size_t budget)
{
    struct end *end = netif->driver;
    size_t count = 0;

    reclaim(end);
    while (count < budget && count < end->batch &&
           (end->generate != NULL || has_frame(end))) {
        struct packet *packet =
            end->call->packet_alloc(PACKET_RECEIVE_HEADROOM);
        if (packet == NULL)
            fail("no packet to receive into");
        size_t length = next_frame(end, packet->data);
        if (length == 0) {
            end->call->packet_free(packet);
            break;
        }
        packet->length = (uint32_t)length;
        packet->time_ns = world_ns;
        if (end->is_verified)
            packet->checksum = PACKET_CHECKSUM_VERIFIED;
        end->frames++;
        end->call->netif_receive(netif, packet);
        count++;
    }
    return count;
}

static const struct netif_operations operations = {
    .transmit = transmit, .kick = kick, .poll = poll};

/* ---- the ends -------------------------------------------------------------
 */

static void end_start(struct end *end, size_t memory_size, uint32_t features)
{
    static const char *const words[2] = {"10.0.0.1/24::10.0.0.2::a:eth0:none",
                                         "10.0.0.2/24::10.0.0.1::b:eth0:none"};
    size_t number = (size_t)(end - ends);

    current = end;
    end->call = number == 0 ? &stack_functions : &peer_stack_functions;
    end->memory_size = memory_size;
    end->memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    /* The image's RAM is mapped by large pages. */
    (void)madvise(end->memory, memory_size, MADV_HUGEPAGE);
    if (end->memory == MAP_FAILED || end->call->net_init(world_ns) != 0)
        fail("net_init");
    end->netif = (struct netif){
        .operations = &operations,
        .driver = end,
        .address = {{2, 0, 0, 0, 0, (uint8_t)(number + 1)}},
        .features = features,
        .mtu = 1500,
        .link_up = true,
    };
    if (end->call->netif_register(&end->netif) != 0 ||
        end->call->net_configure_ip(words[number]) != 0)
        fail("netif_register");
    end->call->net_start(world_ns);
    end_leave(end);
}

void ends_start(size_t memory_size, uint32_t features, uint32_t batch)
{
    world_ns = 1000 * NS_PER_S;
    random_state = 1;
    for (size_t i = 0; i < 2; i++) {
        ends[i] = (struct end){
            .other = &ends[1 - i],
            .batch = batch,
            .is_verified = (features & NETIF_RX_CHECKSUM) != 0,
        };
        end_start(&ends[i], memory_size, features);
    }
    ends_wait(10 * NS_PER_S);
}

bool end_poll(struct end *end)
{
    bool was_raised = end->is_raised;
    if (!was_raised && end->generate == NULL && !is_interrupted(end))
        return false;
    uint64_t before = end->frames;
    current = end;
    end->call->netif_schedule(&end->netif);
    end->is_raised = false;
    (void)end->call->net_receive_softirq(world_ns);
    return was_raised || end->generate == NULL || end->frames != before;
}

void end_leave(struct end *end)
{
    current = end;
    end->call->tcp_run_pending(world_ns);
    end->call->netif_flush();
}

void ends_settle(void)
{
    bool is_busy;

    do {
        is_busy = end_poll(&ends[0]);
        is_busy = end_poll(&ends[1]) || is_busy;
    } while (is_busy);
}

void ends_wait(uint64_t duration_ns)
{
    uint64_t until = world_ns + duration_ns;

    for (;;) {
        ends_settle();
        uint64_t first = ends[0].call->net_next_deadline();
        uint64_t second = ends[1].call->net_next_deadline();
        uint64_t next = first < second ? first : second;
        if (next > until)
            break;
        world_ns = next > world_ns ? next : world_ns;
        for (size_t i = 0; i < 2; i++)
            if (ends[i].call->net_next_deadline() <= world_ns)
                ends[i].call->net_timer_softirq(world_ns);
    }
    world_ns = until;
}

/* ---- net/platform.h -------------------------------------------------------
 */

uint64_t platform_now_ns(void)
{
    return world_ns;
}

void platform_idle(uint64_t deadline_ns)
{
    (void)deadline_ns;
    fail("somebody waits");
}

void platform_lock(void)
{
}

void platform_unlock(void)
{
}

void platform_raise_receive(void)
{
    current->is_raised = true;
}

void platform_random(void *bytes, size_t length)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i < length; i++) {
        random_state = random_state * UINT64_C(6364136223846793005) + 1;
        at[i] = (uint8_t)(random_state >> 56);
    }
}

uint64_t platform_cycles(void)
{
    return platform_now_ns();
}

void platform_log(enum platform_log_level level, const char *part,
                  const char *format, ...)
{
    (void)level;
    (void)part;
    (void)format;
}

void *platform_memory(size_t bytes, size_t alignment)
{
    uintptr_t base = (uintptr_t)current->memory;
    uintptr_t from = (base + current->memory_used + alignment - 1) &
                     ~(uintptr_t)(alignment - 1);

    if (from - base > current->memory_size ||
        bytes > current->memory_size - (from - base))
        return NULL;
    current->memory_used = from - base + bytes;
    return current->memory + (from - base);
}

void *platform_memory_untouched(size_t bytes, size_t alignment)
{
    return platform_memory(bytes, alignment);
}

size_t platform_memory_size(void)
{
    return current->memory_size;
}

_Noreturn void platform_assert_failed(const char *condition, const char *file,
                                      int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    exit(1);
}
