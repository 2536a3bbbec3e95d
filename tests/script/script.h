/* SPDX-License-Identifier: MIT */
/*
 * A packet script, parsed: what docs/packet-scripts.md describes. Everything
 * is allocated once and lives as long as the process that plays the script.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCRIPT_OPTIONS_MAX = 40,
    SCRIPT_FLOWS = 64, /* peers a script may speak for: @1 ... @63 */
};

/* An argument of a call, or a result. */
enum value_kind {
    VALUE_ELLIPSIS, /* ... or * */
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_LIST,   /* [a, b] */
    VALUE_STRUCT, /* {name=a, name=b} */
};

struct value {
    enum value_kind kind;
    long long number;
    const char *text; /* a string; of a number, how it was written */
    const char *name; /* of a member of a structure, or NULL */
    struct value *first;
    struct value *next;
};

struct call {
    const char *name;
    struct value *arguments;
    long long result;
    bool any_result;
    int error; /* a positive errno, or 0 */
};

enum protocol {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

enum flag {
    FLAG_FIN = 0x001,
    FLAG_SYN = 0x002,
    FLAG_RST = 0x004,
    FLAG_PSH = 0x008,
    FLAG_ACK = 0x010,
    FLAG_URG = 0x020,
    FLAG_ECE = 0x040,
    FLAG_CWR = 0x080,
    FLAG_AE = 0x100,
};

/* A packet in the script's numbers: written there, or seen and translated. */
struct segment {
    enum protocol protocol;
    unsigned peer;
    uint16_t local_port; /* 0: as the flow has it */
    int ttl;             /* -1: not said */
    int tos;
    int ecn;
    int dont_fragment; /* -1: as the settings have it */
    int data_offset;   /* -1: right */
    bool bad_checksum;

    uint16_t flags;
    bool any_flags;
    uint32_t seq;
    uint32_t length; /* payload */
    uint32_t ack;
    uint32_t window;
    uint32_t urgent;
    bool has_ack;
    bool any_seq;
    bool any_ack;
    bool has_window;
    bool has_urgent;
    bool any_options;
    uint8_t options[SCRIPT_OPTIONS_MAX];
    size_t options_length;

    uint8_t type; /* ICMP */
    uint8_t code;
    uint32_t mtu;
    enum protocol quoted; /* of the packet it is about */
    bool has_quote;
};

enum event_kind {
    EVENT_INJECT,
    EVENT_EXPECT,
    EVENT_CALL,
    EVENT_CHECK,
    EVENT_COMMAND,
};

enum time_kind {
    TIME_RELATIVE,
    TIME_ABSOLUTE,
    TIME_ANY,
};

struct event {
    struct event *next;
    unsigned line;
    enum event_kind kind;
    enum time_kind time;
    int64_t from_us;
    int64_t to_us;  /* from_us, or the end of a range a~b */
    int64_t end_us; /* of a blocking call: a...b */
    bool is_blocking;
    struct segment segment;
    struct call call;
    const char *text; /* of a check or a command */
};

struct script {
    const char *file;
    struct event *events;
    int64_t tolerance_us;
    int64_t timestamp_tick_us; /* 0: TS val is not compared */
    uint32_t remote_isn;       /* what the script's 0 of the peer is */
    const char *settings[32];  /* "name=value" */
    size_t setting_count;
};

/* Never returns NULL: exits with a message on a script that is not one. */
struct script *script_read(const char *file);

/* The number of a symbol ("SOCK_STREAM"), if it is one. */
bool symbol_find(const char *name, size_t length, long long *number);

/* "EAGAIN" for 11; "?" for what has no name here. */
const char *symbol_errno(int number);

/* ICMP by the words of the language: unreachable port_unreachable. */
bool icmp_find(const char *type, const char *code, uint8_t numbers[2]);

/* Writes a segment in the notation of scripts. */
void segment_print(const struct segment *segment, char *text, size_t size);
