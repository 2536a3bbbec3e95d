/* SPDX-License-Identifier: MIT */
/*
 * What RFC 9293 3.10.7 says happens when a segment arrives, written from the
 * RFC for tests alone: plain, slow, in the order of the text, with nothing of
 * net/tcp in it. It knows one connection and one segment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_state {
    MODEL_CLOSED,
    MODEL_LISTEN,
    MODEL_SYN_SENT,
    MODEL_SYN_RECEIVED,
    MODEL_ESTABLISHED,
    MODEL_FIN_WAIT_1,
    MODEL_FIN_WAIT_2,
    MODEL_CLOSE_WAIT,
    MODEL_CLOSING,
    MODEL_LAST_ACK,
    MODEL_TIME_WAIT,
    MODEL_STATES,
};

enum model_flag {
    MODEL_FIN = 0x01,
    MODEL_SYN = 0x02,
    MODEL_RST = 0x04,
    MODEL_PSH = 0x08,
    MODEL_ACK = 0x10,
    MODEL_URG = 0x20,
};

/* RFC 9293 3.3.1; the FIN we sent is the last number before snd_nxt. */
struct model_connection {
    enum model_state state;
    bool is_passive; /* came from LISTEN (3.10.7.4, SYN-RECEIVED) */
    uint32_t iss;
    uint32_t irs;
    uint32_t snd_una;
    uint32_t snd_nxt;
    uint32_t max_snd_wnd; /* RFC 5961 5 */
    uint32_t rcv_nxt;
    uint32_t rcv_wnd;
    bool has_timestamps; /* RFC 7323, negotiated */
    uint32_t ts_recent;
};

struct model_segment {
    uint8_t flags;
    uint32_t seq;
    uint32_t ack;
    uint32_t length; /* of the text */
    bool has_timestamp;
    uint32_t timestamp;
};

struct model_reply {
    uint8_t flags; /* 0: nothing is sent */
    uint32_t seq;
    uint32_t ack;    /* only with the ACK flag */
    bool is_any_seq; /* a new ISS: the model cannot know it */
};

struct model_outcome {
    enum model_state state;
    struct model_reply reply;
    uint32_t delivered;      /* bytes of text handed to the user */
    uint32_t delivered_skip; /* bytes of the segment before them */
};

const char *model_state_name(enum model_state state);

struct model_outcome model_arrives(const struct model_connection *connection,
                                   const struct model_segment *segment);
