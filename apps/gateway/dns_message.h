/* SPDX-License-Identifier: MIT */
/*
 * DNS messages as a forwarder sees them (RFC 1035 4, RFC 6891): it looks at
 * the question, walks over the records and changes their times; names inside
 * records are not followed. A name is kept as on the wire, in lower case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_HEAD_SIZE = 12,
    DNS_WIRE_NAME_MAX = 255,
    DNS_TEXT_NAME_SIZE = 254 + 1,
    DNS_UDP_SIZE = 512,   /* without EDNS */
    DNS_EDNS_SIZE = 1232, /* ours: fits every path unfragmented */
    DNS_MESSAGE_SIZE = 65535,
    DNS_QUERY_SIZE = DNS_HEAD_SIZE + DNS_WIRE_NAME_MAX + 4 + 11,
    DNS_RECORDS_MAX = 1000, /* walked over in one message */
};

enum dns_type {
    DNS_A = 1,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_AAAA = 28,
    DNS_OPT = 41,
    DNS_ANY = 255,
};

enum dns_code {
    DNS_NO_ERROR = 0,
    DNS_FORMAT_ERROR = 1,
    DNS_SERVER_FAILURE = 2,
    DNS_NO_SUCH_NAME = 3,
    DNS_NOT_IMPLEMENTED = 4,
    DNS_REFUSED = 5,
    DNS_BAD_VERSION = 16, /* its upper half stands in the OPT record */
};

/* What makes two questions the same. */
struct dns_question {
    uint16_t type;
    uint16_t class;
    bool is_dnssec_wanted; /* the DO bit of RFC 3225 */
    bool is_checking_disabled;
    uint8_t name_length;
    uint8_t name[DNS_WIRE_NAME_MAX]; /* lower case, with the last 0 */
};

struct dns_query {
    struct dns_question question;
    uint16_t id;
    bool is_recursion_desired;
    bool has_edns;
    uint16_t size;       /* the client takes so much over UDP */
    uint32_t edns;       /* in the time of the answer's OPT record */
    size_t question_end; /* offset */
};

enum dns_reading {
    DNS_QUERY_FINE,
    DNS_QUERY_DROP,  /* no query, or nothing can be answered */
    DNS_QUERY_ERROR, /* answer with the code */
};

enum dns_reading dns_query_parse(const uint8_t *bytes, size_t length,
                                 struct dns_query *query, enum dns_code *code);

bool dns_question_equal(const struct dns_question *a,
                        const struct dns_question *b);

/* Our own query for the same, DNS_QUERY_SIZE bytes at most; plain: without
 * EDNS. */
size_t dns_query_build(uint8_t *bytes, uint16_t id,
                       const struct dns_question *question, bool is_plain);

/* It says that our query was not understood; its question may be missing. */
bool dns_answer_is_format_error(const uint8_t *bytes, size_t length,
                                uint16_t id);

/* What a server's answer says. */
struct dns_answer {
    size_t length; /* without the OPT record, which is cut off */
    enum dns_code code;
    bool is_truncated;
    bool may_be_kept;
    uint32_t ttl_s; /* the least one; of a missing name that of RFC 2308 */
};

/* Checks it against what was asked, and takes the OPT record away. False: it
 * is none, keep waiting. */
bool dns_answer_parse(uint8_t *bytes, size_t length, uint16_t id,
                      const struct dns_question *question,
                      struct dns_answer *answer);

/* Takes `age_s` off the times of all records of a checked message, which was
 * kept and is no authority's word any more (RFC 1034 6.2.1). */
void dns_answer_age(uint8_t *bytes, size_t length, uint32_t age_s);

/* ---- answers of our own -------------------------------------------------- */

/* Turns a query into an answer without records, in place or elsewhere:
 * header and question. Returns its length. */
size_t dns_reply_empty(uint8_t *reply, const uint8_t *query,
                       const struct dns_query *parsed, enum dns_code code);
/* Appends an answer to the question. The caller has room for 12 + length. */
size_t dns_reply_record(uint8_t *reply, size_t at, uint16_t type,
                        uint32_t ttl_s, const void *bytes, size_t length);
/* Appends the OPT record a client with EDNS expects: 11 bytes. `edns` is what
 * it has for a time: code, version, flags. */
size_t dns_reply_edns(uint8_t *reply, size_t at, uint32_t edns);

/* ---- names --------------------------------------------------------------- */

/* "host.lan", without the last dot, or false if it holds octets that no host
 * name has. */
bool dns_name_to_text(const uint8_t *name, char text[DNS_TEXT_NAME_SIZE]);
/* Returns its length with the last 0, or 0 when it is no name. */
size_t dns_name_from_text(const char *text, uint8_t name[DNS_WIRE_NAME_MAX]);
/* The address a name below in-addr.arpa stands for, host order. */
bool dns_name_to_address(const char *text, uint32_t *address);
