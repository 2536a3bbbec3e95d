# SPDX-License-Identifier: MIT
"""Builds the apps for Linux, starts them, and speaks HTTP by hand.

Two builds of each: one with sanitizers, used wherever nothing is measured,
and one as it would run; and httpd once more, reading stand-ins for the files
that ferrule's kernel offers.
"""
import concurrent.futures
import contextlib
import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
FLAGS = ("-std=c17 -D_DEFAULT_SOURCE -g -Wall -Wextra -Wshadow -Wconversion "
         "-Wvla -Wundef -Wmissing-prototypes -Wstrict-prototypes "
         "-Wswitch-enum -Werror").split()
SANITIZERS = ("-O1 -fsanitize=address,undefined "
              "-fno-sanitize-recover=all").split()
PATIENCE = 10.0  # seconds that any one answer may take

binaries = {}
kernel_files = {}  # stand-ins for files of /proc/ferrule
running = []
temporary = None  # a folder for logs and sites, while tests run


@contextlib.contextmanager
def own_folder():
    global temporary
    temporary = tempfile.mkdtemp(prefix="apps-test-")
    yield
    shutil.rmtree(temporary, ignore_errors=True)


def compile_program(output, sources, flags):
    newest = max(map(os.path.getmtime, sources + headers()))
    if os.path.exists(output) and os.path.getmtime(output) > newest:
        return output
    compiler = os.environ.get("HOST_CC", "gcc")
    subprocess.run([compiler, *FLAGS, *flags, "-iquote", TOP, "-o", output,
                    *[s for s in sources if s.endswith(".c")]], check=True)
    return output


def headers():
    return (glob.glob(TOP + "/apps/*/*.h") +
            glob.glob(TOP + "/apps/*/site/*") + [__file__])


def build(folder):
    os.makedirs(folder, exist_ok=True)
    page = folder + "/site.c"
    with open(page + ".new", "w") as file:
        subprocess.run([TOP + "/tools/embed", "site_page",
                        TOP + "/apps/httpd/site/index.html"],
                       stdout=file, check=True)
    os.replace(page + ".new", page)
    kernel_files.update(counters=f"{folder}/counters",
                        loglevel=f"{folder}/loglevel")
    sources = {
        "httpd": glob.glob(TOP + "/apps/httpd/*.c") + [page],
        "echo": [TOP + "/apps/echo.c"],
        "stream": glob.glob(TOP + "/apps/stream/*.c"),
        "iperf3": glob.glob(TOP + "/apps/iperf3/*.c"),
        "gateway": glob.glob(TOP + "/apps/gateway/*.c") + [page] + [
            name for name in glob.glob(TOP + "/apps/httpd/*.c")
            if not name.endswith("/main.c")],
        "stream_client": [TOP + "/tests/apps/stream_client.c",
                          TOP + "/apps/stream/pattern.c"],
    }
    # The gateway's stand-ins lie where it is started.
    checked = {"gateway": ['-DMACHINE_FILES="machine/"']}
    programs = {}
    for name, files in sources.items():
        programs[name] = (f"{folder}/{name}-checked", files,
                          SANITIZERS + checked.get(name, []))
        if name != "gateway":
            programs[name + "-plain"] = (f"{folder}/{name}", files, ["-O2"])
    programs["httpd-on-ferrule"] = (
        f"{folder}/httpd-on-ferrule", sources["httpd"],
        SANITIZERS + [f'-D{name.upper()}_PATH="{path}"'
                      for name, path in kernel_files.items()])
    with concurrent.futures.ThreadPoolExecutor(2) as compilers:
        outputs = compilers.map(lambda program: compile_program(*program),
                                programs.values())
        binaries.update(zip(programs, outputs))


class App:
    """A running app. `ports` are the numbers of its first line."""

    def __init__(self, name, *arguments):
        self.log_path = os.path.join(temporary, f"log-{len(os.listdir(temporary))}")
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [binaries[name], *arguments], stdout=self.log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        running.append(self)
        wait_until(lambda: "\n" in self.output() or self.process.poll() is not None)
        assert self.process.poll() is None, self.output()
        self.ports = [int(n) for n in re.findall(
            r"port (\d+)", self.output().split("\n")[0])]
        self.port = self.ports[0]

    def output(self):
        with open(self.log_path, "rb") as file:
            return file.read().decode("latin-1")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024

    def processor_ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().split()
        return int(fields[13]) + int(fields[14])

    def stop(self):
        died = self.process.poll()
        if died is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        return died


def stop_all():
    died = [app.output()[-4000:] for app in running if app.stop() is not None]
    running.clear()
    assert not died, "an app died:\n" + "\n".join(died)


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getattr__(self, name):
        """response.content_type is the header, or None."""
        return self.headers.get(name.replace("_", "-"))


class Client:
    """One connection; reads responses out of what arrives."""

    def __init__(self, port):
        self.socket = connect(port)
        self.held = b""

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        self.held += data
        return bool(data)

    def read(self, is_head=False):
        while b"\r\n\r\n" not in self.held:
            assert self.more(), f"closed before a response: {self.held[:200]}"
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.1 \d{3} [A-Za-z -]+", lines[0]), lines
        pairs = [line.split(": ", 1) for line in lines[1:]]
        names = [name.lower() for name, _ in pairs]
        assert len(set(names)) == len(names), f"repeated header: {lines}"
        response = Response(int(lines[0].split()[1]),
                            {name.lower(): value for name, value in pairs}, b"")
        if is_head or response.status in (100, 204, 304):
            return response
        length = int(response.content_length)
        while len(self.held) < length:
            assert self.more(), "closed before the body's end"
        response.body, self.held = self.held[:length], self.held[length:]
        return response

    def ask(self, target="/", method="GET", version="1.1", **fields):
        self.send(request(target, method, version, **fields))
        return self.read(method == "HEAD")

    def is_closed(self, seconds=PATIENCE):
        """True if the peer says no more and closes within that time."""
        self.socket.settimeout(seconds)
        try:
            return self.held == b"" and not self.more()
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    def close(self):
        self.socket.close()


def request(target="/", method="GET", version="1.1", **fields):
    """fields: if_none_match="x" becomes "If-None-Match: x"; None omits."""
    lines = [f"{method} {target} HTTP/{version}"]
    fields = {"host": "test", **fields}
    for name, value in fields.items():
        if value is not None:
            lines.append(f"{name.replace('_', '-')}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def fetch(port, target="/", method="GET", **fields):
    client = Client(port)
    response = client.ask(target, method, **fields)
    client.close()
    return response


def make_site(files):
    """A folder with the given {path: bytes}."""
    root = tempfile.mkdtemp(dir=temporary)
    for path, content in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
    return root


def pattern(length, seed=1):
    """Bytes that repeat with no short period."""
    block = bytes((i * i * 31 + i * seed + (i >> 8)) & 255
                  for i in range(65521))
    return (block * (length // len(block) + 1))[:length]
