"""Traffic programs; each prints what it put on the wire as JSON.

    udp-send ADDRESS PORT PACKETS PAYLOAD   datagrams, as fast as they go
    udp-sink ADDRESS PORT                   takes datagrams until its input ends
    tcp-serve ADDRESS PORT BYTES            one connection: reads to the end, sends BYTES
    tcp-connect ADDRESS PORT BYTES          sends BYTES, reads to the end
"""

import json
import socket
import sys


def udp_send(address, port, packets, payload):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
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
    print(json.dumps({"packets": packets, "bytes": packets * (payload + 28), "port": sender.getsockname()[1]}))


def udp_sink(address, port):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind((address, port))
    print("ready", flush=True)
    sys.stdin.read()


def tcp_serve(address, port, count):
    listener = socket.create_server((address, port))
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


PROGRAMS = {"udp-send": udp_send, "udp-sink": udp_sink, "tcp-serve": tcp_serve, "tcp-connect": tcp_connect}

if __name__ == "__main__":
    program, address, *numbers = sys.argv[1:]
    PROGRAMS[program](address, *map(int, numbers))
