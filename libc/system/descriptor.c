/* SPDX-License-Identifier: MIT */
/*
 * The table grows by chunks, so that entries do not move, and gives out the
 * lowest free number, as POSIX wants it.
 */
#include "libc/system/descriptor.h"

#include "net/socket/epoll.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CHUNK = 64,
    CHUNKS_MAX = 1040, /* 66,560 descriptors: every socket and some files */
    STANDARD = 3,      /* stdin, stdout, stderr are open from the start */
    EXIT_LINGER_S = 2,
};

static struct descriptor first_chunk[CHUNK];
static struct descriptor *chunks[CHUNKS_MAX];
static int lowest_free; /* no number below it is free */

static void open_standard(void)
{
    chunks[0] = first_chunk;
    for (; lowest_free < STANDARD; lowest_free++)
        first_chunk[lowest_free].kind = DESCRIPTOR_CONSOLE;
}

static struct descriptor *slot(int number)
{
    if (chunks[0] == NULL)
        open_standard();
    if (number < 0 || number >= CHUNK * CHUNKS_MAX ||
        chunks[number / CHUNK] == NULL)
        return NULL;
    return &chunks[number / CHUNK][number % CHUNK];
}

struct descriptor *descriptor_get(int number)
{
    struct descriptor *descriptor = slot(number);

    if (descriptor == NULL || descriptor->kind == DESCRIPTOR_FREE) {
        errno = EBADF;
        return NULL;
    }
    return descriptor;
}

static bool add_chunk(int index)
{
    if (index >= CHUNKS_MAX) {
        errno = EMFILE;
        return false;
    }
    chunks[index] = calloc(CHUNK, sizeof(struct descriptor));
    return chunks[index] != NULL;
}

int descriptor_open(enum descriptor_kind kind)
{
    struct descriptor *descriptor = slot(lowest_free);
    int number = lowest_free;

    while (descriptor != NULL && descriptor->kind != DESCRIPTOR_FREE)
        descriptor = slot(++number);
    if (descriptor == NULL) {
        if (!add_chunk(number / CHUNK))
            return -1;
        descriptor = slot(number);
    }
    *descriptor = (struct descriptor){.kind = kind, .socket = -1};
    lowest_free = number + 1;
    return number;
}

int descriptor_close(int number)
{
    struct descriptor *descriptor = descriptor_get(number);
    int result = 0;

    if (descriptor == NULL)
        return -1;
    if (descriptor->kind == DESCRIPTOR_SOCKET && descriptor->socket >= 0)
        result = (int)descriptor_result(socket_close(descriptor->socket));
    if (descriptor->kind == DESCRIPTOR_EPOLL)
        socket_epoll_close(descriptor->owned);
    free(descriptor->owned);
    *descriptor = (struct descriptor){.kind = DESCRIPTOR_FREE};
    if (number < lowest_free)
        lowest_free = number;
    return result;
}

/* Closing with SO_LINGER waits until the peer has everything. All sockets are
 * told to stop sending first, so that they wait together. A socket that will
 * not hear of it (a listener, a datagram) has nothing to wait for. */
static bool close_gently(int number, const struct descriptor *descriptor)
{
    static const struct linger linger = {1, EXIT_LINGER_S};

    return socket_set_nonblocking(descriptor->socket, false) == 0 &&
           socket_setsockopt(descriptor->socket, SOL_SOCKET, SO_LINGER, &linger,
                             sizeof(linger)) == 0 &&
           descriptor_close(number) == 0;
}

void descriptor_close_all(void)
{
    struct descriptor *descriptor;

    for (int i = 0; (descriptor = slot(i)) != NULL; i++) {
        if (descriptor->kind == DESCRIPTOR_SOCKET)
            (void)descriptor_result(
                socket_shutdown(descriptor->socket, SHUT_WR));
    }
    for (int i = 0; (descriptor = slot(i)) != NULL; i++) {
        if (descriptor->kind == DESCRIPTOR_SOCKET &&
            !close_gently(i, descriptor))
            (void)descriptor_close(i);
    }
}

int descriptor_socket(int number)
{
    struct descriptor *descriptor = descriptor_get(number);

    if (descriptor == NULL)
        return -1;
    if (descriptor->kind != DESCRIPTOR_SOCKET) {
        errno = ENOTSOCK;
        return -1;
    }
    return descriptor->socket;
}

ssize_t descriptor_result(ssize_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}
