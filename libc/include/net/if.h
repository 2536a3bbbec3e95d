/* SPDX-License-Identifier: MIT */
/*
 * Interface names and numbers.
 */
#pragma once

#define IF_NAMESIZE 16
#define IFNAMSIZ    IF_NAMESIZE

unsigned if_nametoindex(const char *name);
char *if_indextoname(unsigned index, char *name);
