#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seed corpora of frames.c, messages.c, router.c, services.c and sockets.c: one decent example of
everything the stack understands, for the fuzzer to spoil.
usage: tests/fuzz/seeds.py [FOLDER]   (default: tests/fuzz/corpus)"""
import os
import struct
import sys

ADDRESSES, IP, TRANSPORT, SEQUENCE = 1, 2, 4, 8
MS, SECOND, LONG = 1 << 4, 2 << 4, 3 << 4
SENDS, PORTS = 64, 128
ALL = ADDRESSES | IP | TRANSPORT
TCP = ALL | SEQUENCE

US, PEER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def record(control, frame):
    return struct.pack("<BH", control, len(frame)) + frame


def ethernet(kind, payload):
    return bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]) + \
        struct.pack(">H", kind) + payload


def arp(operation, sender, target):
    return ethernet(0x806, struct.pack(
        ">HHBBH6s4s6s4s", 1, 0x800, 6, 4, operation,
        bytes([2, 0, 0, 0, 0, 2]), sender, bytes([2, 0, 0, 0, 0, 1]), target))


def ip(protocol, payload, options=b"", fragment=0, ident=1):
    words = 5 + len(options) // 4
    return ethernet(0x800, struct.pack(
        ">BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), ident,
        fragment, 64, protocol, 0, PEER, US) + options + payload)


def icmp(kind, code, rest, payload):
    return struct.pack(">BBHI", kind, code, 0, rest) + payload


def udp(source, destination, payload):
    return struct.pack(">HHHH", source, destination, 8 + len(payload),
                       0) + payload


def tcp(flags, sequence=0, ack=0, payload=b"", options=b"", window=60000):
    return struct.pack(">HHIIBBHHH", 4000, 80, sequence & 0xffffffff,
                       ack & 0xffffffff, (5 + len(options) // 4) << 4, flags,
                       window, 0, 0) + options + payload


MSS = b"\x02\x04\x05\xb4"
SYN_OPTIONS = MSS + b"\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07"


def connect():
    return (record(ALL, ip(6, tcp(SYN, 1000, options=SYN_OPTIONS))) +
            record(TCP | PORTS, ip(6, tcp(ACK))))


def plain_connect():
    return (record(ALL, ip(6, tcp(SYN, 1000, options=MSS))) +
            record(TCP, ip(6, tcp(ACK, 0, 1))))


def dns_answer():
    name = b"\3www\7example\3org\0"
    return (struct.pack(">HHHHHH", 0, 0x8180, 1, 2, 0, 0) + name +
            struct.pack(">HH", 1, 1) +
            b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 6) + b"\3web\xc0\x10" +
            b"\xc0\x2d" + struct.pack(">HHIH4s", 1, 1, 60, 4, PEER))


def dns_pointer():
    name = b"\1" + b"1\1" + b"0\1" + b"0\2" + b"10\7in-addr\4arpa\0"
    return (struct.pack(">HHHHHH", 0, 0x8180, 1, 1, 0, 0) + name +
            struct.pack(">HH", 12, 1) + b"\xc0\x0c" +
            struct.pack(">HHIH", 12, 1, 60, 6) + b"\4host\0")


def dns_negative():
    name = b"\3www\7example\3org\0"
    return (struct.pack(">HHHHHH", 0, 0x8183, 1, 0, 1, 0) + name +
            struct.pack(">HH", 1, 1) + b"\xc0\x10" +
            struct.pack(">HHIH", 6, 1, 60, 24) + b"\1a\xc0\x10"[:3] +
            b"\0" + struct.pack(">IIIII", 1, 2, 3, 4, 60))


def dhcp(kind, overload=0):
    options = (bytes([53, 1, kind, 54, 4]) + PEER + bytes([1, 4, 255, 255, 255,
               0, 3, 4]) + PEER + bytes([6, 8]) + PEER + PEER +
               bytes([51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 7, 8, 59, 4, 0, 0, 12,
                      78]))
    if overload:
        options += bytes([52, 1, overload])
    sname = bytes([12, 1, 65, 255]) + bytes(60)
    return (struct.pack(">BBBBIHH4s4s4s4s6s10s64s128s", 2, 1, 6, 0, 0, 0, 0,
                        bytes(4), US, PEER, bytes(4),
                        bytes([2, 0, 0, 0, 0, 1]), bytes(10), sname,
                        sname + bytes(64)) +
            b"\x63\x82\x53\x63" + options + b"\xff")


def frames():
    yield "arp-request", record(ADDRESSES, arp(1, PEER, US))
    yield "arp-reply", record(ADDRESSES, arp(2, PEER, US))
    yield "arp-gratuitous", record(ADDRESSES, arp(1, PEER, PEER))
    yield "arp-conflict", record(ADDRESSES, arp(1, US, US)) * 2
    known = record(ADDRESSES, arp(1, PEER, US))
    echo = icmp(8, 0, 0x10001, b"abcdefgh" * 4)
    yield "icmp-echo", known + record(ALL, ip(1, echo))
    yield "icmp-echo-unknown", record(ALL | LONG, ip(1, echo))
    yield "ip-options", known + record(
        ALL, ip(1, echo, b"\x07\x07\x04\0\0\0\0\0"))
    yield "ip-source-route", known + record(
        ALL, ip(1, echo, b"\x83\x07\x04\x0a\0\0\3\0"))
    yield "ip-protocol", known + record(ALL, ip(132, b"12345678"))
    tag = record(ADDRESSES, ip(1, echo)[:12] + b"\x81\0\0\0" +
                 ip(1, echo)[12:])
    yield "vlan", known + tag
    whole = icmp(8, 0, 1, bytes(1200))
    yield "fragments", known + record(
        ADDRESSES | IP, ip(1, whole[:800], fragment=0x2000)) + record(
        ADDRESSES | IP, ip(1, whole[800:], fragment=100))
    yield "fragment-timeout", known + record(
        ADDRESSES | IP | LONG, ip(1, whole[:800], fragment=0x2000))
    yield "fragment-overlap", known + record(
        ADDRESSES | IP, ip(1, whole[:800], fragment=0x2000)) + record(
        ADDRESSES | IP, ip(1, whole[792:], fragment=99))
    yield "udp-echo", known + record(ALL, ip(17, udp(4000, 7, b"hello")))
    yield "udp-unreachable", known + record(ALL, ip(17, udp(4000, 99, b"x")))
    yield "udp-client", known + record(ALL | PORTS | SENDS,
                                       ip(17, udp(9, 9, b"hello")))
    quote = ip(17, udp(32768, 9, b"x"))[14:]
    yield "icmp-error", known + record(ALL, ip(1, icmp(3, 3, 0, quote)))
    yield "icmp-too-big", known + record(ALL, ip(1, icmp(3, 4, 576, quote)))
    yield "dns", known + record(ALL | PORTS, ip(17, udp(53, 0, dns_answer())))
    yield "tcp-reset", known + record(ALL, ip(6, tcp(ACK)))
    yield "tcp-syn", known + record(ALL | LONG, ip(6, tcp(SYN, options=MSS)))
    for name, begin in (("", connect), ("plain-", plain_connect)):
        hello = begin()
        yield "tcp-" + name + "data", known + hello + record(
            TCP | PORTS, ip(6, tcp(ACK | PSH, payload=b"GET / HTTP/1.0"))) + \
            record(TCP | PORTS | SENDS, ip(6, tcp(ACK))) + \
            record(TCP | PORTS, ip(6, tcp(ACK | FIN))) + \
            record(TCP | PORTS | LONG, ip(6, tcp(ACK)))
        yield "tcp-" + name + "gap", known + hello + record(
            TCP | PORTS, ip(6, tcp(ACK, 100, payload=bytes(100)))) + record(
            TCP | PORTS, ip(6, tcp(ACK, payload=bytes(100)))) + record(
            TCP | PORTS | SECOND, ip(6, tcp(ACK, -50, payload=bytes(100))))
        yield "tcp-" + name + "abort", known + hello + record(
            TCP | PORTS, ip(6, tcp(RST | ACK)))
        yield "tcp-" + name + "close", known + hello + record(
            TCP | PORTS, ip(6, tcp(FIN | ACK))) + record(
            TCP | PORTS | LONG, ip(6, tcp(ACK))) + record(
            ALL, ip(6, tcp(SYN, 100000, options=MSS)))
        yield "tcp-" + name + "window", known + hello + record(
            TCP | PORTS | SENDS | SECOND, ip(6, tcp(ACK, window=0))) + record(
            TCP | PORTS | LONG, ip(6, tcp(ACK, window=4)))
        yield "tcp-" + name + "retransmit", known + hello + record(
            TCP | PORTS | SENDS | LONG, ip(6, tcp(ACK, payload=b"x")))


def messages():
    yield "dns-a", b"\0" + dns_answer()
    yield "dns-negative", b"\0" + dns_negative()
    yield "dns-ptr", b"\1" + dns_pointer()
    for kind in (2, 5, 6):
        yield f"dhcp-{kind}", b"\2" + dhcp(kind)
    yield "dhcp-overload", b"\2" + dhcp(5, 3)
    for name, options in (("rr", b"\x07\x07\x04\0\0\0\0\0"),
                          ("ts", b"\x44\x08\x05\0\0\0\0\0"),
                          ("ra", b"\x94\x04\0\0")):
        yield "options-" + name, b"\3" + ip(17, b"", options)[14:]


def item(code, value):
    return bytes([code, len(value)]) + value


def offer(kind, lease=600):
    return record(0, US + PEER + item(53, bytes([kind])) + item(54, PEER) +
                  item(51, struct.pack(">I", lease)) +
                  item(1, b"\xff\xff\xff\0") + item(3, PEER) +
                  item(6, PEER) + b"\xff")


def services():
    lease = offer(2) + offer(5) + record(7, b"")
    answer = b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, PEER)
    alias = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 6) + b"\3web\xc0\x10"
    dns = lambda rest, count=1, code=0: record(
        3, bytes([0x80 | code, count, 0, 1, 0, 0]) + rest)
    return [
        ("lease", lease),
        ("renew", lease + record(7, b"\5") + offer(5) + record(7, b"\6") +
         offer(5)),
        ("expire", lease + record(7, b"\x14") + offer(2) + offer(6)),
        ("nak", offer(2) + offer(6) + offer(2) + offer(5)),
        ("infinite", offer(2, 0xffffffff) + offer(5, 0xffffffff)),
        ("conflict", offer(2) + offer(5) +
         record(6, arp(1, US, US)[14:]) + record(7, b"\1")),
        ("resolve", lease + record(5, b"") + dns(answer)),
        ("alias", lease + record(5, b"") + dns(alias, 1) + record(13, b"")),
        ("none", lease + record(5, b"") + dns(b"", 0, 3) + record(21, b"")),
        ("forged", lease + record(5, b"") + record(0x43, b"\x80\1\0\1\0\0" +
                                                  answer) + dns(answer)),
    ]


def sockets():
    """Commands of sockets.c: which, and what each takes."""
    serve = bytes([0, 0, 1]) + bytes([1, 0, 0]) + bytes([1, 0, 0x3c])
    # flags, then with text, numbers or a window
    segment = lambda flags, shape=0, *rest: bytes([129, shape, flags, *rest])
    opened = serve + segment(SYN) + bytes([229, 0, 1]) + segment(ACK) + \
        bytes([2, 0, 1])
    return [
        ("serve", opened + segment(ACK | PSH, 2, 0, 100) +
         bytes([3, 1, 1, 1, 0]) + bytes([3, 1, 0, 1, 0]) + bytes([7, 1])),
        ("peer-closes", opened + segment(ACK | FIN) + bytes([7, 1])),
        ("connect", bytes([0, 0, 1]) + bytes([1, 0, 7]) +
         segment(SYN | ACK) + bytes([3, 0, 0, 4, 0]) + segment(ACK)),
        ("urgent", opened + segment(ACK | 32, 18, 0, 50, 0, 20) +
         bytes([5, 1, 4]) + bytes([3, 1, 2, 0, 9])),
        ("datagrams", bytes([0, 0, 0]) + bytes([1, 0, 0]) +
         bytes([208, 0, 40]) + bytes([3, 0, 1, 1, 0]) +
         bytes([3, 0, 64, 0, 99])),
        ("wait", opened + bytes([3, 1, 0, 9, 0]) + bytes([248, 30]) +
         bytes([248, 200]) + bytes([7, 1])),
        ("options", opened + bytes([6, 1, 1, 4, 0, 0, 0, 9, 1]) +
         bytes([6, 1, 1, 11, 0, 0, 0, 0, 200])),
    ]


def router():
    """Records of router.c: from the inside, fixed; answers; quotes; cut."""
    inside, fixed, answers, turn, second, quotes, cut = 1, 6, 8, 16, 32, 64, 128
    client, server, wan = (bytes([192, 168, 1, 2]), bytes([10, 0, 0, 2]),
                           bytes([10, 0, 0, 1]))

    def packet(source, target, protocol, payload, ttl=64, field=0):
        return ethernet(0x800, struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, field, ttl,
            protocol, 0, source, target) + payload)

    def segment(port, flags, payload=b"", options=b""):
        return struct.pack(">HHIIBBHHH", 4000, port, 1000, 0,
                           (5 + len(options) // 4) << 4, flags, 60000, 0,
                           0) + options + payload

    def out(protocol, payload, more=0, **how):
        return record(inside | fixed | turn | more,
                      packet(client, server, protocol, payload, **how))

    def in_(protocol, payload, more=0, **how):
        return record(fixed | turn | more,
                      packet(server, wan, protocol, payload, **how))

    syn = out(6, segment(80, SYN, options=MSS))
    there = syn + in_(6, segment(0, SYN | ACK, options=MSS), answers) + \
        record(inside | fixed | turn | answers,
               packet(client, server, 6, segment(80, ACK)))
    echo = struct.pack(">BBHHH", 8, 0, 0, 9, 1)
    return [
        ("connect", there + in_(6, segment(0, ACK | PSH, bytes(400)),
                                answers)),
        ("too-big", there + in_(6, segment(0, ACK, bytes(1000)), answers) +
         in_(6, segment(0, ACK, bytes(1000)), answers, field=0x4000)),
        ("hop", out(6, segment(80, SYN), ttl=1) + there +
         out(6, segment(80, ACK), ttl=1)),
        ("refused", out(6, segment(25, SYN)) + out(17, udp(5, 25, b"x")) +
         in_(6, struct.pack(">HH", 5, 80) + segment(0, SYN)[4:]) +
         in_(17, udp(5, 53, b"x"))),
        ("forwarded", in_(6, segment(80, SYN, options=MSS)) +
         record(inside | fixed | turn | answers,
                packet(client, server, 6, segment(0, SYN | ACK))) +
         in_(17, udp(500, 53, bytes(100))) +
         record(inside | fixed | turn | answers,
                packet(client, server, 17, udp(0, 0, bytes(100))))),
        ("error", out(17, udp(500, 500, b"hello")) + in_(
            1, struct.pack(">BBHI", 3, 3, 0, 0), quotes) + in_(
            1, struct.pack(">BBHI", 3, 4, 0, 576), quotes) + in_(
            1, struct.pack(">BBHI", 11, 0, 0, 0), quotes)),
        ("fragments", out(17, udp(500, 500, bytes(1200)), cut) + in_(
            17, udp(0, 0, bytes(1200)), answers | cut) + in_(
            1, struct.pack(">BBHI", 3, 3, 0, 0), quotes | cut)),
        ("ping", out(1, echo + bytes(40)) + in_(1, echo + bytes(40), answers) +
         in_(1, echo + bytes(900), cut)),
        ("silent", out(6, segment(80, SYN)) + record(
            inside | fixed | second, packet(client, bytes([10, 0, 0, 250]), 6,
                                            segment(80, SYN))) + record(
            fixed | second | turn, packet(client, bytes([10, 9, 0, 1]), 17,
                                          udp(1, 2, b"")))),
        ("hairpin", record(inside | fixed | turn, packet(
            client, bytes([10, 0, 0, 1]), 6, segment(3128, SYN))) + record(
            inside | fixed, packet(client, bytes([10, 8, 0, 1]), 17,
                                   udp(5, 6, b"")))),
        ("vlan", record(inside | turn, bytes([2, 0, 0, 0, 0, 2]) + bytes(
            [2, 0, 0, 0, 0, 16]) + b"\x81\0\0\x0a" + packet(
            bytes([172, 16, 0, 2]), server, 17, udp(5, 6, b"x"))[12:])),
        ("gre", out(47, bytes(8) + b"abc") + in_(47, bytes(8) + b"abc")),
    ]


def main():
    base = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "corpus")
    for target, seeds in (("frames", frames()), ("messages", messages()),
                          ("router", router()),
                          ("services", services()), ("sockets", sockets())):
        folder = os.path.join(base, target)
        os.makedirs(folder, exist_ok=True)
        for name, content in seeds:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)


main()
