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
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ECHO_PORT = 7,
    DISCARD_PORT = 9,
    CONNECTIONS_LIMIT = 4096, /* beyond, the longest silent one is closed */
    CHUNK_SIZE = 16384,       /* most that is held for one connection */
    DATAGRAMS_PER_TURN = 64,  /* before others get a turn */
    ACCEPTS_PER_TURN = 64,
    LISTEN_BACKLOG = 511,
    SERVICES = 4 /* echo and discard, TCP and UDP */
};

/* What a watched descriptor is. */
enum role { TCP_ECHO, TCP_DISCARD, UDP_ECHO, UDP_DISCARD, STREAM };

struct endpoint {
    enum role role;
    bool is_echoing; /* STREAM: echo, not discard */
    char *held;      /* bytes that the peer has not taken yet, or NULL */
    size_t held_start;
    size_t held_end;
    uint64_t turn; /* when it last did something */
};

/* endpoints[i] belongs to descriptors[i]; the services come first. */
static struct endpoint endpoints[SERVICES + CONNECTIONS_LIMIT];
static struct pollfd descriptors[SERVICES + CONNECTIONS_LIMIT];
static size_t count;
static uint64_t turn;
static char chunk[65536]; /* the largest datagram fits */

static bool is_retryable(int error)
{
    return error == EAGAIN || error == EINTR;
}

static void add(int descriptor, enum role role, bool is_echoing)
{
    endpoints[count] =
        (struct endpoint){.role = role, .is_echoing = is_echoing, .turn = turn};
    descriptors[count] = (struct pollfd){.fd = descriptor, .events = POLLIN};
    count++;
}

static void drop(size_t at)
{
    close(descriptors[at].fd);
    free(endpoints[at].held);
    count--;
    endpoints[at] = endpoints[count];
    descriptors[at] = descriptors[count];
}

static void drop_longest_silent(void)
{
    size_t oldest = SERVICES;

    for (size_t i = SERVICES + 1; i < count; i++) {
        if (endpoints[i].turn < endpoints[oldest].turn)
            oldest = i;
    }
    if (oldest < count)
        drop(oldest);
}

static void accept_connections(size_t at)
{
    bool is_echoing = endpoints[at].role == TCP_ECHO;

    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        int on = 1;
        int descriptor = accept4(descriptors[at].fd, NULL, NULL, SOCK_NONBLOCK);

        if (descriptor < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                drop_longest_silent();
            return;
        }
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (count == SERVICES + CONNECTIONS_LIMIT)
            drop_longest_silent();
        add(descriptor, STREAM, is_echoing);
    }
}

/* Sends what is held. Returns false if the connection is over. */
static bool send_held(size_t at)
{
    struct endpoint *endpoint = &endpoints[at];

    while (endpoint->held_start < endpoint->held_end) {
        ssize_t length =
            send(descriptors[at].fd, endpoint->held + endpoint->held_start,
                 endpoint->held_end - endpoint->held_start, 0);

        if (length < 0)
            return is_retryable(errno);
        endpoint->held_start += (size_t)length;
    }
    free(endpoint->held);
    endpoint->held = NULL;
    descriptors[at].events = POLLIN;
    return true;
}

/* Sends `chunk` back; what does not fit is held, and nothing more is read. */
static bool echo_chunk(size_t at, size_t size)
{
    struct endpoint *endpoint = &endpoints[at];
    ssize_t sent = send(descriptors[at].fd, chunk, size, 0);

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
    descriptors[at].events = POLLOUT;
    return true;
}

static bool serve_stream(size_t at)
{
    ssize_t length;

    endpoints[at].turn = turn;
    if (endpoints[at].held)
        return send_held(at);
    length = recv(descriptors[at].fd, chunk, CHUNK_SIZE, 0);
    if (length < 0)
        return is_retryable(errno);
    if (length == 0)
        return false; /* all is echoed: our FIN may follow theirs */
    return !endpoints[at].is_echoing || echo_chunk(at, (size_t)length);
}

/* Ports whose owner answers anything: echo, daytime, quote, chargen, time. */
static bool is_answering_port(unsigned port, unsigned own_port)
{
    return port == own_port || port == 7 || port == 13 || port == 17 ||
           port == 19 || port == 37 || port == 0;
}

static void serve_datagrams(size_t at, unsigned own_port)
{
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);
        ssize_t length = recvfrom(descriptors[at].fd, chunk, sizeof(chunk), 0,
                                  (struct sockaddr *)&peer, &size);

        if (length < 0)
            return;
        if (endpoints[at].role == UDP_ECHO &&
            !is_answering_port(ntohs(peer.sin_port), own_port))
            sendto(descriptors[at].fd, chunk, (size_t)length, 0,
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
    add(descriptor, role, false);
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

static void serve(size_t at, unsigned echo_port)
{
    switch (endpoints[at].role) {
    case TCP_ECHO:
    case TCP_DISCARD:
        accept_connections(at);
        break;
    case UDP_ECHO:
    case UDP_DISCARD:
        serve_datagrams(at, echo_port);
        break;
    case STREAM:
        if (!serve_stream(at))
            drop(at);
        break;
    }
}

int main(int argc, char **argv)
{
    unsigned echo_port = ECHO_PORT;
    unsigned discard_port = DISCARD_PORT;

    parse_options(argc, argv, &echo_port, &discard_port);
    signal(SIGPIPE, SIG_IGN);
    echo_port = open_service(SOCK_STREAM, echo_port, TCP_ECHO);
    open_service(SOCK_DGRAM, echo_port, UDP_ECHO);
    discard_port = open_service(SOCK_STREAM, discard_port, TCP_DISCARD);
    open_service(SOCK_DGRAM, discard_port, UDP_DISCARD);
    printf("echo: echo on port %u, discard on port %u, TCP and UDP\n",
           echo_port, discard_port);
    fflush(stdout);
    for (;;) {
        poll(descriptors, (nfds_t)count, -1);
        turn++;
        /* Downwards: an entry that fills a hole has been served already. */
        for (size_t i = count; i > 0; i--) {
            if (i > count || !descriptors[i - 1].revents)
                continue;
            descriptors[i - 1].revents = 0;
            serve(i - 1, echo_port);
        }
    }
}
