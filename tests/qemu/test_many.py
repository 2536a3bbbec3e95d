# SPDX-License-Identifier: MIT
"""Many connections at once, in little memory."""

import re
import socket

from harness import Guest, check, test
from links import Tap, set_sysctl
import peers

GUEST = "10.9.0.2"
PAGE = 4096
WORD = 16  # what counts as left over


def boot(t, memory, **options):
    tap = Tap(t, "10.9.0.1/24")
    set_sysctl("ipv4/ip_local_port_range", "2000 65000")
    guest = Guest(t, memory=memory, net=tap, **options,
                  args=f"ip={GUEST}/24::10.9.0.1 -- -q --idle-timeout=3600")
    guest.ready()
    return guest


@test("http: 1,000 keep-alive connections are served with 8 MB of memory",
      timeout=90, tags=("many",))
def thousand_in_eight(t):
    guest = boot(t, 8)
    held = peers.hold(GUEST, 1000)
    for _ in range(2):
        peers.ask_all(held)
    peers.check_held(held)
    values = peers.metrics(GUEST)
    check(values["httpd_connections"] == 1001, "httpd counts others: "
          f"{values['httpd_connections']}")
    check(values["httpd_evicted_total"] == 0, "some were put out")
    check(not guest.has_printed("panic"), "it panicked")


@test("http: 10,000 idle connections are held in 32 MB while 30 are active",
      timeout=240, tags=("many",), alone=True)
def ten_thousand_idle(t):
    def rate():
        text = t.run(["wrk", "-t1", "-c30", "-d3s", f"http://{GUEST}/"],
                     timeout=30)
        check("Socket errors" not in text, text[-200:])
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])

    guest = boot(t, 32)
    before = rate()
    held = peers.hold(GUEST, 10_000)
    during = rate()
    peers.check_held(held)
    check(peers.metrics(GUEST)["httpd_connections_idle"] == 10_000,
          "httpd counts others")
    peers.let_go(held)
    after = rate()
    t.note(f"{during:.0f} requests/s, {before:.0f} before, {after:.0f} after; "
           "make bench looks closer")
    check(min(before, during, after) > 0, "nobody was answered")
    check(not guest.has_printed("panic"), "it panicked")


def left_of(before, now):
    """How many words of a page are what they were, zeros apart."""
    words = (slice(at, at + WORD) for at in range(0, len(before), WORD))
    return sum(before[w] == now[w] and any(before[w]) for w in words)


@test("memory: a page in which the firmware ran is cleared when it is taken",
      timeout=60)
def firmware_code_is_cleared(t):
    said = t.path("firmware.log")
    guest = boot(t, 24, extra=(
        "-chardev", f"file,id=firmware,path={said}",
        "-device", "isa-debugcon,iobase=0x402,chardev=firmware"))
    place = re.search(r"Relocating init from \S+ to (0x\w+) \(size (\d+)\)",
                      open(said, encoding="utf-8").read())
    start = (int(place[1], 16) + PAGE - 1) // PAGE * PAGE
    size = (int(place[2]) - PAGE) // PAGE * PAGE

    def look():
        path = t.path("firmware.memory")
        guest.hmp(f'pmemsave {start} {size} "{path}"')
        with open(path, "rb") as memory:
            data = memory.read()
        return [data[at:at + PAGE] for at in range(0, size, PAGE)]

    before = look()
    now = before
    held = []
    while now == before and len(held) < 1000:
        for _ in range(50):  # each has a buffer of two pages
            held.append(socket.create_connection((GUEST, 80), 5))
            held[-1].sendall(b"GET / HTTP/1.1\r\n")
        peers.metrics(GUEST)  # all were read before this was answered
        now = look()
    taken = [i for i, page in enumerate(now) if page != before[i]]
    t.note(f"{len(taken)} of {len(now)} pages, {len(held)} connections")
    check(taken, "none of them was taken")
    for i in taken:
        check(left_of(before[i], now[i]) == 0, f"page {i} was not cleared")
