/* SPDX-License-Identifier: MIT */
/*
 * See report.h. The processor's load is not known and told as 0.
 */
#include "report.h"

#include "stream.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
    char *bytes;
    size_t size;
    size_t length;
};

static void put(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
    size_t room = text->size - text->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->length += (size_t)length < room ? (size_t)length : room - 1;
}

static bool we_send(const struct parameters *parameters)
{
    return parameters->is_reverse || parameters->is_bidirectional;
}

size_t report_json(const struct result *result, char *bytes, size_t size)
{
    struct text text = {bytes, size, 0};

    put(&text,
        "{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,"
        "\"sender_has_retransmits\":%d,\"streams\":[",
        !we_send(result->parameters) ? -1
        : result->parameters->is_udp ? 0
                                     : 1);
    for (unsigned i = 0; i < streams_count(); i++) {
        const struct stream *stream = streams_at(i);

        put(&text,
            "%s{\"id\":%u,\"bytes\":%llu,\"retransmits\":%d,"
            "\"jitter\":%.9f,\"errors\":%llu,\"omitted_errors\":%llu,"
            "\"packets\":%llu,\"omitted_packets\":%llu,"
            "\"start_time\":0,\"end_time\":%.6f}",
            i == 0 ? "" : ",", (unsigned)result->ids[i],
            (unsigned long long)stream->bytes, stream->retransmits,
            stream->jitter_s, (unsigned long long)stream->lost,
            (unsigned long long)stream->omitted_lost,
            (unsigned long long)stream->packets,
            (unsigned long long)stream->omitted_packets, result->seconds);
    }
    put(&text, "]}");
    return text.length;
}

void report_begin(const struct result *result)
{
    const struct parameters *parameters = result->parameters;

    printf("iperf3: %s begins: %s, %u stream%s%s, %s\n",
           inet_ntoa(result->peer), parameters->is_udp ? "UDP" : "TCP",
           parameters->streams, parameters->streams == 1 ? "" : "s",
           parameters->is_bidirectional ? " each way" : "",
           parameters->is_bidirectional ? "both send"
           : parameters->is_reverse     ? "we send"
                                        : "it sends");
    fflush(stdout);
}

static void report_way(const struct result *result, bool is_sender)
{
    uint64_t bytes = 0, packets = 0, lost = 0;
    double seconds = result->seconds > 0 ? result->seconds : 1e-9;

    for (unsigned i = 0; i < streams_count(); i++) {
        const struct stream *stream = streams_at(i);

        if (stream->is_sender != is_sender)
            continue;
        bytes += stream->bytes;
        packets += stream->packets - stream->omitted_packets;
        lost += stream->lost - stream->omitted_lost;
    }
    printf("iperf3: %s ended: %s %llu bytes in %.2f s, %.1f Mbit/s",
           inet_ntoa(result->peer), is_sender ? "sent" : "received",
           (unsigned long long)bytes, seconds,
           (double)bytes * 8 / 1e6 / seconds);
    if (result->parameters->is_udp)
        printf(", %llu of %llu datagrams lost", (unsigned long long)lost,
               (unsigned long long)packets);
    printf("\n");
    fflush(stdout);
}

void report_end(const struct result *result)
{
    if (result->parameters->is_bidirectional || !result->parameters->is_reverse)
        report_way(result, false);
    if (we_send(result->parameters))
        report_way(result, true);
}
