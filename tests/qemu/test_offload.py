# SPDX-License-Identifier: MIT
"""What the card or the link layer does for TCP, switched off and on: the
bytes are the same in every combination.
"""

import itertools

from harness import Guest, test
from links import Tap
import test_link

STATIC = "ip=10.9.0.2/24::10.9.0.1"
# Only the 82574L verifies checksums of what it receives.
SWITCHES = {
    "e1000": ("e1000.tso", "e1000.checksum", "e1000.gather", "net.gro"),
    "e1000e": ("e1000.tso", "e1000.checksum", "e1000.rx_checksum",
               "net.gro"),
}


def transfer(t, tap, card, values, length):
    words = " ".join(f"{name}={value}"
                     for name, value in zip(SWITCHES[card], values))
    t.log(f"{card}: {words}")
    guest = Guest(t, app="stream", nic=card, net=tap,
                  args=f"{STATIC} {words}")
    guest.ready()
    for direction in ("get", "put"):
        test_link.transfer(t, direction, length, 7, 60)
    guest.close()


def alone():
    """None, each alone, all."""
    for only in range(-1, 4):
        yield tuple(int(place == only) for place in range(4))
    yield (1,) * 4


@test("offload: none, each alone and all of them carry 4 MB bit-exact",
      timeout=90)
def each_alone(t):
    tap = Tap(t)
    for values in alone():
        transfer(t, tap, "e1000", values, 4 << 20)


@test("offload: on the 82574L all together carry 16 MB bit-exact", timeout=60)
def all_together(t):
    transfer(t, Tap(t), "e1000e", (1, 1, 1, 1), 16 << 20)


def every_combination(card, length):
    def run(t):
        tap = Tap(t)
        for values in itertools.product((0, 1), repeat=4):
            transfer(t, tap, card, values, length)
        t.note(f"16 combinations of {', '.join(SWITCHES[card])}, "
               f"{length >> 20} MB each way")
    return run


for CARD in SWITCHES:
    test(f"offload: all sixteen combinations, {CARD}", timeout=600,
         tags=("soak",))(every_combination(CARD, 48 << 20))
