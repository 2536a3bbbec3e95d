/* SPDX-License-Identifier: MIT */
/* What the uplink's DHCP server said: whom to ask for names. */
#pragma once

/* Looks again, at most once a second. */
void uplink_refresh(const char *device);
