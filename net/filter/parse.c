/* SPDX-License-Identifier: MIT */
/*
 * The parser's tools: tokens one by one, and errors that say where, what was
 * expected and what was found.
 */
#include "net/filter/parse.h"

#include <string.h>

static char *append(char *at, const char *end, const char *text, size_t length)
{
    for (size_t i = 0; i < length && at < end; i++)
        *at++ = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
    *at = '\0';
    return at;
}

static char *append_text(char *at, const char *end, const char *text)
{
    return append(at, end, text, strlen(text));
}

static char *append_number(char *at, const char *end, uint32_t value)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[sizeof(digits) - ++count] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return append(at, end, digits + sizeof(digits) - count, count);
}

enum {
    SHOWN_MAX = 32, /* of what was found */
};

bool parse_fail(struct parser *parser, const struct token *at,
                const char *expected)
{
    struct rules_error *error = parser->error;
    char *text = error->text;
    const char *end = text + sizeof(error->text) - 1;

    if (parser->has_failed)
        return false;
    parser->has_failed = true;
    error->line = at->line;
    error->column = at->column;
    text = append_text(text, end, parser->set->name);
    text = append_text(text, end, ":");
    text = append_number(text, end, at->line);
    text = append_text(text, end, ":");
    text = append_number(text, end, at->column);
    text = append_text(text, end, ": ");
    if (at->kind == TOKEN_BAD && parser->lexer.problem != NULL) {
        append_text(text, end, parser->lexer.problem);
        return false;
    }
    text = append_text(text, end, expected);
    if (at->kind == TOKEN_END) {
        append_text(text, end, ", found the end of the file");
    } else if (at->kind == TOKEN_LINE) {
        append_text(text, end, ", found the end of the statement");
    } else if (at->length > 0) {
        text = append_text(text, end, ", found '");
        text = append(text, end, at->text,
                      at->length < SHOWN_MAX ? at->length : SHOWN_MAX);
        append_text(text, end, "'");
    }
    return false;
}

bool parse_no_room(struct parser *parser)
{
    struct token here = parser->token;

    here.length = 0;
    here.kind = TOKEN_SIGN;
    return parse_fail(parser, &here, "no memory for more rules");
}

void parse_next(struct parser *parser)
{
    parser->token = lexer_next(&parser->lexer);
}

bool parse_at(const struct parser *parser, const char *text)
{
    return token_is(&parser->token, text);
}

bool parse_accept(struct parser *parser, const char *text)
{
    if (!parse_at(parser, text))
        return false;
    parse_next(parser);
    return true;
}

bool parse_expect(struct parser *parser, const char *text)
{
    char expected[] = "expected '              ";
    size_t length = strlen(text);

    if (parse_accept(parser, text))
        return true;
    memcpy(expected + 10, text, length);
    memcpy(expected + 10 + length, "'", 2);
    return parse_fail(parser, &parser->token, expected);
}

void parse_skip_lines(struct parser *parser)
{
    while (parser->token.kind == TOKEN_LINE)
        parse_next(parser);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

bool parse_number(struct parser *parser, uint64_t max, uint64_t *value)
{
    struct token token = parser->token;
    uint64_t number = 0;
    unsigned base = 10;
    size_t i = 0;

    if (token.kind != TOKEN_NUMBER)
        return parse_fail(parser, &token, "expected a number");
    if (token.length > 1 && token.text[0] == '0') {
        base = (token.text[1] | 0x20) == 'x' ? 16 : 8;
        i = base / 8;
        if (i == token.length)
            return parse_fail(parser, &token, "expected a number");
    }
    for (; i < token.length; i++) {
        unsigned digit = (unsigned)digit_of(token.text[i]);

        if (digit >= base)
            return parse_fail(parser, &token, "expected a number");
        number = number * base + digit;
        if (number > max)
            return parse_fail(parser, &token, "expected a smaller number");
    }
    *value = number;
    parse_next(parser);
    return true;
}

const char *parse_name(struct parser *parser, const char *expected)
{
    struct token token = parser->token;
    const char *name;

    if (token.kind != TOKEN_WORD && token.kind != TOKEN_TEXT) {
        parse_fail(parser, &token, expected);
        return NULL;
    }
    name = rule_copy_text(parser->set, token.text, token.length);
    if (name == NULL)
        parse_no_room(parser);
    parse_next(parser);
    return name;
}

struct rule_step *parse_add_step(struct parser *parser,
                                 enum rule_step_kind kind)
{
    struct rule_step *step = rule_alloc(parser->set, sizeof(struct rule_step));

    if (step == NULL) {
        parse_no_room(parser);
        return NULL;
    }
    step->kind = kind;
    *parser->step = step;
    parser->step = &step->next;
    return step;
}
