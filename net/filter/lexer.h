/* SPDX-License-Identifier: MIT */
/*
 * Words, numbers, texts and signs of a rule file. `$name` is replaced where it
 * stands by reading on in its definition.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/limits.h"

enum token_kind {
    TOKEN_END,
    TOKEN_LINE,   /* a newline or ';' */
    TOKEN_WORD,   /* begins with a letter: names, keywords, eth0.10, eth* */
    TOKEN_NUMBER, /* begins with a digit: 80, 0x1f, 10.0.0.1 */
    TOKEN_TEXT,   /* between quotes, which are not part of it */
    TOKEN_SIGN,   /* one of the characters, or two: == != <= >= << >> */
    TOKEN_BAD,    /* text without an end; characters that mean nothing */
};

struct token {
    enum token_kind kind;
    const char *text;
    size_t length;
    uint32_t line;
    uint32_t column;
};

struct source {
    const char *at;
    const char *end;
    uint32_t line;
    uint32_t column;
};

struct define {
    const char *name;
    size_t length;
    struct source value;
};

struct lexer {
    struct source source;
    struct source outer[RULES_DEPTH_MAX]; /* where `$name` stood */
    size_t depth;
    struct define defines[RULES_DEFINES_MAX];
    size_t define_count;
    /* What went wrong in reading itself, NULL if nothing. */
    const char *problem;
};

void lexer_init(struct lexer *lexer, const char *text, size_t length);

struct token lexer_next(struct lexer *lexer);

/* "mbytes/second", the last token that was read, ends before its '/'. */
void lexer_split(struct lexer *lexer, struct token *token);

/* After `define NAME =`: the rest of the line, with all lines of braces that
 * begin in it. -ENOSPC: too many. */
int lexer_define(struct lexer *lexer, const struct token *name) MUST_CHECK;
bool lexer_is_defined(const struct lexer *lexer, const struct token *name);

bool token_is(const struct token *token, const char *text);
