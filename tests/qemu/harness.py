# SPDX-License-Identifier: MIT
"""Boots the real image in QEMU and looks at it from outside.

A test is a function with a claim for a name:

    from harness import test, Guest, check
    from links import Tap, StreamPeer
    import frames

    @test("driver: a frame of 60 bytes comes back bit-exact", timeout=20)
    def echo_of_60_bytes(t):
        peer = StreamPeer(t, address="10.9.0.1", answer_arp=True)
        guest = Guest(t, nic="e1000", net=peer, args="ip=10.9.0.2/24",
                      qtest=True)
        guest.wait_for(r"ferrule: ready in")
        request = frames.icmp_echo(peer, guest, payload=b"x" * 18)
        peer.send(request)
        reply = peer.expect(frames.is_echo_reply, timeout=3)
        check(len(reply) == 60, f"reply has {len(reply)} bytes")
        guest.qmp("set_link", name="nic0", up=False)   # QMP by name
        guest.hmp("info network")                      # HMP as text
        bar0 = guest.bar0(0)                           # first NIC's registers
        guest.qtest.writel(bar0 + 0x400, 0)            # TCTL.EN off

Every test runs in its own process and its own network namespace; everything
it started dies with it.  `t` (a Context) has t.folder for files, t.log() and
t.note() for a figure to be printed beside the result.  Nothing here sleeps:
every wait is for a fact and has a deadline.
"""

import ctypes
import os
import re
import signal
import subprocess
import threading
import time

import control

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
READY = r"ferrule: ready in ([0-9.]+) ms: (\S+) on (\S+)"
# What the disk images of the tests serve at "/".
SITE_PAGE = (b"<!doctype html><html><title>from the image</title>"
             b"<p>packed into the image</html>\n")

TESTS = []


class Failure(Exception):
    """The claim of a test does not hold; the text says what was seen."""


class Skip(Exception):
    """The test cannot run here; the text says what is missing."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def test(name, timeout=30, tags=(), alone=False):
    """Registers a test. `alone` keeps the machine free of other tests."""
    def register(function):
        if any(known.name == name for known in TESTS):
            raise ValueError(f"two tests are called '{name}'")
        TESTS.append(Case(name, function, timeout, set(tags), alone))
        return function
    return register


class Case:
    def __init__(self, name, function, timeout, tags, alone):
        self.name = name
        self.function = function
        self.timeout = timeout
        self.tags = tags
        self.alone = alone


class Context:
    """What one running test owns: a folder, notes, things to close.

    `images` is where the ELF files lie, `build` what the runner made itself:
    helper programs and disk images.
    """

    def __init__(self, folder, build, images):
        self.folder = folder
        self.build = build
        self.images = images
        self.notes = []
        self.closers = []
        self.names = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def unique(self, stem):
        """A name not used before in this test: nic0, nic1, ..."""
        self.names[stem] = self.names.get(stem, -1) + 1
        return f"{stem}{self.names[stem]}"

    def note(self, text):
        self.notes.append(text)

    def log(self, text):
        with open(self.path("test.log"), "a", encoding="utf-8") as log:
            log.write(f"[{time.monotonic():.3f}] {text}\n")

    def on_exit(self, function):
        self.closers.append(function)

    def close(self):
        while self.closers:
            try:
                self.closers.pop()()
            except (OSError, ValueError) as error:
                self.log(f"while closing: {error!r}")

    def start(self, command, **options):
        """Starts a helper program that cannot outlive this process."""
        self.log("start: " + " ".join(command))
        process = subprocess.Popen(
            command, preexec_fn=die_with_parent, **options)
        self.on_exit(lambda: stop(process))
        return process

    def run(self, command, timeout=20, expect=0):
        """Runs a program to its end and gives back what it printed."""
        done = subprocess.run(
            command, preexec_fn=die_with_parent, timeout=timeout,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        output = done.stdout.decode("utf-8", "replace")
        self.log(f"{' '.join(command)} -> {done.returncode}\n{output[-4000:]}")
        if expect is not None and done.returncode != expect:
            raise Failure(f"{command[0]} ended with {done.returncode}: "
                          f"{output.strip()[-300:]}")
        return output


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def eventually(question, timeout, what, interval=0.02):
    """Asks until the answer is true; gives it back, or fails by name."""
    deadline = time.monotonic() + timeout
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {timeout} s")
        time.sleep(interval)


class Nic:
    """One network card: model (a QEMU device name), where its wire goes."""

    def __init__(self, net, model="e1000", mac=None, options=""):
        self.net = net
        self.model = model
        self.mac = mac
        self.options = options


class Guest:
    """A running QEMU with the image in it.

    net/nic describe a single card; `nics` (a list of Nic) any number; neither
    means no card.  `kernel=None` means build/ferrule-APP.elf; `disk` boots
    through firmware instead (see images tests).  `reboot=True` lets the
    machine reset instead of ending QEMU; `typing=True` makes type() work.
    """

    def __init__(self, t, app="httpd", kernel=None, machine="pc", memory="64",
                 cpu="max", nic="e1000", net=None, nics=None, mac=None,
                 nic_options="", args="", module=None, disk=None, qtest=False,
                 reboot=False, paused=False, extra=(), typing=False):
        self.t = t
        self.name = t.unique("guest")
        self.lock = threading.Condition()
        self.text = ""
        self.stamps = []          # (seconds since start, offset in text)
        self.ended = False
        self.control = None
        self.qtest = None
        if nics is None:
            nics = [] if net is None else [Nic(net, nic, mac, nic_options)]
        self.nics = nics
        command = ["qemu-system-x86_64", "-accel", "tcg", "-machine", machine,
                   "-cpu", cpu, "-m", str(memory), "-nodefaults",
                   "-no-user-config", "-display", "none",
                   "-chardev", "stdio,id=serial,signal=off",
                   "-serial", "chardev:serial"]
        command += [] if reboot else ["-no-reboot"]
        command += ["-S"] if paused else []
        qmp_path = t.path(f"{self.name}.qmp")
        command += ["-qmp", f"unix:{qmp_path},server=on,wait=off"]
        qtest_path = t.path(f"{self.name}.qtest")
        if qtest:
            command += ["-qtest", f"unix:{qtest_path},server=on,wait=off",
                        "-qtest-log", "none"]
        for number, card in enumerate(nics):
            if card.mac is None:
                card.mac = f"52:54:00:12:34:{0x56 + number:02x}"
            device = (f"{card.model},id=nic{number},netdev=net{number},"
                      f"mac={card.mac},romfile=")
            if card.options:
                device += "," + card.options
            command += ["-netdev", card.net.netdev(f"net{number}"),
                        "-device", device]
        if disk is None:
            image = kernel or os.path.join(t.images, f"ferrule-{app}.elf")
            check(os.path.exists(image), f"{image} is missing: run make first")
            command += ["-kernel", image]
            if args:
                command += ["-append", args]
            if module is not None:
                command += ["-initrd", module]
        else:
            command += list(disk)
        command += list(extra)
        self.mac = nics[0].mac if nics else None
        t.log("start: " + " ".join(command))
        self.errors = open(t.path(f"{self.name}.qemu.log"), "wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE if typing else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.errors,
            preexec_fn=die_with_parent)
        t.on_exit(self.close)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if qtest:
            self.qtest = control.Qtest(
                control.connect(qtest_path, self.process))
        self._qmp_path = qmp_path

    # --- the serial line ---

    def _read(self):
        log = open(self.t.path(f"{self.name}.serial.log"), "w",
                   encoding="utf-8")
        stream = self.process.stdout
        new_line = True
        while True:
            data = os.read(stream.fileno(), 65536)
            now = time.monotonic() - self.started
            piece = data.decode("utf-8", "replace").replace("\r", "")
            with self.lock:
                if not data:
                    self.ended = True
                    self.lock.notify_all()
                    break
                self.stamps.append((now, len(self.text)))
                self.text += piece
                self.lock.notify_all()
            for line in piece.splitlines(keepends=True):
                if new_line:
                    log.write(f"{now:9.3f} | ")
                log.write(line)
                new_line = line.endswith("\n")
            log.flush()
        log.close()

    def type(self, line):
        """Types a line on the console; gives back the mark before it."""
        mark = self.mark()
        self.process.stdin.write(line.encode() + b"\r")
        self.process.stdin.flush()
        return mark

    def wait_for(self, pattern, timeout=10, after=0):
        """Waits for words in the whole lines printed; gives back the match.

        `after` is an offset into self.text (guest.mark()): only what was
        printed after it counts.
        """
        deadline = time.monotonic() + timeout
        wanted = re.compile(pattern, re.MULTILINE)
        with self.lock:
            while True:
                whole = self.text.rfind("\n") + 1
                found = wanted.search(self.text, after,
                                      max(after, whole))
                if found:
                    return found
                left = deadline - time.monotonic()
                if self.ended:
                    raise Failure(f"QEMU ended before '{pattern}' was printed"
                                  f"{self._last_error()}")
                if left <= 0:
                    raise Failure(f"'{pattern}' not printed within "
                                  f"{timeout} s")
                self.lock.wait(left)

    def ready(self, timeout=15):
        """Waits for the last line of the boot; gives back the match."""
        return self.wait_for(READY, timeout)

    def mark(self):
        with self.lock:
            return len(self.text)

    def has_printed(self, pattern, after=0):
        with self.lock:
            return re.search(pattern, self.text[after:], re.MULTILINE)

    def time_of(self, offset):
        """Seconds from the start of QEMU to the byte at an offset."""
        with self.lock:
            times = [when for when, start in self.stamps if start <= offset]
            return times[-1] if times else 0.0

    # --- the machine ---

    def qmp(self, command, **arguments):
        if self.control is None:
            self.control = control.Qmp(
                control.connect(self._qmp_path, self.process))
        return self.control.call(command, arguments)

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def set_link(self, up, number=0):
        self.qmp("set_link", name=f"nic{number}", up=up)

    def bar0(self, number=0):
        """Physical address of the register window of card `number`.

        Waits for the firmware to give it one.
        """
        def assigned():
            for part in self.hmp("info pci").split("  Bus "):
                found = re.search(r"BAR0: 32 bit memory at 0x([0-9a-f]+)",
                                  part)
                if f'id "nic{number}"' in part and found:
                    address = int(found[1], 16)
                    return address if address < 0xFFFFFFFF else None
            return None
        return eventually(assigned, 5, f"nic{number} has a BAR0 address")

    def is_running(self):
        return self.process.poll() is None

    def wait_exit(self, timeout=10):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"QEMU still runs after {timeout} s") from None

    def _last_error(self):
        self.errors.flush()
        with open(self.errors.name, encoding="utf-8",
                  errors="replace") as errors:
            text = errors.read().strip()
        return f": {text[-300:]}" if text else ""

    def close(self):
        stop(self.process)
        self.reader.join(5)
        self.errors.close()
        if self.control:
            self.control.close()
        if self.qtest:
            self.qtest.close()
