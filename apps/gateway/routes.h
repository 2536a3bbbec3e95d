/* SPDX-License-Identifier: MIT */
/* Routes from a file. */
#pragma once

/* Hands the file's routes to the machine when that may change something: at
 * first, and when either device has another address. */
void routes_refresh(const char *uplink, const char *lan);
/* ... and the next time in any case. */
void routes_reload(void);
