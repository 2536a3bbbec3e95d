/* SPDX-License-Identifier: MIT */
/*
 * The one symbol packetdrill looks up. Its flags are words:
 *   local=ADDRESS      the stack's own (192.168.0.1)
 *   net.NAME=VALUE     a setting, as on the kernel's command line; the prefix
 *                      ipv4. of TCP's may be left out
 */
#include "tests/packetdrill/adapter.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FLAGS = 2 };

static const char local[] = "local=";

/* The world may hold two stacks; here there is one. */
const struct stack_functions peer_stack_functions;

static _Noreturn void refuse(const char *word)
{
    fprintf(stderr, "ferrule: not understood in --so_flags: %s\n", word);
    exit(EXIT_FLAGS);
}

static void set(char *word)
{
    char name[128];
    char *value = strchr(word, '=');

    if (value == NULL || strlen(word) > 100)
        refuse(word);
    *value++ = '\0';
    if (adapter_lan.stack->call->net_set(word + 4, value) == 0)
        return;
    snprintf(name, sizeof(name), "ipv4.%s", word + 4);
    if (adapter_lan.stack->call->net_set(name, value) != 0) {
        value[-1] = '=';
        refuse(word);
    }
}

static bool is_local(const char *word)
{
    struct in_addr address;

    return strncmp(word, local, strlen(local)) == 0 &&
           inet_pton(AF_INET, word + strlen(local), &address) == 1;
}

static void start(const char *flags)
{
    char *copy = strdup(flags == NULL ? "" : flags);
    char *settings[64];
    size_t count = 0;
    const char *address = "192.168.0.1";

    for (char *word = strtok(copy, " \t"); word != NULL;
         word = strtok(NULL, " \t")) {
        if (is_local(word))
            address = word + strlen(local);
        else if (strncmp(word, "net.", 4) == 0 && count < 64)
            settings[count++] = word;
        else
            refuse(word);
    }
    lan_start(&adapter_lan, address);
    for (size_t i = 0; i < count; i++)
        set(settings[i]);
    free(copy);
}

static void end(void *userdata)
{
    (void)userdata; /* one process plays one script */
}

__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags,
                           struct packetdrill_interface *table)
{
    start(flags);
    clock_init();
    table->userdata = &adapter_lan;
    table->free = end;
    calls_fill(table);
    data_fill(table);
    wait_fill(table);
    network_fill(table);
}
