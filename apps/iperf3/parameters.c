/* SPDX-License-Identifier: MIT */
/*
 * See parameters.h. What we do not know is left alone, as newer clients say
 * more; what we know must be in range.
 */
#include "parameters.h"

#include "json.h"
#include "limits.h"

enum { BLOCK_DEFAULT = 131072, DATAGRAM_DEFAULT = 1460 };

struct reader {
    struct json object;
    const char *problem;
};

static bool flag(const struct reader *reader, const char *name)
{
    struct json value;

    return json_member(reader->object, name, &value) && json_is_true(value);
}

/* A number up to `most`; `otherwise` if it is not there. */
static uint64_t number(struct reader *reader, const char *name, uint64_t most,
                       uint64_t otherwise)
{
    struct json value;
    int64_t found;

    if (!json_member(reader->object, name, &value))
        return otherwise;
    if (json_integer(value, &found) && found >= 0 && (uint64_t)found <= most)
        return (uint64_t)found;
    reader->problem = name;
    return otherwise;
}

static unsigned small_number(struct reader *reader, const char *name,
                             unsigned most, unsigned otherwise)
{
    return (unsigned)number(reader, name, most, otherwise);
}

static void read_sizes(struct reader *reader, struct parameters *parameters)
{
    size_t most = parameters->is_udp ? DATAGRAM_LIMIT : BLOCK_LIMIT;
    size_t least = parameters->is_udp ? DATAGRAM_LEAST : 1;
    size_t usual = parameters->is_udp ? DATAGRAM_DEFAULT : BLOCK_DEFAULT;

    parameters->block = (size_t)number(reader, "len", most, usual);
    if (parameters->block < least)
        reader->problem = "len";
    parameters->streams = small_number(reader, "parallel", STREAMS_EACH_WAY, 1);
    if (parameters->streams == 0)
        reader->problem = "parallel";
    parameters->buffer = small_number(reader, "window", SOCKET_BUFFER_MAX, 0);
    parameters->maximum_segment =
        small_number(reader, "MSS", DATAGRAM_LIMIT, 0);
    parameters->type_of_service = small_number(reader, "TOS", UINT8_MAX, 0);
}

const char *parameters_read(const char *text, size_t length,
                            struct parameters *parameters)
{
    struct reader reader = {.problem = NULL};
    struct json value;

    *parameters = (struct parameters){.is_udp = false};
    if (!json_parse(text, length, &reader.object) || *reader.object.at != '{')
        return "no JSON";
    parameters->is_udp = flag(&reader, "udp");
    if (parameters->is_udp == flag(&reader, "tcp"))
        return "neither TCP nor UDP";
    parameters->is_reverse = flag(&reader, "reverse");
    parameters->is_bidirectional = flag(&reader, "bidirectional");
    parameters->is_nodelay = flag(&reader, "nodelay");
    parameters->has_long_counters =
        number(&reader, "udp_counters_64bit", UINT8_MAX, 0) != 0;
    parameters->omit_s = small_number(&reader, "omit", SECONDS_LIMIT, 0);
    parameters->time_s = small_number(&reader, "time", SECONDS_LIMIT, 0);
    parameters->bytes = number(&reader, "num", INT64_MAX, 0);
    parameters->blocks = number(&reader, "blockcount", INT64_MAX, 0);
    parameters->bits_per_second = number(&reader, "bandwidth", INT64_MAX, 0);
    read_sizes(&reader, parameters);
    if (json_member(reader.object, "congestion", &value) &&
        !json_string(value, parameters->congestion, CONGESTION_NAME_SIZE))
        reader.problem = "congestion";
    return reader.problem;
}
