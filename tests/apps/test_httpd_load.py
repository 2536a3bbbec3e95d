# SPDX-License-Identifier: MIT
"""httpd: many connections, little memory, nothing lost over time."""
import resource
import socket
import struct

from support import App, Client, fetch, make_site, pattern, request, wait_until

BIG = pattern(1_000_003)
SITE = {"index.html": b"x" * 612, "big.bin": BIG}


def raise_limit():
    """As many descriptors as allowed and useful; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def serve(*arguments):
    raise_limit()
    return App("httpd-plain", "-p", "0", "-r", make_site(SITE), *arguments)


def test_a_thousand_clients_at_once():
    app = serve("--access-log=off")
    clients = [Client(app.port) for _ in range(1000)]
    for _ in range(3):
        for client in clients:
            client.send(request())
        for client in clients:
            assert client.read().body == SITE["index.html"]


def test_two_hundred_big_downloads_at_once_are_bit_exact():
    app = serve("--access-log=off")
    clients = [Client(app.port) for _ in range(200)]
    for client in clients:
        client.send(request("/big.bin"))
    for client in clients:
        assert client.read().body == BIG


def test_idle_connection_holds_less_than_a_kibibyte():
    app = serve("--access-log=off")
    first = [Client(app.port) for _ in range(100)]
    for client in first:
        client.ask()
    before = app.memory()
    number = min(3000, raise_limit() - 200)
    clients = [Client(app.port) for _ in range(number)]
    for client in clients:
        client.ask()
    assert (app.memory() - before) / number < 1024


def test_connections_one_after_another_leave_nothing_behind():
    app = serve("--access-log=off")
    fetch(app.port)
    before = app.descriptors(), app.memory()
    for number in range(5000):
        client = Client(app.port)
        if number % 5 == 0:
            client.send(b"GET / HT")
        elif number % 5 == 1:
            client.send(request("/big.bin"))
        else:
            assert client.ask(connection="close").status == 200
        if number % 2 == 0:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
        client.close()
    wait_until(lambda: app.descriptors() <= before[0])
    assert app.memory() - before[1] < 2_000_000


def test_running_out_of_descriptors_evicts_instead_of_spinning():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        app = App("httpd-plain", "-p", "0", "-r", make_site(SITE),
                  "--access-log=off")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    clients = [Client(app.port) for _ in range(150)]
    for client in clients[-20:]:
        assert client.ask().body == SITE["index.html"]
    assert app.processor_ticks() < 50, "it spins"


def test_bursts_of_half_requests_give_their_memory_back():
    app = serve("--access-log=off")
    memory = []
    for _ in range(20):
        clients = [Client(app.port) for _ in range(200)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 5000)
        assert fetch(app.port).status == 200
        for client in clients:
            client.close()
        memory.append(app.memory())
    assert memory[-1] - memory[0] < 2_000_000
