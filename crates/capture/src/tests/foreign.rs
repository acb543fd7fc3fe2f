//! Observe mode against what else drops packets on a host: iptables, XDP, programs
//! of control groups, other programs at the same hooks. All of it is REJECT.

use super::firewall::{arrive, attach, meet, send, udp};
use super::support::{ENI, SMALL, drain, flows, is_root, rules, start};
use super::wire::{DEVICE, Wire};
use crate::sys::bpf::foreign;
use crate::sys::net::device_index;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use weir_flow::decision::Reason;
use weir_types::net::{Action, Direction};
use weir_types::orders::{Mode, Side};

/// A line that shows that a test did not run here, and why.
fn skip(why: &str) {
    // Not by eprintln!, which the test harness hides when a test passes.
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

fn refused_for(capture: &crate::Capture) -> (Vec<String>, Vec<Reason>) {
    let window = drain(capture);
    let reasons = flows(&window, ENI)
        .iter()
        .filter(|f| f.action == Action::Reject)
        .map(|f| f.decision.reason)
        .collect();
    let both = [Direction::Ingress, Direction::Egress];
    (both.iter().flat_map(|&direction| udp(&window, ENI, direction)).collect(), reasons)
}

/// iptables or ip6tables with the nft backend, if this host has it.
fn iptables(namespace: &str, family: &str, line: &str) -> bool {
    let named = [format!("{family}-nft"), family.to_owned()];
    let run = |program: &String| {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, program]).args(line.split_whitespace()).output()
    };
    let outputs: Vec<_> = named.iter().map_while(|program| run(program).ok()).collect();
    outputs.iter().any(|output| output.status.success())
}

#[test]
fn iptables_and_ip6tables_refuse_both_ways() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::with_ipv6(), start(SMALL));
    let namespace = &wire.b.namespace;
    let mut there = true;
    for family in ["iptables", "ip6tables"] {
        for rule in [
            "-A INPUT -p udp --dport 80 -j DROP",
            "-A INPUT -p udp --dport 81 -j REJECT",
            "-A OUTPUT -p udp --dport 82 -j DROP",
        ] {
            there = there && iptables(namespace, family, rule);
        }
    }
    if !there {
        return skip("needs iptables and ip6tables with the nft backend (Debian package iptables)");
    }
    attach(&capture, ENI, namespace, DEVICE, Side::Instance);
    let bind = |end: &super::wire::End, address: &str, port| {
        let socket = end.inside(|| UdpSocket::bind((address, port)).unwrap());
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket
    };
    let (near, far) = (bind(&wire.a, wire.a.v6, 5000), bind(&wire.b, wire.b.v6, 5000));
    meet(&near, &far, (wire.b.v6, 5000));
    drain(&capture);
    send(&near, wire.b.v6, [80, 81, 5000], 2);
    arrive(&far, 2);
    send(&far, wire.a.v6, [82, 5000], 2);
    arrive(&near, 2);
    let (near, far) = (bind(&wire.a, wire.a.v4, 5000), bind(&wire.b, wire.b.v4, 5000));
    send(&near, wire.b.v4, [80, 81, 5000], 2);
    arrive(&far, 2);
    send(&far, wire.a.v4, [82, 5000], 2);
    arrive(&near, 2);
    let (said, reasons) = refused_for(&capture);
    let line = |action: &str, from: &str, to: &str, port: u16, bytes: u64| {
        format!("{action} {from}:5000 > {to}:{port} packets 2 bytes {bytes}")
    };
    let (a4, b4, a6, b6) = ("10.77.0.1", "10.77.0.2", "[fd77::1]", "[fd77::2]");
    let expected = [
        line("ACCEPT", a4, b4, 5000, 58),
        line("ACCEPT", a6, b6, 5000, 98),
        line("REJECT", a4, b4, 80, 58),
        line("REJECT", a4, b4, 81, 58),
        line("REJECT", a6, b6, 80, 98),
        line("REJECT", a6, b6, 81, 98),
        line("ACCEPT", b4, a4, 5000, 58),
        line("ACCEPT", b6, a6, 5000, 98),
        line("REJECT", b4, a4, 82, 58),
        line("REJECT", b6, a6, 82, 98),
    ];
    assert_eq!(said, expected);
    assert_eq!(reasons, [Reason::Netfilter; 6]);
}

#[test]
fn xdp_refuses_what_comes_in() {
    if !is_root() {
        return;
    }
    for in_driver in [true, false] {
        let (wire, capture) = (Wire::new(), start(SMALL));
        let xdp = wire.b.inside(|| device_index(DEVICE).and_then(|index| foreign::xdp(index, in_driver)));
        let _xdp = match xdp {
            Ok(link) => link,
            Err(error) => {
                skip(&format!("no XDP on a veth device here (in the driver: {in_driver}): {error}"));
                continue;
            }
        };
        attach(&capture, ENI, &wire.b.namespace, DEVICE, Side::Instance);
        let open = wire.b.udp(81);
        send(&wire.a.udp(5000), wire.b.v4, [80, 81], 2);
        arrive(&open, 2);
        let (said, reasons) = refused_for(&capture);
        let expected = [
            "ACCEPT 10.77.0.1:5000 > 10.77.0.2:81 packets 2 bytes 58",
            "REJECT 10.77.0.1:5000 > 10.77.0.2:80 packets 2 bytes 58",
        ];
        if reasons.is_empty() {
            // docs/exceptions.md: then what XDP dropped is in no record at all.
            assert_eq!(said, expected[..1], "{in_driver}");
            skip(&format!("this kernel does not say that it was XDP (in the driver: {in_driver})"));
            continue;
        }
        assert_eq!((said, reasons), (expected.map(String::from).to_vec(), vec![Reason::Xdp]), "{in_driver}");
    }
}

/// A control group that is removed again.
struct Group(PathBuf);

impl Group {
    fn new() -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let mount = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let mut mount = mount.filter(|words| words.get(2) == Some(&"cgroup2"));
        let root = mount.next().ok_or_else(|| io::Error::other("cgroup2 is not mounted"))?;
        let path = PathBuf::from(root[1]).join(format!("weir-test-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_control_group_refuses_what_goes_out() {
    if !is_root() {
        return;
    }
    let group = match Group::new() {
        Ok(group) => group,
        Err(error) => return skip(&format!("no control group of its own: {error}")),
    };
    let _program = match foreign::cgroup_egress(File::open(&group.0).unwrap().as_fd()) {
        Ok(link) => link,
        Err(error) => return skip(&format!("no programs on control groups: {error}")),
    };
    let (wire, capture) = (Wire::new(), start(SMALL));
    attach(&capture, ENI, &wire.a.namespace, DEVICE, Side::Instance);
    let open = wire.b.udp(81);
    // Sockets belong to the group that their process was in.
    let send = format!(
        "echo $$ > {}/cgroup.procs || exit; for port in 80 81; do echo -n x > /dev/udp/{}/$port; done; true",
        group.0.display(),
        wire.b.v4
    );
    // Not by `ip netns exec`, which hides the control groups.
    let namespace = format!("--net=/run/netns/{}", wire.a.namespace);
    let sent = Command::new("nsenter").args([&namespace, "bash", "-c", &send]).output();
    let sent = sent.expect("nsenter runs");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    arrive(&open, 1);
    let (said, reasons) = refused_for(&capture);
    let port = |line: &String| line.split(" > ").nth(1).unwrap_or_default().to_owned();
    let action = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let short: Vec<_> = said.iter().map(|line| format!("{} {}", action(line), port(line))).collect();
    let expected = ["ACCEPT 10.77.0.2:81 packets 1 bytes 29", "REJECT 10.77.0.2:80 packets 1 bytes 29"];
    assert_eq!((short, reasons), (expected.map(String::from).to_vec(), vec![Reason::CgroupEgress]));
}

#[test]
fn other_programs_of_the_host_refuse_too() {
    if !is_root() {
        return;
    }
    let (wire, capture) = (Wire::new(), start(SMALL));
    let namespace = &wire.b.namespace;
    // Any other program at the hooks; Weir goes in front of it.
    let (host, other) = (start(SMALL), wire.b.attachment(ENI, Mode::Enforce, Side::Instance));
    let text = "acl 1 in deny udp:80 0.0.0.0/0
        acl 1 out deny udp:80 0.0.0.0/0
        acl 2 in allow all 0.0.0.0/0
        acl 2 out allow all 0.0.0.0/0
        sg in all 0.0.0.0/0
        sg out all 0.0.0.0/0";
    host.attach(ENI, &other, &rules(text)).unwrap();
    attach(&capture, ENI, namespace, DEVICE, Side::Instance);
    let (near, far) = (wire.a.udp(80), wire.b.udp(80));
    let (near_open, far_open) = (wire.a.udp(82), wire.b.udp(81));
    send(&near, wire.b.v4, [80, 81], 2);
    arrive(&far_open, 2);
    send(&far, wire.a.v4, [80, 82], 2);
    arrive(&near_open, 2);
    let window = drain(&capture);
    assert_eq!(
        udp(&window, ENI, Direction::Ingress),
        [
            "ACCEPT 10.77.0.1:80 > 10.77.0.2:81 packets 2 bytes 58",
            "REJECT 10.77.0.1:80 > 10.77.0.2:80 packets 2 bytes 58",
        ]
    );
    assert_eq!(
        udp(&window, ENI, Direction::Egress),
        [
            "ACCEPT 10.77.0.2:80 > 10.77.0.1:82 packets 2 bytes 58",
            "REJECT 10.77.0.2:80 > 10.77.0.1:80 packets 2 bytes 58",
        ]
    );
}
