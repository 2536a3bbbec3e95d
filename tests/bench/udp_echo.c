/* SPDX-License-Identifier: MIT */
/*
 * UDP echo, closed loop: keeps WINDOW datagrams under way and counts those
 * that come back, so a slow guest is never flooded. What is lost is replaced
 * when nothing has come for 100 ms.
 *   udp_echo ADDRESS PORT SECONDS     prints echoes per second and losses
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW = 64,
    PAYLOAD = 18 /* a frame of 60 bytes, the smallest there is */
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void send_many(int descriptor, int wanted)
{
    static char payload[PAYLOAD];
    struct iovec part = {payload, sizeof(payload)};
    struct mmsghdr messages[WINDOW];
    int sent = 0;

    memset(messages, 0, sizeof(messages));
    for (int i = 0; i < wanted; i++) {
        messages[i].msg_hdr.msg_iov = &part;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (sent < wanted) {
        int count =
            sendmmsg(descriptor, messages + sent, (unsigned)(wanted - sent), 0);

        if (count <= 0)
            return;
        sent += count;
    }
}

static int receive_many(int descriptor)
{
    static char bytes[WINDOW][PAYLOAD];
    struct iovec parts[WINDOW];
    struct mmsghdr messages[WINDOW];
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};

    if (poll(&ready, 1, 100) <= 0)
        return 0;
    memset(messages, 0, sizeof(messages));
    for (int i = 0; i < WINDOW; i++) {
        parts[i] = (struct iovec){bytes[i], PAYLOAD};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return recvmmsg(descriptor, messages, WINDOW, MSG_DONTWAIT, NULL);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    unsigned long echoes = 0;
    unsigned long losses = 0;
    double start;
    double length;

    if (argc != 4 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: udp_echo ADDRESS PORT SECONDS\n");
        return 2;
    }
    address.sin_port = htons((unsigned short)atoi(argv[2]));
    length = atof(argv[3]);
    if (descriptor < 0 ||
        connect(descriptor, (struct sockaddr *)&address, sizeof(address)))
        return 1;
    start = now();
    send_many(descriptor, WINDOW);
    while (now() - start < length) {
        int count = receive_many(descriptor);

        if (count > 0) {
            echoes += (unsigned long)count;
            send_many(descriptor, count);
        } else {
            losses += WINDOW;
            send_many(descriptor, WINDOW);
        }
    }
    printf("%.0f echoes/s, %lu lost\n", (double)echoes / (now() - start),
           losses);
    close(descriptor);
    return 0;
}
