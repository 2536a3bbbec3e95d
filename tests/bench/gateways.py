# SPDX-License-Identifier: MIT
"""The two machines as gateways: a client's namespace on one card, a server's
(the bench's own) on the other, and between them the same rule file.

A gateway gives back a Crossing by boot(setting): where the rows of
gateway_rows.py send their packets.
"""

import os

from harness import Guest, Nic, eventually, stop
from links import Tap
import guests
import sides
import sites

UPLINK, SERVER = "10.8.0.2", "10.8.0.1"
INSIDE, CLIENT, OTHER = "192.168.77.1", "192.168.77.11", "192.168.77.12"
MACS = ("52:54:00:12:34:56", "52:54:00:12:34:57")
ELEMENTS = 5000    # in each of two sets
PREFIXES = 100_000

FILTER = """
table inet filter {
    %s
    chain input {
        type filter hook input priority filter; policy accept;
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        %s
        ct state established,related accept
        iifname "eth1" oifname "eth0" accept
    }
}
"""
NAT = """
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "eth0" masquerade
    }
}
"""


def elements(count):
    """Hosts and networks that no packet of ours has to do with."""
    return (", ".join(f"172.16.{n // 250}.{n % 250}" for n in range(count)),
            ", ".join(f"172.{20 + n // 1024}.{n // 4 % 256}.{n % 4 * 64}/28"
                      for n in range(count)))


def with_sets():
    """One host's packets ask small sets, another's large ones."""
    sets = "".join(
        f"set hosts_{name} {{ type ipv4_addr; elements = {{ {hosts} }}; }}\n"
        f"set nets_{name} {{ type ipv4_addr; flags interval; "
        f"elements = {{ {nets} }}; }}\n"
        f"chain {name} {{\n ip daddr @hosts_{name} drop\n"
        f" ip daddr @nets_{name} drop\n }}\n"
        for name, (hosts, nets) in (("few", elements(1)),
                                    ("many", elements(ELEMENTS))))
    return FILTER % (sets, f"ip saddr vmap {{ {CLIENT} : jump few, "
                     f"{OTHER} : jump many }}") + NAT


def routes():
    """So many networks behind the server, none of them anybody's."""
    return (f"{20 + n // 65536}.{n // 256 % 256}.{n % 256}.0/24"
             for n in range(PREFIXES))


SETTINGS = {
    "forward": "table ip nothing { }\n",
    "filter": FILTER % ("", ""),
    "nat": FILTER % ("", "") + NAT,
    "sets": with_sets(),
    "prefixes": FILTER % ("", "") + NAT,
}


class Crossing:
    """Both sides of a gateway that is about to be booted."""

    count = 0

    def __init__(self, desk):
        Crossing.count += 1
        self.t = desk.context()
        self.guest = None
        self.names = [f"{stem}{Crossing.count}" for stem in ("up", "lan")]
        self.taps = [Tap(self.t, address, name=name) for address, name in
                     zip((SERVER + "/24", ""), self.names)]
        self.client = sides.Side(self.t)

    def start(self, ready, **options):
        self.guest = Guest(self.t, **options, nics=[
            Nic(tap, mac=mac) for tap, mac in zip(self.taps, MACS)])
        # QEMU must have its end of the cable.
        eventually(lambda: "LOWER_UP" in self.t.run(
            ["ip", "link", "show", "dev", self.names[1]]), 30,
            "QEMU opens its TAP")
        self.client.take(self.names[1])
        for address in (CLIENT, OTHER):
            self.client.run(f"ip address add {address}/24 "
                            f"dev {self.names[1]}")
        self.client.run(f"ip route add default via {INSIDE}")
        self.client.run(f"ip neigh replace {INSIDE} lladdr {MACS[1]} dev "
                        f"{self.names[1]} nud permanent")
        # Without translation the server sees the client, and answers it.
        self.t.run(["ip", "route", "replace", "192.168.77.0/24", "via",
                    UPLINK, "dev", self.names[0]])
        self.taps[0].know(UPLINK, MACS[0])
        self.guest.wait_for(ready, 300)
        # All neighbours are known when the loads begin.
        self.client.run(f"ping -q -c 1 -w 10 {SERVER}")
        self.client.run(f"ping -q -c 1 -w 10 -I {OTHER} {SERVER}")
        return self

    def close(self):
        if self.guest:
            self.guest.close()
        stop(self.client.holder)   # and with it the client's interface
        self.t.run(["ip", "link", "del", self.names[0]], expect=None)
        self.t.close()


class FerruleGateway:
    name = "ferrule"

    def __init__(self, desk):
        self.desk = desk

    def boot(self, setting):
        crossing = Crossing(self.desk)
        files = {"etc/nftables.conf": SETTINGS[setting].encode()}
        if setting == "prefixes":
            files["etc/routes"] = "".join(
                f"{prefix}:{SERVER}\n" for prefix in routes()).encode()
        return crossing.start(
            r"routes loaded" if setting == "prefixes" else
            r"gateway: serving", app="gateway", memory=256,
            module=sites.pack(crossing.t, files),
            args=f"ip={UPLINK}/24::{SERVER}::gateway:eth0:none "
                 f"ip={INSIDE}/24::::gateway:eth1:none panic=-1")


class LinuxGateway:
    name = "linux"

    def __init__(self, desk, image):
        self.desk = desk
        self.image = image

    def boot(self, setting):
        crossing = Crossing(self.desk)
        files = {"rules.nft": SETTINGS[setting].encode()}
        if setting == "prefixes":
            files["routes"] = "".join(
                f"route add {prefix} via {SERVER}\n"
                for prefix in routes()).encode()
        archive = self.image.with_files(crossing.t.path("initramfs"), files,
                                        self.image.initramfs)
        return crossing.start(
            r"guest: routing", kernel=self.image.kernel, memory=512,
            module=archive, args=guests.LINUX_WORDS +
            f" bench.uplink={UPLINK} bench.inside={INSIDE} "
            f"bench.gateway={SERVER}")


def make(desk, image):
    made = [FerruleGateway(desk)]
    if image is not None and os.path.exists(image.initramfs):
        made.append(LinuxGateway(desk, image))
    return made
