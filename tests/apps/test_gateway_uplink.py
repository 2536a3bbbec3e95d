# SPDX-License-Identifier: MIT
"""gateway as a Linux process: what it says to servers of the uplink, in the
surroundings of test_gateway.py."""
import fcntl
import os
import re
import socket
import struct
import subprocess
import sys

from support import wait_until
from test_gateway import (RANGE, Gateway, Server, ask, prepare, reply_to,
                          run_inside)

SIOCSIFNETMASK = 0x891C


def inside_dns_servers_without_edns():
    """RFC 6891 6.2.2: who does not know EDNS is asked without it."""
    asked = []

    def old(send, query):
        plain = query[10:12] == b"\0\0"
        asked.append(plain)
        if plain:
            send(reply_to(query))
        elif b"bare" in query:  # a header is all there is
            send(query[:2] + b"\x81\x81" + bytes(8))
        else:
            send(query[:2] + b"\x81\x81" + query[4:10] + b"\0\0"
                 + query[12:-11])
    Server(5301, old)
    gateway = Gateway("no-resolv\nserver=127.0.0.1#5301\n", "--no-page")
    assert ask("www.test") == (0, "203.0.113.7")
    assert ask("bare.test") == (0, "203.0.113.7")
    assert asked == [False, True, False, True], asked
    gateway.stop()


def inside_syslog():
    """RFC 5424 8.2: nothing that acts on a terminal gets into a line."""
    collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    collector.bind(("127.0.0.1", 5514))
    gateway = Gateway(RANGE, "--no-page", "--syslog=127.0.0.1:5514")
    with open("machine/firewall-log", "wb") as file:
        file.write(b"1 rule: \x1b[2J\x07evil\xff IN=eth1 " + b"x" * 2000)
    while True:
        collector.settimeout(30)
        line = collector.recv(4000)
        assert line.startswith(b"<") and len(line) <= 1024, line
        if b"evil" in line:
            break
    assert re.match(rb"<134>1 \S+ gateway gateway - firewall - rule:  ", line)
    assert all(32 <= octet < 127 for octet in line), line
    gateway.stop()


def inside_routes():
    """They went with the network of their interface."""
    subprocess.run(["mount", "-t", "tmpfs", "none", "/etc"], check=True)
    ways = "10.7.0.0/16:192.168.77.9\n"
    with open("/etc/routes", "w") as file:
        file.write(ways)
    gateway = Gateway(RANGE, "--no-page")

    def are_said():
        with open("machine/routes") as file:
            return file.read() == ways
    open("machine/routes", "w").close()
    gateway.type("reload")
    wait_until(are_said)
    os.truncate("machine/routes", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFNETMASK, struct.pack(
            "16sHH4s8x", b"eth1", socket.AF_INET, 0, bytes([255] * 3 + [128])))
    wait_until(are_said)
    gateway.stop()


def test_routes_are_said_again_when_a_netmask_has_changed():
    run_inside(inside_routes, __file__)


def test_dns_servers_without_edns_are_asked_without():
    run_inside(inside_dns_servers_without_edns, __file__)


def test_syslog_has_nothing_but_text():
    run_inside(inside_syslog, __file__)


if __name__ == "__main__":
    prepare()
    globals()[sys.argv[2]]()
