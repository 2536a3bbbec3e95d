# SPDX-License-Identifier: MIT
"""The page and its server, as real clients see them."""

import concurrent.futures
import http.client
import os
import re
import socket
import struct
import threading
import time

from harness import Failure, Guest, check, eventually, test
from links import Tap
import peers
import sites

GUEST = "10.9.0.2"
STATIC = "ip=10.9.0.2/24::10.9.0.1"
FAST = "e1000e"


def boot(t, **how):
    tap = Tap(t)
    guest = Guest(t, nic=FAST, net=tap, args=STATIC, **how)
    guest.ready()
    peers.get_when_up(GUEST)
    return guest


@test("http: curl reads a 5 MB file, whole, in ranges and again by ETag")
def curl_reads(t):
    content = sites.noise(5_000_000)
    boot(t, module=sites.pack(t, {"f.bin": content}, under="www"))
    url = f"http://{GUEST}/f.bin"
    copy = t.path("copy")
    t.run(["curl", "-sS", "--fail", "-o", copy, url])
    with open(copy, "rb") as file:
        sites.check_same(file.read(), content, "the whole file")
    t.run(["curl", "-sS", "--fail", "-r", "1000000-1999999", "-o", copy, url])
    with open(copy, "rb") as file:
        sites.check_same(file.read(), content[1000000:2000000], "a range")
    head = t.run(["curl", "-sSI", url])
    check("content-length: 5000000" in head.lower(), "HEAD: no length")
    tag = re.search(r"(?im)^etag: (.*?)\r?$", head)
    check(tag, "no ETag")
    again = t.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                   "-H", f"If-None-Match: {tag[1]}", url])
    check(again == "304", f"If-None-Match gives {again}")


@test("http: 100 keep-alive clients are served with 8 MB of memory",
      timeout=60)
def hundred_clients_small(t):
    guest = boot(t, memory=8)
    clients = [http.client.HTTPConnection(GUEST, 80, timeout=15)
               for _ in range(100)]
    for turn in range(3):
        for client in clients:
            client.request("GET", "/")
        for number, client in enumerate(clients):
            answer = client.getresponse()
            body = answer.read()
            check(answer.status == 200 and b"<html" in body.lower(),
                  f"turn {turn}, client {number}: status {answer.status}")
    sockets = {client.sock.getsockname()[1] for client in clients}
    check(len(sockets) == 100, "the connections were not kept")
    check(not guest.has_printed("panic"), "it panicked")
    for client in clients:
        client.close()


@test("http: 200 clients at once each get their 256 KiB", timeout=90)
def two_hundred_at_once(t):
    content = sites.noise(256 * 1024)
    boot(t, module=sites.pack(t, {"f.bin": content}, under="www"))
    start = threading.Barrier(200)

    def client(_):
        start.wait()
        return peers.get(GUEST, "/f.bin", timeout=60).body == content

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        good = sum(pool.map(client, range(200)))
    t.note(f"{time.monotonic() - began:.1f} s")
    check(good == 200, f"{good} of 200 files were right")


def in_one(requests):
    """Sends all at once on one connection; the bytes until it is closed."""
    with socket.create_connection((GUEST, 80), timeout=10) as peer:
        peer.sendall(requests)
        answer = b""
        while piece := peer.recv(65536):
            answer += piece
    return re.sub(rb"Date: [^\r]*", b"Date: -", answer)


def get_bytes(path, *lines, version="1.1", method="GET"):
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: x", *lines,
                        "", ""]).encode()


@test("http: an answer that was kept is the same as the first")
def kept_answers(t):
    sizes = [0, 1, 612, 4000, 4096, 4097]
    files = {f"f{n}.{size}.html": sites.noise(size, seed=b"%d" % n)
             for n, size in enumerate(sizes * 8)}
    boot(t, module=sites.pack(t, files, under="www"))
    paths = [*("/" + name for name in files), "/none.html", "/%660.0.html"]
    ways = {
        "plain": ((), "1.1", "GET"), "closing 1.0": ((), "1.0", "GET"),
        "kept 1.0": (("Connection: keep-alive",), "1.0", "GET"),
        "head": ((), "1.1", "HEAD"), "range": (("Range: bytes=1-3",), "1.1",
                                               "GET"),
        "condition": (("If-None-Match: *",), "1.1", "GET")}
    last = get_bytes("/none", "Connection: close")
    first = {}
    for turn in range(3):
        for path in paths:
            for name, (lines, version, method) in ways.items():
                request = get_bytes(path, *lines, version=version,
                                    method=method)
                answer = in_one(request + last)
                expected = first.setdefault((path, name), answer)
                check(answer == expected, f"{path}, {name}, turn {turn}: "
                      f"{answer[:300]!r} is not {expected[:300]!r}")
    for name, content in files.items():
        head, _, rest = first["/" + name, "plain"].partition(b"\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 200 OK\r\n") and
              f"Content-Length: {len(content)}\r\n".encode() in head and
              rest.startswith(content + b"HTTP/1.1 404"), f"{name}: {head!r}")
    check(first["/f2.612.html", "condition"].startswith(b"HTTP/1.1 304"),
          "If-None-Match is not heeded")
    check(first["/f2.612.html", "range"].startswith(b"HTTP/1.1 206"),
          "Range is not heeded")
    # More at once than one buffer holds.
    many = in_one(get_bytes("/f3.4000.html") * 40 + last)
    one = first["/f3.4000.html", "plain"]
    tail = in_one(last)
    check(many == one[:-len(tail)] * 40 + tail, "40 at once are not 40 times "
          f"one: {len(many)} bytes of {(len(one) - len(tail)) * 40}")


def levels():
    """What must return to its level: pools and what lives in them."""
    return {name: value for name, value in peers.metrics(GUEST).items()
            if re.search(r"^pool|_objects$|_used$|_connections\b", name)
            and not re.search(r"total|lowest|httpd|time.wait", name)}


def one_connection():
    peer = socket.create_connection((GUEST, 80), timeout=10)
    with peer:
        peer.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n"
                     b"Connection: close\r\n\r\n")
        answer = b""
        while piece := peer.recv(4096):
            answer += piece
    return answer


@test("http: 20,000 connections one after another leave nothing behind",
      timeout=180)
def twenty_thousand(t):
    small = sites.noise(512)
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC + " loglevel=4",
                  module=sites.pack(t, {"small": small, "index.html":
                                        sites.PAGE}))
    sites.check_page(GUEST, timeout=10)
    before = levels()
    check(len(before) >= 4, f"few pools in /metrics: {sorted(before)}")
    began = time.monotonic()
    for number in range(20000):
        answer = one_connection()
        check(answer.startswith(b"HTTP/1.1 200") and answer.endswith(small),
              f"connection {number}: {answer[:60]!r}")
    seconds = time.monotonic() - began
    t.note(f"{20000 / seconds:.0f} connections/s")

    def moved():
        now = levels()
        return [f"{name} {before[name]:g} -> {now.get(name)}"
                for name in before if before[name] != now.get(name)]
    try:
        eventually(lambda: not moved(), 70, "levels", interval=0.5)
    except Failure:
        raise Failure("not back: " + ", ".join(moved())) from None
    check(guest.is_running(), "QEMU ended")


@test("http: /metrics counts what was sent and drops nothing unnamed")
def metrics_count(t):
    boot(t)
    before = peers.metrics(GUEST)
    peers.get(GUEST, "/")
    after = peers.metrics(GUEST)
    check(after["httpd_requests_total"] >= before["httpd_requests_total"] + 2,
          "requests are not counted")
    check(after["uptime_ns_total"] > before["uptime_ns_total"],
          "the clock stands still")
    check(len(after) > 40, f"only {len(after)} counters")


@test("http: --no-status hides /metrics and /status")
def no_status(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC + " -- --no-status")
    guest.ready()
    sites.check_page(GUEST)
    for path in ("/metrics", "/status"):
        check(peers.get(GUEST, path).status == 404, f"{path} is there")


# --- the browser ---

@test("browser: Chromium shows the live page, its counters filled in",
      timeout=120, alone=True)
def browser_shows(t):
    boot(t)
    url = f"http://{GUEST}/"
    document = peers.chromium(t, url, "--virtual-time-budget=4000",
                              "--dump-dom", timeout=60)
    text = re.sub(r"<(script|style)\b.*?</\1>", "", document, flags=re.S)
    text = re.sub(r"<[^>]*>", " ", text)
    t.log(text)
    check("ferrule" in text, "the page does not name ferrule")
    check(re.search(r"\d", text), "no number was filled in")
    requests = peers.metrics(GUEST)["httpd_requests_total"]
    check(requests >= 3, "the page did not ask for counters")


@test("browser: Chromium draws the page at the width of a phone",
      timeout=120, alone=True)
def browser_draws(t):
    boot(t)
    picture = t.path("page.png")
    peers.chromium(t, f"http://{GUEST}/", "--window-size=390,1600",
                   "--virtual-time-budget=4000", f"--screenshot={picture}",
                   timeout=60)
    check(os.path.exists(picture), "no picture was made")
    with open(picture, "rb") as file:
        data = file.read()
    width, height = struct.unpack(">II", data[16:24])
    check(width == 390, f"{width} x {height}")
    check(len(data) > 20000, f"the picture has only {len(data)} bytes")


# --- ping and scan ---

@test("ping: of every size from 0 to 8000 bytes, none is lost")
def pings(t):
    boot(t)
    for size in (0, 1, 17, 56, 1471, 1472, 1473, 4000, 8000):
        # For the last answer ping waits as long as between two requests.
        said = t.run(["ping", "-q", "-c", "5", "-i", "0.2", "-W", "2", "-s",
                      str(size), GUEST], expect=None)
        check("5 received" in said, f"{size} bytes: {said.strip()[-150:]}")


@test("ping: a flood of 5,000 is answered", timeout=60)
def ping_flood(t):
    boot(t)
    said = t.run(["ping", "-q", "-f", "-c", "5000", GUEST], timeout=40)
    received = int(re.search(r"(\d+) received", said)[1])
    times = re.search(r"= [\d.]+/([\d.]+)/", said)
    t.note(f"{received} answered, mean {times[1]} ms")
    check(received >= 4990, f"{received} of 5000")


@test("nmap: a scan finds port 80, and the machine is well after it",
      timeout=120)
def scan(t):
    guest = boot(t)
    said = t.run(["nmap", "-n", "-Pn", "-sS", "-p", "1-1500", "-T4", "-O",
                  "--max-retries", "2", "--host-timeout", "60s", GUEST],
                 timeout=90)
    check(re.search(r"80/tcp\s+open", said), "port 80 is not seen as open")
    check(re.search(r"1499 closed", said), "other ports are not closed: "
          + " ".join(re.findall(r"Not shown.*", said)))
    sites.check_page(GUEST)
    check(not guest.has_printed("panic"), "it panicked")


@test("nmap: FIN, NULL, Xmas, ACK and version probes do no harm",
      timeout=120)
def odd_scans(t):
    guest = boot(t)
    for kind in ("-sF", "-sN", "-sX", "-sA"):
        t.run(["nmap", "-n", "-Pn", kind, "-p", "1-100", "-T4",
               "--max-retries", "1", "--host-timeout", "30s", GUEST],
              timeout=60)
    t.run(["nmap", "-n", "-Pn", "-sV", "--version-light", "-p", "80",
           "--host-timeout", "40s", GUEST], timeout=60)
    sites.check_page(GUEST)
    check(not guest.has_printed("panic"), "it panicked")
