//! Observe mode against nftables: what it drops is REJECT, all else ACCEPT, packet
//! by packet. Other firewalls: `foreign.rs`.

use super::support::{ENI, Raised, SMALL, drain, flows, is_root, line, start, sum};
use super::wire::{DEVICE, End, Wire, ip, settled};
use crate::{Capture, ClosedWindow, InterfaceNumber, Sizes, netns};
use std::io::Write;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use weir_flow::decision::{Decision, Reason};
use weir_flow::sample::FlowSample;
use weir_policy::CompiledRules;
use weir_types::id::EniId;
use weir_types::net::{Action, Direction};
use weir_types::orders::{Attachment, Mode, Side};

const OTHER: InterfaceNumber = InterfaceNumber(4);

/// Whether this machine has nftables to test with. If not, says so.
pub(super) fn can_test() -> bool {
    if !is_root() {
        return false;
    }
    let there = Command::new("nft").arg("--version").output().is_ok();
    if !there {
        let _ = writeln!(std::io::stderr(), "SKIPPED: needs nft (Debian package nftables)");
    }
    there
}

pub(super) fn nft(namespace: &str, rules: &str) {
    // It wants a line's end before and behind a closing brace.
    let rules = rules.replace('}', "\n}\n");
    let mut child = Command::new("ip")
        .args(["netns", "exec", namespace, "nft", "-f", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("nft runs");
    child.stdin.take().expect("a pipe").write_all(rules.as_bytes()).expect("rules are written");
    assert!(child.wait().expect("nft ends").success(), "{rules}");
}

pub(super) fn attach(capture: &Capture, number: InterfaceNumber, namespace: &str, device: &str, side: Side) {
    let attachment = Attachment {
        interface: EniId::from_random(number.0.into()),
        device: device.to_owned(),
        netns: Some(namespace.to_owned()),
        mode: Mode::Observe,
        side,
    };
    capture.attach(number, &attachment, &CompiledRules::default()).unwrap();
    assert_eq!(capture.blind(), None, "this kernel shows drops");
}

/// An interface of a wire in observe mode, behind nftables rules of its namespace;
/// `None` where that cannot be.
pub(super) fn watched(
    wire: fn() -> Wire,
    end: fn(&Wire) -> &End,
    side: Side,
    rules: &str,
) -> Option<(Wire, Capture)> {
    if !can_test() {
        return None;
    }
    let (wire, capture) = (wire(), start(SMALL));
    nft(&end(&wire).namespace, rules);
    attach(&capture, ENI, &end(&wire).namespace, DEVICE, side);
    Some((wire, capture))
}

/// `REJECT 10.77.0.1:5000 > 10.77.0.2:9 packets 3 bytes 87` per UDP flow of a direction.
pub(super) fn udp(window: &ClosedWindow, number: InterfaceNumber, direction: Direction) -> Vec<String> {
    let wanted = |flow: &&FlowSample| flow.direction == direction && flow.protocol.0 == 17;
    let shorten = |flow: &FlowSample| {
        let text = line(flow).replacen(&format!("{direction} "), "", 1);
        text.replace(" proto 17", "").replace(" flags 0", "")
    };
    flows(window, number).iter().filter(wanted).map(shorten).collect()
}

/// Sends one byte each to ports 80 to 86 and counts who is dropped where.
pub(super) fn send(from: &UdpSocket, to: &str, ports: impl IntoIterator<Item = u16>, times: usize) {
    for port in ports {
        for _ in 0..times {
            // The firewall on the way out refuses by an error.
            let _ = from.send_to(&[1], (to, port));
        }
    }
}

/// Packets keep their order: when these have come, all sent before have been judged.
pub(super) fn arrive(socket: &UdpSocket, times: usize) {
    for _ in 0..times {
        socket.recv(&mut [0; 32]).expect("a packet arrives");
    }
}

/// Neighbour discovery may need a second try on a cable that was just plugged in.
pub(super) fn meet(sender: &UdpSocket, receiver: &UdpSocket, to: (&str, u16)) {
    receiver.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    let mut tries = (0..50).map(|_| sender.send_to(&[0], to));
    assert!(
        tries.any(|sent| sent.is_ok() && receiver.recv(&mut [0]).is_ok()),
        "the neighbours know each other"
    );
    while receiver.recv(&mut [0]).is_ok() {}
    receiver.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
}

#[test]
fn every_hook_on_the_way_in_is_a_reject() {
    let Some((wire, capture)) = watched(
        Wire::new,
        |wire| &wire.b,
        Side::Instance,
        "table inet f {
            chain raw { type filter hook prerouting priority -300; udp dport 80 drop; }
            chain pre { type filter hook prerouting priority 0; udp dport 81 drop; }
            chain in { type filter hook input priority 0; udp dport 82 drop; udp dport 83 reject; ct state established accept; udp dport 84 drop; }
        }
        table netdev n { chain ing { type filter hook ingress device cable priority 0; udp dport 85 drop; } }
        ",
    ) else {
        return;
    };
    let sender = wire.a.udp(5000);
    let open = wire.b.udp(86);
    send(&sender, wire.b.v4, 80..=86, 3);
    arrive(&open, 3);
    let expected: Vec<String> = [(86, "ACCEPT")]
        .into_iter()
        .chain((80..=85).map(|port| (port, "REJECT")))
        .map(|(port, action)| format!("{action} 10.77.0.1:5000 > 10.77.0.2:{port} packets 3 bytes 87"))
        .collect();
    let window = drain(&capture);
    assert_eq!(udp(&window, ENI, Direction::Ingress), expected);
    for flow in flows(&window, ENI).iter().filter(|flow| flow.protocol.0 == 17) {
        let reason = if flow.action == Action::Reject { Reason::Netfilter } else { Reason::None };
        assert_eq!(flow.decision, Decision { reason, rule: 0 });
    }
    assert_eq!(udp(&drain(&capture), ENI, Direction::Ingress), Vec::<String>::new());
}

#[test]
fn every_hook_on_the_way_out_is_a_reject() {
    let Some((wire, capture)) = watched(
        Wire::new,
        |wire| &wire.a,
        Side::Instance,
        "table inet f {
            chain out { type filter hook output priority 0; udp dport 80 drop; udp dport 81 reject; }
            chain post { type filter hook postrouting priority 0; udp dport 82 drop; }
        }
        table netdev n { chain eg { type filter hook egress device cable priority 0; udp dport 83 drop; } }
        ",
    ) else {
        return;
    };
    let open = wire.b.udp(84);
    send(&wire.a.udp(5000), wire.b.v4, 80..=84, 2);
    arrive(&open, 2);
    let expected: Vec<String> = [(84, "ACCEPT")]
        .into_iter()
        .chain((80..=83).map(|port| (port, "REJECT")))
        .map(|(port, action)| format!("{action} 10.77.0.1:5000 > 10.77.0.2:{port} packets 2 bytes 58"))
        .collect();
    assert_eq!(udp(&drain(&capture), ENI, Direction::Egress), expected);
}

#[test]
fn ipv6_and_tcp_flags_and_mixed_verdicts() {
    // Of the ten packets of one flow, the longer ones are dropped.
    let Some((wire, capture)) = watched(
        Wire::with_ipv6,
        |wire| &wire.b,
        Side::Instance,
        "table inet f { chain in { type filter hook input priority 0; udp length > 12 drop; tcp dport 80 drop; } }
        ",
    ) else {
        return;
    };
    let bound = |port| {
        let socket = wire.b.inside(|| UdpSocket::bind((wire.b.v6, port)).unwrap());
        socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        socket
    };
    let (_open, last) = (bound(9), bound(10));
    let sender = wire.a.inside(|| UdpSocket::bind((wire.a.v6, 5000)).unwrap());
    meet(&sender, &last, (wire.b.v6, 10));
    drain(&capture);
    for length in 0..10usize {
        sender.send_to(&vec![0; length], (wire.b.v6, 9)).unwrap();
    }
    sender.send_to(&[1], (wire.b.v6, 10)).unwrap();
    arrive(&last, 1);
    wire.a.inside(|| {
        let address = format!("[{}]:80", wire.b.v6).parse().unwrap();
        let tried = std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(50));
        assert!(tried.is_err());
    });
    let window = drain(&capture);
    // 48 bytes of headers: lengths 0 to 4 arrive, 5 to 9 do not.
    assert_eq!(
        udp(&window, ENI, Direction::Ingress),
        [
            "ACCEPT [fd77::1]:5000 > [fd77::2]:9 packets 5 bytes 250",
            "ACCEPT [fd77::1]:5000 > [fd77::2]:10 packets 1 bytes 49",
            "REJECT [fd77::1]:5000 > [fd77::2]:9 packets 5 bytes 275",
        ]
    );
    let all = flows(&window, ENI);
    let tcp: Vec<&FlowSample> = all.iter().filter(|flow| flow.protocol.0 == 6).collect();
    assert_eq!(tcp.len(), 1, "{tcp:?}");
    assert_eq!((tcp[0].action, tcp[0].tcp_flags, tcp[0].dst_port), (Action::Reject, 2, 80));
}

#[test]
fn the_hosts_end_of_a_cable_is_turned_round() {
    // The instance is in a; what comes out of it comes in at b's end.
    let Some((wire, capture)) = watched(
        Wire::new,
        |wire| &wire.b,
        Side::Host,
        "table inet f { chain in { type filter hook input priority 0; udp dport 80 drop; } }
        ",
    ) else {
        return;
    };
    let open = wire.b.udp(81);
    send(&wire.a.udp(5000), wire.b.v4, [80, 81], 2);
    arrive(&open, 2);
    let window = drain(&capture);
    assert_eq!(
        udp(&window, ENI, Direction::Egress),
        [
            "ACCEPT 10.77.0.1:5000 > 10.77.0.2:81 packets 2 bytes 58",
            "REJECT 10.77.0.1:5000 > 10.77.0.2:80 packets 2 bytes 58",
        ]
    );
}

/// A wire whose end b routes on to a third namespace.
struct Routed {
    wire: Wire,
    far: String,
}

impl Routed {
    fn new() -> Self {
        let wire = Wire::new();
        let far = format!("{}far", wire.b.namespace);
        let router = wire.b.namespace.clone();
        ip(&format!("netns add {far}"));
        let routed = Self { far: far.clone(), wire };
        ip(&format!("link add far netns {router} type veth peer name {DEVICE} netns {far}"));
        ip(&format!("-n {router} addr add 10.78.0.1/24 dev far"));
        ip(&format!("-n {router} link set far up"));
        ip(&format!("-n {far} addr add 10.78.0.2/24 dev {DEVICE}"));
        ip(&format!("-n {far} link set {DEVICE} up"));
        ip(&format!("-n {far} route add default via 10.78.0.1"));
        ip(&format!("-n {} route add default via 10.77.0.2", routed.wire.a.namespace));
        netns::enter(&router, || std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap()).unwrap();
        routed
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.far]).output();
    }
}

#[test]
fn a_router_refuses_at_the_way_in_and_at_the_way_out() {
    if !can_test() {
        return;
    }
    let (routed, capture) = (Routed::new(), start(SMALL));
    let router = &routed.wire.b.namespace;
    nft(
        router,
        "table inet f {
            chain fw { type filter hook forward priority 0; udp dport 80 drop; udp dport 81 reject; }
            chain post { type filter hook postrouting priority 0; udp dport 82 drop; }
            chain nat { type nat hook prerouting priority -100; udp dport 83 dnat ip to 10.78.0.2:93; udp dport 84 dnat ip to 10.78.0.2:94; }
            chain late { type filter hook forward priority 10; udp dport 93 drop; }
        }
        ",
    );
    attach(&capture, ENI, router, DEVICE, Side::Instance);
    attach(&capture, OTHER, router, "far", Side::Instance);
    let open = netns::enter(&routed.far, || UdpSocket::bind(("10.78.0.2", 85)).unwrap()).unwrap();
    open.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    send(&routed.wire.a.udp(5000), "10.78.0.2", 80..=85, 2);
    arrive(&open, 2);
    let window = drain(&capture);
    let sent =
        |action: &str, port: u16| format!("{action} 10.77.0.1:5000 > 10.78.0.2:{port} packets 2 bytes 58");
    // As they came: addresses before translation.
    assert_eq!(
        udp(&window, ENI, Direction::Ingress),
        [
            sent("ACCEPT", 84),
            sent("ACCEPT", 85),
            sent("REJECT", 80),
            sent("REJECT", 81),
            sent("REJECT", 82),
            sent("REJECT", 83)
        ]
    );
    // As they were to leave: addresses behind it.
    assert_eq!(
        udp(&window, OTHER, Direction::Egress),
        [
            sent("ACCEPT", 85),
            sent("ACCEPT", 94),
            sent("REJECT", 80),
            sent("REJECT", 81),
            sent("REJECT", 82),
            sent("REJECT", 93)
        ]
    );
    assert_eq!(udp(&drain(&capture), ENI, Direction::Ingress), Vec::<String>::new(), "nothing is left over");
}

#[test]
fn a_dropped_datagram_counts_all_its_fragments() {
    let Some((wire, capture)) = watched(
        Wire::new,
        |wire| &wire.b,
        Side::Instance,
        "table inet f {
            chain in { type filter hook input priority 0; udp dport 80 drop; }
        }
        ",
    ) else {
        return;
    };
    let (sender, open) = (wire.a.udp(5000), wire.b.udp(81));
    sender.send_to(&[0; 4000], (wire.b.v4, 80)).unwrap();
    sender.send_to(&[0], (wire.b.v4, 81)).unwrap();
    arrive(&open, 1);
    // 4008 bytes in parts of 1480, each with 20 of header.
    let expected = [
        "ACCEPT 10.77.0.1:5000 > 10.77.0.2:81 packets 1 bytes 29",
        "REJECT 10.77.0.1:5000 > 10.77.0.2:80 packets 3 bytes 4068",
    ];
    assert_eq!(udp(&drain(&capture), ENI, Direction::Ingress), expected);
}

#[test]
fn a_bridge_refuses_between_its_ports() {
    if !can_test() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let bridge = format!("{}bridge", wire.a.namespace);
    ip(&format!("netns add {bridge}"));
    struct Gone(String);
    impl Drop for Gone {
        fn drop(&mut self) {
            let _ = Command::new("ip").args(["netns", "delete", &self.0]).output();
        }
    }
    let _gone = Gone(bridge.clone());
    // The cable is cut, and both ends go to a bridge.
    ip(&format!("-n {} link delete {DEVICE}", wire.a.namespace));
    ip(&format!("-n {bridge} link add br0 type bridge"));
    ip(&format!("-n {bridge} link set br0 up"));
    for (end, port) in [(&wire.a, "p1"), (&wire.b, "p2")] {
        let (namespace, mac) = (&end.namespace, end.mac);
        ip(&format!(
            "link add {port} netns {bridge} type veth peer name {DEVICE} address {mac} netns {namespace}"
        ));
        ip(&format!("-n {bridge} link set {port} master br0 up"));
        ip(&format!("-n {} addr add {}/24 dev {DEVICE}", end.namespace, end.v4));
        ip(&format!("-n {} link set {DEVICE} up", end.namespace));
    }
    wire.meet(false);
    for port in ["p1", "p2"] {
        let up = |shown: &str| shown.contains("state UP") && shown.contains("state forwarding");
        settled(&format!("-n {bridge} -details link show {port}"), up);
    }
    nft(
        &bridge,
        "table bridge f { chain fw { type filter hook forward priority 0; udp dport 80 drop; } }
        ",
    );
    attach(&capture, ENI, &bridge, "p1", Side::Instance);
    attach(&capture, OTHER, &bridge, "p2", Side::Instance);
    let open = wire.b.udp(81);
    let sender = wire.a.udp(5000);
    send(&sender, wire.b.v4, [80, 81], 2);
    arrive(&open, 2);
    let expected = [
        "ACCEPT 10.77.0.1:5000 > 10.77.0.2:81 packets 2 bytes 58",
        "REJECT 10.77.0.1:5000 > 10.77.0.2:80 packets 2 bytes 58",
    ];
    let window = drain(&capture);
    assert_eq!(udp(&window, ENI, Direction::Ingress), expected);
    assert_eq!(udp(&window, OTHER, Direction::Egress), expected);
}

#[test]
fn without_room_a_dropped_packet_is_skipped_once() {
    if !can_test() {
        return;
    }
    const FLOWS: u16 = 500;
    let (wire, capture) = (Wire::new(), start(Sizes { flows: 64, ..SMALL }));
    nft(
        &wire.b.namespace,
        "table inet f { chain in { type filter hook input priority 0; udp dport >= 10000 drop; } }
        ",
    );
    attach(&capture, ENI, &wire.b.namespace, DEVICE, Side::Instance);
    let (sender, receiver) = (wire.a.udp(5000), wire.b.udp(9));
    meet(&sender, &receiver, (wire.b.v4, 9));
    drain(&capture);
    for times in [1, 3] {
        for port in 0..FLOWS {
            for _ in 0..times {
                sender.send_to(&[0; 10], (wire.b.v4, 10_000 + port)).unwrap();
            }
        }
        sender.send_to(&[1], (wire.b.v4, 9)).unwrap();
        arrive(&receiver, 1);
        let window = drain(&capture);
        let samples = &window.interfaces[&ENI];
        let counted = sum(&window, |flow| flow.dst_port >= 10_000);
        let refused = sum(&window, |flow| flow.dst_port >= 10_000 && flow.action == Action::Reject);
        assert_eq!(refused, counted);
        // Or the last one, which no rule drops, had no room.
        let last = sum(&window, |flow| flow.dst_port == 9).0;
        let all = (counted.0 + last + samples.skipped_packets, counted.1 + samples.skipped_bytes);
        let sent = u64::from(FLOWS) * times;
        assert_eq!(all, (sent + 1, sent * 38 + if last == 1 { 0 } else { 29 }), "{times}");
        assert!(samples.skipped_packets > sent / 2 && !samples.flows.is_empty());
    }
}

#[test]
fn drops_under_load_sum_up_over_many_windows() {
    const PACKETS: u64 = 200_000;
    // Packets of 15 bytes and more are dropped: 14 of 21 lengths.
    let Some((wire, capture)) = watched(
        Wire::new,
        |wire| &wire.b,
        Side::Instance,
        "table inet f { chain in { type filter hook input priority 0; udp length > 14 drop; } }
        ",
    ) else {
        return;
    };
    let sender = wire.a.udp(5000);
    let _open = wire.b.udp(9);
    sender.connect((wire.b.v4, 9)).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    let (sent, found, windows) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let _raised = Raised(&done);
            let mut sent = [(0, 0); 2];
            for index in 0..PACKETS {
                let length = index % 21;
                // To be refused here is to be dropped later: sending goes on.
                let mut tries = (0..100_000).map(|_| sender.send(&[0; 21][..length as usize]));
                assert!(tries.any(|sent| sent.is_ok()), "packet {index} is sent");
                let place = &mut sent[usize::from(length + 8 > 14)];
                *place = (place.0 + 1, place.1 + length + 28);
            }
            sent
        });
        let (mut found, mut windows) = ([(0, 0); 2], 0);
        let mut last = 0;
        while last < 2 {
            last += u32::from(done.load(order));
            let window = drain(&capture);
            assert_eq!((window.missed_drops, window.losses.len()), (0, 0));
            for (place, action) in found.iter_mut().zip([Action::Accept, Action::Reject]) {
                let wanted = |f: &FlowSample| {
                    f.action == action && f.dst_port == 9 && f.direction == Direction::Ingress
                };
                let more = sum(&window, wanted);
                *place = (place.0 + more.0, place.1 + more.1);
            }
            windows += 1;
        }
        (flood.join().unwrap(), found, windows)
    });
    assert!(windows > 3, "{windows}");
    assert_eq!(found, sent);
}
