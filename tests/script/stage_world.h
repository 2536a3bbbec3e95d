/* SPDX-License-Identifier: MIT */
/*
 * What the stage in this process (stage_world.c) and its app (app_world.c)
 * have to tell each other.
 */
#pragma once

#include "tests/script/lan.h"

extern struct lan stage_lan;

void app_start(void);

/* Lets a call that sleeps look again. */
void app_look(void);
