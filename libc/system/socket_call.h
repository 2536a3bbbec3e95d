/* SPDX-License-Identifier: MIT */
/*
 * read() and write() of a descriptor that is a socket.
 */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

ssize_t socket_call_read(int number, void *buffer, size_t size);
ssize_t socket_call_write(int number, const void *bytes, size_t length);
ssize_t socket_call_write_pieces(int number, const struct iovec *pieces,
                                 int count);
