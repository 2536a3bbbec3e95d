/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text (RFC 3493 6.3, RFC 5952 for the form of IPv6). Pure shelf.
 */
#pragma once

#include <netinet/in.h>

int inet_pton(int family, const char *restrict text, void *restrict address);
const char *inet_ntop(int family, const void *restrict address,
                      char *restrict text, socklen_t size);
int inet_aton(const char *text, struct in_addr *address);
in_addr_t inet_addr(const char *text);
char *inet_ntoa(struct in_addr address);
