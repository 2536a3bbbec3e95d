/* SPDX-License-Identifier: MIT */
/*
 * One baton between two threads; whoever has it runs. Takes the place of
 * tests/host's platform_idle().
 */
#include "tests/script/app.h"
#include "tests/script/stage_world.h"

#include <pthread.h>

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    bool is_apps_turn;
    bool is_busy;
    bool is_done;
    const struct call *call;
    struct outcome outcome;
    uint64_t ended_ns;
} app = {.mutex = PTHREAD_MUTEX_INITIALIZER,
         .changed = PTHREAD_COND_INITIALIZER};

void (*app_would_block)(void);

/* The mutex is held by both sides except while they wait. */
static void hand_over(bool to_app)
{
    app.is_apps_turn = to_app;
    pthread_cond_broadcast(&app.changed);
    while (app.is_apps_turn == to_app)
        pthread_cond_wait(&app.changed, &app.mutex);
}

static void *run(void *context)
{
    (void)context;
    pthread_mutex_lock(&app.mutex);
    while (!app.is_apps_turn)
        pthread_cond_wait(&app.changed, &app.mutex);
    for (;;) {
        call_make(app.call, &app.outcome);
        app.ended_ns = world_now();
        app.is_busy = false;
        app.is_done = true;
        hand_over(false);
    }
    return NULL;
}

void app_start(void)
{
    pthread_mutex_lock(&app.mutex);
    if (pthread_create(&app.thread, NULL, run, NULL) != 0)
        world_fail("no thread for the app");
}

void app_begin(const struct call *call)
{
    app.call = call;
    app.is_busy = true;
    hand_over(true);
}

void app_look(void)
{
    if (app.is_busy)
        hand_over(true);
}

bool app_is_busy(void)
{
    return app.is_busy;
}

bool app_is_done(struct outcome *outcome, uint64_t *ended_ns)
{
    if (!app.is_done)
        return false;
    app.is_done = false;
    *outcome = app.outcome;
    *ended_ns = app.ended_ns;
    return true;
}

static void wake(void *context)
{
    (void)context;
}

void __wrap_platform_idle(uint64_t deadline_ns);

void __wrap_platform_idle(uint64_t deadline_ns)
{
    if (!pthread_equal(pthread_self(), app.thread)) {
        app_would_block();
        return;
    }
    if (deadline_ns != PLATFORM_NEVER)
        world_at(deadline_ns, wake, NULL);
    stage_lan.stack->is_locked = false;
    hand_over(false);
    stage_lan.stack->is_locked = true;
}
