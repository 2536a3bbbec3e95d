# SPDX-License-Identifier: MIT
"""Ethernet frames as bytes: just enough to build and to recognise them.

`peer` and `guest` arguments are anything with .mac and .address as text, so
that a StreamPeer and a Host("52:54:00:12:34:56", "10.9.0.2") both do.
"""

import socket
import struct

ARP, IPV4 = 0x0806, 0x0800
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Host:
    def __init__(self, mac, address):
        self.mac = mac
        self.address = address


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(octets):
    return ":".join(f"{octet:02x}" for octet in octets)


def address_bytes(text):
    return socket.inet_aton(text)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(destination, source, ethertype, payload, pad=True):
    frame = (mac_bytes(destination) + mac_bytes(source)
             + struct.pack("!H", ethertype) + payload)
    return frame.ljust(60, b"\0") if pad else frame


def arp(operation, sender, target_mac, target_address, destination=BROADCAST):
    """operation 1 asks who has target_address, 2 answers."""
    return ethernet(
        destination, sender.mac, ARP,
        struct.pack("!HHBBH", 1, IPV4, 6, 4, operation)
        + mac_bytes(sender.mac) + address_bytes(sender.address)
        + mac_bytes(target_mac) + address_bytes(target_address))


def ipv4(sender, target, protocol, payload, ttl=64, identifier=1, flags=0,
         offset=0, options=b"", pad=True):
    length = 20 + len(options) + len(payload)
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | (5 + len(options) // 4), 0, length,
        identifier, flags << 13 | offset // 8, ttl, protocol, 0,
        address_bytes(sender.address), address_bytes(target.address))
    header += options
    total = checksum(header)
    header = header[:10] + struct.pack("!H", total) + header[12:]
    return ethernet(target.mac, sender.mac, IPV4, header + payload, pad)


def icmp_echo(sender, target, payload=b"", identifier=1, sequence=1, **how):
    head = struct.pack("!BBHHH", 8, 0, 0, identifier, sequence)
    total = checksum(head + payload)
    head = head[:2] + struct.pack("!H", total) + head[4:]
    return ipv4(sender, target, ICMP, head + payload, **how)


def pseudo(sender, target, protocol, length):
    return (address_bytes(sender.address) + address_bytes(target.address)
            + struct.pack("!BBH", 0, protocol, length))


def udp(sender, target, source_port, target_port, payload=b"", **how):
    length = 8 + len(payload)
    head = struct.pack("!HHHH", source_port, target_port, length, 0)
    total = checksum(pseudo(sender, target, UDP, length) + head + payload)
    head = head[:6] + struct.pack("!H", total or 0xFFFF)
    return ipv4(sender, target, UDP, head + payload, **how)


def tcp(sender, target, source_port, target_port, sequence, acknowledgment,
        flags, payload=b"", window=65535, options=b"", **how):
    offset = 5 + len(options) // 4
    head = struct.pack("!HHIIBBHHH", source_port, target_port, sequence,
                       acknowledgment, offset << 4, flags, window, 0, 0)
    segment = head + options + payload
    total = checksum(pseudo(sender, target, TCP, len(segment)) + segment)
    segment = segment[:16] + struct.pack("!H", total) + segment[18:]
    return ipv4(sender, target, TCP, segment, **how)


# --- looking at frames ---

def ethertype(frame):
    return struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 14 else 0


def is_arp_request(frame, address=None):
    return (len(frame) >= 42 and ethertype(frame) == ARP
            and frame[20:22] == b"\0\1"
            and (address is None or frame[38:42] == address_bytes(address)))


def is_arp_reply(frame):
    return (len(frame) >= 42 and ethertype(frame) == ARP
            and frame[20:22] == b"\0\2")


def ip_parts(frame):
    """(protocol, source, destination, payload), or None if not IPv4."""
    if ethertype(frame) != IPV4 or len(frame) < 34:
        return None
    header = (frame[14] & 15) * 4
    total = struct.unpack_from("!H", frame, 16)[0]
    return (frame[23], socket.inet_ntoa(frame[26:30]),
            socket.inet_ntoa(frame[30:34]), frame[14 + header:14 + total])


def has_good_checksums(frame):
    """True if the IPv4 header and what it carries verify."""
    parts = ip_parts(frame)
    if parts is None:
        return True
    protocol, source, target, payload = parts
    header = (frame[14] & 15) * 4
    if checksum(frame[14:14 + header]) != 0:
        return False
    if protocol == ICMP:
        return checksum(payload) == 0
    if protocol in (TCP, UDP):
        if protocol == UDP and payload[6:8] == b"\0\0":
            return True
        return checksum(pseudo(Host("", source), Host("", target), protocol,
                               len(payload)) + payload) == 0
    return True


def is_protocol(frame, protocol):
    parts = ip_parts(frame)
    return parts is not None and parts[0] == protocol


def is_echo_reply(frame):
    return is_protocol(frame, ICMP) and ip_parts(frame)[3][:1] == b"\0"


def tcp_parts(frame):
    """A dict of one TCP segment, or None."""
    if not is_protocol(frame, TCP):
        return None
    segment = ip_parts(frame)[3]
    if len(segment) < 20:
        return None
    (source, target, sequence, acknowledgment, offset, flags, window, _,
     _) = struct.unpack_from("!HHIIBBHHH", segment)
    header = (offset >> 4) * 4
    return {"source": source, "target": target, "sequence": sequence,
            "acknowledgment": acknowledgment, "flags": flags & 63,
            "window": window, "options": segment[20:header],
            "payload": segment[header:]}
