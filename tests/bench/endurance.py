# SPDX-License-Identifier: MIT
"""Rows about what a server keeps up: under a flood, beside slow clients, for
many minutes, with accounting on.  Shares are of the same guest's own rate
just before and after, so a drifting machine matters less.
"""

import os
import statistics
import subprocess
import time

import guests
import peers
import rows
from row import less, more

HERE = os.path.dirname(os.path.abspath(__file__))
SAME_CARD = 20_000         # packets/s that pass the queue of a TAP
FLOOD_PORT = 9999          # nobody listens there
SILENT, WRITERS, READERS = 2000, 200, 200
LEVELS = {"pool_buffers_free": -1, "pool_packets_free": -1, "timers": 1}
ACCOUNTING_TURNS = 4

ROWS = {
    "flood rate": more("60 B UDP flood by a second card, as fast as the "
                       "host sends", "packets/s"),
    "flood heard": more("...of which the guest takes", "packets/s"),
    "flood share": more("keep-alive under it, of the idle rate", "%", "50"),
    "flood recovery": less("from its end to the first answer", "ms", "1000"),
    "flood after": more("keep-alive in the second after it, of the idle "
                        "rate", "%"),
    "flood same": more(f"keep-alive with {SAME_CARD:,} packets/s by the "
                       "same card, of the idle rate", "%"),
    "flood hog": more("keep-alive beside a program that only computes", "%"),
    "slow share": more(f"keep-alive beside {SILENT} silent, {WRITERS} slowly "
                       f"writing, {READERS} slowly reading clients", "%",
                       "80"),
    "long last": more("minutes of wrk: the last of the first", "%", "98"),
    "long runs": more("...five runs after it, the last of the first", "%"),
    "long leak": less("...packets and buffers that did not come back, timers "
                      "that are left", "", "0"),
    "accounting": more("rate with net.accounting=1, of the rate without",
                       "%", "98"),
}


def rate(t, seconds):
    return rows.wrk(t, 30, seconds)[0]


def beside(t, seconds, command):
    """The rate while a program runs, and what the program printed."""
    process = t.start(command, stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    during = rate(t, seconds)
    said, _ = process.communicate(timeout=seconds + 30)
    return during, said


def udp_flood(t, address, seconds, *options):
    return [os.path.join(t.build, "udp_flood"), address, str(FLOOD_PORT),
            str(seconds), *options]


def heard():
    values = peers.metrics(guests.ADDRESS)
    return values['drops_total{reason="udp_no_socket"}']


def flood(guest, seconds):
    """The flood comes by a card of its own: a full queue of the host's TAP
    loses requests as well as datagrams, and no guest can do anything about
    that. The sender takes a processor of the host, too: how much a program
    does that merely computes is measured beside it."""
    t = guest.t
    before = rate(t, seconds)
    length = str(seconds + 1)
    hog, _ = beside(t, seconds, ["timeout", length, "sh", "-c",
                                 "while :; do :; done"])
    same, _ = beside(t, seconds, udp_flood(t, guests.ADDRESS, length,
                                           str(SAME_CARD)))
    count = heard()
    during, said = beside(t, seconds,
                          udp_flood(t, guests.FLOOD_ADDRESS, length))
    ended = time.monotonic()
    peers.first_answer(guests.ADDRESS, rows.REQUEST, timeout=20,
                       interval=0.005)
    recovery = (time.monotonic() - ended) * 1000
    first_second = rate(t, 1)
    count = heard() - count
    idle = (before + rate(t, seconds)) / 2
    return {"flood rate": float(said.split()[0]),
            "flood heard": count / int(length),
            "flood same": same / idle * 100,
            "flood share": during / idle * 100, "flood recovery": recovery,
            "flood after": first_second / idle * 100,
            "flood hog": hog / idle * 100}


def slow(guest, seconds):
    t = guest.t
    before = rate(t, seconds)
    during, said = beside(t, seconds + 2, [
        os.path.join(HERE, "slow_clients.py"), guests.ADDRESS, "80",
        str(seconds + 4), str(SILENT), str(WRITERS), str(READERS), "/big"])
    t.log(said)
    idle = (before + rate(t, seconds)) / 2
    return {"slow share": during / idle * 100}


def levels():
    values = peers.metrics(guests.ADDRESS)
    return {name: values[name] for name in LEVELS}


def long_run(guest, seconds):
    """As many minutes as a load has seconds: 10 with --seconds 10."""
    t = guest.t
    rate(t, 2)
    at_first = levels()
    minutes = [rate(t, 60) for _ in range(max(2, seconds))]
    runs = [rate(t, 10) for _ in range(5)]
    time.sleep(2)
    # Those of the start may have ended since.
    lost = sum(max(0, (value - at_first[name]) * LEVELS[name])
               for name, value in levels().items())
    for text, values in (("minutes", minutes), ("runs", runs)):
        t.log(f"{text}: " + ", ".join(f"{value:.0f}" for value in values))
    return {"long last": minutes[-1] / minutes[0] * 100,
            "long runs": runs[-1] / runs[0] * 100, "long leak": lost}


def accounting(system, seconds):
    """Two guests in turns, one with accounting."""
    def once(word):
        guest = system.boot(words=word)
        try:
            system.wait(guest)
            rows.settle("http")
            rate(guest.t, 1)
            return rate(guest.t, seconds)
        finally:
            guest.close()

    shares = []
    for _ in range(ACCOUNTING_TURNS):
        without = once("")
        shares.append(once("net.accounting=1") / without * 100)
    return {"accounting": statistics.median(shares)}


# As rows.GROUPS; only measured when --rows names one of them.
GROUPS = {
    "flood": {flood: ("flood rate", "flood heard", "flood same",
                      "flood share", "flood recovery",
                      "flood after", "flood hog")},
    "slow": {slow: ("slow share",)},
    "long": {long_run: ("long last", "long runs", "long leak")},
}

rows.ROWS.update(ROWS)
rows.GROUPS.update(GROUPS)
