# SPDX-License-Identifier: MIT
"""A guest whose card is talked to frame by frame, and what it counted.

The counterpart is a StreamPeer, so that each frame is seen byte by byte.
Where the point does not depend on the model the card is an e1000e, because
QEMU's e1000 is deaf for a second after start.
"""

import re
import time

import frames
from harness import Failure, Guest, check, eventually
from links import StreamPeer

GUEST = "10.9.0.2"
PEER = "10.9.0.1"
STATISTICS = "e1000.statistics=1"
APP = "echo"  # ready at once; the answers here come from the stack
ALIVE = [50000]  # numbers from here on belong to expect_alive()


def start(t, nic="e1000e", args="", **options):
    """A guest with one card, and its peer on the other end of the cable."""
    peer = StreamPeer(t, address=PEER)
    guest = Guest(t, app=APP, nic=nic, net=peer,
                  args=f"ip={GUEST}/24 {STATISTICS} {args}", **options)
    guest.address = GUEST
    return guest, peer


def ready(t, nic="e1000e", args="", **options):
    guest, peer = start(t, nic, args, **options)
    guest.ready()
    expect_alive(guest, peer, 4)
    return guest, peer


def sequence_of(frame):
    """Of an echo reply; else -1."""
    if not frames.is_echo_reply(frame):
        return -1
    return int.from_bytes(frames.ip_parts(frame)[3][6:8], "big")


def expect_alive(guest, peer, timeout=2):
    """The guest answers a ping; the first ones may be lost."""
    deadline = time.monotonic() + timeout
    first = ALIVE[0]
    while True:
        ALIVE[0] += 1
        peer.send(frames.icmp_echo(peer, guest, b"alive", sequence=ALIVE[0]))
        try:
            return peer.expect(lambda frame: sequence_of(frame) > first, 0.2)
        except Failure:
            if time.monotonic() > deadline:
                raise Failure(f"no answer to pings in {timeout} s") from None


def introduce(guest, peer):
    """The guest learns the peer's address, and need not ask for it."""
    peer.send(frames.arp(1, peer, "00:00:00:00:00:00", guest.address))


def pings(guest, peer, count, length=60, first=1):
    """Echo requests of this frame length, numbered."""
    payload = bytes(index % 251 for index in range(length - 42))
    return [frames.icmp_echo(peer, guest, payload, sequence=first + number)
            for number in range(count)]


def expect_replies(peer, count, first=1, timeout=10):
    """All of them, once, in order."""
    replies = peer.collect(lambda frame: 0 <= sequence_of(frame) < 50000,
                           count, timeout)
    numbers = [sequence_of(reply) for reply in replies]
    wanted = list(range(first, first + count))
    check(numbers == wanted,
          f"replies out of order, first at {first_difference(numbers, wanted)}")
    return replies


def first_difference(left, right):
    for index, (a, b) in enumerate(zip(left, right)):
        if a != b:
            return index
    return min(len(left), len(right))


def statistic(guest, name, card="eth0"):
    """As last logged; a statistic that was never logged is 0."""
    found = re.findall(rf"{card}: {name}=(\d+)$", guest.text, re.MULTILINE)
    return int(found[-1]) if found else 0


def expect_statistic(guest, name, value, card="eth0", timeout=4):
    try:
        eventually(lambda: statistic(guest, name, card) == value, timeout, "")
    except Failure:
        raise Failure(f"{card}: {name} is {statistic(guest, name, card)}, "
                      f"not {value}") from None


def wait_for_a_second(guest, card="eth0"):
    """Until statistics have been logged anew; something must have changed."""
    guest.wait_for(rf"{card}: \w+=", 3, after=guest.mark())


def phy_read(guest, register, number=0):
    bar = guest.bar0(number)
    guest.qtest.writel(bar + 0x20, 2 << 26 | 1 << 21 | register << 16)
    return guest.qtest.readl(bar + 0x20) & 0xFFFF
