# SPDX-License-Identifier: MIT
"""httpd: what an attacker, a broken client or a bad proxy sends."""
import random
import socket
import time

from support import App, Client, fetch, make_site, pattern, request, wait_until

SITE = {"index.html": b"page", "folder/index.html": b"inner",
        "big.bin": pattern(8_000_000)}
WITHOUT_CLIENTS = 5  # the standard three, the listener, the epoll


def serve(*arguments):
    return App("httpd", "-p", "0", "-r", make_site(SITE), *arguments)


def check_refusals(cases, arguments=()):
    """Each is answered with its status, then closed; none hurts the next."""
    app = serve(*arguments)
    for data, status in cases:
        client = Client(app.port)
        client.send(data)
        response = client.read()
        assert response.status == status, (data[:120], response.status)
        assert response.connection == "close", data[:120]
        client.socket.shutdown(socket.SHUT_WR)
        assert client.is_closed(), data[:120]
    assert fetch(app.port).body == b"page"


def head(*lines, first="GET / HTTP/1.1"):
    return "\r\n".join([first, "Host: a", *lines, "", ""]).encode("latin-1")


def test_request_smuggling_is_refused():
    check_refusals([
        (head("Content-Length: 5", "Content-Length: 5"), 400),
        (head("Content-Length: 5", "Content-Length: 6"), 400),
        (head("Content-Length: 5, 5"), 400),
        (head("Content-Length: +5"), 400),
        (head("Content-Length: -5"), 400),
        (head("Content-Length: 0x5"), 400),
        (head("Content-Length: 5 5"), 400),
        (head("Content-Length:"), 400),
        (head("Content-Length: 18446744073709551616"), 400),
        (head("Content-Length: 5", "Transfer-Encoding: chunked"), 400),
        (head("Transfer-Encoding: chunked", "Content-Length: 5"), 400),
        (head("Transfer-Encoding: chunked"), 411),
        (head("Transfer-Encoding: ChUnKeD"), 411),
        (head("Transfer-Encoding: chunked", "Transfer-Encoding: x"), 400),
        (head("Transfer-Encoding: gzip, chunked"), 501),
        (head("Transfer-Encoding: xchunked"), 501),
        (head("Transfer-Encoding:\x0bchunked"), 400),
        (head("Transfer-Encoding : chunked"), 400),
        (head("Transfer-Encoding: chunked", first="GET / HTTP/1.0"), 400),
        (head("Content-Length : 5"), 400),
        (head(" Content-Length: 5"), 400),
        (head("X: a", "\tfolded: b"), 400),
        (head("X: a", " folded"), 400),
        (head("X: a\nContent-Length: 5"), 400),
        (head("X: a\rContent-Length: 5"), 400),
        (head("X: a\0b"), 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    ])


def test_hosts_are_checked():
    check_refusals([
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (head("Host: b"), 400),
        (head("host: a"), 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a,b\xff\r\n\r\n", 400),
    ])
    client = Client(serve().port)
    assert client.ask(host="").status == 200
    assert client.ask(host="[::1]:8080").status == 200


def test_malformed_request_lines_are_refused():
    check_refusals([
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"\0", 400), (b"\xff\xfe", 400), (b" GET / HTTP/1.1\r\n", 400),
        (b"\nGET / HTTP/1.1\r\n", 400), (b"\r\rGET", 400),
        (b"GET\r\n\r\n", 400), (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/11\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        (b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400),
        (b"brew / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ])


def test_sizes_are_limited():
    check_refusals([
        (b"GET /" + b"a" * 2100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000, 431),
        (head(*["X: y"] * 101), 431),
        (head("Content-Length: 65537"), 413),
        (head("Content-Length: 18446744073709551615"), 413),
    ])
    client = Client(serve().port)
    assert client.ask("/" + "a" * 2000).status == 404
    assert client.ask("/", **{f"x{i}": "y" for i in range(99)}).status == 200
    assert client.ask("/", x="a" * 8000).status == 200
    assert client.ask("/" + "%41" * 680).status == 404


def test_no_path_leads_out_of_the_root():
    client = Client(serve().port)
    for target in ("/..", "/../", "/../../etc/passwd", "/folder/../index.html",
                   "/%2e%2e/", "/%2E%2E/etc/passwd", "/.%2e/", "/folder%2f..",
                   "/..%2f..%2fetc%2fpasswd", "/folder/..", "/./..", "//..//",
                   "/%2e%2e%2fetc", "/a/b/../../..", "/folder/%2e%2e"):
        response = client.ask(target)
        assert response.status == 400, (target, response.status)
    for target in ("/..%5c", "/%252e%252e/", "/...", "/..a", "/a..",
                   "/%c0%ae%c0%ae/", "/..%c0%af", "/..;/"):
        response = client.ask(target)
        assert response.status == 404, (target, response.status)


def test_malformed_escapes_and_nul_are_refused():
    client = Client(serve().port)
    for target in ("/%", "/%4", "/%zz", "/%4g", "/index.html%00", "/%00",
                   "/index.html%00.txt", "/%u0041"):
        assert client.ask(target).status == 400, target
    assert client.ask("/").body == b"page"


def test_redirects_cannot_be_turned_elsewhere_or_split():
    app = serve()
    client = Client(app.port)
    for target in "//folder", "///folder", "/%2ffolder", "//folder//.":
        response = client.ask(target)
        assert response.location in ("/folder/", None), target
    response = client.ask("/folder?a=%0d%0aSet-Cookie:x")
    assert response.location == "/folder/?a=%0d%0aSet-Cookie:x"
    assert client.ask("/folder%0d%0aSet-Cookie:x").set_cookie is None


def test_answer_survives_a_client_that_is_still_sending():
    app = serve()
    for _ in range(5):
        client = Client(app.port)
        client.send(head("Content-Length: 200000", first="POST / HTTP/1.1"))
        for _ in range(10):
            time.sleep(0.02)
            client.send(b"x" * 20000)
        assert client.read().status == 413


def test_nothing_is_answered_after_a_refusal():
    client = Client(serve().port)
    client.send(head("Content-Length: a") + request("/") * 5)
    assert client.read().status == 400
    client.socket.shutdown(socket.SHUT_WR)
    assert client.is_closed()


def trickle(client, data, seconds, size=1):
    """`size` bytes every 0.1 s; ends early when the peer has closed."""
    end = time.monotonic() + seconds
    for at in range(0, len(data), size):
        if time.monotonic() > end:
            return
        try:
            client.send(data[at:at + size])
        except OSError:
            return
        time.sleep(0.1)


def test_slow_heads_are_cut_off_in_total_not_per_byte():
    app = serve("--header-timeout=1")
    client = Client(app.port)
    start = time.monotonic()
    trickle(client, request("/", x="y" * 100), 3)
    assert client.read().status == 408
    assert 0.9 < time.monotonic() - start < 8
    wait_until(lambda: app.descriptors() == WITHOUT_CLIENTS)


def test_empty_lines_do_not_put_the_deadline_off():
    app = serve("--header-timeout=1")
    client = Client(app.port)
    # Whole lines: half of one at the deadline is a head, and answered by 408.
    trickle(client, b"\r\n" * 30, 3, size=2)
    assert client.is_closed()


def test_slow_bodies_are_cut_off():
    app = serve("--header-timeout=1")
    client = Client(app.port)
    client.send(head("Content-Length: 1000"))
    trickle(client, b"x" * 100, 3)
    assert client.read().status == 408


def test_silent_connections_are_closed_without_a_word():
    app = serve("--header-timeout=1", "--idle-timeout=1")
    silent, used = Client(app.port), Client(app.port)
    used.ask()
    start = time.monotonic()
    assert used.is_closed() and silent.is_closed()
    assert time.monotonic() - start > 0.8


def test_idle_time_is_counted_anew_after_each_request():
    app = serve("--idle-timeout=5", "--header-timeout=1")
    client = Client(app.port)
    for _ in range(3):
        assert client.ask().status == 200
        time.sleep(1.4)
    assert client.ask().status == 200


def test_clients_that_do_not_read_are_cut_off():
    app = serve("--send-timeout=1")
    stuck = [Client(app.port) for _ in range(20)]
    for client in stuck:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(request("/big.bin") * 4)
    assert fetch(app.port).body == b"page"
    wait_until(lambda: app.descriptors() == WITHOUT_CLIENTS)
    assert "httpd_timeouts_total{phase=\"send\"} 20" in \
        fetch(app.port, "/metrics").body.decode()


def test_pipelining_without_reading_holds_little_and_ends():
    app = serve("--send-timeout=1", "--access-log=off")
    client = Client(app.port)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.socket.settimeout(0.5)
    before = app.memory()
    try:
        while True:
            client.send(request("/nothing") * 100)
    except OSError:
        pass
    assert app.memory() - before < 1_000_000
    wait_until(lambda: app.descriptors() == WITHOUT_CLIENTS)


def test_at_the_limit_the_longest_idle_connection_makes_room():
    app = serve("--max-connections=10")
    clients = [Client(app.port) for _ in range(10)]
    for client in clients:
        client.ask()
    clients[0].ask()
    extra = Client(app.port)
    assert extra.ask().status == 200
    assert clients[1].is_closed()
    assert clients[0].ask().status == 200
    assert all(client.ask().status == 200 for client in clients[2:])


def test_silent_flood_at_the_limit_does_not_lock_others_out():
    app = serve("--max-connections=10")
    flood = [Client(app.port) for _ in range(50)]
    for client in flood[-5:]:
        client.send(b"GET / HT")
    for _ in range(20):
        assert fetch(app.port).status == 200


def test_when_all_are_busy_newcomers_wait_their_turn():
    app = serve("--max-connections=2")
    busy = [Client(app.port) for _ in range(2)]
    for client in busy:
        client.send(request("/big.bin"))
        client.more()
    waiting = Client(app.port)
    waiting.send(request("/"))
    before = app.processor_ticks()
    time.sleep(0.5)
    assert app.processor_ticks() - before < 20, "it spins"
    for client in busy:
        assert client.read().body == SITE["big.bin"]
    assert waiting.read().body == b"page"


def test_random_bytes_and_mutations_do_no_harm():
    app = serve("--header-timeout=1", "--access-log=off")
    chance = random.Random(20)
    good = (request("/", range="bytes=0-1", if_none_match='"a"') +
            head("Content-Length: 3") + b"abc" + request("/folder", "HEAD"))
    for _ in range(400):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            choice = chance.randrange(3)
            if choice == 0:
                data[at] = chance.randrange(256)
            elif choice == 1:
                del data[at:at + chance.randint(1, 20)]
            else:
                data[at:at] = data[:chance.randint(1, 40)]
            data = data or bytearray(b"x")
        client = Client(app.port)
        client.send(bytes(data))
        client.socket.shutdown(socket.SHUT_WR)
        try:
            while client.more():
                pass
        except ConnectionResetError:
            pass
        client.close()
    assert fetch(app.port).body == b"page"
    wait_until(lambda: app.descriptors() == WITHOUT_CLIENTS)
