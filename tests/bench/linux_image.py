# SPDX-License-Identifier: MIT
"""Makes the Linux guest from distribution packages, without root.

The packages are downloaded by apt-get and unpacked, not installed; the
initramfs is written here, because a device node in an archive needs no
privilege.  What could not be had is said in one line by Unavailable.
"""

import glob
import lzma
import os
import re
import shutil
import stat
import subprocess

PACKAGES = ("busybox-static", "nginx", "iperf3", "libiperf0", "libsctp1",
            "libc6", "libcrypt1", "libpcre2-8-0", "libssl3", "zlib1g",
            "nftables", "libnftables1", "libnftnl11", "libmnl0",
            "libxtables12", "libjansson4", "libgmp10", "libedit2",
            "libtinfo6", "libbsd0", "libmd0", "iproute2", "libbpf1",
            "libelf1", "libcap2")
PROGRAMS = {"busybox": "bin/busybox", "nginx": "usr/sbin/nginx",
            "iperf3": "usr/bin/iperf3", "nft": "usr/sbin/nft",
            "ip-batch": "bin/ip"}
CARDS = ("e1000", "e1000e")
# What the rule files of gateways.py ask for; what these need is found.
FILTERS = ("crc32c_generic", "nf_tables", "nft_ct", "nft_chain_nat",
           "nft_nat", "nft_masq", "nft_limit", "nft_reject_inet")

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for word in $(cat /proc/cmdline); do
    case $word in
    bench.address=*) address=${word#*=} ;;
    bench.big=*) big=${word#*=} ;;
    bench.uplink=*) uplink=${word#*=} ;;
    bench.inside=*) inside=${word#*=} ;;
    bench.gateway=*) gateway=${word#*=} ;;
    esac
done
insmod /e1000.ko
insmod /e1000e.ko
ip link set lo up
if [ -n "$uplink" ]; then
    for module in $(cat /filters); do insmod /filter/$module.ko; done
    echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 262144 >/proc/sys/net/netfilter/nf_conntrack_max
    ip address add $uplink/24 dev eth0
    ip address add $inside/24 dev eth1
    ip link set eth0 up
    ip link set eth1 up
    ip route add default via $gateway
    [ ! -e /routes ] || ip-batch -batch /routes
    nft -f /rules.nft && echo "guest: routing"
    while :; do sleep 1000; done
fi
ip address add $address/24 dev eth0
ip link set eth0 up
# As nobody here answers IPv6: no router is waited for, no address tested.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 4096 >/proc/sys/net/core/somaxconn
ulimit -n 20000
nginx &
echo "guest: serving"
[ -z "$big" ] || dd if=/dev/zero of=/www/big bs=1000000 count=$big 2>/dev/null
iperf3 -s >/dev/null 2>&1 &
echo-app >/dev/null &
echo "guest: all is up"
while :; do sleep 1000; done
"""

NGINX = """user root root;
daemon off;
master_process off;
error_log /dev/null crit;
worker_rlimit_nofile 20000;
pid /run/nginx.pid;
events { worker_connections 16384; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000000;
    keepalive_timeout 600s;
    open_file_cache max=100;
    default_type text/html;
    server {
        listen 80 backlog=4096;
        root /www;
    }
}
"""


class Unavailable(Exception):
    """The Linux guest cannot be made here; the text says why."""


class Archive:
    """A cpio archive in the `newc` format, as the kernel unpacks it."""

    def __init__(self, path, mode="wb"):
        self.file = open(path, mode)
        self.inode = 0
        self.folders = set()

    def _entry(self, name, mode, content=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device,
                  len(encoded), 0)
        self._pad(b"070701" + b"".join(b"%08X" % field for field in fields)
                  + encoded)
        self._pad(content)

    def _pad(self, data):
        self.file.write(data + b"\0" * (-len(data) % 4))

    def folder(self, name):
        if name and name not in self.folders:
            self.folder(os.path.dirname(name))
            self.folders.add(name)
            self._entry(name, stat.S_IFDIR | 0o755)

    def add(self, name, content, mode=0o644):
        self.folder(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, content)

    def add_file(self, name, path, mode=0o755):
        with open(path, "rb") as file:
            self.add(name, file.read(), mode)

    def character_device(self, name, major, minor):
        self.folder(os.path.dirname(name))
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def close(self):
        self._entry("TRAILER!!!", 0)
        self.file.close()


def run(command, folder, timeout, what):
    try:
        done = subprocess.run(command, cwd=folder, timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not here") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what}: not within {timeout} s") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines()
                  if line.startswith("E:")] or [done.stderr.strip()[-200:]]
        raise Unavailable(f"{what}: {errors[0]}")
    return done.stdout


def kernel_package():
    text = run(["apt-cache", "depends", "linux-image-amd64"], None, 30,
               "apt-cache knows no linux-image-amd64")
    found = re.search(r"Depends: (linux-image-[0-9][\w.+-]*)", text)
    if not found:
        raise Unavailable("apt-cache names no kernel for amd64")
    return found[1]


def needed_modules(names, folder):
    """Paths of modules, each behind all that it needs."""
    places = {os.path.basename(path)[:-3].replace("-", "_"): path for path in
              glob.glob(os.path.join(folder, "**", "*.ko"), recursive=True)}
    found = {}

    def add(name):
        path = places.get(name.replace("-", "_"))
        if path is None:
            return   # built into the kernel
        with open(path, "rb") as file:
            needs = re.search(rb"\0depends=([^\0]*)\0", file.read())
        for other in needs[1].decode().split(",") if needs else ():
            if other and other not in found:
                add(other)
        found[name] = path

    for name in names:
        add(name)
    return found


def with_files(target, files, initramfs):
    """A copy of the initramfs with more files at its end."""
    shutil.copy(initramfs, target)
    archive = Archive(target, "ab")
    for name, content in files.items():
        archive.add(name, content)
    archive.close()
    return target


def needed_libraries(path, root):
    """File names of all shared libraries, found through one another."""
    wanted, known = [path], {}
    while wanted:
        text = run(["readelf", "-d", wanted.pop()], None, 30, "readelf")
        for name in re.findall(r"\(NEEDED\).*\[(.+)\]", text):
            if name in known:
                continue
            places = [place for folder in ("lib", "usr/lib")
                      for place in glob.glob(os.path.join(
                          root, folder, "x86_64-linux-gnu", name))]
            if not places:
                raise Unavailable(f"no package holds {name}")
            known[name] = os.path.realpath(places[0])
            wanted.append(known[name])
    return known


class LinuxImage:
    """Paths of the made files: kernel (ELF), bzimage, initramfs."""

    def __init__(self, folder, source, page, say):
        self.folder = folder
        self.source = source
        self.root = os.path.join(folder, "root")
        self.kernel = os.path.join(folder, "vmlinux")
        self.bzimage = os.path.join(folder, "bzImage")
        self.initramfs = os.path.join(folder, "initramfs")
        self.release = None
        try:
            self._prepare(page, say)
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def _prepare(self, page, say):
        packages = os.path.join(self.folder, "packages")
        os.makedirs(packages, exist_ok=True)
        kernel = kernel_package()
        wanted = [name for name in (kernel, *PACKAGES)
                  if not glob.glob(os.path.join(packages, name + "_*.deb"))]
        if wanted:
            say(f"linux guest: downloading {' '.join(wanted)}")
            run(["apt-get", "-q", "download", *wanted], packages, 300,
                "download of the Linux guest's packages")
        say("linux guest: unpacking")
        for package in sorted(glob.glob(os.path.join(packages, "*.deb"))):
            run(["dpkg", "-x", package, self.root], None, 120,
                f"unpacking {package}")
        self.release = kernel[len("linux-image-"):]
        self._take_kernel()
        self._write_initramfs(page)

    def _take_kernel(self):
        """The bzImage, and the ELF inside it, which QEMU boots sooner."""
        shutil.copy(os.path.join(self.root, "boot/vmlinuz-" + self.release),
                    self.bzimage)
        with open(self.bzimage, "rb") as file:
            image = file.read()
        for found in re.finditer(rb"\xfd7zXZ\0", image):
            try:
                elf = lzma.LZMADecompressor().decompress(
                    image[found.start():])
            except lzma.LZMAError:
                continue
            if elf.startswith(b"\x7fELF"):
                with open(self.kernel, "wb") as file:
                    file.write(elf)
                return
        raise Unavailable("no ELF kernel found inside the bzImage")

    def _build_apps(self):
        """The same echo app, as an ordinary Linux program."""
        for app, sources in (("echo", ["echo.c"]),):
            target = os.path.join(self.folder, app + "-app")
            run(["gcc", "-O2", "-static", "-D_GNU_SOURCE", "-o", target]
                + [os.path.join(self.source, "apps", name)
                   for name in sources], None, 60, f"compiling {app}")
            yield app + "-app", target

    def _write_initramfs(self, page):
        archive = Archive(self.initramfs)
        for name in ("bin", "dev", "proc", "sys", "run", "var/log/nginx",
                     "var/lib/nginx", "tmp"):
            archive.folder(name)
        archive.character_device("dev/console", 5, 1)
        archive.add("init", INIT.encode(), 0o755)
        archive.add("etc/nginx/nginx.conf", NGINX.encode())
        archive.add("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
        archive.add("etc/group", b"root:x:0:\n")
        archive.add("www/index.html", page)
        libraries = {}
        for name, place in PROGRAMS.items():
            path = os.path.join(self.root, place)
            archive.add_file("bin/" + name, path)
            libraries.update(needed_libraries(path, self.root))
        for name, path in self._build_apps():
            archive.add_file("bin/" + name, path)
        for name, path in libraries.items():
            archive.add_file("lib/x86_64-linux-gnu/" + name, path)
        loader = os.path.join(self.root, "lib/x86_64-linux-gnu",
                              "ld-linux-x86-64.so.2")
        archive.add_file("lib64/ld-linux-x86-64.so.2",
                         os.path.realpath(loader))
        folder = os.path.join(self.root, "lib/modules", self.release,
                              "kernel")
        filters = needed_modules(FILTERS, folder)
        archive.add("filters", "\n".join(filters).encode())
        for name, path in filters.items():
            archive.add_file(f"filter/{name}.ko", path)
        modules = os.path.join(folder, "drivers/net/ethernet/intel")
        for card in CARDS:
            archive.add_file(card + ".ko", os.path.join(
                modules, card, card + ".ko"))
        archive.close()
