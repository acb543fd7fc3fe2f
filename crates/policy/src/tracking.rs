//! Tracked flows: what makes security groups stateful.
//!
//! A flow that a rule allowed is remembered, and its packets pass in both
//! directions without a look at the rules, until it closes or falls silent.
//! A change of the rules leaves tracked flows alone.
//!
//! ```text
//! TCP   New ──other side answers──▶ Established ──FIN──▶ Closing ──both FINs acknowledged──▶ Closed
//!       120 s                       432,000 s            120 s                               60 s
//!         └───FIN──▶ Closing        RST in any state ──▶ Closed
//! UDP   New ──other side answers──▶ Answered ──initiator sends again──▶ Stream
//!       30 s                        30 s                                180 s
//! ICMP  30 s        other protocols  600 s
//! ```
//!
//! AWS documents the 432,000 s, the 30 s and 180 s of UDP and the 600 s (EC2
//! user guide, "Security group connection tracking", "Idle connection tracking
//! timeout"). It does not document those of half-open and closing TCP and of
//! ICMP: here they are Linux's (net.netfilter.nf_conntrack_tcp_timeout_syn_sent,
//! _fin_wait, nf_conntrack_icmp_timeout).
//!
//! A closed connection is kept for 60 s on purpose. AWS shows packets that
//! arrive after the close, such as a late ACK or a repeated FIN, as REJECT even
//! where the rules would allow a new flow.

use crate::packet::{Packet, Quoted, Tcp};
use std::net::IpAddr;
use weir_types::net::{Direction, Protocol};

const SECOND_NS: u64 = 1_000_000_000;

/// A TCP flow seen in one direction only.
pub const TCP_NEW_TIMEOUT_NS: u64 = 120 * SECOND_NS;
/// A TCP flow seen in both directions: 5 days.
pub const TCP_ESTABLISHED_TIMEOUT_NS: u64 = 432_000 * SECOND_NS;
/// A TCP flow of which a side has sent a FIN.
pub const TCP_CLOSING_TIMEOUT_NS: u64 = 120 * SECOND_NS;
/// How long a closed TCP connection rejects what comes late.
pub const TCP_CLOSED_TIMEOUT_NS: u64 = 60 * SECOND_NS;
/// A UDP flow with at most one request and its answers.
pub const UDP_TIMEOUT_NS: u64 = 30 * SECOND_NS;
/// A UDP flow whose initiator has sent again after an answer.
pub const UDP_STREAM_TIMEOUT_NS: u64 = 180 * SECOND_NS;
/// ICMP and ICMPv6.
pub const ICMP_TIMEOUT_NS: u64 = 30 * SECOND_NS;
/// Every other protocol.
pub const OTHER_TIMEOUT_NS: u64 = 600 * SECOND_NS;

/// One end of a flow. The port is the echo identifier for an ICMP echo, and 0
/// for all else that has no ports.
type End = (IpAddr, u16);

/// Names a flow of one interface, whichever way its packets go: the lower end
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    protocol: Protocol,
    ends: [End; 2],
}

impl FlowKey {
    fn new(protocol: Protocol, one: End, other: End) -> Self {
        let ends = if one <= other { [one, other] } else { [other, one] };
        Self { protocol, ends }
    }

    /// The flow of a packet; `None` if its ports are unknown, because then so
    /// is its flow.
    pub(crate) fn of(packet: &Packet) -> Option<Self> {
        if packet.lacks_transport() {
            return None;
        }
        let echo_id = packet.icmp.filter(|_| packet.is_echo()).map(|icmp| icmp.echo_id);
        let (src_port, dst_port) = match echo_id {
            Some(id) => (id, id),
            None if packet.protocol.has_ports() => (packet.src_port, packet.dst_port),
            None => (0, 0),
        };
        Some(Self::new(packet.protocol, (packet.src, src_port), (packet.dst, dst_port)))
    }

    /// The flow that an ICMP error speaks of.
    pub(crate) fn of_quoted(quoted: &Quoted) -> Self {
        Self::new(quoted.protocol, (quoted.src, quoted.src_port), (quoted.dst, quoted.dst_port))
    }
}

/// What is known of one tracked flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Direction of the packet that began it.
    initiator: Direction,
    /// A packet against `initiator` was seen.
    answered: bool,
    /// Its beginning was rejected, and passed: see `Tracker::evaluate`.
    refused: bool,
    last_seen_ns: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Tcp(TcpState),
    Udp {
        stream: bool,
    },
    Icmp,
    /// A protocol that is known by its addresses and number only.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct TcpState {
    closed: bool,
    /// The FINs seen on ingress and on egress.
    fins: [Option<Fin>; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fin {
    seq: u32,
    acked: bool,
}

impl Flow {
    /// The flow that an allowed packet begins; `None` if it begins none: a TCP
    /// reset ends what was not known.
    pub(crate) fn begin(packet: &Packet, now_ns: u64) -> Option<Self> {
        if packet.tcp.is_some_and(|tcp| tcp.has(Tcp::RST)) {
            return None;
        }
        let state = match packet.protocol {
            Protocol::TCP => State::Tcp(TcpState::default()),
            Protocol::UDP => State::Udp { stream: false },
            protocol if protocol.is_icmp() => State::Icmp,
            _ => State::Other,
        };
        let (initiator, last_seen_ns) = (packet.direction, now_ns);
        let flow = Self { initiator, answered: false, refused: false, last_seen_ns, state };
        Some(flow.after(packet, now_ns))
    }

    /// The same, begun by a packet that was rejected.
    pub(crate) fn refused(self) -> Self {
        Self { refused: true, ..self }
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether an allowed packet of a refused flow begins it anew; any other
    /// goes on with it.
    pub(crate) fn begins_anew(&self, packet: &Packet) -> bool {
        if packet.tcp.is_some_and(|tcp| tcp.has(Tcp::RST)) {
            return false;
        }
        packet.direction == self.initiator
            || packet.tcp.is_some_and(Tcp::is_pure_syn)
            || packet.is_echo() && packet.icmp.is_some_and(|icmp| matches!(icmp.icmp_type, 8 | 128))
    }

    /// The flow after one more packet.
    pub(crate) fn after(mut self, packet: &Packet, now_ns: u64) -> Self {
        let from_initiator = packet.direction == self.initiator;
        match &mut self.state {
            State::Tcp(state) => {
                if let Some(tcp) = packet.tcp {
                    state.observe(packet.direction, tcp);
                }
            }
            State::Udp { stream } => *stream |= from_initiator && self.answered,
            State::Icmp | State::Other => {}
        }
        self.answered |= !from_initiator;
        self.last_seen_ns = now_ns;
        self
    }

    /// Whether it has been silent for longer than its state allows. A `now_ns`
    /// before the last packet, read on another processor, is no silence.
    pub(crate) fn is_expired(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.last_seen_ns) > self.timeout_ns()
    }

    /// A TCP connection that has closed and only waits to be forgotten.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Tcp(TcpState { closed: true, .. }))
    }

    fn timeout_ns(&self) -> u64 {
        match self.state {
            State::Tcp(TcpState { closed: true, .. }) => TCP_CLOSED_TIMEOUT_NS,
            State::Tcp(TcpState { fins: [None, None], .. }) if self.answered => TCP_ESTABLISHED_TIMEOUT_NS,
            State::Tcp(TcpState { fins: [None, None], .. }) => TCP_NEW_TIMEOUT_NS,
            State::Tcp(_) => TCP_CLOSING_TIMEOUT_NS,
            State::Udp { stream: true } => UDP_STREAM_TIMEOUT_NS,
            State::Udp { stream: false } => UDP_TIMEOUT_NS,
            State::Icmp => ICMP_TIMEOUT_NS,
            State::Other => OTHER_TIMEOUT_NS,
        }
    }
}

impl TcpState {
    /// Follows RFC 9293, section 3.6: a connection is closed when each side has
    /// sent a FIN and seen it acknowledged, or when either has sent a RST.
    fn observe(&mut self, direction: Direction, tcp: Tcp) {
        if tcp.has(Tcp::RST) {
            self.closed = true;
            return;
        }
        let [own, other] = match direction {
            Direction::Ingress => [0, 1],
            Direction::Egress => [1, 0],
        };
        // A repeated FIN has the number of the first.
        if tcp.has(Tcp::FIN) && self.fins[own].is_none() {
            self.fins[own] = Some(Fin { seq: tcp.fin_seq(), acked: false });
        }
        if let Some(fin) = &mut self.fins[other]
            && tcp.has(Tcp::ACK)
        {
            fin.acked |= is_at_or_after(tcp.ack, fin.seq.wrapping_add(1));
        }
        self.closed = self.fins.iter().all(|fin| fin.is_some_and(|fin| fin.acked));
    }
}

/// Comparison of sequence numbers, which wrap: RFC 9293, section 3.4.
fn is_at_or_after(number: u32, reference: u32) -> bool {
    number.wrapping_sub(reference).cast_signed() >= 0
}
