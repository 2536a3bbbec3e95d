# SPDX-License-Identifier: MIT
"""Programs and small clients on the other side of a TAP."""

import http.client
import os
import re
import resource
import selectors
import socket
import struct
import time

from harness import Failure, check, eventually

PATH = os.environ["PATH"] = os.environ["PATH"] + ":/usr/sbin:/sbin"


class Page:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


def get(address, path="/", timeout=5, port=80, method="GET", headers=None):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read()
        return Page(answer.status, dict(answer.getheaders()), body)
    except OSError as error:
        raise Failure(f"{method} http://{address}{path}: {error}") from None
    except http.client.HTTPException as error:
        raise Failure(f"{method} http://{address}{path}: "
                      f"{type(error).__name__} {error}") from None
    finally:
        connection.close()


def get_when_up(address, path="/", timeout=10, port=80):
    """Asks again until somebody answers."""
    def ask():
        try:
            return get(address, path, timeout=2, port=port)
        except Failure:
            return None
    return eventually(ask, timeout, f"http://{address}{path} answers")


def answer(sock):
    """Reads one response with a body, to its end; gives its first line."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(4096)
        check(part, "closed without an answer")
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])
    while len(body) < length:
        part = sock.recv(4096)
        check(part, "closed within an answer")
        body += part
    return head.split(b"\r\n")[0]


WAVE = 100   # connections that are opened, or asked, at a time
RESETS_AT_ONCE = 20     # and a pause: 2,000 a second
RESETS_EVERY = 0.01     # seconds


def ask_all(socks):
    """One request on each, some at a time."""
    for at in range(0, len(socks), WAVE):
        for sock in socks[at:at + WAVE]:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: many\r\n\r\n")
        for sock in socks[at:at + WAVE]:
            check(b" 200 " in answer(sock), "another answer")


def hold(address, count):
    """So many connections, each of which has been served once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    check(hard >= count + 200, f"this process may open {hard} files only")
    if soft < count + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, hard))
    held = []
    while len(held) < count:
        wave = [socket.create_connection((address, 80), timeout=15)
                for _ in range(min(WAVE, count - len(held)))]
        ask_all(wave)
        held += wave
    return held


def let_go(held):
    """Resets them, no faster than a card with a full queue keeps up.

    Closed at once, some thousand FINs would be lost in the TAP's queue, and
    the host would send them again, all in one moment and each time twice as
    late, to whoever has the address by then.
    """
    for i, sock in enumerate(held):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.close()
        if i % RESETS_AT_ONCE == 0:
            time.sleep(RESETS_EVERY)


def check_held(held):
    """None of them was closed by the other side, and none has news."""
    selector = selectors.DefaultSelector()
    for sock in held:
        selector.register(sock, selectors.EVENT_READ)
    closed = len(selector.select(0))
    selector.close()
    check(closed == 0, f"{closed} of {len(held)} were closed")


def metrics(address):
    """/metrics as {name with labels: number}."""
    page = get(address, "/metrics")
    check(page.status == 200, f"/metrics: status {page.status}")
    values = {}
    for line in page.body.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            check(name not in values, f"/metrics tells {name} twice")
            values[name] = float(value)
    return values


class Dnsmasq:
    """A DHCP and DNS server on the TAP; lease times in seconds."""

    def __init__(self, t, tap, first="10.9.0.50", last="10.9.0.90",
                 lease=3600, renew=None, rebind=None):
        self.t = t
        self.tap = tap
        self.lease = lease
        self.options = [f"--dhcp-range={first},{last},255.255.255.0,{lease}"]
        if renew:
            self.options.append(f"--dhcp-option-force=58,{renew}")
        if rebind:
            self.options.append(f"--dhcp-option-force=59,{rebind}")
        self.log_path = t.path(t.unique("dnsmasq") + ".log")
        self.process = None
        self.start()

    def always(self, address, mac):
        """This card gets this address; to be said before the guest asks."""
        self.stop()
        self.options.append(f"--dhcp-host={mac},{address},{self.lease}")
        self.start()

    def start(self):
        # Its debugging mode is the one that never changes user or group,
        # which a namespace made by an ordinary user does not allow.
        mark = len(self.log())
        with open(self.log_path, "ab") as log:
            self.process = self.t.start(
                ["dnsmasq", "--no-daemon", "--conf-file=/dev/null",
                 "--no-resolv", "--no-hosts", "--bind-interfaces",
                 f"--interface={self.tap.name}", "--except-interface=lo",
                 "--dhcp-authoritative", "--no-ping", "--log-dhcp",
                 f"--dhcp-leasefile={self.t.path('leases')}",
                 "--domain=test", "--host-record=peer.test,10.9.0.1",
                 *self.options], stdout=log, stderr=log)
        eventually(lambda: "started" in self.log()[mark:]
                   or self.process.poll() is not None, 5, "dnsmasq starts")
        check(self.process.poll() is None,
              f"dnsmasq did not start: {self.log()[-200:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(5)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, text, timeout=10, after=0):
        eventually(lambda: text in self.log()[after:], timeout,
                   f"dnsmasq logs '{text}'")


def first_answer(address, request, timeout, interval=0.02, port=80):
    """Seconds (of the monotonic clock) when the first byte of an answer came.

    A new connection is tried every `interval`, so that no timer of this
    side's TCP stands between the guest's readiness and the answer.
    """
    deadline = time.monotonic() + timeout
    tries = []
    try:
        while time.monotonic() < deadline:
            peer = socket.socket()
            peer.setblocking(False)
            peer.connect_ex((address, port))
            tries.append([peer, False])
            until = time.monotonic() + interval
            while time.monotonic() < until:
                for one in tries:
                    when = advance(one, request)
                    if when:
                        return when
                time.sleep(0.0005)
        raise Failure(f"no answer from {address} within {timeout} s")
    finally:
        for peer, _ in tries:
            peer.close()


def advance(one, request):
    peer, sent = one
    try:
        if not sent:
            peer.send(request)
            one[1] = True
        elif peer.recv(1):
            return time.monotonic()
    except OSError:
        pass
    return None


def chromium(t, url, *options, timeout=30):
    """Runs a headless browser to its end; gives back what it printed."""
    return t.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
         "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--no-proxy-server",
         f"--user-data-dir={t.path('browser')}", *options, url],
        timeout=timeout)
