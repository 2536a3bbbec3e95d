/* SPDX-License-Identifier: MIT */
/*
 * UDP through a gateway, closed loop: sends in one namespace, receives in its
 * own, and keeps WINDOW packets under way, so that nobody is flooded. What is
 * lost is replaced when nothing has come for 300 ms.
 *   crossing NAMESPACE SOURCE ADDRESS PORT BYTES SECONDS FLOWS
 * BYTES is the length of a frame. Every packet takes the next of FLOWS source
 * ports; with 0 each begins a flow, until there are no more ports.
 * Prints packets per second and losses.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW = 128,
    BATCH = 32,
    HEADERS = 14 + 20,
    BYTES_MAX = 1514,
    PORT_FIRST = 2000,
    PORT_LAST = 62000
};

static uint8_t packets[BATCH][BYTES_MAX];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];
static unsigned next_port = PORT_FIRST;
static unsigned flows;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int bind_receiver(struct in_addr address, unsigned port)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr = address,
                               .sin_port = htons((uint16_t)port)};
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    int size = 4 << 20;

    if (descriptor < 0 ||
        bind(descriptor, (struct sockaddr *)&here, sizeof(here)) != 0)
        return -1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size,
                     sizeof(size));
    return descriptor;
}

/* UDP headers are made here: a port costs no socket. */
static int connect_sender(const char *namespace, const char *source,
                          struct in_addr address)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr = address};
    int place = open(namespace, O_RDONLY);
    int descriptor;

    if (place < 0 || setns(place, CLONE_NEWNET) != 0 ||
        inet_pton(AF_INET, source, &here.sin_addr) != 1)
        return -1;
    descriptor = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    if (descriptor < 0 ||
        bind(descriptor, (struct sockaddr *)&here, sizeof(here)) != 0 ||
        connect(descriptor, (struct sockaddr *)&there, sizeof(there)) != 0)
        return -1;
    return descriptor;
}

static void prepare(unsigned port, size_t bytes)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct udphdr *udp = (void *)packets[i];

        udp->dest = htons((uint16_t)port);
        udp->len = htons((uint16_t)(bytes - HEADERS));
        parts[i] = (struct iovec){packets[i], bytes - HEADERS};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Without a checksum: the sum would only be added up here. */
static unsigned send_many(int descriptor, unsigned wanted)
{
    unsigned sent = 0;

    while (sent < wanted) {
        unsigned count = wanted - sent < BATCH ? wanted - sent : BATCH;
        int done;

        for (unsigned i = 0; i < count; i++) {
            struct udphdr *udp = (void *)packets[i];

            udp->source = htons((uint16_t)next_port++);
            if (flows != 0 && next_port == PORT_FIRST + flows)
                next_port = PORT_FIRST;
        }
        done = sendmmsg(descriptor, messages, count, 0);
        if (done <= 0)
            break;
        sent += (unsigned)done;
    }
    return sent;
}

static int receive_many(int descriptor)
{
    static uint8_t bytes[WINDOW][8];
    static struct iovec into[WINDOW];
    static struct mmsghdr received[WINDOW];
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};

    if (poll(&ready, 1, 300) <= 0)
        return 0;
    for (unsigned i = 0; i < WINDOW; i++) {
        into[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
        received[i].msg_hdr.msg_iov = &into[i];
        received[i].msg_hdr.msg_iovlen = 1;
    }
    return recvmmsg(descriptor, received, WINDOW, MSG_DONTWAIT, NULL);
}

static void run(int receiver, int sender, double seconds)
{
    double start = now();
    double last = start;
    unsigned long arrived = 0;
    unsigned long lost = 0;
    unsigned under_way = send_many(sender, WINDOW);

    while (now() - start < seconds &&
           (flows != 0 || next_port < PORT_LAST - WINDOW)) {
        int count = receive_many(receiver);

        if (count > 0) {
            last = now();
            arrived += (unsigned)count;
            under_way -=
                (unsigned)count < under_way ? (unsigned)count : under_way;
        } else {
            lost += under_way;
            under_way = 0;
        }
        under_way += send_many(sender, WINDOW - under_way);
    }
    printf("%.0f packets/s, %lu lost\n", (double)arrived / (last - start),
           lost);
}

int main(int argc, char **argv)
{
    struct in_addr address;
    int receiver, sender;
    size_t bytes;

    if (argc != 8 || inet_pton(AF_INET, argv[3], &address) != 1 ||
        (bytes = (size_t)atoi(argv[5])) < HEADERS + sizeof(struct udphdr) ||
        bytes > BYTES_MAX) {
        fprintf(stderr, "usage: crossing NAMESPACE SOURCE ADDRESS PORT BYTES "
                        "SECONDS FLOWS\n");
        return 2;
    }
    flows = (unsigned)atoi(argv[7]);
    prepare((unsigned)atoi(argv[4]), bytes);
    receiver = bind_receiver(address, (unsigned)atoi(argv[4]));
    sender = connect_sender(argv[1], argv[2], address);
    if (receiver < 0 || sender < 0) {
        perror("crossing");
        return 1;
    }
    run(receiver, sender, atof(argv[6]));
    return 0;
}
