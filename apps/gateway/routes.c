/* SPDX-License-Identifier: MIT */
/*
 * /etc/routes: a route a line, as behind the machine's word `route=`. Routes
 * go with the address of their interface, so they are handed over again when
 * an address or its netmask has changed. What the file no longer says stays
 * until then.
 */
#include "routes.h"

#include "apps/httpd/clock.h"
#include "device.h"
#include "log.h"
#include "whole_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef MACHINE_FILES
#define MACHINE_FILES "/proc/ferrule/"
#endif

enum { INTERVAL_MS = 1000 };

static const char path[] = "/etc/routes";
static uint32_t known[4]; /* addresses and netmasks */
static uint64_t next_look_ms;
static bool is_asked = true;

static void load(void)
{
    size_t length;
    char *text = whole_file_read(path, &length);

    if (text == NULL)
        return;
    if (whole_file_write(MACHINE_FILES "routes", text, length))
        log_line(LOG_NOTICE, "config", "%s loaded", path);
    else
        log_line(LOG_ERROR, "config", "%s: %s; what could be used is", path,
                 strerror(errno));
    free(text);
}

void routes_reload(void)
{
    is_asked = true;
    next_look_ms = 0;
}

void routes_refresh(const char *uplink, const char *lan)
{
    uint32_t now[4] = {0};

    if (clock_ms() < next_look_ms)
        return;
    next_look_ms = clock_ms() + INTERVAL_MS;
    (void)device_address(uplink, &now[0], &now[1]);
    (void)device_address(lan, &now[2], &now[3]);
    if (!is_asked && memcmp(now, known, sizeof(now)) == 0)
        return;
    is_asked = false;
    memcpy(known, now, sizeof(now));
    load();
}
