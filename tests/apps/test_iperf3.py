# SPDX-License-Identifier: MIT
"""iperf3: the real client is served, others end only their own test."""
import json
import random
import shutil
import socket
import struct
import subprocess
import time

import support
from support import App, connect, wait_until

COOKIE = b"c" * 36 + b"\0"
DENIED, ERROR = b"\xff", b"\xfe"
PARAMETERS, STREAMS, START, RUNNING = b"\x09", b"\x0a", b"\x01", b"\x02"
END, EXCHANGE, DISPLAY, DONE = b"\x04", b"\x0d", b"\x0e", b"\x10"
TCP = {"tcp": True, "parallel": 1, "len": 1000, "time": 60}
RESULTS = {"cpu_util_total": 0, "cpu_util_user": 0, "cpu_util_system": 0,
           "sender_has_retransmits": 0,
           "streams": [{"id": 1, "bytes": 0, "retransmits": 0, "jitter": 0,
                        "errors": 0, "packets": 0}]}


def run_client(app, *options):
    """The real client; its JSON."""
    done = subprocess.run(
        ["iperf3", "-c", "127.0.0.1", "-p", str(app.port), "-J", *options],
        timeout=30, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert done.returncode == 0, said.get("error", done.stderr)
    return said["end"]


def begin(app, cookie=COOKIE):
    control = connect(app.port)
    control.sendall(cookie)
    return control


def say(control, message):
    text = message if isinstance(message, bytes) else json.dumps(
        message).encode()
    control.sendall(struct.pack(">I", len(text)) + text)


def expect(control, *steps):
    for step in steps:
        heard = control.recv(1)
        assert heard == step, f"{heard} instead of {step}"


def read_json(control):
    def exactly(length):
        data = b""
        while len(data) < length:
            part = control.recv(length - len(data))
            assert part
            data += part
        return data
    return json.loads(exactly(struct.unpack(">I", exactly(4))[0]))


def still_serves(app):
    end = run_client(app, "-n", "1M")
    assert end["sum_received"]["bytes"] > 0


def start_test(app, parameters=None):
    control = begin(app)
    expect(control, PARAMETERS)
    say(control, parameters or TCP)
    expect(control, STREAMS)
    stream = begin(app)
    expect(control, START, RUNNING)
    return control, stream


if shutil.which("iperf3"):
    def test_real_client_gets_its_figures_over_tcp():
        app = App("iperf3", "-p", "0")
        for options in ((), ("-R",), ("-P", "8"), ("-P", "8", "-R"),
                        ("-l", "777"), ("-w", "64K", "-N")):
            end = run_client(app, "-t", "1", *options)
            assert end["sum_sent"]["bytes"] > 1e6, options
            assert end["sum_received"]["bytes"] > 1e6, options
            assert len(end["streams"]) == (8 if "-P" in options else 1)

    def test_real_client_sends_so_many_bytes_or_blocks():
        app = App("iperf3", "-p", "0")
        assert run_client(app, "-n", "5M")["sum_sent"]["bytes"] >= 5 << 20
        assert run_client(app, "-R", "-n",
                          "5M")["sum_received"]["bytes"] >= 5 << 20
        assert run_client(app, "-k", "50")["sum_sent"]["bytes"] > 0

    def test_real_client_sends_both_ways_at_once():
        end = run_client(App("iperf3", "-p", "0"), "--bidir", "-t", "1")
        for name in ("sum_sent", "sum_received", "sum_sent_bidir_reverse",
                     "sum_received_bidir_reverse"):
            assert end[name]["bytes"] > 1e6, name

    def test_real_client_gets_its_figures_over_udp():
        app = App("iperf3", "-p", "0")
        for options in ((), ("-R",), ("-P", "2"), ("--udp-counters-64bit",),
                        ("-R", "--udp-counters-64bit", "-l", "500")):
            end = run_client(app, "-u", "-b", "8M", "-t", "1", *options)
            streams = 2 if "-P" in options else 1
            assert 0.6e6 * streams < end["sum"]["bytes"] < 1.6e6 * streams
            assert end["sum"]["lost_percent"] < 30
            assert end["sum"]["jitter_ms"] < 100

    def test_rate_of_what_we_send_is_what_was_asked_for():
        app = App("iperf3", "-p", "0")
        end = run_client(app, "-R", "-b", "20M", "-t", "2", "-l", "8K")
        rate = end["sum_received"]["bits_per_second"]
        assert 12e6 < rate < 26e6, rate

    def test_omitted_seconds_are_not_counted():
        app = App("iperf3", "-p", "0")
        end = run_client(app, "-O", "1", "-t", "1", "-b", "8M")
        assert end["sum_received"]["bytes"] < 1.6e6

    def test_second_client_is_told_that_the_server_is_busy():
        app = App("iperf3", "-p", "0")
        control, _ = start_test(app)
        done = subprocess.run(
            ["iperf3", "-c", "127.0.0.1", "-p", str(app.port), "-J"],
            timeout=30, capture_output=True, text=True, check=False)
        assert "busy" in json.loads(done.stdout)["error"]
        control.sendall(END)
        expect(control, EXCHANGE)

    def test_client_is_served_after_others_did_it_wrong():
        app = App("iperf3", "-p", "0")
        for message in (b"{", b"[]", {"tcp": True, "parallel": 5000},
                        {"sctp": True}, b"\0" * 1000, b"[" * 8000):
            control = begin(app)
            expect(control, PARAMETERS)
            say(control, message)
            expect(control, ERROR)
            number, _ = struct.unpack(">II", control.recv(8))
            assert number == 114, "unable to receive parameters"
            assert control.recv(1) == b""
        still_serves(app)


def test_steps_come_in_their_order_and_count_every_byte():
    app = App("iperf3", "-p", "0")
    control, stream = start_test(app)
    stream.sendall(b"x" * 54321)
    control.sendall(END)
    expect(control, EXCHANGE)
    say(control, RESULTS)
    results = read_json(control)
    assert results["streams"][0]["id"] == 1
    assert results["streams"][0]["bytes"] == 54321
    expect(control, DISPLAY)
    control.sendall(DONE)
    assert control.recv(1) == b""


def test_hostile_lengths_are_refused():
    app = App("iperf3", "-p", "0")
    for length in 0, 8193, 1 << 31, (1 << 32) - 1:
        control = begin(app)
        expect(control, PARAMETERS)
        control.sendall(struct.pack(">I", length))
        expect(control, ERROR)


def test_hostile_second_cookie_is_denied_while_a_test_runs():
    app = App("iperf3", "-p", "0")
    control, stream = start_test(app)
    for cookie in b"d" * 37, COOKIE:  # all streams are there already
        expect(begin(app, cookie), DENIED)
    stream.sendall(b"x" * 1000)
    control.sendall(END)
    expect(control, EXCHANGE)


def test_hostile_steps_out_of_order_end_the_test():
    app = App("iperf3", "-p", "0")
    for step in START, DISPLAY, DONE, b"\x00", b"\x7f", DENIED:
        control, _ = start_test(app)
        control.sendall(step)
        assert control.recv(1) in (b"", ERROR), step
    control, _ = start_test(app)
    control.sendall(END)
    expect(control, EXCHANGE)
    say(control, {"streams": [{"no": 1}]})
    expect(control, ERROR)


def test_hostile_silence_before_the_cookie_locks_nobody_out():
    app = App("iperf3", "-p", "0")
    silent = [connect(app.port) for _ in range(100)]
    for sock in silent[:50]:
        sock.sendall(b"half")
    control, _ = start_test(app)
    control.sendall(END)
    expect(control, EXCHANGE)


def test_client_that_goes_away_frees_the_server():
    app = App("iperf3", "-p", "0")
    idle = app.descriptors()
    for gone, step in enumerate(("greeting", "streams", "test", "half a test")):
        control = begin(app)
        if step != "greeting":
            expect(control, PARAMETERS)
            say(control, {**TCP, "reverse": step == "half a test"})
            expect(control, STREAMS)
        if "test" in step:
            # Seen to be taken: a stream that is met only after its control
            # connection has ended would be a new client.
            stream = begin(app)
            expect(control, START, RUNNING)
        if step == "half a test":
            stream.recv(1000)
            stream.close()
        control.close()
        # Its line first: what was not accepted yet has no descriptor either.
        wait_until(lambda: app.output().count("went away") > gone)
        wait_until(lambda: app.descriptors() == idle)
    control, _ = start_test(app)
    control.close()


def test_the_client_hears_that_the_test_runs_before_the_first_datagram():
    """Nagle would hold that back until the client acknowledges TEST_START, for
    40 ms or so, and what is sent meanwhile nobody reads."""
    control = begin(app := App("iperf3", "-p", "0"))
    expect(control, PARAMETERS)
    say(control, {"udp": True, "reverse": True, "parallel": 1, "len": 1000,
                  "time": 60, "bandwidth": 10_000_000})
    expect(control, STREAMS)
    stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stream.settimeout(5)
    stream.connect(("127.0.0.1", app.port))
    stream.send(b"9876")
    assert stream.recv(100) == b"6789"
    assert len(stream.recv(2000)) == 1000
    control.setblocking(False)
    assert control.recv(100) == START + RUNNING


def test_hostile_datagrams_of_strangers_are_not_streams():
    app = App("iperf3", "-p", "0")
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.settimeout(0.3)
    stranger.sendto(b"1234", ("127.0.0.1", app.port))
    control = begin(app)
    expect(control, PARAMETERS)
    say(control, TCP)
    expect(control, STREAMS)
    stranger.sendto(b"1234", ("127.0.0.1", app.port))
    try:
        assert not stranger.recv(10)
    except socket.timeout:
        pass


def test_hostile_bytes_at_random_do_no_harm():
    app = App("iperf3", "-p", "0")
    chance = random.Random(7)
    for _ in range(150):
        control = begin(app, chance.randbytes(37))
        try:
            if control.recv(1) == PARAMETERS:
                if chance.random() < 0.5:
                    text = bytearray(json.dumps(TCP).encode())
                    text[chance.randrange(len(text))] = chance.randrange(256)
                    say(control, bytes(text))
                control.sendall(chance.randbytes(chance.randrange(50)))
        except OSError:
            pass
        control.close()
    end = time.monotonic() + 10
    while True:
        control = begin(app)
        if control.recv(1) == PARAMETERS:
            return
        assert time.monotonic() < end


def test_words_that_are_not_understood_are_named():
    for words in (["-p", "65536"], ["-p", "12x"], ["-p"], ["foo"],
                  ["-p", "0", "more"]):
        done = subprocess.run([support.binaries["iperf3"], *words],
                              capture_output=True, text=True, timeout=10,
                              check=False)
        assert done.returncode == 2, words
        assert f"'{words[-1]}' is not understood" in done.stderr, done.stderr
    done = subprocess.run([support.binaries["iperf3"], "--help"],
                          capture_output=True, text=True, timeout=10,
                          check=False)
    assert done.returncode == 0 and done.stdout.startswith("usage: iperf3")
