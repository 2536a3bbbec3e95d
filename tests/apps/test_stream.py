# SPDX-License-Identifier: MIT
"""stream and its client: bulk transfers are checked byte by byte."""
import subprocess

import support
from support import App, connect


def transfer(port, direction, length, seed):
    return subprocess.run(
        [support.binaries["stream_client-plain"], "127.0.0.1", str(port),
         direction, str(length), str(seed)],
        timeout=60, capture_output=True, text=True)


def test_transfers_of_all_sizes_arrive():
    app = App("stream", "-p", "0")
    for length in 0, 1, 7, 8, 9, 65535, 65537, 20_000_001:
        for direction in "get", "put":
            done = transfer(app.port, direction, length, 42)
            assert done.returncode == 0, (direction, length, done.stdout)


def test_gibibyte_arrives_bit_exact():
    app = App("stream-plain", "-p", "0")
    for direction in "get", "put":
        done = transfer(app.port, direction, 1 << 30, 7)
        assert done.returncode == 0, done.stdout


def exchange(sock, data):
    sock.sendall(data)
    answer = b""
    while not answer.endswith(b"\n"):
        part = sock.recv(1000)
        assert part
        answer += part
    return answer


def receive(sock, length):
    data = b""
    while len(data) < length:
        part = sock.recv(length - len(data))
        assert part
        data += part
    return data


def test_one_wrong_byte_is_found_where_it_is():
    sock = connect(App("stream", "-p", "0").port)
    sock.sendall(b"GET 100000 5\n")
    good = receive(sock, 100000)
    assert exchange(sock, b"PUT 100000 5\n" + good) == b"ok\n"
    for at in 0, 1, 511, 512, 77777, 99999:
        bad = bytearray(good)
        bad[at] ^= 0x10
        assert exchange(sock, b"PUT 100000 5\n" + bad) == b"bad at %d\n" % at
    bad = good[:500] + good[501:] + b"x"
    assert exchange(sock, b"PUT 100000 5\n" + bad).startswith(b"bad at 50")


def test_other_lines_end_the_connection():
    app = App("stream", "-p", "0")
    for line in b"HELLO\n", b"GET x 1\n", b"GET 1\n", b"G" * 100, b"GET 1 2 3\n":
        sock = connect(app.port)
        sock.sendall(line)
        try:
            assert sock.recv(10) == b"", line
        except ConnectionResetError:
            pass
    assert transfer(app.port, "get", 10, 1).returncode == 0
