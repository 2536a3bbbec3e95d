/* SPDX-License-Identifier: MIT */
/*
 * The TAP port: the seam (net/platform.h) for a Linux process, so that the
 * stack and one app run on a TAP device in real time, under gdb, sanitizers
 * or perf. One thread: softirqs run when the app unlocks or idles. Started by
 * `make hosted`; the app's socket calls arrive through tap_calls.c.
 */
#include "tests/host/tap_platform.h"

#include "net/link/netif.h"
#include "net/net.h"
#include "net/net_host.h"
#include "net/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    POOL_BYTES = 64 << 20, /* what a 64 MiB machine has, roughly */
};

static struct {
    int tap;
    bool locked;
    bool receive_pending;
    uint64_t start_ns;
    size_t pool_used;
    enum platform_log_level loudest;
    struct netif netif;
    uint64_t rx_no_memory;
    uint64_t tx_errors;
} port = {.tap = -1, .loudest = PLATFORM_INFO};

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t platform_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC) - port.start_ns;
}

uint64_t platform_cycles(void)
{
    return platform_now_ns();
}

/* Whether a frame waits, or arrives within `timeout_ns`. */
static bool tap_wait(uint64_t timeout_ns)
{
    struct pollfd poll_tap = {.fd = port.tap, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
                               .tv_nsec = (long)(timeout_ns % NS_PER_S)};

    return ppoll(&poll_tap, 1, &timeout, NULL) > 0;
}

/* One round of softirqs, as the kernel would run them. */
static void run_softirqs(void)
{
    uint64_t now_ns = platform_now_ns();

    if (tap_wait(0))
        netif_schedule(&port.netif);
    if (net_next_deadline() <= now_ns)
        net_timer_softirq(now_ns);
    if (port.receive_pending) {
        port.receive_pending = false;
        if (net_receive_softirq(now_ns))
            port.receive_pending = true;
    }
}

void platform_lock(void)
{
    ASSERT(!port.locked);
    port.locked = true;
}

void platform_unlock(void)
{
    ASSERT(port.locked);
    port.locked = false;
    run_softirqs();
}

void platform_idle(uint64_t deadline_ns)
{
    uint64_t until_ns = net_next_deadline();
    uint64_t now_ns = platform_now_ns();
    uint64_t wait_ns = NS_PER_S;

    ASSERT(port.locked);
    port.locked = false;
    if (deadline_ns < until_ns)
        until_ns = deadline_ns;
    if (until_ns <= now_ns)
        wait_ns = 0;
    else if (until_ns - now_ns < wait_ns)
        wait_ns = until_ns - now_ns;
    if (!port.receive_pending && wait_ns > 0)
        (void)tap_wait(wait_ns);
    run_softirqs();
    port.locked = true;
}

void platform_raise_receive(void)
{
    port.receive_pending = true;
}

void platform_random(void *bytes, size_t length)
{
    uint8_t *next = bytes;

    while (length > 0) {
        size_t part = length < 256 ? length : 256;
        if (getrandom(next, part, 0) != (ssize_t)part)
            abort();
        next += part;
        length -= part;
    }
}

void platform_log(enum platform_log_level level, const char *part,
                  const char *format, ...)
{
    uint64_t now_us = platform_now_ns() / NS_PER_US;
    va_list arguments;

    if (level > port.loudest)
        return;
    fprintf(stderr,
            "[%5llu.%06llu] %s: ", (unsigned long long)(now_us / 1000000),
            (unsigned long long)(now_us % 1000000), part);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void *platform_memory(size_t bytes, size_t alignment)
{
    void *memory = NULL;

    if (bytes > POOL_BYTES - port.pool_used)
        return NULL;
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    if (posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    port.pool_used += bytes;
    return memset(memory, 0, bytes);
}

void *platform_memory_untouched(size_t bytes, size_t alignment)
{
    return platform_memory(bytes, alignment);
}

size_t platform_memory_size(void)
{
    return POOL_BYTES;
}

void platform_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "assertion failed: %s (%s:%d)\n", condition, file, line);
    abort();
}

/* --- the TAP device as a NIC -------------------------------------------- */

static void tap_transmit(struct netif *netif, struct packet *packet)
{
    (void)netif;
    ASSERT(packet->fragment_count == 0);
    if (write(port.tap, packet->data, packet->length) < 0)
        port.tx_errors++;
    packet_free(packet);
}

static void tap_kick(struct netif *netif)
{
    (void)netif; /* nothing was held back */
}

static size_t tap_poll(struct netif *netif, size_t budget)
{
    size_t received = 0;

    while (received < budget) {
        struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);
        ssize_t length;

        if (packet == NULL) {
            port.rx_no_memory++;
            break;
        }
        length = read(port.tap, packet->data, packet_tailroom(packet));
        if (length <= 0) {
            packet_free(packet);
            break;
        }
        packet_append(packet, (size_t)length);
        packet->netif = netif;
        packet->time_ns = platform_now_ns();
        netif_receive(netif, packet);
        received++;
    }
    return received;
}

static void tap_statistics(struct netif *netif,
                           void (*visit)(void *context, const char *name,
                                         uint64_t value),
                           void *context)
{
    (void)netif;
    visit(context, "rx_no_memory", port.rx_no_memory);
    visit(context, "tx_errors", port.tx_errors);
}

static const struct netif_operations tap_operations = {
    .transmit = tap_transmit,
    .kick = tap_kick,
    .poll = tap_poll,
    .statistics = tap_statistics,
};

static int tap_open(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

    if (tap < 0) {
        perror("hosted: /dev/net/tun");
        return -1;
    }
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(tap, TUNSETIFF, &request) < 0) {
        fprintf(stderr, "hosted: TAP device '%s': %s\n", name, strerror(errno));
        close(tap);
        return -1;
    }
    return tap;
}

/* NAME=VALUE */
static bool set(const char *word)
{
    const char *value = strchr(word, '=');
    char name[64];

    if (value == NULL || (size_t)(value - word) >= sizeof(name))
        return false;
    memcpy(name, word, (size_t)(value - word));
    name[value - word] = '\0';
    if (net_set(name, value + 1) == 0)
        return true;
    fprintf(stderr, "hosted: no setting net.%s\n", word);
    return false;
}

int tap_platform_start(const struct tap_settings *settings)
{
    port.start_ns = clock_ns(CLOCK_MONOTONIC);
    port.loudest = settings->verbose ? PLATFORM_DEBUG : PLATFORM_INFO;
    port.tap = tap_open(settings->tap);
    if (port.tap < 0)
        return -1;
    if (net_init(platform_now_ns()) != 0)
        return -1;
    net_host_init();

    port.netif.operations = &tap_operations;
    port.netif.address = (struct ethernet_address){{2, 0x66, 0x65, 0, 0, 1}};
    port.netif.mtu = ETHERNET_MTU;
    port.netif.link_up = true;
    if (netif_register(&port.netif) != 0)
        return -1;
    for (size_t i = 0; i < settings->word_count; i++) {
        const char *word = settings->words[i];
        if (strncmp(word, "net.", 4) == 0 && !set(word + 4))
            return -1;
        if (strncmp(word, "ip=", 3) == 0 && net_configure_ip(word + 3) != 0)
            return -1;
    }
    net_start(platform_now_ns());
    return 0;
}
