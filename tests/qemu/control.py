# SPDX-License-Identifier: MIT
"""QEMU's two control sockets.

Qmp speaks the JSON monitor (set_link, system_reset, human-monitor-command).
Qtest reads and writes guest memory, device registers and I/O ports beside a
running machine: the fault injector of the driver tests.
"""

import json
import socket
import time


def connect(path, process, timeout=5):
    """Connects to a socket that QEMU is about to create."""
    deadline = time.monotonic() + timeout
    while True:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(path)
            peer.settimeout(10)
            return peer
        except OSError:
            peer.close()
            if process.poll() is not None:
                raise ConnectionError(
                    f"QEMU ended with {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


class Qmp:
    def __init__(self, peer):
        self.peer = peer
        self.lines = peer.makefile("rb")
        self.events = []
        self._read_line()
        self.call("qmp_capabilities", {})

    def _read_line(self):
        line = self.lines.readline()
        if not line:
            raise ConnectionError("the monitor was closed")
        return json.loads(line)

    def call(self, command, arguments):
        request = {"execute": command, "arguments": arguments}
        self.peer.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self._read_line()
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise ValueError(f"{command}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def close(self):
        self.lines.close()
        self.peer.close()


class Qtest:
    """Addresses are physical; ports are I/O ports."""

    def __init__(self, peer):
        self.peer = peer
        self.lines = peer.makefile("rb")

    def command(self, text):
        self.peer.sendall(text.encode() + b"\n")
        while True:
            words = self.lines.readline().decode().split()
            if not words:
                raise ConnectionError("the qtest socket was closed")
            if words[0] == "IRQ":
                continue
            if words[0] != "OK":
                raise ValueError(f"qtest: {text}: {' '.join(words)}")
            return int(words[1], 16) if len(words) > 1 else 0

    def readb(self, address):
        return self.command(f"readb {address:#x}")

    def readw(self, address):
        return self.command(f"readw {address:#x}")

    def readl(self, address):
        return self.command(f"readl {address:#x}")

    def readq(self, address):
        return self.command(f"readq {address:#x}")

    def writeb(self, address, value):
        self.command(f"writeb {address:#x} {value:#x}")

    def writew(self, address, value):
        self.command(f"writew {address:#x} {value:#x}")

    def writel(self, address, value):
        self.command(f"writel {address:#x} {value:#x}")

    def writeq(self, address, value):
        self.command(f"writeq {address:#x} {value:#x}")

    def inl(self, port):
        return self.command(f"inl {port:#x}")

    def outl(self, port, value):
        self.command(f"outl {port:#x} {value:#x}")

    def config_read(self, device, offset, bus=0, function=0):
        """A 32-bit word of PCI configuration space."""
        self.outl(0xCF8, pci_address(bus, device, function, offset))
        return self.inl(0xCFC)

    def config_write(self, device, offset, value, bus=0, function=0):
        self.outl(0xCF8, pci_address(bus, device, function, offset))
        self.outl(0xCFC, value)

    def close(self):
        self.lines.close()
        self.peer.close()


def pci_address(bus, device, function, offset):
    return (0x80000000 | bus << 16 | device << 11 | function << 8
            | offset & 0xFC)
