//! The reference evaluator: rules, tracked flows and a packet to a verdict.
//!
//! ```text
//! ingress   ACL ──▶ groups        egress   groups ──▶ ACL
//! groups    ICMP error about a tracked flow?  Related
//!           tracked flow: closed?             AfterClose, unless a new connection begins
//!                         refused?            as if there were none (see Tracker::evaluate)
//!                         else                Tracked
//!           none:         a rule allows?      GroupRule (a flow begins) or Untracked
//!                         else                NoGroupAllows
//! ```
//!
//! Source: VPC user guide, "Compare security groups and network ACLs"; EC2 user
//! guide, "Security group connection tracking".
//!
//! Invariant: a packet that is rejected, by whichever part, leaves the tracked
//! flows as they were. So the groups first say what they would change, and the
//! change is made when the verdict stands.

use crate::acl;
use crate::compile::CompiledRules;
use crate::group;
use crate::packet::Packet;
use crate::tracking::{Flow, FlowKey};
use crate::verdict::Verdict;
use std::collections::HashMap;
use weir_types::net::{Action, Direction};

/// The tracked flows of one network interface, and the decisions that depend on
/// them.
///
/// Invariant: at most `capacity` flows. When there is no room, a packet that
/// would begin a flow is still judged by its rules, but not remembered, and
/// [`Tracker::table_full_packets`] grows: its answers may be rejected.
#[derive(Debug, Clone)]
pub struct Tracker {
    flows: HashMap<FlowKey, Flow>,
    capacity: usize,
    table_full_packets: u64,
}

/// What an accepted packet does to the tracked flows.
enum Change {
    Nothing,
    Store(FlowKey, Flow),
    Forget(FlowKey),
}

impl Tracker {
    /// Flows that [`Tracker::new`] has room for.
    pub const DEFAULT_CAPACITY: usize = 262_144;

    /// No flows yet, room for [`Tracker::DEFAULT_CAPACITY`].
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// No flows yet, room for `capacity`. Memory is taken as flows come.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { flows: HashMap::new(), capacity, table_full_packets: 0 }
    }

    /// Judges one packet and remembers what the next ones need.
    ///
    /// `rules` may differ from one call to the next: tracked flows stay, all
    /// else is judged by the new rules. `now_ns` is nanoseconds of a monotonic
    /// clock, the same one in all calls.
    pub fn decide(&mut self, rules: &CompiledRules, packet: &Packet, now_ns: u64) -> Verdict {
        self.judge(rules, packet, now_ns, false)
    }

    /// Like [`Tracker::decide`], where a rejected packet passes nonetheless (the
    /// `evaluate` mode), arrives, and is answered.
    ///
    /// Its flow is remembered as refused: the answers are judged by their own
    /// rules, and do not begin a tracked flow that would make further packets of
    /// the refused one acceptable. A refused flow becomes a tracked one when the
    /// rules come to allow it, or when the other end begins one itself (a SYN,
    /// an echo request).
    pub fn evaluate(&mut self, rules: &CompiledRules, packet: &Packet, now_ns: u64) -> Verdict {
        let verdict = self.judge(rules, packet, now_ns, true);
        if verdict.action() == Action::Reject {
            self.refuse(packet, now_ns);
        }
        verdict
    }

    fn judge(&mut self, rules: &CompiledRules, packet: &Packet, now_ns: u64, all_pass: bool) -> Verdict {
        if packet.is_neighbour_discovery() {
            return Verdict::NotJudged;
        }
        let denial = acl::denial(rules, packet);
        if packet.direction == Direction::Ingress
            && let Some(denial) = denial
        {
            return denial;
        }
        let (verdict, change) = self.ask_groups(rules, packet, now_ns, all_pass);
        match (verdict.action(), denial) {
            (Action::Reject, _) => verdict,
            (Action::Accept, Some(denial)) => denial,
            (Action::Accept, None) => {
                self.apply(change);
                verdict
            }
        }
    }

    /// Forgets flows that have expired, to make room. Verdicts do not depend on
    /// when, or whether, this is called, except through the capacity.
    pub fn expire(&mut self, now_ns: u64) {
        self.flows.retain(|_, flow| !flow.is_expired(now_ns));
    }

    /// Flows that are remembered, expired ones included.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether no flow is remembered.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Packets that should have begun a tracked flow and found no room.
    pub fn table_full_packets(&self) -> u64 {
        self.table_full_packets
    }

    /// What the security groups say, and what follows if the packet passes.
    fn ask_groups(
        &self,
        rules: &CompiledRules,
        packet: &Packet,
        now_ns: u64,
        all_pass: bool,
    ) -> (Verdict, Change) {
        let Some(key) = FlowKey::of(packet) else {
            return match group::allows(rules, packet) {
                Some(rule) => (rules.group_allowance(rule.origin, rule.untracked), Change::Nothing),
                None => (Verdict::NoGroupAllows, Change::Nothing),
            };
        };
        if self.is_related(packet, now_ns) {
            return (Verdict::Related, Change::Nothing);
        }
        // Where rejected packets are dropped, nobody answers them.
        let flow = self.live(&key, now_ns).filter(|flow| all_pass || !flow.is_refused());
        match flow {
            Some(flow) if !flow.is_closed() && !flow.is_refused() => {
                return (Verdict::Tracked, Change::Store(key, flow.after(packet, now_ns)));
            }
            // The same ports again, at once: a new connection, judged as such.
            Some(flow) if flow.is_closed() && !packet.tcp.is_some_and(|tcp| tcp.is_pure_syn()) => {
                return (Verdict::AfterClose, Change::Nothing);
            }
            _ => {}
        }
        let Some(rule) = group::allows(rules, packet) else {
            return (Verdict::NoGroupAllows, Change::Nothing);
        };
        if let Some(flow) = flow.filter(|flow| flow.is_refused() && !flow.is_closed())
            && !flow.begins_anew(packet)
        {
            let change = Change::Store(key, flow.after(packet, now_ns));
            return (rules.group_allowance(rule.origin, rule.untracked), change);
        }
        let begun = if rule.untracked { None } else { Flow::begin(packet, now_ns) };
        let change = match (begun, flow) {
            (Some(begun), _) => Change::Store(key, begun),
            (None, Some(_)) => Change::Forget(key),
            (None, None) => Change::Nothing,
        };
        (rules.group_allowance(rule.origin, rule.untracked), change)
    }

    /// Whether the packet is an ICMP error about a packet of a tracked flow,
    /// sent by either end, also shortly after its close.
    fn is_related(&self, packet: &Packet, now_ns: u64) -> bool {
        packet.is_icmp_error()
            && packet
                .icmp
                .and_then(|icmp| icmp.quoted)
                .and_then(|quoted| self.live(&FlowKey::of_quoted(&quoted), now_ns))
                .is_some_and(|flow| !flow.is_refused())
    }

    /// Remembers that a packet was rejected and passed. What is tracked stays.
    fn refuse(&mut self, packet: &Packet, now_ns: u64) {
        // ICMP without an identifier is no conversation.
        if packet.protocol.is_icmp() && !packet.is_echo() {
            return;
        }
        let Some(key) = FlowKey::of(packet) else { return };
        let is_pure_syn = packet.tcp.is_some_and(|tcp| tcp.is_pure_syn());
        let refused = match self.live(&key, now_ns) {
            Some(flow) if !(flow.is_closed() && is_pure_syn) => {
                (flow.is_refused() && !flow.is_closed()).then(|| flow.after(packet, now_ns))
            }
            _ => Flow::begin(packet, now_ns).map(Flow::refused),
        };
        if let Some(flow) = refused
            && (self.flows.len() < self.capacity || self.flows.contains_key(&key))
        {
            self.flows.insert(key, flow);
        }
    }

    fn live(&self, key: &FlowKey, now_ns: u64) -> Option<Flow> {
        self.flows.get(key).filter(|flow| !flow.is_expired(now_ns)).copied()
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Nothing => {}
            Change::Store(key, flow) => {
                if self.flows.len() < self.capacity || self.flows.contains_key(&key) {
                    self.flows.insert(key, flow);
                } else {
                    self.table_full_packets += 1;
                }
            }
            Change::Forget(key) => {
                self.flows.remove(&key);
            }
        }
    }
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}
