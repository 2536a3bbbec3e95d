# SPDX-License-Identifier: MIT
"""echo and discard, over TCP and UDP."""
import resource
import socket
import threading
import time

from support import App, connect, pattern, wait_until


def serve():
    app = App("echo", "-e", "0", "-d", "0")
    app.echo, app.discard = app.ports
    return app


def read_all(sock):
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_tcp_echo_returns_every_byte_then_closes():
    sock = connect(serve().echo)
    data = pattern(5_000_000)
    sender = threading.Thread(
        target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
    sender.start()
    assert read_all(sock) == data
    sender.join()


def test_half_closed_client_gets_the_rest_before_the_fin():
    app = serve()
    sock = connect(app.echo)
    sock.setblocking(False)
    data, sent = pattern(30_000_000), 0
    try:
        while sent < len(data):
            sent += sock.send(data[sent:sent + 65536])
    except BlockingIOError:
        pass
    time.sleep(0.3)
    sock.setblocking(True)
    sock.shutdown(socket.SHUT_WR)
    assert read_all(sock) == data[:sent]


def test_client_that_does_not_read_is_not_read_from():
    app = serve()
    sock = connect(app.echo)
    sock.settimeout(0.5)
    before = app.memory()
    sent = 0
    try:
        while sent < 200_000_000:
            sent += sock.send(b"x" * 65536)
    except socket.timeout:
        pass
    assert sent < 200_000_000 and app.memory() - before < 5_000_000
    other = connect(app.echo)
    other.sendall(b"still there")
    assert other.recv(100) == b"still there"


def test_many_connections_are_echoed():
    app = serve()
    before = app.descriptors()
    socks = [connect(app.echo) for _ in range(500)]
    for number, sock in enumerate(socks):
        sock.sendall(b"%d" % number)
    for number, sock in enumerate(socks):
        assert sock.recv(100) == b"%d" % number
        sock.close()
    wait_until(lambda: app.descriptors() <= before)


def test_beyond_the_limit_the_longest_silent_is_closed():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    app = serve()
    socks = [connect(app.echo) for _ in range(4096)]
    wait_until(lambda: app.descriptors() >= 4096)
    socks[0].sendall(b"the first is loud")
    assert socks[0].recv(100) == b"the first is loud"
    late = connect(app.echo)
    assert socks[1].recv(100) == b""
    for sock in late, socks[0], socks[2], socks[-1]:
        sock.sendall(b"still there")
        assert sock.recv(100) == b"still there"


def test_tcp_discard_takes_all_and_says_nothing():
    sock = connect(serve().discard)
    sock.sendall(pattern(3_000_000))
    sock.shutdown(socket.SHUT_WR)
    assert read_all(sock) == b""


def test_udp_echo_returns_datagrams_of_every_size():
    app = serve()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    for size in 0, 1, 18, 1472, 1473, 9000, 65507:
        data = pattern(size, size)
        sock.sendto(data, ("127.0.0.1", app.echo))
        assert sock.recvfrom(70000)[0] == data, size


def test_udp_discard_and_answering_ports_get_no_answer():
    app = serve()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.3)
    sock.sendto(b"x", ("127.0.0.1", app.discard))
    chargen = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    chargen.settimeout(0.3)
    try:
        chargen.bind(("127.0.0.1", 19))
        chargen.sendto(b"x", ("127.0.0.1", app.echo))
    except PermissionError:
        pass
    for silent in sock, chargen:
        try:
            assert not silent.recv(10), "it answered"
        except socket.timeout:
            pass


def test_words_that_are_not_understood_are_named():
    import subprocess
    import support
    for words in ["stray"], ["-e", "x"], ["-z"]:
        done = subprocess.run([support.binaries["echo"], *words], timeout=5,
                              capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr, words
