# SPDX-License-Identifier: MIT
"""Long ones: run with --tag soak."""

import os
import subprocess

from harness import Guest, check, test
from links import Tap, Wired
import sites
import test_link

GUEST = "10.9.0.2"
STATIC = "ip=10.9.0.2/24::10.9.0.1"


@test("soak: 1 GiB each way arrives bit-exact", timeout=300, tags=("soak",))
def gibibyte(t):
    guest = Guest(t, app="stream", nic="e1000", net=Tap(t), args=STATIC)
    guest.ready()
    for direction in ("get", "put"):
        test_link.transfer(t, direction, 1 << 30, 7, 140)


@test("soak: a 100 MB file of the module arrives bit-exact", timeout=120,
      tags=("soak",))
def big_file(t):
    content = sites.noise(100_000_000)
    module = sites.pack(t, {"f.bin": content}, under="www")
    guest = Guest(t, nic="e1000", net=Tap(t), args=STATIC, module=module,
                  memory=192)
    guest.ready()
    copy = t.path("copy")
    said = t.run(["curl", "-sS", "--fail", "-o", copy, "-w",
                  "%{speed_download}", f"http://{GUEST}/f.bin"], timeout=90)
    t.note(f"{float(said) * 8 / 1e6:.0f} Mbit/s")
    same = subprocess.run(
        ["cmp", copy, os.path.join(module[:-4], "f.bin")], check=False)
    check(same.returncode == 0, "the copy differs")


def long_bad_wire(seed):
    def run(t):
        wire = Wired(t, (*test_link.BAD_WIRE, "--seed", str(seed)))
        guest = Guest(t, app="stream", nic="e1000e", net=wire, args=STATIC)
        guest.ready()
        for direction in ("get", "put"):
            test_link.transfer(t, direction, 32 << 20, seed, 140)
    return run


for SEED in (11, 12, 13):
    test(f"soak: 32 MB each way over the bad wire, seed {SEED}", timeout=300,
         tags=("soak", "wire"))(long_bad_wire(SEED))
