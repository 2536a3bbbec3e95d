/* SPDX-License-Identifier: MIT */
/*
 * What one table cannot show: flags of all kinds, the ends of a process, the
 * end of a script. Each claim is looked at in a process of its own, because
 * the object serves one script a process.
 */
#include "tests/packetdrill/loader.h"
#include "tests/script/lan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    EXIT_FLAGS = 2,
    EXIT_CHECKSUM = 3,
    PATIENCE_US = 130000000,
};

/* The status `run` ends with in a process of its own; what it said on
 * standard error goes to `said`. */
static int process(void (*run)(const void *context), const void *context,
                   char said[256])
{
    int pipes[2];
    int status;
    size_t length = 0;
    ssize_t got;

    fflush(stdout);
    if (pipe(pipes) != 0)
        abort();
    pid_t id = fork();
    if (id == 0) {
        alarm(30);
        dup2(pipes[1], STDERR_FILENO);
        run(context);
        exit(0);
    }
    close(pipes[1]);
    while ((got = read(pipes[0], said + length, 255 - length)) > 0)
        length += (size_t)got;
    close(pipes[0]);
    said[length] = '\0';
    if (id < 0 || waitpid(id, &status, 0) != id || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* A process that ends well. */
static void alone(void (*run)(const void *context), const char *claim)
{
    char said[256];

    check(process(run, NULL, said) == 0 && said[0] == '\0', claim);
}

/* ---- flags --------------------------------------------------------------- */

static void start_with(const void *flags)
{
    start(flags);
}

static void test_words(void)
{
    static const struct {
        const char *flags;
        const char *word; /* NULL: all are understood */
    } cases[] = {
        {"", NULL},
        {"  net.tcp_sack=1   net.ipv4.tcp_ecn=0 ", NULL},
        {"local=10.1.2.3", NULL},
        {"loca=10.1.2.3", "loca=10.1.2.3"},
        {"net.tcp_sack=1 sack", "sack"},
        {"net.tcp_sack", "net.tcp_sack"},
        {"net.tcp_sack=7", "net.tcp_sack=7"},
        {"net.tcp_no_such=1", "net.tcp_no_such=1"},
        {"local=nowhere", "local=nowhere"},
        {"local=10.1.2.3.4", "local=10.1.2.3.4"},
        {"local=10.1.2.300", "local=10.1.2.300"},
        {"local=fd3d:0a0b:17d6::1", "local=fd3d:0a0b:17d6::1"},
    };
    char said[256];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *word = cases[i].word;
        int status = process(start_with, cases[i].flags, said);
        if (word == NULL)
            check(status == 0 && said[0] == '\0', cases[i].flags);
        else
            check(status == EXIT_FLAGS && strstr(said, word) != NULL, word);
    }
}

/* ---- checksums ----------------------------------------------------------- */

static void spoil(size_t at)
{
    struct lan *lan = u;

    lan->first->bytes[at] ^= 1;
}

static void spoil_segment(const void *at)
{
    struct sockaddr_in remote = address("192.0.2.1", SERVER);
    struct tcp got;

    start(NULL);
    int fd = t.socket(u, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)t.connect(u, fd, (struct sockaddr *)&remote, sizeof(remote));
    t.usleep(u, 1000);
    spoil(*(const size_t *)at);
    (void)receive(&got);
}

static void spoil_datagram(const void *at)
{
    struct sockaddr_in remote = address("192.0.2.1", SERVER);
    struct tcp got;

    start(NULL);
    int fd = t.socket(u, AF_INET, SOCK_DGRAM, 0);
    (void)t.sendto(u, fd, "abc", 3, 0, (struct sockaddr *)&remote,
                   sizeof(remote));
    t.usleep(u, 1000);
    spoil(*(const size_t *)at);
    (void)receive(&got);
}

static void test_checksums(void)
{
    const size_t ttl = 8, sequence = 24, text = 30;
    char said[256];

    check(process(spoil_segment, &ttl, said) == EXIT_CHECKSUM &&
              strstr(said, "IPv4") != NULL,
          "a wrong IPv4 checksum ends the tool with 3");
    check(process(spoil_segment, &sequence, said) == EXIT_CHECKSUM &&
              strstr(said, "TCP") != NULL,
          "so does a wrong one of TCP");
    check(process(spoil_datagram, &text, said) == EXIT_CHECKSUM &&
              strstr(said, "UDP") != NULL,
          "and of UDP");
}

/* ---- sockets ------------------------------------------------------------- */

static void ipv6(const void *context)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                               .sin6_port = htons(SERVER)};
    static const uint8_t packet[40] = {0x60, [6] = 59, [7] = 64};

    (void)context;
    start(NULL);
    check(t.socket(u, AF_INET6, SOCK_STREAM, IPPROTO_TCP) == -1 &&
              errno == EAFNOSUPPORT,
          "a socket of IPv6 is refused");
    int fd = t.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(t.bind(u, fd, (struct sockaddr *)&in6, sizeof(in6)) == -1 &&
              errno == EAFNOSUPPORT,
          "an address of IPv6 is refused by bind");
    check(t.connect(u, fd, (struct sockaddr *)&in6, sizeof(in6)) == -1 &&
              errno == EAFNOSUPPORT,
          "and by connect");
    check(t.netdev_send(u, packet, sizeof(packet)) != 0,
          "a packet of IPv6 is an error");
}

static void any_address(const void *context)
{
    struct sockaddr_in any = address("0.0.0.0", SERVER);
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    struct tcp answer;

    (void)context;
    start("local=192.168.0.1");
    int listener = t.socket(
        u, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    check(t.fcntl(u, listener, F_GETFL) == (O_RDWR | O_NONBLOCK),
          "the type may ask for O_NONBLOCK");
    check(t.bind(u, listener, (struct sockaddr *)&any, sizeof(any)) == 0 &&
              t.listen(u, listener, 1) == 0,
          "0.0.0.0 is bound to");
    check(t.accept(u, listener, NULL, NULL) == -1 && errno == EAGAIN,
          "and accept does not wait");
    begin_handshake(PEER, SERVER, &answer);
    end_handshake(&answer);
    int fd = t.accept(u, listener, (struct sockaddr *)&from, &length);
    check(fd >= 0 && from.sin_port == htons(PEER), "but finds who came");
}

static size_t datagram(uint16_t *from)
{
    uint8_t packet[65536];
    size_t length = sizeof(packet);
    long long time_us;

    if (t.netdev_receive(u, packet, &length, &time_us) != 0 || length < 28 ||
        packet[9] != IPPROTO_UDP)
        return 0;
    *from = (uint16_t)(packet[20] << 8 | packet[21]);
    return length - 28;
}

static void datagrams(const void *context)
{
    struct sockaddr_in local = address("192.168.0.1", 5000);
    struct sockaddr_in remote = address("192.0.2.1", 5001);
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    char bytes[100] = {0};
    uint16_t port;

    (void)context;
    start(NULL);
    int fd = t.socket(u, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    check(t.bind(u, fd, (struct sockaddr *)&local, sizeof(local)) == 0,
          "bind of a datagram socket");
    check(t.sendto(u, fd, bytes, 40, 0, (struct sockaddr *)&remote,
                   sizeof(remote)) == 40 &&
              datagram(&port) == 40 && port == 5000,
          "a datagram goes out");
    check(inject_datagram(5001, 5000, 60) == 0 &&
              t.recvfrom(u, fd, bytes, sizeof(bytes), 0,
                         (struct sockaddr *)&from, &length) == 60 &&
              from.sin_port == htons(5001),
          "and one comes in, with its sender");
    check(t.connect(u, fd, (struct sockaddr *)&remote, sizeof(remote)) == 0 &&
              t.write(u, fd, bytes, 20) == 20 && datagram(&port) == 20,
          "a connected one is written to");
    check(t.read(u, fd, bytes, 1) == -1 && errno == EDEADLK,
          "and a read nobody will answer is EDEADLK");
}

/* Longer than a frame: out in fragments, whose checksum is the whole's; in as
 * one packet. */
static void long_datagrams(const void *context)
{
    struct sockaddr_in local = address("192.168.0.1", 5000);
    struct sockaddr_in remote = address("192.0.2.1", 5001);
    static char bytes[65536];
    size_t length = sizeof(bytes);
    long long time_us;

    (void)context;
    start(NULL);
    int fd = t.socket(u, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    (void)t.bind(u, fd, (struct sockaddr *)&local, sizeof(local));
    check(t.sendto(u, fd, bytes, 4000, 0, (struct sockaddr *)&remote,
                   sizeof(remote)) == 4000,
          "a datagram of 4,000 bytes is sent");
    for (int i = 0; i < 3; i++, length = sizeof(bytes))
        check(t.netdev_receive(u, bytes, &length, &time_us) == 0 &&
                  length > 1000 && length <= 1500,
              "in three fragments");
    for (size_t i = 1500; i <= 65507; i += 64007)
        check(inject_datagram(5001, 5000, i) == 0 &&
                  t.read(u, fd, bytes, sizeof(bytes)) == (ssize_t)i,
              "a datagram of any length comes in");
}

/* Two connections of two listeners, in turns. */
static void several(const void *context)
{
    int listeners[2] = {0};
    int fds[2];
    struct tcp answers[2];
    char bytes[64];

    (void)context;
    start("net.tcp_timestamps=0");
    for (uint16_t i = 0; i < 2; i++) {
        listeners[i] = listen_at((uint16_t)(SERVER + i));
        begin_handshake((uint16_t)(PEER + i), (uint16_t)(SERVER + i),
                        &answers[i]);
    }
    for (int i = 1; i >= 0; i--) {
        end_handshake(&answers[i]);
        fds[i] = t.accept(u, listeners[i], NULL, NULL);
    }
    check(fds[0] >= 0 && fds[1] >= 0 && fds[0] != fds[1], "two are accepted");
    for (size_t i = 0; i < 2; i++) {
        struct tcp data = {.flags = ACK | PSH,
                           .from = answers[i].to,
                           .to = answers[i].from,
                           .seq = 1001,
                           .ack = answers[i].seq + 1,
                           .length = 10 + i};
        inject(&data);
    }
    check(t.read(u, fds[1], bytes, sizeof(bytes)) == 11 &&
              t.read(u, fds[0], bytes, sizeof(bytes)) == 10,
          "each gets its own");
}

/* ---- time and the end ---------------------------------------------------- */

static void silence(const void *context)
{
    struct sockaddr_in remote = address("192.0.2.1", SERVER);
    struct tcp got;

    (void)context;
    start(NULL);
    long long before = now_us();
    check(!receive(&got) && got.length == 0, "silence is no packet");
    long long waited = now_us() - before;
    check(waited >= PATIENCE_US && waited < PATIENCE_US + 1000,
          "after 130 s of virtual time");
    int fd = t.socket(u, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
    before = now_us();
    (void)t.connect(u, fd, (struct sockaddr *)&remote, sizeof(remote));
    t.usleep(u, 10000000);
    check(receive(&got) && got.time_us - before < 100 && receive(&got) &&
              got.time_us - before < 2000000,
          "what was sent in a sleep keeps its time");
    fd = t.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(t.connect(u, fd, (struct sockaddr *)&remote, sizeof(remote)) == -1 &&
              (errno == ETIMEDOUT || errno == EDEADLK),
          "a connect that waits for nobody ends");
}

static void longest(const void *context)
{
    static char bytes[65536];
    struct tcp answer;
    struct tcp data;

    (void)context;
    start("net.tcp_timestamps=0");
    int listener = listen_at(SERVER);
    begin_handshake(PEER, SERVER, &answer);
    end_handshake(&answer);
    int fd = t.accept(u, listener, NULL, NULL);
    data = (struct tcp){.flags = ACK | PSH,
                        .from = answer.to,
                        .to = answer.from,
                        .seq = 1001,
                        .ack = answer.seq + 1,
                        .length = 65495};
    check(inject(&data) == 0 && t.read(u, fd, bytes, sizeof(bytes)) == 65495,
          "a packet of 65,535 bytes is taken");
}

/* As packetdrill leaves what a script left open: a reset for each connection,
 * close(2), and only then free. */
static void teardown(const void *context)
{
    struct tcp answer;
    struct tcp got;

    (void)context;
    start("net.tcp_timestamps=0");
    int listener = listen_at(SERVER);
    begin_handshake(PEER, SERVER, &answer);
    end_handshake(&answer);
    int fd = t.accept(u, listener, NULL, NULL);
    struct tcp rst = {.flags = RST | ACK,
                      .from = PEER,
                      .to = SERVER,
                      .seq = 1001,
                      .ack = answer.seq + 1};
    check(inject(&rst) == 0 && !receive(&got), "the reset is not answered");
    check(close(fd) == 0 && close(listener) == 0,
          "what is left open can be closed by close(2)");
    t.free(u);
}

void loader_edges(void)
{
    test_words();
    test_checksums();
    alone(ipv6, "IPv6");
    alone(any_address, "no address");
    alone(datagrams, "datagrams");
    alone(long_datagrams, "long datagrams");
    alone(several, "several sockets");
    alone(silence, "silence");
    alone(longest, "the longest packet");
    alone(teardown, "the end of a script");
}
