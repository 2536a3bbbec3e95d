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
    /* What is read of the names of one message: octets, labels, pointers; a
     * record counts for some. Honest servers point at names read before. */
    READ_MAX = 384,
    READ_RECORD = 4,
};

/* Lower case of what a name may hold, else 0. Underscores are not for hosts,
 * but services use them. */
static inline char allowed(uint8_t octet)
{
    uint8_t lower = octet | ('a' ^ 'A');

    if (lower >= 'a' && lower <= 'z')
        return (char)lower;
    if ((octet >= '0' && octet <= '9') || octet == '-' || octet == '_')
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

/* A message, and how much more of its names is read. */
struct reader {
    const uint8_t *message;
    size_t length;
    size_t left;
    size_t name_at; /* where the name looked for was read */
    unsigned hops;  /* aliases followed */
    enum dns_type type;
    struct dns_answer *answer;
};

/* As dns_read_name(), of what lies before `end`. */
static size_t read_name(struct reader *reader, size_t end, size_t at,
                        char text[DNS_TEXT_SIZE])
{
    const uint8_t *message = reader->message;
    size_t lowest = at; /* pointers lead to before this */
    size_t behind = 0;  /* where the name ends, once a pointer was met */
    size_t used = 0;

    for (;;) {
        size_t size;

        if (at >= end || reader->left == 0)
            return 0;
        reader->left--;
        size = message[at];
        if (size == 0)
            break;
        if (size >= LABEL_POINTER) {
            size_t target;

            if (end - at < 2)
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
        if (size > DNS_LABEL_MAX || size >= end - at || size > reader->left)
            return 0;
        reader->left -= size;
        used = append_label(text, used, message + at + 1, size);
        if (used == 0)
            return 0;
        at += 1 + size;
    }
    text[used] = '\0';
    return behind != 0 ? behind : at + 1;
}

size_t dns_read_name(const uint8_t *message, size_t length, size_t at,
                     char text[DNS_TEXT_SIZE])
{
    struct reader reader = {.message = message, .left = READ_MAX};

    return read_name(&reader, length, at, text);
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
    bool is_ours; /* of the name looked for */
};

/* Is there a pointer at `at`, to the very name looked for? */
static bool is_pointer_to_name(const struct reader *reader, size_t at)
{
    return reader->length - at >= 2 && reader->message[at] >= LABEL_POINTER &&
           (size_t)(read_16(reader->message + at) & ~(LABEL_POINTER << 8)) ==
               reader->name_at;
}

/* Reads the record at `at`; returns the offset behind it, or 0. */
static size_t read_record(struct reader *reader, size_t at,
                          struct record *record)
{
    const uint8_t *message = reader->message;
    size_t length = reader->length;

    if (reader->left < READ_RECORD)
        return 0;
    reader->left -= READ_RECORD;
    record->is_ours = is_pointer_to_name(reader, at);
    if (record->is_ours) {
        at += 2;
    } else {
        at = read_name(reader, length, at, record->owner);
        record->is_ours =
            at != 0 && strcmp(record->owner, reader->answer->name) == 0;
    }
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

/* Takes what a record says about `answer->name`, which an alias changes.
 * False when malformed. */
static bool take_record(struct reader *reader, const struct record *record)
{
    struct dns_answer *answer = reader->answer;
    size_t end = record->data + record->data_length;

    if (record->class != CLASS_INTERNET || !record->is_ours)
        return true;
    if (record->type == DNS_TYPE_CNAME && reader->type != DNS_TYPE_CNAME) {
        reader->name_at = record->data;
        lower_ttl(answer, record->ttl_s);
        return reader->hops++ < DNS_CHAIN_MAX &&
               read_name(reader, end, record->data, answer->name) == end;
    }
    if (record->type != reader->type)
        return true;
    lower_ttl(answer, record->ttl_s);
    if (reader->type == DNS_TYPE_PTR)
        return read_name(reader, end, record->data, answer->pointer) == end;
    if (record->data_length != sizeof(struct be32))
        return false;
    if (answer->count < DNS_ADDRESSES)
        memcpy(&answer->addresses[answer->count++],
               reader->message + record->data, sizeof(struct be32));
    return true;
}

/* Looks through the answers for `answer->name`; once more when an alias led to
 * a name that had stood before it. Returns the offset behind them, or 0. */
static size_t scan_answers(struct reader *reader, size_t first, unsigned count)
{
    const struct dns_answer *answer = reader->answer;
    struct record record;
    unsigned hops;
    size_t at;

    do {
        hops = reader->hops;
        at = first;
        for (unsigned i = 0; i < count; i++) {
            at = read_record(reader, at, &record);
            if (at == 0 || !take_record(reader, &record))
                return 0;
        }
    } while (hops != reader->hops && answer->count == 0 &&
             answer->pointer[0] == '\0');
    return at;
}

/* RFC 2308 5: how long "no" holds. */
static void take_negative_ttl(struct reader *reader, size_t at, unsigned count)
{
    struct dns_answer *answer = reader->answer;
    char name[DNS_TEXT_SIZE];
    struct record record;

    answer->ttl_s = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t end;
        size_t numbers;
        uint32_t minimum;

        at = read_record(reader, at, &record);
        if (at == 0)
            return;
        if (record.type != DNS_TYPE_SOA)
            continue;
        end = record.data + record.data_length;
        numbers = read_name(reader, end, record.data, name);
        if (numbers != 0)
            numbers = read_name(reader, end, numbers, name);
        if (numbers == 0 || end - numbers != SOA_NUMBERS)
            return;
        minimum = read_32(reader->message + numbers + SOA_MINIMUM_AT);
        answer->ttl_s = record.ttl_s < minimum ? record.ttl_s : minimum;
        return;
    }
}

static bool is_our_question(struct reader *reader, const char *name, size_t *at)
{
    const uint8_t *message = reader->message;
    char asked[DNS_TEXT_SIZE];

    *at = read_name(reader, reader->length, DNS_HEADER_LENGTH, asked);
    if (*at == 0 || reader->length - *at < QUESTION_TAIL ||
        strcmp(asked, name) != 0 || read_16(message + *at) != reader->type ||
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
    struct reader reader = {
        .message = message,
        .length = length,
        .left = READ_MAX,
        .name_at = DNS_HEADER_LENGTH,
        .type = type,
        .answer = answer,
    };
    unsigned flags;
    size_t behind;

    memset(answer, 0, sizeof(*answer));
    if (length < DNS_HEADER_LENGTH || be16_get(header->id) != id)
        return DNS_NOT_FOR_US;
    flags = be16_get(header->flags);
    if ((flags & (FLAG_RESPONSE | FLAG_OPCODE)) != FLAG_RESPONSE ||
        be16_get(header->questions) != 1 ||
        !is_our_question(&reader, name, &behind))
        return DNS_NOT_FOR_US;
    answer->code = flags & FLAG_CODE;
    answer->is_truncated = (flags & FLAG_TRUNCATED) != 0;
    answer->ttl_s = UINT32_MAX;
    memcpy(answer->name, name, strlen(name) + 1);
    if (answer->is_truncated)
        return DNS_IS_ANSWER;
    behind = scan_answers(&reader, behind, be16_get(header->answers));
    if (behind == 0)
        return DNS_MALFORMED;
    if (answer->count == 0 && answer->pointer[0] == '\0')
        take_negative_ttl(&reader, behind, be16_get(header->authorities));
    return DNS_IS_ANSWER;
}
