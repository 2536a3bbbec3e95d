/* SPDX-License-Identifier: MIT */
/*
 * Calls and their arguments: name(a, b, ...) = result ERRNO (text).
 */
#include "tests/script/reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct value *new_value(enum value_kind kind)
{
    struct value *value = reader_memory(sizeof(*value));

    value->kind = kind;
    return value;
}

/* 1, -1, 0x2, O_RDWR, htons(8080), inet_addr("192.0.2.1"). */
static long long parse_term(struct reader *reader)
{
    long long number;
    char *end;

    reader_blanks(reader);
    if (isdigit((unsigned char)*reader->at) || *reader->at == '-') {
        number = strtoll(reader->at, &end, 0);
        if (end == reader->at)
            reader_fail(reader, "a number expected");
        reader->at = end;
        return number;
    }
    const char *word = reader_word(reader);
    if (strcmp(word, "htons") == 0 || strcmp(word, "htonl") == 0) {
        reader_need(reader, "(");
        number = parse_term(reader);
        reader_need(reader, ")");
        return number;
    }
    if (*word == '\0' || !symbol_find(word, strlen(word), &number))
        reader_fail(reader, "unknown name '%s' before '%.20s'", word,
                    reader->at);
    return number;
}

static struct value *parse_number(struct reader *reader)
{
    struct value *value = new_value(VALUE_NUMBER);

    value->number = parse_term(reader);
    while (reader_take(reader, "|"))
        value->number |= parse_term(reader);
    return value;
}

static struct value *parse_string(struct reader *reader)
{
    struct value *value = new_value(VALUE_STRING);
    const char *end = strchr(reader->at, '"');

    if (end == NULL)
        reader_fail(reader, "a string without an end");
    value->text = reader_copy(reader->at, (size_t)(end - reader->at));
    reader->at = end + 1;
    return value;
}

/* A member's name, as in events=POLLIN and msg_iov(1)=[...]; or none. */
static const char *parse_member(struct reader *reader)
{
    struct reader ahead = *reader;
    const char *word = reader_word(&ahead);

    if (*word == '\0' || isdigit((unsigned char)*word))
        return NULL;
    if (reader_take(&ahead, "(")) {
        const char *end = strchr(ahead.at, ')');
        if (end == NULL)
            return NULL;
        ahead.at = end + 1;
    }
    if (!reader_take(&ahead, "="))
        return NULL;
    *reader = ahead;
    return word;
}

static struct value *parse_list(struct reader *reader, enum value_kind kind,
                                const char *end)
{
    struct value *list = new_value(kind);
    struct value **link = &list->first;

    reader_skip(reader);
    if (reader_take(reader, end))
        return list;
    do {
        reader_skip(reader);
        const char *name = kind == VALUE_STRUCT ? parse_member(reader) : NULL;
        *link = parse_value(reader);
        (*link)->name = name;
        link = &(*link)->next;
        reader_skip(reader);
    } while (reader_take(reader, ","));
    reader_need(reader, end);
    return list;
}

struct value *parse_value(struct reader *reader)
{
    reader_skip(reader);
    if (reader_take(reader, "...") || reader_take(reader, "*"))
        return new_value(VALUE_ELLIPSIS);
    if (reader_take(reader, "["))
        return parse_list(reader, VALUE_LIST, "]");
    if (reader_take(reader, "{"))
        return parse_list(reader, VALUE_STRUCT, "}");
    if (reader_take(reader, "\""))
        return parse_string(reader);
    if (reader_take(reader, "inet_addr(")) {
        reader_need(reader, "\"");
        struct value *value = parse_string(reader);
        reader_need(reader, ")");
        return value;
    }
    return parse_number(reader);
}

void parse_call(struct reader *reader, struct call *call)
{
    call->name = reader_word(reader);
    if (*call->name == '\0')
        reader_fail(reader,
                    "'<', '>', a call, %%{ or ` expected before "
                    "'%.20s'",
                    reader->at);
    reader_need(reader, "(");
    call->arguments = parse_list(reader, VALUE_LIST, ")")->first;
    reader_need(reader, "=");
    struct value *result = parse_value(reader);
    call->any_result = result->kind == VALUE_ELLIPSIS;
    call->result = result->number;
    reader_blanks(reader);
    if (*reader->at == 'E') {
        const char *name = reader_word(reader);
        long long number;
        if (!symbol_find(name, strlen(name), &number))
            reader_fail(reader, "unknown error '%s'", name);
        call->error = (int)number;
    }
    if (reader_take(reader, "(")) {
        const char *end = strchr(reader->at, ')');
        if (end == NULL)
            reader_fail(reader, "')' expected");
        reader->at = end + 1;
    }
}
