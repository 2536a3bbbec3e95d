/* SPDX-License-Identifier: MIT */
/*
 * Every capacity and protocol constant of the stack, with its unit and its
 * reason. Memory use and worst cases can be read off this one file.
 */
#pragma once

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* Packets and buffers. */
enum {
    /* The e1000's default receive buffer size; two fill a page. */
    BUFFER_SIZE = 2048,
    POOL_BUFFERS_MIN = 640, /* two 256-descriptor rings and a bit */
    POOL_BUFFERS_MAX = 16384,
    /* So many side by side are one large buffer, for text of a stream that
     * sends much: a burst of 64 KiB is five pieces and not thirty-three. */
    BUFFERS_OF_LARGE = 8,
    BUFFER_LARGE_SIZE = BUFFERS_OF_LARGE * BUFFER_SIZE,
    /* Room for Ethernet + VLAN + IPv4 with options + TCP with options + slack
     * in front of what a transport sends: 14 + 4 + 60 + 60 = 138. */
    PACKET_HEADROOM = 160,
    /* Room the driver leaves in front of a received frame, so that a
     * forwarded packet can grow a VLAN tag; + 2 aligns the IP header. */
    PACKET_RECEIVE_HEADROOM = 66,
    /* A 64 KiB TSO burst from 2 KiB buffers, first and last partial. */
    PACKET_FRAGMENTS_MAX = 34,
};

/* Interfaces. */
enum {
    NETIF_MAX = 16,
    NETIF_NAME_SIZE = 16, /* Linux's IFNAMSIZ */
    /* Packets per receive softirq over all devices, as many as Linux's NAPI
     * lets one take: after so many an app that waits may look whether something
     * came for it (kernel/softirq_policy.h). */
    NETIF_POLL_BUDGET = 64,
    /* Turns in a row that brought one frame each, after which a single one is
     * expected again: nobody can be joined to it. */
    NETIF_LONE_TURNS = 16,
    /* Packets that wait for room in one device's ring: enough for a burst of
     * every connection, little enough that it drains within a second at
     * 10 Mbit/s. All devices' together, disciplines included, are bounded by
     * a part of the pool, of which each card may use the same. */
    NETIF_QUEUE_MAX = 512,
    NETIF_QUEUE_POOL_DIVISOR = 16,
};

/* VLAN interfaces, which count among NETIF_MAX. */
enum {
    VLANS_MAX = 12,
};

/* IGMP (RFC 3376 8). */
enum {
    IGMP_GROUPS_MAX = 32,
    IGMP_MEMBERS_MAX = 64, /* sockets in groups */
    IGMP_ROBUSTNESS = 2,
    IGMP_RESPONSE_1_TENTHS = 100, /* a query of version 1 names no time */
};

#define IGMP_UNSOLICITED_NS   (1 * NS_PER_S)
#define IGMP_OLDER_QUERIER_NS (260 * NS_PER_S) /* 8.12: 2 * 125 + 10 */

/* Lines a second that tell of single packets (net_trace.c). */
enum {
    DROP_TRACE_LINES = 20,
};

/* Queueing disciplines. */
enum {
    QDISC_FIFO_PACKETS = 1000, /* Linux's txqueuelen */
    /* RFC 8290 5.2: flows, packets in all, dropped at once when full. */
    QDISC_FLOWS = 1024,
    QDISC_HASH_SHIFT = 64 - 10, /* upper bits: one of them */
    QDISC_FQ_CODEL_PACKETS = 10240,
    QDISC_DROP_BATCH = 64,
    QDISC_QUANTUM = 1514, /* a full frame */
    /* A tbf's bucket when none is given: at 100 Mbit/s a timer's tick. */
    QDISC_BURST_BYTES = 4096,
};

/* RFC 8289 4.2, 4.3; and 5.5's "recently". */
#define CODEL_TARGET_NS        (5 * NS_PER_MS)
#define CODEL_INTERVAL_NS      (100 * NS_PER_MS)
#define CODEL_RECENT_INTERVALS 16

/* Neighbours (RFC 826, RFC 1122 2.3.2; states and times of RFC 4861 10). */
enum {
    NEIGHBOUR_MAX = 256,
    NEIGHBOUR_BUCKETS = 256,
    NEIGHBOUR_RECENT = 8, /* found without the hash; a power of two */
    /* How many of them may be unresolved: a scan by us, or through us, must
     * not push out those that answer. */
    NEIGHBOUR_INCOMPLETE_MAX = NEIGHBOUR_MAX / 2,
    /* Packets that wait for one neighbour, the oldest is dropped first; and
     * for all, which is also bounded by a part of the pool. */
    NEIGHBOUR_QUEUE_MAX = 16,
    NEIGHBOUR_QUEUED_TOTAL_MAX = 128,
    NEIGHBOUR_QUEUED_POOL_DIVISOR = 64,
    NEIGHBOUR_REQUESTS = 3,       /* before it counts as unreachable */
    NEIGHBOUR_UNICAST_PROBES = 3, /* then as many by broadcast */
    /* Entries looked at to find one to replace. */
    NEIGHBOUR_VICTIMS_MAX = 16,
};

#define NEIGHBOUR_RETRANSMIT_NS (1 * NS_PER_S)
#define NEIGHBOUR_REACHABLE_NS  (30 * NS_PER_S)
#define NEIGHBOUR_DELAY_NS      (5 * NS_PER_S)
/* Unreachable: told so at once, not asked for again that long. */
#define NEIGHBOUR_FAILED_NS (1 * NS_PER_S)
/* Used this recently: not replaced by another one. */
#define NEIGHBOUR_IN_USE_NS (60 * NS_PER_S)
/* A changed hardware address is not believed that soon after the last. */
#define NEIGHBOUR_LOCK_NS (1 * NS_PER_S)

/* Address conflict detection (RFC 5227 1.1). */
enum {
    ACD_PROBES = 3,
    ACD_ANNOUNCEMENTS = 2,
    ACD_HASTE_PROBES = 2,
};

/* Hosts on a LAN answer within a few ms; nobody wants to wait for seconds at
 * every boot. */
#define ACD_HASTE_NS (25 * NS_PER_MS)

#define ACD_PROBE_WAIT_NS        (1 * NS_PER_S)
#define ACD_PROBE_MIN_NS         (1 * NS_PER_S)
#define ACD_PROBE_MAX_NS         (2 * NS_PER_S)
#define ACD_ANNOUNCE_WAIT_NS     (2 * NS_PER_S)
#define ACD_ANNOUNCE_INTERVAL_NS (2 * NS_PER_S)
#define ACD_DEFEND_INTERVAL_NS   (10 * NS_PER_S)

/* IP (RFC 791, RFC 1122 3.3). */
enum {
    IP_ROUTES_MAX = 64,
    IP_DEFAULT_TTL = 64, /* RFC 1340 */
    /* A router's prefixes: one for so much memory. Each has its record (20),
     * a hash bucket (4 to 8), a place to be sorted at (4), and five words of
     * ranges, which is more than a rebuilt table can need. */
    FIB_ROUTES_MIN = 1024,
    FIB_ROUTES_MAX = 131072,
    FIB_WORDS_PER_ROUTE = 5,
    FIB_BYTES_PER_ROUTE = 52,
    FIB_MEMORY_DIVISOR = 8,
    /* `route=` words of one command line. */
    ROUTE_WORDS_MAX = 64,
    /* Different sets of paths, and paths in one. */
    FIB_SETS_MAX = 512,
    FIB_PATHS_MAX = 8,
    /* Counters of identifications, one for each of so many groups of
     * destinations (RFC 7739 5.3). */
    IP_IDENTIFICATIONS = 256,

    /* Of a datagram that is cut so many pieces leave at once, the rest waits
     * for the next tick, so that no frame causes more; and so many may wait,
     * 64 KiB each (one more is lost, but what an app sends is cut at once). */
    IP_PIECES_PER_TURN = 6,
    IP_CUT_PACKETS_MAX = 4,

    /* Datagrams being put together, in all and of one source. */
    REASSEMBLY_MAX = 32,
    REASSEMBLY_PER_SOURCE = 8,
    /* Pieces of one: 64 KiB over the smallest MTU hosts must accept, 576. */
    REASSEMBLY_PIECES_MAX = 128,
    /* Payload bytes of the first buffer, whose rest holds headers and the
     * descriptions of the other buffers. */
    REASSEMBLY_FIRST_BYTES = 1280,
    REASSEMBLY_BUFFERS = 33,
    REASSEMBLY_BYTES_MAX = 256 * 1024,
    REASSEMBLY_POOL_DIVISOR = 16,

    /* ICMP we generate (RFC 1812 4.3.2.8): tokens a second and burst, of all
     * and of one peer. */
    ICMP_GLOBAL_RATE = 1000,
    ICMP_GLOBAL_BURST = 50,
    ICMP_PEER_RATE = 10,
    ICMP_PEER_BURST = 6,
    ICMP_PEER_BUCKETS = 256,
};

/* An odd number whose multiples spread (2^64 over the golden ratio). */
#define FIB_HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

#define REASSEMBLY_TIMEOUT_NS (30 * NS_PER_S)

/* Settings: the stack's own, and those of parts. */
enum {
    NET_SETTING_TABLES_MAX = 4,
};

/* Filter. */
enum {
    /* Flows: their part of the memory left, 11,000 in a machine of 16 MiB. */
    FLOW_MEMORY_SHARE = 6,
    FLOW_TABLE_MIN = 1024,
    FLOW_TABLE_MAX = 1 << 20,
    FLOW_RECENT_PAIR = 2,         /* tuples of one hash remembered in front */
    FLOW_FRONT_BUCKETS = 1 << 18, /* from 128 MB on */
    /* Places looked at to make room for one flow. */
    FLOW_VICTIMS_MAX = 64,
    /* The clock hand passes the whole table once in so many turns. */
    FLOW_AGE_TURNS = 1024,
    FLOW_TIMEOUT_MAX_S = 20 * 86400, /* ticks are compared modulo 2^32 */
    /* Rule files: memory for one, of all; two are held while one replaces
     * the other. */
    RULES_MEMORY_SHARE = 64,
    RULES_MEMORY_MIN = 128 << 10,
    RULES_MEMORY_MAX = 8 << 20,
    RULES_BASE_CHAINS_MAX = 16, /* of one hook */
    RULES_NAMES_MAX = 64,       /* of interfaces */
    RULES_DEFINES_MAX = 128,
    /* Jumps within jumps, as Linux's NFT_JUMP_STACK_SIZE; and definitions
     * within definitions, braces within braces. */
    RULES_DEPTH_MAX = 16,
    RULES_LOGS_PER_S = 20, /* lines all rules may log */
    /* Places of a balancer's table: a prime, 100 for each of many backends
     * (Maglev 5.3). */
    BALANCER_PLACES = 4093,
    BALANCER_BACKENDS_MAX = 32,
    /* Ports tried for one translation. */
    NAT_ATTEMPTS_MAX = 64,
    /* Retransmissions after which a connection's time is cut, as Linux's
     * nf_conntrack_tcp_max_retrans. */
    TRACK_REPEATS_MAX = 3,
    /* Least window a lost acknowledgement may lag behind, bytes. */
    TRACK_ACK_WINDOW_MIN = 66000,
};

#define FLOW_AGE_INTERVAL_NS (62500 * NS_PER_US)
#define FLOW_HASH_FACTOR     UINT64_C(0x9e3779b97f4a7c15)

/* UDP. */
enum {
    UDP_SOCKETS_MIN = 64,
    UDP_SOCKETS_MAX = 1024,
    UDP_BUCKETS = 256,
    UDP_MULTICAST_TTL = 1, /* RFC 1112 6.1 */
    /* By true size, 2 KiB and more for any datagram: as many small ones as
     * Linux's net.core.rmem_default takes, each of which is 768 there. Also
     * bounded by a part of the pool, and all sockets together by another. */
    UDP_RECEIVE_BUFFER = 277 * 2304,
    UDP_SEND_BUFFER = 212992, /* as Linux's net.core.wmem_default */
    UDP_RECEIVE_POOL_DIVISOR = 8,
    UDP_TOTAL_POOL_DIVISOR = 8,
    /* RFC 6056 3.3.4. */
    UDP_PORT_FIRST = 32768,
    UDP_PORT_LAST = 60999,
    UDP_PORT_COUNTERS = 64,
};

/* Raw, ping and packet sockets. */
enum {
    RAW_SOCKETS_MAX = 64,
    RAW_TOTAL_POOL_DIVISOR = 32, /* what all their queues may hold */
    /* Of what does not fit one buffer: linear, enough for every header. */
    RAW_LINEAR_BYTES = 512,
    /* One packet's bytes: fragments, or the segments of a train (64 KiB of at
     * least 512 bytes each), and what stands before them. */
    RAW_PIECES_MAX = 160,
};

/* Path MTUs that are known (RFC 1191; Linux's route.min_pmtu and
 * route.mtu_expires). */
enum {
    PATH_MTU_SETS = 64,
    PATH_MTU_WAYS = 4,
    PATH_MTU_FLOOR = 552,
};

#define PATH_MTU_EXPIRY_NS (600 * NS_PER_S)

/* Memory of connections. */
enum {
    /* One connection per this much pool memory: 10,000 on a machine of
     * 32 MiB. All that is kept of one takes half of that. */
    TCP_CONNECTION_MEMORY_SHARE = 1792,
    /* Beyond this much: the least number of buffers, and the tables of
     * others, come first. */
    TCP_CONNECTION_MEMORY_BASE = 1536 * 1024,
};

/* MSG_ZEROCOPY. */
enum {
    /* Sends whose memory is still in use, of all sockets: a number is an octet
     * of a chunk; and of one, by the bits that tell which are complete. */
    LOANS_MAX = 255,
    ZEROCOPY_SENDS_MAX = 32,
    ZEROCOPY_SOCKETS_MAX = 64,
};

/* Sockets. */
enum {
    /* One socket per this much memory: as many as TCP has connections. */
    SOCKET_MEMORY_SHARE = TCP_CONNECTION_MEMORY_SHARE,
    SOCKETS_MIN = 256,
    SOCKETS_MAX = 65536,
    /* Pieces of one sendmsg or recvmsg: POSIX's least IOV_MAX for datagrams,
     * which are described on the stack; Linux's UIO_MAXIOV for streams. */
    SOCKET_PIECES_MAX = 16,
    SOCKET_STREAM_PIECES_MAX = 1024,
    /* bind() without a port tries so many before it gives up. */
    SOCKET_BIND_ATTEMPTS = 64,
    SOCKET_CALLS_HELD = 60, /* of an app with EPOLL_CORK: some 24 answers */
    /* Of so many sockets one may be bound, or told options, before it listens
     * or connects: a state that lasts for a moment. */
    STREAM_DRAFT_DIVISOR = 8,
    /* SO_RCVTIMEO and SO_SNDTIMEO are cut to this: 32 bits of milliseconds. */
    SOCKET_TIMEOUT_MAX_S = 49 * 24 * 3600,
};

/* TCP: capacities. */
enum {
    TCP_CONNECTIONS_MIN = 128,
    TCP_CONNECTIONS_MAX = 1 << 17,
    TCP_LISTENERS_MAX = 64,
    TCP_TABLE_FOUND = 1024, /* two pointers each; a power of two */
    TCP_BACKLOG_MAX = 4096,
    /* Half-open connections, of the number of connections. */
    TCP_HALF_OPEN_DIVISOR = 2,
    /* A listener's half-open connections, at least, before it turns to
     * cookies; and so much of all is left to others. */
    TCP_SYN_QUEUE_MIN = 16,
    TCP_SYN_RESERVE_DIVISOR = 4,
    /* Send and receive queues may each hold 1/4 of the pools, so that half
     * is always left for rings and everybody else. */
    TCP_MEMORY_DIVISOR = 4,
    TCP_BUFFER_MIN = 4096,
    TCP_BUFFER_MAX = 4 << 20,
    /* SO_RCVBUF: memory for each byte asked for, socket(7). */
    TCP_BUFFER_DOUBLING = 2,
    TCP_BUFFER_DEFAULT_MIN = 32 << 10,
    TCP_BUFFER_DEFAULT_MAX = 256 << 10,
    /* A buffer's default size, of all pool memory. */
    TCP_BUFFER_MEMORY_SHARE = 128,
    /* What a connection may queue, beyond twice its congestion window, when
     * half the send memory is taken. */
    TCP_BUFFER_SCARCE = 16 << 10,
    /* Packets held out of order; and the separate ranges they may make up,
     * which bounds the walks over them. */
    TCP_REASSEMBLY_PACKETS = 1024,
    TCP_REASSEMBLY_RANGES = 256,
    /* Payload up to here is copied rather than gathered or kept apart. */
    TCP_COPY_LENGTH = 256,
    /* What a connection sends in one go, and what a packet at least counts
     * for; then others have their turn. Bytes. */
    TCP_RUN_BYTES = 48 << 10,
    TCP_RUN_PACKET = TCP_RUN_BYTES / 4,
    /* Payload of one burst that is cut into segments below: with headers it
     * must fit IPv4's total length. */
    TCP_BURST_MAX = 65535 - 120,
    /* Segments of one: a card takes it in so many pieces at most. */
    TCP_BURST_SEGMENTS = 64,
    /* Segments of one while others wait for the device, and where the processor
     * cuts it: turns as short as large sends stay worth it. */
    TCP_BURST_CROWDED = 8,
    /* Resets, SYN-ACKs and the like waiting for the end of the batch: one for
     * each packet of it. */
    TCP_REPLIES_MAX = NETIF_POLL_BUDGET,
    /* TIME-WAITs that end in one go. */
    TCP_TIME_WAITS_PER_RUN = 256,
    TCP_TIME_WAITS_AHEAD = 16, /* as many misses as a cache has under way */
    /* Beyond one per connection: one per so much memory above the first 256
     * MiB, and a million at most, which is 64 MiB. */
    TCP_TIME_WAIT_MEMORY_FREE = 256 << 20,
    TCP_TIME_WAIT_MEMORY_SHARE = 1024,
    TCP_TIME_WAITS_MAX = 1 << 20,
    /* Ranges in flight a sender tells apart, per connection: bounds the walks
     * over them (CVE-2019-11477). All connections: one per so much memory. */
    TCP_SPANS_MAX = 128,
    /* What one frame may cause, in steps of about 64 instructions: a span that
     * changes, eight that are passed in a search. A packet sent (two, when it
     * meets rules); below a part, what was done is not remembered. */
    TCP_TURN_STEPS = 128,
    TCP_TURN_PACKET = 32,
    TCP_TURN_PART = TCP_TURN_STEPS / 4,
    /* What is searched through in one go. */
    TCP_SEARCH_BYTES = 256 * BUFFER_SIZE,
    /* Beyond so many, what is sent within a small part of the time of all in
     * flight counts as sent at one time; beyond twice as many, a larger one. */
    TCP_SPANS_EXACT = 32,
    TCP_SPANS_FINE = 32,
    TCP_SPANS_COARSE = 16,
    TCP_SPAN_MEMORY_SHARE = 4096,
    /* Connections that have sent something lately, of all. */
    TCP_RECOVERY_DIVISOR = 2,
    /* Connections that have something out of order, or look for an MTU. */
    TCP_SELDOM_DIVISOR = 4,
    /* Orphans (RFC 1122 4.2.2.13 has no number), of all connections. */
    TCP_ORPHAN_DIVISOR = 4,
};

/* TCP: protocol. */
enum {
    TCP_MSS_FLOOR = 88,        /* least send MSS: Linux's tcp_min_snd_mss 48 is
                                  the SACK panic of CVE-2019-11479 */
    TCP_PATH_MTU_FLOOR = 552,  /* RFC 1191 7: what an ICMP may claim */
    TCP_MTU_BASE = 1064,       /* Linux's tcp_base_mss 1024 and headers */
    TCP_MTU_TIMEOUTS = 3,      /* RFC 4821 7.8; Linux's tcp_retries1 */
    TCP_MTU_PROBE_WINDOW = 11, /* segments; as Linux: a loss must show */
    TCP_MTU_PROBE_STEP = 8,    /* bytes; nearer than this is near enough */
    TCP_MTU_PROBE_DELAY_S = 5, /* after a black hole */
    TCP_MTU_PROBE_INTERVAL_S = 600, /* RFC 4821 7.3, RFC 1191 6.3 */
    TCP_WINDOW_SCALE = 7,           /* what we offer: 4 MiB in 16 bits */
    TCP_WINDOW_PLENTY = 32768,      /* bytes: reading announces no more */
    TCP_INITIAL_WINDOW = 10,        /* segments, RFC 6928 */
    TCP_DUPLICATE_ACKS = 3,         /* RFC 5681 3.2 */
    TCP_LIMITED_TRANSMIT = 2,       /* segments, RFC 3042 */
    TCP_SYN_RETRIES = 6,            /* Linux's tcp_syn_retries */
    TCP_SYN_ACK_RETRIES = 5,
    TCP_RETRIES = 15,       /* RFC 9293's R2, as Linux's tcp_retries2 */
    TCP_ORPHAN_RETRIES = 8, /* the same for an orphan */
    TCP_KEEP_COUNT = 9,
    TCP_KEEP_IDLE_S = 7200,
    TCP_KEEP_INTERVAL_S = 75,
    TCP_FIN_TIMEOUT_S = 60,    /* an orphan in FIN-WAIT-2 */
    TCP_CHALLENGES_PER_S = 10, /* RFC 5961 7, per connection */
    TCP_QUICK_ACKS = 8,        /* at the start, for slow start's sake */
    TCP_QUICK_ACKS_LOSS = 16,  /* while the peer's window is small */
    TCP_PORT_FIRST = 32768,    /* Linux's ip_local_port_range */
    TCP_PORT_LAST = 60999,
    TCP_PORT_TABLE = 1024, /* counters of RFC 6056 3.3.4 */
};

#define TCP_RTO_INITIAL_NS     (1 * NS_PER_S) /* RFC 6298 2.1 */
#define TCP_RTO_LEAST_US       5000           /* what tcp_rto_min_us may be */
#define TCP_RTO_MIN_NS         (200 * NS_PER_MS) /* as Linux; 2.4 says 1 s */
#define TCP_RTO_MAX_NS         (120 * NS_PER_S)  /* RFC 6298 2.5 */
#define TCP_RTO_AFTER_SYN_NS   (3 * NS_PER_S)    /* RFC 6298 5.7 */
#define TCP_PROBE_ACK_DELAY_NS (200 * NS_PER_MS) /* RFC 8985 7.2 */
#define TCP_PROBE_SLACK_NS     (2 * NS_PER_MS)  /* on a LAN two RTTs are none */
#define TCP_ACK_DELAY_NS       (40 * NS_PER_MS) /* RFC 5681 4.2: < 500 ms */
#define TCP_PERSIST_MIN_NS     (200 * NS_PER_MS) /* also ends a cork */
#define TCP_TIME_WAIT_NS       (60 * NS_PER_S)   /* 2MSL */
#define TCP_SYN_ACK_RTO_NS     (1 * NS_PER_S)
/* How often a connection tells of its progress: well below
 * NEIGHBOUR_REACHABLE_NS. */
#define TCP_CONFIRM_NS      (9 * NS_PER_S)
#define TCP_RTT_MIN_AGE_NS  (300 * NS_PER_S) /* Linux's tcp_min_rtt_wlen */
#define TCP_PAWS_IDLE_NS    (24 * 86400 * NS_PER_S) /* RFC 7323 5.5 */
#define TCP_COOKIE_EPOCH_NS (64 * NS_PER_S) /* cookies live for 1 to 2 */
#define TCP_ISN_TICK_NS     UINT64_C(4096)  /* RFC 6528: about 4 us */

/* DHCP (RFC 2131 4.1, 4.4.5). */
enum {
    DHCP_REQUESTS = 4, /* unanswered, before asking anybody again */
    DHCP_HOST_SIZE = 64,
};

/* Between repetitions, doubled each time, each +- a quarter. The first is
 * shorter than the 4 s of the RFC: a boot waits for it. */
#define DHCP_RETRY_FIRST_NS (2 * NS_PER_S)
#define DHCP_RETRY_MAX_NS   (64 * NS_PER_S)
/* RFC 2131 3.1: after a decline; also between rounds after a refusal. */
#define DHCP_DECLINE_WAIT_NS (10 * NS_PER_S)
/* RFC 2131 4.4.5: the least time between two requests to renew. */
#define DHCP_RENEW_MIN_NS (60 * NS_PER_S)
/* A lease shorter than this is not worth the traffic. */
#define DHCP_LEASE_MIN_S UINT32_C(60)

/* DNS resolver. */
enum {
    DNS_QUERIES_MAX = 16, /* at a time */
    DNS_CACHE_MAX = 64,
    DNS_ROUNDS = 3, /* every server is asked so often */
    /* Answers read for one query before its server counts as bad: a flood of
     * forged ones must not keep us busy (RFC 5452 9.2). */
    DNS_ANSWERS_MAX = 32,
};

/* The first round waits this long for each server, every later one doubles
 * it. */
#define DNS_TIMEOUT_NS (1 * NS_PER_S)
/* Times in answers are believed up to here (RFC 8767 4; RFC 2308 5). */
#define DNS_TTL_MAX_S          UINT32_C(86400)
#define DNS_NEGATIVE_TTL_MAX_S UINT32_C(900)

/* Where packets and buffers may wait for others, in 64ths of the pool: with the
 * cards' receive rings, a fifth of it unless e1000.rx_ring says otherwise, less
 * than there is, so that what comes always finds a buffer whoever lets what
 * lies in his queue. What the machine takes away by itself is not counted:
 * transmit rings, frames on the loopback, TCP's replies, a datagram being cut.
 */
_Static_assert(2 * 64 / TCP_MEMORY_DIVISOR + 64 / UDP_TOTAL_POOL_DIVISOR +
                       64 / RAW_TOTAL_POOL_DIVISOR +
                       64 / REASSEMBLY_POOL_DIVISOR +
                       64 / NEIGHBOUR_QUEUED_POOL_DIVISOR +
                       64 / NETIF_QUEUE_POOL_DIVISOR <=
                   64 - 64 / 5,
               "all resting places together leave room for the rings");
