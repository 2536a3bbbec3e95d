/* SPDX-License-Identifier: MIT */
/*
 * The lexer of rule files, by nft's rules as far as the subset goes.
 */
#include "net/filter/lexer.h"

#include <errno.h>
#include <string.h>

void lexer_init(struct lexer *lexer, const char *text, size_t length)
{
    memset(lexer, 0, sizeof(*lexer));
    lexer->source = (struct source){text, text + length, 1, 1};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char peek(const struct source *source, size_t ahead)
{
    return (size_t)(source->end - source->at) > ahead ? source->at[ahead]
                                                      : '\0';
}

static void advance(struct source *source)
{
    if (*source->at == '\n') {
        source->line++;
        source->column = 0;
    }
    source->at++;
    source->column++;
}

/* Spaces, comments, and ends of lines behind a backslash. */
static void skip_blanks(struct source *source)
{
    while (source->at < source->end) {
        char c = *source->at;

        if (c == '#') {
            while (source->at < source->end && *source->at != '\n')
                advance(source);
        } else if (c == '\\' && peek(source, 1) == '\n') {
            advance(source);
            advance(source);
        } else if (c == ' ' || c == '\t' || c == '\r') {
            advance(source);
        } else {
            return;
        }
    }
}

/* nft's words go on over these, too: "syn/ack" is one, and so is ".80". */
static bool continues_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '/' ||
           c == '*';
}

static bool begins_word(const struct source *source)
{
    return is_letter(*source->at) ||
           (*source->at == '.' && continues_word(peek(source, 1)));
}

/* "10.0.0.1", but not the sign in "80 . 10.0.0.1". */
static bool continues_number(const struct source *source)
{
    char c = *source->at;

    return is_letter(c) || is_digit(c) ||
           (c == '.' && is_digit(peek(source, 1)));
}

static void take_text(struct lexer *lexer, struct token *token)
{
    struct source *source = &lexer->source;

    advance(source);
    token->text = source->at;
    while (source->at < source->end && *source->at != '"' &&
           *source->at != '\n')
        advance(source);
    token->length = (size_t)(source->at - token->text);
    if (peek(source, 0) != '"') {
        token->kind = TOKEN_BAD;
        lexer->problem = "a text has no closing quote";
        return;
    }
    advance(source);
    token->kind = TOKEN_TEXT;
}

static void take_sign(struct lexer *lexer, struct token *token)
{
    static const char signs[] = "{}(),:.=!<>&|^+-/@*$%";
    struct source *source = &lexer->source;
    char c = *source->at;
    char next = peek(source, 1);

    token->kind = TOKEN_SIGN;
    if (memchr(signs, c, sizeof(signs) - 1) == NULL) {
        token->kind = TOKEN_BAD;
        lexer->problem = "a character that means nothing here";
    }
    advance(source);
    if ((next == '=' && (c == '=' || c == '!' || c == '<' || c == '>')) ||
        (next == c && (c == '<' || c == '>')))
        advance(source);
    token->length = (size_t)(source->at - token->text);
}

static struct token take(struct lexer *lexer)
{
    struct source *source = &lexer->source;
    struct token token = {.kind = TOKEN_END};

    skip_blanks(source);
    token.text = source->at;
    token.line = source->line;
    token.column = source->column;
    if (source->at == source->end)
        return token;
    if (*source->at == '\n' || *source->at == ';') {
        token.kind = TOKEN_LINE;
        advance(source);
    } else if (begins_word(source)) {
        token.kind = TOKEN_WORD;
        while (source->at < source->end && continues_word(*source->at))
            advance(source);
    } else if (is_digit(*source->at)) {
        token.kind = TOKEN_NUMBER;
        while (source->at < source->end && continues_number(source))
            advance(source);
    } else if (*source->at == '"') {
        take_text(lexer, &token);
        return token;
    } else {
        take_sign(lexer, &token);
        return token;
    }
    token.length = (size_t)(source->at - token.text);
    return token;
}

static const struct define *find(const struct lexer *lexer,
                                 const struct token *name)
{
    for (size_t i = lexer->define_count; i-- > 0;)
        if (lexer->defines[i].length == name->length &&
            memcmp(lexer->defines[i].name, name->text, name->length) == 0)
            return &lexer->defines[i];
    return NULL;
}

bool lexer_is_defined(const struct lexer *lexer, const struct token *name)
{
    return find(lexer, name) != NULL;
}

/* `$name`: reads on in its value. */
static bool enter(struct lexer *lexer, const struct token *name)
{
    const struct define *define = find(lexer, name);

    if (name->kind != TOKEN_WORD || define == NULL) {
        lexer->problem = "expected the name of a definition";
        return false;
    }
    if (lexer->depth == RULES_DEPTH_MAX) {
        lexer->problem = "definitions within definitions, too deep";
        return false;
    }
    lexer->outer[lexer->depth++] = lexer->source;
    lexer->source = define->value;
    return true;
}

struct token lexer_next(struct lexer *lexer)
{
    for (;;) {
        struct token token = take(lexer);

        if (token.kind == TOKEN_END && lexer->depth > 0) {
            lexer->source = lexer->outer[--lexer->depth];
        } else if (token_is(&token, "$")) {
            struct token name = take(lexer);

            if (!enter(lexer, &name)) {
                name.kind = TOKEN_BAD;
                return name;
            }
        } else {
            return token;
        }
    }
}

int lexer_define(struct lexer *lexer, const struct token *name)
{
    struct define *define = &lexer->defines[lexer->define_count];
    struct source start = lexer->source;
    size_t braces = 0;

    if (lexer->define_count == RULES_DEFINES_MAX)
        return -ENOSPC;
    for (;;) {
        struct source before = lexer->source;
        struct token token = take(lexer);

        if (token_is(&token, "{"))
            braces++;
        else if (token_is(&token, "}") && braces > 0)
            braces--;
        if (token.kind != TOKEN_END && token.kind != TOKEN_BAD &&
            (token.kind != TOKEN_LINE || braces > 0))
            continue;
        lexer->source = before;
        break;
    }
    start.end = lexer->source.at;
    *define = (struct define){name->text, name->length, start};
    lexer->define_count++;
    return 0;
}

void lexer_split(struct lexer *lexer, struct token *token)
{
    const char *sign = memchr(token->text, '/', token->length);
    size_t behind;

    if (token->kind != TOKEN_WORD || sign == NULL)
        return;
    behind = (size_t)(token->text + token->length - sign);
    token->length -= behind;
    lexer->source.at -= behind;
    lexer->source.column -= (uint32_t)behind;
}

bool token_is(const struct token *token, const char *text)
{
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN ||
            token->kind == TOKEN_NUMBER) &&
           strlen(text) == token->length &&
           memcmp(token->text, text, token->length) == 0;
}
