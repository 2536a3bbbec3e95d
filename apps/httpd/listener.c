/* SPDX-License-Identifier: MIT */
/*
 * Accepting. When the limit is reached and nobody can be spared, or when
 * descriptors run out, the listener rests: clients wait in the backlog, and
 * the loop does not spin on an event that it cannot serve.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "listener.h"

#include "clock.h"
#include "connection.h"
#include "limits.h"
#include "options.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct watch watch;
static uint64_t rest_until_ms;

static void set_option(int descriptor, int level, int name, int value)
{
    setsockopt(descriptor, level, name, &value, sizeof(value));
}

static void rest(void)
{
    rest_until_ms = clock_turn_ms() + ACCEPT_PAUSE_MS;
    loop_change(&watch, 0);
}

/* Out of descriptors or memory: somebody idle makes room for the next try. */
static void handle_accept_error(int error)
{
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
        return;
    if ((error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM) &&
        connections_evict(NULL))
        return;
    rest();
}

static void accept_ready(struct watch *ready)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);
        int descriptor;

        if (!connections_have_room()) {
            rest();
            return;
        }
        descriptor = accept4(ready->descriptor, (struct sockaddr *)&peer, &size,
                             SOCK_NONBLOCK);
        if (descriptor < 0) {
            handle_accept_error(errno);
            return;
        }
        if (!connection_open(descriptor, peer.sin_addr.s_addr)) {
            rest();
            return;
        }
    }
}

int listener_open(const struct options *options)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port),
                                  .sin_addr = {options->address}};
    socklen_t size = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return -1;
    set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    /* Every send here is whole, or marked MSG_MORE: waiting for an
     * acknowledgement would only delay the end of a response. A request is
     * acknowledged by its answer, which is quick, from the first one on.
     * Connections inherit both. */
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_QUICKACK, 0);
    watch.descriptor = descriptor;
    watch.ready = accept_ready;
    if (bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
        listen(descriptor, LISTEN_BACKLOG) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0 ||
        !loop_watch(&watch, LOOP_READ)) {
        int error = errno;

        close(descriptor);
        errno = error;
        return -1;
    }
    return ntohs(address.sin_port);
}

int listener_refresh(void)
{
    uint64_t now_ms = clock_turn_ms();

    if (rest_until_ms == 0)
        return -1;
    if (now_ms < rest_until_ms)
        return (int)(rest_until_ms - now_ms);
    rest_until_ms = 0;
    loop_change(&watch, LOOP_READ);
    return -1;
}
