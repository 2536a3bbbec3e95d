# SPDX-License-Identifier: MIT
"""The disk images, as a hypervisor or a bare machine would start them."""

import os

from harness import SITE_PAGE, Guest, check, test
from links import Tap
import peers

OVMF = "/usr/share/ovmf/OVMF.fd"
GUEST = "10.9.0.2"


def attach(path):
    """QEMU options that make the file the only thing to boot from."""
    if path.endswith(".iso"):
        return ["-drive", f"if=none,id=disk,media=cdrom,readonly=on,"
                f"format=raw,file={path}", "-device", "ide-cd,drive=disk"]
    kind = "raw" if path.endswith(".img") else path.rsplit(".", 1)[1]
    return ["-drive", f"if=none,id=disk,format={kind},snapshot=on,"
            f"file={path}", "-device", "ide-hd,drive=disk"]


def boots_and_serves(kind, firmware):
    def run(t):
        path = os.path.join(t.build, f"ferrule-httpd.{kind}")
        check(os.path.exists(path), f"{path} is missing: tools/make-images did not make it")
        disk = attach(path)
        if firmware == "UEFI":
            check(os.path.exists(OVMF), f"{OVMF} is missing (package ovmf)")
            disk += ["-bios", OVMF]
        tap = Tap(t)
        dhcp = peers.Dnsmasq(t, tap)
        dhcp.always(GUEST, "52:54:00:12:34:56")
        guest = Guest(t, nic="e1000e", net=tap, memory="256", disk=disk)
        guest.ready(timeout=60)
        page = peers.get_when_up(GUEST, "/", timeout=10)
        check(page.status == 200, f"status {page.status}")
        check(page.body == SITE_PAGE, "the page is not the image's site")
    return run


@test("images: who looks at the screen is told of the serial port",
      timeout=90, tags=("images",))
def screen(t):
    path = os.path.join(t.build, "ferrule-httpd.iso")
    check(os.path.exists(path), f"{path} is missing: tools/make-images did not make it")
    guest = Guest(t, memory="256", disk=attach(path), extra=("-vga", "std"))
    guest.ready(timeout=60)
    shown = t.path("screen")
    guest.qmp("pmemsave", val=0xB8000, size=80 * 25 * 2, filename=shown)
    with open(shown, "rb") as file:
        text = file.read()[::2].decode("ascii", "replace")
    check("the console is the first serial port" in text, f"screen: {text}")


for KIND in ("iso", "img", "qcow2", "vmdk"):
    for FIRMWARE in ("BIOS", "UEFI"):
        test(f"images: .{KIND} starts under {FIRMWARE} and serves its page",
             timeout=90, tags=("images",))(boots_and_serves(KIND, FIRMWARE))
