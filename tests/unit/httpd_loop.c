/* SPDX-License-Identifier: MIT */
/*
 * The event loop when one that is served ends others.
 * test-links: apps/httpd/loop.c apps/httpd/clock.c apps/httpd/date.c
 * test-links: apps/httpd/slice.c
 */
#include "apps/httpd/loop.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENDS = 3 };

struct end {
    struct watch watch;
    int peer;
    unsigned served;
    struct end **ends; /* by who is served; NULL: nobody */
};

static struct end *ends[ENDS];
static unsigned served;

static void close_end(struct end **end)
{
    loop_unwatch(&(*end)->watch);
    close((*end)->watch.descriptor);
    close((*end)->peer);
    free(*end);
    *end = NULL;
}

static void ready(struct watch *watch)
{
    struct end *end = (void *)((char *)watch - offsetof(struct end, watch));
    char byte;

    served++;
    end->served++;
    cr_assert_eq(read(watch->descriptor, &byte, 1), 1);
    if (end->ends != NULL && *end->ends != NULL)
        close_end(end->ends);
}

static void start(void)
{
    cr_assert(loop_init());
    for (size_t i = 0; i < ENDS; i++) {
        int pair[2];

        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        ends[i] = calloc(1, sizeof(*ends[i]));
        ends[i]->watch.ready = ready;
        ends[i]->watch.descriptor = pair[0];
        ends[i]->peer = pair[1];
        cr_assert(loop_watch(&ends[i]->watch, LOOP_READ));
    }
}

static void finish(void)
{
    for (size_t i = 0; i < ENDS; i++)
        if (ends[i] != NULL)
            close_end(&ends[i]);
}

TestSuite(httpd_loop, .init = start, .fini = finish, .timeout = 60);

static void tell(const struct end *end)
{
    cr_assert_eq(write(end->peer, "x", 1), 1);
}

Test(httpd_loop, who_was_ended_in_a_turn_is_not_served_in_it)
{
    ends[0]->ends = &ends[1];
    ends[1]->ends = &ends[0];
    tell(ends[0]);
    tell(ends[1]);
    tell(ends[2]);
    loop_turn(0);
    cr_assert_eq(served, 2);
    cr_assert((ends[0] == NULL) != (ends[1] == NULL));
    cr_assert_eq(ends[2]->served, 1);
}

/* He was served second in the last turn; another is in this one. */
Test(httpd_loop, who_ends_without_an_event_takes_nobody_elses)
{
    tell(ends[1]);
    tell(ends[0]);
    loop_turn(0);
    cr_assert_eq(ends[0]->served, 1);
    ends[1]->ends = &ends[0];
    ends[2]->ends = &ends[0];
    tell(ends[1]);
    tell(ends[2]);
    loop_turn(0);
    cr_assert_null(ends[0]);
    cr_assert_eq(ends[1]->served, 2);
    cr_assert_eq(ends[2]->served, 1);
}

Test(httpd_loop, who_ended_himself_is_no_trouble)
{
    ends[0]->ends = &ends[0];
    tell(ends[0]);
    loop_turn(0);
    cr_assert_null(ends[0]);
    tell(ends[1]);
    loop_turn(0);
    cr_assert_eq(served, 2);
}
