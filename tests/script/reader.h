/* SPDX-License-Identifier: MIT */
/*
 * Reading a script word by word, for the files that parse it. Every failure
 * ends the process with file, line and what was expected.
 */
#pragma once

#include "tests/script/script.h"

#include "net/attributes.h"

struct reader {
    const char *file;
    const char *at;
    unsigned line;
};

_Noreturn void reader_fail(const struct reader *reader, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Zeroed memory that is never given back. */
void *reader_memory(size_t size);
char *reader_copy(const char *from, size_t length);

/* Blanks, line ends and comments. */
void reader_skip(struct reader *reader);

/* Blanks only, staying on the line. */
void reader_blanks(struct reader *reader);

/* Takes `text` if it comes next, after blanks; a word only as a whole. */
bool reader_take(struct reader *reader, const char *text);
bool reader_take_word(struct reader *reader, const char *word);
void reader_need(struct reader *reader, const char *text);

/* A word of letters, digits and '_'; "" if there is none. */
char *reader_word(struct reader *reader);
uint32_t reader_number(struct reader *reader);

/* parse_packet.c: what follows < or >. */
void parse_packet(struct reader *reader, struct segment *segment);

/* parse_options.c: <...> of a TCP segment, after the '<'. */
void parse_options(struct reader *reader, struct segment *segment);

/* parse_value.c */
struct value *parse_value(struct reader *reader);
void parse_call(struct reader *reader, struct call *call);
