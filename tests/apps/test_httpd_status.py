# SPDX-License-Identifier: MIT
"""httpd: the built-in page, the counters, the access log."""
import json
import re

import support
from support import App, Client, fetch, make_site, request, wait_until

ONE_BY_ONE = True  # the stand-ins for the kernel's files


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


def on_ferrule(counters, loglevel, *arguments):
    for name, text in (("counters", counters), ("loglevel", loglevel)):
        with open(support.kernel_files[name], "w") as file:
            file.write(text)
    return App("httpd-on-ferrule", "-p", "0", *arguments)


def test_counters_of_the_kernel_are_shown_beside_its_own():
    app = on_ferrule('nic_rx_packets_total{device="eth0"} 5 Packets.\n'
                     'pool_free{pool="a b"} 7 Free.\n'
                     'nic_rx_packets_total{device="eth1"} 6 Packets.\n'
                     'cut short', "7\n")
    counters = json.loads(fetch(app.port, "/status.json").body)["counters"]
    assert counters['nic_rx_packets_total{device="eth1"}'] == 6
    assert counters['pool_free{pool="a b"}'] == 7
    assert counters["httpd_requests_total"] == 0
    assert not any(name.startswith("cut") for name in counters)
    metrics = fetch(app.port, "/metrics").body.decode()
    assert ("# HELP nic_rx_packets_total Packets.\n"
            "# TYPE nic_rx_packets_total counter\n"
            'nic_rx_packets_total{device="eth0"} 5\n'
            'nic_rx_packets_total{device="eth1"} 6\n') in metrics


def test_a_thousand_counters_are_no_problem():
    lines = "".join(f"c{i:04} {i} Help.\n".replace("c", "c" + "x" * (i % 40))
                    for i in range(1000))
    app = on_ferrule(lines, "7\n")
    counters = json.loads(fetch(app.port, "/status.json").body)["counters"]
    assert sum(1 for name in counters if name.startswith("c")) == 1000
    assert fetch(app.port, "/metrics").body.count(b"# HELP c") == 1000


def test_access_log_follows_the_log_level_of_the_console():
    forced = on_ferrule("", "4\n", "--access-log")
    fetch(forced.port, "/")
    wait_until(lambda: "GET / " in forced.output())
    for level, wanted in ("7\n", True), ("8", True), ("6\n", False), \
            ("4\n", False), ("", True), ("debug\n", True), ("warn\n", False):
        app = on_ferrule("", level)
        fetch(app.port, "/")
        fetch(app.port, "/")
        if wanted:
            wait_until(lambda: app.output().count("GET / ") == 2)
        else:
            assert "GET" not in app.output(), level
