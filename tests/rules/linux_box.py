# SPDX-License-Identifier: MIT
"""Linux as a router between two TAP devices of our own namespace: what does
its nftables do with a packet?"""

import fcntl
import os
import re
import select
import socket
import struct
import subprocess

from packets import LAN, WAN, checksum, pieces

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
MAC = b"\x02\0\0\0\0\x77"

HARNESS = """
table ip harness {
    chain out { type filter hook output priority -400; notrack; }
    chain whole { type filter hook forward priority 400; ct state new; }
}
"""

# What Linux says of its own must not meet the rules, which would drop it or
# use up a limit: the other side (verdicts.c) makes no answers.
ANSWERED = re.compile(r"(type\s+\w+\s+hook\s+(?:output|postrouting)\s+"
                      r"priority\s+[^;\n]+[;\n](?:\s*policy\s+\w+\s*[;\n])?)")
UNASKED = 'iifname != { "eth0", "eth1" } accept\n'


def run(*command, **more):
    subprocess.run(command, check=True, **more)


def sysctl(name, value):
    with open("/proc/sys/net/" + name, "w") as file:
        file.write(value)


class LinuxBox:
    def __init__(self):
        self.taps = {}
        run("ip", "link", "set", "lo", "up")
        for name, address in (("eth0", WAN), ("eth1", LAN)):
            self.taps[name] = self.open_tap(name, address)
        run("ip", "route", "add", "default", "via", "198.51.100.254")
        for last in list(range(2, 20)) + [77, 99]:
            self.neighbour("192.168.1.%d" % last, "eth1")
        for last in (7, 77, 254):
            self.neighbour("198.51.100.%d" % last, "eth0")
        sysctl("ipv4/ip_forward", "1")
        for part in ("all", "default", "eth0", "eth1"):
            sysctl("ipv4/conf/%s/rp_filter" % part, "0")
            sysctl("ipv4/conf/%s/send_redirects" % part, "0")
        # Errors without limits; not every kernel has all three here.
        for name, value in (("ratelimit", "0"), ("msgs_per_sec", "1000000"),
                            ("msgs_burst", "1000000")):
            try:
                sysctl("ipv4/icmp_" + name, value)
            except OSError:
                pass
        self.raw = []
        for protocol in (1, 6, 17, 253):
            s = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.setblocking(False)
            self.raw.append(s)

    def neighbour(self, address, name):
        run("ip", "neigh", "add", address, "lladdr", "02:00:00:00:00:77",
            "dev", name, "nud", "permanent")

    def open_tap(self, name, address):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(),
                                               IFF_TAP | IFF_NO_PI))
        run("ip", "addr", "add", address + "/24", "dev", name)
        sysctl("ipv6/conf/%s/disable_ipv6" % name, "1")
        run("ip", "link", "set", name, "up")
        with open("/sys/class/net/%s/address" % name) as file:
            mac = bytes.fromhex(file.read().strip().replace(":", ""))
        return fd, mac

    def load(self, path):
        run("nft", "flush", "ruleset")
        with open(path) as file:
            rules = ANSWERED.sub(r"\1\n" + UNASKED, file.read())
        done = subprocess.run(["nft", "-f", "-"], input=rules.encode(),
                              capture_output=True)
        if done.returncode == 0:
            run("nft", "-f", "-", input=HARNESS.encode())
        # Flows of the last file must not live on.
        run("nft", "add", "table", "ip", "nothing")
        return done.stderr.decode() if done.returncode else None

    def send(self, way, packet):
        fd, mac = self.taps[way]
        for part in pieces(packet, 1480):
            os.write(fd, mac + MAC + b"\x08\0" + part)
        # An answer to this comes behind all that the packet caused.
        os.write(fd, b"\xff" * 6 + MAC + b"\x08\x06" + struct.pack(
            "!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, MAC,
            socket.inet_aton("192.168.1.99" if way == "eth1" else
                             "198.51.100.254"),
            b"\0" * 6, socket.inet_aton(LAN if way == "eth1" else WAN)))

    def frames(self, way):
        """What left by either, until the answer to the question is seen."""
        out, done = {"eth0": [], "eth1": []}, False
        while not done:
            if not select.select([self.taps[way][0]], [], [], 1)[0]:
                break
            frame = os.read(self.taps[way][0], 70000)
            if frame[12:14] == b"\x08\x06":
                done = frame[20:22] == b"\0\x02"
            elif frame[12:14] == b"\x08\0":
                out[way].append(frame[14:])
        other = "eth1" if way == "eth0" else "eth0"
        while True:
            try:
                frame = os.read(self.taps[other][0], 70000)
            except BlockingIOError:
                return out
            if frame[12:14] == b"\x08\0":
                out[other].append(frame[14:])

    def local(self, ident):
        found = None
        for s in self.raw:
            while True:
                try:
                    packet = s.recv(70000)
                except BlockingIOError:
                    break
                if packet[4:6] == ident:
                    found = packet
        return found

    def verdict(self, way, packet):
        """As verdicts.c says it: (where, interface, packet)."""
        ident = packet[4:6]
        self.send(way, packet)
        out = self.frames(way)
        local = self.local(ident)
        for name in ("eth0", "eth1"):
            parts = [p for p in out[name] if p[4:6] == ident and
                     p[9] == packet[9] and not self.is_about(p, ident) and
                     not self.is_echo(p, packet)]
            if parts:
                return "forward", name, join(parts)
        if local:
            return "local", "-", local
        for p in out[way]:
            if p[9] == 1 and p[20] == 3 and p[32:34] == ident:
                return "reject-3/%d" % p[21], "", b""
            if p[9] == 6 and p[33] & 4:
                return "reject-reset", "", b""
        return "drop", "", b""

    @staticmethod
    def is_about(packet, ident):
        return (packet[9] == 1 and len(packet) >= 34 and packet[20] == 3 and
                packet[32:34] == ident and packet[12:16] in (
                    socket.inet_aton(WAN), socket.inet_aton(LAN)))

    @staticmethod
    def is_echo(packet, question):
        """Linux's own answer, which has the question's number by chance."""
        return (question[9] == 1 and question[20] == 8 and
                packet[20] == 0 and packet[6] & 0x1f == packet[7] == 0 and
                packet[12:16] in (socket.inet_aton(WAN),
                                  socket.inet_aton(LAN)))


def join(parts):
    if len(parts) == 1:
        return parts[0]
    parts.sort(key=lambda p: struct.unpack("!H", p[6:8])[0] & 0x1fff)
    data = b"".join(p[20:] for p in parts)
    return parts[0][:2] + struct.pack("!H", 20 + len(data)) + \
        parts[0][4:20] + data


def normal(packet):
    """Without what routing changes: TTL, header checksum, fragment bits."""
    if not packet:
        return packet
    data = bytearray(packet)
    data[2:4] = struct.pack("!H", len(data))
    data[6:8] = b"\0\0"
    data[8] = 0
    data[10:12] = b"\0\0"
    at = {6: 36, 17: 26, 1: 22}.get(data[9])
    if at and len(data) > at + 1 and data[at:at + 2] == b"\xff\xff":
        data[at:at + 2] = b"\0\0"  # the two zeros are one number
    return bytes(data)
