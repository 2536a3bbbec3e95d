# SPDX-License-Identifier: MIT
"""gateway as a Linux process: hand-made clients and servers that misbehave.

Each test runs in a network namespace of its own: this file starts itself
again under unshare. There eth1 is one end of a veth pair, `lan` the other.
"""
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import support
from support import wait_until

INSIDE = "192.168.77.1"
COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = range(1, 8)


# --- the surroundings ---

def run_inside(scenario, file=__file__):
    done = subprocess.run(
        ["unshare", "-rnm", sys.executable, os.path.abspath(file),
         support.binaries["gateway"], scenario.__name__],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def prepare():
    for words in ("link set lo up", "link add name eth1 type veth peer name "
                  "lan", "address add 192.168.77.1/24 dev eth1",
                  "link set eth1 up", "link set lan up"):
        subprocess.run(["ip", *words.split()], check=True)
    # Both ends are here, so answers come from an address of our own.
    for knob, value in (("all/rp_filter", 0), ("lan/rp_filter", 0),
                        ("eth1/rp_filter", 0), ("all/accept_local", 1)):
        with open("/proc/sys/net/ipv4/conf/" + knob, "w") as file:
            file.write(str(value))


class Gateway:
    def __init__(self, config, *options, rules=None):
        self.folder = tempfile.mkdtemp(prefix="gateway-")
        os.chdir(self.folder)
        os.mkdir("machine")
        for name in ("nftables", "nftables-error", "firewall-log"):
            open("machine/" + name, "w").close()
        with open("conf", "w") as file:
            file.write(config)
        if rules is not None:
            with open("rules", "w") as file:
                file.write(rules)
        self.log = open("log", "wb")
        self.process = subprocess.Popen(
            [sys.argv[1], "--config=conf", "--rules=rules", *options],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        wait_until(lambda: "serving" in self.said()
                   or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def said(self):
        with open(self.folder + "/log") as file:
            return file.read()

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def stop(self):
        assert self.process.poll() is None, self.said()
        self.process.kill()
        self.process.wait()


# --- DHCP ---

class Client:
    """A DHCP client with a card of its own (RFC 2131)."""

    def __init__(self, number):
        self.card = b"\x02\x00\x00\x00\x00" + bytes([number])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                               b"lan")
        self.socket.bind(("", 68))
        self.xid = 1000 * number

    def send(self, kind, options=b"", address="0.0.0.0"):
        self.xid += 1
        self.raw(struct.pack("!BBBBIHH", 1, 1, 6, 0, self.xid, 0, 0x8000)
                 + socket.inet_aton(address) + bytes(12) + self.card
                 + bytes(202) + COOKIE + bytes([53, 1, kind]) + options
                 + b"\xff")

    def raw(self, message):
        self.socket.sendto(message, ("255.255.255.255", 67))

    def answer(self, seconds=2.0):
        """(kind, address, {option: bytes}), or None."""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [],
                            max(end - time.monotonic(), 0))[0]:
            data = self.socket.recv(2000)
            if struct.unpack("!I", data[4:8])[0] != self.xid:
                continue
            options, at = {}, 240
            while data[at] != 255:
                length = data[at + 1]
                options[data[at]] = data[at + 2:at + 2 + length]
                at += 2 + length
            return options[53][0], socket.inet_ntoa(data[16:20]), options
        return None

    def lease(self):
        self.send(DISCOVER)
        kind, address, options = self.answer()
        assert kind == OFFER, kind
        self.send(REQUEST, b"\x32\x04" + socket.inet_aton(address)
                  + b"\x36\x04" + options[54])
        kind, given, options = self.answer()
        assert kind == ACK and given == address
        return address, options


RANGE = "dhcp-range=192.168.77.50,192.168.77.52,10m\ndomain=lan\n"


def inside_dhcp():
    gateway = Gateway(RANGE + "dhcp-authoritative\ndhcp-option=42,10.1.1.1\n"
                      "dhcp-host=02:00:00:00:00:07,192.168.77.77,seven\n")
    one, two = Client(1), Client(2)
    address, options = one.lease()
    inside = socket.inet_aton(INSIDE)
    assert options[3] == inside and options[6] == inside, options
    assert options[51] == struct.pack("!I", 600) and options[15] == b"lan"
    other, _ = two.lease()
    assert other != address
    assert Client(7).lease()[0] == "192.168.77.77"
    # Somebody else's address, and one of another network.
    for wanted in (address, "10.0.0.5"):
        two.send(REQUEST, b"\x32\x04" + socket.inet_aton(wanted))
        assert two.answer()[0] == NAK, wanted
    one.send(DECLINE, b"\x32\x04" + socket.inet_aton(address) + b"\x36\x04"
             + inside)
    assert one.lease()[0] not in (address, other)
    two.send(RELEASE, b"\x36\x04" + inside, other)
    third = Client(3)
    assert third.lease()[0] == other
    third.send(DISCOVER, b"\x36\xff\x01")  # past the end
    assert third.answer(0.3) is None
    third.raw(b"\x01" * 239)
    third.raw(b"")
    four = Client(4)
    four.send(DISCOVER)
    assert four.answer(0.3) is None  # nothing is left
    assert "no address available" in gateway.said()
    gateway.stop()


# --- DNS ---

def question(name, number=7, kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode()
                      for label in name.split("."))
    return (struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels
            + b"\0" + struct.pack("!HH", kind, 1))


def reply_to(query, address="203.0.113.7", flags=0x8180):
    end = query.index(b"\0", 12) + 5
    return (query[:2] + struct.pack("!HHHHH", flags, 1, 1, 0, 0)
            + query[12:end] + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4)
            + socket.inet_aton(address))


def ask(name, seconds=8, number=7):
    """(code, address or None) over UDP; None without an answer."""
    data = ask_raw(question(name, number), seconds)
    return data and parse(data, number)


def ask_raw(query, seconds=8):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.sendto(query, (INSIDE, 53))
        try:
            return sock.recv(4096)
        except socket.timeout:
            return None


def parse(data, number):
    got, flags, _, answers = struct.unpack("!HHHH", data[:8])
    assert got == number and flags & 0x8000
    return flags & 15, socket.inet_ntoa(data[-4:]) if answers else None


def ask_stream(name, sock=None):
    sock = sock or socket.create_connection((INSIDE, 53), 5)
    query = question(name)
    sock.sendall(struct.pack("!H", len(query)) + query)
    stream = sock.makefile("rb")
    return parse(stream.read(struct.unpack("!H", stream.read(2))[0]), 7)


class Server:
    """A name server on 127.0.0.1; `behave` gets the socket and the query."""

    def __init__(self, port, behave):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.count = 0
        self.behave = behave
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            self.count += 1
            self.behave(lambda data, to=peer: self.socket.sendto(data, to),
                        query)


def inside_dns_servers_that_fail():
    silent = Server(5301, lambda send, query: None)
    good = Server(5302, lambda send, query: send(reply_to(query)))
    failing = Server(5303, lambda send, query: send(
        reply_to(query, flags=0x8182)))
    gateway = Gateway(
        "no-resolv\nserver=127.0.0.1#5301\nserver=127.0.0.1#5302\n"
        "server=/broken.test/127.0.0.1#5303\n"
        "server=/alone.test/127.0.0.1#5301\n"
        "server=/closed.test/127.0.0.1#5999\n", "--no-page")
    assert ask("www.test") == (0, "203.0.113.7")
    assert silent.count == 1 and good.count == 1
    # A later EDNS is refused with BADVERS (16) by our version, 0.
    data = ask_raw(question("www.test")[:11] + b"\1"
                   + question("www.test")[12:]
                   + struct.pack("!BHHBBHH", 0, 41, 4096, 0, 1, 0, 0))
    assert data[3] & 15 == 0 and data[6:12] == bytes([0, 0, 0, 0, 0, 1])
    assert data[-11:] == struct.pack("!BHHBBHH", 0, 41, 1232, 1, 0, 0, 0)
    assert good.count == 1
    # The one that answered is asked first from then on.
    assert ask("other.test") == (0, "203.0.113.7")
    assert silent.count == 1
    assert ask("a.broken.test")[0] == 2 and failing.count >= 1
    assert ask("a.closed.test")[0] == 2
    start = time.monotonic()
    assert ask("a.alone.test")[0] == 2
    assert time.monotonic() - start < 7
    gateway.stop()


def inside_dns_forgeries():
    def forge(send, query):
        send(bytes([query[0] ^ 1]) + reply_to(query, "192.0.2.1")[1:])
        send(reply_to(question("evil.test", query[0] << 8 | query[1]),
                      "192.0.2.2"))
        send(reply_to(query, "192.0.2.3", flags=0x0100))
        send(b"")
        send(query[:11])
        send(reply_to(query)[:-3])
        time.sleep(0.2)
        send(reply_to(query, "203.0.113.9"))
        send(reply_to(query, "192.0.2.4"))

    Server(5301, forge)
    gateway = Gateway("no-resolv\nserver=127.0.0.1#5301\n", "--no-page")
    assert ask("www.test") == (0, "203.0.113.9")
    assert ask("www.test") == (0, "203.0.113.9")  # and that is kept
    gateway.stop()


def inside_dns_numbers():
    seen = []

    def note(send, query):
        seen.append(struct.unpack("!H", query[:2])[0])
        send(reply_to(query))

    Server(5301, note)
    gateway = Gateway("no-resolv\nserver=127.0.0.1#5301\n", "--no-page")
    for number in range(60):
        assert ask(f"a{number}.test") == (0, "203.0.113.7")
    # Not the client's, hardly one twice, and no steps from one to the next.
    assert len(seen) == 60 and len(set(seen)) >= 57 and 7 not in seen[:3]
    near = [a for a, b in zip(seen, seen[1:]) if (b - a) % 65536 < 256]
    assert len(near) <= 4, seen
    gateway.stop()


def inside_dns_late_answer():
    """Later than the attempt: to a socket that is closed."""
    def late(send, query):
        time.sleep(2.0)
        send(reply_to(query, "192.0.2.9"))

    Server(5301, late)
    good = Server(5302, lambda send, query: send(reply_to(query)))
    gateway = Gateway("no-resolv\nserver=127.0.0.1#5301\n"
                      "server=127.0.0.1#5302\n", "--no-page")
    assert ask("www.test") == (0, "203.0.113.7") and good.count == 1
    time.sleep(1)
    assert ask("www.test") == (0, "203.0.113.7")
    gateway.stop()


def inside_dns_cut_answer_and_streams_that_hang():
    cut = Server(5301, lambda send, query: send(
        reply_to(query, flags=0x8380)))
    listener = socket.create_server(("127.0.0.1", 5301))
    held = []

    def serve():
        while True:
            peer, _ = listener.accept()
            stream = peer.makefile("rb")
            query = stream.read(struct.unpack("!H", stream.read(2))[0])
            if b"hang" in query:
                held.append((peer, stream))
                peer.sendall(b"\x00")
                continue
            data = reply_to(query, "203.0.113.11")
            data = struct.pack("!H", len(data)) + data
            for at in range(len(data)):
                peer.sendall(data[at:at + 1])
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    gateway = Gateway("no-resolv\nserver=127.0.0.1#5301\n", "--no-page")
    assert ask("www.test") == (0, "203.0.113.11") and cut.count == 1
    assert ask_stream("www.test") == (0, "203.0.113.11")
    threading.Thread(target=lambda: ask("hang.test", 30),
                     daemon=True).start()
    wait_until(lambda: held)
    assert ask("other.test") == (0, "203.0.113.11")
    # Before the client gives up it is told that nobody knows.
    start = time.monotonic()
    assert ask("hang.again.test", 30)[0] == 2
    assert time.monotonic() - start < 6
    gateway.stop()


def inside_dns_clients_that_never_send():
    Server(5301, lambda send, query: send(reply_to(query)))
    gateway = Gateway("no-resolv\nserver=127.0.0.1#5301\n", "--no-page")
    idle = [socket.create_connection((INSIDE, 53), 5) for _ in range(200)]
    for number, sock in enumerate(idle):
        if number % 2:
            try:
                sock.sendall(b"\x00")
            except OSError:
                pass
    assert ask("www.test") == (0, "203.0.113.7")
    assert ask_stream("two.test") == (0, "203.0.113.7")
    big = socket.create_connection((INSIDE, 53), 5)
    big.sendall(b"\xff\xff" + bytes(70000))
    assert ask_stream("three.test") == (0, "203.0.113.7")
    gateway.stop()


# --- the rest ---

def inside_backends():
    """What the machine says of backends is checked and written back."""
    live = socket.create_server(("127.0.0.1", 7001))
    gateway = Gateway(RANGE, "--no-page")

    def backends(text):
        with open("machine/backends.new", "w") as file:
            file.write("address  port  state  flows\n" + text)
        os.replace("machine/backends.new", "machine/backends")

    def written():
        with open("machine/backends") as file:
            return file.read()

    backends("127.0.0.1  7001  down  1\n")
    wait_until(lambda: written().startswith("127.0.0.1 7001 up"))
    backends("127.0.0.1  7002  up  1\n127.0.0.1  7001  up  0\n")
    wait_until(lambda: written().startswith("127.0.0.1 7002 down"))
    backends("127.0.0.1  7001  up  0\n")
    gateway.type("drain 127.0.0.1:7001")
    wait_until(lambda: written().startswith("127.0.0.1 7001 draining"))
    backends("127.0.0.1  7001  up  0\n")  # as after a reload
    wait_until(lambda: written().startswith("127.0.0.1 7001 draining"))
    gateway.type("drain 1.2.3.4:5")
    wait_until(lambda: "none of the backends" in gateway.said())
    gateway.stop()
    live.close()


def inside_events():
    """Leases and rules' lines on the page and the console, the newest first;
    what a stranger chose adds no column, and the oldest go."""
    gateway = Gateway(RANGE)

    def events():
        with urllib.request.urlopen(f"http://{INSIDE}/status.json",
                                    timeout=10) as answer:
            table = json.load(answer)["tables"]["events"]
        rows = [re.split("  +", row) for row in table.splitlines()]
        assert rows[0] == ["seconds ago", "subject", "event"], rows
        assert all(len(row) == 3 for row in rows), rows
        return [(subject, event) for _, subject, event in rows[1:]]

    address, _ = Client(1).lease()
    assert events()[0] == ("dhcp",
                           f"DHCPACK {address} 02:00:00:00:00:01"), events()
    assert ("firewall", "no file: built-in rules loaded") in events()
    # Written elsewhere and renamed: half a line would be one, too.
    with open("new", "w") as file:
        file.write("1 bad:  IN=eth0   \x1b[2J OUT=\n2 good: IN=eth1\n")
    os.rename("new", "machine/firewall-log")
    wait_until(lambda: events()[:2] == [("firewall", "good: IN=eth1"),
                                        ("firewall", "bad: IN=eth0 [2J OUT=")])
    with open("new", "w") as file:
        file.writelines(f"{n} line {n}\n" for n in range(3, 103))
    os.rename("new", "machine/firewall-log")
    wait_until(lambda: events() == [("firewall", f"line {n}")
                                    for n in range(102, 38, -1)])
    gateway.type("ev")
    wait_until(lambda: "line 39" in gateway.said())
    gateway.stop()


def inside_bad_lines_and_rules():
    gateway = Gateway(RANGE + "dhcp-rang=1\n   cache-size=x # y\n",
                      "--no-page", rules="table inet filter {}\n")
    said = gateway.said()
    assert "conf:3:1: " in said and "conf:4:15: " in said, said
    assert "rules loaded" in said
    with open("machine/nftables") as file:
        assert file.read() == "table inet filter {}\n"
    gateway.type("relaod")
    gateway.type("reload")
    wait_until(lambda: gateway.said().count("rules loaded") == 2)
    assert "'relaod' is no command" in gateway.said()
    gateway.stop()


def test_dhcp_by_hand():
    run_inside(inside_dhcp)


def test_dns_servers_that_do_not_answer_are_passed_over():
    run_inside(inside_dns_servers_that_fail)


def test_hostile_D4_forged_answers_are_not_taken():
    run_inside(inside_dns_forgeries)


def test_hostile_D5_numbers_of_questions_cannot_be_told_from_others():
    run_inside(inside_dns_numbers)


def test_dns_late_answers_do_not_count():
    run_inside(inside_dns_late_answer)


def test_dns_cut_answers_are_fetched_over_tcp():
    run_inside(inside_dns_cut_answer_and_streams_that_hang)


def test_dns_clients_that_never_send_keep_nobody_waiting():
    run_inside(inside_dns_clients_that_never_send)


def test_backends_are_checked_and_drained():
    run_inside(inside_backends)


def test_events_are_shown_the_newest_first():
    run_inside(inside_events)


def test_bad_lines_are_named_and_the_rest_works():
    run_inside(inside_bad_lines_and_rules)


def test_typos_in_options_are_named():
    for word in ("--lna=eth1", "--syslog=1.2.3", "--ntp=", "--page=0",
                 "--name=two words", "--page=70000", "eth1"):
        done = subprocess.run([support.binaries["gateway"], word],
                              capture_output=True, text=True, timeout=10,
                              check=False)
        assert done.returncode == 2, word
        assert f"'{word}' is not understood" in done.stderr, done.stderr
        assert "usage: gateway" in done.stderr
    done = subprocess.run([support.binaries["gateway"], "--help"],
                          capture_output=True, text=True, timeout=10,
                          check=False)
    assert done.returncode == 0 and done.stdout.startswith("usage: gateway")


def test_one_interface_cannot_be_uplink_and_lan():
    for words in (["--lan=eth0"], ["--uplink=eth1"]):
        done = subprocess.run([support.binaries["gateway"], *words],
                              capture_output=True, text=True, timeout=10,
                              check=False)
        assert done.returncode == 1, words
        assert "cannot be uplink and LAN" in done.stdout + done.stderr, words


if __name__ == "__main__":
    prepare()
    globals()[sys.argv[2]]()
