# SPDX-License-Identifier: MIT
"""What the card or the link layer does for TCP, switched off and on: the
bytes are the same in every combination.
"""

import itertools

from harness import Guest, test
from links import Tap
import test_link

STATIC = "ip=10.9.0.2/24::10.9.0.1"
SWITCHES = ("e1000.tso", "e1000.checksum", "e1000.gather", "net.gro")


def transfer(t, tap, card, values, length):
    words = " ".join(f"{name}={value}"
                     for name, value in zip(SWITCHES, values))
    t.log(f"{card}: {words}")
    guest = Guest(t, app="stream", nic=card, net=tap,
                  args=f"{STATIC} {words}")
    guest.ready()
    for direction in ("get", "put"):
        test_link.transfer(t, direction, length, 7, 60)
    guest.close()


def alone():
    """None, each alone, all."""
    for only in range(-1, len(SWITCHES)):
        yield tuple(int(place == only) for place in range(len(SWITCHES)))
    yield (1,) * len(SWITCHES)


@test("offload: none, each alone and all of them carry 4 MB bit-exact",
      timeout=90)
def each_alone(t):
    tap = Tap(t)
    for values in alone():
        transfer(t, tap, "e1000", values, 4 << 20)


@test("offload: on the 82574L all together carry 16 MB bit-exact", timeout=60)
def all_together(t):
    transfer(t, Tap(t), "e1000e", (1, 1, 1, 1), 16 << 20)


@test("offload: all sixteen combinations on both cards", timeout=300,
      tags=("soak",))
def every_combination(t):
    tap = Tap(t)
    for card in ("e1000", "e1000e"):
        for values in itertools.product((0, 1), repeat=len(SWITCHES)):
            transfer(t, tap, card, values, 4 << 20)
