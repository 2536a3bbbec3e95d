#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients that cost a server places: for as long as it is told to.

Connections that never send a byte, requests that come a byte at a time, and
readers that take a large answer a few bytes at a time through a small window.
Whoever is closed by the server comes again. Prints how often that was, at the
end.

usage: slow_clients.py ADDRESS PORT SECONDS SILENT WRITERS READERS PATH
"""

import heapq
import selectors
import socket
import sys
import time

REQUEST = b"GET %s HTTP/1.1\r\nHost: slow\r\nX-Filler: " + b"x" * 2000
SILENT_EVERY = 2.0    # seconds until one that was closed comes again
BYTE_EVERY = 0.5      # seconds between two bytes of a writer
READ_EVERY = 0.2      # between two reads of a reader
READ_BYTES = 100
OPENED_AT_ONCE = 20   # and 10 ms later the next ones
WINDOW = 2048


class Client:
    def __init__(self, kind):
        self.kind = kind
        self.socket = None
        self.sent = 0


class Crowd:
    def __init__(self, address, path):
        self.address = address
        self.path = path.encode()
        self.selector = selectors.DefaultSelector()
        self.due = []
        self.order = 0
        self.opened = 0

    def at(self, when, client):
        self.order += 1
        heapq.heappush(self.due, (when, self.order, client))

    def open(self, client, now):
        client.socket = socket.socket()
        client.sent = 0
        if client.kind == "reader":
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     WINDOW)
        client.socket.setblocking(False)
        client.socket.connect_ex(self.address)
        self.opened += 1
        if client.kind != "reader":
            self.selector.register(client.socket, selectors.EVENT_READ,
                                   client)
        self.at(now + (SILENT_EVERY if client.kind == "silent"
                       else BYTE_EVERY), client)

    def again(self, client, now):
        if client.socket is not None and client.kind != "reader":
            self.selector.unregister(client.socket)
        if client.socket is not None:
            client.socket.close()
        client.socket = None
        self.at(now + 0.1, client)

    def turn(self, client, now):
        """What it does when its time has come."""
        if client.socket is None:
            self.open(client, now)
            return
        try:
            if client.kind == "writer":
                text = REQUEST % self.path
                client.sent += client.socket.send(
                    text[client.sent % len(text):][:1])
                self.at(now + BYTE_EVERY, client)
            elif client.kind == "reader":
                if client.sent == 0:
                    client.sent = client.socket.send(
                        b"GET %s HTTP/1.1\r\nHost: slow\r\n\r\n" % self.path)
                elif not client.socket.recv(READ_BYTES):
                    raise ConnectionResetError
                self.at(now + READ_EVERY, client)
            else:
                self.at(now + SILENT_EVERY, client)
        except BlockingIOError:
            self.at(now + READ_EVERY, client)
        except OSError:
            self.again(client, now)

    def run(self, clients, seconds):
        now = time.monotonic()
        end = now + seconds
        for number, client in enumerate(clients):
            self.at(now + number // OPENED_AT_ONCE * 0.01, client)
        while now < end:
            wait = max(0.0, self.due[0][0] - now) if self.due else 0.1
            for key, _ in self.selector.select(min(wait, end - now)):
                try:
                    if key.data.socket.recv(4096):
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                # Its time in the heap stays; then it is opened.
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
                key.data.socket = None
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                self.turn(heapq.heappop(self.due)[2], now)


def main():
    address, port, seconds, silent, writers, readers, path = sys.argv[1:]
    clients = ([Client("silent") for _ in range(int(silent))]
               + [Client("writer") for _ in range(int(writers))]
               + [Client("reader") for _ in range(int(readers))])
    crowd = Crowd((address, int(port)), path)
    crowd.run(clients, float(seconds))
    print(f"{crowd.opened} opened, {len(clients)} at a time")


if __name__ == "__main__":
    main()
