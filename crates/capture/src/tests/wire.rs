//! Two network namespaces with a cable between them, made and removed by the
//! test that uses them.

use crate::{InterfaceNumber, netns};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use weir_types::id::EniId;
use weir_types::orders::{Attachment, Mode, Side};

/// One end: `10.77.0.1` or `10.77.0.2`, `fd77::1` or `fd77::2`, on device `cable`.
pub struct End {
    pub namespace: String,
    pub v4: &'static str,
    pub v6: &'static str,
    /// Of device `cable`: nobody must ask for it.
    pub mac: &'static str,
}

pub struct Wire {
    pub a: End,
    pub b: End,
}

pub const DEVICE: &str = "cable";

pub fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().expect("ip runs");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until what `ip` shows is as it should be. What makes it so is done by
/// the kernel's workers, after the command that asked for it.
pub fn settled(show: &str, wanted: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let output = Command::new("ip").args(show.split_whitespace()).output().expect("ip runs");
        let shown = String::from_utf8_lossy(&output.stdout);
        if wanted(&shown) {
            return;
        }
        assert!(Instant::now() < deadline, "ip {show}: {shown}");
    }
}

impl Wire {
    /// IPv4 only: not a packet but the test's.
    pub fn new() -> Self {
        Self::make(false)
    }

    /// IPv6, with the reports of multicast groups that come with it.
    pub fn with_ipv6() -> Self {
        Self::make(true)
    }

    fn make(ipv6: bool) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |end: &str| format!("weir-test-{}-{count}{end}", std::process::id());
        let wire = Self {
            a: End { namespace: name("a"), v4: "10.77.0.1", v6: "fd77::1", mac: "02:00:00:00:00:0a" },
            b: End { namespace: name("b"), v4: "10.77.0.2", v6: "fd77::2", mac: "02:00:00:00:00:0b" },
        };
        let (a, b) = (&wire.a.namespace, &wire.b.namespace);
        ip(&format!("netns add {a}"));
        ip(&format!("netns add {b}"));
        let (mac, peer) = (wire.a.mac, wire.b.mac);
        ip(&format!(
            "link add {DEVICE} address {mac} netns {a} type veth peer name {DEVICE} address {peer} netns {b}"
        ));
        for end in [&wire.a, &wire.b] {
            let namespace = &end.namespace;
            if !ipv6 {
                netns::enter(namespace, || {
                    let path = format!("/proc/sys/net/ipv6/conf/{DEVICE}/disable_ipv6");
                    std::fs::write(path, "1").expect("a setting of the device is written");
                })
                .expect("the namespace is entered");
            }
            ip(&format!("-n {namespace} link set lo up"));
            ip(&format!("-n {namespace} addr add {}/24 dev {DEVICE}", end.v4));
            if ipv6 {
                ip(&format!("-n {namespace} addr add {}/64 dev {DEVICE} nodad", end.v6));
            }
            ip(&format!("-n {namespace} link set {DEVICE} up"));
        }
        wire.meet(ipv6);
        wire
    }

    /// Ends when the cable carries packets, and each end knows the other's address:
    /// the first packet goes out at once.
    pub fn meet(&self, ipv6: bool) {
        for (end, other) in [(&self.a, &self.b), (&self.b, &self.a)] {
            let (namespace, mac) = (&end.namespace, other.mac);
            settled(&format!("-n {namespace} link show {DEVICE}"), |shown| shown.contains("state UP"));
            ip(&format!("-n {namespace} neigh replace {} lladdr {mac} dev {DEVICE}", other.v4));
            if ipv6 {
                let show = format!("-n {namespace} -6 addr show dev {DEVICE} scope global");
                settled(&show, |shown| shown.contains(end.v6) && !shown.contains("tentative"));
                ip(&format!("-n {namespace} neigh replace {} lladdr {mac} dev {DEVICE}", other.v6));
            }
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for end in [&self.a, &self.b] {
            let _ = Command::new("ip").args(["netns", "delete", &end.namespace]).output();
        }
    }
}

impl End {
    pub fn attachment(&self, number: InterfaceNumber, mode: Mode, side: Side) -> Attachment {
        Attachment {
            interface: EniId::from_random(number.0.into()),
            device: DEVICE.to_owned(),
            netns: Some(self.namespace.clone()),
            mode,
            side,
        }
    }

    /// A bound socket that gives up after ten seconds: a lost packet fails the
    /// test, it does not hang it.
    pub fn udp(&self, port: u16) -> UdpSocket {
        let socket = self.inside(|| UdpSocket::bind((self.v4, port)).expect("a socket is bound"));
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout is set");
        socket
    }

    pub fn listen(&self, address: &str, port: u16) -> TcpListener {
        self.inside(|| TcpListener::bind((address, port)).expect("a listener is bound"))
    }

    pub fn connect(&self, address: &str, port: u16) -> TcpStream {
        self.inside(|| TcpStream::connect((address, port)).expect("a connection is made"))
    }

    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        netns::enter(&self.namespace, work).expect("the namespace is entered")
    }
}
