/* SPDX-License-Identifier: MIT */
/*
 * Every capacity and time limit of the iperf3 server, with its reason.
 */
#pragma once

enum {
    COOKIE_SIZE = 37,       /* 36 characters and a NUL */
    STREAMS_EACH_WAY = 128, /* what the real client allows for -P */
    STREAMS_MAX = 2 * STREAMS_EACH_WAY,
    GREETERS_MAX = 16,           /* connections that have not said a cookie */
    PARAMETERS_LIMIT = 8192,     /* bytes of JSON; real ones have 300 */
    RESULTS_LIMIT = 65536,       /* 256 streams of 150 bytes, and some */
    BLOCK_LIMIT = 1 << 20,       /* -l of TCP, as the real client has it */
    DATAGRAM_LEAST = 16,         /* -l of UDP: the header must fit */
    DATAGRAM_LIMIT = 65507,      /* the largest over IPv4 */
    CHUNK_SIZE = 128 * 1024,     /* moved by one call, and per turn... */
    CHUNKS_PER_TURN = 4,         /* ...so many times; others wait meanwhile */
    DATAGRAMS_PER_TURN = 64,     /* the same for UDP */
    SECONDS_LIMIT = 86400,       /* -t and -O */
    PHASE_MS = 10000,            /* for every step but the test itself */
    SILENCE_MS = 30000,          /* no byte either way: the test is over */
    GRACE_MS = 10000,            /* past -t before we end the test ourselves */
    PACE_BURST_MS = 10,          /* what pacing may catch up with */
    SOCKET_BUFFER_MAX = 1 << 29, /* -w */
};
