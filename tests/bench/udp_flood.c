/* SPDX-License-Identifier: MIT */
/*
 * A flood of the smallest frames there are (60 bytes), as fast as this
 * processor sends them, or at a rate. Nothing is awaited.
 *   udp_flood ADDRESS PORT SECONDS [PACKETS_PER_SECOND]
 * prints how many a second were sent.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, PAYLOAD = 18 };

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_flood(const char *address, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)port)};
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);

    if (descriptor < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(descriptor, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        perror("udp_flood");
        exit(1);
    }
    return descriptor;
}

/* An answer "port unreachable" is an error of the next send: it is sent again
 * with the following. */
static double flood(int descriptor, double seconds, double rate)
{
    static char payload[PAYLOAD];
    struct iovec part = {payload, sizeof(payload)};
    struct mmsghdr messages[BATCH];
    double start = now();
    double sent = 0;

    memset(messages, 0, sizeof(messages));
    for (int i = 0; i < BATCH; i++) {
        messages[i].msg_hdr.msg_iov = &part;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (;;) {
        double passed = now() - start;

        if (passed >= seconds)
            return sent / passed;
        if (rate > 0 && sent > passed * rate) {
            const struct timespec rest = {.tv_nsec = 100000};
            nanosleep(&rest, NULL);
            continue;
        }
        int count = sendmmsg(descriptor, messages, BATCH, 0);
        if (count > 0)
            sent += count;
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: udp_flood ADDRESS PORT SECONDS [RATE]\n");
        return 2;
    }
    printf("%.0f packets/s\n",
           flood(open_flood(argv[1], atoi(argv[2])), atof(argv[3]),
                 argc > 4 ? atof(argv[4]) : 0));
    return 0;
}
