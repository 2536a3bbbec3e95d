/* SPDX-License-Identifier: MIT */
/*
 * Every capacity and time limit of httpd, with its reason. Times can be
 * changed by options; the values here are what an unattended appliance uses.
 */
#pragma once

enum {
    BUFFER_SIZE = 8192,       /* one request head; one batch of responses */
    BUFFERS_KEPT = 32,        /* free buffers kept for the next request */
    HEADER_COUNT_LIMIT = 100, /* 431 beyond; browsers send about 20 */
    TARGET_LIMIT = 2048,      /* bytes of a request target; 414 beyond */
    ROOT_LIMIT = 512,         /* bytes of the served folder's name */
    PATH_LIMIT = ROOT_LIMIT + TARGET_LIMIT + 16, /* "/index.html" and NUL */
    REQUEST_BODY_LIMIT = 65536, /* read and discarded; 413 beyond */
    HEAD_ROOM = 4096,           /* output left before one more response */
    LOCATION_LIMIT = 3072,      /* escaped redirect; leaves room for a head */
    RESPONSES_PER_TURN = 16,    /* pipelined answers before others get a turn */
    SEND_PER_TURN = 256 * 1024, /* body bytes before others get a turn */
    ACCEPTS_PER_TURN = 64,      /* connections before others get a turn */
    EVENTS_PER_TURN = 64,       /* before deadlines are looked at */
    LISTEN_BACKLOG = 511,       /* what other servers ask for */
    CONNECTIONS_DEFAULT = 16384, /* 200 bytes each while idle */
    LINGER_BYTES = 256 * 1024,   /* drained after an error response */
    LINGER_MS = 2000,            /* the same, in time */
    HEADER_TIMEOUT_MS = 10000,   /* first byte of a head to its last */
    IDLE_TIMEOUT_MS = 60000,     /* between two requests */
    SEND_TIMEOUT_MS = 20000,     /* period in which SEND_MINIMUM must leave */
    SEND_MINIMUM = 1024,         /* bytes per period; a trickle is cut off */
    ACCEPT_PAUSE_MS = 100        /* rest after running out of descriptors */
};
