# SPDX-License-Identifier: MIT
"""The stack and an app as a Linux process on a TAP interface, sanitizers on:
what `make hosted` makes, started as docs/guide.md says."""

import os
import subprocess

from harness import check, eventually, test
from links import Tap
import peers

ADDRESS = "10.9.0.2"
PORT = 8000


class Hosted:
    def __init__(self, t, app, *words):
        self.said = t.path(app + ".txt")
        with open(self.said, "wb") as output:
            self.process = t.start(
                [os.path.join(t.images, "hosted-" + app), *words],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def has_printed(self, text):
        with open(self.said, encoding="utf-8", errors="replace") as output:
            return text in output.read()


@test("hosted: httpd serves its page on a TAP interface")
def httpd(t):
    tap = Tap(t)
    hosted = Hosted(t, "httpd", f"ip={ADDRESS}/24", "--tap", tap.name,
                    "net.tcp_sack=0", "--", "-p", str(PORT))
    page = peers.get_when_up(ADDRESS, port=PORT)
    check(page.status == 200 and b"<title>ferrule</title>" in page.body,
          f"{page.status}, {len(page.body)} bytes")
    check(hosted.process.poll() is None, "it ended")


@test("hosted: the gateway says that it lacks a second card, and stays up")
def gateway(t):
    tap = Tap(t)
    hosted = Hosted(t, "gateway", "--tap", tap.name, f"ip={ADDRESS}/24")
    eventually(lambda: hosted.has_printed("waiting for an address on eth1"),
               10, "it waits for eth1")
    check(hosted.has_printed("there is no eth1"), "eth1 is not missed")
    check(hosted.process.poll() is None, "it ended")


@test("hosted: a word that is not understood is named")
def unknown_word(t):
    said = t.run([os.path.join(t.images, "hosted-httpd"), "--tapp", "x"],
                 expect=2)
    check("'--tapp' is not understood" in said and "usage:" in said, said)
