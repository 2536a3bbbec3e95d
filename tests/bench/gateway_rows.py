# SPDX-License-Identifier: MIT
"""What is measured through a gateway: each function gets a Crossing and the
seconds, and gives back {row: value}."""

import json
import os
import re
import time

from harness import Failure, check
import gateways
from effort import Effort
from row import less, more

PORT = 9
ONE_FLOW = 1

ROWS = {
    "forward 60": more("forwarded, frames of 60 B", "packets/s", "3x"),
    "forward effort": less("...QEMU's processor time for each", "us"),
    "forward 1514": more("forwarded, frames of 1514 B", "packets/s", "3x"),
    "filter 60": more("stateful filter, frames of 60 B", "packets/s", "3x"),
    "filter effort": less("...QEMU's processor time for each", "us"),
    "filter 1514": more("stateful filter, frames of 1514 B", "packets/s",
                        "3x"),
    "nat 60": more("filter and masquerade, frames of 60 B", "packets/s",
                   "3x"),
    "nat effort": less("...QEMU's processor time for each", "us"),
    "nat 1514": more("filter and masquerade, frames of 1514 B", "packets/s",
                     "3x"),
    "nat tcp out": more("iperf3 through NAT, client to server", "Mbit/s",
                        "3x"),
    "nat tcp in": more("iperf3 -R through NAT, server to client", "Mbit/s",
                       "3x"),
    "nat flows": more("new UDP flows through NAT, a packet each", "flows/s",
                      "3x"),
    "sets 60": more("NAT behind two sets of 5,000 elements, 60 B",
                    "packets/s"),
    "sets share": more("...of the rate with one element in each", "%", "95"),
    "prefixes 60": more("NAT with 100,000 routes, 60 B", "packets/s"),
}


def crossing(at, seconds, length, flows=ONE_FLOW, source=gateways.CLIENT):
    """Packets per second, and microseconds of QEMU's for each."""
    with Effort(at.guest) as effort:
        text = at.t.run(
            [os.path.join(at.t.build, "crossing"), at.client.path, source,
             gateways.SERVER, str(PORT), str(length), str(seconds),
             str(flows)], timeout=seconds + 30)
    found = re.match(r"([0-9]+) packets/s, ([0-9]+) lost", text)
    check(found, f"crossing printed {text[-200:]}")
    rate, lost = map(float, found.groups())
    check(rate > 0, "nothing came through")
    if lost > rate * seconds / 1000:
        at.t.note(f"{length} B: {lost:.0f} lost at {rate:.0f} packets/s")
    return rate, effort.each(rate * seconds)


def both_lengths(name):
    def measure(at, seconds):
        rate, each = crossing(at, seconds, 60)
        return {f"{name} 60": rate, f"{name} effort": each,
                f"{name} 1514": crossing(at, seconds, 1514)[0]}
    measure.__name__ = name
    return measure


def iperf3(at, seconds, *options):
    server = at.t.start(["iperf3", "-s", "-1", "-B", gateways.SERVER],
                        stdout=-3, stderr=-3)
    said = {}
    try:
        for _ in range(10):
            time.sleep(0.2)
            said = json.loads(at.client.run(
                ["iperf3", "-c", gateways.SERVER, "-J", "-t", str(seconds),
                 *options], timeout=seconds + 20, expect=None))
            if "error" not in said:
                return said["end"]["sum_received"]["bits_per_second"] / 1e6
    finally:
        server.kill()
        server.wait()
    raise Failure(f"iperf3 {' '.join(options)}: {said['error']}")


def nat_tcp(at, seconds):
    return {"nat tcp out": iperf3(at, seconds),
            "nat tcp in": iperf3(at, seconds, "-R")}


def nat_flows(at, seconds):
    return {"nat flows": crossing(at, seconds, 60, flows=0)[0]}


def sets(at, seconds):
    """In turns, because the machine's speed drifts."""
    few, many = [], []
    for _ in range(3):
        few.append(crossing(at, max(1, seconds / 2), 60)[0])
        many.append(crossing(at, max(1, seconds / 2), 60,
                             source=gateways.OTHER)[0])
    share = sum(many) / sum(few) * 100
    return {"sets 60": sum(many) / len(many), "sets share": share}


def prefixes(at, seconds):
    return {"prefixes 60": crossing(at, seconds, 60)[0]}


# setting of gateways.py: the rows that each function of it gives
GROUPS = {
    "forward": {both_lengths("forward"): (
        "forward 60", "forward effort", "forward 1514")},
    "filter": {both_lengths("filter"): (
        "filter 60", "filter effort", "filter 1514")},
    "nat": {both_lengths("nat"): ("nat 60", "nat effort", "nat 1514"),
            nat_tcp: ("nat tcp out", "nat tcp in"),
            nat_flows: ("nat flows",)},
    "sets": {sets: ("sets 60", "sets share")},
    "prefixes": {prefixes: ("prefixes 60",)},
}
