//! Whose packets they are: which interfaces a packet crosses, which way, and
//! whether rules let it pass.
//!
//! | View | A packet is | Action |
//! |---|---|---|
//! | of the capture | one of the interface it was captured on; egress if it is from an address that is "us" or the file says it was sent, else ingress | ACCEPT |
//! | of a VPC | egress of the interface that has its source, ingress of the one that has its destination: both, one or none | what the rules say |
//!
//! Rules judge what has happened already: a packet that they reject did pass,
//! and its answer is in the file. So they are asked as in the `evaluate` mode of
//! live capture.

use crate::file::{CaptureInterface, Captured};
use crate::link::Link;
use crate::packet::{Datagram, Frame, address, bits};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::net::IpAddr;
use weir_flow::decision::{Decision, Reason};
use weir_flow::record::InterfaceFacts;
use weir_policy::{CompiledRules, Origin, Tracker, Verdict};
use weir_types::id::{EniId, SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Action, Direction, IpNet};

/// A packet at an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// Its place among the view's.
    pub interface: u16,
    pub direction: Direction,
}

/// Who "we" are in a capture without rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Us {
    pub nets: Vec<IpNet>,
    pub macs: Vec<[u8; 6]>,
}

/// An interface with rules.
#[derive(Debug, Clone)]
pub struct Ruled {
    pub facts: InterfaceFacts,
    /// None: whatever no other interface has, in the direction that the capture
    /// says.
    pub addresses: Vec<IpAddr>,
    pub rules: CompiledRules,
}

/// See the module's description.
pub struct View {
    interfaces: Vec<InterfaceFacts>,
    kind: Kind,
}

enum Kind {
    Capture(Capture),
    Vpc(Vpc),
}

struct Capture {
    account: String,
    region: String,
    /// One for all that is captured.
    only: Option<EniId>,
    us: Us,
    /// The file's interfaces to those of the view.
    numbers: Vec<Option<u16>>,
    by_name: HashMap<Option<String>, u16, RandomState>,
}

struct Vpc {
    by_address: HashMap<u128, u16, RandomState>,
    /// The one without addresses.
    rest: Option<u16>,
    rules: Vec<CompiledRules>,
    trackers: Vec<Tracker>,
    /// Of the last packet.
    now_ns: u64,
}

impl View {
    /// Without rules. `only`: the interface that all records name; otherwise
    /// every interface of the capture has an id made from its name
    /// ([`made_up_id`]).
    pub fn of_capture(account: &str, region: &str, only: Option<EniId>, us: Us) -> Self {
        let (account, region) = (account.to_owned(), region.to_owned());
        let capture = Capture { account, region, only, us, numbers: Vec::new(), by_name: HashMap::default() };
        Self { interfaces: Vec::new(), kind: Kind::Capture(capture) }
    }

    /// With rules: packets from and to the addresses of these interfaces. Of
    /// interfaces with one address the last one has it; at most 65,535.
    pub fn of_vpc(interfaces: Vec<Ruled>) -> Self {
        let (by_address, rest) = (HashMap::default(), None);
        let mut vpc = Vpc { by_address, rest, rules: Vec::new(), trackers: Vec::new(), now_ns: 0 };
        let mut facts = Vec::new();
        for (number, interface) in (0..u16::MAX).zip(interfaces) {
            if interface.addresses.is_empty() {
                vpc.rest = Some(number);
            }
            for address in interface.addresses {
                vpc.by_address.insert(bits(address), number);
            }
            vpc.rules.push(interface.rules);
            vpc.trackers.push(Tracker::with_capacity(1 << 20));
            facts.push(interface.facts);
        }
        Self { interfaces: facts, kind: Kind::Vpc(vpc) }
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = &InterfaceFacts> {
        self.interfaces.iter()
    }

    pub(crate) fn has_rules(&self) -> bool {
        matches!(self.kind, Kind::Vpc(_))
    }

    pub(crate) fn begin_file(&mut self) {
        if let Kind::Capture(capture) = &mut self.kind {
            capture.numbers.clear();
        }
    }

    /// Where the packet was seen; nowhere if it is not one of interest.
    #[inline]
    pub(crate) fn crossings(
        &mut self,
        captured: &Captured<'_>,
        link: Link,
        frame: Frame<'_>,
        datagram: &Datagram,
        crossings: &mut Vec<Crossing>,
    ) {
        match &mut self.kind {
            Kind::Capture(capture) => {
                let known = capture.numbers.get(captured.interface).copied().flatten();
                let number = match known {
                    Some(number) => number,
                    None => capture.number(captured.interface, captured.on, &mut self.interfaces),
                };
                let direction = match capture.us.is_nobody() {
                    true => Some(said(captured, link, frame)),
                    false => capture.us.direction(link, frame, datagram),
                };
                crossings.extend(direction.map(|direction| Crossing { interface: number, direction }));
            }
            Kind::Vpc(vpc) => {
                let headers = &datagram.headers;
                let ends = [(headers.src, Direction::Egress), (headers.dst, Direction::Ingress)];
                let crossing = |(address, direction)| {
                    let interface = *vpc.by_address.get(&address)?;
                    Some(Crossing { interface, direction })
                };
                crossings.extend(ends.into_iter().filter_map(crossing));
                if let (true, Some(interface)) = (crossings.is_empty(), vpc.rest) {
                    crossings.push(Crossing { interface, direction: said(captured, link, frame) });
                }
            }
        }
    }

    /// What the rules of the interface say.
    #[inline]
    pub(crate) fn judge(
        &mut self,
        interface: u16,
        direction: Direction,
        datagram: &Datagram,
        frame: Frame<'_>,
        time_ns: i64,
    ) -> (Action, Decision) {
        let unjudged = (Action::Accept, Decision::default());
        let Kind::Vpc(vpc) = &mut self.kind else { return unjudged };
        let at = usize::from(interface);
        let (Some(rules), Some(tracker)) = (vpc.rules.get(at), vpc.trackers.get_mut(at)) else {
            return unjudged;
        };
        let packet = datagram.packet(frame, direction);
        vpc.now_ns = u64::try_from(time_ns).unwrap_or(0);
        let verdict = tracker.evaluate(rules, &packet, vpc.now_ns);
        (verdict.action(), decision_of(&verdict))
    }

    /// Forgets connections that fell silent.
    pub(crate) fn expire(&mut self) {
        if let Kind::Vpc(vpc) = &mut self.kind {
            for tracker in &mut vpc.trackers {
                tracker.expire(vpc.now_ns);
            }
        }
    }

    pub(crate) fn untracked(&self) -> u64 {
        match &self.kind {
            Kind::Capture(_) => 0,
            Kind::Vpc(vpc) => vpc.trackers.iter().map(Tracker::table_full_packets).sum(),
        }
    }
}

/// A verdict as records tell it. Which rule a tracked flow began by is not
/// remembered.
fn decision_of(verdict: &Verdict) -> Decision {
    let origin = |group: &SecurityGroupId, rule: &SecurityGroupRuleId| {
        Origin::Group { group: group.clone(), rule: rule.clone() }.name_number()
    };
    let (reason, rule) = match verdict {
        Verdict::AclRule { number } => (Reason::AclRule, Origin::Acl { number: *number }.name_number()),
        Verdict::AclDefault => (Reason::AclDefault, 0),
        Verdict::GroupRule { group, rule } => (Reason::GroupRule, origin(group, rule)),
        Verdict::Untracked { group, rule } => (Reason::Untracked, origin(group, rule)),
        Verdict::Tracked => (Reason::Tracked, 0),
        Verdict::Related => (Reason::Related, 0),
        Verdict::AfterClose => (Reason::AfterClose, 0),
        Verdict::NoGroupAllows => (Reason::NoGroupRule, 0),
        Verdict::NotJudged => (Reason::None, 0),
    };
    Decision { reason, rule }
}

/// The direction that the file or the link layer says; ingress if neither does.
fn said(captured: &Captured<'_>, link: Link, frame: Frame<'_>) -> Direction {
    captured.direction.or_else(|| link.direction(frame)).unwrap_or(Direction::Ingress)
}

impl Capture {
    #[cold]
    fn number(&mut self, at: usize, interface: &CaptureInterface, all: &mut Vec<InterfaceFacts>) -> u16 {
        let name = match (&self.only, &interface.name) {
            (Some(_), _) => None,
            (None, Some(name)) => Some(name.clone()),
            (None, None) => Some(format!("interface {at}")),
        };
        let number = *self.by_name.entry(name).or_insert_with_key(|name| {
            let id = match (&self.only, name) {
                (Some(id), _) => id.clone(),
                (None, name) => made_up_id(name.as_deref().unwrap_or_default()),
            };
            // A file has at most 65,535 interfaces; what several have beyond that is the last one's.
            let number = u16::try_from(all.len()).unwrap_or(u16::MAX);
            if number < u16::MAX {
                all.push(InterfaceFacts::new(self.account.clone(), self.region.clone(), id));
            }
            number.min(u16::MAX - 1)
        });
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, None);
        }
        if let Some(known) = self.numbers.get_mut(at) {
            *known = Some(number);
        }
        number
    }
}

impl Us {
    pub fn is_nobody(&self) -> bool {
        self.nets.is_empty() && self.macs.is_empty()
    }

    /// From us: egress; to us, or to everybody: ingress; else none of ours.
    fn direction(&self, link: Link, frame: Frame<'_>, datagram: &Datagram) -> Option<Direction> {
        let headers = &datagram.headers;
        let [src, dst] = [headers.src, headers.dst].map(|bits| address(bits, headers.family));
        let macs = link.macs(frame);
        let is_in = |address: IpAddr| self.nets.iter().any(|net| net.contains(&address));
        let is_mac = |mac: [u8; 6]| self.macs.contains(&mac);
        if is_in(src) || macs.is_some_and(|(_, src)| is_mac(src)) {
            return Some(Direction::Egress);
        }
        let is_to_all = match dst {
            IpAddr::V4(dst) => dst.is_multicast() || dst.is_broadcast(),
            IpAddr::V6(dst) => dst.is_multicast(),
        };
        let is_to_us = is_to_all || is_in(dst) || macs.is_some_and(|(dst, _)| is_mac(dst));
        is_to_us.then_some(Direction::Ingress)
    }
}

/// The id that records have for an interface of a capture: made from its name,
/// the same in every run.
pub fn made_up_id(name: &str) -> EniId {
    // FNV-1a with 128 bits: stable, and short.
    let hash = name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    // Names that differ in their last letter give ids that look nothing alike.
    let mixed = (hash ^ (hash >> 64)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    EniId::from_random(mixed ^ (mixed >> 64))
}
