//! Security groups: allow rules only, the union over all groups of the
//! interface. They are read for packets that no tracked flow owns.
//!
//! Source: VPC user guide, "Security group rules".

use crate::compile::{CompiledRules, Probe, RuleEntry};
use crate::packet::Packet;

/// The rule that lets a packet of no tracked flow pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Index into [`CompiledRules::origins`].
    pub(crate) origin: u32,
    /// The flow is not to be tracked.
    pub(crate) untracked: bool,
}

/// Reads the group list of the packet's direction; `None`: no rule allows it.
///
/// The flow is untracked if the entry that allows the packet says so, or if one
/// of the other direction does for the packet's answers: the packet is then
/// itself an answer, or as good as one. Without the second test the answer to
/// an untracked packet would start a tracked flow.
pub(crate) fn allows(rules: &CompiledRules, packet: &Packet) -> Option<Allowance> {
    let own = &rules.direction(packet.direction).groups;
    let probe = Probe::of(packet);
    let entry = own.iter().find(|entry| entry.matches(&probe))?;
    let answers = &rules.direction(packet.direction.opposite()).groups;
    let untracked = entry.untracked || allows_untracked(answers, &Probe::of_answer(packet));
    Some(Allowance { origin: entry.origin, untracked })
}

/// Untracked entries stand first: the search ends where they end.
fn allows_untracked(entries: &[RuleEntry], probe: &Probe) -> bool {
    entries.iter().take_while(|entry| entry.untracked).any(|entry| entry.matches(probe))
}
