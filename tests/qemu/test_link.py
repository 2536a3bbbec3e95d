# SPDX-License-Identifier: MIT
"""Cables pulled, DHCP servers gone, and wires that spoil frames."""

import os
import re
import threading
import time

from harness import Failure, Guest, check, eventually, test
from links import Tap, Wired
import peers
import sites

GUEST = "10.9.0.2"
STATIC = "ip=10.9.0.2/24::10.9.0.1"
MAC = "52:54:00:12:34:56"
FAST = "e1000e"
STREAM = "5001"
BAD_WIRE = ("--loss", "2", "--reorder", "2", "--duplicate", "1",
            "--corrupt", "0.5")


def transfer(t, direction, length, seed, timeout):
    """apps/stream moves and checks `length` bytes; gives back its words."""
    said = t.run([os.path.join(t.build, "stream_client"), GUEST, STREAM,
                  direction, str(length), str(seed)], timeout=timeout)
    rate = re.search(r"[\d.]+ [MG]bit/s", said)
    t.note(f"{direction} {rate[0] if rate else said.strip()[-60:]}")
    return said


@test("link: a cable pulled for 3 s during a transfer: it completes",
      timeout=60)
def cable_pulled(t):
    content = sites.noise(24 << 20)
    module = sites.pack(t, {"f.bin": content}, under="www")
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC, module=module,
                  memory=128)
    guest.ready()
    peers.get_when_up(GUEST)
    got = bytearray()
    half = threading.Event()

    def client():
        connection = peers.http.client.HTTPConnection(GUEST, 80, timeout=40)
        connection.request("GET", "/f.bin")
        answer = connection.getresponse()
        while True:
            piece = answer.read(65536)
            if not piece:
                return
            got.extend(piece)
            if len(got) > 2 << 20:
                half.set()

    thread = threading.Thread(target=client, daemon=True)
    thread.start()
    check(half.wait(15), "the transfer did not begin")
    guest.set_link(False)
    at_cut = len(got)
    down = time.monotonic()
    guest.wait_for(r"(?i)link (is )?down", 5)
    thread.join(3)
    check(thread.is_alive() and len(got) < len(content),
          f"the transfer was over before the cut ({at_cut} bytes)")
    guest.set_link(True)
    thread.join(30)
    check(not thread.is_alive(), f"stuck at {len(got)} bytes")
    sites.check_same(bytes(got), content, "the file")
    t.note(f"{time.monotonic() - down - 3:.1f} s after the cable was back")


@test("link: flapping twenty times under load leaves it serving", timeout=60)
def cable_flaps(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC)
    guest.ready()
    load = t.start(["ping", "-q", "-f", "-w", "20", GUEST],
                   stdout=open(t.path("ping.log"), "wb"))
    for _ in range(20):
        guest.set_link(False)
        guest.hmp("info network")
        guest.set_link(True)
    load.terminate()
    eventually(lambda: answers(), 15, "the page is served again")


def answers():
    try:
        return peers.get(GUEST, "/", timeout=1).status == 200
    except Failure:
        return False


def lease_outlives_server(t, renew, rebind, back_after, timeout):
    tap = Tap(t)
    server = peers.Dnsmasq(t, tap, lease=120, renew=renew, rebind=rebind)
    server.always(GUEST, MAC)
    guest = Guest(t, nic=FAST, net=tap)
    guest.ready(20)
    gone = time.monotonic()
    server.stop()
    while time.monotonic() - gone < back_after:
        check(peers.get_when_up(GUEST, timeout=2).status == 200,
              "the address was lost with the server")
        time.sleep(1)
    mark = len(server.log())
    server.start()
    server.wait_for(f"DHCPACK({tap.name}) {GUEST}", timeout, after=mark)
    t.note(f"renewed after {time.monotonic() - gone:.0f} s")
    check(peers.get(GUEST, "/").status == 200, "no page after renewal")


# 30 and 53 are the earliest times of renewal that the client goes along with.
@test("dhcp: the server gone and back: the lease is kept, then renewed",
      timeout=70)
def lease_renewed(t):
    lease_outlives_server(t, 30, 100, back_after=20, timeout=20)


@test("dhcp: the server away at renewal: the lease is rebound later",
      timeout=100, tags=("soak",))
def lease_rebound(t):
    lease_outlives_server(t, 30, 53, back_after=40, timeout=25)


@test("dhcp: the name server given is asked, the gateway used")
def dhcp_options(t):
    tap = Tap(t)
    server = peers.Dnsmasq(t, tap)
    server.always(GUEST, MAC)
    guest = Guest(t, nic=FAST, net=tap)
    guest.ready(20)
    # A peer beyond the gateway: reached only through the route DHCP gave.
    t.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"])
    said = t.run(["ping", "-q", "-c", "3", "-i", "0.2", "-W", "2", "-I",
                  "192.0.2.1", GUEST], expect=None)
    check("3 received" in said, "no answer goes through the gateway")


# --- wire ---

@test("wire: a clean relay serves the page and 32 MB each way", timeout=60,
      tags=("wire",))
def clean_wire(t):
    guest = Guest(t, app="stream", nic=FAST, net=Wired(t), args=STATIC)
    guest.ready()
    transfer(t, "get", 32 << 20, 1, 30)
    transfer(t, "put", 32 << 20, 2, 30)


def bad_wire(seed):
    def run(t):
        wire = Wired(t, (*BAD_WIRE, "--seed", str(seed)))
        guest = Guest(t, app="stream", nic=FAST, net=wire, args=STATIC)
        guest.ready()
        transfer(t, "get", 4 << 20, seed, 60)
        transfer(t, "put", 4 << 20, seed + 1, 60)
    return run


for SEED in (1, 2):
    test("wire: 2 % loss, 2 % reordering, 1 % doubles, 0.5 % corruption: "
         f"4 MB each way bit-exact, seed {SEED}", timeout=150,
         tags=("wire",))(bad_wire(SEED))


@test("wire: ten files at once over the bad wire arrive bit-exact",
      timeout=150, tags=("wire",))
def bad_wire_http(t):
    content = sites.noise(500_000)
    module = sites.pack(t, {"f.bin": content}, under="www")
    wire = Wired(t, (*BAD_WIRE, "--seed", "3"))
    guest = Guest(t, nic=FAST, net=wire, args=STATIC, module=module)
    guest.ready()
    results = []

    def client():
        body = b""
        # Resolving the neighbour may take a try or two on such a wire.
        for _ in range(3):
            try:
                body = peers.get(GUEST, "/f.bin", timeout=60).body
                break
            except Failure as failure:
                t.log(str(failure))
        results.append(body == content)

    clients = [threading.Thread(target=client) for _ in range(10)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    check(results.count(True) == 10, f"{results.count(True)} of 10 are right")


@test("wire: 20 Mbit/s with 20 ms of delay are used by at least half",
      timeout=60, tags=("wire",))
def slow_wire(t):
    wire = Wired(t, ("--rate", "20", "--delay", "10"))
    guest = Guest(t, app="stream", nic=FAST, net=wire, args=STATIC)
    guest.ready()
    for direction in ("get", "put"):
        began = time.monotonic()
        transfer(t, direction, 5 << 20, 5, 40)
        seconds = time.monotonic() - began
        check(seconds < 2 * 5 * 8 * 1.05 / 20 + 1,
              f"{direction}: 5 MiB took {seconds:.1f} s")
