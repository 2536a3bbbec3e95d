/* SPDX-License-Identifier: MIT */
/*
 * The functions the files of net/tcp/ call of each other, by file.
 */
#pragma once

#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/connection.h"
#include "net/tcp/turn.h"

/* input.c and its parts. */
void connection_receive(struct tcp_connection *c, struct packet *packet,
                        struct tcp_segment *segment, uint64_t now_ns);

/* RFC 4861 7.3.1: what we sent arrived, or what answers it did. */
void connection_confirm_path(struct tcp_connection *c, uint64_t now_ns);
static inline void connection_note_progress(struct tcp_connection *c,
                                            uint64_t now_ns)
{
    if ((uint16_t)(coarse_time(now_ns) - c->confirmed_at) >=
        coarse_time(TCP_CONFIRM_NS))
        connection_confirm_path(c, now_ns);
}

/* An ACK that tells a confused peer, or nothing to a forger (RFC 5961). */
void connection_challenge(struct tcp_connection *c, uint64_t now_ns);

/* receive.c: a segment, or train, of a node that has to be looked at. The
 * packet stands at its header. */
void receive_any(struct tcp_node *node, struct packet *packet, uint64_t now_ns);

/* predict.c: the same of one that is synchronised, if it is just what comes
 * next; else receive_any(). */
void predict_receive(struct tcp_connection *c, struct packet *packet,
                     uint64_t now_ns);

/* handshake.c */
void syn_sent_receive(struct tcp_connection *c, struct packet *packet,
                      struct tcp_segment *segment, uint64_t now_ns);
/* Takes over what the SYN said: `options` of the peer. */
void connection_negotiate(struct tcp_connection *c,
                          const struct tcp_header_options *options,
                          uint64_t now_ns);
void connection_establish(struct tcp_connection *c,
                          const struct tcp_segment *segment, uint64_t now_ns);

/* acknowledge.c: RFC 9293 3.10.7.4, fifth. False: stop processing. */
bool acknowledge(struct tcp_connection *c, const struct tcp_segment *segment,
                 uint64_t now_ns);
/* There may be room for a writer that has waited. */
void acknowledge_notify(struct tcp_connection *c);
/* Everything, the FIN included: what is never sent again has no losses, no
 * deadline and no window any more. False: the connection is gone. */
bool acknowledge_all(struct tcp_connection *c, struct seq32 ack,
                     uint64_t now_ns);

/* text.c: seventh and eighth. Takes the packet. */
void text_receive(struct tcp_connection *c, struct packet *packet,
                  struct tcp_segment *segment, uint64_t now_ns);

/* The peer's FIN, next in order. */
void text_take_fin(struct tcp_connection *c, uint64_t now_ns);

/* transfer.c: what acknowledge_notify() does, of one that is open in this
 * direction and whose writer waits for nothing but room in the buffer. */
void connection_note_room(struct tcp_connection *c);

/* How many packets the queues of one connection may hold. */
enum {
    TEXT_PAYLOAD_PER_PACKET = 1024, /* on average at least */
    TEXT_PACKETS_MIN = 16,
};
static inline uint32_t text_packet_limit(const struct tcp_connection *c)
{
    return c->options.receive_buffer / TEXT_PAYLOAD_PER_PACKET +
           TEXT_PACKETS_MIN;
}

/* So many segments came in order, of `size` without PSH (0: not so). */
void text_owe_ack(struct tcp_connection *c, uint32_t segments, uint32_t size,
                  uint64_t now_ns);

/* window.c: the window field for a segment sent now; moves rcv.edge. */
uint16_t window_offer(struct tcp_connection *c, bool is_syn);
/* The app took bytes out: is that worth telling the peer? */
void window_read(struct tcp_connection *c);

enum {
    ECN_MASK = 3, /* of the IP header's TOS; both set: it was marked */
};

/* ecn.c: the flags of our SYN; the answer to it. */
uint8_t ecn_syn_flags(struct tcp_connection *c, bool is_again);
void ecn_answered(struct tcp_connection *c, const struct tcp_segment *segment);

void ecn_receive(struct tcp_connection *c, const struct tcp_segment *segment);
void ecn_acknowledged(struct tcp_connection *c,
                      const struct tcp_segment *segment);

/* The TOS of a segment sent now, and its ECN flags. */
uint8_t ecn_stamp(struct tcp_connection *c, bool is_new_data, uint8_t *flags);

/* autotune.c: the app took some bytes out. */
void autotune_read(struct tcp_connection *c, uint32_t length, uint64_t now_ns);

/* recovery.c */
void recovery_duplicate_ack(struct tcp_connection *c);
void recovery_new_ack(struct tcp_connection *c, uint32_t acked, uint32_t rtt_us,
                      uint64_t now_ns);
void recovery_timeout(struct tcp_connection *c);
/* The window is reduced, and the peer is told (RFC 3168 6.1.2). */
void recovery_reduce(struct tcp_connection *c,
                     enum tcp_congestion_signal signal, uint32_t flight);

/* It had none, and nothing is in flight; NULL: there is none for it. */
struct tcp_recovery *recovery_begin(struct tcp_connection *c);
/* Bytes [seq, seq + length) left, for the first time, or again after going
 * back; c->snd has moved on. */
void recovery_segment_sent(struct tcp_connection *c, struct seq32 seq,
                           uint32_t length, bool is_again, uint64_t now_ns);
/* There was no memory for it: NewReno takes over until all is acked. */
void recovery_stop_tracking(struct tcp_connection *c);
/* A piece of what was lost left again. */
void recovery_sent_again(struct tcp_connection *c, struct seq32 seq,
                         uint32_t length, uint64_t now_ns);
/* The next one that may, by the congestion window. */
bool recovery_next(struct tcp_connection *c, struct tcp_piece *piece);
/* Bytes the congestion window lets go now. */
uint32_t recovery_room(const struct tcp_connection *c);
/* Tells the module of an ACK outside recovery. */
void recovery_grow(struct tcp_connection *c, uint32_t acked, uint32_t rtt_us,
                   uint64_t now_ns);
void recovery_release(struct tcp_connection *c);

/* sack.c: the same for a connection that is tracking. The first takes an ACK,
 * which advanced snd.una by `acked`; true when it gave an RTT sample. */
bool recovery_sack_ack(struct tcp_connection *c,
                       const struct tcp_segment *segment, uint32_t acked,
                       uint64_t now_ns);
void recovery_sack_timeout(struct tcp_connection *c);
void recovery_losses(struct tcp_connection *c, uint64_t now_ns);
void recovery_more_losses(struct tcp_connection *c, uint64_t now_ns);
/* Keeps comparisons with sequence numbers of long ago meaningful for ever: at
 * least once in 2^30 bytes. */
void recovery_forget_old(struct tcp_connection *c);

/* rack.c */
static inline void rack_note_rtt(struct tcp_recovery *r, uint32_t rtt_us,
                                 uint64_t now_ns)
{
    uint32_t now = coarse_time(now_ns);

    rtt_us = rtt_us == 0 ? 1 : rtt_us;
    if (r->rtt_min_us == 0 || rtt_us <= r->rtt_min_us ||
        now - r->rtt_min_at > coarse_time(TCP_RTT_MIN_AGE_NS)) {
        r->rtt_min_us = rtt_us;
        r->rtt_min_at = now;
    }
}
/* What arrived begins before what had arrived, and ends here. */
void rack_note_reordering(struct tcp_recovery *r, struct seq32 lowest,
                          struct seq32 highest);
void rack_delivered(struct tcp_connection *c, const struct tcp_segment *segment,
                    const struct tcp_delivery *d, uint64_t now_ns);
void rack_was_in_vain(struct tcp_connection *c);
void rack_recovered(struct tcp_recovery *r);
void rack_detect(struct tcp_connection *c, uint64_t now_ns);
void probe_schedule(struct tcp_connection *c, uint64_t now_ns);
void probe_sent(struct tcp_connection *c, bool is_again);
bool probe_acknowledged(struct tcp_connection *c,
                        const struct tcp_segment *segment, bool is_dsack);
void recovery_timer_expired(struct tcp_connection *c, uint64_t now_ns);

/* urgent.c: a segment with URG, and what that means for reads and for what
 * is sent. */
void urgent_receive(struct tcp_connection *c,
                    const struct tcp_segment *segment);
/* How many of so many bytes one read may take; and: some were taken. */
uint32_t urgent_limit(struct tcp_connection *c, uint32_t length);
void urgent_read(struct tcp_connection *c);
/* The FIN has come: a mark that lies behind the end is none. */
void urgent_finish(struct tcp_connection *c);
/* What is queued now is urgent: the peer is told, also with a shut window. */
void urgent_send(struct tcp_connection *c);
void urgent_stamp(struct tcp_connection *c, struct seq32 seq,
                  struct tcp_header *header);

/* pending.c: it owes that, and sends at the end of this entry into the stack,
 * behind those who were touched before. */
void connection_touch(struct tcp_connection *c, unsigned owed);

/* The device had no room for anything of it: it comes before all who are
 * touched in this run, behind the others of whom that is true. */
void connection_wait_for_device(struct tcp_connection *c);
/* In the last run there were such: turns are short. */
bool connections_wait_for_device(void);

/* What a segment, or a timer, has used of the turn (turn.h); the output that
 * follows has the rest. */
enum tcp_spent {
    SPENT_NOTHING, /* or less than a part; then so many parts */
    SPENT_ALL = TCP_TURN_STEPS / TCP_TURN_PART,
    SPENT_LAST, /* all of the last one: this is another */
};
void connection_note_spent(struct tcp_connection *c);
static inline void connection_turn_end(struct tcp_connection *c)
{
    if (turn_steps >= TCP_TURN_PART)
        connection_note_spent(c);
}

/* output.c: what it owes is sent, as far as it may be now. */
void connection_output(struct tcp_connection *c, uint64_t now_ns);

/* An acknowledgement or a window lets more be sent, if there is more: text or a
 * FIN that was not sent yet, or goes again after a timeout. Or the queue has
 * still to be cleared of what was acknowledged. */
static inline void connection_touch_unsent(struct tcp_connection *c)
{
    if (!seq_equal(c->snd.nxt,
                   seq_add(send_queue_end(&c->send), c->fin_queued)) ||
        send_queue_is_behind(&c->send))
        connection_touch(c, OWES_OUTPUT);
}

/* The next segment at snd.nxt, if one may leave now. */
struct output_plan {
    uint32_t length;
    uint8_t flags;
};
bool output_plan_next(const struct tcp_connection *c, struct output_plan *plan);

/* A FIN and nothing else. False: there was no packet for it. */
bool output_fin(struct tcp_connection *c, uint64_t now_ns);

/* A segment shorter than the peer would like. */
static inline bool output_may_be_small(const struct tcp_connection *c,
                                       uint32_t length, bool is_all)
{
    if (seq_before(c->snd.nxt, c->snd.max))
        return true; /* again, after a timeout */
    if (length >= c->snd.max_wnd / 2)
        return true;
    if (!is_all)
        return false;
    if (c->is_urgent && seq_before(c->snd.una, c->seldom->urgent_out))
        return true;
    if ((c->options.cork && !c->is_pushed) || c->is_cut || c->holds_more)
        return false;
    return c->options.no_delay || !seq_after(c->snd.small, c->snd.una);
}

/* So much was sent in this run: has the rest to wait for another? */
bool output_must_pause(struct tcp_connection *c, uint32_t sent);

/* output_plain.c: all that a connection owes in its ordinary state. False: it
 * is in another, look at everything; what was done is done. */
bool output_plain(struct tcp_connection *c, uint64_t now_ns) MUST_CHECK;

/* transmit.c: one segment; false when there was no packet for it. */
bool transmit_segment(struct tcp_connection *c, struct seq32 seq,
                      uint32_t *length, uint8_t flags, uint64_t now_ns);

/* mtu.c: searching the path MTU by trying (RFC 4821). */
void mtu_start(struct tcp_connection *c, uint64_t now_ns);
void mtu_timeout(struct tcp_connection *c, uint64_t now_ns);
/* Bytes of a probe that may leave now, of so many unsent; 0: none. */
uint32_t mtu_probe_length(const struct tcp_connection *c, uint32_t waiting,
                          uint64_t now_ns);
void mtu_probe_sent(struct tcp_connection *c, uint32_t length);
void mtu_acknowledged(struct tcp_connection *c, uint64_t now_ns);
/* Is the claim of a router about a probe, and no more? */
bool mtu_probe_refused(struct tcp_connection *c, uint32_t mtu);

/* reply.c: segments that belong to no connection, sent by tcp_run_pending. */
struct tcp_reply {
    struct seq32 seq;
    struct seq32 ack;
    uint16_t window; /* as in the field */
    uint8_t flags;
    uint8_t ttl;
    uint8_t tos;
    struct tcp_header_options options; /* without SACK blocks */
};

/* A reply is begun and then queued. It takes the packet, of which nothing is
 * kept; or, without one (NULL), another. The way is the hop, or what is
 * found (NULL). NULL: no packet, or no way. */
struct packet *reply_begin(const struct tcp_tuple *tuple, struct packet *packet,
                           const struct ip_hop *hop);
const struct ip_hop *reply_hop(struct packet *packet);

/* The IP header and TCP's of so many bytes, options included, of which sequence
 * numbers, flags, window and options are the caller's; then into the queue. Or
 * all at once. */
struct tcp_header *reply_push(struct packet *packet,
                              const struct tcp_tuple *tuple, size_t length,
                              uint8_t ttl, uint8_t tos);
void reply_append(struct packet *packet);
void reply_queue(struct packet *packet, const struct tcp_tuple *tuple,
                 const struct tcp_reply *reply);

/* The reset of RFC 9293 3.10.7.1, unless the segment is one itself. */
void reply_reset(const struct tcp_tuple *tuple,
                 const struct tcp_segment *segment);
void replies_send_queued(uint64_t now_ns);
extern struct packet_queue tcp_replies; /* reply.c's */
static inline void replies_send(uint64_t now_ns)
{
    if (tcp_replies.first != NULL)
        replies_send_queued(now_ns);
}

/* options.c: the MSS to announce for a way with this MTU. */
uint16_t tcp_options_mss(const struct tcp_options *options, uint32_t mtu);

/* timers.c: "when next?" */
void timers_update(struct tcp_connection *c);

/* One deadline was set, the others stay. */
static inline void timers_arm(struct tcp_connection *c, uint64_t at_ns)
{
    if (!timer_is_set(&c->timer) || c->timer.deadline_ns > at_ns)
        timer_set(&c->timer, at_ns);
}

void connection_timer_expired(struct timer *timer, uint64_t now_ns);
void timers_start(struct tcp_connection *c, uint64_t now_ns);
static inline void timers_segment_sent(struct tcp_connection *c,
                                       uint64_t now_ns)
{
    if (c->retransmit_at_ns == 0 || c->is_persisting)
        timers_start(c, now_ns);
}
void timers_progress(struct tcp_connection *c, uint64_t now_ns);
void timers_restart(struct tcp_connection *c, uint64_t now_ns);
void timers_delay_ack(struct tcp_connection *c, uint64_t now_ns);
/* From then on nothing was heard; and: its time was changed. */
void timers_keep_alive(struct tcp_connection *c, uint64_t from_ns);
void timers_keep_idle(struct tcp_connection *c, uint64_t now_ns);
void timers_persist(struct tcp_connection *c, uint64_t now_ns);
void timers_memory(struct tcp_connection *c, uint64_t now_ns);
void timers_orphan(struct tcp_connection *c, uint64_t now_ns);

/* listen.c, half_open.c; more in listen.h */
void listeners_init(void);
int half_open_init(size_t count) MUST_CHECK;
void listen_receive(struct packet *packet, const struct tcp_tuple *tuple,
                    struct tcp_segment *segment, uint64_t now_ns);

/* A SYN for a tuple that had been in use before, up to `used` on our side.
 * False when nobody wants it. */
bool listen_again(const struct tcp_tuple *tuple,
                  const struct tcp_segment *segment, struct seq32 used,
                  uint64_t now_ns) MUST_CHECK;
void half_open_receive(struct tcp_node *node, struct packet *packet,
                       struct tcp_segment *segment, uint64_t now_ns);
/* That ICMP error about the segment with this number. True: it was the end. */
bool half_open_error(struct tcp_node *node, enum ip_error error,
                     struct seq32 seq) MUST_CHECK;
bool listener_uses(const struct tcp_endpoint *local);
size_t half_open_count(void);
void half_open_visit(void (*visit)(void *context,
                                   const struct tcp_status *status),
                     void *context);

/* timewait.c */
int time_wait_init(size_t count) MUST_CHECK;
void time_wait_enter(struct tcp_connection *c, uint64_t now_ns);
void time_wait_receive(struct tcp_node *node, struct packet *packet,
                       const struct tcp_segment *segment, uint64_t now_ns);
size_t time_wait_count(void);
/* Looks at all there are. */
bool time_wait_uses(const struct tcp_endpoint *local);
void time_wait_visit(void (*visit)(void *context,
                                   const struct tcp_status *status),
                     void *context);
void listener_visit(void (*visit)(void *context,
                                  const struct tcp_status *status),
                    void *context);

/* identity.c: what an observer must not be able to predict. */
void identity_init(void);
/* The first sequence number, and what is added to the clock of timestamps,
 * which for the same ends is always the same. */
struct tcp_identity {
    struct seq32 sequence;
    uint32_t timestamp_offset;
};
struct tcp_identity identity_make(const struct tcp_tuple *tuple,
                                  uint64_t now_ns);
uint16_t identity_port(const struct tcp_tuple *tuple); /* 0: none is free */

/* settings.c */
struct tcp_settings {
    uint32_t send_buffer;
    uint32_t receive_buffer;
    uint32_t buffer_max;
    uint32_t rto_min_us;
    uint32_t rto_slack_us; /* G of RFC 6298 */
    uint16_t keep_idle_s;
    uint16_t keep_interval_s;
    uint16_t fin_timeout_s;
    uint32_t unsent_low;
    uint8_t keep_count;
    uint8_t syn_retries;
    uint8_t syn_linear; /* the first so many repetitions do not back off */
    uint8_t syn_ack_retries;
    uint8_t mtu_probing; /* 0: never, 1: after a black hole, 2: always */
    uint8_t syncookies;  /* 0: never, 1: past a threshold, 2: always */
    uint8_t retries;
    uint8_t ecn;            /* 0: no, 1: ask for it and grant it, 2: grant it */
    uint8_t congestion;     /* number of the module connections start with */
    uint8_t window_shift;   /* of windows we offer (RFC 7323 2) */
    uint8_t initial_window; /* segments (RFC 6928) */
    uint8_t challenges;     /* a second and connection (RFC 5961 7) */
    bool timestamps;        /* first of the flags: settings.c */
    bool window_scaling;
    bool header_prediction; /* off: every segment takes the long way */
    bool plain_output;      /* off: all output takes the long way */
    bool moderate_receive;  /* receive buffers grow */
    bool sack;
    bool dsack;
    bool recovery;         /* RACK rather than RFC 6675's counting */
    bool early_retransmit; /* tail loss probes */
    bool frto;
    bool prr;
    bool undo;
    bool adapt_reordering; /* RACK's window grows */
    bool limited_transmit;
    bool hystart;
    bool slow_start_after_idle;
    bool mtu_discovery;    /* DF, and ICMP is heeded */
    bool reuse_time_wait;  /* a newer SYN ends it (RFC 6191) */
    bool read_after_shut;  /* SHUT_RD: what comes can still be read */
    bool push_bursts;      /* of two segments, with PSH on the second */
    bool tolerate_missing; /* of timestamps that were agreed upon */
    bool close_wait_pipe;  /* a reset there is EPIPE */
    bool quick_start;      /* the first segments are acknowledged at once */
};
extern struct tcp_settings tcp_settings;
void settings_init(size_t memory); /* how much there is for all of net/ */

/* Bytes the send queue may hold: a window in flight and as much to follow it.
 * When memory is half gone, nobody queues more than it can soon send. */
static inline uint32_t autotune_send_limit(const struct tcp_connection *c)
{
    uint32_t buffer = c->options.send_buffer;
    uint32_t windows = 2 * c->congestion.cwnd; /* of 2^30 at most */

    if (c->options.send_buffer_fixed)
        return buffer;
    if (send_memory.buffers_used >= send_memory.buffers_limit / 2) {
        return smaller(larger(windows, TCP_BUFFER_SCARCE), buffer);
    }
    return smaller(larger(windows, buffer), tcp_settings.buffer_max);
}

/* TCP_NOTSENT_LOWAT: the queue is bounded by what waits and may not be sent
 * yet, `low` bytes of that. Linux's default is a number none waits for. */
static inline bool autotune_is_low(const struct tcp_connection *c)
{
    return c->options.unsent_low - 1U < TCP_BUFFER_MAX;
}
uint32_t autotune_low_limit(const struct tcp_connection *c, uint32_t limit,
                            uint32_t low);
