//! From what devices there are to what is to be done about them. Pure: the time
//! is an argument.
//!
//! A device is told apart by its namespace and index, so that a rename is one
//! and not a device that vanished beside one that appeared. A device that is
//! attached and is then detached by somebody is left alone until it is gone.

use super::rule::{Rule, side_of};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_capture::devices::{Device, Seen};
use weir_control::observed::appeared::{Appeared, OfRule, place};
use weir_types::id::EniId;
use weir_types::orders::Attachment;

/// A device that is being made is renamed, moved and given addresses; it is
/// left alone for so long, in milliseconds.
const SETTLE: i64 = 200;

/// One without an address is not waited for any longer.
const NO_ADDRESS: i64 = 500;

/// How long the interface of a device that is gone waits for it to come back.
pub const KEEP: i64 = 600_000;

/// A device: its namespace and its index there.
pub type Key = (u64, u32);

/// What is to be done.
#[derive(Debug)]
pub enum Step {
    Appear(Key, Appeared),
    Vanish {
        interface: EniId,
        place: String,
        why: &'static str,
    },
    Rename {
        interface: EniId,
        from: String,
        to: String,
    },
    Readdress {
        interface: EniId,
        ipv4: Vec<(Ipv4Addr, u8)>,
        ipv6: Vec<Ipv6Addr>,
    },
    /// The device of an interface that no rule made is gone from its namespace.
    Look,
    Expire(EniId),
}

/// What is known of a device.
#[derive(Debug)]
struct Tracked {
    netns: Option<String>,
    name: String,
    /// When it was first seen under this name.
    since: i64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Of no rule.
    Free,
    Waiting,
    /// By a rule.
    Attached {
        interface: EniId,
        addresses: Vec<(IpAddr, u8)>,
    },
    /// By somebody.
    Ordinary(EniId),
    /// It was attached, or could not be, and is not tried again.
    LeftAlone,
}

#[derive(Debug)]
pub struct Plan {
    rules: Vec<Rule>,
    devices: BTreeMap<Key, Tracked>,
    /// Interfaces whose device is gone, by its place, and since when.
    gone: BTreeMap<String, (EniId, i64)>,
    /// Interfaces that rules made.
    made: BTreeSet<EniId>,
    /// Attachments of rules whose device has not been seen yet.
    awaited: BTreeMap<EniId, String>,
    is_first: bool,
}

impl Plan {
    /// `made` is what rules made before this process began.
    pub fn new(rules: Vec<Rule>, made: Vec<OfRule>, now: i64) -> Self {
        let mut plan = Self {
            rules,
            devices: BTreeMap::new(),
            gone: BTreeMap::new(),
            made: BTreeSet::new(),
            awaited: BTreeMap::new(),
            is_first: true,
        };
        for OfRule { interface, place, attachment } in made {
            plan.made.insert(interface.clone());
            match attachment {
                Some(_) => drop(plan.awaited.insert(interface, place)),
                None => drop(plan.gone.insert(place, (interface, now))),
            }
        }
        plan
    }

    /// The namespaces whose devices matter, of those that have names now.
    pub fn namespaces(&self, named: &[String], attachments: &[Attachment]) -> BTreeSet<String> {
        let by_rule = |name: &&String| self.rules.iter().any(|rule| rule.wants_namespace(Some(name)));
        let mut wanted: BTreeSet<String> = named.iter().filter(by_rule).cloned().collect();
        wanted.extend(self.rules.iter().filter_map(Rule::process));
        wanted.extend(attachments.iter().filter_map(|attachment| attachment.netns.clone()));
        wanted
    }

    /// What is to be done now.
    pub fn step(&mut self, now: i64, seen: &[Seen<'_>], attachments: &[Attachment]) -> Vec<Step> {
        let mut steps = Vec::new();
        let there: BTreeSet<Key> =
            seen.iter().flat_map(|of| of.devices.keys().map(|index| (of.id, *index))).collect();
        // First what is gone: its name may be another's now.
        let lost: Vec<Key> = self.devices.keys().filter(|key| !there.contains(key)).copied().collect();
        for key in lost {
            let Some(tracked) = self.devices.remove(&key) else { continue };
            match tracked.state {
                State::Attached { interface, .. } => {
                    let place = place(tracked.netns.as_deref(), &tracked.name);
                    steps.push(self.lose(interface, place, "the device is gone", now));
                }
                State::Ordinary(_) => steps.push(Step::Look),
                _ => {}
            }
        }
        for of in seen {
            for device in of.devices.values() {
                let step = self.look_at(now, of, device, attachments);
                steps.extend(step);
            }
        }
        // What was attached before this process began and is not there.
        for (interface, place) in std::mem::take(&mut self.awaited) {
            steps.push(self.lose(interface, place, "the device is gone", now));
        }
        let over: Vec<String> = self
            .gone
            .iter()
            .filter(|(_, (_, since))| now - since >= KEEP)
            .map(|(place, _)| place.clone())
            .collect();
        for place in over {
            if let Some((interface, _)) = self.gone.remove(&place) {
                self.made.remove(&interface);
                steps.push(Step::Expire(interface));
            }
        }
        self.is_first = false;
        steps
    }

    fn look_at(
        &mut self,
        now: i64,
        of: &Seen<'_>,
        device: &Device,
        attachments: &[Attachment],
    ) -> Option<Step> {
        let key = (of.id, device.index);
        let is_wanted = self.rules.iter().any(|rule| rule.wants(of.netns, device));
        // What is there at the start is as it will be.
        let since = if self.is_first { now - NO_ADDRESS } else { now };
        let fresh = || Tracked {
            netns: of.netns.map(str::to_owned),
            name: device.name.clone(),
            since,
            state: if is_wanted { State::Waiting } else { State::Free },
        };
        let tracked = self.devices.entry(key).or_insert_with(fresh);
        if tracked.name != device.name {
            let from = std::mem::replace(&mut tracked.name, device.name.clone());
            match &tracked.state {
                State::Attached { interface, .. } if !is_wanted => {
                    let (interface, place) = (interface.clone(), place(of.netns, &from));
                    tracked.state = State::Free;
                    let why = "the device was renamed, no rule wants it any more";
                    return Some(self.lose(interface, place, why, now));
                }
                State::Attached { interface, .. } | State::Ordinary(interface) => {
                    let interface = interface.clone();
                    return Some(Step::Rename { interface, from, to: device.name.clone() });
                }
                _ => *tracked = Tracked { since: now, ..fresh() },
            }
        }
        let attached = attachments
            .iter()
            .find(|old| old.device == device.name && old.netns.as_deref() == of.netns)
            .map(|old| &old.interface);
        match (&mut tracked.state, attached) {
            // Somebody detached it.
            (State::Attached { interface, .. } | State::Ordinary(interface), None) => {
                self.made.remove(interface);
                tracked.state = State::LeftAlone;
                None
            }
            (State::Free | State::Waiting | State::LeftAlone, Some(interface)) => {
                let interface = interface.clone();
                self.awaited.remove(&interface);
                tracked.state = if self.made.contains(&interface) {
                    State::Attached { interface, addresses: Vec::new() }
                } else {
                    State::Ordinary(interface)
                };
                None
            }
            (State::Attached { interface, addresses }, Some(_)) => {
                if *addresses == device.addresses
                    || side_of(of.netns, device) == weir_types::orders::Side::Host
                {
                    return None;
                }
                addresses.clone_from(&device.addresses);
                let (ipv4, ipv6) = families(&device.addresses);
                Some(Step::Readdress { interface: interface.clone(), ipv4, ipv6 })
            }
            (State::Waiting, None) => {
                let age = now - tracked.since;
                let side = side_of(of.netns, device);
                let (ipv4, ipv6) = families(&device.addresses);
                let is_ready = device.up && (!ipv4.is_empty() || device.master.is_some());
                if age < if is_ready { SETTLE } else { NO_ADDRESS } {
                    return None;
                }
                let rule = self.rules.iter().find(|rule| rule.wants(of.netns, device))?;
                let master = device.master.and_then(|index| of.devices.get(&index));
                let network = master.and_then(|master| families(&master.addresses).0.first().copied());
                let before = self.gone.get(&place(of.netns, &device.name));
                Some(Step::Appear(
                    key,
                    Appeared {
                        device: device.name.clone(),
                        netns: of.netns.map(str::to_owned),
                        mode: rule.mode,
                        side,
                        ipv4,
                        ipv6,
                        network,
                        rule: rule.text.clone(),
                        before: before.map(|(interface, _)| interface.clone()),
                    },
                ))
            }
            _ => None,
        }
    }

    fn lose(&mut self, interface: EniId, place: String, why: &'static str, now: i64) -> Step {
        self.gone.insert(place.clone(), (interface.clone(), now));
        Step::Vanish { interface, place, why }
    }

    /// How [`Step::Appear`] went: the interface, `None` if it could not be attached.
    pub fn appeared(&mut self, key: Key, appeared: &Appeared, interface: Option<EniId>) {
        let Some(tracked) = self.devices.get_mut(&key) else { return };
        tracked.state = match interface {
            Some(interface) => {
                self.gone.remove(&place(appeared.netns.as_deref(), &appeared.device));
                self.made.insert(interface.clone());
                State::Attached { interface, addresses: Vec::new() }
            }
            None => State::LeftAlone,
        };
    }

    /// When [`Plan::step`] may have something to do although nothing changes:
    /// in so many milliseconds.
    pub fn patience(&self, now: i64) -> i64 {
        let waiting = self.devices.values().filter(|tracked| matches!(tracked.state, State::Waiting));
        let until = |tracked: &Tracked| {
            let age = now - tracked.since;
            if age < SETTLE { SETTLE - age } else { (NO_ADDRESS - age).max(10) }
        };
        waiting.map(until).min().unwrap_or(i64::MAX)
    }
}

/// The addresses that a network interface can have: link-local ones are not.
fn families(addresses: &[(IpAddr, u8)]) -> (Vec<(Ipv4Addr, u8)>, Vec<Ipv6Addr>) {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (address, prefix) in addresses {
        match address {
            IpAddr::V4(address) => v4.push((*address, *prefix)),
            IpAddr::V6(address) if !address.is_unicast_link_local() => v6.push(*address),
            IpAddr::V6(_) => {}
        }
    }
    (v4, v6)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
