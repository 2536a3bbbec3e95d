/* SPDX-License-Identifier: MIT */
/*
 * Lines by key, for config.c alone: each takes what stands behind the = and
 * adds it, or notes in `words` what is wrong with it and adds nothing.
 */
#pragma once

#include "config.h"
#include "words.h"

bool config_read_range(struct config *config, struct words *words);
bool config_read_host(struct config *config, struct words *words);
bool config_read_option(struct config *config, struct words *words);
bool config_read_server(struct config *config, struct words *words);
bool config_read_address(struct config *config, struct words *words);
