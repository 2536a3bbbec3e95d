/* SPDX-License-Identifier: MIT */
/*
 * The length of an interface's name, as SO_BINDTODEVICE takes it.
 */
#pragma once

#define IF_NAMESIZE 16
#define IFNAMSIZ    IF_NAMESIZE
