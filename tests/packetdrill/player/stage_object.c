/* SPDX-License-Identifier: MIT */
/*
 * A script before the shared object: loaded, waited for and listened to as
 * packetdrill does it. The object's path is in PACKETDRILL_SO.
 *
 * packetdrill cannot ask whether a packet is there, only for the next one,
 * however late it comes. One that comes too late is kept for the next look.
 */
#include "tests/packetdrill/player/object.h"
#include "tests/script/flow.h"
#include "tests/script/stage.h"

#include "net/limits.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    EXIT_NO_OBJECT = 2,
    PACKET_MAX = 65536,
    FLAGS_MAX = 4096,
    SPIN_US = 20, /* packetdrill stops sleeping so long before an event */
    SLEEP_MAX_US = 1000 * 1000 * 1000,
    PATIENCE_US = 130 * 1000 * 1000, /* of the object's netdev_receive */
};

struct packetdrill_interface object;

static struct stage_packet *early; /* what came after the last look's end */
static char states_path[64];

const char *stage_lacks(const struct script *script)
{
    for (const struct event *event = script->events; event != NULL;
         event = event->next) {
        if (event->kind == EVENT_CHECK &&
            strstr(event->text, "counter(") != NULL)
            return "counter()";
        if (event->kind == EVENT_EXPECT && event->time == TIME_RELATIVE &&
            event->from_us > PATIENCE_US)
            return "a packet after more than 130 s of silence";
    }
    return NULL;
}

/* A file of no folder, into which the object writes its connections. */
static void name_states(void)
{
    int fd = memfd_create("states", 0);

    snprintf(states_path, sizeof(states_path), "/proc/self/fd/%d", fd);
    if (fd < 0 || setenv("PACKETDRILL_STATES", states_path, 1) != 0)
        abort();
}

const char *stage_start(const struct script *script)
{
    const char *path = getenv("PACKETDRILL_SO");
    char flags[FLAGS_MAX] = "local=192.168.0.1";
    void *library = path == NULL
                        ? NULL
                        : dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE |
                                           RTLD_DEEPBIND);
    void (*init)(const char *, struct packetdrill_interface *) = NULL;

    if (library != NULL)
        *(void **)&init = dlsym(library, "packetdrill_interface_init");
    if (init == NULL) {
        fprintf(stderr, "PACKETDRILL_SO must name the shared object: %s\n",
                path == NULL ? "it is not set" : dlerror());
        _exit(EXIT_NO_OBJECT);
    }
    for (size_t i = 0; i < script->setting_count; i++) {
        size_t used = strlen(flags);
        snprintf(flags + used, sizeof(flags) - used, " net.%s",
                 script->settings[i]);
    }
    name_states();
    init(flags, &object);
    return NULL;
}

void stage_capture(const char *file)
{
    fprintf(stderr, "%s is not written: the object's cable is its own\n", file);
}

uint64_t object_now(void)
{
    struct timeval now;

    object.gettimeofday(object.userdata, &now, NULL);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_usec * NS_PER_US;
}

uint64_t stage_now(void)
{
    return object_now();
}

void stage_run_until(uint64_t time_ns)
{
    for (uint64_t now_ns; (now_ns = object_now()) < time_ns;) {
        uint64_t left_us = (time_ns - now_ns) / NS_PER_US;
        if (left_us > SLEEP_MAX_US)
            left_us = SLEEP_MAX_US;
        if (left_us > SPIN_US)
            object.usleep(object.userdata, (useconds_t)left_us - SPIN_US);
    }
}

void stage_inject(const uint8_t *packet, size_t length)
{
    if (object.netdev_send(object.userdata, packet, length) != 0) {
        fprintf(stderr, "the object refuses a packet\n");
        _exit(1);
    }
}

static struct stage_packet *receive(void)
{
    static uint8_t bytes[PACKET_MAX];
    size_t length = sizeof(bytes);
    long long time_us = 0;

    if (object.netdev_receive(object.userdata, bytes, &length, &time_us) != 0)
        abort(); /* packetdrill would ask for ever */
    if (length == 0)
        return NULL;
    struct stage_packet *packet = malloc(sizeof(*packet) + length);
    if (packet == NULL)
        abort();
    packet->next = NULL;
    packet->time_ns = (uint64_t)time_us * NS_PER_US;
    packet->length = length;
    memcpy(packet->bytes, bytes, length);
    return packet;
}

struct stage_packet *stage_take(uint64_t until_ns)
{
    struct stage_packet *packet = early == NULL ? receive() : early;
    bool is_early = packet != NULL && packet->time_ns > until_ns;

    early = is_early ? packet : NULL;
    return is_early ? NULL : packet;
}

int stage_poll(struct pollfd *list, size_t count, int timeout_ms)
{
    return object.poll(object.userdata, list, count, timeout_ms);
}

/* Linux's numbers for the names of BSD. */
static const char *const states[] = {
    [1] = "ESTABLISHED", [2] = "SYN_SENT",   [3] = "SYN_RCVD",
    [4] = "FIN_WAIT_1",  [5] = "FIN_WAIT_2", [6] = "TIME_WAIT",
    [7] = "CLOSED",      [8] = "CLOSE_WAIT", [9] = "LAST_ACK",
    [10] = "LISTEN",     [11] = "CLOSING",
};

static int state_number(const char *name)
{
    for (int i = 1; i < (int)(sizeof(states) / sizeof(states[0])); i++)
        if (strcmp(states[i], name) == 0)
            return i;
    return 0;
}

int stage_state(void)
{
    unsigned ports[2];
    char name[32];
    int state = 7;

    object_now(); /* which has it written */
    FILE *file = fopen(states_path, "r");
    while (file != NULL &&
           fscanf(file, "packetdril %*[0-9.]:%u %*[0-9.]:%u %31s\n", &ports[0],
                  &ports[1], name) == 3)
        if (ports[0] == flows[1].local_port &&
            ports[1] == flows[1].remote_port && strcmp(name, "LISTEN") != 0)
            state = state_number(name);
    if (file != NULL)
        fclose(file);
    return state;
}

bool stage_counter(const char *name, uint64_t *value)
{
    (void)name;
    (void)value;
    return false;
}

/* The pools are the object's own affair. */
const char *stage_leaks(void)
{
    return "";
}
