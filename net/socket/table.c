/* SPDX-License-Identifier: MIT */
/*
 * The table of sockets, sized once by the memory there is. Readiness is not
 * stored here: TCP and UDP are asked. What they tell goes to the epolls that
 * watch the socket, and moves a generation number, so that poll() knows whether
 * to look again.
 */
#include "net/socket/table.h"
#include "net/socket/datagram.h"
#include "net/socket/draft.h"
#include "net/socket/socket.h"
#include "net/socket/stream.h"

#include "net/account.h"
#include "net/limits.h"
#include "net/link/netif.h"
#include "net/platform.h"
#include "net/pool.h"

#include <errno.h>

static struct {
    struct pool pool;
    struct socket *slots;         /* the pool's */
    volatile uint64_t generation; /* moved by softirqs, read by the app */
    unsigned calls_held;          /* so many more calls do not send */
} table;

/* TCP and UDP may have other owners beside sockets, as in tests. */
static bool is_socket(const struct socket *owner)
{
    uintptr_t offset = (uintptr_t)owner - (uintptr_t)table.slots;

    return offset < table.pool.used * sizeof(struct socket);
}

void socket_notify(void *owner, short events)
{
    struct socket *socket = owner;

    table.generation++;
    if (is_socket(socket) && socket->watches != NULL)
        socket_wake(socket, (uint16_t)events);
}

static void tcp_notify(void *owner, uint32_t ready)
{
    socket_notify(owner, stream_events(ready));
}

void socket_udp_notify(void *owner, uint32_t ready)
{
    socket_notify(owner, datagram_events(ready));
}

const struct socket_family *socket_raw;
const struct socket_zerocopy *socket_zerocopy;

int socket_init(void)
{
    size_t most = platform_memory_size() / SOCKET_MEMORY_SHARE;
    size_t base = TCP_CONNECTION_MEMORY_BASE / SOCKET_MEMORY_SHARE;
    size_t count = most > base + SOCKETS_MIN ? most - base : SOCKETS_MIN;

    if (count > SOCKETS_MAX)
        count = SOCKETS_MAX;
    socket_raw = NULL;
    socket_zerocopy = NULL;
    table.calls_held = 0;
    tcp_set_notify(tcp_notify);
    if (drafts_init(count) != 0 ||
        pool_init(&table.pool, count, sizeof(struct socket),
                  _Alignof(struct socket)) != 0)
        return -ENOMEM;
    table.slots = (void *)table.pool.objects;
    return 0;
}

struct socket *socket_get(int id)
{
    if (id < 0 || (size_t)id >= table.pool.used)
        return NULL;
    return table.slots[id].kind == SOCKET_FREE ? NULL : &table.slots[id];
}

int socket_take_slot(void)
{
    struct socket *slot = pool_take(&table.pool);

    if (slot == NULL)
        return -EMFILE;
    *slot = (struct socket){.kind = SOCKET_FREE};
    return (int)(slot - table.slots);
}

struct socket *socket_slot(int id)
{
    return &table.slots[id];
}

void socket_free_slot(int id)
{
    table.slots[id].kind = SOCKET_FREE;
    pool_give(&table.pool, &table.slots[id]);
}

bool socket_next(int *id, struct socket **socket)
{
    while ((size_t)*id < table.pool.used) {
        *socket = socket_get((*id)++);
        if (*socket != NULL)
            return true;
    }
    return false;
}

bool socket_is_bound_elsewhere(const struct socket *self,
                               const struct tcp_endpoint *local)
{
    for (size_t i = 0; i < table.pool.used; i++) {
        const struct socket *other = &table.slots[i];

        if (other == self || other->kind != SOCKET_STREAM || !other->is_bound ||
            other->draft->local.port != local->port)
            continue;
        if ((!other->reuse_address || !self->reuse_address) &&
            (ip_address_is_any(&other->draft->local.address) ||
             ip_address_is_any(&local->address) ||
             ip_address_equal(&other->draft->local.address, &local->address)))
            return true;
    }
    return false;
}

uint64_t socket_enter(void)
{
    platform_lock();
    (void)account_enter(ACCOUNT_SOCKET);
    return platform_now_ns();
}

/* Nothing is followed over what comes next: leaving, or sleeping. */
static void send_owed(uint64_t now_ns)
{
    (void)account_enter(ACCOUNT_OUTPUT);
    tcp_run_pending(now_ns);
    netif_flush();
    account_return(ACCOUNT_OUTSIDE);
}

void socket_leave(uint64_t now_ns)
{
    if (table.calls_held == 0) {
        send_owed(now_ns);
    } else {
        table.calls_held--;
        account_return(ACCOUNT_OUTSIDE);
    }
    platform_unlock();
}

void socket_hold(unsigned calls)
{
    table.calls_held = calls;
}

uint64_t socket_sleep(uint64_t now_ns, uint64_t deadline_ns)
{
    send_owed(now_ns);
    platform_idle(deadline_ns);
    (void)account_enter(ACCOUNT_SOCKET);
    return platform_now_ns();
}

uint64_t socket_deadline(uint64_t now_ns, uint32_t timeout_ms)
{
    if (timeout_ms == 0)
        return PLATFORM_NEVER;
    return timeout_ms == SOCKET_TIMEOUT_NONE ? now_ns
                                             : now_ns + timeout_ms * NS_PER_MS;
}

void *socket_owner(struct socket *socket)
{
    return socket;
}

uint64_t socket_generation(void)
{
    return table.generation;
}

void socket_wait(uint64_t generation, uint64_t deadline_ns)
{
    uint64_t now_ns = socket_enter();

    while (table.generation == generation && now_ns < deadline_ns)
        now_ns = socket_sleep(now_ns, deadline_ns);
    socket_leave(now_ns);
}

uint64_t socket_now_ns(void)
{
    return platform_now_ns();
}

size_t socket_count_total(void)
{
    return table.pool.count;
}

size_t socket_count_free(void)
{
    return table.pool.available;
}
