/* SPDX-License-Identifier: MIT */
/*
 * Lines about what happened, for the console and, when a server is named, as
 * syslog messages (RFC 5424) over UDP (RFC 5426).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* RFC 5424 6.2.1. */
enum log_severity {
    LOG_ERROR = 3,
    LOG_WARNING = 4,
    LOG_NOTICE = 5,
    LOG_INFORMATIONAL = 6,
};

struct log_counters {
    uint64_t lines, sent, lost;
};

extern struct log_counters log_counters;

/* `host` names this machine. `address` 0: console only; host order. */
void log_start(const char *host, uint32_t address, uint16_t port);

/* `subject`: one word, "dhcp", "dns", "firewall": the message's MSGID. */
void log_line(enum log_severity severity, const char *subject,
              const char *format, ...) __attribute__((format(printf, 3, 4)));

/* To the server alone: what the console has shown already. */
void log_forward(enum log_severity severity, const char *subject,
                 const char *text);

/* Dotted quad of an address in host order; good until the fourth call after
 * this one. */
const char *log_address(uint32_t address);
/* 52:54:00:12:34:56, the same way. */
const char *log_hardware(const uint8_t hardware[6]);
