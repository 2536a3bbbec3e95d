# SPDX-License-Identifier: MIT
"""Where the wire of a guest's card goes.

Tap         an interface of this test's own network namespace: real peers
StreamPeer  frames in and out of this very program: exact bytes, exact counts
UserNet     QEMU's user networking with forwarded ports, as `make run` has it
Wired       a Tap behind the relay `wire`, which spoils frames on the way
"""

import ctypes
import os
import queue
import socket
import struct
import threading
import time

import frames
from harness import Failure, LIBC, check, eventually

CLONE_NEWNET = 0x40000000


def enter_namespace():
    """Gives this process a network of its own, with a loopback in it."""
    if LIBC.unshare(CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"unshare(CLONE_NEWNET): {os.strerror(error)}")


def set_sysctl(path, value):
    try:
        with open(f"/proc/sys/net/{path}", "w", encoding="ascii") as knob:
            knob.write(str(value))
        return True
    except OSError:
        return False


class Tap:
    """A TAP interface with an address: the guest's neighbour is Linux."""

    def __init__(self, t, address="10.9.0.1/24", name=None, queue_length=1000):
        self.t = t
        self.name = name or t.unique("tap")
        self.address = address.split("/", maxsplit=1)[0]
        t.run(["ip", "tuntap", "add", self.name, "mode", "tap"])
        set_sysctl(f"ipv6/conf/{self.name}/disable_ipv6", 1)
        t.run(["ip", "link", "set", self.name, "up", "txqueuelen",
               str(queue_length)])
        if address:
            t.run(["ip", "address", "add", address, "dev", self.name])

    def netdev(self, name):
        return f"tap,id={name},ifname={self.name},script=no,downscript=no"

    def know(self, address, mac):
        """A fixed neighbour: no ARP from this side."""
        self.t.run(["ip", "neigh", "replace", address, "lladdr", mac, "dev",
                    self.name, "nud", "permanent"])


class UserNet:
    def __init__(self, t, forward=((8080, 80),)):
        self.t = t
        self.forward = forward

    def netdev(self, name):
        rules = "".join(f",hostfwd=tcp:127.0.0.1:{outer}-:{inner}"
                        for outer, inner in self.forward)
        return f"user,id={name}{rules}"


class StreamPeer:
    """The other end of the cable as a Python object.

    Received frames are kept in order, each with its time of arrival.  With
    `address`, and answer_arp left on, ARP requests for it are answered.
    """

    def __init__(self, t, address=None, mac="02:00:00:00:00:01",
                 answer_arp=True):
        self.t = t
        self.mac = mac
        self.address = address
        self.answer_arp = answer_arp and address is not None
        self.path = t.path(t.unique("stream"))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.peer = None
        self.frames = queue.Queue()
        self.received = 0
        self.connected = threading.Event()
        self.send_lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()
        t.on_exit(self.close)

    def netdev(self, name):
        return (f"stream,id={name},server=off,addr.type=unix,"
                f"addr.path={self.path}")

    def _read(self):
        try:
            self.peer, _ = self.listener.accept()
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self.connected.set()
            stream = self.peer.makefile("rb")
            while True:
                head = stream.read(4)
                if len(head) < 4:
                    return
                frame = stream.read(struct.unpack("!I", head)[0])
                self.received += 1
                self.frames.put((time.monotonic(), frame))
                if self.answer_arp and frames.is_arp_request(
                        frame, self.address):
                    asker = frames.mac_text(frame[22:28])
                    self.send(frames.arp(2, self, asker,
                                         socket.inet_ntoa(frame[28:32]),
                                         destination=asker))
        except OSError:
            return

    def send(self, *many):
        """Sends frames, back to back; blocks when the guest holds back."""
        if not self.connected.wait(10):
            raise Failure("QEMU did not connect to the stream peer")
        data = b"".join(struct.pack("!I", len(frame)) + frame
                        for frame in many)
        with self.send_lock:
            self.peer.sendall(data)

    def receive(self, timeout=5):
        """The next frame not yet taken."""
        try:
            return self.frames.get(timeout=timeout)[1]
        except queue.Empty:
            raise Failure(f"no frame within {timeout} s") from None

    def expect(self, is_wanted, timeout=5, what="the awaited frame"):
        """Takes frames until one is wanted; gives that one back."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            left = deadline - time.monotonic()
            try:
                frame = self.frames.get(timeout=max(left, 0.001))[1]
            except queue.Empty:
                raise Failure(f"{what} did not come within {timeout} s "
                              f"({seen} others did)") from None
            if is_wanted(frame):
                return frame
            seen += 1

    def collect(self, is_wanted, count, timeout=10):
        """`count` wanted frames, in order of arrival."""
        deadline = time.monotonic() + timeout
        found = []
        while len(found) < count:
            left = max(deadline - time.monotonic(), 0.001)
            try:
                frame = self.frames.get(timeout=left)[1]
            except queue.Empty:
                raise Failure(f"{len(found)} of {count} frames within "
                              f"{timeout} s") from None
            if is_wanted(frame):
                found.append(frame)
        return found

    def drain(self):
        """Forgets what has arrived so far."""
        while not self.frames.empty():
            self.frames.get_nowait()

    def close(self):
        self.listener.close()
        if self.peer:
            self.peer.close()


class Wired:
    """A Tap behind `wire`: QEMU -> stream -> wire -> tap.

    `options` are wire's own (loss, reordering, ...: see wire --help).
    """

    def __init__(self, t, options=(), address="10.9.0.1/24"):
        self.t = t
        self.tap = Tap(t, address)
        self.address = self.tap.address
        self.socket = t.path(t.unique("wire"))
        program = os.path.join(t.build, "wire")
        check(os.path.exists(program), f"{program} is missing: run make first")
        self.log = open(t.path("wire.log"), "wb")
        self.process = t.start(
            [program, *options, f"listen:{self.socket}",
             f"tap:{self.tap.name}"], stdout=self.log, stderr=self.log)
        eventually(lambda: os.path.exists(self.socket)
                   or self.process.poll() is not None, 5, "wire listens")
        check(self.process.poll() is None, "wire did not start")

    def netdev(self, name):
        return (f"stream,id={name},server=off,addr.type=unix,"
                f"addr.path={self.socket}")

    def know(self, address, mac):
        self.tap.know(address, mac)
