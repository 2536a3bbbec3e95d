/* SPDX-License-Identifier: MIT */
/*
 * SO_ZEROCOPY and MSG_ZEROCOPY of streams, as Linux has them: what is sent is
 * read from the app's memory by the card, and the error queue tells when the
 * memory is the app's again. Linked only by who calls socket_zerocopy_start.
 */
#pragma once

/* Boot. */
void socket_zerocopy_start(void);
