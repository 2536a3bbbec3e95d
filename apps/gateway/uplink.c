/* SPDX-License-Identifier: MIT */
/*
 * Name servers of the uplink, from a file in the form of resolv.conf(5):
 * ferrule writes /proc/ferrule/resolv.conf; Linux has /etc/resolv.conf.
 */
#include "uplink.h"

#include "apps/httpd/clock.h"
#include "dns_service.h"
#include "log.h"
#include "whole_file.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

#ifndef MACHINE_FILES
#define MACHINE_FILES "/proc/ferrule/"
#endif

enum { SERVERS_MAX = 4, INTERVAL_MS = 1000, DNS_PORT = 53 };

static uint64_t next_look_ms;
static struct config_server known[SERVERS_MAX];
static size_t known_count;

static size_t read_servers(char *text, struct config_server *servers)
{
    static const char key[] = "nameserver";
    size_t count = 0;

    while (text != NULL && count < SERVERS_MAX) {
        char *end = strchr(text, '\n');
        struct word value;

        if (end != NULL)
            *end = '\0';
        if (strncmp(text, key, sizeof(key) - 1) == 0) {
            text += sizeof(key) - 1;
            text += strspn(text, " \t");
            value = (struct word){text, strcspn(text, " \t\r")};
            if (word_to_address(value, &servers[count].address) &&
                servers[count].address != 0)
                servers[count++].port = DNS_PORT;
        }
        text = end != NULL ? end + 1 : NULL;
    }
    return count;
}

void uplink_refresh(const char *device)
{
    struct config_server servers[SERVERS_MAX] = {0};
    uint64_t now_ms = clock_ms();
    size_t length, count;
    char *text;

    if (now_ms < next_look_ms)
        return;
    next_look_ms = now_ms + INTERVAL_MS;
    text = whole_file_read(MACHINE_FILES "resolv.conf", &length);
    if (text == NULL)
        text = whole_file_read("/etc/resolv.conf", &length);
    count = read_servers(text, servers);
    free(text);
    if (count == known_count && memcmp(servers, known, sizeof(known)) == 0)
        return;
    memcpy(known, servers, sizeof(known));
    known_count = count;
    dns_service_set_uplink(servers, count);
    for (size_t i = 0; i < count; i++)
        log_line(LOG_NOTICE, "dns", "%s: names from %s", device,
                 log_address(servers[i].address));
}
