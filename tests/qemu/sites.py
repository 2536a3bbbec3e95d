# SPDX-License-Identifier: MIT
"""Served content with known bytes."""

import hashlib
import os

from harness import check
import peers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PAGE = b"<!doctype html><html><title>site</title><p>packed by a test</html>\n"


def noise(length, seed=b"ferrule"):
    """Bytes that repeat by seed and do not compress."""
    piece = hashlib.shake_256(seed).digest(min(length, 1 << 20))
    return (piece * (length // max(len(piece), 1) + 1))[:length]


def pack(t, files, under=None):
    """An archive of {name: bytes}; gives back its path."""
    folder = t.path(t.unique("site"))
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    archive = folder + ".tar"
    options = ["--under", under] if under else []
    t.run([os.path.join(ROOT, "tools/pack-module"), *options, folder,
           archive])
    return archive


def check_same(got, wanted, what):
    """Equal bytes, or a failure that says where they part."""
    if got == wanted:
        return
    both = zip(got, wanted)
    place = next((n for n, (a, b) in enumerate(both) if a != b),
                 min(len(got), len(wanted)))
    check(False, f"{what}: {len(got)} of {len(wanted)} bytes, first "
          f"difference at {place}")


def check_page(address, timeout=5, port=80):
    """The page is served; the app may still be opening its port."""
    page = peers.get_when_up(address, "/", timeout=timeout, port=port)
    check(page.status == 200, f"status {page.status}")
    check(b"<html" in page.body.lower(), "what came is no page")
    return page
