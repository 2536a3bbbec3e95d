# SPDX-License-Identifier: MIT
"""Packets for the comparison of two firewalls: conversations that go on,
stumble and are attacked, from a seed."""

import random
import struct

WAN, LAN = "198.51.100.1", "192.168.1.1"
CLIENTS = ["192.168.1.%d" % n for n in (2, 3, 4, 5)]
SERVERS = ["203.0.113.%d" % n for n in (1, 2, 3)] + ["198.51.100.7"]
PORTS = [22, 25, 53, 80, 443, 3128, 5001, 5005, 8080, 9000]
F, S, R, P, A, U = 1, 2, 4, 8, 16, 32


def octets(address):
    return bytes(int(part) for part in address.split("."))


def text(four):
    return ".".join(str(octet) for octet in four)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(source, target, protocol, payload, ident, tos=0, ttl=64, fragment=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), ident,
                       fragment, ttl, protocol, 0, octets(source),
                       octets(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def with_sum(source, target, protocol, data, at, broken=False):
    pseudo = b"" if protocol == 1 else (
        octets(source) + octets(target) +
        struct.pack("!HH", protocol, len(data)))
    value = checksum(pseudo + data)
    if value == 0 and protocol == 17:
        value = 0xffff
    if broken:
        value ^= 0x0101
    return data[:at] + struct.pack("!H", value) + data[at + 2:]


def tcp(source, sport, target, dport, flags, seq, ack, data=b"", window=5000,
        broken=False, offset=5):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff,
                       ack & 0xffffffff, offset << 4, flags, window, 0, 0)
    return with_sum(source, target, 6, head + data, 16, broken)


def udp(source, sport, target, dport, data, broken=False, none=False):
    head = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
    if none:
        return head + data
    return with_sum(source, target, 17, head + data, 6, broken)


def icmp(kind, code, rest, data, broken=False):
    return with_sum("0.0.0.0", "0.0.0.0", 1,
                    struct.pack("!BBHI", kind, code, 0, rest) + data, 2,
                    broken)


class Talk:
    """One conversation. `there` and `back` are (source, sport, target, dport)
    as each end sends them; `back` is learned from what came out."""

    def __init__(self, protocol, way, there):
        self.protocol, self.way, self.there, self.back = (
            protocol, way, there, None)
        self.back_way = None
        self.seq = [random.getrandbits(32), random.getrandbits(32)]
        self.turn = 0
        self.last_out = None


class Generator:
    def __init__(self, seed):
        random.seed(seed)
        self.talks, self.ident, self.port = [], 0, 20000

    def next_port(self):
        self.port += 1
        return self.port

    def new_talk(self):
        way = random.choice(["eth1", "eth1", "eth0"])
        inside, outside = random.choice(CLIENTS), random.choice(SERVERS)
        if way == "eth1":
            source, target = inside, random.choice(
                [outside, outside, outside, WAN, LAN, random.choice(CLIENTS)])
        else:
            source, target = outside, random.choice([WAN, WAN, inside])
        if source == target:
            target = WAN
        protocol = random.choice([6, 6, 6, 17, 17, 1, 253])
        talk = Talk(protocol, way, (source, self.next_port(), target,
                                    random.choice(PORTS)))
        self.talks = self.talks[-40:] + [talk]
        return talk

    def transport(self, talk, back):
        source, sport, target, dport = talk.back if back else talk.there
        broken = random.random() < 0.02
        data = bytes(random.getrandbits(8) for _ in range(
            random.choice([0, 1, 20, 300])))
        if random.random() < 0.02:
            data = bytes(2500)
        if talk.protocol == 17:
            return udp(source, sport, target, dport, data, broken,
                       random.random() < 0.1)
        if talk.protocol == 1:
            kind = 0 if back else 8
            if random.random() < 0.05:
                kind = random.choice([0, 8, 9, 13, 14, 17, 18, 40])
            return icmp(kind, 0, talk.there[1] << 16 | talk.turn, data, broken)
        if talk.protocol == 253:
            return b"\0\0\x88\x0b" + data
        return self.segment(talk, back, data, broken)

    def segment(self, talk, back, data, broken):
        source, sport, target, dport = talk.back if back else talk.there
        me, you = (1, 0) if back else (0, 1)
        step = random.random()
        flags = A | (P if data else 0)
        if talk.turn <= 2:
            flags = {0: S, 1: S | A, 2: A}[talk.turn if not back else 1]
            if not back and talk.turn == 1:
                flags = S
            data = b"" if flags & S else data
        elif step < 0.08:
            flags = F | A
        elif step < 0.12:
            flags = random.choice([R, R | A])
        elif step < 0.16:
            flags = random.getrandbits(6)
        elif step < 0.2:
            flags = random.choice([S, S | A])
        seq, ack = talk.seq[me], talk.seq[you]
        if step > 0.92:
            seq += random.choice([-70000, -3000, -1, 1, 500, 6000, 100000])
        elif step > 0.88:
            ack += random.choice([-70000, -3000, -1, 1, 500, 100000])
        else:
            talk.seq[me] += len(data) + (1 if flags & (S | F) else 0)
        return tcp(source, sport, target, dport, flags, seq,
                   ack if flags & A else 0, data, random.choice(
                       [5000, 5000, 65535, 0]), broken,
                   4 if random.random() < 0.01 else 5)

    def error(self, talk):
        """An ICMP error about the talk's last packet, from where it went."""
        # Of protocols it does not know Linux believes less than 8 octets.
        quote = talk.last_out[:random.choice([28, 28, 48, 576] + (
            [27, 20, 10] if talk.protocol != 253 else [28]))]
        kind, code = random.choice([(3, 1), (3, 3), (3, 4), (11, 0), (12, 0),
                                    (4, 0), (5, 1)])
        source = random.choice([text(talk.last_out[16:20]), "203.0.113.99"])
        target = text(talk.last_out[12:16])
        if random.random() < 0.1:
            quote = quote[:9] + bytes([6]) + quote[10:]
        return talk.back_way, source, target, 1, icmp(
            kind, code, 0, quote, random.random() < 0.05)

    def next(self):
        """(interface, whole packet, talk, goes back)"""
        self.ident = self.ident % 65000 + 1
        talk = (self.new_talk() if not self.talks or random.random() < 0.15
                else random.choice(self.talks))
        back = talk.back is not None and random.random() < 0.5
        if (talk.last_out and talk.back_way in ("eth0", "eth1") and
                random.random() < 0.1):
            way, source, target, protocol, data = self.error(talk)
            return way, ip(source, target, protocol, data, self.ident), None, \
                False
        data = self.transport(talk, back)
        source, _, target, _ = talk.back if back else talk.there
        talk.turn += 1
        return (talk.back_way if back else talk.way,
                ip(source, target, talk.protocol, data, self.ident,
                   random.choice([0, 0, 0xb8, 0x10]),
                   random.choice([64, 64, 3, 200])), talk, back)

    @staticmethod
    def learn(talk, way, packet):
        """`packet` left by `way`: that is what will be answered."""
        talk.last_out, talk.back_way = packet, way
        source, target = text(packet[12:16]), text(packet[16:20])
        if talk.protocol in (6, 17):
            sport, dport = struct.unpack("!HH", packet[20:24])
        else:
            sport = dport = 0
            if talk.protocol == 1:
                ident = struct.unpack("!H", packet[24:26])[0]
                talk.there = (talk.there[0], ident) + talk.there[2:]
        talk.back = (target, dport, source, sport)


def pieces(packet, size):
    """As fragments, if it is longer than a frame."""
    if len(packet) <= 1500:
        return [packet]
    out, data = [], packet[20:]
    for at in range(0, len(data), size):
        part = data[at:at + size]
        more = 0x2000 if at + size < len(data) else 0
        head = (packet[:2] + struct.pack("!H", 20 + len(part)) + packet[4:6] +
                struct.pack("!H", more | at // 8) + packet[8:10] + b"\0\0" +
                packet[12:20])
        out.append(head[:10] + struct.pack("!H", checksum(head)) + head[12:] +
                   part)
    return out
