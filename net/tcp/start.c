/* SPDX-License-Identifier: MIT */
/*
 * TCP starts: all the memory it will ever use, and how many of each object
 * there are, told by how much the platform gives (limits.h has the shares).
 */
#include "net/tcp/cookie.h"
#include "net/tcp/internal.h"

#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"

#include <errno.h>

struct tcp_counters tcp_counters;

static size_t time_wait_objects(size_t memory, size_t connections)
{
    size_t more = 0;

    if (memory > TCP_TIME_WAIT_MEMORY_FREE)
        more =
            (memory - TCP_TIME_WAIT_MEMORY_FREE) / TCP_TIME_WAIT_MEMORY_SHARE;
    return clamp_64(connections + more, connections, TCP_TIME_WAITS_MAX);
}

int tcp_init(void)
{
    size_t memory = platform_memory_size();
    size_t most = memory / TCP_CONNECTION_MEMORY_SHARE;
    size_t base = TCP_CONNECTION_MEMORY_BASE / TCP_CONNECTION_MEMORY_SHARE;
    size_t connections = clamp_64(most > base ? most - base : 0,
                                  TCP_CONNECTIONS_MIN, TCP_CONNECTIONS_MAX);
    size_t half_open = connections / TCP_HALF_OPEN_DIVISOR;
    size_t time_waits = time_wait_objects(memory, connections);

    settings_init(memory);
    identity_init();
    cookies_init();
    listeners_init();
    receive_memory_init();
    /* Where there are more TIME-WAITs than connections, memory is plenty: for
     * each that is more, two chains rather than one. */
    size_t spare = time_waits - connections;
    if (table_init(connections + half_open + time_waits + spare) != 0 ||
        connection_pool_init(connections) != 0 ||
        half_open_init(half_open) != 0 || time_wait_init(time_waits) != 0 ||
        send_queues_init(connections) != 0 ||
        spans_init(memory / TCP_SPAN_MEMORY_SHARE) != 0 ||
        recoveries_init(connections / TCP_RECOVERY_DIVISOR) != 0 ||
        seldoms_init(connections / TCP_SELDOM_DIVISOR) != 0) {
        platform_log(PLATFORM_ERROR, "tcp", "no memory for %zu connections",
                     connections);
        return -ENOMEM;
    }
    return 0;
}
