/* SPDX-License-Identifier: MIT */
/* What is said on a connection: requests in, responses out. */
#pragma once

#include "connection.h"

/* Called by the loop when the peer has sent or taken something. */
void exchange_ready(struct watch *watch);
/* Called when the deadline of the connection's queue has passed; closes the
 * connection or gives it a new deadline. */
void exchange_expire(struct connection *connection);
