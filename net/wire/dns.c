/* SPDX-License-Identifier: MIT */
/*
 * DNS messages (RFC 1035 4, RFC 9267 on what goes wrong in reading them).
 * Every offset is checked before it is used, compression pointers only ever
 * lead backwards, and octets that host names do not have make a name
 * malformed, so that no caller meets them.
 */
#include "net/wire/dns.h"

#include <string.h>

struct dns_header {
    struct be16 id;
    struct be16 flags;
    struct be16 questions;
    struct be16 answers;
    struct be16 authorities;
    struct be16 additionals;
};

_Static_assert(sizeof(struct dns_header) == DNS_HEADER_LENGTH,
               "as on the wire");

enum {
    FLAG_RESPONSE = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_CODE = 0x000f,
    CLASS_INTERNET = 1,
    LABEL_POINTER = 0xc0,
    QUESTION_TAIL = 4, /* type, class */
    RECORD_TAIL = 10,  /* type, class, TTL, length */
    SOA_NUMBERS = 20,  /* behind its two names */
    SOA_MINIMUM_AT = 16,
};

/* Lower case of what a name may hold, else 0. Underscores are not for hosts,
 * but services use them. */
static char allowed(uint8_t octet)
{
    if (octet >= 'A' && octet <= 'Z')
        return (char)(octet - 'A' + 'a');
    if ((octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') ||
        octet == '-' || octet == '_')
        return (char)octet;
    return 0;
}

bool dns_normalise(const char *name, char text[DNS_TEXT_SIZE])
{
    size_t length = strlen(name);
    size_t label = 0;

    if (length != 0 && name[length - 1] == '.')
        length--;
    if (length == 0 || length > DNS_TEXT_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
            text[i] = '.';
            continue;
        }
        text[i] = allowed((uint8_t)name[i]);
        if (text[i] == 0 || ++label > DNS_LABEL_MAX)
            return false;
    }
    text[length] = '\0';
    return label != 0;
}

/* Appends a label to `text`; returns the new length of it, or 0. */
static size_t append_label(char text[DNS_TEXT_SIZE], size_t used,
                           const uint8_t *label, size_t length)
{
    if (used != 0) {
        if (used == DNS_TEXT_MAX)
            return 0;
        text[used++] = '.';
    }
    if (length > DNS_TEXT_MAX - used)
        return 0;
    for (size_t i = 0; i < length; i++) {
        text[used] = allowed(label[i]);
        if (text[used++] == 0)
            return 0;
    }
    return used;
}

size_t dns_read_name(const uint8_t *message, size_t length, size_t at,
                     char text[DNS_TEXT_SIZE])
{
    size_t lowest = at; /* pointers lead to before this */
    size_t behind = 0;  /* where the name ends, once a pointer was met */
    size_t used = 0;

    for (;;) {
        size_t size;

        if (at >= length)
            return 0;
        size = message[at];
        if (size == 0)
            break;
        if (size >= LABEL_POINTER) {
            size_t target;

            if (length - at < 2)
                return 0;
            target = (size & ~(size_t)LABEL_POINTER) << 8 | message[at + 1];
            if (target < DNS_HEADER_LENGTH || target >= lowest)
                return 0;
            if (behind == 0)
                behind = at + 2;
            lowest = target;
            at = target;
            continue;
        }
        if (size > DNS_LABEL_MAX || size >= length - at)
            return 0;
        used = append_label(text, used, message + at + 1, size);
        if (used == 0)
            return 0;
        at += 1 + size;
    }
    text[used] = '\0';
    return behind != 0 ? behind : at + 1;
}

size_t dns_build_query(uint8_t bytes[DNS_QUERY_MAX], uint16_t id,
                       const char *name, enum dns_type type)
{
    struct dns_header header = {
        .id = be16_from(id),
        .flags = be16_from(FLAG_RECURSION_DESIRED),
        .questions = be16_from(1),
    };
    const struct be16 tail[2] = {be16_from((uint16_t)type),
                                 be16_from(CLASS_INTERNET)};
    uint8_t *at = bytes + sizeof(header);

    memcpy(bytes, &header, sizeof(header));
    while (*name != '\0') {
        size_t length = strcspn(name, ".");

        *at++ = (uint8_t)length;
        memcpy(at, name, length);
        at += length;
        name += length;
        if (*name == '.')
            name++;
    }
    *at++ = 0;
    memcpy(at, tail, sizeof(tail));
    return (size_t)(at + sizeof(tail) - bytes);
}

static uint16_t read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_32(const uint8_t *at)
{
    return (uint32_t)read_16(at) << 16 | read_16(at + 2);
}

struct record {
    char owner[DNS_TEXT_SIZE];
    uint16_t type;
    uint16_t class;
    uint32_t ttl_s;
    size_t data; /* offset */
    size_t data_length;
};

/* Reads the record at `at`; returns the offset behind it, or 0. */
static size_t read_record(const uint8_t *message, size_t length, size_t at,
                          struct record *record)
{
    at = dns_read_name(message, length, at, record->owner);
    if (at == 0 || length - at < RECORD_TAIL)
        return 0;
    record->type = read_16(message + at);
    record->class = read_16(message + at + 2);
    record->ttl_s = read_32(message + at + 4);
    record->data_length = read_16(message + at + 8);
    record->data = at + RECORD_TAIL;
    if (record->data_length > length - record->data)
        return 0;
    /* RFC 2181 8: a negative time is none. */
    if (record->ttl_s > INT32_MAX)
        record->ttl_s = 0;
    return record->data + record->data_length;
}

static void lower_ttl(struct dns_answer *answer, uint32_t ttl_s)
{
    if (ttl_s < answer->ttl_s)
        answer->ttl_s = ttl_s;
}

/* Takes what a record says about `answer->name`. `*is_alias` when it moved on
 * to another name. False when malformed. */
static bool take_record(const uint8_t *message, const struct record *record,
                        enum dns_type type, struct dns_answer *answer,
                        bool *is_alias)
{
    size_t end = record->data + record->data_length;

    if (record->class != CLASS_INTERNET ||
        strcmp(record->owner, answer->name) != 0)
        return true;
    if (record->type == DNS_TYPE_CNAME && type != DNS_TYPE_CNAME) {
        *is_alias = true;
        lower_ttl(answer, record->ttl_s);
        return dns_read_name(message, end, record->data, answer->name) == end;
    }
    if (record->type != type)
        return true;
    lower_ttl(answer, record->ttl_s);
    if (type == DNS_TYPE_PTR)
        return dns_read_name(message, end, record->data, answer->pointer) ==
               end;
    if (record->data_length != sizeof(struct be32))
        return false;
    if (answer->count < DNS_ADDRESSES)
        memcpy(&answer->addresses[answer->count++], message + record->data,
               sizeof(struct be32));
    return true;
}

/* One look through the answers for `answer->name`; stops at an alias. Returns
 * the offset behind the last record read, or 0. */
static size_t scan_answers(const uint8_t *message, size_t length, size_t at,
                           unsigned count, enum dns_type type,
                           struct dns_answer *answer, bool *is_alias)
{
    struct record record;

    *is_alias = false;
    for (unsigned i = 0; i < count && !*is_alias; i++) {
        at = read_record(message, length, at, &record);
        if (at == 0 || !take_record(message, &record, type, answer, is_alias))
            return 0;
    }
    return at;
}

/* RFC 2308 5: how long "no" holds. */
static void take_negative_ttl(const uint8_t *message, size_t length, size_t at,
                              unsigned count, struct dns_answer *answer)
{
    char name[DNS_TEXT_SIZE];
    struct record record;

    answer->ttl_s = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t end;
        size_t numbers;
        uint32_t minimum;

        at = read_record(message, length, at, &record);
        if (at == 0)
            return;
        if (record.type != DNS_TYPE_SOA)
            continue;
        end = record.data + record.data_length;
        numbers = dns_read_name(message, end, record.data, name);
        if (numbers != 0)
            numbers = dns_read_name(message, end, numbers, name);
        if (numbers == 0 || end - numbers != SOA_NUMBERS)
            return;
        minimum = read_32(message + numbers + SOA_MINIMUM_AT);
        answer->ttl_s = record.ttl_s < minimum ? record.ttl_s : minimum;
        return;
    }
}

static bool is_our_question(const uint8_t *message, size_t length,
                            const char *name, enum dns_type type, size_t *at)
{
    char asked[DNS_TEXT_SIZE];

    *at = dns_read_name(message, length, DNS_HEADER_LENGTH, asked);
    if (*at == 0 || length - *at < QUESTION_TAIL || strcmp(asked, name) != 0 ||
        read_16(message + *at) != type ||
        read_16(message + *at + 2) != CLASS_INTERNET)
        return false;
    *at += QUESTION_TAIL;
    return true;
}

enum dns_verdict dns_parse_answer(const uint8_t *message, size_t length,
                                  uint16_t id, const char *name,
                                  enum dns_type type, struct dns_answer *answer)
{
    const struct dns_header *header = (const void *)message;
    bool is_alias = true;
    unsigned flags;
    size_t first;
    size_t behind;

    memset(answer, 0, sizeof(*answer));
    if (length < DNS_HEADER_LENGTH || be16_get(header->id) != id)
        return DNS_NOT_FOR_US;
    flags = be16_get(header->flags);
    if ((flags & (FLAG_RESPONSE | FLAG_OPCODE)) != FLAG_RESPONSE ||
        be16_get(header->questions) != 1 ||
        !is_our_question(message, length, name, type, &first))
        return DNS_NOT_FOR_US;
    answer->code = flags & FLAG_CODE;
    answer->is_truncated = (flags & FLAG_TRUNCATED) != 0;
    answer->ttl_s = UINT32_MAX;
    memcpy(answer->name, name, strlen(name) + 1);
    behind = first;
    if (answer->is_truncated)
        return DNS_IS_ANSWER;
    for (unsigned hop = 0; is_alias; hop++) {
        if (hop > DNS_CHAIN_MAX)
            return DNS_MALFORMED;
        behind = scan_answers(message, length, first, be16_get(header->answers),
                              type, answer, &is_alias);
        if (behind == 0)
            return DNS_MALFORMED;
    }
    if (answer->count == 0 && answer->pointer[0] == '\0')
        take_negative_ttl(message, length, behind,
                          be16_get(header->authorities), answer);
    return DNS_IS_ANSWER;
}
