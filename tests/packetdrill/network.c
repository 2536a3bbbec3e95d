/* SPDX-License-Identifier: MIT */
/*
 * Packets in and out, and the file of connection states. packetdrill does not
 * look at the checksums of TCP and UDP, so it is done here.
 */
#include "tests/packetdrill/adapter.h"
#include "tests/script/checksum.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATES_SIZE = 1 << 16,
    EXIT_CHECKSUM = 3,
    IPV4 = 20,
};

static int make_netdev_send(void *userdata, const void *packet, size_t length)
{
    (void)userdata;
    if (length < IPV4 || *(const uint8_t *)packet >> 4 != 4)
        return -1;
    adapter_enter();
    lan_inject(&adapter_lan, packet, length);
    clock_run_until(world_now());
    adapter_leave();
    return 0;
}

/* A fragment's is the whole's. */
static bool has_checksum(const uint8_t *ip, size_t header)
{
    if ((ip[6] & 0x3f) != 0 || ip[7] != 0)
        return false;
    return ip[9] == 6 ||
           (ip[9] == 17 && (ip[header + 6] | ip[header + 7]) != 0);
}

static void check(const struct stage_packet *packet)
{
    const uint8_t *ip = packet->bytes;
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    const char *wrong = NULL;

    if (internet_checksum(ip, header, 0) != 0)
        wrong = "IPv4";
    else if (has_checksum(ip, header) &&
             internet_checksum(ip + header, packet->length - header,
                               pseudo_sum(ip)) != 0)
        wrong = ip[9] == 6 ? "TCP" : "UDP";
    if (wrong == NULL)
        return;
    fprintf(stderr, "ferrule: the stack sent a wrong %s checksum\n", wrong);
    _exit(EXIT_CHECKSUM);
}

static int make_netdev_receive(void *userdata, void *bytes, size_t *length,
                               long long *time_us)
{
    size_t size = *length;

    (void)userdata;
    adapter_enter();
    uint64_t end_ns = world_now() + PATIENCE_S * NS_PER_S;
    while (adapter_lan.first == NULL && clock_step(end_ns)) {
    }
    struct stage_packet *packet = lan_take(&adapter_lan);
    *length = 0;
    if (packet != NULL && packet->length <= size) {
        check(packet);
        memcpy(bytes, packet->bytes, packet->length);
        *length = packet->length;
        *time_us = clock_time_us(packet->time_ns);
    }
    free(packet);
    adapter_leave();
    return 0;
}

struct text {
    char bytes[STATES_SIZE + 1];
    size_t length;
    bool is_for_closed;
};

/* Live ones first; then what is over and still open in the script, unless its
 * TIME-WAIT, or a new connection of the same ends, is there already. */
static bool is_shown(const struct text *text, const char *ends, bool is_closed)
{
    if (is_closed != text->is_for_closed)
        return false;
    return !is_closed || strstr(text->bytes, ends) == NULL;
}

static void print_state(void *context, const struct tcp_status *status)
{
    static const char *const names[TCP_STATE_COUNT] = {
        [TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
        [TCP_SYN_SENT] = "SYN_SENT",       [TCP_SYN_RECEIVED] = "SYN_RCVD",
        [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN_WAIT_1",
        [TCP_FIN_WAIT_2] = "FIN_WAIT_2",   [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
        [TCP_CLOSING] = "CLOSING",         [TCP_LAST_ACK] = "LAST_ACK",
        [TCP_TIME_WAIT] = "TIME_WAIT"};
    struct text *text = context;
    struct be32 ip[2] = {ip_address_ipv4(&status->local.address),
                         ip_address_ipv4(&status->remote.address)};
    size_t room = STATES_SIZE - text->length;
    char ends[64];

    snprintf(ends, sizeof(ends), "%u.%u.%u.%u:%u %u.%u.%u.%u:%u ",
             ip[0].octet[0], ip[0].octet[1], ip[0].octet[2], ip[0].octet[3],
             status->local.port, ip[1].octet[0], ip[1].octet[1], ip[1].octet[2],
             ip[1].octet[3], status->remote.port);
    if (!is_shown(text, ends, status->state == TCP_CLOSED))
        return;
    int length = snprintf(text->bytes + text->length, room, "packetdril %s%s\n",
                          ends, names[status->state]);
    if ((size_t)length < room)
        text->length += (size_t)length;
    text->bytes[text->length] = '\0';
}

void states_write(void)
{
    static struct text last;
    static bool was_written;
    static struct text now;
    const char *file = getenv("PACKETDRILL_STATES");

    if (file == NULL)
        return;
    now.length = 0;
    now.bytes[0] = '\0';
    now.is_for_closed = false;
    adapter_lan.stack->call->tcp_visit_connections(print_state, &now);
    now.is_for_closed = true;
    adapter_lan.stack->call->tcp_visit_connections(print_state, &now);
    if (was_written && now.length == last.length &&
        memcmp(now.bytes, last.bytes, now.length) == 0)
        return;
    FILE *stream = fopen(file, "w");
    if (stream == NULL)
        return;
    fwrite(now.bytes, 1, now.length, stream);
    fclose(stream);
    last = now;
    was_written = true;
}

void network_fill(struct packetdrill_interface *table)
{
    table->netdev_send = make_netdev_send;
    table->netdev_receive = make_netdev_receive;
    table->usleep = clock_usleep;
    table->gettimeofday = clock_gettimeofday;
}
