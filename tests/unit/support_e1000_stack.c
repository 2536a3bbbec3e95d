/* SPDX-License-Identifier: MIT */
#include "tests/unit/support_e1000_stack.h"

#include "drivers/e1000/e1000.h"
#include "net/platform.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct stack_interface stack_interfaces[NETIF_MAX];
static void *pools[2]; /* buffers, packets: never given back */
size_t stack_count;

/* --- what the driver and the pools call --- */

int __wrap_netif_register(struct netif *netif);
void __wrap_netif_schedule(struct netif *netif);
void __wrap_netif_receive(struct netif *netif, struct packet *packet);
void __wrap_netif_transmit_resume(struct netif *netif);
void __wrap_netif_link_changed(struct netif *netif, bool up);
void *__wrap_platform_memory_untouched(size_t bytes, size_t alignment);

static struct stack_interface *interface_of(const struct netif *netif)
{
    return &stack_interfaces[netif->index];
}

int __wrap_netif_register(struct netif *netif)
{
    netif->index = (uint8_t)stack_count;
    memcpy(netif->name, "eth0", 5);
    netif->name[3] = (char)('0' + stack_count);
    stack_interfaces[stack_count++].netif = netif;
    return 0;
}

void __wrap_netif_schedule(struct netif *netif)
{
    netif->poll_scheduled = true;
}

void __wrap_netif_receive(struct netif *netif, struct packet *packet)
{
    struct stack_interface *interface = interface_of(netif);

    cr_assert_lt(interface->frame_count, STACK_FRAMES_MAX);
    interface->frames[interface->frame_count++] = packet;
}

void __wrap_netif_transmit_resume(struct netif *netif)
{
    struct stack_interface *interface = interface_of(netif);

    netif->transmit_stopped = false;
    ++interface->resumes;
    if (interface->on_resume != NULL)
        interface->on_resume(netif);
}

void __wrap_netif_link_changed(struct netif *netif, bool up)
{
    cr_assert_neq(netif->link_up, up, "told what it knew");
    netif->link_up = up;
    ++interface_of(netif)->link_changes;
}

void *__wrap_platform_memory_untouched(size_t bytes, size_t alignment)
{
    void *block;
    size_t index = pools[0] != NULL;

    bytes = (bytes + alignment - 1) / alignment * alignment;
    block = aligned_alloc(alignment, bytes);
    pools[index] = block;
    return memset(block, 0xa5, bytes);
}

/* --- what tests call --- */

void stack_init(size_t buffers)
{
    cr_assert_eq(packet_init(buffers), 0);
}

struct fake_nic *stack_start_one(uint16_t device)
{
    struct fake_nic *nic = fake_nic_add(device);

    stack_init(2048);
    cr_assert_eq(e1000_probe_all(), 1);
    cr_assert_eq(e1000_start_all(), 1);
    return nic;
}

struct netif *stack_netif(void)
{
    return stack_interfaces[0].netif;
}

size_t stack_poll(size_t budget)
{
    struct netif *netif = stack_netif();

    netif->poll_scheduled = false;
    return netif->operations->poll(netif, budget);
}

void stack_run(struct fake_nic *nic)
{
    fake_nic_interrupt(nic);
    for (int turns = 0; stack_netif()->poll_scheduled; ++turns) {
        cr_assert_lt(turns, 1000, "polls without end");
        if (stack_poll(NETIF_POLL_BUDGET) == NETIF_POLL_BUDGET)
            stack_netif()->poll_scheduled = true;
        fake_nic_interrupt(nic);
    }
    stack_netif()->operations->kick(stack_netif());
}

void stack_tick(size_t times)
{
    while (times-- > 0) {
        fake_kernel.now_ns += NS_PER_S;
        for (size_t i = 0; i < stack_count; ++i) {
            struct netif *netif = stack_interfaces[i].netif;
            netif->operations->tick(netif, fake_kernel.now_ns);
        }
    }
}

void stack_make_frame(uint8_t *frame, size_t length, uint8_t seed)
{
    for (size_t i = 0; i < length; ++i)
        frame[i] = (uint8_t)(seed + i * 7);
    memcpy(frame, stack_netif()->address.octet, 6);
    memcpy(frame + 6, "\x02\0\0\0\0\1", 6);
    frame[12] = 0x08;
    frame[13] = 0x00;
}

bool stack_got(size_t n, const void *frame, size_t length)
{
    const struct stack_interface *interface = &stack_interfaces[0];

    return n < interface->frame_count &&
           interface->frames[n]->length == length &&
           memcmp(interface->frames[n]->data, frame, length) == 0;
}

void stack_free_frames(void)
{
    struct stack_interface *interface = &stack_interfaces[0];

    while (interface->frame_count > 0)
        packet_free(interface->frames[--interface->frame_count]);
}

struct packet *stack_packet(size_t length, uint8_t seed)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    cr_assert_not_null(packet);
    stack_make_frame(packet_append(packet, length), length, seed);
    return packet;
}

void stack_send(size_t count, size_t length)
{
    for (size_t i = 0; i < count; ++i)
        stack_netif()->operations->transmit(stack_netif(),
                                            stack_packet(length, (uint8_t)i));
}

struct wanted {
    const char *name;
    uint64_t value;
    bool is_found;
};

static void pick(void *context, const char *name, uint64_t value)
{
    struct wanted *wanted = context;

    if (strcmp(wanted->name, name) != 0)
        return;
    cr_assert(!wanted->is_found, "'%s' is listed twice", name);
    wanted->is_found = true;
    wanted->value = value;
}

uint64_t stack_statistic(const char *name)
{
    struct wanted wanted = {name, 0, false};

    stack_netif()->operations->statistics(stack_netif(), pick, &wanted);
    cr_assert(wanted.is_found, "no statistic '%s'", name);
    return wanted.value;
}
