# SPDX-License-Identifier: MIT
"""httpd: the built-in page, the counters, the access log."""
import json
import re

from support import App, Client, fetch, make_site, request, wait_until


def test_builtin_page_is_shown_when_there_is_no_site():
    app = App("httpd", "-p", "0")
    page = fetch(app.port, "/")
    assert page.status == 200 and b"ferrule" in page.body
    assert page.content_type == "text/html; charset=utf-8"
    assert fetch(app.port, "/", if_none_match=page.etag).status == 304
    assert fetch(app.port, "/etc/passwd").status == 404
    assert fetch(app.port, "/other").status == 404


def test_builtin_page_loads_nothing_from_elsewhere():
    page = fetch(App("httpd", "-p", "0").port, "/").body.decode()
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "@import" not in page and "url(http" not in page


def test_status_is_there_beside_a_site():
    app = App("httpd", "-p", "0", "-r", make_site({"index.html": b"site"}))
    assert fetch(app.port, "/").body == b"site"
    assert b"<html" in fetch(app.port, "/status").body
    assert fetch(app.port, "/status.json").status == 200
    assert fetch(app.port, "/metrics").status == 200


def test_status_can_be_switched_off():
    app = App("httpd", "-p", "0", "--no-status", "-r",
              make_site({"index.html": b"site"}))
    for target in "/status", "/status.json", "/metrics":
        assert fetch(app.port, target).status == 404, target
    assert fetch(app.port, "/").body == b"site"


def test_json_counts_what_happened():
    app = App("httpd", "-p", "0")
    client = Client(app.port)
    for _ in range(9):
        client.ask("/")
    client.ask("/nothing")
    response = client.ask("/status.json")
    assert response.content_type == "application/json"
    assert response.cache_control == "no-store"
    counters = json.loads(response.body)["counters"]
    assert counters["httpd_requests_total"] == 10
    assert counters['httpd_responses_total{class="4xx"}'] == 1
    assert counters["httpd_connections"] == 1


def test_metrics_are_in_the_prometheus_format():
    response = fetch(App("httpd", "-p", "0").port, "/metrics")
    assert response.content_type == "text/plain; version=0.0.4"
    text = response.body.decode()
    assert text.endswith("\n")
    family, seen, samples = None, set(), 0
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in seen, "a family in two places"
            seen.add(family)
        elif line.startswith("# TYPE "):
            kind = "counter" if family.endswith("_total") else "gauge"
            assert line == f"# TYPE {family} {kind}"
        else:
            match = re.fullmatch(
                r'([a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? (\d+)',
                line)
            assert match and match[1] == family, line
            samples += 1
    assert samples >= 15


def test_access_log_has_a_line_per_request():
    app = App("httpd", "-p", "0", "-r", make_site({"f.txt": b"12345"}))
    client = Client(app.port)
    client.ask("/f.txt")
    client.ask("/f.txt", "HEAD")
    client.ask("/no\"such\\page")
    client.send(b"GET /\x1b[2J HTTP/1.1\r\n\r\n")
    assert client.read().status == 400
    wait_until(lambda: app.output().count("\n") == 5)
    lines = app.output().splitlines()[1:]
    form = (r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
            r'"([^"\x00-\x1f]*)" (\d{3}) (\d+) \d+\.\d{6}')
    got = [re.fullmatch(form, line).groups() for line in lines]
    assert got[0] == ("GET /f.txt HTTP/1.1", "200", "5")
    assert got[1] == ("HEAD /f.txt HTTP/1.1", "200", "0")
    assert got[2][0] == r"GET /no\x22such\x5cpage HTTP/1.1"
    assert got[3][:2] == (r"GET /\x1b[2J HTTP/1.1", "400")


def test_access_log_says_how_much_of_a_big_file_went_out():
    app = App("httpd", "-p", "0", "-r", make_site({"f": b"x" * 9_000_000}))
    client = Client(app.port)
    assert len(client.ask("/f").body) == 9_000_000
    wait_until(lambda: '"GET /f HTTP/1.1" 200 9000000' in app.output())
    client = Client(app.port)
    client.send(request("/f"))
    client.more()
    client.close()
    wait_until(lambda: app.output().count("GET /f") == 2)
    sent = int(app.output().splitlines()[-1].split()[-2])
    assert 0 < sent < 9_000_000


def test_access_log_can_be_switched_off():
    app = App("httpd", "-p", "0", "--access-log=off")
    fetch(app.port, "/")
    fetch(app.port, "/")
    assert app.output().count("\n") == 1
