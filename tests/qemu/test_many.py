# SPDX-License-Identifier: MIT
"""Many connections at once, in little memory."""

import re

from harness import Guest, check, test
from links import Tap, set_sysctl
import peers

GUEST = "10.9.0.2"


def boot(t, memory):
    tap = Tap(t, "10.9.0.1/24")
    set_sysctl("ipv4/ip_local_port_range", "2000 65000")
    guest = Guest(t, memory=memory, net=tap,
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
