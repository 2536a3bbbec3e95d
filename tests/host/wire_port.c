/* SPDX-License-Identifier: MIT */
/*
 * Descriptors, buffers and the framing of the stream. A TAP gives one frame a
 * read, so its input buffer holds one frame; a stream gives many.
 */
#include "tests/host/wire_port.h"

#include "tests/host/wire_queue.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { STREAM_HEADER = 4 };

static_assert(WIRE_INPUT_BYTES >= 2 * (WIRE_FRAME_MAX + STREAM_HEADER),
              "a frame always fits behind a part of another");

static bool complain(const char *name, const char *what)
{
    fprintf(stderr, "wire: %s: %s: %s\n", name, what, strerror(errno));
    return false;
}

static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool open_tap(struct wire_port *port, const char *interface)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (strlen(interface) >= sizeof(request.ifr_name)) {
        errno = ENAMETOOLONG;
        return complain(port->name, "interface name");
    }
    if (if_nametoindex(interface) == 0) {
        return complain(port->name, "no such interface");
    }
    strcpy(request.ifr_name, interface);
    port->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (port->fd < 0) {
        return complain(port->name, "/dev/net/tun");
    }
    if (ioctl(port->fd, TUNSETIFF, &request) < 0) {
        return complain(port->name, "cannot attach to the interface");
    }
    return true;
}

static bool open_stream(struct wire_port *port, const char *path,
                        bool is_listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return complain(port->name, "socket path");
    }
    strcpy(address.sun_path, path);
    port->is_stream = true;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return complain(port->name, "socket");
    }
    if (is_listening) {
        unlink(path);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(fd, 1) < 0) {
            return complain(port->name, "cannot listen");
        }
        port->listener = fd;
        return true;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        return complain(port->name, "cannot connect");
    }
    port->fd = fd;
    return set_nonblocking(fd) || complain(port->name, "O_NONBLOCK");
}

bool wire_port_open(struct wire_port *port, const char *name)
{
    const char *colon = strchr(name, ':');
    size_t kind = colon == NULL ? 0 : (size_t)(colon - name);

    port->name = name;
    port->fd = -1;
    port->listener = -1;
    if (colon != NULL && colon[1] != '\0') {
        if (kind == 3 && strncmp(name, "tap", kind) == 0) {
            return open_tap(port, colon + 1);
        }
        if (kind == 6 && strncmp(name, "listen", kind) == 0) {
            return open_stream(port, colon + 1, true);
        }
        if (kind == 7 && strncmp(name, "connect", kind) == 0) {
            return open_stream(port, colon + 1, false);
        }
    }
    fprintf(stderr,
            "wire: '%s' is not a port: say tap:NAME, listen:PATH or "
            "connect:PATH\n",
            name);
    return false;
}

bool wire_port_accept(struct wire_port *port)
{
    if (port->listener < 0) {
        return true;
    }
    port->fd =
        accept4(port->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (port->fd < 0) {
        return errno != EINTR ? complain(port->name, "accept") : false;
    }
    close(port->listener);
    port->listener = -1;
    return true;
}

static size_t announced_length(const uint8_t *header)
{
    return (size_t)header[0] << 24 | (size_t)header[1] << 16 |
           (size_t)header[2] << 8 | header[3];
}

bool wire_port_fill(struct wire_port *port)
{
    size_t kept = port->input_end - port->input_start;
    if (port->input_start > 0) {
        memmove(port->input, port->input + port->input_start, kept);
    }
    port->input_start = 0;
    port->input_end = kept;
    ssize_t got =
        read(port->fd, port->input + kept, sizeof(port->input) - kept);
    if (got < 0) {
        /* EIO: the interface is down, and may come back. */
        return errno == EAGAIN || errno == EINTR || errno == EIO;
    }
    port->input_end += (size_t)got;
    if (port->is_stream && port->input_end >= STREAM_HEADER &&
        announced_length(port->input) > WIRE_FRAME_MAX) {
        fprintf(stderr, "wire: %s: the peer announces a frame of %zu bytes\n",
                port->name, announced_length(port->input));
        return false;
    }
    return got > 0;
}

bool wire_port_has_frame(const struct wire_port *port)
{
    size_t there = port->input_end - port->input_start;
    if (!port->is_stream) {
        return there > 0;
    }
    return there >= STREAM_HEADER &&
           there - STREAM_HEADER >=
               announced_length(port->input + port->input_start);
}

uint8_t *wire_port_next(struct wire_port *port, size_t *length)
{
    if (!wire_port_has_frame(port)) {
        return NULL;
    }
    uint8_t *start = port->input + port->input_start;
    if (!port->is_stream) {
        *length = port->input_end - port->input_start;
        port->input_start = port->input_end;
        return start;
    }
    *length = announced_length(start);
    port->input_start += STREAM_HEADER + *length;
    return start + STREAM_HEADER;
}

bool wire_port_can_send(const struct wire_port *port)
{
    return !port->is_stream || sizeof(port->output) - port->output_end >=
                                   STREAM_HEADER + WIRE_FRAME_MAX;
}

void wire_port_send(struct wire_port *port, const uint8_t *bytes, size_t length)
{
    if (!port->is_stream) {
        if (write(port->fd, bytes, length) != (ssize_t)length) {
            port->refused++;
        }
        return;
    }
    uint8_t *end = port->output + port->output_end;
    end[0] = (uint8_t)(length >> 24);
    end[1] = (uint8_t)(length >> 16);
    end[2] = (uint8_t)(length >> 8);
    end[3] = (uint8_t)length;
    memcpy(end + STREAM_HEADER, bytes, length);
    port->output_end += STREAM_HEADER + length;
}

bool wire_port_flush(struct wire_port *port)
{
    while (wire_port_is_waiting(port)) {
        ssize_t put = send(port->fd, port->output + port->output_start,
                           port->output_end - port->output_start, MSG_NOSIGNAL);
        if (put < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                return false;
            }
            break;
        }
        port->output_start += (size_t)put;
    }
    size_t kept = port->output_end - port->output_start;
    if (port->output_start > 0) {
        memmove(port->output, port->output + port->output_start, kept);
    }
    port->output_start = 0;
    port->output_end = kept;
    return true;
}

bool wire_port_is_waiting(const struct wire_port *port)
{
    return port->output_end > port->output_start;
}
