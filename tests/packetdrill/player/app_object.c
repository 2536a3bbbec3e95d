/* SPDX-License-Identifier: MIT */
/*
 * A call that may block, made as packetdrill makes it: on a second thread,
 * which counts as blocked when the kernel says that it sleeps, and which reads
 * the clock once when its call has returned.
 */
#include "tests/packetdrill/player/object.h"
#include "tests/script/app.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_t thread;
    const struct call *call;
    struct outcome outcome;
    uint64_t ended_ns;
    atomic_int id; /* the kernel's, 0: not known yet */
    atomic_bool has_ended;
    bool is_busy;
} app;

/* The object tells by EDEADLK instead. */
void (*app_would_block)(void);

static void *run(void *context)
{
    (void)context;
    atomic_store(&app.id, gettid());
    call_make(app.call, &app.outcome);
    /* The object lets no time pass until its clock was read: who finds the
     * call ended only then would look too early. */
    atomic_store(&app.has_ended, true);
    app.ended_ns = object_now();
    return NULL;
}

/* The letter behind the name, which is in parentheses (proc_pid_stat(5)). */
static bool sleeps(int id)
{
    char path[64];
    char text[256];

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", id);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && strncmp(end, ") S", 3) == 0;
}

void app_begin(const struct call *call)
{
    app.call = call;
    app.is_busy = true;
    atomic_store(&app.id, 0);
    atomic_store(&app.has_ended, false);
    if (pthread_create(&app.thread, NULL, run, NULL) != 0) {
        fprintf(stderr, "no thread for a call that blocks\n");
        abort();
    }
    while (atomic_load(&app.id) == 0 ||
           (!atomic_load(&app.has_ended) && !sleeps(atomic_load(&app.id))))
        sched_yield();
}

bool app_is_busy(void)
{
    return app.is_busy;
}

bool app_is_done(struct outcome *outcome, uint64_t *ended_ns)
{
    if (!app.is_busy || !atomic_load(&app.has_ended))
        return false;
    pthread_join(app.thread, NULL);
    app.is_busy = false;
    *outcome = app.outcome;
    *ended_ns = app.ended_ns;
    return true;
}
