/* SPDX-License-Identifier: MIT */
/*
 * Loads the shared object as packetdrill does and calls every entry of its
 * table: a server, a client, a call that blocks on a second thread, silence,
 * a deadlock, datagrams, epoll.
 */
#include "tests/packetdrill/loader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONNECTION "packetdril 192.168.0.1:8080 192.0.2.1:40001 "

/* Whether the file of states has that line for the server's connection. */
static bool states_hold(const char *wanted)
{
    char text[1024];
    FILE *stream = fopen(getenv("PACKETDRILL_STATES"), "r");

    (void)now_us();
    stream = stream == NULL ? NULL : freopen(NULL, "r", stream);
    if (stream == NULL)
        return false;
    text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
    fclose(stream);
    return strstr(text, wanted) != NULL;
}

/* ---- tests --------------------------------------------------------------- */

static void test_table(void)
{
    void *slots[33];

    memcpy(slots, &t, sizeof(slots));
    for (size_t i = 0; i < 33; i++)
        check(slots[i] != NULL, "every slot is filled");
}

static void test_clock(void)
{
    long long before = now_us();
    check(now_us() == before + 1, "the clock creeps by 1 us a reading");
    before = now_us();
    check(t.usleep(u, 1000) == 0, "usleep returns 0");
    check(now_us() == before + 1021, "a sleep is 20 us longer than asked for");
}

int listen_at(uint16_t port)
{
    struct sockaddr_in local = address("192.168.0.1", port);
    int one = 1;
    int fd = t.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    check(fd >= 0 && fcntl(fd, F_GETFD) >= 0, "a socket is a real descriptor");
    check(t.setsockopt(u, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0,
          "SO_REUSEADDR is taken");
    check(t.bind(u, fd, (struct sockaddr *)&local, sizeof(local)) == 0,
          "bind to local=");
    check(t.listen(u, fd, 5) == 0, "listen");
    return fd;
}

void begin_handshake(uint16_t peer, uint16_t port, struct tcp *answer)
{
    struct tcp syn = {.flags = SYN, .from = peer, .to = port, .seq = 1000};

    check(inject(&syn) == 0, "a SYN goes in");
    check(receive(answer) && answer->flags == (SYN | ACK) &&
              answer->ack == 1001,
          "a SYN-ACK comes out");
}

void end_handshake(const struct tcp *answer)
{
    struct tcp ack = {.flags = ACK,
                      .from = answer->to,
                      .to = answer->from,
                      .seq = 1001,
                      .ack = answer->seq + 1};
    check(inject(&ack) == 0, "an ACK goes in");
}

static int accept_one(int listener)
{
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    int fd = t.accept(u, listener, (struct sockaddr *)&from, &length);

    check(fd >= 0 && fd != listener, "accept gives another descriptor");
    check(length == sizeof(from) && from.sin_family == AF_INET &&
              from.sin_port == htons(PEER) &&
              from.sin_addr.s_addr == inet_addr("192.0.2.1"),
          "accept tells the peer");
    return fd;
}

static void test_sending(int fd, struct tcp *answer)
{
    char bytes[300] = {0};
    struct iovec pieces[2] = {{bytes, 100}, {bytes, 200}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    struct tcp got;
    int one = 1;

    check(t.setsockopt(u, fd, IPPROTO_TCP, TCP_NODELAY, &one, 4) == 0,
          "TCP_NODELAY is taken");
    check(t.write(u, fd, bytes, 100) == 100, "write");
    check(receive(&got) && got.length == 100 && got.flags == (PSH | ACK) &&
              got.seq == answer->seq + 1,
          "what was written comes out");
    check(t.writev(u, fd, pieces, 2) == 300, "writev");
    check(receive(&got) && got.length == 300, "in one segment");
    check(t.send(u, fd, bytes, 50, MSG_DONTWAIT) == 50, "send");
    check(receive(&got) && got.length == 50, "and out");
    check(t.sendto(u, fd, bytes, 20, 0, NULL, 0) == 20, "sendto");
    check(receive(&got) && got.length == 20, "and out");
    check(t.sendmsg(u, fd, &message, 0) == 300, "sendmsg");
    check(receive(&got) && got.length == 300, "and out");
    long long sent = got.time_us;
    check(receive(&got) && got.seq == answer->seq + 1 &&
              got.time_us - sent >= 200000,
          "without an ACK the first comes again, with the time of sending");
    check(t.write(u, fd, NULL, 10) == -1 && errno == EFAULT,
          "a null buffer is EFAULT");
    struct tcp ack = {.flags = ACK,
                      .from = answer->to,
                      .to = answer->from,
                      .seq = 1001,
                      .ack = answer->seq + 1 + 770};
    inject(&ack);
}

static void give(const struct tcp *answer, uint32_t at, size_t length)
{
    struct tcp data = {.flags = ACK | PSH,
                       .from = answer->to,
                       .to = answer->from,
                       .seq = 1001 + at,
                       .ack = answer->seq + 1 + 770,
                       .length = length};
    struct tcp got;

    check(inject(&data) == 0, "data goes in");
    check(receive(&got) && got.ack == 1001 + at + length, "an ACK comes out");
}

static void test_receiving(int fd, const struct tcp *answer)
{
    char bytes[400];
    struct iovec pieces[2] = {{bytes, 30}, {bytes + 30, 70}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    int waiting = 0;

    give(answer, 0, 400);
    check(t.ioctl(u, fd, FIONREAD, &waiting) == 0 && waiting == 400,
          "ioctl SIOCINQ counts");
    check(t.recv(u, fd, bytes, 400, MSG_PEEK) == 400, "recv peeks");
    check(t.read(u, fd, bytes, 100) == 100, "read");
    check(t.readv(u, fd, pieces, 2) == 100, "readv");
    check(t.recvfrom(u, fd, bytes, 100, 0, NULL, NULL) == 100, "recvfrom");
    check(t.recvmsg(u, fd, &message, 0) == 100, "recvmsg");
    check(t.read(u, fd, NULL, 10) == -1 && errno == EFAULT,
          "a null buffer is EFAULT");
}

/* EPOLLET: told of each arrival, also while something is left to be read. */
static void test_edges(int fd, const struct tcp *answer)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                .data.u64 = UINT64_MAX};
    struct epoll_event got = {.events = 0};
    char bytes[20];
    int epoll = t.epoll_create(u, 1);

    check(t.epoll_ctl(u, epoll, EPOLL_CTL_ADD, fd, &event) == 0 &&
              t.epoll_wait(u, epoll, &got, 1, 0) == 1 &&
              got.events == EPOLLOUT && got.data.u64 == UINT64_MAX,
          "what is ready at first is an edge");
    check(t.epoll_wait(u, epoll, &got, 1, 0) == 0, "told once");
    for (uint32_t at = 400; at < 420; at += 10) {
        give(answer, at, 10);
        check(t.epoll_wait(u, epoll, &got, 1, 0) == 1 &&
                  got.events == (EPOLLIN | EPOLLOUT),
              "each arrival is an edge");
        check(t.epoll_wait(u, epoll, &got, 1, 0) == 0, "told once");
    }
    check(t.read(u, fd, bytes, 5) == 5 && t.read(u, fd, bytes, 20) == 15 &&
              t.epoll_wait(u, epoll, &got, 1, 0) == 0,
          "reading is none");
    event.events = EPOLLOUT;
    check(t.epoll_ctl(u, epoll, EPOLL_CTL_MOD, fd, &event) == 0 &&
              t.epoll_wait(u, epoll, &got, 1, 0) == 1 &&
              t.epoll_wait(u, epoll, &got, 1, 0) == 1,
          "without EPOLLET it is told again and again");
    check(t.epoll_ctl(u, epoll, EPOLL_CTL_DEL, fd, &event) == 0 &&
              t.epoll_ctl(u, epoll, EPOLL_CTL_DEL, fd, &event) == -1 &&
              errno == ENOENT && t.epoll_wait(u, epoll, &got, 1, 10) == 0,
          "what was taken out is not told of");
    check(t.close(u, epoll) == 0 && t.epoll_wait(u, epoll, &got, 1, 0) == -1 &&
              errno == EBADF,
          "an epoll is closed as sockets are");
}

static void test_large(int fd, const struct tcp *answer)
{
    static char bytes[65536];

    give(answer, 420, 59980);
    check(t.read(u, fd, bytes, sizeof(bytes)) == 59980,
          "a packet of 60,000 bytes is taken");
}

static void test_flags_and_waiting(int fd)
{
    struct pollfd list = {.fd = fd, .events = POLLIN | POLLOUT};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = 77};
    struct epoll_event got = {.events = 0};
    char byte;

    check(t.fcntl(u, fd, F_GETFL) == O_RDWR, "F_GETFL gives O_RDWR");
    check(t.fcntl(u, fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0, "F_SETFL");
    check(t.fcntl(u, fd, F_GETFL) == (O_RDWR | O_NONBLOCK), "and O_NONBLOCK");
    check(t.read(u, fd, &byte, 1) == -1 && errno == EAGAIN,
          "a non-blocking read says EAGAIN");
    check(t.poll(u, &list, 1, 0) == 1 && list.revents == POLLOUT, "poll");
    int epoll = t.epoll_create(u, 1);
    check(epoll >= 0, "epoll_create");
    check(t.epoll_ctl(u, epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    check(t.epoll_ctl(u, epoll, EPOLL_CTL_ADD, fd, &event) == -1 &&
              errno == EEXIST,
          "epoll_ctl refuses a second time");
    check(t.epoll_wait(u, epoll, &got, 1, 0) == 1 && got.data.u32 == 77 &&
              got.events == EPOLLOUT,
          "epoll_wait");
    check(t.epoll_wait(u, 9999, &got, 1, 0) == -1 && errno == EBADF,
          "epoll_wait of nothing is EBADF");
    check(t.fcntl(u, fd, F_SETFL, O_RDWR) == 0, "F_SETFL back");
}

static void test_refusals(int fd)
{
    int fds[2];
    int value;
    socklen_t length = sizeof(value);

    check(t.pipe(u, fds) == -1 && errno == ENOSYS, "pipe is ENOSYS");
    check(t.splice(u, fd, NULL, fd, NULL, 1, 0) == -1 && errno == ENOSYS,
          "splice is ENOSYS");
    check(t.getsockopt(u, fd, SOL_SOCKET, 9999, &value, &length) == -1 &&
              errno == ENOPROTOOPT,
          "an unknown option is ENOPROTOOPT");
    check(t.ioctl(u, fd, TIOCGWINSZ, &fds[0]) == -1 && errno == ENOTTY,
          "an unknown request is ENOTTY");
    check(t.close(u, 9999) == -1 && errno == EBADF,
          "close of nothing is EBADF");
    check(t.netdev_send(u, "x", 1) != 0, "half a packet is refused");
}

/* A call with a range of time, as packetdrill makes it. */
static struct {
    int fd;
    ssize_t result;
    long long ended_us;
    volatile int thread;
} blocked;

static void *blocked_read(void *context)
{
    char bytes[100];

    (void)context;
    blocked.thread = gettid();
    blocked.result = t.read(u, blocked.fd, bytes, sizeof(bytes));
    blocked.ended_us = now_us();
    return NULL;
}

static void wait_until_it_sleeps(void)
{
    char name[64];
    char text[512];

    for (int i = 0; i < 10000; i++) {
        (void)usleep(100);
        snprintf(name, sizeof(name), "/proc/self/task/%d/stat", blocked.thread);
        FILE *stream = blocked.thread == 0 ? NULL : fopen(name, "r");
        if (stream == NULL)
            continue;
        text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
        fclose(stream);
        const char *end = strrchr(text, ')');
        if (end != NULL && end[2] == 'S')
            return;
    }
    check(false, "a call that blocks sleeps in the kernel");
}

static void test_blocking(int fd, const struct tcp *answer)
{
    pthread_t thread;

    blocked.fd = fd;
    if (pthread_create(&thread, NULL, blocked_read, NULL) != 0)
        abort();
    wait_until_it_sleeps();
    long long begun = now_us();
    t.usleep(u, 250000);
    struct tcp data = {.flags = ACK | PSH,
                       .from = answer->to,
                       .to = answer->from,
                       .seq = 1001 + 60400,
                       .ack = answer->seq + 1 + 770,
                       .length = 40};
    inject(&data);
    t.usleep(u, 500000);
    pthread_join(thread, NULL);
    check(blocked.result == 40, "a blocked read gets what comes");
    check(blocked.ended_us - begun >= 250000 &&
              blocked.ended_us - begun < 250100,
          "its end is when the data came, though time went on");
}

static void test_silence_and_deadlock(int fd, int listener)
{
    struct tcp got;
    char byte;

    while (receive(&got)) {
    }
    check(got.length == 0, "silence ends a wait for packets with none");
    check(t.read(u, fd, &byte, 1) == -1 && errno == EDEADLK,
          "a read nobody will ever answer is EDEADLK");
    check(t.accept(u, listener, NULL, NULL) == -1 && errno == EDEADLK,
          "so is an accept");
}

static void test_closing(int fd, const struct tcp *answer)
{
    struct tcp got;
    int error = -1;
    socklen_t length = sizeof(error);

    check(t.shutdown(u, fd, SHUT_WR) == 0, "shutdown");
    check(receive(&got) && got.flags == (FIN | ACK), "a FIN comes out");
    check(states_hold(CONNECTION "FIN_WAIT_1\n"), "after it, FIN_WAIT_1");
    struct tcp rst = {.flags = RST,
                      .from = answer->to,
                      .to = answer->from,
                      .seq = 1001 + 60440};
    inject(&rst);
    check(t.getsockopt(u, fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 &&
              error == ECONNRESET,
          "SO_ERROR tells of the reset");
    check(states_hold(CONNECTION "CLOSED\n"), "what was reset is CLOSED");
    check(t.close(u, fd) == 0, "close");
    check(!states_hold(CONNECTION), "and gone once it is closed");
    check(fcntl(fd, F_GETFD) == -1, "its descriptor is closed");
}

static void test_connect(void)
{
    struct sockaddr_in remote = address("192.0.2.1", SERVER);
    struct tcp got;
    int fd = t.socket(u, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

    check(t.connect(u, fd, (struct sockaddr *)&remote, sizeof(remote)) == -1 &&
              errno == EINPROGRESS,
          "connect is under way");
    check(receive(&got) && got.flags == SYN && got.to == SERVER,
          "a SYN comes out");
    check(states_hold(":8080 SYN_SENT\n"), "the state is SYN_SENT");
    struct tcp rst = {
        .flags = RST | ACK, .from = SERVER, .to = got.from, .ack = got.seq + 1};
    inject(&rst);
    check(t.connect(u, fd, (struct sockaddr *)&remote, sizeof(remote)) == -1 &&
              errno == ECONNREFUSED,
          "the reset refuses it");
    check(t.close(u, fd) == 0, "close");
}

static void test_time_wait(int listener)
{
    struct tcp answer;
    struct tcp got;

    begin_handshake(PEER, SERVER, &answer);
    end_handshake(&answer);
    int fd = accept_one(listener);
    check(t.shutdown(u, fd, SHUT_WR) == 0 && receive(&got), "a FIN comes out");
    struct tcp fin = {.flags = FIN | ACK,
                      .from = answer.to,
                      .to = answer.from,
                      .seq = 1001,
                      .ack = answer.seq + 2};
    inject(&fin);
    check(receive(&got) && got.flags == ACK, "the peer's is acknowledged");
    check(states_hold(CONNECTION "TIME_WAIT\n") &&
              !states_hold(CONNECTION "CLOSED"),
          "TIME_WAIT, and only that, while the socket is open");
    check(t.close(u, fd) == 0 && states_hold(CONNECTION "TIME_WAIT\n"),
          "and when it is closed");
}

int main(int argc, char **argv)
{
    char states[] = "/tmp/ferrule-states-XXXXXX";
    struct tcp answer;

    if (argc != 2 || mkstemp(states) < 0)
        return 2;
    setenv("PACKETDRILL_STATES", states, 1);
    alarm(30);
    load(argv[1]);
    loader_edges();
    start("local=192.168.0.1 net.ipv4.tcp_timestamps=0 net.tcp_sack=1");
    test_table();
    test_clock();
    int listener = listen_at(SERVER);
    begin_handshake(PEER, SERVER, &answer);
    check(states_hold(CONNECTION "SYN_RCVD\n"),
          "the file of states shows what is half open");
    end_handshake(&answer);
    int fd = accept_one(listener);
    check(states_hold(CONNECTION "ESTABLISHED\n") && !states_hold("SYN_RCVD"),
          "and the connection");
    test_sending(fd, &answer);
    test_receiving(fd, &answer);
    test_edges(fd, &answer);
    test_large(fd, &answer);
    test_flags_and_waiting(fd);
    test_refusals(fd);
    test_blocking(fd, &answer);
    test_silence_and_deadlock(fd, listener);
    test_closing(fd, &answer);
    test_connect();
    test_time_wait(listener);
    check(t.close(u, listener) == 0, "close of the listener");
    t.free(u);
    unlink(states);
    return check_report();
}
