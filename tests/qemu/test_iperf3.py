# SPDX-License-Identifier: MIT
"""APP=iperf3 in the image, asked by the real client."""

import json

from harness import Guest, check, test
from links import Tap

GUEST = "10.9.0.2"
WAYS = ((), ("-R",), ("-P", "8"), ("-P", "8", "-R"), ("--bidir",),
        ("-u", "-b", "20M"), ("-u", "-b", "20M", "-R"))


@test("iperf3: the real client is served both ways, TCP and UDP", timeout=90)
def real_client(t):
    guest = Guest(t, app="iperf3", net=Tap(t, "10.9.0.1/24"),
                  args=f"ip={GUEST}/24::10.9.0.1")
    guest.ready()
    for options in WAYS:
        text = t.run(["iperf3", "-c", GUEST, "-J", "-t", "1", *options],
                     timeout=30, expect=None)
        said = json.loads(text)
        check("error" not in said, f"{options}: {said.get('error')}")
        end = said["end"]
        received = end["sum" if "-u" in options else "sum_received"]
        check(received["bytes"] > 1e6, f"{options}: {received}")
        t.note(f"{' '.join(options) or 'in'}: "
               f"{received['bits_per_second'] / 1e6:.0f} Mbit/s")
    check(not guest.has_printed("panic"), "it panicked")
