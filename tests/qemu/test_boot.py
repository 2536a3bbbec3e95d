# SPDX-License-Identifier: MIT
"""From reset to a served page, on every machine and card there is."""

import os
import re
import subprocess

from harness import Failure, Guest, Skip, check, eventually, test
from links import Tap
import peers
import sites

GUEST = "10.9.0.2"
STATIC = "ip=10.9.0.2/24::10.9.0.1"
MAC = "52:54:00:12:34:56"
CARDS = ("e1000", "e1000-82545em", "e1000-82544gc", "e1000e")
FAST = "e1000e"  # QEMU's e1000 is deaf for a second after it is set up


def serves(machine, card, how):
    def run(t):
        tap = Tap(t)
        args = STATIC
        if how == "DHCP":
            peers.Dnsmasq(t, tap).always(GUEST, MAC)
            args = ""
        guest = Guest(t, machine=machine, nic=card, net=tap, args=args)
        ready = guest.ready(20)
        check(ready[2] == "httpd", f"the app is called {ready[2]}")
        check(ready[3] == GUEST, f"the address is {ready[3]}")
        sites.check_page(GUEST)
    return run


for MACHINE in ("pc", "q35"):
    for CARD in CARDS:
        for HOW in ("static", "DHCP"):
            test(f"boot: {MACHINE} with {CARD}, {HOW} address, serves its "
                 "page", timeout=40)(serves(MACHINE, CARD, HOW))


def serves_with_memory(megabytes):
    def run(t):
        guest = Guest(t, memory=megabytes, nic=FAST, net=Tap(t), args=STATIC)
        guest.ready()
        usable = int(guest.wait_for(r"memory: ([0-9]+) KiB usable")[1])
        check(usable > megabytes * 1024 * 0.8 and usable < megabytes * 1024,
              f"{usable} KiB usable of {megabytes} MB")
        sites.check_page(GUEST)
    return run


for MEGABYTES in (8, 64, 1024, 6144):
    test(f"boot: {MEGABYTES} MB of memory are enough and all used",
         timeout=40)(serves_with_memory(MEGABYTES))


def names_what_is_missing(machine, memory, why):
    def run(t):
        guest = Guest(t, machine=machine, memory=memory)
        guest.wait_for(why)
    return run


# The firmware uses the end of the memory before it starts us: with less than
# 2.4 MB it overwrites the image's first page, and there is nothing to start.
for MACHINE in ("pc", "q35"):
    for MEMORY, WHY in (("2500K", "ferrule: too little memory"),
                        ("3", "ferrule: too little memory"),
                        ("4", "panic: not enough memory for")):
        test(f"boot: {MACHINE} with {MEMORY} of memory says that it is too "
             "little")(names_what_is_missing(MACHINE, MEMORY, WHY))


@test("boot: a processor without RDRAND, SMEP and UMIP serves, too")
def plain_processor(t):
    guest = Guest(t, cpu="qemu64", nic=FAST, net=Tap(t), args=STATIC)
    guest.ready()
    sites.check_page(GUEST)


@test("boot: a machine whose PIT stands still starts all the same")
def without_pit(t):
    guest = Guest(t, machine="microvm,pit=off")
    guest.wait_for(r"clock: TSC [0-9.]+ MHz by guess")
    guest.wait_for(r"ready in [0-9]+ ms: httpd on no network card")


@test("boot: a network card without a driver is named")
def strange_card(t):
    guest = Guest(t, extra=("-device", "virtio-net-pci,romfile="))
    guest.wait_for(r"no driver for the network card 1af4:1000 at 00:[0-9a-f]+")
    guest.wait_for(r"ready in [0-9]+ ms: httpd on no network card")


@test("boot: the image that clang made serves, too")
def clang_image(t):
    image = os.path.join(t.images, "clang", "ferrule-httpd.elf")
    if not os.path.exists(image):
        raise Skip(f"{image} was not built")
    guest = Guest(t, kernel=image, nic=FAST, net=Tap(t), args=STATIC)
    guest.ready()
    sites.check_page(GUEST)


@test("boot: the phases are shown and ready comes early")
def phases(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC)
    milliseconds = float(guest.ready()[1])
    phases_line = guest.wait_for(r"boot: ms: (.*)")[1]
    t.note(f"ready in {milliseconds:g} ms ({phases_line})")
    check(milliseconds <= 1000, f"ready only after {milliseconds} ms")


@test("boot: without a card it says so and stays up")
def no_card(t):
    guest = Guest(t)
    guest.wait_for(r"ferrule: ready in .* no network card")
    try:
        guest.process.wait(2)
    except subprocess.TimeoutExpired:
        pass
    check(guest.is_running(), "QEMU ended")
    check(guest.qmp("query-status")["running"], "the machine is stopped")
    check(not guest.has_printed("panic"), "it panicked")


@test("boot: no DHCP server: it says so, serves once one is there",
      timeout=90)
def late_dhcp(t):
    tap = Tap(t)
    guest = Guest(t, nic=FAST, net=tap)
    guest.wait_for(r"ferrule: ready in .* no address yet", 20)
    peers.Dnsmasq(t, tap).always(GUEST, MAC)
    guest.wait_for(re.escape(GUEST), 40)
    eventually(lambda: answers(GUEST), 10, "the page is served")


def answers(address):
    try:
        return peers.get(address, "/", timeout=1).status == 200
    except Failure:
        return False


@test("command line: bad words are named and the boot goes on")
def bad_words(t):
    words = ["nonsense", "loglevle=3", "panic=soon", "e1000.nothing=1",
             "net.ipv4.no_such=1", "ip=10.9.0.999", "fault-test=nothing",
             "console=ttyX", "console=ttyS9", "console=ttyS3"]
    guest = Guest(t, nic=FAST, net=Tap(t), args=" ".join(words + [STATIC]))
    guest.ready()
    for word in words:
        check(guest.has_printed(re.escape(word)), f"'{word}' is not named")
    sites.check_page(GUEST)


@test("command line: ip=off is ready at once, without an address")
def no_address(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args="ip=off")
    said = guest.wait_for(r"ready in (\d+) ms: httpd on no address\s", 30)
    check(int(said[1]) < 8000, f"ready only after {said[1]} ms")


@test("command line: what follows -- reaches the app")
def app_arguments(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC + " -- -p 8081")
    guest.ready()
    sites.check_page(GUEST, port=8081)


@test("command line: loglevel=4 shows neither info nor the ready line")
def quiet(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC + " loglevel=4")
    peers.get_when_up(GUEST)
    check(not guest.has_printed(r"memory: \d+ KiB"), "info lines are shown")


@test("boot: an app that ends switches the machine off")
def power_off(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC + " -- --no-such-word")
    code = guest.wait_exit(15)
    check(code == 0, f"QEMU ended with {code}")
    check(guest.has_printed("usage: httpd"), "the app's words are missing")


@test("boot: a warm reset, twice, serves again", timeout=60)
def warm_reset(t):
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC, reboot=True)
    guest.ready()
    for _ in range(2):
        sites.check_page(GUEST)
        mark = guest.mark()
        guest.qmp("system_reset")
        guest.wait_for(r"ferrule: ready in", 15, after=mark)
    eventually(lambda: answers(GUEST), 10, "the page is served again")


# --- the module ---

@test("module: a folder packed as www/ is served byte for byte")
def site_is_served(t):
    files = {"index.html": sites.PAGE, "a/b c.bin": sites.noise(300001),
             "empty.txt": b""}
    module = sites.pack(t, files, under="www")
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC, module=module)
    guest.ready()
    for path, name in (("/", "index.html"), ("/a/b%20c.bin", "a/b c.bin"),
                       ("/empty.txt", "empty.txt")):
        page = peers.get_when_up(GUEST, path)
        check(page.status == 200, f"{path}: status {page.status}")
        sites.check_same(page.body, files[name], path)
    check(peers.get(GUEST, "/none").status == 404, "no 404 for no file")
    check(peers.get(GUEST, "/../etc").status in (400, 403, 404),
          "a path out of the site is not refused")


@test("module: without www/ its root is served")
def root_is_served(t):
    module = sites.pack(t, {"index.html": sites.PAGE})
    guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC, module=module)
    guest.ready()
    sites.check_same(peers.get_when_up(GUEST, "/").body, sites.PAGE, "/")


def bad_module(spoil):
    def run(t):
        module = sites.pack(t, {"index.html": sites.PAGE,
                                "big": sites.noise(100000)}, under="www")
        with open(module, "r+b") as archive:
            spoil(archive)
        guest = Guest(t, nic=FAST, net=Tap(t), args=STATIC, module=module)
        guest.ready()
        check(guest.has_printed(r"module: .* at byte \d+ of \d+.*not used"),
              "the console does not say what is wrong")
        page = sites.check_page(GUEST)
        check(page.body != sites.PAGE, "the broken archive is served")
    return run


def make_noise(archive):
    archive.write(sites.noise(200000, b"no archive"))


def cut_in_header(archive):
    archive.truncate(512 + 100)


def cut_in_file(archive):
    archive.truncate(60000)


def flip_a_size(archive):
    archive.seek(512 + 124)
    archive.write(b"77777777777\0")


for WHAT, SPOIL in (("that is no archive", make_noise),
                    ("cut in a header", cut_in_header),
                    ("cut in a file", cut_in_file),
                    ("with a wrong size field", flip_a_size)):
    test(f"module: one {WHAT} is reported, the built-in site is "
         "served")(bad_module(SPOIL))
