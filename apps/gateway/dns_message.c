/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing DNS messages for the forwarder. Every offset is checked
 * before it is used (RFC 9267 says what happens otherwise). A question's name
 * has no compression: nothing stands before it.
 */
#include "dns_message.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    FLAG_RESPONSE = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_AUTHORITY = 0x0400,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
    FLAG_CHECKING_DISABLED = 0x0010,
    FLAG_CODE = 0x000f,
    EDNS_DNSSEC = 0x8000,
    EDNS_VERSION = 0xff0000,
    EDNS_CODE_SHIFT = 24 - 4, /* of a code's upper half */
    RECORD_TAIL = 10,         /* type, class, TTL, length */
    POINTER = 0xc0,
    LABEL_MAX = 63,
    AT_FLAGS = 2,
    AT_QUESTIONS = 4,
    AT_ANSWERS = 6,
    AT_AUTHORITIES = 8,
    AT_ADDITIONALS = 10,
    CLASS_INTERNET = 1,
    SOA_NUMBERS = 20,
    QUESTION_POINTER = POINTER << 8 | DNS_HEAD_SIZE,
};

static unsigned read16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)read16(at) << 16 | read16(at + 2);
}

static void write16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void write32(uint8_t *at, uint32_t value)
{
    write16(at, value >> 16);
    write16(at + 2, value & 0xffff);
}

/* ---- walking ------------------------------------------------------------- */

/* The offset behind the name at `at`, or 0. Pointers are not followed. */
static size_t skip_name(const uint8_t *bytes, size_t length, size_t at)
{
    size_t start = at;

    while (at < length && at - start <= DNS_WIRE_NAME_MAX) {
        size_t size = bytes[at];

        if (size == 0)
            return at + 1;
        if (size >= POINTER)
            return length - at >= 2 ? at + 2 : 0;
        if (size > LABEL_MAX)
            return 0;
        at += 1 + size;
    }
    return 0;
}

struct record {
    size_t start; /* of its name */
    size_t at;    /* of its type */
    unsigned type;
    uint32_t ttl_s;
    size_t data;
    size_t data_length;
    size_t end;
};

static bool read_record(const uint8_t *bytes, size_t length, size_t at,
                        struct record *record)
{
    record->start = at;
    at = skip_name(bytes, length, at);
    if (at == 0 || length - at < RECORD_TAIL)
        return false;
    record->at = at;
    record->type = read16(bytes + at);
    record->ttl_s = read32(bytes + at + 4);
    record->data = at + RECORD_TAIL;
    record->data_length = read16(bytes + at + 8);
    if (record->data_length > length - record->data)
        return false;
    record->end = record->data + record->data_length;
    return true;
}

static unsigned record_count(const uint8_t *bytes)
{
    return read16(bytes + AT_ANSWERS) + read16(bytes + AT_AUTHORITIES) +
           read16(bytes + AT_ADDITIONALS);
}

/* The offset behind a name without pointers, or 0. */
static size_t plain_name_end(const uint8_t *bytes, size_t length, size_t at)
{
    size_t limit = at + DNS_WIRE_NAME_MAX;

    if (limit > length)
        limit = length;
    while (at < limit && bytes[at] != 0 && bytes[at] <= LABEL_MAX)
        at += (size_t)bytes[at] + 1;
    return at < limit && bytes[at] == 0 ? at + 1 : 0;
}

/* Reads the one question; returns the offset behind it, or 0. */
static size_t read_question(const uint8_t *bytes, size_t length,
                            struct dns_question *question)
{
    size_t end = plain_name_end(bytes, length, DNS_HEAD_SIZE);
    size_t name_length = end - DNS_HEAD_SIZE;

    if (end == 0 || length - end < 4)
        return 0;
    question->name_length = (uint8_t)name_length;
    /* Lengths of labels are below 64: lower case leaves them alone. */
    for (size_t i = 0; i < name_length; i++)
        question->name[i] = (uint8_t)tolower(bytes[DNS_HEAD_SIZE + i]);
    question->type = (uint16_t)read16(bytes + end);
    question->class = (uint16_t)read16(bytes + end + 2);
    return end + 4;
}

/* ---- queries ------------------------------------------------------------- */

/* A client's OPT record, if there is one. False when the message is
 * malformed, or of a later version of EDNS (RFC 6891 6.1.3). */
static bool read_edns(const uint8_t *bytes, size_t length,
                      struct dns_query *query, enum dns_code *code)
{
    size_t at = query->question_end;
    unsigned count = record_count(bytes);

    if (count > DNS_RECORDS_MAX)
        return false;
    while (count-- > 0) {
        struct record record;

        if (!read_record(bytes, length, at, &record))
            return false;
        if (record.type == DNS_OPT) {
            unsigned size = read16(bytes + record.at + 2);

            if (query->has_edns)
                return false; /* RFC 6891 6.1.1 */
            query->has_edns = true;
            query->edns = record.ttl_s & EDNS_DNSSEC;
            query->question.is_dnssec_wanted = query->edns != 0;
            if ((record.ttl_s & EDNS_VERSION) != 0) {
                *code = DNS_BAD_VERSION;
                query->edns |= DNS_BAD_VERSION << EDNS_CODE_SHIFT;
            }
            query->size = size < DNS_UDP_SIZE ? DNS_UDP_SIZE : (uint16_t)size;
        }
        at = record.end;
    }
    return *code != DNS_BAD_VERSION;
}

enum dns_reading dns_query_parse(const uint8_t *bytes, size_t length,
                                 struct dns_query *query, enum dns_code *code)
{
    unsigned flags;

    memset(query, 0, sizeof(*query));
    if (length < DNS_HEAD_SIZE)
        return DNS_QUERY_DROP;
    flags = read16(bytes + AT_FLAGS);
    if ((flags & FLAG_RESPONSE) != 0)
        return DNS_QUERY_DROP;
    query->id = (uint16_t)read16(bytes);
    query->size = DNS_UDP_SIZE;
    query->question_end = DNS_HEAD_SIZE;
    query->is_recursion_desired = (flags & FLAG_RECURSION_DESIRED) != 0;
    query->question.is_checking_disabled =
        (flags & FLAG_CHECKING_DISABLED) != 0;
    *code = (flags & FLAG_OPCODE) != 0 ? DNS_NOT_IMPLEMENTED : DNS_FORMAT_ERROR;
    if ((flags & FLAG_OPCODE) != 0 || read16(bytes + AT_QUESTIONS) != 1)
        return DNS_QUERY_ERROR;
    query->question_end = read_question(bytes, length, &query->question);
    if (query->question_end == 0) {
        query->question_end = DNS_HEAD_SIZE;
        return DNS_QUERY_ERROR;
    }
    return read_edns(bytes, length, query, code) ? DNS_QUERY_FINE
                                                 : DNS_QUERY_ERROR;
}

bool dns_question_equal(const struct dns_question *a,
                        const struct dns_question *b)
{
    return a->type == b->type && a->class == b->class &&
           a->is_dnssec_wanted == b->is_dnssec_wanted &&
           a->is_checking_disabled == b->is_checking_disabled &&
           a->name_length == b->name_length &&
           memcmp(a->name, b->name, a->name_length) == 0;
}

size_t dns_query_build(uint8_t *bytes, uint16_t id,
                       const struct dns_question *question, bool is_plain)
{
    size_t at = DNS_HEAD_SIZE;

    memset(bytes, 0, DNS_HEAD_SIZE);
    write16(bytes, id);
    write16(bytes + AT_FLAGS,
            FLAG_RECURSION_DESIRED |
                (question->is_checking_disabled ? FLAG_CHECKING_DISABLED : 0));
    write16(bytes + AT_QUESTIONS, 1);
    memcpy(bytes + at, question->name, question->name_length);
    at += question->name_length;
    write16(bytes + at, question->type);
    write16(bytes + at + 2, question->class);
    return is_plain
               ? at + 4
               : dns_reply_edns(bytes, at + 4,
                                question->is_dnssec_wanted ? EDNS_DNSSEC : 0);
}

bool dns_answer_is_format_error(const uint8_t *bytes, size_t length,
                                uint16_t id)
{
    return length >= DNS_HEAD_SIZE && read16(bytes) == id &&
           (read16(bytes + AT_FLAGS) &
            (FLAG_RESPONSE | FLAG_OPCODE | FLAG_CODE)) ==
               (FLAG_RESPONSE | DNS_FORMAT_ERROR);
}

/* ---- answers ------------------------------------------------------------- */

/* RFC 2308 5: of a missing name or type, the lesser of the SOA's TTL and its
 * last number. */
static uint32_t negative_ttl(const uint8_t *bytes, const struct record *record)
{
    uint32_t minimum;

    if (record->data_length < SOA_NUMBERS)
        return 0;
    minimum = read32(bytes + record->end - 4);
    return minimum < record->ttl_s ? minimum : record->ttl_s;
}

static void note_time(const uint8_t *bytes, const struct record *record,
                      bool is_answer, struct dns_answer *answer)
{
    uint32_t ttl_s = record->ttl_s;

    if (!is_answer && record->type == DNS_SOA) {
        ttl_s = negative_ttl(bytes, record);
        answer->may_be_kept = true;
    }
    if ((ttl_s & UINT32_C(0x80000000)) != 0)
        ttl_s = 0; /* RFC 2181 8 */
    if (ttl_s < answer->ttl_s)
        answer->ttl_s = ttl_s;
}

/* Walks over the records; cuts the OPT record off, which must be the last. */
static bool read_records(uint8_t *bytes, size_t length, size_t at,
                         struct dns_answer *answer)
{
    unsigned count = record_count(bytes);
    unsigned answers = read16(bytes + AT_ANSWERS);

    if (count > DNS_RECORDS_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct record record;

        if (!read_record(bytes, length, at, &record))
            return false;
        if (record.type == DNS_OPT) {
            if (i != count - 1 || read16(bytes + AT_ADDITIONALS) == 0)
                return false;
            write16(bytes + AT_ADDITIONALS, read16(bytes + AT_ADDITIONALS) - 1);
            answer->length = record.start;
            return true;
        }
        note_time(bytes, &record, i < answers, answer);
        at = record.end;
    }
    answer->length = at;
    return true;
}

bool dns_answer_parse(uint8_t *bytes, size_t length, uint16_t id,
                      const struct dns_question *question,
                      struct dns_answer *answer)
{
    struct dns_question asked = *question;
    unsigned flags;
    size_t at;

    if (length < DNS_HEAD_SIZE || read16(bytes) != id)
        return false;
    flags = read16(bytes + AT_FLAGS);
    if ((flags & FLAG_RESPONSE) == 0 || (flags & FLAG_OPCODE) != 0 ||
        read16(bytes + AT_QUESTIONS) != 1)
        return false;
    at = read_question(bytes, length, &asked);
    if (at == 0 || !dns_question_equal(&asked, question))
        return false;
    *answer = (struct dns_answer){
        .code = flags & FLAG_CODE,
        .is_truncated = (flags & FLAG_TRUNCATED) != 0,
        .ttl_s = UINT32_MAX,
    };
    if (answer->is_truncated) {
        answer->length = at;
        return true;
    }
    if (!read_records(bytes, length, at, answer))
        return false;
    if (read16(bytes + AT_ANSWERS) != 0)
        answer->may_be_kept = true;
    if (answer->code != DNS_NO_ERROR && answer->code != DNS_NO_SUCH_NAME)
        answer->may_be_kept = false;
    return true;
}

void dns_answer_age(uint8_t *bytes, size_t length, uint32_t age_s)
{
    size_t at = skip_name(bytes, length, DNS_HEAD_SIZE) + 4;
    unsigned count = record_count(bytes);
    struct record record;

    bytes[AT_FLAGS] &= (uint8_t) ~(FLAG_AUTHORITY >> 8);
    while (count-- > 0 && read_record(bytes, length, at, &record)) {
        uint32_t left = record.ttl_s > age_s ? record.ttl_s - age_s : 0;

        write32(bytes + record.at + 4, left);
        at = record.end;
    }
}

/* ---- our own ------------------------------------------------------------- */

size_t dns_reply_empty(uint8_t *reply, const uint8_t *query,
                       const struct dns_query *parsed, enum dns_code code)
{
    unsigned flags =
        read16(query + AT_FLAGS) &
        (FLAG_OPCODE | FLAG_RECURSION_DESIRED | FLAG_CHECKING_DISABLED);

    memmove(reply, query, parsed->question_end);
    write16(reply + AT_FLAGS, flags | FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE |
                                  ((unsigned)code & FLAG_CODE));
    memset(reply + AT_QUESTIONS, 0, 8);
    if (parsed->question_end > DNS_HEAD_SIZE)
        write16(reply + AT_QUESTIONS, 1);
    return parsed->question_end;
}

size_t dns_reply_record(uint8_t *reply, size_t at, uint16_t type,
                        uint32_t ttl_s, const void *bytes, size_t length)
{
    write16(reply + AT_ANSWERS, read16(reply + AT_ANSWERS) + 1);
    write16(reply + at, QUESTION_POINTER);
    write16(reply + at + 2, type);
    write16(reply + at + 4, CLASS_INTERNET);
    write32(reply + at + 6, ttl_s);
    write16(reply + at + 10, (unsigned)length);
    memcpy(reply + at + 12, bytes, length);
    return at + 12 + length;
}

size_t dns_reply_edns(uint8_t *reply, size_t at, uint32_t edns)
{
    write16(reply + AT_ADDITIONALS, read16(reply + AT_ADDITIONALS) + 1);
    reply[at] = 0;
    write16(reply + at + 1, DNS_OPT);
    write16(reply + at + 3, DNS_EDNS_SIZE);
    write32(reply + at + 5, edns);
    write16(reply + at + 9, 0);
    return at + 11;
}

/* ---- names --------------------------------------------------------------- */

bool dns_name_to_text(const uint8_t *name, char text[DNS_TEXT_NAME_SIZE])
{
    size_t used = 0;

    while (*name != 0) {
        size_t size = *name++;

        if (used != 0)
            text[used++] = '.';
        for (size_t i = 0; i < size; i++, name++) {
            if (!isalnum(*name) && *name != '-' && *name != '_')
                return false;
            text[used++] = (char)*name;
        }
    }
    text[used] = '\0';
    return true;
}

size_t dns_name_from_text(const char *text, uint8_t name[DNS_WIRE_NAME_MAX])
{
    size_t used = 0;

    while (*text != '\0') {
        size_t size = strcspn(text, ".");

        if (size == 0 || size > LABEL_MAX ||
            used + 1 + size + 1 > DNS_WIRE_NAME_MAX)
            return 0;
        name[used++] = (uint8_t)size;
        memcpy(name + used, text, size);
        used += size;
        text += size;
        text += *text == '.' ? 1 : 0;
    }
    name[used++] = 0;
    return used;
}

bool dns_name_to_address(const char *text, uint32_t *address)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        unsigned octet = 0;
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || digits > 3 || text[digits] != '.')
            return false;
        for (size_t k = 0; k < digits; k++)
            octet = octet * 10 + (unsigned)(text[k] - '0');
        if (octet > 255)
            return false;
        value |= octet << 8 * i;
        text += digits + 1;
    }
    *address = value;
    return strcmp(text, "in-addr.arpa") == 0;
}
