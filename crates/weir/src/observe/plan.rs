//! From what devices there are to what is to be done about them. Pure: the time
//! is an argument.
//!
//! A device is told apart by its namespace and index, so that a rename is one
//! and not a device that vanished beside one that appeared. A device that is
//! attached and is then detached by somebody is left alone until it is gone.
//!
//! Steps are to be taken in their order: one look at the devices may find that a
//! name has passed from one to the other. A step that could not be taken comes
//! again after [`Plan::failed`].

use super::rule::{Rule, side_of};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_capture::devices::{Device, Seen};
use weir_control::observed::appeared::{Appeared, OfRule, place};
use weir_types::id::EniId;
use weir_types::orders::{Attachment, Side};

/// A device that is being made is renamed, moved and given addresses; it is
/// left alone for so long, in milliseconds.
const SETTLE: i64 = 200;

/// One without an address is not waited for any longer.
const NO_ADDRESS: i64 = 500;

/// When a device that could not be attached for now is tried again.
const RETRY: i64 = 1000;

/// How long the interface of a device that is gone waits for it to come back.
pub const KEEP: i64 = 600_000;

/// A device: its namespace and its index there.
pub type Key = (u64, u32);

/// A device that is called otherwise now, and its interface.
#[derive(Debug)]
pub struct Renamed {
    pub interface: EniId,
    pub from: String,
    pub to: String,
}

/// What is to be done.
#[derive(Debug)]
pub enum Step {
    Appear(Key, Appeared),
    Vanish {
        interface: EniId,
        place: String,
        why: &'static str,
    },
    /// All names that changed between two looks: devices may have swapped theirs.
    Rename(Vec<Renamed>),
    Readdress {
        interface: EniId,
        ipv4: Vec<(Ipv4Addr, u8)>,
        ipv6: Vec<Ipv6Addr>,
    },
    /// The device of an interface that no rule made is gone from its namespace.
    Look,
    Expire {
        interface: EniId,
        place: String,
    },
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
        /// Those that the interface was given; `None` before the first look.
        addresses: Option<Vec<(IpAddr, u8)>>,
    },
    /// By somebody.
    Ordinary(EniId),
    /// It was attached, or could not be, and is not tried again.
    LeftAlone,
}

/// Where a device should be.
#[derive(Debug)]
struct Awaited {
    netns: Option<String>,
    place: String,
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
    awaited: BTreeMap<EniId, Awaited>,
    /// Attachments that are still to be undone: interface, place and reason.
    owed: Vec<(EniId, String, &'static str)>,
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
            owed: Vec::new(),
            is_first: true,
        };
        for OfRule { interface, place, attachment } in made {
            plan.made.insert(interface.clone());
            match attachment {
                Some(Attachment { netns, .. }) => {
                    drop(plan.awaited.insert(interface, Awaited { netns, place }));
                }
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
    ///
    /// `unlisted` are namespaces that `seen` says nothing of.
    pub fn step(
        &mut self,
        now: i64,
        seen: &[Seen<'_>],
        unlisted: &BTreeSet<Option<String>>,
        attachments: &[Attachment],
    ) -> Vec<Step> {
        // Of what is gone the name may be another's now.
        let mut steps = self.lose_owed(now, attachments);
        steps.extend(self.lose_gone(now, seen));
        steps.extend(self.follow_names(now, seen));
        let attachments = after(&steps, attachments);
        for of in seen {
            for device in of.devices.values() {
                let step = self.look_at(now, of, device, &attachments);
                steps.extend(step);
            }
        }
        // What was attached before this process began and is not there.
        let (waiting, gone) = std::mem::take(&mut self.awaited)
            .into_iter()
            .partition(|(_, awaited)| unlisted.contains(&awaited.netns));
        self.awaited = waiting;
        for (interface, Awaited { place, .. }) in gone {
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
                steps.push(Step::Expire { interface, place });
            }
        }
        self.is_first = false;
        steps
    }

    /// What could not be undone before, unless somebody did it or made another
    /// attachment of it.
    fn lose_owed(&mut self, now: i64, attachments: &[Attachment]) -> Vec<Step> {
        let mut owed = std::mem::take(&mut self.owed);
        owed.retain(|(interface, at, _)| {
            let is_it = |old: &Attachment| {
                old.interface == *interface && place(old.netns.as_deref(), &old.device) == *at
            };
            attachments.iter().any(is_it)
        });
        owed.into_iter().map(|(interface, place, why)| self.lose(interface, place, why, now)).collect()
    }

    fn lose_gone(&mut self, now: i64, seen: &[Seen<'_>]) -> Vec<Step> {
        let there: BTreeSet<Key> =
            seen.iter().flat_map(|of| of.devices.keys().map(|index| (of.id, *index))).collect();
        let lost: Vec<Key> = self.devices.keys().filter(|key| !there.contains(key)).copied().collect();
        let mut steps = Vec::new();
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
        steps
    }

    fn follow_names(&mut self, now: i64, seen: &[Seen<'_>]) -> Vec<Step> {
        let (mut steps, mut renames) = (Vec::new(), Vec::new());
        for of in seen {
            for device in of.devices.values() {
                let Some(tracked) = self.devices.get_mut(&(of.id, device.index)) else { continue };
                if tracked.name == device.name {
                    continue;
                }
                let is_wanted = self.rules.iter().any(|rule| rule.wants(of.netns, device));
                let from = std::mem::replace(&mut tracked.name, device.name.clone());
                match &tracked.state {
                    State::Attached { interface, .. } if !is_wanted => {
                        let (interface, place) = (interface.clone(), place(of.netns, &from));
                        tracked.state = State::Free;
                        let why = "the device was renamed, no rule wants it any more";
                        steps.push(self.lose(interface, place, why, now));
                    }
                    State::Attached { interface, .. } | State::Ordinary(interface) => {
                        let (interface, to) = (interface.clone(), device.name.clone());
                        renames.push(Renamed { interface, from, to });
                    }
                    _ => {
                        tracked.since = now;
                        tracked.state = if is_wanted { State::Waiting } else { State::Free };
                    }
                }
            }
        }
        // A name that one device gives up may be another's.
        if !renames.is_empty() {
            steps.push(Step::Rename(renames));
        }
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
        // What is there at the start is as it will be.
        let since = if self.is_first { now - NO_ADDRESS } else { now };
        let tracked = self.devices.entry(key).or_insert_with(|| Tracked {
            netns: of.netns.map(str::to_owned),
            name: device.name.clone(),
            since,
            state: match self.rules.iter().any(|rule| rule.wants(of.netns, device)) {
                true => State::Waiting,
                false => State::Free,
            },
        });
        let attached =
            attachments.iter().find(|old| old.device == device.name && old.netns.as_deref() == of.netns);
        match (&mut tracked.state, attached) {
            // Somebody detached it.
            (State::Attached { interface, .. } | State::Ordinary(interface), None) => {
                self.made.remove(interface);
                tracked.state = State::LeftAlone;
                None
            }
            (State::Free | State::Waiting | State::LeftAlone, Some(old)) => {
                let interface = old.interface.clone();
                self.awaited.remove(&interface);
                tracked.state = if self.made.contains(&interface) {
                    State::Attached { interface, addresses: None }
                } else {
                    State::Ordinary(interface)
                };
                None
            }
            (State::Attached { interface, addresses }, Some(old)) => {
                // At the host's end of a cable the addresses are the host's.
                if old.side == Side::Host || addresses.as_ref() == Some(&device.addresses) {
                    return None;
                }
                *addresses = Some(device.addresses.clone());
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
                State::Attached { interface, addresses: None }
            }
            None => State::LeftAlone,
        };
    }

    /// A step could not be taken for now: it will come again, if it is still
    /// right then.
    pub fn failed(&mut self, step: Step, now: i64) {
        match step {
            Step::Appear(key, _) => {
                if let Some(tracked) = self.devices.get_mut(&key) {
                    tracked.since = now + RETRY - NO_ADDRESS;
                }
            }
            Step::Vanish { interface, place, why } => self.owed.push((interface, place, why)),
            Step::Rename(renames) => {
                for Renamed { interface, from, .. } in renames {
                    let named = self.devices.values_mut().find(|tracked| match &tracked.state {
                        State::Attached { interface: of, .. } | State::Ordinary(of) => *of == interface,
                        _ => false,
                    });
                    if let Some(tracked) = named {
                        tracked.name = from;
                    }
                }
            }
            Step::Readdress { interface, .. } => {
                for tracked in self.devices.values_mut() {
                    match &mut tracked.state {
                        State::Attached { interface: of, addresses } if *of == interface => *addresses = None,
                        _ => {}
                    }
                }
            }
            Step::Expire { interface, place } => {
                self.made.insert(interface.clone());
                self.gone.entry(place).or_insert((interface, now));
            }
            Step::Look => {}
        }
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

/// What attachments will be after these steps.
fn after(steps: &[Step], attachments: &[Attachment]) -> Vec<Attachment> {
    let mut attachments = attachments.to_vec();
    for step in steps {
        match step {
            Step::Vanish { interface, .. } => attachments.retain(|old| old.interface != *interface),
            Step::Rename(renames) => {
                for old in &mut attachments {
                    if let Some(renamed) = renames.iter().find(|renamed| renamed.interface == old.interface) {
                        old.device.clone_from(&renamed.to);
                    }
                }
            }
            _ => {}
        }
    }
    attachments
}

/// The addresses that a network interface can have: link-local ones are not.
pub fn families(addresses: &[(IpAddr, u8)]) -> (Vec<(Ipv4Addr, u8)>, Vec<Ipv6Addr>) {
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
