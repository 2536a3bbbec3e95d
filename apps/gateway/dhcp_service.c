/* SPDX-License-Identifier: MIT */
/*
 * Port 67, bound to the LAN's interface: what arrives elsewhere is not heard,
 * and broadcasts leave there alone. At most so many lines a second are
 * logged: a flood of clients must not fill the console.
 */
#include "dhcp_service.h"

#include "apps/httpd/clock.h"
#include "apps/httpd/loop.h"
#include "dhcp_message.h"
#include "log.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MESSAGES_PER_TURN = 32,
    RECEIVE_SIZE = 1500,
    LINES_PER_SECOND = 20,
};

static const struct dhcp_server *service;
static struct watch watch;
static uint8_t message[RECEIVE_SIZE];
static uint8_t reply[DHCP_MESSAGE_MAX];
static uint64_t line_second;
static unsigned lines, lines_left_out;

static bool may_log(uint64_t now_s)
{
    if (now_s != line_second) {
        if (lines_left_out > 0)
            log_line(LOG_WARNING, "dhcp", "%u more lines left out",
                     lines_left_out);
        line_second = now_s;
        lines = lines_left_out = 0;
    }
    if (lines < LINES_PER_SECOND) {
        lines++;
        return true;
    }
    lines_left_out++;
    return false;
}

static void log_event(const struct dhcp_event *event, uint64_t now_s)
{
    const char *host = event->lease != NULL ? event->lease->host : "";

    if (event->what == NULL || !may_log(now_s))
        return;
    if (event->why != NULL)
        log_line(LOG_WARNING, "dhcp", "%s %s %s: %s", event->what,
                 log_address(event->address), log_hardware(event->hardware),
                 event->why);
    else
        log_line(LOG_INFORMATIONAL, "dhcp", "%s %s %s %s", event->what,
                 log_address(event->address), log_hardware(event->hardware),
                 host);
}

static void ready(struct watch *ready_watch)
{
    uint64_t now_s = clock_ms() / 1000;

    for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET};
        struct dhcp_event event;
        uint32_t address;
        uint16_t port;
        ssize_t length = recv(ready_watch->descriptor, message, sizeof(message),
                              MSG_DONTWAIT);
        size_t answer;

        if (length < 0)
            return;
        answer = dhcp_server_answer(service, message, (size_t)length, now_s,
                                    reply, &address, &port, &event);
        log_event(&event, now_s);
        if (answer == 0)
            continue;
        to.sin_addr.s_addr = htonl(address);
        to.sin_port = htons(port);
        (void)sendto(ready_watch->descriptor, reply, answer, MSG_DONTWAIT,
                     (struct sockaddr *)&to, sizeof(to));
    }
}

bool dhcp_service_start(const struct dhcp_server *server, const char *device)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(DHCP_SERVER_PORT)};
    int on = 1;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return false;
    service = server;
    watch.descriptor = descriptor;
    watch.ready = ready;
    if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, device,
                   (socklen_t)strlen(device) + 1) == 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) ==
            0 &&
        bind(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        loop_watch(&watch, LOOP_READ))
        return true;
    close(descriptor);
    return false;
}
