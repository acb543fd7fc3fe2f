//! Real traffic between two namespaces: what was sent is what is counted.

use super::support::{ENI, Raised, SMALL, drain, flows, is_root, line, rules, start, sum};
use super::wire::{DEVICE, Wire};
use crate::{Capture, CaptureError, InterfaceNumber, Sizes};
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use weir_flow::sample::FlowSample;
use weir_policy::CompiledRules;
use weir_types::net::{Action, Direction, Protocol};
use weir_types::orders::{Mode, Side};

const OTHER: InterfaceNumber = InterfaceNumber(4);

fn none() -> CompiledRules {
    CompiledRules::default()
}

#[test]
fn a_million_packets_over_many_windows() {
    if !is_root() {
        return;
    }
    const PACKETS: u64 = 1_000_000;
    let (wire, capture) = (Wire::new(), start(Sizes::default()));
    let sender = wire.a.udp(5000);
    let _receiver = wire.b.udp(9);
    let attachment = wire.a.attachment(ENI, Mode::Observe, Side::Instance);
    capture.attach(ENI, &attachment, &none()).unwrap();
    sender.connect((wire.b.v4, 9)).unwrap();
    let done = AtomicBool::new(false);
    let (sent_bytes, windows, counted) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let _raised = Raised(&done);
            let payload = [7u8; 64];
            let mut bytes = 0;
            for index in 0..PACKETS {
                let length = (index % 64) as usize;
                sender.send(&payload[..length]).unwrap();
                bytes += 28 + length as u64;
            }
            bytes
        });
        let (mut windows, mut counted) = (0, (0, 0));
        loop {
            let last = done.load(Ordering::Acquire);
            let window = drain(&capture);
            let (packets, bytes) = sum(&window, |flow| flow.dst_port == 9);
            assert_eq!(window.interfaces[&ENI].skipped_packets, 0);
            counted = (counted.0 + packets, counted.1 + bytes);
            windows += 1;
            if last {
                break;
            }
        }
        (flood.join().unwrap(), windows, counted)
    });
    assert!(windows > 3, "{windows}");
    assert_eq!(counted, (PACKETS, sent_bytes));
}

/// The few fields of Linux's `struct tcp_info` that tell what a socket sent.
struct Sent {
    segments: u64,
    payload: u64,
}

fn sent_by(socket: &impl AsRawFd) -> Sent {
    // linux/tcp.h: tcpi_segs_out is the u32 at 136, tcpi_bytes_sent the u64 at 200.
    let mut info = [0u8; 232];
    let mut length = info.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `info`.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &mut length,
        )
    };
    assert_eq!((answer, length >= 208), (0, true));
    Sent {
        segments: u32::from_ne_bytes(info[136..140].try_into().unwrap()).into(),
        payload: u64::from_ne_bytes(info[200..208].try_into().unwrap()),
    }
}

#[test]
fn a_tcp_transfer_is_counted_in_wire_packets() {
    if is_root() {
        let wire = Wire::new();
        transfer(&wire, wire.b.v4, 20);
    }
}

#[test]
fn a_tcp_transfer_over_ipv6_is_counted_in_wire_packets() {
    if is_root() {
        let wire = Wire::with_ipv6();
        transfer(&wire, wire.b.v6, 40);
    }
}

/// Sends a known number of bytes with whatever offload the devices have;
/// `header` is the length of the IP header.
fn transfer(wire: &Wire, address: &str, header: u64) {
    const SIZE: usize = 50_000_000;
    let capture = start(SMALL);
    capture.attach(ENI, &wire.a.attachment(ENI, Mode::Observe, Side::Instance), &none()).unwrap();
    capture.attach(OTHER, &wire.b.attachment(OTHER, Mode::Observe, Side::Instance), &none()).unwrap();
    let listener = wire.b.listen(address, 80);
    let sent = std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = vec![0; 1 << 20];
            let mut received = 0;
            loop {
                match stream.read(&mut buffer).unwrap() {
                    0 => return received,
                    n => received += n,
                }
            }
        });
        let mut stream = wire.a.connect(address, 80);
        let block = vec![1u8; 1 << 20];
        let mut left = SIZE;
        while left > 0 {
            let n = left.min(block.len());
            stream.write_all(&block[..n]).unwrap();
            left -= n;
        }
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(server.join().unwrap(), SIZE);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        sent_by(&stream)
    });
    assert!(sent.payload >= SIZE as u64);
    let window = drain(&capture);
    let at = |number, direction| -> (u64, u64) {
        let all = &window.interfaces[&number].flows;
        let flow: Vec<&FlowSample> =
            all.iter().filter(|f| f.dst_port == 80 && f.direction == direction).collect();
        assert_eq!(flow.len(), 1, "{all:?}");
        assert_eq!(flow[0].tcp_flags, 3, "SYN and FIN");
        (flow[0].packets, flow[0].bytes)
    };
    // A SYN has 40 bytes of TCP header here, every other segment 32.
    let headers = header + 40 + (sent.segments - 1) * (header + 32);
    let expected = (sent.segments, sent.payload + headers);
    assert_eq!(at(ENI, Direction::Egress), expected);
    assert_eq!(at(OTHER, Direction::Ingress), expected);
    assert!(sent.segments > (SIZE / 1500) as u64, "wire packets, not offloaded ones");
}

/// Receives until `end` and gives what came.
fn received(socket: &UdpSocket, end: u8) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let mut byte = [0];
        assert_eq!(socket.recv(&mut byte).expect("a packet arrives"), 1);
        all.push(byte[0]);
        if byte[0] == end {
            return all;
        }
    }
}

const ALLOW: &str = "acl 100 in allow all 0.0.0.0/0
    acl 100 out allow all 0.0.0.0/0
    sg out all 0.0.0.0/0";
const DENY: &str = "acl 100 in allow all 0.0.0.0/0
    acl 90 out deny udp:9 10.77.0.0/24
    acl 100 out allow all 0.0.0.0/0
    sg out all 0.0.0.0/0";

#[test]
fn enforcing_drops_and_evaluating_does_not() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let (sender, receiver) = (wire.a.udp(5000), wire.b.udp(9));
    sender.connect((wire.b.v4, 9)).unwrap();
    let attachment = wire.a.attachment(ENI, Mode::Enforce, Side::Instance);
    capture.attach(ENI, &attachment, &rules(DENY)).unwrap();
    let send = |byte: u8| drop(sender.send(&[byte]));
    // Egress is decided inside the send call: every change holds for the next.
    send(1);
    capture.set_mode(ENI, Mode::Evaluate).unwrap();
    send(2);
    capture.set_mode(ENI, Mode::Enforce).unwrap();
    send(3);
    capture.set_rules(ENI, &rules(ALLOW)).unwrap();
    send(4);
    capture.set_rules(ENI, &rules(DENY)).unwrap();
    send(5);
    capture.set_mode(ENI, Mode::Observe).unwrap();
    send(6);
    capture.set_mode(ENI, Mode::Enforce).unwrap();
    send(7);
    capture.detach(ENI).unwrap();
    send(8);
    assert_eq!(received(&receiver, 8), [2, 4, 6, 8]);
    let window = drain(&capture);
    let refused = |flow: &FlowSample| flow.dst_port == 9 && flow.action == Action::Reject;
    assert_eq!(sum(&window, refused), (5, 5 * 29), "1, 2, 3, 5, 7");
}

#[test]
fn the_hosts_end_is_turned_round() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let (left, right) = (wire.a.udp(5000), wire.b.udp(9));
    // The instance is in namespace a; Weir sits on the other end of its cable.
    capture.attach(ENI, &wire.b.attachment(ENI, Mode::Observe, Side::Host), &none()).unwrap();
    left.send_to(&[1], (wire.b.v4, 9)).unwrap();
    assert_eq!(received(&right, 1), [1]);
    right.send_to(&[2], (wire.a.v4, 5000)).unwrap();
    assert_eq!(received(&left, 2), [2]);
    let lines: Vec<String> = flows(&drain(&capture), ENI).iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "ingress ACCEPT 10.77.0.2:9 > 10.77.0.1:5000 proto 17 packets 1 bytes 29 flags 0",
            "egress ACCEPT 10.77.0.1:5000 > 10.77.0.2:9 proto 17 packets 1 bytes 29 flags 0",
        ]
    );
}

#[test]
fn a_table_too_small_loses_nothing_in_silence() {
    if !is_root() {
        return;
    }
    const FLOWS: u16 = 500;
    const EACH: u64 = 20;
    let (wire, capture) = (Wire::new(), start(Sizes { flows: 64, ..SMALL }));
    let sender = wire.a.udp(5000);
    // Nobody answers a broadcast: the only packets are those sent here.
    sender.set_broadcast(true).unwrap();
    capture.attach(ENI, &wire.a.attachment(ENI, Mode::Observe, Side::Instance), &none()).unwrap();
    let mut sent = (0, 0);
    for round in 0..EACH {
        for port in 0..FLOWS {
            sender.send_to(&[0; 10], ("10.77.0.255", 10_000 + port)).unwrap();
            sent = (sent.0 + 1, sent.1 + 38);
        }
        if round == EACH / 2 {
            // A second window, as small.
            let window = drain(&capture);
            sent = subtract(sent, counted_and_skipped(&window));
        }
    }
    let window = drain(&capture);
    assert!(window.interfaces[&ENI].skipped_packets > 0);
    assert_eq!(window.interfaces[&ENI].flows.len(), 64);
    assert_eq!(subtract(sent, counted_and_skipped(&window)), (0, 0));
}

fn subtract(from: (u64, u64), what: (u64, u64)) -> (u64, u64) {
    (from.0 - what.0, from.1 - what.1)
}

/// What was counted of the UDP flood plus all that was skipped.
fn counted_and_skipped(window: &crate::ClosedWindow) -> (u64, u64) {
    let counted = sum(window, |flow| flow.protocol == Protocol::UDP);
    let samples = &window.interfaces[&ENI];
    (counted.0 + samples.skipped_packets, counted.1 + samples.skipped_bytes)
}

#[test]
fn attaching_says_what_is_wrong() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let good = wire.a.attachment(ENI, Mode::Observe, Side::Instance);
    let attach = |number, attachment: &_| capture.attach(number, attachment, &none()).unwrap_err();

    let mut bad = good.clone();
    bad.netns = Some("weir-no-such-namespace".to_owned());
    assert!(matches!(attach(ENI, &bad), CaptureError::NamespaceNotFound { .. }));
    let mut bad = good.clone();
    bad.device = "eth77".to_owned();
    let error = attach(ENI, &bad);
    assert!(matches!(error, CaptureError::DeviceNotFound { .. }));
    assert!(error.to_string().contains(&wire.a.namespace), "{error}");
    assert!(matches!(
        attach(InterfaceNumber(SMALL.interfaces), &good),
        CaptureError::TooManyInterfaces { .. }
    ));

    assert_eq!(capture.attached(), []);
    capture.attach(ENI, &good, &none()).unwrap();
    assert!(matches!(attach(ENI, &good), CaptureError::AlreadyAttached(ENI)));
    assert!(matches!(attach(OTHER, &good), CaptureError::DeviceTaken { number: ENI, .. }));
    assert_eq!(capture.attached(), [ENI]);
    assert!(matches!(capture.detach(OTHER), Err(CaptureError::NotAttached(OTHER))));
}

#[test]
fn a_device_that_vanishes_can_be_detached_and_come_back() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let attachment = wire.a.attachment(ENI, Mode::Observe, Side::Instance);
    capture.attach(ENI, &attachment, &none()).unwrap();
    assert_eq!(capture.vanished(), []);
    let delete = ["-n", &wire.a.namespace, "link", "delete", DEVICE];
    assert!(std::process::Command::new("ip").args(delete).status().unwrap().success());
    assert_eq!(capture.vanished(), [ENI]);
    capture.detach(ENI).unwrap();
    let add = ["-n", &wire.a.namespace, "link", "add", DEVICE, "type", "veth"];
    assert!(std::process::Command::new("ip").args(add).status().unwrap().success());
    capture.attach(ENI, &attachment, &none()).unwrap();
    assert_eq!(capture.vanished(), []);
}

#[test]
fn a_window_is_given_again_until_it_is_cleared() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let (sender, _receiver) = (wire.a.udp(5000), wire.b.udp(9));
    capture.attach(ENI, &wire.a.attachment(ENI, Mode::Observe, Side::Instance), &none()).unwrap();
    let egress = |window: &crate::ClosedWindow| sum(window, |flow| flow.dst_port == 9).0;
    let send = || sender.send_to(&[1], (wire.b.v4, 9)).unwrap();
    send();
    let first = capture.close_window().unwrap();
    send();
    let again = capture.close_window().unwrap();
    assert_eq!((first.id, egress(&first)), (again.id, 1));
    assert_eq!(first.interfaces, again.interfaces);
    capture.clear_window(first.id).unwrap();
    assert!(matches!(capture.clear_window(first.id), Err(CaptureError::WrongWindow(_))));
    let second = drain(&capture);
    assert_eq!(egress(&second), 1);
    assert!(second.opened_at.0.abs_diff(first.closed_at.0) < 1000, "{second:?}");
    capture.detach(ENI).unwrap();
    assert!(drain(&capture).interfaces.contains_key(&ENI), "it was there when the window began");
    assert!(drain(&capture).interfaces.is_empty());
}

/// The handle goes to several threads.
#[test]
fn the_handle_is_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Capture>();
}
