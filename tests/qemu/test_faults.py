# SPDX-License-Identifier: MIT
"""Faults on demand: each must end in a panic that names it."""

import re
import time

from harness import Guest, check, test

FAULTS = {
    "write-text": r"page fault: write to \S+ .*\(code, r-x\)",
    "write-rodata": r"page fault: write to \S+ .*\(constants, r--\)",
    "write-text-alias": r"page fault: write to \S+ .*not mapped",
    "exec-data": r"page fault: execution of \S+ .*\(data, rw-\)",
    "exec-rodata": r"page fault: execution of \S+ .*\(constants, r--\)",
    "exec-stack": r"page fault: execution of \S+ .*\(.*rw-\)",
    "exec-direct": r"page fault: execution of \S+ .*\(.*rw-\)",
    "null": r"page fault: read of \S+ .*page 0",
    "null-write": r"page fault: write to \S+ .*page 0",
    "null-call": r"page fault: execution of \S+ .*page 0",
    "stack-overflow": r"double fault.*overran the app stack",
    "softirq-stack-overflow": r"double fault.*overran the softirq stack",
    "stack-smash": r"buffer on the stack was overrun",
    "divide": r"division by zero",
    "undefined": r"undefined instruction",
    "breakpoint": r"breakpoint",
    "non-canonical": r"general protection fault",
    "assert": r"assertion failed: ",
}


def is_caught(name, pattern):
    def run(t):
        guest = Guest(t, args=f"panic=-1 fault-test={name}")
        guest.wait_exit(10)
        check(guest.has_printed(f"fault test: {name}$"), "it did not begin")
        check(not guest.has_printed("was not caught"), "it was not caught")
        check(guest.has_printed(pattern), f"no line says '{pattern}'")
        check(guest.has_printed(r"rip [0-9a-f]{16}")
              or name in ("stack-smash", "assert"), "no registers are shown")
        # Some faults leave no way back (a call to nowhere, a smashed frame).
        if name not in ("null-call", "stack-smash"):
            check(guest.has_printed(r"self_test_run|kernel_main|main"),
                  "the backtrace names no function")
    return run


for NAME, PATTERN in FAULTS.items():
    test(f"fault: {NAME} is caught and named", timeout=20)(
        is_caught(NAME, PATTERN))


@test("panic: cause, registers and names are shown; reset after panic=")
def panic_resets(t):
    guest = Guest(t, args="panic=1 panic-test", reboot=True)
    found = guest.wait_for(r"panic: asked for by panic-test")
    at = found.end()
    for name in ("rip", "rsp", "rax", "rdx", "rbp", "r10", "r15", "cr3"):
        at = guest.wait_for(rf"\b{name} [0-9a-f]{{16}}\b", after=at).end()
    names = guest.wait_for(r"kernel_main", after=at)
    said = guest.wait_for(r"reset in 1 s", after=at)
    again = guest.wait_for(r"asked for by panic-test", 10, after=said.end())
    pause = guest.time_of(again.start()) - guest.time_of(said.end())
    t.note(f"began again after {pause:.2f} s")
    check(names, "no backtrace")
    check(0.9 < pause < 5, f"began again after {pause:.2f} s, not 1 s")


@test("panic: a backtrace leads from the kernel through the rooms to the app")
def through_the_rooms(t):
    guest = Guest(t, args="panic=-1")
    guest.ready()
    time.sleep(0.2)  # httpd sleeps, waiting for somebody
    guest.hmp("nmi")
    guest.wait_exit(10)
    at = guest.wait_for(r"panic: non-maskable interrupt").end()
    for name in ("softirq_idle", "socket_epoll_wait", "main", "kernel_main"):
        at = guest.wait_for(rf" {name}\+0x", after=at).end()


@test("panic: panic=0 stays and says it has halted")
def panic_halts(t):
    guest = Guest(t, args="panic=0 panic-test")
    guest.wait_for(r"panic: halted")
    check(guest.is_running(), "QEMU ended")


@test("memory: no page is both writable and executable")
def nothing_both(t):
    guest = Guest(t)
    guest.wait_for(r"ferrule: ready")
    guest.qmp("stop")
    writable = executable = 0
    for line in guest.hmp("info tlb").splitlines():
        found = re.match(r"([0-9a-f]{16}): [0-9a-f]{16} (\S{9})", line)
        if not found:
            continue
        can_write = found[2].endswith("W")
        can_run = not found[2].startswith("X")  # X is "no execution" here
        check(not (can_write and can_run), f"{line} is both")
        check(int(found[1], 16) != 0, "page 0 is mapped")
        writable += can_write
        executable += can_run
    check(writable and executable, "the tables were not read")
    t.note(f"{executable} executable, {writable} writable pages")
