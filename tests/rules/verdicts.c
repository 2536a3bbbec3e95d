/* SPDX-License-Identifier: MIT */
/*
 * Rules at work on packets from a script, one a line, for comparison with
 * another firewall (tests/rules/run).
 *
 * usage: verdicts FILE    input lines: MILLISECONDS eth0|eth1|out HEX
 * Answers "loaded" or the error; then, a line for each packet: where it went
 * (forward, local, sent, drop, reject-KIND), the interface, the packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/filter_path.h"

static char text[4 << 20];
static char line[200000];
static uint8_t bytes[70000];

static const char *const rejects[FILTER_VERDICT_COUNT] = {
    [FILTER_DROP] = "drop",
    [FILTER_REJECT_NET_UNREACHABLE] = "reject-3/0",
    [FILTER_REJECT_HOST_UNREACHABLE] = "reject-3/1",
    [FILTER_REJECT_PROTOCOL_UNREACHABLE] = "reject-3/2",
    [FILTER_REJECT_PORT_UNREACHABLE] = "reject-3/3",
    [FILTER_REJECT_NET_PROHIBITED] = "reject-3/9",
    [FILTER_REJECT_HOST_PROHIBITED] = "reject-3/10",
    [FILTER_REJECT_ADMIN_PROHIBITED] = "reject-3/13",
    [FILTER_REJECT_TCP_RESET] = "reject-reset",
};

static void load(const char *path)
{
    FILE *file = fopen(path, "r");
    struct rules_error error;
    size_t length;

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    length = fread(text, 1, sizeof(text), file);
    fclose(file);
    if (rules_load(path, text, length, &error) != 0) {
        printf("%s\n", error.text);
        exit(1);
    }
    printf("loaded\n");
    fflush(stdout);
}

static size_t parse_hex(const char *hex)
{
    size_t length = 0;
    unsigned octet;

    while (sscanf(hex + 2 * length, "%2x", &octet) == 1)
        bytes[length++] = (uint8_t)octet;
    return length;
}

/* No reset answers a reset, no error an error (net/ip/refuse.c,
 * icmp_send.c). */
static bool is_answered(enum filter_verdict verdict)
{
    size_t header = (size_t)(bytes[0] & 0xf) * 4;

    if (verdict == FILTER_REJECT_TCP_RESET)
        return bytes[9] == 6 && (bytes[header + 13] & 4) == 0;
    return bytes[9] != 1 || strchr("\3\4\5\13\14", bytes[header]) == NULL ||
           bytes[header] == 0;
}

static void show(const struct path_result *result)
{
    static const char *const ends[] = {"forward", "local", "sent"};

    if (result->end == PATH_REFUSED)
        printf("%s", rejects[is_answered(result->verdict) ? result->verdict
                                                          : FILTER_DROP]);
    else
        printf("%s %s ", ends[result->end],
               result->end == PATH_LOCAL ? "-" : result->out->name);
    for (size_t i = 0; result->end != PATH_REFUSED && i < result->length; i++)
        printf("%02x", result->bytes[i]);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    path_start(16 << 20);
    load(argv[1]);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char name[8];
        unsigned long long ms;
        int at;
        size_t length;
        uint64_t now_ns;

        if (sscanf(line, "%llu %7s %n", &ms, name, &at) != 2)
            return 2;
        length = parse_hex(line + at);
        now_ns = (1000000 + ms) * NS_PER_MS;
        if (strcmp(name, "out") == 0)
            show(path_send(bytes, length, now_ns));
        else
            show(path_receive(strcmp(name, "eth0") == 0 ? PATH_WAN : PATH_LAN,
                              bytes, length, now_ns));
    }
    return 0;
}
