# SPDX-License-Identifier: MIT
"""Both sides of a gateway: namespaces with programs and sockets in them.

The test's own namespace is the uplink; a Side is another one, held by a
process that sleeps.  Lan puts the gateway's second card, a client and any
number of further hosts on one bridge.
"""

import contextlib
import ctypes
import os
import re
import socket
import struct
import threading

from harness import LIBC, check, eventually
from links import CLONE_NEWNET, Tap, set_sysctl


class Side:
    """A network namespace of its own."""

    def __init__(self, t):
        self.t = t
        self.holder = t.start(["unshare", "-n", "sleep", "3600"])
        own = os.readlink("/proc/self/ns/net")
        path = f"/proc/{self.holder.pid}/ns/net"
        eventually(lambda: os.readlink(path) != own, 5, "a namespace is made")
        self.path = path
        self.run("ip link set lo up")
        with self.inside():
            set_sysctl("ipv6/conf/all/disable_ipv6", 1)

    def command(self, words):
        words = words.split() if isinstance(words, str) else words
        return ["nsenter", f"--net={self.path}", *words]

    def run(self, words, **options):
        return self.t.run(self.command(words), **options)

    def start(self, words, **options):
        return self.t.start(self.command(words), **options)

    @contextlib.contextmanager
    def inside(self):
        """This thread is on that side; its sockets stay there."""
        with open("/proc/thread-self/ns/net", "rb") as own, \
                open(self.path, "rb") as other:
            enter(other)
            try:
                yield
            finally:
                enter(own)

    def take(self, name, address=None):
        """An interface of the test's namespace moves here."""
        self.t.run(["ip", "link", "set", "dev", name, "netns",
                    str(self.holder.pid)])
        self.run(f"ip link set dev {name} up")
        if address:
            self.run(f"ip address add {address} dev {name}")


def enter(namespace):
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Lan(Side):
    """A bridge with the gateway's card; this side's own host is on it."""

    def __init__(self, t, address="192.168.77.10/24",
                 gateway="192.168.77.1"):
        super().__init__(t)
        self.gateway = gateway
        self.card = Tap(t, address="", name="lan0")
        # Else its address is the least of its ports', and changes with them.
        self.run("ip link add name br0 address 02:00:00:00:00:77 type bridge")
        self.run("ip link set dev br0 up")
        if address:
            self.run(f"ip address add {address} dev br0")
            self.run(f"ip route add default via {gateway}")

    def attach(self, guest):
        """The card joins the bridge; QEMU must have it open by then."""
        guest.wait_for(r"ferrule", 10)
        self.take("lan0")
        self.run("ip link set dev lan0 master br0")

    def host(self, address=None):
        """Another host on the bridge."""
        other = Side(self.t)
        outer = self.t.unique("port")
        self.t.run(["ip", "link", "add", "name", outer, "type", "veth",
                    "peer", "name", "lan"])
        other.take("lan", address)
        self.take(outer)
        self.run(f"ip link set dev {outer} master br0")
        if address:
            other.run(f"ip route add default via {self.gateway}")
        return other


UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address flush dev $interface
ip address add $ip/$mask dev $interface
ip route add default via $router
echo "bound ip=$ip mask=$mask router=$router dns=$dns domain=$domain \
lease=$lease"
"""
DHCLIENT_SCRIPT = """#!/bin/sh
[ "$reason" = BOUND ] || exit 0
echo "bound ip=$new_ip_address router=$new_routers \
dns=$new_domain_name_servers domain=$new_domain_name \
lease=$new_dhcp_lease_time" >"$LOG"
"""


def write_script(t, name, text):
    path = t.path(name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def bound(text):
    """What a client's script said, as a dictionary."""
    found = re.search(r"^bound (.*)", text, re.MULTILINE)
    check(found, f"no lease: {text.strip()[-300:]}")
    return dict(word.split("=", 1) for word in found[1].split()
                if "=" in word)


def udhcpc(side, interface):
    """A lease by busybox's client, which sets the address and the route."""
    script = write_script(side.t, "udhcpc.sh", UDHCPC_SCRIPT)
    return bound(side.run(["busybox", "udhcpc", "-i", interface, "-n", "-q",
                           "-f", "-t", "5", "-T", "1", "-s", script]))


def dhclient(side, interface):
    """A lease by ISC's client, which sets nothing."""
    script = write_script(side.t, "dhclient.sh", DHCLIENT_SCRIPT)
    log = side.t.path("bound")
    files = ["-lf", side.t.path("dhclient.leases"), "-pf",
             side.t.path("dhclient.pid")]
    side.run(["dhclient", "-1", "-v", "-sf", script, *files, "-e",
              f"LOG={log}", interface], timeout=20)
    # With a lease it goes on in the background, and nobody's death ends it.
    side.run(["dhclient", "-x", *files, interface], timeout=20)
    with open(log, encoding="ascii") as file:
        return bound(file.read())


class NameServer:
    """Names below example.test, and every question that came.

    NAME.example.test has the address given; big.example.test has 60 records
    and is cut short over UDP; gone.* does not exist.
    """

    RECORDS_BIG = 60

    def __init__(self, address, port=53, answer="203.0.113.7"):
        self.answer = socket.inet_aton(answer)
        self.asked = []
        self.over_tcp = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, port))
        self.tcp = socket.create_server((address, port))
        for loop in (self._datagrams, self._streams):
            threading.Thread(target=loop, daemon=True).start()

    def _datagrams(self):
        while True:
            query, peer = self.udp.recvfrom(4096)
            self.udp.sendto(self._reply(query, False), peer)

    def _streams(self):
        while True:
            peer, _ = self.tcp.accept()
            with peer:
                stream = peer.makefile("rb")
                query = stream.read(struct.unpack("!H", stream.read(2))[0])
                self.over_tcp += 1
                reply = self._reply(query, True)
                peer.sendall(struct.pack("!H", len(reply)) + reply)

    def _reply(self, query, is_stream):
        end = query.index(b"\0", 12) + 5
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack("!H", query[end - 4:end - 2])[0]
        self.asked.append((".".join(labels).lower(), kind))
        first = labels[0].lower() if labels else ""
        code, count, flags = 0, 1 if kind == 1 else 0, 0x8180
        if first == "gone":
            code, count = 3, 0
        if first == "big":
            count = self.RECORDS_BIG
            if not is_stream:
                flags, count = flags | 0x0200, 0
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4)
        records = b"".join(
            record + (bytes([198, 51, 100, number]) if first == "big"
                      else self.answer) for number in range(count))
        return (query[:2] + struct.pack("!HHHHH", flags | code, 1, count, 0, 0)
                + query[12:end] + records)


class Collector:
    """A UDP port that keeps what comes (a syslog server)."""

    def __init__(self, address, port):
        self.messages = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            self.messages.append(
                self.socket.recvfrom(65536)[0].decode("utf-8", "replace"))

    def wait_for(self, pattern, timeout=5):
        def find():
            return next(filter(None, (re.search(pattern, message) for message
                                      in list(self.messages))), None)
        return eventually(find, timeout, f"a message '{pattern}' arrives")


class TimeServer:
    """Answers SNTP with a time that is `ahead` seconds of ours (RFC 4330)."""

    def __init__(self, address, now, port=123):
        self.now = now
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            query, peer = self.socket.recvfrom(1024)
            seconds = int(self.now()) + 2208988800
            stamp = struct.pack("!II", seconds & 0xffffffff, 0)
            self.socket.sendto(
                bytes([0x24, 2, 0, 0xe9]) + bytes(8) + b"TEST" + stamp
                + query[40:48] + stamp + stamp, peer)
