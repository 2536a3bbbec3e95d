# SPDX-License-Identifier: MIT
"""The commands around the image: what they do when something is missing."""

import glob
import os
import re
import shutil
import stat
import subprocess
import tarfile
import time

from harness import Failure, check, die_with_parent, eventually, test
from links import Tap
import peers
import sites

ROOT = sites.ROOT


def tool(name):
    return os.path.join(ROOT, "tools", name)


def call(t, command, path=None, **variables):
    """Runs a command; gives back (exit status, everything printed)."""
    environment = dict(os.environ, **variables)
    if path:
        environment["PATH"] = path
    done = subprocess.run(
        command, env=environment, cwd=ROOT, preexec_fn=die_with_parent,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=30, check=False)
    said = done.stdout.decode("utf-8", "replace")
    t.log(f"{command} -> {done.returncode}\n{said}")
    return done.returncode, said


def folder_of_programs(t, without, scripts=None):
    """A PATH where some programs are missing and some are ours."""
    folder = t.path("bin")
    os.mkdir(folder)
    for place in ("/usr/sbin", "/usr/bin"):
        for name in os.listdir(place):
            link = os.path.join(folder, name)
            if name not in without and not os.path.lexists(link):
                os.symlink(os.path.join(place, name), link)
    for name, text in (scripts or {}).items():
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            os.remove(path)
        with open(path, "w", encoding="ascii") as script:
            script.write("#!/bin/sh\n" + text)
        os.chmod(path, stat.S_IRWXU)
    return folder


def confined(t, folder, command):
    """The script, seeing only the programs in `folder`."""
    with open(tool("prerequisites"), encoding="utf-8") as script:
        text = re.sub(r"(?m)^PATH=.*", f"PATH={folder}", script.read())
    check(f"PATH={folder}" in text, "the script sets no PATH any more")
    copy = t.path("prerequisites")
    with open(copy, "w", encoding="utf-8") as script:
        script.write(text)
    return ["/bin/sh", copy, *command.split()]


@test("prerequisites: with everything there: silence, and soon")
def all_there(t):
    began = time.monotonic()
    code, said = call(t, [tool("prerequisites"), "build", "run", "images",
                          "check"])
    seconds = time.monotonic() - began
    check(code == 0 and not said, f"exit {code}: {said[-200:]}")
    t.note(f"{seconds * 1000:.0f} ms")
    check(seconds < 3, f"{seconds:.2f} s")


@test("prerequisites: every program that a test starts is asked for")
def all_asked_for(t):
    with open(tool("prerequisites"), encoding="utf-8") as script:
        asked = set(re.findall(
            r"^\t\S+ ([\w-]+)$", script.read().split("bench) cat")[0], re.M))
    asked |= {"nsenter", "mcopy", "strip"}  # come with unshare, mformat, ld
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/*/*.py"))):
        if os.path.basename(os.path.dirname(path)) == "bench":
            continue
        with open(path, encoding="utf-8") as source:
            started = set(re.findall(
                r"(?:run|start|call|Popen)\((?:t, )?\[\"([\w-]+)\"",
                source.read()))
        check(started <= asked, f"{path}: {started - asked}")


@test("prerequisites: where nothing may be installed: the exact list, a stop")
def may_not_install(t):
    folder = folder_of_programs(
        t, {"xorriso", "mformat", "qemu-img", "sudo"},
        {"id": "echo 1000\n", "apt-get": "echo called; exit 99\n"})
    code, said = call(t, confined(t, folder, "build images"))
    check(code == 1, f"exit {code}")
    check(re.findall(r"^    (\S+)$", said, re.M)
          == ["qemu-utils", "xorriso", "mtools"], "the list is not exact")
    check("apt-get install --no-install-recommends qemu-utils xorriso mtools"
          in said, "the command is not exact")
    check("called" not in said, "apt-get was called without being root")


@test("prerequisites: not on Debian: the list, a stop")
def no_apt(t):
    folder = folder_of_programs(t, {"qemu-system-x86_64", "apt-get"})
    code, said = call(t, confined(t, folder, "run"))
    check(code == 1 and "qemu-system-x86" in said, f"exit {code}: {said}")


@test("prerequisites: as root the missing ones, and only they, are installed")
def installs(t):
    mark = t.path("installed")
    folder = folder_of_programs(
        t, {"xorriso", "mformat"},
        {"id": "echo 0\n", "apt-cache": "exit 0\n",
         "apt-get": f'echo "$@" >>{mark}\n'
         f'ln -sf /bin/true {t.path("bin")}/xorriso\n'
         f'ln -sf /bin/true {t.path("bin")}/mformat\n'})
    code, said = call(t, confined(t, folder, "build images"))
    check(code == 0, f"exit {code}: {said[-200:]}")
    with open(mark, encoding="ascii") as asked:
        words = asked.read().split()
    check(words[-2:] == ["xorriso", "mtools"] and "install" in words
          and "-y" in words, f"apt-get was given {words}")


@test("prerequisites: an installer that fails stops the command")
def install_fails(t):
    folder = folder_of_programs(
        t, {"xorriso"}, {"id": "echo 0\n", "apt-cache": "exit 0\n",
                         "apt-get": "echo no network; exit 100\n"})
    code, said = call(t, confined(t, folder, "images"))
    check(code == 1 and "xorriso" in said, f"exit {code}: {said[-200:]}")


def refused(t, expected, **variables):
    variables.setdefault("ELF", os.path.join(t.images, "ferrule-httpd.elf"))
    code, said = call(t, [tool("run-qemu")], **variables)
    check(code == 1, f"{variables}: exit {code}")
    check(expected in said, f"{variables}: it said {said.strip()[-200:]}")


@test("make run: a wrong value is refused with the values there are")
def wrong_values(t):
    refused(t, "choose one of: pc q35", MACHINE="p35")
    refused(t, "e1000-82545em", NIC="e100")
    refused(t, "choose one of: user tap lan none", NET="tab")
    refused(t, "choose one of: tcg kvm", ACCEL="tgc")
    refused(t, "64, 64M, 1G", MEM="lots")
    refused(t, "at least 8", MEM="4")
    refused(t, "a number from 1 to 65535", PORT="http")
    refused(t, "needs the interface", NET="tap")
    refused(t, "ip tuntap add tap7", NET="tap", TAP="tap7")
    refused(t, "NET=tap", TAP="tap7")
    refused(t, "APP=gateway", LAN="5599")
    refused(t, "is not a folder", SITE="/no/such/place")
    refused(t, "is missing", ELF="/no/such/file")


def words_for_qemu(t, **variables):
    """What run-qemu would start, by a QEMU that only tells its words."""
    folder = folder_of_programs(t, set(), {"qemu-system-x86_64": "echo $*\n"})
    code, said = call(t, [tool("run-qemu")], path=folder, **variables)
    check(code == 0, f"{variables}: exit {code}: {said.strip()[-200:]}")
    return said


@test("make run: a TAP of this network namespace is found, whatever /sys shows")
def tap_of_namespace(t):
    tap = Tap(t)
    said = words_for_qemu(t, NET="tap", TAP=tap.name, ELF=os.path.join(
        t.images, "ferrule-httpd.elf"))
    check(f"ifname={tap.name}" in said, said)


@test("make run: two echoes find ports, discard's beside echo's")
def echo_ports(t):
    busy = peers.socket.socket()
    busy.bind(("127.0.0.1", 8009))
    busy.listen(1)
    said = words_for_qemu(t, APP="echo", PORT="8017", ELF=os.path.join(
        t.images, "ferrule-echo.elf"))
    check("tcp:127.0.0.1:8019-:9" in said, said)
    busy.close()


@test("make: variables reach the tools as they are; misspelled ones are named")
def make_variables(t):
    def run(*words):
        return call(t, ["make", "run", "APP=httpd", "MAKE=true",
                        f"BUILD={t.path('none')}", *words],
                    MAKELEVEL="0", MAKEFLAGS="", MFLAGS="")  # as if by hand
    said = run("SITES=x")[1]
    check("SITES=x: there is no such variable" in said, said)
    code, said = run("SITE=it's \"no\" folder", "PORT=1", "MEM=64")
    check("no such variable" not in said, said)
    check(code != 0 and "none/ferrule-httpd.elf is missing" in said, said)


@test("make run: who builds in a folder has it alone")
def build_alone(t):
    os.mkdir(t.path("none"))
    lock = t.path("none/.lock")
    probe = f"flock -n {lock} echo free || echo held; :"
    said = call(t, ["make", "run", f"MAKE={probe}", f"BUILD={t.path('none')}"],
                MAKELEVEL="0", MAKEFLAGS="", MFLAGS="")[1]
    check("held" in said and "free" not in said, said)


@test("make debug: a wrong value is refused before gdb starts")
def debug_refuses(t):
    elf = os.path.join(t.images, "ferrule-httpd.elf")
    code, said = call(t, [tool("debug-qemu")], ELF=elf, NIC="e100")
    check(code == 1 and "make debug: NIC=e100 is not known" in said, said)


@test("make run: a port that is taken is named")
def port_taken(t):
    busy = peers.socket.socket()
    busy.bind(("127.0.0.1", 0))
    busy.listen(1)
    port = busy.getsockname()[1]
    refused(t, f"port {port} (tcp) of this machine is taken", PORT=str(port))
    busy.close()


def run_and_fetch(t, path="/", **variables):
    """Starts run-qemu as a user would and asks for a page."""
    elf = os.path.join(t.images, "ferrule-httpd.elf")
    shutil.copy(elf, t.path("ferrule-httpd.elf"))
    log = open(t.path("run.log"), "wb")
    process = subprocess.Popen(
        [tool("run-qemu")], preexec_fn=die_with_parent,
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        env=dict(os.environ, ELF=t.path("ferrule-httpd.elf"), **variables))
    t.on_exit(process.kill)

    def ask():
        check(process.poll() is None, f"it ended with {process.poll()}")
        try:
            return peers.get("127.0.0.1", path, 3,
                             port=int(variables.get("PORT", "8080")))
        except Failure:
            return None
    page = eventually(ask, 20, "the page comes through the forwarded port")
    with open(t.path("run.log"), encoding="utf-8", errors="replace") as said:
        return page, said.read()


@test("make run: without root, the page is at port 8080 of this machine",
      timeout=60)
def run_user(t):
    page, said = run_and_fetch(t)
    check(page.status == 200 and b"ferrule" in page.body, "no page")
    check("http://localhost:8080/" in said and "Ctrl-A x" in said,
          "it does not say where the page is and how to leave")
    check("ferrule: ready" in said, "the console is not shown")


@test("make run: SITE= serves a folder, even one larger than MEM",
      timeout=60)
def run_site(t):
    site = t.path("my site")
    os.makedirs(site)
    content = sites.noise(40_000_000)
    with open(os.path.join(site, "f.bin"), "wb") as file:
        file.write(content)
    page, said = run_and_fetch(t, path="/f.bin", SITE=site, PORT="8123",
                               MEM="16", NIC="e1000e", MACHINE="q35")
    sites.check_same(page.body, content, "the file")
    check("the machine gets MEM=" in said, "the larger MEM is not mentioned")


@test("pack-module: the same content gives the same bytes")
def same_bytes(t):
    archives = []
    for turn in (0, 1):
        files = {"a": b"1", "b/c": b"2" * 600, "b/a": b"3"}
        names = sorted(files, reverse=bool(turn))
        archive = sites.pack(t, {name: files[name] for name in names})
        with open(archive, "rb") as file:
            archives.append(file.read())
        os.utime(t.path("site0/a"), (turn, turn))
    sites.check_same(archives[1], archives[0], "the second archive")


@test("pack-module: what is no folder is refused")
def pack_refuses(t):
    code, said = call(t, [tool("pack-module"), "/no/such", t.path("x")])
    check(code == 1 and "is not a folder" in said, f"exit {code}: {said}")


@test("make images: a missing ELF and a bad word are refused")
def images_refuse(t):
    code, said = call(t, [tool("make-images")], ELF="/no/such.elf")
    check(code == 1 and "is missing" in said, f"exit {code}: {said}")
    code, said = call(t, [tool("make-images")], ARGS="ip=$dhcp",
                      ELF=os.path.join(t.images, "ferrule-httpd.elf"))
    check(code == 1 and "ARGS" in said, f"exit {code}: {said}")


@test("make images: a gateway's files lie where it looks for them")
def images_of_a_gateway(t):
    site = t.path("site")
    os.makedirs(os.path.join(site, "etc"))
    with open(os.path.join(site, "etc", "nftables.conf"), "w",
              encoding="ascii") as file:
        file.write("# none\n")
    elf = t.path("ferrule-gateway.elf")
    shutil.copy(os.path.join(t.images, "ferrule-gateway.elf"), elf)
    code, said = call(t, [tool("make-images")], ELF=elf, APP="gateway",
                      SITE=site)
    check(code == 0, said)
    archive = t.path("site.tar")
    code, said = call(t, ["mcopy", "-i", t.path("ferrule-gateway.img") +
                          "@@1M", "::/boot/site.tar", archive])
    check(code == 0, said)
    names = tarfile.open(archive).getnames()
    check("etc/nftables.conf" in names, f"the archive has {names}")


@test("wire: usage errors are named and change nothing")
def wire_usage(t):
    program = os.path.join(t.build, "wire")
    for words, expected in (
            (["--loss", "101", "a", "b"], "from 0 to 100"),
            (["--los", "1"], "no option '--los'"),
            (["tap:x"], "two ports"),
            (["foo", "tap:x"], "'foo' is not a port"),
            (["tap:nosuch", "listen:" + t.path("s")], "no such interface")):
        code, said = call(t, [program, *words])
        check(code in (1, 2) and expected in said, f"{words}: {said}")
    code, said = call(t, [program, "--help"])
    check(code == 0 and "--reorder-by" in said, "no help")
