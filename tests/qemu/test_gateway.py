# SPDX-License-Identifier: MIT
"""APP=gateway between a LAN and an uplink of namespaces, with real peers."""

import calendar
import os
import re
import threading
import time

from harness import Failure, Guest, Nic, check, test
from links import Tap, set_sysctl
from office import (CLIENT, CLOSED, FILE, INSIDE, OUTSIDE, UPLINK, Files, boot,
                    check_fetch, counters, dig, fetch, is_reachable, rules,
                    serve)
import peers
import sides
import sites

SIZE_BUDGET_KIB = 320


@test("gateway: no file: leases, names, pages through NAT, fragments, a hop",
      timeout=90)
def defaults(t):
    lan = sides.Lan(t, address=None)
    tap = Tap(t, f"{OUTSIDE}/24", name="up0")
    dhcp = peers.Dnsmasq(t, tap)
    dhcp.options += ["--dhcp-option=6,10.9.0.53", "--port=0"]
    dhcp.always(UPLINK, "52:54:00:12:34:56")
    t.run(["ip", "address", "add", "10.9.0.53/24", "dev", "up0"])
    names = sides.NameServer("10.9.0.53")
    guest = Guest(t, app="gateway", typing=True, nics=[Nic(tap),
                                                       Nic(lan.card)])
    lan.attach(guest)
    guest.ready(20)
    guest.wait_for(r"gateway: serving", 15)
    lease = sides.udhcpc(lan, "br0")
    guest.wait_for(r"names from 10\.9\.0\.53", 15)
    check(lease["router"] == INSIDE and lease["dns"] == INSIDE
          and lease["domain"] == "lan" and lease["lease"] == "43200",
          f"udhcpc got {lease}")
    other = lan.host()
    second = sides.dhclient(other, "lan")
    check(second["router"] == INSIDE and second["ip"] != lease["ip"],
          f"dhclient got {second}, udhcpc {lease}")
    check_names(lan, names)
    server = serve(OUTSIDE)
    check_fetch(lan, OUTSIDE)
    lan.run(["curl", "-sf", "-H", "Expect:", "-m", "20", "-T", put_file(t),
             f"http://{OUTSIDE}:8000/"])
    check(set(server.seen) == {UPLINK}, f"the server saw {server.seen}")
    lan.run(f"ping -q -c 3 -i 0.1 -W 2 -s 4000 {OUTSIDE}")
    guest.type("flows")
    guest.wait_for(rf"icmp +replied .*> {re.escape(OUTSIDE)} type 8 code 0 "
                   r"id \d+ .* type 0 code 0 id \d+", 5)
    hops = lan.run(f"busybox traceroute -n -w 1 -q 1 -m 4 {OUTSIDE}")
    check(re.search(rf"1  {INSIDE} .*\n *2  {OUTSIDE} ", hops), hops)
    check(fetch(lan, INSIDE, 80, "/status.json").status == 200,
          "no page on the LAN")
    try:
        peers.get(UPLINK, "/", timeout=1)
        raise Failure("the page is shown to the uplink")
    except Failure as failure:
        check("is shown" not in str(failure), str(failure))
    guest.type("leases")
    guest.wait_for(rf"{re.escape(lease['ip'])} .*bound", 5)


def put_file(t):
    path = t.path("put")
    with open(path, "wb") as file:
        file.write(Files.content)
    return path


def check_names(lan, names):
    said = dig(lan, "+short", "gateway.lan")
    check(said.strip() == INSIDE, f"gateway.lan is {said}")
    for _ in range(2):
        said = dig(lan, "+short", "www.example.test")
        check(said.strip() == "203.0.113.7", f"www.example.test is {said}")
    count = names.asked.count(("www.example.test", 1))
    check(count == 1, f"asked {count} times, not once")
    said = dig(lan, "gone.example.test")
    check("NXDOMAIN" in said, said)
    said = dig(lan, "+short", "big.example.test")
    check(len(said.split()) == names.RECORDS_BIG and names.over_tcp == 1,
          f"{len(said.split())} records, {names.over_tcp} over TCP")
    said = dig(lan, "+noedns", "+ignore", "big.example.test")
    check(" tc" in said, f"a cut answer does not say so: {said}")


@test("gateway: 192.0.2.1 and the LAN's own names stay inside", timeout=40,
      tags=("soak",))
def private_kept(t):
    lan = sides.Lan(t)
    names = sides.NameServer("127.0.0.1")
    boot(t, lan, {"etc/dnsmasq.conf": b"server=10.9.0.1\nbogus-priv\n"
                                      b"domain-needed\n"})
    for words in (("-x", "192.168.4.4"), ("plain",)):
        check("NXDOMAIN" in dig(lan, *words), f"{words} was passed on")
    check(not names.asked, f"asked: {names.asked}")


FORWARD = (f'iifname "eth0" tcp dport 8080 dnat to {CLIENT}:8000; '
           f'ip daddr {UPLINK} tcp dport 8080 dnat to {CLIENT}:8000')


@test("gateway: a port is forwarded, from inside too; a reload keeps what "
      "flows, and syslog tells", timeout=90)
def forwards_and_reload(t):
    lan = sides.Lan(t)
    other = lan.host("192.168.77.20/24")
    log = None
    conf = (b"dhcp-range=192.168.77.100,192.168.77.110,10m\n"
            b"dhcp-host=52:54:00:99:99:99,192.168.77.200,printer\n"
            b"domain=lan\nserver=10.9.0.1\n")
    parts = {
        "prerouting": "\n        ".join(FORWARD.split("; ")),
        "postrouting": 'ip saddr 192.168.77.0/24 ip daddr 192.168.77.0/24 '
                       'ct status dnat masquerade',
        "forward": 'tcp dport 9999 log prefix "nine: " drop',
    }
    files = {"etc/dnsmasq.conf": conf, "etc/nftables.conf": rules(**parts)}
    start = int(time.time()) + 1000000
    began = time.monotonic()
    guest = boot_with_servers(t, lan, files, start, began)
    log = guest.collector
    guest.wait_for(r"clock set", 10)
    inside = serve(CLIENT, side=lan)
    outside = serve(OUTSIDE)
    page = peers.get(UPLINK, "/", timeout=20, port=8080)
    sites.check_same(page.body, Files.content, "the file from inside")
    check(inside.seen[-1] == OUTSIDE, f"inside saw {inside.seen}")
    check_fetch(other, UPLINK, 8080)
    check(inside.seen[-1] == INSIDE, f"hairpin: inside saw {inside.seen}")
    lease = sides.udhcpc(lan.host(), "lan")
    when = log.wait_for(rf"^<30>1 (\S+) gateway gateway - dhcp - DHCPACK "
                        rf"{re.escape(lease['ip'])} ")[1]
    said = calendar.timegm(time.strptime(when[:19], "%Y-%m-%dT%H:%M:%S"))
    check(abs(said - start - (time.monotonic() - began)) < 60,
          f"the message is of {when}")
    check(not is_reachable(lan, OUTSIDE, 9999), "9999 is not dropped")
    log.wait_for(r"^<134>1 \S+ gateway gateway - firewall - .*nine: .*"
                 r"DPT=9999")
    check_reload(guest, lan, outside)


def boot_with_servers(t, lan, files, start, began):
    """Syslog and time servers listen before the gateway asks."""
    guest = None
    collector = sides.Collector("0.0.0.0", 514)
    sides.TimeServer("0.0.0.0", lambda: start + time.monotonic() - began)
    guest = boot(t, lan, files,
                 f"--syslog={OUTSIDE} --ntp={OUTSIDE}")
    guest.collector = collector
    return guest


def check_reload(guest, lan, outside):
    """What flows goes on while the rules are made anew."""
    got, went_wrong = [], []

    def download():
        try:
            got.append(fetch(lan, OUTSIDE, path="/slow", timeout=40))
        except Exception as error:  # told below, by the test itself
            went_wrong.append(error)

    thread = threading.Thread(target=download)
    thread.start()
    if not outside.half.wait(20):
        guest.type("flows")
        guest.type("counters")
        time.sleep(1)  # for the log of the failure
        check(False, f"the download did not begin: {went_wrong or 'waiting'}")
    mark = guest.type("reload")
    guest.wait_for(r"nftables.conf loaded", 10, after=mark)
    outside.rest.set()
    thread.join(40)
    check(got and got[0].body == Files.content,
          f"the download did not survive the reload: {went_wrong}")


BIG = 1400   # does not fit the hop of 1,280 bytes


@test("gateway: a hop of 1,280 bytes behind NAT is found and kept to",
      timeout=60)
def small_hop(t):
    lan = sides.Lan(t)
    guest = boot(t, lan)
    far = sides.Side(t)
    set_sysctl("ipv4/ip_forward", 1)
    t.run(["ip", "link", "add", "name", "hop", "mtu", "1280", "type", "veth",
           "peer", "name", "far", "mtu", "1280"])
    t.run(["ip", "address", "add", "10.8.0.1/24", "dev", "hop"])
    t.run(["ip", "link", "set", "dev", "hop", "up"])
    far.take("far", "10.8.0.2/24")
    # Its segments may be larger than the hop: they are asked for that way.
    far.run("ip route add default via 10.8.0.1 advmss 1460")
    serve("10.8.0.2", side=far)
    said = lan.run(f"ping -c 1 -W 2 -M do -s {BIG} 10.8.0.2", expect=None)
    check("mtu = 1280" in said or "mtu=1280" in said, f"no word of 1,280: "
          f"{said}")
    lan.run("ip route flush cache")
    lan.run(["curl", "-sf", "-H", "Expect:", "-m", "20", "-T", put_file(t),
             "http://10.8.0.2:8000/"])
    said = lan.run("ip route get 10.8.0.2")
    check("mtu 1280" in said, f"the upload did not find the hop: {said}")
    check_fetch(lan, "10.8.0.2")
    check(not guest.has_printed("panic"), "it panicked")


@test("gateway: a bad rule file closes it, loudly; leases are given all the "
      "same, and a bad line costs itself alone", timeout=60)
def bad_files(t):
    lan = sides.Lan(t)
    bad = rules(forward="tcp dprot 80 accept")
    conf = (b"domain=lan\ndhcp-rnage=1.2.3.4\n"
            b"dhcp-range=192.168.77.100,192.168.77.110,10m\n")
    ways = b"# ways" + b" " * 90 + b"\n10.7.0.0/16:192.168.77.9\n10.8.0.0/16\n\n10.9.0.1/16::eth1\n"
    guest = boot(t, lan, {"etc/nftables.conf": bad, "etc/dnsmasq.conf": conf,
                          "etc/routes": ways})
    line = bad[:bad.index(b"dprot")].count(b"\n") + 1
    guest.wait_for(rf"/etc/nftables\.conf:{line}:13: .*CLOSED", 5)
    guest.wait_for(r"dnsmasq\.conf:2:1: ", 5)
    guest.wait_for(r"line 3: not understood", 5)
    guest.wait_for(r"line 5: not understood", 5)
    guest.type("routes")
    guest.wait_for(r"10\.7\.0\.0/16 via 192\.168\.77\.9", 5)
    serve(OUTSIDE)
    lease = sides.udhcpc(lan.host(), "lan")
    check(lease["lease"] == "600", f"the lease is {lease}")
    check(not is_reachable(lan, OUTSIDE, 8000), "something was forwarded")
    lan.run(f"ping -q -c 1 -W 2 {INSIDE}")


@test("gateway: qdisc=eth0:tbf shapes what goes up", timeout=60)
def shaped(t):
    lan = sides.Lan(t)
    guest = boot(t, lan, words="qdisc=eth0:tbf,rate=10mbit,burst=16k")
    serve(OUTSIDE)
    said = lan.run(["curl", "-sf", "-H", "Expect:", "-m", "30", "-w",
                    "%{time_pretransfer} %{time_total}", "-T", put_file(t),
                    f"http://{OUTSIDE}:8000/"], timeout=40)
    first, last = map(float, said.split())
    rate = FILE * 8 / (last - first) / 1e6
    t.note(f"{rate:.1f} Mbit/s")
    check(8 < rate < 10, f"{rate:.1f} Mbit/s")
    guest.type("qdiscs")
    guest.wait_for(r"eth0 +tbf", 5)


BALANCE = ('iifname "eth0" tcp dport 8081 dnat to jhash ip saddr . tcp sport '
           'mod 2 map { 0 : 192.168.77.10 . 8000, 1 : 192.168.77.20 . 8000 }')


@test("gateway: a backend that ends is found and left out, one that is "
      "drained gets nothing new", timeout=60)
def balancer(t):
    lan = sides.Lan(t)
    other = lan.host("192.168.77.20/24")
    first = serve(CLIENT, side=lan)
    second = serve("192.168.77.20", side=other)
    guest = boot(t, lan, {"etc/nftables.conf": rules(prerouting=BALANCE)})

    def ask(times=8):
        before = len(first.seen), len(second.seen)
        for _ in range(times):
            check(peers.get(UPLINK, "/small", port=8081).status == 200,
                  "a status that is not 200")
        return len(first.seen) - before[0], len(second.seen) - before[1]

    both = ask(12)
    check(min(both) > 0, f"all went to one of them: {both}")
    mark = guest.type(f"drain {CLIENT}:8000")
    guest.wait_for(rf"{CLIENT}:8000 is draining", 5, after=mark)
    check(ask() == (0, 8), "the drained one got something new")
    mark = guest.type("reload")
    guest.wait_for(r"nftables.conf loaded", 10, after=mark)
    time.sleep(2.5)  # one round of checks
    check(ask() == (0, 8), "the reload ended the drain")
    mark = guest.type(f"undrain {CLIENT}:8000")
    guest.wait_for(rf"{CLIENT}:8000 is up", 5, after=mark)
    second.shutdown()
    second.server_close()
    guest.wait_for(r"192\.168\.77\.20:8000 is down", 10, after=mark)
    check(ask() == (8, 0), "the one that ended was tried")
    mark = guest.type("drain 192.168.77.30:8000")
    guest.wait_for(r"none of the backends", 5, after=mark)
    again = serve("192.168.77.20", side=other)
    guest.wait_for(r"192\.168\.77\.20:8000 is up", 10, after=mark)
    check(again is not None, "")


@test("size: gateway, stripped, keeps its budget")
def size(t):
    stripped = t.path("stripped")
    t.run(["strip", "-o", stripped,
           os.path.join(t.images, "ferrule-gateway.elf")])
    kibibytes = os.path.getsize(stripped) / 1024
    t.note(f"{kibibytes:.1f} of {SIZE_BUDGET_KIB} KiB")
    check(kibibytes <= SIZE_BUDGET_KIB, f"{kibibytes:.1f} KiB")
