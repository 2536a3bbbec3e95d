# SPDX-License-Identifier: MIT
"""httpd: what a well-behaved client relies on."""
import os
import time

from support import (App, Client, connect, fetch, make_site, pattern, request)

PAGE = b"<p>" + b"x" * 606 + b"</p"
BIG = pattern(3_000_017)
SITE = {
    "index.html": PAGE,
    "empty.txt": b"",
    "ten.txt": b"0123456789",
    "big.bin": BIG,
    "folder/index.html": b"inner",
    "bare/file.css": b"p{}",
    "a b/\u00e9.html": b"accent",
    "100%.txt": b"percent",
    ".secret": b"no",
    ".git/config": b"no",
    ".well-known/security.txt": b"yes",
    "sub.dir/noext": b"?",
}


def serve(*arguments):
    return App("httpd", "-p", "0", "-r", make_site(SITE), *arguments)


def test_index_page_is_served_whole_with_its_headers():
    response = fetch(serve().port)
    assert response.status == 200 and response.body == PAGE
    assert response.content_type == "text/html; charset=utf-8"
    assert response.etag and response.last_modified and response.date
    assert response.connection is None


def test_small_page_leaves_in_one_segment():
    client = connect(serve().port)
    client.sendall(request("/"))
    first = client.recv(65536)
    assert first.startswith(b"HTTP/1.1 200") and first.endswith(PAGE)


def test_connection_is_kept_between_requests_by_default():
    client = Client(serve().port)
    for _ in range(20):
        assert client.ask("/").body == PAGE
        assert client.ask("/nothing").status == 404


def test_connection_close_is_obeyed_and_announced():
    client = Client(serve().port)
    response = client.ask("/", connection="foo, Close")
    assert response.connection == "close" and client.is_closed()


def test_http10_closes_unless_asked_to_keep():
    app = serve()
    client = Client(app.port)
    assert client.ask("/", version="1.0", host=None).connection == "close"
    assert client.is_closed()
    client = Client(app.port)
    for _ in range(3):
        response = client.ask("/", version="1.0", connection="Keep-Alive")
        assert response.connection == "keep-alive"


def test_pipelined_requests_are_answered_in_order():
    client = Client(serve().port)
    targets = ["/", "/ten.txt", "/nothing", "/big.bin", "/empty.txt"] * 8
    bodies = {"/": PAGE, "/ten.txt": b"0123456789", "/big.bin": BIG,
              "/empty.txt": b""}
    client.send(b"".join(map(request, targets)))
    for target in targets:
        response = client.read()
        assert response.status == (200 if target in bodies else 404)
        assert bodies.get(target, response.body) == response.body


def test_pipeline_may_be_split_at_every_byte():
    app = serve()
    head = request("/ten.txt", range="bytes=2-5", user_agent="split")
    data = (head + b"\r\n" + request("/", "HEAD") +
            request("/", "GET", content_length="3") + b"abc" +
            request("/nothing"))
    for at in range(1, len(data)):
        client = Client(app.port)
        client.send(data[:at])
        time.sleep(0.0005)
        client.send(data[at:])
        assert client.read().body == b"2345", at
        assert client.read(is_head=True).status == 200, at
        assert client.read().body == PAGE, at
        assert client.read().status == 404, at
        client.close()


def test_pipeline_may_be_split_where_the_servers_buffer_ends():
    app = serve()
    for beyond in range(-3, 4):
        client = Client(app.port)
        data = request("/ten.txt")
        while len(data) < 8192 + beyond - 1:
            room = 8192 + beyond - 1 - len(data)
            bare = len(request("/ten.txt", x=""))
            size = room - bare if room < 2 * bare + 1000 else 1000
            data += request("/ten.txt", x="y" * size)
        count = data.count(b"GET")
        client.send(data + b"\r")
        for _ in range(count):
            assert client.read().body == b"0123456789"
        client.send(b"\n" + request("/"))
        assert client.read().body == PAGE, beyond
        client.close()


def test_pipeline_may_come_byte_by_byte():
    client = Client(serve().port)
    for byte in request("/ten.txt") + request("/"):
        client.send(bytes([byte]))
    assert client.read().body == b"0123456789"
    assert client.read().body == PAGE


def test_a_thousand_pipelined_requests_do_not_starve_others():
    app = serve()
    flood = Client(app.port)
    flood.send(request("/") * 1000)
    assert fetch(app.port, "/ten.txt").status == 200
    for _ in range(1000):
        assert flood.read().body == PAGE


def test_half_closed_client_gets_all_its_answers():
    import socket
    client = Client(serve().port)
    client.send(request("/big.bin") + request("/"))
    client.socket.shutdown(socket.SHUT_WR)
    assert client.read().body == BIG and client.read().body == PAGE
    assert client.is_closed()


def test_head_has_the_headers_of_get_and_no_body():
    client = Client(serve().port)
    for target in "/", "/big.bin", "/nothing", "/folder", "/metrics":
        head = client.ask(target, "HEAD")
        get = client.ask(target)
        assert head.status == get.status
        for name in get.headers:
            if target != "/metrics" or name != "content-length":
                assert head.headers[name] == get.headers[name], name
    assert client.held == b""


def test_ranges():
    client = Client(serve().port)
    size = len(BIG)
    cases = {
        "bytes=0-0": (0, 0), "bytes=0-": (0, size - 1),
        "bytes=5-9": (5, 9), "BYTES=5-9": (5, 9),
        "bytes=%d-" % (size - 1): (size - 1, size - 1),
        "bytes=100-99999999999": (100, size - 1),
        "bytes=-1": (size - 1, size - 1), "bytes=-99999999999": (0, size - 1),
        "bytes=1000000-1999999": (1000000, 1999999),
    }
    for value, (first, last) in cases.items():
        response = client.ask("/big.bin", range=value)
        assert response.status == 206, value
        assert response.content_range == f"bytes {first}-{last}/{size}"
        assert response.body == BIG[first:last + 1], value


def test_ranges_beyond_the_end_are_416():
    client = Client(serve().port)
    assert client.ask("/ten.txt").accept_ranges == "bytes"
    assert client.ask("/no.txt").accept_ranges is None
    for value in "bytes=10-", "bytes=10-12", "bytes=-0", "bytes=999999-":
        response = client.ask("/ten.txt", range=value)
        assert response.status == 416, value
        assert response.content_range == "bytes */10"
    assert client.ask("/empty.txt", range="bytes=0-").status == 416


def test_ranges_that_do_not_parse_or_are_many_are_ignored():
    client = Client(serve().port)
    for value in ("bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes",
                  "lines=0-1", "bytes=0-1,3-4", "bytes=0-0x1", "bytes=+0-1",
                  "bytes=99999999999999999999-", "bytes= ", "bytes=--1"):
        response = client.ask("/ten.txt", range=value)
        assert (response.status, response.body) == (200, b"0123456789"), value
    response = client.ask("/ten.txt", "HEAD", range="bytes=0-1")
    assert response.status == 200 and response.content_length == "10"


def test_if_range_guards_a_range():
    client = Client(serve().port)
    whole = client.ask("/ten.txt")
    for value, status in {whole.etag: 206, '"other"': 200,
                          "W/" + whole.etag: 200,
                          whole.last_modified: 206, "nonsense": 200,
                          "Sun, 06 Nov 1994 08:49:37 GMT": 200}.items():
        response = client.ask("/ten.txt", range="bytes=0-1", if_range=value)
        assert response.status == status, value


def test_conditional_requests():
    client = Client(serve().port)
    whole = client.ask("/ten.txt")
    old, new = "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 31 Dec 2100 00:00:00 GMT"
    cases = [
        ({"if_none_match": whole.etag}, 304),
        ({"if_none_match": f'"a", W/{whole.etag},"b"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"a"'}, 200),
        ({"if_modified_since": whole.last_modified}, 304),
        ({"if_modified_since": new}, 304),
        ({"if_modified_since": old}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_none_match": '"a"', "if_modified_since": new}, 200),
        ({"if_match": whole.etag}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"a"'}, 412),
        ({"if_match": "W/" + whole.etag}, 412),
        ({"if_unmodified_since": old}, 412),
        ({"if_unmodified_since": new}, 200),
        ({"if_match": '"a"', "if_none_match": whole.etag}, 412),
    ]
    for fields, status in cases:
        response = client.ask("/ten.txt", **fields)
        assert response.status == status, fields
        if status == 304:
            assert response.etag == whole.etag
            assert response.content_length is None


def test_etag_changes_with_the_file():
    root = make_site({"f.txt": b"one"})
    client = Client(App("httpd", "-p", "0", "-r", root).port)
    etag = client.ask("/f.txt").etag
    with open(root + "/f.txt", "wb") as file:
        file.write(b"three")
    assert client.ask("/f.txt").etag != etag


def test_etag_of_a_file_without_a_time_ends_with_the_run():
    root = make_site({"f.txt": b"one"})

    def serve_anew(content):
        with open(root + "/f.txt", "wb") as file:
            file.write(content)
        os.utime(root + "/f.txt", (0, 0))
        return Client(App("httpd", "-p", "0", "-r", root).port)
    client = serve_anew(b"one")
    first = client.ask("/f.txt")
    assert not first.last_modified
    assert client.ask("/f.txt", if_none_match=first.etag).status == 304
    again = serve_anew(b"two").ask("/f.txt", if_none_match=first.etag)
    assert (again.status, again.body) == (200, b"two")


def test_content_types():
    names = {"a.html": "text/html; charset=utf-8", "a.CSS": "text/css; charset=utf-8",
             "a.js": "text/javascript; charset=utf-8", "a.json": "application/json",
             "a.svg": "image/svg+xml", "a.png": "image/png", "a.jpeg": "image/jpeg",
             "a.woff2": "font/woff2", "a.wasm": "application/wasm",
             "a.txt": "text/plain; charset=utf-8", "a.tar.gz": "application/gzip",
             "noext": "application/octet-stream", "a.zzz": "application/octet-stream"}
    root = make_site({name: b"x" for name in names})
    client = Client(App("httpd", "-p", "0", "-r", root).port)
    for name, expected in names.items():
        assert client.ask("/" + name).content_type == expected, name
    app = serve()
    assert fetch(app.port, "/sub.dir/noext").content_type == \
        "application/octet-stream"


def test_folders_are_redirected_to_their_slash():
    client = Client(serve().port)
    for target, location in {"/folder": "/folder/", "/folder?a=b/c": "/folder/?a=b/c",
                             "//folder": "/folder/", "/a%20b": "/a%20b/",
                             "/./folder": "/folder/",
                             "http://elsewhere/folder": "/folder/"}.items():
        response = client.ask(target)
        assert response.status == 301, target
        assert response.location == location, target
    assert client.ask("/folder/").body == b"inner"
    assert client.ask("/bare/").status == 403


def test_names_are_unescaped_once():
    client = Client(serve().port)
    for target, body in {"/a%20b/%C3%A9.html": b"accent", "/100%25.txt": b"percent",
                         "/%74en.txt": b"0123456789", "/ten.txt?x=%zz": b"0123456789",
                         "/./ten.txt": b"0123456789", "/folder//index.html": b"inner",
                         "/folder%2Findex.html": b"inner"}.items():
        response = client.ask(target)
        assert (response.status, response.body) == (200, body), target
    assert client.ask("/%2574en.txt").status == 404


def test_hidden_files_do_not_exist():
    client = Client(serve().port)
    for target in "/.secret", "/.git/config", "/%2egit/config", "/.git", "/.git/":
        assert client.ask(target).status == 404, target
    assert client.ask("/.well-known/security.txt").body == b"yes"


def test_absolute_form_and_asterisk():
    client = Client(serve().port)
    assert client.ask("http://any.host:80/ten.txt").body == b"0123456789"
    assert client.ask("HTTP://any").body == PAGE
    assert client.ask("http://any?x").body == PAGE
    response = client.ask("*", "OPTIONS")
    assert response.status == 204
    assert response.allow == "GET, HEAD, OPTIONS"


def test_methods_that_are_not_allowed():
    client = Client(serve().port)
    for method in "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT":
        response = client.ask("/", method)
        assert response.status == 405, method
        assert response.allow == "GET, HEAD, OPTIONS"
    assert client.ask("/").status == 200
    assert client.ask("/", "BREW").status == 501 and client.is_closed()


def test_bodies_are_discarded_and_the_connection_goes_on():
    client = Client(serve().port)
    for length in 1, 100, 8192, 65536:
        client.send(request("/", "POST", content_length=length) + b"GET / " *
                    (length // 6) + b"y" * (length % 6))
        assert client.read().status == 405
        client.send(request("/ten.txt", content_length=length) + b"z" * length +
                    request("/"))
        assert client.read().body == b"0123456789"
        assert client.read().body == PAGE


def test_expect_continue():
    app = serve()
    client = Client(app.port)
    client.send(request("/", expect="100-Continue", content_length="3"))
    assert client.read().status == 100
    client.send(b"abc" + request("/ten.txt"))
    assert client.read().body == PAGE
    assert client.read().body == b"0123456789"
    assert client.ask("/", expect="100-continue").status == 200
    client = Client(app.port)
    client.send(request("/", "POST", expect="100-continue", content_length="3"))
    assert client.read().status == 405 and client.is_closed()
    client = Client(app.port)
    assert client.ask("/", expect="tea").status == 417


def test_big_file_is_bit_exact_for_a_slow_reader_and_blocks_nobody():
    app = serve()
    slow = Client(app.port)
    slow.send(request("/big.bin"))
    for _ in range(50):
        assert fetch(app.port, "/ten.txt").status == 200
    time.sleep(0.3)
    assert slow.read().body == BIG
    assert slow.ask("/ten.txt").status == 200


def test_file_that_shrinks_while_sent_ends_the_connection():
    root = make_site({"f": pattern(50_000_000)})
    app = App("httpd", "-p", "0", "-r", root)
    client = Client(app.port)
    client.send(request("/f"))
    client.more()
    os.truncate(root + "/f", 1000)
    while client.more():
        pass
    assert len(client.held) < 50_000_000
    assert fetch(app.port, "/f").status == 200


def test_root_must_be_a_folder_and_words_must_be_known():
    import subprocess
    import support
    for words, text in [(["-r", "/nonexistent"], "not a folder"),
                        (["--nonsense"], "'--nonsense' is not understood"),
                        (["-p"], "'-p' is not understood"),
                        (["-p", "70000"], "'70000' is not understood"),
                        (["--access-log=maybe"], "not understood"),
                        (["stray"], "'stray' is not understood")]:
        done = subprocess.run([support.binaries["httpd"], *words], timeout=5,
                              capture_output=True, text=True)
        assert done.returncode != 0 and text in done.stderr, words
        assert "usage" in done.stderr or "-r" in words


def test_port_in_use_is_said():
    import subprocess
    import support
    app = serve()
    done = subprocess.run([support.binaries["httpd"], "-p", str(app.port)],
                          timeout=5, capture_output=True, text=True)
    assert done.returncode == 1 and "in use" in done.stderr
