/* SPDX-License-Identifier: MIT */
/* The sending half of a connection: one buffer of heads and small bodies, and
 * at most one body that is streamed behind it. */
#pragma once

#include "connection.h"
#include "prepared.h"

enum output_state { OUTPUT_EMPTY, OUTPUT_BLOCKED, OUTPUT_FAILED };

/* True if one more response can be added. */
bool output_has_room(const struct connection *connection);
/* Adds the response and takes its body. */
void output_response(struct connection *connection,
                     const struct request *request, struct response *response);
/* Adds a kept answer; false, and nothing is added, if there is no room. */
bool output_prepared(struct connection *connection,
                     const struct request *request,
                     const struct prepared *prepared);
/* Adds an interim "100 Continue". */
void output_continue(struct connection *connection);
/* Sends what the peer takes now, at most SEND_PER_TURN of a body. */
enum output_state output_flush(struct connection *connection);
/* Logs a streamed response that will not come to its end. */
void output_log_abort(struct connection *connection);
