/* SPDX-License-Identifier: MIT */
/*
 * Loading the object, and counting what holds. The counts are shared with
 * the processes that begin as copies of this one.
 */
#include "tests/packetdrill/loader.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct packetdrill_interface t;
void *u;

static void (*begin)(const char *flags, struct packetdrill_interface *table);

static struct {
    unsigned passed;
    unsigned failed;
} * counts;

void load(const char *file)
{
    void *object =
        dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_DEEPBIND);

    if (object == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    *(void **)&begin = dlsym(object, "packetdrill_interface_init");
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (begin == NULL || counts == MAP_FAILED)
        exit(2);
}

void start(const char *flags)
{
    begin(flags, &t);
    u = t.userdata;
}

void check(bool holds, const char *claim)
{
    counts->passed += holds;
    counts->failed += !holds;
    if (!holds)
        printf("not ok %s\n", claim);
    fflush(stdout);
}

int check_report(void)
{
    printf("%u passed, %u failed\n", counts->passed, counts->failed);
    return counts->failed == 0 ? 0 : 1;
}

long long now_us(void)
{
    struct timeval now;

    t.gettimeofday(u, &now, NULL);
    return now.tv_sec * 1000000LL + now.tv_usec;
}

struct sockaddr_in address(const char *ip, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    in.sin_addr.s_addr = inet_addr(ip);
    return in;
}
