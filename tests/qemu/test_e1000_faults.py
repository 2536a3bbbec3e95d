# SPDX-License-Identifier: MIT
"""The e1000 driver in QEMU when a card hangs, goes, loses its link, or shares
its interrupt line."""

import re
import socket
import time

import frames
from cards import (APP, GUEST, PEER, STATISTICS, expect_alive, expect_replies,
                   expect_statistic, pings, ready, sequence_of, statistic)
from harness import Guest, Nic, check, eventually, test
from links import StreamPeer, Tap


# --- faults ---

@test("e1000: a hanging transmitter is reset and traffic resumes", timeout=40)
def watchdog(t):
    guest, peer = ready(t, qtest=True)
    guest.qtest.writel(guest.bar0() + 0x400, 0)
    stopped = time.monotonic()
    peer.send(*pings(guest, peer, 3))
    guest.wait_for(r"eth0: the transmitter hangs: resetting", 15)
    took = time.monotonic() - stopped
    t.note(f"after {took:.1f} s")
    check(took >= 1.9, f"noticed after {took:.1f} s")
    guest.wait_for(r"eth0: TDH +[0-9a-f]{8}")
    expect_alive(guest, peer, 3)
    expect_statistic(guest, "resets", 1)


@test("e1000: a card that lost bus mastering is reset and works again")
def bus_master_lost(t):
    guest, peer = ready(t, qtest=True)
    command = guest.qtest.config_read(2, 4)
    guest.qtest.config_write(2, 4, command & 0xFFFF & ~4)
    guest.wait_for(r"eth0: bus mastering was switched off", 3)
    expect_alive(guest, peer, 3)


@test("e1000: a card pulled out is left alone, the other goes on")
def pulled_out(t):
    first, second = StreamPeer(t, PEER), StreamPeer(t, "10.8.0.1")
    guest = Guest(t, app=APP, nics=[Nic(first, "e1000e", options="addr=4"),
                           Nic(second, "e1000", options="addr=5")],
                  args=f"ip={GUEST}/24 ip=10.8.0.2:::255.255.255.0::eth1 "
                  f"{STATISTICS}", qtest=True)
    guest.address = GUEST
    guest.ready()
    expect_alive(guest, first, 4)
    guest.qmp("device_del", id="nic1")
    guest.qtest.outl(0xAE08, 1 << 5)
    guest.wait_for(r"eth1: the card is gone", 4)
    expect_alive(guest, first)
    guest.qmp("device_add", driver="e1000", id="late", addr="5")
    expect_alive(guest, first)
    mark = guest.mark()
    peer_frames = pings(guest, first, 50)
    first.send(*peer_frames)
    expect_replies(first, 50)
    check(not guest.has_printed(r"panic|hangs", mark), "trouble afterwards")


# --- link ---

@test("e1000: a pulled cable interrupts, and the link comes back")
def link(t):
    guest, peer = ready(t)
    mark = guest.mark()
    before = statistic(guest, "interrupts_link")
    began = time.monotonic()
    guest.set_link(False)
    guest.wait_for(r"eth0: link down", 2, after=mark)
    took = time.monotonic() - began
    t.note(f"down after {took * 1000:.0f} ms")
    eventually(lambda: statistic(guest, "interrupts_link") > before, 4,
               "it interrupts for its link")
    peer.send(*pings(guest, peer, 5))
    peer.drain()
    guest.set_link(True)
    guest.wait_for(r"eth0: link up, 1000 Mbit/s", 2, after=mark)
    peer.expect(lambda frame: frames.is_arp_request(frame, GUEST)
                and frame[28:32] == frames.address_bytes(GUEST), 3,
                "a gratuitous ARP")
    expect_alive(guest, peer)


@test("e1000: a link that flaps a hundred times under load leaks nothing")
def flapping(t):
    guest, peer = ready(t, "e1000")
    for turn in range(100):
        guest.set_link(False)
        peer.send(*pings(guest, peer, 4, 600))
        guest.set_link(True)
    guest.set_link(False)
    mark = guest.mark()
    guest.set_link(True)
    guest.wait_for(r"eth0: link up", 3, after=mark)
    expect_alive(guest, peer, 4)
    peer.drain()
    peer.send(*pings(guest, peer, 500, 600, first=2000))
    peer.expect(lambda frame: sequence_of(frame) == 2499, 5,
                "the last of 500 replies")
    expect_statistic(guest, "rctl_writes", 1)
    expect_statistic(guest, "alloc_rx_buff_failed", 0)


# --- interrupt lines ---

def five_cards(t, machine, model, words=()):
    peers = [StreamPeer(t, f"10.9.{n}.1") for n in range(5)]
    words = [f"ip=10.9.{n}.2:::255.255.255.0::eth{n}" for n in range(5)] + [
        STATISTICS, *words]
    guest = Guest(t, app=APP, machine=machine, args=" ".join(words),
                  nics=[Nic(peer, model) for peer in peers])
    guest.ready()
    hosts = [frames.Host(card.mac, f"10.9.{n}.2")
             for n, card in enumerate(guest.nics)]
    for peer, host in zip(peers, hosts):
        expect_alive(host, peer, 4)
    for n, (peer, host) in enumerate(zip(peers, hosts)):
        peer.send(*pings(host, peer, 20 * (n + 1), 300))
    for n, peer in enumerate(peers):
        expect_replies(peer, 20 * (n + 1))
    for n in range(5):
        eventually(lambda n=n: statistic(guest, "rx_frames", f"eth{n}")
                   >= 20 * (n + 1), 3, f"eth{n} counts its frames")
        count = statistic(guest, "rx_frames", f"eth{n}")
        check(count < 20 * (n + 1) + 15, f"eth{n} counts {count} frames")


@test("e1000: five cards share interrupt lines on pc")
def shared_lines_pc(t):
    five_cards(t, "pc", "e1000")


@test("e1000: five cards share interrupt lines on q35")
def shared_lines_q35(t):
    five_cards(t, "q35", "e1000e", ["e1000.msi=0"])


@test("e1000: five cards interrupt by message")
def by_message(t):
    five_cards(t, "q35", "e1000e")


@test("e1000: a neighbour that cries without end does not silence the card")
def storm(t):
    guest, peer = ready(t, qtest=True, nic_options="addr=4",
                        args="e1000.msi=0",
                        extra=["-device", "edu,addr=8,id=noise"])
    part = [part for part in guest.hmp("info pci").split("  Bus ")
            if 'id "noise"' in part]
    found = re.search(r"BAR0: 32 bit memory at (0x[0-9a-f]+)", part[0])
    guest.qtest.writel(int(found[1], 16) + 0x60, 1)
    guest.wait_for(r"polling its devices", 10)
    expect_alive(guest, peer, 4)
    peer.send(*pings(guest, peer, 300, 300))
    expect_replies(peer, 300)


@test("e1000: a TCP session survives a cable pulled for three seconds")
def session(t):
    tap = Tap(t, f"{PEER}/24")
    guest = Guest(t, app=APP, nic="e1000e", net=tap, args=f"ip={GUEST}/24")
    guest.wait_for(r"echo: echo on port 7")
    peer = socket.create_connection((GUEST, 7), timeout=15)
    peer.sendall(b"before")
    check(peer.recv(6, socket.MSG_WAITALL) == b"before", "no echo")
    guest.set_link(False)
    peer.sendall(b"during")
    time.sleep(3)
    guest.set_link(True)
    check(peer.recv(6, socket.MSG_WAITALL) == b"during", "no echo after")
    peer.sendall(b"after!")
    check(peer.recv(6, socket.MSG_WAITALL) == b"after!", "no echo later")
