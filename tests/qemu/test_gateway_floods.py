# SPDX-License-Identifier: MIT
"""APP=gateway with little memory, under floods and with many flows."""

import resource
import socket
import struct
import threading
import time

from harness import Failure, check, test
from office import (CLIENT, INSIDE, OUTSIDE, UPLINK, Files, boot, check_fetch,
                    counters, fetch, serve)
import sides


def flood(side, packets, address):
    """Sends raw IPv4 packets, as fast as they are made; their number."""
    with side.inside():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                            socket.IPPROTO_RAW)
    count = 0
    with raw:
        for packet in packets:
            try:
                raw.sendto(packet, (address, 0))
                count += 1
            except OSError:
                pass
            breathe(count)
    return count


def breathe(count):
    """A flood that only fills the queue of the TAP reaches nobody."""
    if count % 100 == 0:
        time.sleep(0.003)


def ip_packet(source, destination, protocol, payload, fragment=0, number=0):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number,
                       fragment, 64, protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(destination)) + payload


def pseudo_sum(source, destination, protocol, payload):
    data = (socket.inet_aton(source) + socket.inet_aton(destination)
            + struct.pack("!HH", protocol, len(payload)) + payload)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(port, source=CLIENT, destination=OUTSIDE):
    head = struct.pack("!HHIIBBHHH", port, 9, port, 0, 0x50, 2, 1000, 0, 0)
    check_sum = pseudo_sum(source, destination, 6, head)
    return ip_packet(source, destination, 6,
                     head[:16] + struct.pack("!H", check_sum) + head[18:])


def discovers(side, count):
    """So many clients, each with a card of its own, ask for an address."""
    with side.inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"br0")
        sock.bind(("", 68))
        for number in range(count):
            card = b"\x02\x11" + struct.pack("!I", number)
            sock.sendto(struct.pack("!BBBBIHH", 1, 1, 6, 0, number, 0, 0x8000)
                        + bytes(16) + card + bytes(202)
                        + b"\x63\x82\x53\x63\x35\x01\x01\xff",
                        ("255.255.255.255", 67))
            breathe(number)


FLOODS = {
    "DHCP": lambda lan: discovers(lan, 3000),
    "SYN": lambda lan: flood(lan, (syn(1024 + n) for n in range(30000)),
                             OUTSIDE),
    "neighbour": lambda lan: [flood(lan, [
        ip_packet(CLIENT, f"10.9.{n // 250}.{n % 250 + 3}", 17,
                  struct.pack("!HHHH", 1, 9, 8, 0))], INSIDE)
        for n in range(250)],
    "fragment": lambda lan: flood(lan, (
        ip_packet(CLIENT, OUTSIDE, 17, bytes(600), 0x2000 + n % 3 * 75,
                  n & 0xffff) for n in range(5000)), OUTSIDE),
}


@test("gateway: floods with 16 MB: what flows goes on", timeout=120)
def floods(t):
    lan = sides.Lan(t)
    guest = boot(t, lan, memory=16)
    outside = serve(OUTSIDE)
    for name, run in FLOODS.items():
        outside.half.clear()
        outside.rest.clear()
        got = []
        thread = threading.Thread(
            target=lambda into=got: into.append(fetch(
                lan, OUTSIDE, path="/slow", timeout=60)))
        thread.start()
        check(outside.half.wait(20), f"{name}: no download began")
        began = time.monotonic()
        run(lan)
        seconds = time.monotonic() - began
        outside.rest.set()
        thread.join(60)
        check(got and got[0].body == Files.content,
              f"the download did not survive the {name} flood")
        t.note(f"{name} {seconds:.1f} s")
    check_fetch(lan, OUTSIDE)
    seen = counters(lan)
    check(seen["dhcp_server_discovers_total"] > 300, "DHCP was no flood")
    lan.run(f"ping -q -c 1 -W 2 {INSIDE}")
    check(not guest.has_printed("panic"), "it panicked")
    check(fetch(lan, INSIDE, 80, "/status.json").status == 200,
          "the page is gone")


FLOWS = 10000


@test("gateway: 10,000 flows through NAT with 16 MB", timeout=90)
def many_flows(t):
    lan = sides.Lan(t)
    guest = boot(t, lan, memory=16)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FLOWS + 500,) * 2)
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    echo.bind((OUTSIDE, 7))
    echo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    ports = set()

    def answer():
        while True:
            data, peer = echo.recvfrom(100)
            ports.add(peer)
            echo.sendto(data, peer)

    threading.Thread(target=answer, daemon=True).start()
    lan.run(f"ping -q -c 1 -W 2 {OUTSIDE}")  # the neighbours are known
    with lan.inside():
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                 for _ in range(FLOWS)]
    for turn in range(2):
        for at in range(0, FLOWS, 100):
            wave = socks[at:at + 100]
            for number, sock in enumerate(wave):
                sock.settimeout(5)
                sock.sendto(b"%d %d" % (turn, at + number), (OUTSIDE, 7))
            for number, sock in enumerate(wave):
                try:
                    said = sock.recv(100)
                except OSError as error:
                    raise Failure(f"turn {turn}, flow {at + number}: {error}, "
                                  f"{len(ports)} were seen") from None
                check(said == b"%d %d" % (turn, at + number),
                      f"flow {at + number} got {said}")
    check(len(ports) == FLOWS, f"{len(ports)} translated ports")
    check({address for address, _ in ports} == {UPLINK}, "not masqueraded")
    check(not guest.has_printed("panic"), "it panicked")
