/* SPDX-License-Identifier: MIT */
/*
 * stream: bulk transfers that are checked bit by bit without memory. One line
 * asks: "GET n seed" is answered with n bytes of the seed's stream; after
 * "PUT n seed" the client sends them, and is told "ok" or "bad at <offset>".
 * Any number of lines per connection, one after another.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "pattern.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STREAM_PORT = 5001,
    CONNECTIONS_LIMIT = 512,
    LISTEN_BACKLOG = 128,
    CHUNK_SIZE = 32768, /* per turn and connection */
    LINE_LIMIT = 64     /* longest request */
};

enum state { AWAITING_LINE, SENDING, RECEIVING, REPLYING };

struct transfer {
    enum state state;
    uint64_t seed;
    uint64_t offset;
    uint64_t length;
    uint64_t bad_at; /* UINT64_MAX: nowhere so far */
    size_t line_length;
    size_t line_sent; /* of a reply */
    char line[LINE_LIMIT];
};

/* transfers[i] belongs to descriptors[i]; the listener is number 0. */
static struct transfer transfers[1 + CONNECTIONS_LIMIT];
static struct pollfd descriptors[1 + CONNECTIONS_LIMIT];
static size_t count;
static unsigned char chunk[CHUNK_SIZE];

static bool is_retryable(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void add(int descriptor)
{
    transfers[count] = (struct transfer){.state = AWAITING_LINE};
    descriptors[count] = (struct pollfd){.fd = descriptor, .events = POLLIN};
    count++;
}

static void drop(size_t at)
{
    close(descriptors[at].fd);
    count--;
    transfers[at] = transfers[count];
    descriptors[at] = descriptors[count];
}

static void accept_connection(void)
{
    int on = 1;
    int descriptor = accept4(descriptors[0].fd, NULL, NULL, SOCK_NONBLOCK);

    if (descriptor < 0)
        return;
    if (count == 1 + CONNECTIONS_LIMIT) {
        close(descriptor);
        return;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    add(descriptor);
}

static void reply(size_t at, const char *text, uint64_t number)
{
    struct transfer *transfer = &transfers[at];

    transfer->line_length = (size_t)snprintf(transfer->line, LINE_LIMIT, text,
                                             (unsigned long long)number);
    transfer->line_sent = 0;
    transfer->state = REPLYING;
    descriptors[at].events = POLLOUT;
}

static void await_line(size_t at)
{
    transfers[at].state = AWAITING_LINE;
    transfers[at].line_length = 0;
    descriptors[at].events = POLLIN;
}

/* True if the line is "<verb> <length> <seed>". */
static bool parse_line(struct transfer *transfer, const char *verb)
{
    size_t length = strlen(verb);
    char *end;

    if (strncmp(transfer->line, verb, length) != 0)
        return false;
    transfer->length = strtoull(transfer->line + length, &end, 10);
    if (*end != ' ')
        return false;
    transfer->seed = strtoull(end + 1, &end, 10);
    transfer->offset = 0;
    transfer->bad_at = UINT64_MAX;
    return *end == '\0';
}

static void finish_receiving(size_t at)
{
    if (transfers[at].bad_at == UINT64_MAX)
        reply(at, "ok\n", 0);
    else
        reply(at, "bad at %llu\n", transfers[at].bad_at);
}

static bool take_line(size_t at)
{
    struct transfer *transfer = &transfers[at];

    transfer->line[transfer->line_length] = '\0';
    if (parse_line(transfer, "GET ")) {
        transfer->state = SENDING;
        descriptors[at].events = POLLOUT;
    } else if (parse_line(transfer, "PUT ")) {
        transfer->state = RECEIVING;
        if (transfer->length == 0)
            finish_receiving(at);
    } else {
        return false;
    }
    return true;
}

/* A byte at a time: what follows a line may belong to a PUT. */
static bool read_line(size_t at)
{
    struct transfer *transfer = &transfers[at];

    while (transfer->line_length < LINE_LIMIT - 1) {
        char *place = transfer->line + transfer->line_length;
        ssize_t length = recv(descriptors[at].fd, place, 1, 0);

        if (length <= 0)
            return is_retryable(length);
        if (*place == '\n')
            return take_line(at);
        transfer->line_length++;
    }
    return false;
}

static bool send_stream(size_t at)
{
    struct transfer *transfer = &transfers[at];
    uint64_t left = transfer->length - transfer->offset;
    size_t wanted = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
    ssize_t length = 0;

    pattern_fill(transfer->seed, transfer->offset, chunk, wanted);
    if (wanted > 0)
        length = send(descriptors[at].fd, chunk, wanted, 0);
    if (length < 0)
        return is_retryable(length);
    transfer->offset += (uint64_t)length;
    if (transfer->offset == transfer->length)
        await_line(at);
    return true;
}

static bool receive_stream(size_t at)
{
    struct transfer *transfer = &transfers[at];
    uint64_t left = transfer->length - transfer->offset;
    size_t wanted = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
    ssize_t length = recv(descriptors[at].fd, chunk, wanted, 0);
    size_t matched;

    if (length <= 0)
        return is_retryable(length);
    matched =
        pattern_match(transfer->seed, transfer->offset, chunk, (size_t)length);
    if (matched < (size_t)length && transfer->bad_at == UINT64_MAX)
        transfer->bad_at = transfer->offset + matched;
    transfer->offset += (uint64_t)length;
    if (transfer->offset == transfer->length)
        finish_receiving(at);
    return true;
}

static bool send_reply(size_t at)
{
    struct transfer *transfer = &transfers[at];
    ssize_t length =
        send(descriptors[at].fd, transfer->line + transfer->line_sent,
             transfer->line_length - transfer->line_sent, 0);

    if (length < 0)
        return is_retryable(length);
    transfer->line_sent += (size_t)length;
    if (transfer->line_sent == transfer->line_length)
        await_line(at);
    return true;
}

static bool serve(size_t at)
{
    switch (transfers[at].state) {
    case AWAITING_LINE:
        return read_line(at);
    case SENDING:
        return send_stream(at);
    case RECEIVING:
        return receive_stream(at);
    case REPLYING:
        return send_reply(at);
    }
    return false;
}

static unsigned open_listener(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(address);
    int on = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (descriptor >= 0)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (descriptor < 0 ||
        bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
        listen(descriptor, LISTEN_BACKLOG) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "stream: port %u: %s\n", port, strerror(errno));
        exit(1);
    }
    add(descriptor);
    return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
    unsigned port = STREAM_PORT;

    if (argc == 3 && strcmp(argv[1], "-p") == 0 && argv[2][0] >= '0' &&
        argv[2][0] <= '9') {
        port = (unsigned)strtoul(argv[2], NULL, 10);
    } else if (argc > 1) {
        fprintf(stderr, "usage: stream [-p PORT]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    printf("stream: port %u\n", open_listener(port));
    fflush(stdout);
    for (;;) {
        poll(descriptors, (nfds_t)count, -1);
        /* Downwards: an entry that fills a hole has been served already. */
        for (size_t i = count; i > 1; i--) {
            if (descriptors[i - 1].revents && !serve(i - 1))
                drop(i - 1);
        }
        if (descriptors[0].revents)
            accept_connection();
    }
}
