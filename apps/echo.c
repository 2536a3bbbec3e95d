/* SPDX-License-Identifier: MIT */
/*
 * echo: what comes goes back (RFC 862), and discard: what comes is thrown
 * away (RFC 863), over TCP and UDP. A client that does not read its echo is
 * not read from either; a half-closed one gets the rest, then our FIN.
 * Left out on purpose: answering datagrams from ports that answer themselves,
 * which two hosts could bounce between each other for ever.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef EPOLL_CORK
#define EPOLL_CORK 0 /* another system's epoll */
#endif

enum {
    ECHO_PORT = 7,
    DISCARD_PORT = 9,
    CONNECTIONS_LIMIT = 4096, /* beyond, the longest silent one is closed */
    CHUNK_SIZE = 16384,       /* most that is held for one connection */
    EVENTS_PER_TURN = 256,
    DATAGRAMS_PER_TURN = 64, /* before others get a turn */
    ACCEPTS_PER_TURN = 64,
    LISTEN_BACKLOG = 511
};

/* What a watched descriptor is. */
enum role { TCP_ECHO, TCP_DISCARD, UDP_ECHO, UDP_DISCARD, STREAM };

struct endpoint {
    enum role role;
    int descriptor;
    bool is_echoing; /* STREAM: echo, not discard */
    char *held;      /* bytes that the peer has not taken yet, or NULL */
    size_t held_start;
    size_t held_end;
    struct endpoint *louder;  /* STREAM: who did something after this one... */
    struct endpoint *quieter; /* ...and before */
};

static int instance;             /* of epoll */
static struct endpoint *loudest; /* of the connections */
static struct endpoint *quietest;
static unsigned connections;
static char chunk[65536]; /* the largest datagram fits */

static bool is_retryable(int error)
{
    return error == EAGAIN || error == EINTR;
}

static bool watch(struct endpoint *endpoint, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = endpoint};

    return epoll_ctl(instance, operation, endpoint->descriptor, &event) == 0;
}

/* Takes the descriptor. */
static struct endpoint *add(int descriptor, enum role role)
{
    struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

    if (endpoint) {
        endpoint->role = role;
        endpoint->descriptor = descriptor;
        if (watch(endpoint, EPOLL_CTL_ADD, EPOLLIN))
            return endpoint;
        free(endpoint);
    }
    close(descriptor);
    return NULL;
}

static void link_loudest(struct endpoint *endpoint)
{
    endpoint->louder = NULL;
    endpoint->quieter = loudest;
    if (loudest)
        loudest->louder = endpoint;
    else
        quietest = endpoint;
    loudest = endpoint;
}

static void unlink_from_others(struct endpoint *endpoint)
{
    if (endpoint->louder)
        endpoint->louder->quieter = endpoint->quieter;
    else
        loudest = endpoint->quieter;
    if (endpoint->quieter)
        endpoint->quieter->louder = endpoint->louder;
    else
        quietest = endpoint->louder;
}

static void drop(struct endpoint *endpoint)
{
    unlink_from_others(endpoint);
    connections--;
    close(endpoint->descriptor);
    free(endpoint->held);
    free(endpoint);
}

static void drop_quietest(void)
{
    if (quietest)
        drop(quietest);
}

static void accept_connections(const struct endpoint *listener)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        int on = 1;
        int descriptor =
            accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK);
        struct endpoint *endpoint;

        if (descriptor < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                drop_quietest();
            return;
        }
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (connections == CONNECTIONS_LIMIT)
            drop_quietest();
        endpoint = add(descriptor, STREAM);
        if (!endpoint)
            return;
        endpoint->is_echoing = listener->role == TCP_ECHO;
        link_loudest(endpoint);
        connections++;
    }
}

/* Sends what is held. Returns false if the connection is over. */
static bool send_held(struct endpoint *endpoint)
{
    while (endpoint->held_start < endpoint->held_end) {
        ssize_t length =
            send(endpoint->descriptor, endpoint->held + endpoint->held_start,
                 endpoint->held_end - endpoint->held_start, 0);

        if (length < 0)
            return is_retryable(errno);
        endpoint->held_start += (size_t)length;
    }
    free(endpoint->held);
    endpoint->held = NULL;
    return watch(endpoint, EPOLL_CTL_MOD, EPOLLIN);
}

/* Sends `chunk` back; what does not fit is held, and nothing more is read. */
static bool echo_chunk(struct endpoint *endpoint, size_t size)
{
    ssize_t sent = send(endpoint->descriptor, chunk, size, 0);

    if (sent < 0 && !is_retryable(errno))
        return false;
    if (sent < 0)
        sent = 0;
    if ((size_t)sent == size)
        return true;
    endpoint->held_start = 0;
    endpoint->held_end = size - (size_t)sent;
    endpoint->held = malloc(endpoint->held_end);
    if (!endpoint->held)
        return false;
    memcpy(endpoint->held, chunk + sent, endpoint->held_end);
    return watch(endpoint, EPOLL_CTL_MOD, EPOLLOUT);
}

static bool serve_stream(struct endpoint *endpoint)
{
    ssize_t length;

    unlink_from_others(endpoint);
    link_loudest(endpoint);
    if (endpoint->held)
        return send_held(endpoint);
    length = recv(endpoint->descriptor, chunk, CHUNK_SIZE, 0);
    if (length < 0)
        return is_retryable(errno);
    if (length == 0)
        return false; /* all is echoed: our FIN may follow theirs */
    return !endpoint->is_echoing || echo_chunk(endpoint, (size_t)length);
}

/* Ports whose owner answers anything: echo, daytime, quote, chargen, time. */
static bool is_answering_port(unsigned port, unsigned own_port)
{
    return port == own_port || port == 7 || port == 13 || port == 17 ||
           port == 19 || port == 37 || port == 0;
}

static void serve_datagrams(const struct endpoint *endpoint, unsigned own_port)
{
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);
        ssize_t length = recvfrom(endpoint->descriptor, chunk, sizeof(chunk), 0,
                                  (struct sockaddr *)&peer, &size);

        if (length < 0)
            return;
        if (endpoint->role == UDP_ECHO &&
            !is_answering_port(ntohs(peer.sin_port), own_port))
            sendto(endpoint->descriptor, chunk, (size_t)length, 0,
                   (struct sockaddr *)&peer, size);
    }
}

static unsigned open_service(int type, unsigned port, enum role role)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(address);
    int on = 1;
    int descriptor = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    if (descriptor >= 0 && type == SOCK_STREAM)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (descriptor < 0 ||
        bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
        (type == SOCK_STREAM && listen(descriptor, LISTEN_BACKLOG) != 0) ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "echo: port %u: %s\n", port, strerror(errno));
        exit(1);
    }
    if (!add(descriptor, role)) {
        perror("echo: epoll");
        exit(1);
    }
    return ntohs(address.sin_port);
}

static unsigned parse_port(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > 65535) {
        fprintf(stderr, "echo: '%s' is not a port\n", text);
        exit(2);
    }
    return (unsigned)port;
}

static void parse_options(int argc, char **argv, unsigned *echo_port,
                          unsigned *discard_port)
{
    int option;

    while ((option = getopt(argc, argv, "e:d:h")) != -1) {
        if (option == 'e') {
            *echo_port = parse_port(optarg);
        } else if (option == 'd') {
            *discard_port = parse_port(optarg);
        } else {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: echo [-e PORT] [-d PORT]\n"
                    "  -e PORT  of echo, TCP and UDP; 7; 0 for any\n"
                    "  -d PORT  of discard, TCP and UDP; 9; 0 for any\n");
            exit(option == 'h' ? 0 : 2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "echo: '%s' is not understood\n", argv[optind]);
        exit(2);
    }
}

static void serve(struct endpoint *endpoint, unsigned echo_port)
{
    switch (endpoint->role) {
    case TCP_ECHO:
    case TCP_DISCARD:
        accept_connections(endpoint);
        break;
    case UDP_ECHO:
    case UDP_DISCARD:
        serve_datagrams(endpoint, echo_port);
        break;
    case STREAM:
        if (!serve_stream(endpoint))
            drop(endpoint);
        break;
    }
}

/* Connections first: one that comes may end one that is silent, and then
 * nothing in `happened` may be about that one. */
static void turn(unsigned echo_port)
{
    static struct epoll_event happened[EVENTS_PER_TURN];
    int count = epoll_wait(instance, happened, EVENTS_PER_TURN, -1);
    int services = 0;

    for (int i = 0; i < count; i++) {
        struct endpoint *endpoint = happened[i].data.ptr;

        if (endpoint->role == STREAM)
            serve(endpoint, echo_port);
        else
            happened[services++] = happened[i];
    }
    for (int i = 0; i < services; i++)
        serve(happened[i].data.ptr, echo_port);
}

int main(int argc, char **argv)
{
    unsigned echo_port = ECHO_PORT;
    unsigned discard_port = DISCARD_PORT;

    parse_options(argc, argv, &echo_port, &discard_port);
    signal(SIGPIPE, SIG_IGN);
    /* A turn is short: its answers can leave together. */
    instance = epoll_create1(EPOLL_CORK);
    echo_port = open_service(SOCK_STREAM, echo_port, TCP_ECHO);
    open_service(SOCK_DGRAM, echo_port, UDP_ECHO);
    discard_port = open_service(SOCK_STREAM, discard_port, TCP_DISCARD);
    open_service(SOCK_DGRAM, discard_port, UDP_DISCARD);
    printf("echo: echo on port %u, discard on port %u, TCP and UDP\n",
           echo_port, discard_port);
    fflush(stdout);
    for (;;)
        turn(echo_port);
}
