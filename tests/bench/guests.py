# SPDX-License-Identifier: MIT
"""The two machines that are compared, and what each can be asked to do.

Both run on the same QEMU, with the same card, address and TAP.  A system
gives back a booted Guest by boot(); `measures_in` says which rows each of its
guests is good for.
"""

import os
import re

from harness import Context, Guest, Nic
from links import Tap
import sites

ADDRESS = "10.9.0.2"
HOST = "10.9.0.1"
MAC = "52:54:00:12:34:56"
# A second card, for a flood to come by.
FLOOD_ADDRESS = "10.8.0.2"
FLOOD_HOST = "10.8.0.1"
FLOOD_MAC = "52:54:00:12:34:57"
PAGE = (b"<!doctype html><html><title>page</title><p>" + b"x" * 612)[:612]
BIG_LENGTH = 100_000_000
LINUX_WORDS = ("console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable "
               "no_timer_check")


class Desk:
    """Numbers the folders of guests, one each, below the folder of the run."""

    def __init__(self, folder, build, images):
        self.folder = folder
        self.build = build
        self.images = images
        self.count = 0

    def context(self):
        self.count += 1
        folder = os.path.join(self.folder, f"{self.count:03d}")
        os.makedirs(folder)
        return Context(folder, self.build, self.images)


class Ferrule:
    name = "ferrule"
    # (app, rows measured in it, megabytes)
    guests = (("httpd", "http", 192), ("echo", "echo", 64),
              ("iperf3", "iperf3", 64), ("httpd", "idle", 32),
              ("httpd", "flood", 64), ("httpd", "slow long", 192))
    memory = 64
    smallest = 2

    def __init__(self, desk, tap):
        self.desk = desk
        self.tap = tap
        self.files = desk.context()
        self.small = sites.pack(self.files, {"index.html": PAGE},
                                under="www")
        self.big = None
        self.flood_tap = None

    def boot(self, app="httpd", card="e1000", memory=None, big=False,
             words="", flooded=False):
        if big and self.big is None:
            self.big = sites.pack(
                self.files, {"index.html": PAGE,
                             "big": sites.noise(BIG_LENGTH)}, under="www")
        quiet = " -- -q --idle-timeout=600" if app == "httpd" else ""
        module = (self.big if big else self.small) if app == "httpd" else None
        nics = [Nic(self.tap, card, MAC)]
        args = f"ip={ADDRESS}/24::{HOST}"
        if flooded:
            if self.flood_tap is None:
                self.flood_tap = Tap(self.desk.context(),
                                     f"{FLOOD_HOST}/24", name="flood")
                self.flood_tap.know(FLOOD_ADDRESS, FLOOD_MAC)
            nics.append(Nic(self.flood_tap, card, FLOOD_MAC))
            args = (f"ip={ADDRESS}::{HOST}:255.255.255.0::eth0:none "
                    f"ip={FLOOD_ADDRESS}:::255.255.255.0::eth1:none")
        return Guest(self.desk.context(), app=app, nics=nics,
                     memory=memory or self.memory, module=module,
                     args=f"{args} {words}{quiet}")

    def wait(self, guest):
        guest.ready(20)

    def image_sizes(self):
        path = os.path.join(self.desk.images, "ferrule-httpd.elf")
        stripped = self.files.path("stripped")
        self.files.run(["strip", "-o", stripped, path])
        return os.path.getsize(stripped)


class Linux:
    """One guest does everything; big files lie in its memory."""

    name = "linux"
    guests = (("all", "http echo iperf3 idle slow", 512),)
    memory = 256
    smallest = 32

    def __init__(self, desk, tap, image, compressed=False):
        self.desk = desk
        self.tap = tap
        self.image = image
        self.kernel = image.bzimage if compressed else image.kernel
        if compressed:
            self.name = "linux, bzImage"

    def boot(self, app="all", card="e1000", memory=None, big=False,
             flooded=False):
        words = f"{LINUX_WORDS} bench.address={ADDRESS}"
        if big:
            words += f" bench.big={BIG_LENGTH // 1_000_000}"
        return Guest(self.desk.context(), kernel=self.kernel, nic=card,
                     net=self.tap, memory=memory or self.memory,
                     module=self.image.initramfs, args=words)

    def wait(self, guest):
        guest.wait_for(r"guest: serving", 150)

    def image_sizes(self):
        return (os.path.getsize(self.image.bzimage)
                + os.path.getsize(self.image.initramfs))


def boot_phases(text):
    """Kernel entry to ready, in ms, as the image itself prints it."""
    found = re.search(r"ferrule: ready in ([0-9.]+) ms", text)
    return float(found[1]) if found else None
