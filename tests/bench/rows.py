# SPDX-License-Identifier: MIT
"""The rows of the table: what is measured, how, and in which unit.

A measurement gets a booted guest and gives back {row: value}.  A row that
could not be measured raises Failure; the run goes on without that value.
"""

import json
import os
import re
import socket
import statistics
import time

from harness import Failure, check
import gateway_rows
import guests
import peers
from effort import Effort
from row import less, more

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
IDLE = 10_000
DATAGRAM = 1400
ATTEMPTS = 4

ROWS = {
    "start e1000": less("start to first response, e1000", "ms", "1300"),
    "start e1000e": less("start to first response, e1000e", "ms", "250"),
    "boot": less("kernel entry to ready, as printed", "ms"),
    "keep-alive": more("GET 612 B, keep-alive, 30 connections", "req/s",
                       "6x"),
    "keep-alive effort": less("...QEMU's processor time for each", "us"),
    "p50 30": less("its latency, median", "ms"),
    "p99 30": less("its latency, 99 %", "ms", "4x"),
    "p50 1": less("latency at 1 connection, median", "ms", "2x"),
    "p99 1": less("latency at 1 connection, 99 %", "ms"),
    "close": more("GET 612 B, Connection: close, 30 at once", "req/s", "6x"),
    "close effort": less("...QEMU's processor time for each", "us"),
    "file": more("100 MB file by HTTP, guest to host", "Mbit/s"),
    "tcp in": more("iperf3, host to guest", "Mbit/s", "2x"),
    "tcp in effort": less("...QEMU's processor time for each MB", "us"),
    "tcp in 8": more("iperf3 -P 8, host to guest", "Mbit/s", "2x"),
    "tcp out": more("iperf3 -R, guest to host", "Mbit/s", "2.5x"),
    "tcp out effort": less("...QEMU's processor time for each MB", "us"),
    "tcp out 8": more("iperf3 -P 8 -R, guest to host", "Mbit/s", "2.5x"),
    "udp in": more("iperf3 -u -b 0, host to guest, received", "Mbit/s"),
    "udp out": more("iperf3 -u -b 0 -R, guest to host, received", "Mbit/s"),
    "ping": less("ping, 100 a second, median round trip", "ms", "2x"),
    "ping on": less("ping, one as soon as the last is answered, median", "ms",
                    "2x"),
    "udp echo": more("UDP echo, frames of 60 B, 64 under way", "packets/s"),
    "udp echo effort": less("...QEMU's processor time for each", "us"),
    "idle rate": more("GET 612 B beside 10,000 idle connections", "req/s"),
    "idle share": more("...of the rate without them", "%", "90"),
    "memory": less("smallest memory that serves", "MB", "8"),
    "image": less("what is booted: stripped ELF / kernel + initramfs", "KiB",
                  "224"),
    **gateway_rows.ROWS,
}


def start_to_response(system, card):
    """From starting QEMU to the first byte of an answer.

    The asking begins when the console says that the guest is up, so that the
    waiting costs the guest nothing.
    """
    guest = system.boot(card=card)
    try:
        system.wait(guest)
        answered = peers.first_answer(guests.ADDRESS, REQUEST, timeout=15,
                                      interval=0.01)
        values = {f"start {card}": (answered - guest.started) * 1000}
        phases = guests.boot_phases(guest.text)
        if phases is not None and card == "e1000":
            values["boot"] = phases
        return values
    finally:
        guest.close()


MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def wrk(t, connections, seconds, *headers):
    options = [word for header in headers for word in ("-H", header)]
    text = t.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                  "--latency", *options, f"http://{guests.ADDRESS}/"],
                 timeout=seconds + 30)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    check(rate, f"wrk printed no rate: {text[-200:]}")
    bad = re.search(r"Non-2xx.*|Socket errors:.*", text)
    if bad:
        t.note(f"wrk -c{connections}: {bad[0].strip()}")
    latency = {
        percent: float(value) * MILLISECONDS[unit]
        for percent, value, unit in re.findall(
            r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s|m)$", text, re.MULTILINE)}
    return float(rate[1]), latency


def keep_alive(guest, seconds):
    with Effort(guest) as effort:
        rate, latency = wrk(guest.t, 30, seconds)
    return {"keep-alive": rate,
            "keep-alive effort": effort.each(rate * seconds),
            "p50 30": latency["50"], "p99 30": latency["99"]}


def one_connection(guest, seconds):
    _, latency = wrk(guest.t, 1, seconds)
    return {"p50 1": latency["50"], "p99 1": latency["99"]}


def closing(guest, seconds):
    with Effort(guest) as effort:
        rate, _ = wrk(guest.t, 30, seconds, "Connection: close")
    return {"close": rate, "close effort": effort.each(rate * seconds)}


def file_by_http(guest, _):
    said = guest.t.run(["curl", "-sS", "--fail", "-o", "/dev/null", "-w",
                  "%{size_download} %{speed_download}",
                  f"http://{guests.ADDRESS}/big"], timeout=120)
    size, speed = said.split()
    check(int(size) == guests.BIG_LENGTH, f"{size} bytes came")
    return {"file": float(speed) * 8 / 1e6}


def round_trip(t, *options):
    text = t.run(["ping", "-n", *options, guests.ADDRESS], timeout=60)
    times = [float(time) for time in re.findall(r"time=([0-9.]+) ms", text)]
    check(times, f"ping printed no times: {text[-200:]}")
    return statistics.median(times)


def ping(guest, _):
    """Each finds the guest halted."""
    return {"ping": round_trip(guest.t, "-i", "0.01", "-c", "300")}


def ping_on(guest, _):
    """Each finds a guest that has just answered."""
    return {"ping on": round_trip(guest.t, "-A", "-c", "5000")}


def udp_echo(guest, seconds):
    t = guest.t
    with Effort(guest) as effort:
        text = t.run([os.path.join(t.build, "udp_echo"), guests.ADDRESS, "7",
                      str(seconds)], timeout=seconds + 20)
    rate, lost = re.match(r"([0-9]+) echoes/s, ([0-9]+) lost", text).groups()
    if int(lost):
        t.note(f"UDP echo: {lost} lost")
    rate = float(rate)
    return {"udp echo": rate, "udp echo effort": effort.each(rate * seconds)}


def iperf3(guest, seconds, *options):
    """What it says at its end, and what that cost. The server may still be
    starting, or ending the test before."""
    for attempt in range(ATTEMPTS):
        with Effort(guest) as effort:
            text = guest.t.run(["iperf3", "-c", guests.ADDRESS, "-J", "-t",
                                str(seconds), *options],
                               timeout=seconds + 20, expect=None)
        said = json.loads(text)
        if "error" not in said:
            return said["end"], effort
        time.sleep(0.5 * (attempt + 1))
    raise Failure(f"iperf3 {' '.join(options)}: {said['error']}")


def tcp(guest, seconds, *options):
    """Mbit/s, and microseconds for each megabyte."""
    end, effort = iperf3(guest, seconds, *options)
    total = end["sum_received"]
    return (total["bits_per_second"] / 1e6, effort.each(total["bytes"] / 1e6))


def tcp_in(guest, seconds):
    rate, each = tcp(guest, seconds)
    return {"tcp in": rate, "tcp in effort": each,
            "tcp in 8": tcp(guest, seconds, "-P", "8")[0]}


def tcp_out(guest, seconds):
    rate, each = tcp(guest, seconds, "-R")
    return {"tcp out": rate, "tcp out effort": each,
            "tcp out 8": tcp(guest, seconds, "-P", "8", "-R")[0]}


def udp_both(guest, seconds):
    values = {}
    for row, options in (("udp in", ()), ("udp out", ("-R",))):
        end, _ = iperf3(guest, seconds, "-u", "-b", "0", "-l", str(DATAGRAM),
                        *options)
        came = end["sum"]["packets"] - end["sum"]["lost_packets"]
        values[row] = came * DATAGRAM * 8 / 1e6 / seconds
    return values


def idle(guest, seconds):
    """The same load before, beside and after many silent connections."""
    before, _ = wrk(guest.t, 30, seconds)
    held = peers.hold(guests.ADDRESS, IDLE)
    beside, _ = wrk(guest.t, 30, seconds)
    peers.check_held(held)
    peers.let_go(held)
    after, _ = wrk(guest.t, 30, seconds)
    return {"idle rate": beside,
            "idle share": beside / ((before + after) / 2) * 100}


# group: the rows that each function of it gives
GROUPS = {
    "http": {keep_alive: ("keep-alive", "keep-alive effort", "p50 30",
                          "p99 30"),
             one_connection: ("p50 1", "p99 1"),
             closing: ("close", "close effort"),
             file_by_http: ("file",), ping: ("ping",), ping_on: ("ping on",)},
    "echo": {udp_echo: ("udp echo", "udp echo effort")},
    "iperf3": {tcp_in: ("tcp in", "tcp in effort", "tcp in 8"),
               tcp_out: ("tcp out", "tcp out effort", "tcp out 8"),
               udp_both: ("udp in", "udp out")},
    "idle": {idle: ("idle rate", "idle share")},
}
# Not iperf3: a caller who says nothing disturbs its server.
PORTS = {"http": 80, "idle": 80, "echo": 7, "flood": 80, "slow": 80,
         "long": 80}


def settle(group):
    """Waits until the service of a group answers; boot has ended then."""
    if group not in PORTS:
        return
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((guests.ADDRESS, PORTS[group]),
                                     timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Failure(f"port {PORTS[group]} does not open: "
                              f"{error}") from None
            time.sleep(0.05)


def serves(system, memory):
    """Does a guest of so many megabytes answer twenty requests?"""
    guest = system.boot(memory=memory)
    try:
        system.wait(guest)
        peers.first_answer(guests.ADDRESS, REQUEST, timeout=10, interval=0.1)
        return all(peers.get(guests.ADDRESS, timeout=3).body == guests.PAGE
                   for _ in range(20))
    except Failure:
        return False
    finally:
        guest.close()


def smallest_memory(system, progress):
    """Halves the range between what does not serve and what does."""
    low, high = system.smallest - 1, system.memory
    while high - low > max(1, high // 32):
        middle = (low + high) // 2
        good = serves(system, middle)
        progress(f"{system.name}: {middle} MB "
                 f"{'serves' if good else 'does not serve'}")
        if good:
            high = middle
        else:
            low = middle
    return high
