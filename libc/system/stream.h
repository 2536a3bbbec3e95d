/* SPDX-License-Identifier: MIT */
/*
 * What a FILE is; private to stdio.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct file_stream {
    int descriptor; /* -1: this one of the table is free */
    int mode;       /* _IOFBF, _IOLBF, _IONBF */
    bool is_writing;
    bool is_end;
    bool is_error;
    int pushed; /* by ungetc, or EOF */
    char *buffer;
    size_t size;
    size_t position; /* reading: next byte to give */
    size_t filled;   /* reading: bytes there; writing: bytes waiting */
};

/* Adds bytes, flushing as the mode wants. stream_finish flushes what an
 * unbuffered stream has gathered in one call. */
void stream_write(FILE *stream, const char *bytes, size_t length);
int stream_finish(FILE *stream);
