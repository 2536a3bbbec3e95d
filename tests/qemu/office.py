# SPDX-License-Identifier: MIT
"""APP=gateway between a LAN and an uplink of namespaces, and a server of files
for who is behind it."""

import http.server
import socket
import socketserver
import threading

from harness import Guest, Nic, check
from links import Tap
import peers
import sites

UPLINK, OUTSIDE = "10.9.0.2", "10.9.0.1"
INSIDE, CLIENT = "192.168.77.1", "192.168.77.10"
STATIC = (f"ip={UPLINK}/24::{OUTSIDE}::gateway:eth0:none "
          f"ip={INSIDE}/24::::gateway:eth1:none panic=-1")
FILE = 3 << 20

CLOSED = """flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "eth1" accept
        icmp type echo-request accept
        %(input)s
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        %(forward)s
        iifname "eth1" oifname "eth0" accept
        ct status dnat accept
    }
}
table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat; policy accept;
        %(prerouting)s
    }
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "eth0" masquerade
        %(postrouting)s
    }
}
"""


def rules(**parts):
    empty = dict.fromkeys(("input", "forward", "prerouting", "postrouting"),
                          "")
    return (CLOSED % {**empty, **parts}).encode()


def boot(t, lan, files=None, options="", args=STATIC, memory=64, words=""):
    """A gateway between the test's namespace and `lan`."""
    tap = Tap(t, f"{OUTSIDE}/24", name="up0")
    module = sites.pack(t, files) if files else None
    guest = Guest(t, app="gateway", memory=memory, module=module, typing=True,
                  nics=[Nic(tap), Nic(lan.card)],
                  args=f"{args} {words} -- {options}")
    lan.attach(guest)
    guest.ready(20)
    guest.wait_for(r"gateway: serving", 15)
    return guest


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        """Without asking for the name of the address."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class Files(http.server.BaseHTTPRequestHandler):
    content = sites.noise(FILE)

    def do_GET(self):
        content = b"small" if self.path == "/small" else self.content
        self.server.seen.append(self.client_address[0])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        if self.path == "/slow":
            self.server.half.set()
            self.server.rest.wait(30)
        self.wfile.write(content[half:])

    def do_PUT(self):
        got = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if got == self.content else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(address, port=8000, side=None):
    """Files over HTTP; `.seen` has the clients' addresses."""
    if side:
        with side.inside():
            server = Server((address, port), Files)
    else:
        server = Server((address, port), Files)
    server.seen = []
    server.half, server.rest = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def fetch(side, address, port=8000, path="/", timeout=20):
    with side.inside():
        return peers.get(address, path, timeout=timeout, port=port)


def check_fetch(side, address, port=8000, **options):
    page = fetch(side, address, port, **options)
    check(page.status == 200, f"status {page.status}")
    sites.check_same(page.body, Files.content, "the file")


def is_reachable(side, address, port, timeout=1):
    with side.inside():
        try:
            socket.create_connection((address, port), timeout).close()
            return True
        except OSError:
            return False


def dig(side, *words):
    return side.run(["dig", "+tries=1", "+time=3", f"@{INSIDE}", *words])


def counters(side):
    with side.inside():
        return peers.metrics(INSIDE)
