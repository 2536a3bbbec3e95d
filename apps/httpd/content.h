/* SPDX-License-Identifier: MIT */
/* From a request to its response: which path is what. */
#pragma once

#include "response.h"

/* After files_init. */
void content_init(bool is_status_on);
void content_answer(const struct request *request, time_t now,
                    struct response *response);
