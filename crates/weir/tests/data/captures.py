#!/usr/bin/env python3
"""Writes the captures of this folder anew: host.pcap and host.pcapng.

A minute and a half of 10.0.0.10: an SSH connection and a refused try of 3389
from outside, a DNS query, a ping, a datagram in two fragments over a VLAN, ARP,
a broken packet, and a packet of two other hosts.
"""

import struct
import sys

START = 1_700_000_040
OWN, PEER, DNS = "10.0.0.10", "203.0.113.12", "10.0.0.2"


def address(text):
    return bytes(int(part) for part in text.split("."))


def ip(src, dst, protocol, payload, flags=0, identity=0):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identity, flags, 64, protocol, 0)
    return head + address(src) + address(dst) + payload


def tcp(src, dst, ports, flags, seq=0, ack=0, payload=b""):
    return ip(src, dst, 6, struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 1024, 0, 0) + payload)


def udp(src, dst, ports, payload):
    return ip(src, dst, 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload)


def ethernet(packet, kind=b"\x08\x00", tag=b""):
    return bytes.fromhex("020000000001" "020000000002") + tag + kind + packet


def packets():
    """Seconds, whether 10.0.0.10 sent it, the frame."""
    there, back = (40000, 22), (22, 40000)
    yield 1.0, False, ethernet(tcp(PEER, OWN, there, 0x02, 100))
    yield 1.001, True, ethernet(tcp(OWN, PEER, back, 0x12, 500, 101))
    yield 1.002, False, ethernet(tcp(PEER, OWN, there, 0x10, 101, 501))
    yield 1.5, True, ethernet(tcp(OWN, PEER, back, 0x18, 501, 101, b"SSH-2.0-example\r\n"))
    yield 2.0, False, ethernet(tcp(PEER, OWN, (40001, 3389), 0x02, 7))
    yield 3.0, False, ethernet(tcp(PEER, OWN, (40001, 3389), 0x02, 7))
    yield 4.0, True, ethernet(udp(OWN, DNS, (50000, 53), bytes(30)))
    yield 4.1, False, ethernet(udp(DNS, OWN, (53, 50000), bytes(60)))
    yield 5.0, False, ethernet(ip(PEER, OWN, 1, struct.pack(">BBHHH", 8, 0, 0, 77, 1) + bytes(56)))
    yield 5.1, True, ethernet(ip(OWN, PEER, 1, struct.pack(">BBHHH", 0, 0, 0, 77, 1) + bytes(56)))
    big = struct.pack(">HHHH", 50001, 514, 48, 0) + bytes(40)
    vlan = b"\x81\x00\x00\x07"
    yield 6.0, True, ethernet(ip(OWN, PEER, 17, big[:24], 0x2000, 9), tag=vlan)
    yield 6.0, True, ethernet(ip(OWN, PEER, 17, big[24:], 3, 9), tag=vlan)
    yield 7.0, True, ethernet(bytes(46), b"\x08\x06")
    yield 8.0, False, ethernet(b"\x44" + udp(PEER, OWN, (1, 2), b"")[1:])
    yield 9.0, False, ethernet(udp("10.0.0.77", "10.0.0.78", (1, 2), b"x"))
    yield 61.0, False, ethernet(tcp(PEER, OWN, there, 0x11, 101, 518))
    yield 61.1, True, ethernet(tcp(OWN, PEER, back, 0x11, 518, 102))
    yield 61.2, False, ethernet(tcp(PEER, OWN, there, 0x10, 102, 519))
    yield 90.0, False, ethernet(tcp(PEER, OWN, there, 0x10, 102, 519))


def pcap():
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for second, _, frame in packets():
        whole, part = divmod(round(second * 1_000_000), 1_000_000)
        out += struct.pack("<IIII", START + whole, part, len(frame), len(frame)) + frame
    return out


def pcapng():
    def block(kind, body):
        body += bytes(-len(body) % 4)
        length = struct.pack(">I", 12 + len(body))
        return struct.pack(">I", kind) + length + body + length

    def option(code, value):
        return struct.pack(">HH", code, len(value)) + value + bytes(-len(value) % 4)

    out = block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
    for name in (b"eth0", b"eth1"):
        out += block(1, struct.pack(">HHI", 1, 0, 64) + option(2, name) + option(9, b"\x09"))
    for index, (second, is_sent, frame) in enumerate(packets()):
        time = START * 10**9 + round(second * 10**9)
        data = frame[:64]
        body = struct.pack(">IIIII", index % 2, time >> 32, time & 0xFFFFFFFF, len(data), len(frame))
        body += data + bytes(-len(data) % 4) + option(2, struct.pack(">I", 2 if is_sent else 1))
        out += block(6, body)
    return out + block(5, struct.pack(">III", 0, 0, 0) + option(5, struct.pack(">Q", 3)))


for name, content in (("host.pcap", pcap()), ("host.pcapng", pcapng())):
    with open(f"{sys.path[0]}/{name}", "wb") as file:
        file.write(content)
