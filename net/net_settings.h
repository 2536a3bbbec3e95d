/* SPDX-License-Identifier: MIT */
/*
 * Settings of the stack under Linux's names; parts add their own.
 */
#pragma once

#include <stddef.h>

struct net_setting {
    const char *name;
    int (*set)(unsigned value); /* 0, or -EINVAL */
    const char *allowed;        /* for people: "0 or 1" */
};

/* More settings; the table must live for ever. At most
 * NET_SETTING_TABLES_MAX tables. Boot. */
void net_settings_add(const struct net_setting *table, size_t count);

/* Forgets what was added. Boot. */
void net_settings_init(void);
