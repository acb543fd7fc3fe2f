"""Traffic programs; each prints what it put on the wire as JSON.

    udp-send ADDRESS PORT PACKETS PAYLOAD   datagrams, as fast as they go
    udp-ports ADDRESS FIRST COUNT           one datagram to each of so many ports
    udp-sink ADDRESS PORT                   takes datagrams until its input ends
    udp-from SOURCE ADDRESS PORT PACKETS [SOURCE-PORT]  datagrams of 100 bytes from one of the own addresses
    udp-refused ADDRESS PORT                one datagram, and the ICMP error that comes back
    ping ADDRESS PACKETS PAYLOAD            echo requests, each after the answer to the last
    tcp-serve ADDRESS PORT BYTES            one connection: reads to the end, sends BYTES
    tcp-connect ADDRESS PORT BYTES          sends BYTES, reads to the end
"""

import json
import socket
import struct
import sys


def family(address):
    """The address family, and the length of its header."""
    return (socket.AF_INET6, 40) if ":" in address else (socket.AF_INET, 20)


def udp_send(address, port, packets, payload):
    sender = socket.socket(family(address)[0], socket.SOCK_DGRAM)
    sender.connect((address, port))
    data = b"x" * payload
    for _ in range(packets):
        while True:
            try:
                sender.send(data)
                break
            except (ConnectionRefusedError, BlockingIOError):
                # An ICMP error of an earlier packet; this one was not sent.
                continue
    size = payload + 8 + family(address)[1]
    print(json.dumps({"packets": packets, "bytes": packets * size, "port": sender.getsockname()[1]}))


def udp_ports(address, first, count):
    # Not connected: an ICMP error of one port does not refuse the next.
    sender = socket.socket(family(address)[0], socket.SOCK_DGRAM)
    for port in range(first, first + count):
        sender.sendto(b"x" * 10, (address, port))
    print(json.dumps({"packets": count}))


def udp_from(source, address, port, packets, source_port=0):
    sender = socket.socket(family(address)[0], socket.SOCK_DGRAM)
    sender.bind((source, source_port))
    for _ in range(packets):
        sender.sendto(b"x" * 100, (address, port))
    print(json.dumps({"packets": packets}))


def udp_refused(address, port):
    sender = socket.socket(family(address)[0], socket.SOCK_DGRAM)
    sender.settimeout(10)
    sender.connect((address, port))
    sender.send(b"x" * 100)
    try:
        sender.recv(1)
        answer = "data"
    except ConnectionRefusedError:
        answer = "refused"
    print(json.dumps({"answer": answer}))


def ping(address, packets, payload):
    """RFC 792 and 4443: echo requests with the identifier 7."""
    kind, _ = family(address)
    v6 = kind == socket.AF_INET6
    pinger = socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
    pinger.settimeout(10)
    answered = 0
    for number in range(packets):
        head = [0x8000 if v6 else 0x0800, 0, 7, number]
        data = b"x" * payload
        # RFC 1071. The kernel fills in that of ICMPv6.
        total = sum(head) + sum(struct.unpack(f"!{payload // 2}H", data[: payload // 2 * 2]))
        total += data[-1] << 8 if payload % 2 else 0
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)
        head[1] = ~total & 0xFFFF
        pinger.sendto(struct.pack("!4H", *head) + data, (address, 0))
        while True:
            got = pinger.recv(65536)
            icmp = got if v6 else got[(got[0] & 15) * 4 :]
            if icmp[0] == (129 if v6 else 0) and struct.unpack("!HH", icmp[4:8]) == (7, number):
                answered += 1
                break
    print(json.dumps({"answered": answered}))


def udp_sink(address, port):
    sink = socket.socket(family(address)[0], socket.SOCK_DGRAM)
    sink.bind((address, port))
    print("ready", flush=True)
    sys.stdin.read()


def tcp_serve(address, port, count):
    listener = socket.create_server((address, port), family=family(address)[0])
    print("ready", flush=True)
    connection, _ = listener.accept()
    while connection.recv(65536):
        pass
    connection.sendall(b"x" * count)
    connection.close()


def tcp_connect(address, port, count):
    connection = socket.create_connection((address, port), timeout=20)
    connection.sendall(b"x" * count)
    connection.shutdown(socket.SHUT_WR)
    got = 0
    while chunk := connection.recv(65536):
        got += len(chunk)
    print(json.dumps({"sent": count, "got": got}))


PROGRAMS = {
    "udp-send": udp_send,
    "udp-ports": udp_ports,
    "udp-sink": udp_sink,
    "udp-from": udp_from,
    "udp-refused": udp_refused,
    "ping": ping,
    "tcp-serve": tcp_serve,
    "tcp-connect": tcp_connect,
}

if __name__ == "__main__":
    program, *arguments = sys.argv[1:]
    PROGRAMS[program](*(int(a) if a.isdigit() else a for a in arguments))
