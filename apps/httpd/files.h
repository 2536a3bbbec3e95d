/* SPDX-License-Identifier: MIT */
/* The served folder: from a decoded path to a response. */
#pragma once

#include "response.h"

/* Chooses what to serve: `root` if not NULL, else /www of the module, else
 * its root. False if `root` is given and is no folder. */
bool files_init(const char *root);
/* NULL when there is nothing to serve: the built-in site's case. */
const char *files_root(void);
void files_answer(const struct request *request, const char *path, time_t now,
                  struct response *response);
