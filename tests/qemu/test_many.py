# SPDX-License-Identifier: MIT
"""Many connections at once, in little memory."""

import re
import resource
import selectors
import socket

from harness import Guest, check, test
from links import Tap, set_sysctl
import peers

GUEST = "10.9.0.2"
REQUEST = b"GET /none HTTP/1.1\r\nHost: many\r\n\r\n"
WAVE = 100   # connections that are opened at a time


def boot(t, memory):
    tap = Tap(t, "10.9.0.1/24")
    set_sysctl("ipv4/ip_local_port_range", "2000 65000")
    guest = Guest(t, memory=memory, net=tap,
                  args=f"ip={GUEST}/24::10.9.0.1 -- -q --idle-timeout=3600")
    guest.ready()
    return guest


def need_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    check(hard >= count, f"this process may open {hard} files only")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def answer(sock):
    """One response with a body, read to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(4096)
        check(part, "closed without an answer")
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    while len(body) < length:
        body += sock.recv(4096)
    return head.split(b"\r\n")[0]


def ask_all(socks):
    for at in range(0, len(socks), WAVE):
        for sock in socks[at:at + WAVE]:
            sock.sendall(REQUEST)
        for sock in socks[at:at + WAVE]:
            check(b" 404 " in answer(sock), "another answer")


def hold(count):
    """That many connections, each of which has been served once."""
    need_descriptors(count + 200)
    held = []
    while len(held) < count:
        wave = [socket.create_connection((GUEST, 80), timeout=15)
                for _ in range(min(WAVE, count - len(held)))]
        ask_all(wave)
        held += wave
    return held


def check_all_held(held):
    selector = selectors.DefaultSelector()
    for sock in held:
        selector.register(sock, selectors.EVENT_READ)
    closed = len(selector.select(0))
    check(closed == 0, f"{closed} of {len(held)} were closed")


@test("http: 1,000 keep-alive connections are served with 8 MB of memory",
      timeout=90, tags=("many",))
def thousand_in_eight(t):
    guest = boot(t, 8)
    held = hold(1000)
    for _ in range(2):
        ask_all(held)
    check_all_held(held)
    values = peers.metrics(GUEST)
    check(values["httpd_connections"] == 1001, "httpd counts others: "
          f"{values['httpd_connections']}")
    check(values["httpd_evicted_total"] == 0, "some were put out")
    check(not guest.has_printed("panic"), "it panicked")


@test("http: 10,000 idle connections are held in 32 MB while 30 are active",
      timeout=240, tags=("many",), alone=True)
def ten_thousand_idle(t):
    def rate():
        text = t.run(["wrk", "-t1", "-c30", "-d3s", f"http://{GUEST}/none"],
                     timeout=30)
        check("Socket errors" not in text, text[-200:])
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])

    guest = boot(t, 32)
    before = rate()
    held = hold(10_000)
    during = rate()
    check_all_held(held)
    check(peers.metrics(GUEST)["httpd_connections_idle"] == 10_000,
          "httpd counts others")
    for sock in held:
        sock.close()
    after = rate()
    share = during / ((before + after) / 2)
    t.note(f"{share * 100:.0f} % of the rate without them")
    # The machine's own mood is in it; make bench looks closer.
    check(share > 0.6, f"{before:.0f}, {during:.0f}, {after:.0f} requests/s")
    check(not guest.has_printed("panic"), "it panicked")
