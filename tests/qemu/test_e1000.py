# SPDX-License-Identifier: MIT
"""The e1000 driver in QEMU: every card it knows, frames, rings."""

import re
import time

import frames
from cards import (APP, expect_alive, expect_replies, expect_statistic,
                   introduce, phy_read, pings, ready, sequence_of, start,
                   statistic, wait_for_a_second)
from harness import Failure, Guest, check, eventually, test
from links import Tap
import peers


# --- every model ---

def every_length_comes_back(guest, peer):
    for length in (60, 61, 62, 63, 64, 65, 100, 999, 1000, 1513, 1514):
        request = pings(guest, peer, 1, length)[0]
        peer.send(request)
        reply = peer.expect(lambda frame: sequence_of(frame) == 1, 2, f"the echo of {length} bytes")
        check(len(reply) == length, f"{length} became {len(reply)} bytes")
        check(reply[:12] == request[6:12] + request[:6], "addresses differ")
        check(reply[38:] == request[38:], f"{length}: contents differ")
        check(frames.has_good_checksums(reply), f"{length}: checksum")


def a_model_works(t, nic, name, eeprom):
    guest, peer = start(t, nic, mac="52:54:00:ab:cd:ef", qtest=True)
    guest.ready()
    check(guest.has_printed(rf"eth0: {name} at 00:0[0-9a-f]\.0, "
                            rf"52:54:00:ab:cd:ef, {eeprom} EEPROM"),
          f"no line for {name}")
    request = peer.expect(lambda frame: frames.ethertype(frame) == frames.ARP,
                          3, "an ARP frame")
    check(request[6:12] == frames.mac_bytes("52:54:00:ab:cd:ef"),
          "ARP from another address")
    check(len(request) == 60 and not any(request[42:]),
          "ARP is not padded with zeros to 60 bytes")
    expect_alive(guest, peer, 4)
    every_length_comes_back(guest, peer)
    check(phy_read(guest, 1) & 0x20 == 0 or nic == "e1000e",
          "autonegotiation was restarted though the link was up")
    expect_statistic(guest, "rctl_writes", 1)
    return guest


@test("e1000: an 82540EM works, with frames of every length bit-exact")
def model_82540em(t):
    guest = a_model_works(t, "e1000", "82540EM", "small")
    guest.close()


@test("e1000: an 82545EM works, with frames of every length bit-exact")
def model_82545em(t):
    a_model_works(t, "e1000-82545em", "82545EM", "small")


@test("e1000: an 82544GC works, with frames of every length bit-exact")
def model_82544gc(t):
    a_model_works(t, "e1000-82544gc", "82544GC", "small")


@test("e1000: an 82574L works, with frames of every length bit-exact")
def model_82574l(t):
    a_model_works(t, "e1000e", "82574L", "large")


def ask_once(guest, peer, timeout):
    peer.send(*pings(guest, peer, 1))
    try:
        return peer.expect(frames.is_echo_reply, timeout)
    except Failure:
        return None


def time_to_first_echo(t):
    """Seconds from the kernel's first line to an answered ping."""
    guest, peer = start(t, "e1000")
    first = guest.wait_for(r"^\[ +[0-9.]+\] ")
    entered = guest.started + guest.time_of(first.start())
    introduce(guest, peer)
    while not ask_once(guest, peer, 0.005):
        check(time.monotonic() < entered + 4, "no echo at all")
    took = time.monotonic() - entered
    guest.close()
    return took


def sums_are_inserted(t, nic):
    """UDP of every small length and around the largest, with IP options."""
    guest, peer = ready(t, nic)
    for length in [*range(0, 40), *range(1440, 1472)]:
        for options in (b"", b"\x01" * 8):
            if length + len(options) > 1472:
                continue
            payload = bytes((length + index * 7) % 256
                            for index in range(length))
            peer.send(frames.udp(peer, guest, 1000 + length, 7, payload,
                                 options=options))
            reply = peer.expect(lambda frame: frames.is_protocol(
                frame, frames.UDP), 3, f"the echo of {length} bytes")
            check(frames.ip_parts(reply)[3][8:] == payload, "contents differ")
            check(reply[40:42] != b"\0\0", "sent without a checksum")
            check(frames.has_good_checksums(reply),
                  f"{length} bytes: wrong checksum")


@test("e1000: the sums an 82540EM inserts are right for every length")
def sums_82540em(t):
    sums_are_inserted(t, "e1000")


@test("e1000: the sums an 82574L inserts are right for every length")
def sums_82574l(t):
    sums_are_inserted(t, "e1000e")


@test("e1000: the first frame is answered soon after the card's second of "
      "deafness", alone=True)
def first_frame(t):
    took = time_to_first_echo(t)
    t.note(f"{took * 1000:.0f} ms after kernel entry")
    check(took <= 1.9, f"took {took:.3f} s")


@test("e1000: without a card the kernel boots, says so and stays up")
def no_card(t):
    guest = Guest(t, app=APP)
    guest.wait_for(r"no network card")
    guest.qmp("query-status")
    check(guest.is_running(), "QEMU ended")


# --- starts over a predecessor's remains ---

@test("e1000: the card works again after each of two warm resets")
def warm_reset(t):
    guest, peer = start(t, "e1000", reboot=True)
    mark = 0
    for _ in range(3):
        guest.wait_for(r"ferrule: ready in", 10, after=mark)
        expect_alive(guest, peer, 4)
        peer.drain()
        peer.send(*pings(guest, peer, 200, 1000))
        expect_replies(peer, 200, timeout=5)
        peer.send(*pings(guest, peer, 200, 1000))
        mark = guest.mark()
        guest.qmp("system_reset")


@test("e1000: rings and interrupts left on by a predecessor do no harm")
def predecessor(t):
    guest, peer = start(t, "e1000", qtest=True, paused=True)
    slot = 2
    bar = 0xFEBC0000
    guest.qtest.config_write(slot, 0x10, bar)
    guest.qtest.config_write(slot, 0x04, 0x6)
    for offset, value in ((0x2800, 0x700000), (0x2808, 4096), (0x2810, 3),
                          (0x2818, 200), (0x3800, 0x701000), (0x3808, 4096),
                          (0x3810, 7), (0x3818, 7), (0x5408, 0x01020304),
                          (0x540C, 0x80000102), (0x5200, 0xFFFFFFFF),
                          (0x0400, 0x0003F0FA), (0x00D0, 0x1F6DC),
                          (0x0100, 0x0402801A)):
        guest.qtest.writel(bar + offset, value)
    check(guest.qtest.readl(bar + 0x100) == 0x0402801A, "RCTL does not stand")
    guest.qmp("cont")
    guest.ready()
    expect_alive(guest, peer, 4)
    peer.send(*pings(guest, peer, 300, 500))
    expect_replies(peer, 300)
    bar = guest.bar0()
    check(guest.qtest.readl(bar + 0x540C) == 0, "a stranger's address stands")
    check(guest.qtest.readl(bar + 0x5200) == 0, "a stranger's groups stand")


# --- frames that are not as they should be ---

@test("e1000: frames that are too long are dropped, counted and survived")
def oversized(t):
    guest, peer = ready(t)
    lengths = (1523, 1600, 2048, 4000, 9000, 16384)
    for length in lengths:
        peer.send(frames.ethernet(guest.mac, peer.mac, frames.IPV4,
                                  b"\x45" + bytes(length - 15)))
    expect_alive(guest, peer)
    expect_statistic(guest, "rx_long_length_errors", len(lengths))
    expect_statistic(guest, "rx_dropped_split", 0)


@test("e1000: runts do no harm, and padding is never taken for data")
def runts(t):
    guest, peer = ready(t)
    whole = frames.icmp_echo(peer, guest, b"", sequence=7, pad=False)
    check(len(whole) == 42, "the request is not a runt")
    for length in range(14, 60):
        peer.send(frames.ethernet(guest.mac, peer.mac, 0x88B5,
                                  b"\xEE" * (length - 14), pad=False))
        peer.send(whole[:length].ljust(length, b"\xEE"))
    replies = peer.collect(lambda frame: sequence_of(frame) == 7, 18, 3)
    for reply in replies:
        check(len(reply) == 60 and reply[16:18] == b"\0\x1c",
              "padding was echoed")
        check(not any(reply[42:]), "the answer's padding is not zero")
    expect_alive(guest, peer)


@test("e1000: a frame over several buffers is dropped whole")
def split_frame(t):
    guest, peer = ready(t, args="e1000.long_packets=1")
    big = frames.ethernet(guest.mac, peer.mac, frames.IPV4,
                          b"\x45" + bytes(4985))
    request = pings(guest, peer, 4)
    peer.send(request[0], big, request[1], big, big, request[2], request[3])
    expect_replies(peer, 4)
    expect_statistic(guest, "rx_dropped_split", 3)


@test("e1000: what the filters refuse never reaches the stack")
def filters(t):
    guest, peer = ready(t, args="e1000.vlans=5", qtest=True)
    expect_statistic(guest, "rctl_writes", 1)
    before = guest.qtest.readl(guest.bar0() + 0x100)

    def tagged(vlan):
        return (frames.mac_bytes(guest.mac) + frames.mac_bytes(peer.mac)
                + b"\x81\0" + vlan.to_bytes(2, "big") + b"\x88\xb5"
                + bytes(60))

    def received():
        return statistic(guest, "rx_frames")

    base = eventually(received, 3, "frames are counted")
    other = [frames.ethernet("52:54:00:99:99:99", peer.mac, 0x88B5, b""),
             frames.ethernet("01:00:5e:7f:12:34", peer.mac, 0x88B5, b""),
             frames.ethernet("33:33:00:00:12:34", peer.mac, 0x88B5, b""),
             tagged(6), tagged(4094)]
    ours = [frames.ethernet(guest.mac, peer.mac, 0x88B5, b""),
            frames.ethernet(frames.BROADCAST, peer.mac, 0x88B5, b""),
            tagged(5), tagged(0)]
    for _ in range(50):
        peer.send(*other, *ours)
    expect_alive(guest, peer)
    eventually(lambda: received() > base + 50 * len(ours), 3,
               "what is ours is received")
    check(received() < base + 50 * (len(ours) + 1), "too much is received")
    check(guest.qtest.readl(guest.bar0() + 0x100) == before, "RCTL changed")
    expect_statistic(guest, "rctl_writes", 1)


# --- rings ---

@test("e1000: frames beyond an exhausted ring wait, and all arrive in order")
def exhausted_ring(t):
    guest, peer = start(t, args="e1000.hold=1")
    guest.ready()
    introduce(guest, peer)
    many = pings(guest, peer, 600, 1400)
    peer.send(*many[:300])
    peer.send(*many[300:])
    expect_replies(peer, 600)
    eventually(lambda: statistic(guest, "rx_frames") >= 600, 3,
               "frames are counted")
    check(statistic(guest, "rx_missed_errors") == 0, "frames were missed")


@test("e1000: an overrun is counted once and survived")
def overrun(t):
    guest, peer = start(t, "e1000", "e1000.hold=2 e1000.rx_ring=8 "
                        "e1000.long_packets=1")
    guest.ready()
    introduce(guest, peer)
    small = pings(guest, peer, 5)
    peer.send(*small, frames.ethernet(guest.mac, peer.mac, frames.IPV4,
                                      b"\x45" + bytes(4985)))
    expect_replies(peer, 5)
    expect_statistic(guest, "rx_missed_errors", 1)
    expect_alive(guest, peer)
    wait_for_a_second(guest)
    check(statistic(guest, "rx_missed_errors") == 1, "counted again")
    check(statistic(guest, "rx_dropped_split") == 0, "half a frame was kept")


@test("e1000: a full transmit ring stops the stack and wakes it in order")
def full_transmit_ring(t):
    guest, peer = ready(t, args="e1000.tx_ring=128", qtest=True)
    control = guest.bar0() + 0x400
    word = guest.qtest.readl(control)
    guest.qtest.writel(control, word & ~2)
    peer.send(*pings(guest, peer, 200, 500))
    eventually(lambda: statistic(guest, "tx_stop_queue") == 1, 3,
               "the stack is stopped")
    guest.qtest.writel(control, word)
    expect_replies(peer, 200)
    expect_statistic(guest, "tx_restart_queue", 1)
    expect_statistic(guest, "tx_dropped_full", 0)
    expect_statistic(guest, "tx_timeout_count", 0)


@test("e1000: one doorbell per burst, and no interrupts for transmits")
def doorbells(t):
    guest, peer = ready(t, qtest=True)
    wait_for_a_second(guest)
    before = statistic(guest, "tx_doorbells"), statistic(guest, "tx_frames")
    for turn in range(8):
        guest.qmp("stop")
        peer.send(*pings(guest, peer, 64, 200, first=1 + 64 * turn))
        guest.qmp("cont")
        expect_replies(peer, 64, first=1 + 64 * turn)
    eventually(lambda: statistic(guest, "tx_frames") >= before[1] + 512, 3,
               "frames are counted")
    rung = statistic(guest, "tx_doorbells") - before[0]
    t.note(f"{rung} doorbells for 512 frames")
    check(rung <= 128, f"{rung} doorbells for 512 frames")
    check(guest.qtest.readl(guest.bar0() + 0xD0) & 1 == 0,
          "transmits interrupt")
    check(statistic(guest, "tx_reports") <= rung + before[0] + 40,
          "too many reports")


@test("e1000: garbage in receive descriptors is survived")
def bad_descriptors(t):
    guest, peer = ready(t, qtest=True)
    bar = guest.bar0()
    ring = guest.qtest.readl(bar + 0x2800)
    head = guest.qtest.readl(bar + 0x2810)

    def descriptor(index):
        return ring + 16 * ((head + index) % 256)

    guest.qtest.writeq(descriptor(0), 0)
    peer.send(*pings(guest, peer, 1))
    eventually(lambda: guest.qtest.readl(bar + 0x2810) != head, 2,
               "the card uses the descriptor")
    expect_alive(guest, peer)
    head = guest.qtest.readl(bar + 0x2810)
    guest.qtest.writeq(descriptor(1) + 8, 0x00000003_0000FFFF)
    guest.qtest.writeq(descriptor(2) + 8, 0x00009703_00000000)
    peer.send(*pings(guest, peer, 1))
    guest.wait_for(r"eth0: the receive ring is out of step: resetting", 5)
    expect_alive(guest, peer, 3)
    peer.send(*pings(guest, peer, 600, 100))
    expect_replies(peer, 600)
    expect_statistic(guest, "rx_dropped_length", 1)
    expect_statistic(guest, "rx_dropped_error", 1)
    expect_statistic(guest, "rx_dropped_split", 1)


# --- interrupts that a look before the halt has answered ---

@test("e1000: interrupts that a look has answered are not taken for strays",
      timeout=60)
def looks_leave_no_strays(t):
    guest = Guest(t, net=Tap(t, "10.9.0.1/24"),
                  args="ip=10.9.0.2/24::10.9.0.1 -- -q")
    guest.ready()
    text = t.run(["wrk", "-t1", "-c1", "-d3s", "http://10.9.0.2/"], timeout=30)
    requests = int(re.search(r"(\d+) requests in", text)[1])
    strays = peers.metrics("10.9.0.2")["interrupts_unhandled_total"]
    t.note(f"{strays:.0f} strays beside {requests} requests")
    check(strays * 20 < requests, "looks leave strays behind")
    check(not guest.has_printed("polling its devices"), "it was given up")
