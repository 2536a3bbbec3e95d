/* SPDX-License-Identifier: MIT */
/*
 * Rules in, log out. The machine compiles the rules; what it has to say about
 * them stands in /proc/ferrule/nftables-error afterwards.
 */
#include "firewall.h"

#include "apps/httpd/clock.h"
#include "events.h"
#include "log.h"
#include "whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MACHINE_FILES
#define MACHINE_FILES "/proc/ferrule/"
#endif

enum { RULES_SIZE = 2048, LOG_INTERVAL_MS = 1000 };

static bool is_first = true; /* the machine has its closed rules yet */

/* Everything out, nothing in but what belongs to it: RFC 6092's simple
 * security, for IPv4. */
static const char built_in[] =
    "flush ruleset\n"
    "table inet filter {\n"
    "    chain input {\n"
    "        type filter hook input priority filter; policy drop;\n"
    "        ct state established,related accept\n"
    "        ct state invalid drop\n"
    "        iifname { \"lo\", \"%s\" } accept\n"
    "        icmp type echo-request limit rate 10/second accept\n"
    "    }\n"
    "    chain forward {\n"
    "        type filter hook forward priority filter; policy drop;\n"
    "        tcp flags syn tcp option maxseg size set rt mtu\n"
    "        ct state established,related accept\n"
    "        ct state invalid drop\n"
    "        iifname \"%s\" oifname \"%s\" accept\n"
    "        ct status dnat accept\n"
    "    }\n"
    "}\n"
    "table ip nat {\n"
    "    chain postrouting {\n"
    "        type nat hook postrouting priority srcnat; policy accept;\n"
    "        oifname \"%s\" masquerade\n"
    "    }\n"
    "}\n";

/* What the machine says begins with a file's name of its own. */
static void report_error(const char *path)
{
    int error = errno;
    size_t length;
    char *text = whole_file_read(MACHINE_FILES "nftables-error", &length);

    if (text != NULL && length > 0) {
        if (text[length - 1] == '\n')
            text[length - 1] = '\0';
        log_line(LOG_ERROR, "firewall", "%s%s; %s", path,
                 text + strcspn(text, ":"),
                 is_first ? "CLOSED: nothing is forwarded"
                          : "the rules before it stay");
    } else {
        log_line(LOG_ERROR, "firewall", "%s: %s", path, strerror(error));
    }
    free(text);
}

bool firewall_load(const char *path, const char *uplink, const char *lan)
{
    char rules[RULES_SIZE];
    const char *name = path;
    size_t length;
    char *text = whole_file_read(path, &length);
    bool is_loaded;

    if (text == NULL && errno != ENOENT) {
        log_line(LOG_ERROR, "firewall", "%s: %s", path, strerror(errno));
        return false;
    }
    if (text == NULL) {
        name = "no file: built-in rules";
        length = (size_t)snprintf(rules, sizeof(rules), built_in, lan, lan,
                                  uplink, uplink);
    }
    is_loaded = whole_file_write(MACHINE_FILES "nftables",
                                 text != NULL ? text : rules, length);
    if (is_loaded)
        log_line(LOG_NOTICE, "firewall", "%s loaded", name);
    else
        report_error(name);
    free(text);
    is_first = is_first && !is_loaded;
    return is_loaded;
}

/* The machine keeps the last lines of "log" rules, each with a number in
 * front that never goes back. */
void firewall_forward_log(void)
{
    static unsigned long next;
    static uint64_t next_look_ms;
    size_t length;
    char *text;
    char *line;

    if (clock_ms() < next_look_ms)
        return;
    next_look_ms = clock_ms() + LOG_INTERVAL_MS;
    text = whole_file_read(MACHINE_FILES "firewall-log", &length);
    line = text;

    while (line != NULL && *line != '\0') {
        char *end = strchr(line, '\n');
        char *rest;
        unsigned long number = strtoul(line, &rest, 10);

        if (end != NULL)
            *end = '\0';
        if (number >= next && *rest == ' ') {
            events_add("firewall", rest + 1);
            log_forward(LOG_INFORMATIONAL, "firewall", rest + 1);
            next = number + 1;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    free(text);
}
