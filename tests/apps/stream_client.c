/* SPDX-License-Identifier: MIT */
/*
 * The host's side of apps/stream: transfers n bytes in one direction, checks
 * every one, prints the rate. Exit status 0 only if all were right.
 *   stream_client HOST PORT get|put N SEED
 */
#include "apps/stream/pattern.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static unsigned char chunk[65536];

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int descriptor = -1;

    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (struct addrinfo *at = found; at; at = at->ai_next) {
        descriptor = socket(at->ai_family, at->ai_socktype, 0);
        if (descriptor >= 0 &&
            connect(descriptor, at->ai_addr, at->ai_addrlen) == 0)
            break;
        if (descriptor >= 0)
            close(descriptor);
        descriptor = -1;
    }
    freeaddrinfo(found);
    return descriptor;
}

static bool send_all(int descriptor, const void *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes = (const char *)bytes + sent;
        length -= (size_t)sent;
    }
    return true;
}

static size_t next_size(uint64_t left)
{
    return left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
}

static bool get(int descriptor, uint64_t total, uint64_t seed)
{
    uint64_t offset = 0;

    while (offset < total) {
        ssize_t length = recv(descriptor, chunk, next_size(total - offset), 0);
        size_t matched;

        if (length <= 0) {
            printf("cut short at %llu\n", (unsigned long long)offset);
            return false;
        }
        matched = pattern_match(seed, offset, chunk, (size_t)length);
        if (matched < (size_t)length) {
            printf("bad at %llu\n", (unsigned long long)(offset + matched));
            return false;
        }
        offset += (uint64_t)length;
    }
    return true;
}

static bool put(int descriptor, uint64_t total, uint64_t seed)
{
    char reply[64] = "";
    size_t have = 0;

    for (uint64_t offset = 0; offset < total;) {
        size_t length = next_size(total - offset);

        pattern_fill(seed, offset, chunk, length);
        if (!send_all(descriptor, chunk, length)) {
            printf("cut short at %llu\n", (unsigned long long)offset);
            return false;
        }
        offset += length;
    }
    while (have < sizeof(reply) - 1 && !strchr(reply, '\n')) {
        ssize_t length =
            recv(descriptor, reply + have, sizeof(reply) - 1 - have, 0);

        if (length <= 0)
            break;
        have += (size_t)length;
        reply[have] = '\0';
    }
    if (strcmp(reply, "ok\n") != 0)
        printf("peer says: %s\n", reply);
    return strcmp(reply, "ok\n") == 0;
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    char line[64];
    uint64_t total;
    uint64_t seed;
    double start = now_seconds();
    bool is_get = argc == 6 && strcmp(argv[3], "get") == 0;
    bool is_good;
    int descriptor;

    if (argc != 6 || (!is_get && strcmp(argv[3], "put") != 0)) {
        fprintf(stderr, "usage: stream_client HOST PORT get|put N SEED\n");
        return 2;
    }
    total = strtoull(argv[4], NULL, 10);
    seed = strtoull(argv[5], NULL, 10);
    descriptor = connect_to(argv[1], argv[2]);
    if (descriptor < 0) {
        fprintf(stderr, "stream_client: cannot connect\n");
        return 1;
    }
    snprintf(line, sizeof(line), "%s %llu %llu\n", is_get ? "GET" : "PUT",
             (unsigned long long)total, (unsigned long long)seed);
    is_good =
        send_all(descriptor, line, strlen(line)) &&
        (is_get ? get(descriptor, total, seed) : put(descriptor, total, seed));
    close(descriptor);
    if (is_good)
        printf("ok %llu bytes in %.3f s, %.1f MB/s\n",
               (unsigned long long)total, now_seconds() - start,
               (double)total / 1e6 / (now_seconds() - start));
    return is_good ? 0 : 1;
}
