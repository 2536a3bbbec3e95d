# SPDX-License-Identifier: MIT
"""What a guest costs its host: the processor time of its QEMU, whoever else
is at work. Rates say how fast a whole machine was, with the programs that ask
and the host's own network; this says what of it the guest asked for."""

import os

TICKS = os.sysconf("SC_CLK_TCK")
USER, SYSTEM = 11, 12    # behind the name of the program, proc(5)


def processor_seconds(process):
    """User and kernel time of all its threads so far."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS


class Effort:
    """with Effort(guest) as effort: ...; then effort.each(count)."""

    def __init__(self, guest):
        self.process = guest.process
        self.seconds = None

    def __enter__(self):
        self.seconds = -processor_seconds(self.process)
        return self

    def __exit__(self, *_):
        self.seconds += processor_seconds(self.process)

    def each(self, count):
        """Microseconds of it for each of so many."""
        return self.seconds * 1e6 / count
