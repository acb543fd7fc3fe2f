//! Security groups and network ACLs: rules and tracked flows to a verdict.
//!
//! ```text
//! InterfaceRules ──compile──▶ CompiledRules ──┬──▶ the kernel's maps (crate capture)
//!                                             └──▶ Tracker::decide(packet, now) ──▶ Verdict
//! ```
//!
//! [`compile`] turns the rules of one network interface into flat lists, once;
//! the eBPF program and [`Tracker`] read the same lists, so that they can be
//! compared packet by packet. `Tracker` is the reference: where the two differ,
//! the kernel is wrong.
//!
//! The order of a decision, for a packet that
//! - enters the instance (ingress): network ACL, then security groups;
//! - leaves it (egress): security groups, then network ACL.
//!
//! Source: VPC user guide, "Control subnet traffic with network access control
//! lists" and "Control traffic to your AWS resources using security groups".
//!
//! Not for: parsing packets, counting, enforcing. There is no clock here: time
//! is an argument, in nanoseconds of any monotonic clock.
//!
//! Not modelled: traffic that AWS never filters (Amazon DNS, DHCP, instance
//! metadata, Time Sync, licence activation, the reserved router address). Who
//! calls decides whether such a service exists on his network.

// In reading order.
pub mod packet;

pub mod verdict;

pub mod compile;

mod acl;

mod group;

pub mod tracking;

mod evaluate;

#[cfg(test)]
mod tests;

pub use compile::{CompileError, CompiledRules, Effect, Origin, RuleEntry};
pub use evaluate::Tracker;
pub use packet::{Icmp, Packet, Quoted, Tcp};
pub use verdict::Verdict;
