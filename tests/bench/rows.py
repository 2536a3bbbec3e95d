# SPDX-License-Identifier: MIT
"""The rows of the table: what is measured, how, and in which unit.

A measurement gets a Context and gives back {row: value}.  A row that could
not be measured raises Failure; the run goes on without that value.
"""

import json
import os
import re
import socket
import time

from harness import Failure, check
import guests
import peers

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
DISCARD_LENGTH = 128 << 20
STREAM_LENGTH = 64 << 20

# row: (words, unit, True if more is better)
ROWS = {
    "start e1000": ("start to first response, e1000", "ms", False),
    "start e1000e": ("start to first response, e1000e", "ms", False),
    "boot": ("kernel entry to ready, as printed", "ms", False),
    "keep-alive": ("GET 612 B, keep-alive, 30 connections", "req/s", True),
    "p50 30": ("its latency, median", "ms", False),
    "p99 30": ("its latency, 99 %", "ms", False),
    "p50 1": ("latency at 1 connection, median", "ms", False),
    "p99 1": ("latency at 1 connection, 99 %", "ms", False),
    "close": ("GET 612 B, Connection: close, 30 at once", "req/s", True),
    "file": ("100 MB file by HTTP, guest to host", "Mbit/s", True),
    "discard": ("128 MiB to the discard port, host to guest", "Mbit/s", True),
    "stream get": ("64 MiB made and checked, guest to host", "Mbit/s", True),
    "stream put": ("64 MiB made and checked, host to guest", "Mbit/s", True),
    "iperf3 in": ("iperf3 -P 1, host to guest", "Mbit/s", True),
    "iperf3 out": ("iperf3 -P 1 -R, guest to host", "Mbit/s", True),
    "ping": ("ping flood, mean round trip", "ms", False),
    "udp": ("UDP echo, frames of 60 B, 64 under way", "packets/s", True),
    "memory": ("smallest memory that serves", "MB", False),
    "image": ("what is booted: stripped ELF / kernel + initramfs", "KiB",
              False),
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


def keep_alive(t, seconds):
    rate, latency = wrk(t, 30, seconds)
    return {"keep-alive": rate, "p50 30": latency["50"],
            "p99 30": latency["99"]}


def one_connection(t, seconds):
    _, latency = wrk(t, 1, seconds)
    return {"p50 1": latency["50"], "p99 1": latency["99"]}


def closing(t, seconds):
    rate, _ = wrk(t, 30, seconds, "Connection: close")
    return {"close": rate}


def file_by_http(t, _):
    said = t.run(["curl", "-sS", "--fail", "-o", "/dev/null", "-w",
                  "%{size_download} %{speed_download}",
                  f"http://{guests.ADDRESS}/big"], timeout=120)
    size, speed = said.split()
    check(int(size) == guests.BIG_LENGTH, f"{size} bytes came")
    return {"file": float(speed) * 8 / 1e6}


def ping(t, _):
    text = t.run(["ping", "-f", "-q", "-n", "-c", "10000", guests.ADDRESS],
                 timeout=60)
    found = re.search(r"= ([0-9.]+)/([0-9.]+)/([0-9.]+)/", text)
    check(found, f"ping printed no times: {text[-200:]}")
    return {"ping": float(found[2])}


def discard(_, __):
    """Sent, and all of it taken: the guest's FIN answers ours."""
    block = bytes(1 << 20)
    with socket.create_connection((guests.ADDRESS, 9), timeout=60) as peer:
        start = time.monotonic()
        for _ in range(DISCARD_LENGTH // len(block)):
            peer.sendall(block)
        peer.shutdown(socket.SHUT_WR)
        check(peer.recv(1) == b"", "discard sent something")
        seconds = time.monotonic() - start
    return {"discard": DISCARD_LENGTH * 8 / 1e6 / seconds}


def udp(t, seconds):
    text = t.run([os.path.join(t.build, "udp_echo"), guests.ADDRESS, "7",
                  str(seconds)], timeout=seconds + 20)
    rate, lost = re.match(r"([0-9]+) echoes/s, ([0-9]+) lost", text).groups()
    if int(lost):
        t.note(f"UDP echo: {lost} lost")
    return {"udp": float(rate)}


def stream(t, _):
    values = {}
    for direction in ("get", "put"):
        start = time.monotonic()
        t.run([os.path.join(t.build, "stream_client"), guests.ADDRESS, "5001",
               direction, str(STREAM_LENGTH), "7"], timeout=120)
        seconds = time.monotonic() - start
        values[f"stream {direction}"] = STREAM_LENGTH * 8 / 1e6 / seconds
    return values


def iperf3(t, seconds):
    values = {}
    for row, options in (("iperf3 in", ()), ("iperf3 out", ("-R",))):
        text = t.run(["iperf3", "-c", guests.ADDRESS, "-J", "-t",
                      str(seconds), *options], timeout=seconds + 20)
        end = json.loads(text)["end"]
        values[row] = end["sum_received"]["bits_per_second"] / 1e6
    return values


GROUPS = {"http": (keep_alive, one_connection, closing, file_by_http, ping),
          "echo": (discard, udp), "stream": (stream,), "iperf3": (iperf3,)}


def settle(group):
    """Waits until the service of a group answers; boot has ended then."""
    port = {"http": 80, "echo": 7, "stream": 5001, "iperf3": 5201}[group]
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((guests.ADDRESS, port),
                                     timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Failure(f"port {port} does not open: {error}") from None
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
