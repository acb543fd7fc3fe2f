//! Windows: what was counted between two turns of the epoch.
//!
//! ```text
//!            epoch 0                    epoch 1
//! ──────────────────────┬──────────────────────────────▶ packets
//!   flow table 0        │   flow table 1
//!                     close: turn, grace period, read table 0
//!                                 clear: empty table 0
//! ```
//!
//! Invariants: a packet is counted in exactly one window; what is read is not
//! removed before the caller says so; nobody writes to the table that is read;
//! `opened_at <= first <= last <= closed_at`, and windows follow each other
//! without a gap.

use crate::InterfaceNumber;
use crate::abi::{self, FlowKey, bytes_of, bytes_of_mut};
use crate::drops::Watch;
use crate::error::CaptureError;
use crate::object::Maps;
use crate::settle::{AllDrops, Amount, settle};
use crate::share;
use crate::sizes::Sizes;
use crate::sys::map::{ANY, Map};
use crate::sys::{bpf, clock};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_flow::decision::{Decision, Reason};
use weir_flow::sample::{FlowSample, InterfaceSamples};
use weir_types::net::{Action, Direction, Protocol};
use weir_types::time::UnixMillis;

/// Names a window of one [`crate::Capture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowId(pub(crate) u64);

impl WindowId {
    /// Windows of one set of tables have ascending numbers.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for WindowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What one window counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedWindow {
    /// For [`crate::Capture::clear_window`].
    pub id: WindowId,
    pub opened_at: UnixMillis,
    pub closed_at: UnixMillis,
    /// Every interface that was attached at some time in the window, also if it
    /// saw no packet (NODATA).
    pub interfaces: BTreeMap<InterfaceNumber, InterfaceSamples>,
    /// Trouble of the window; interfaces without any are not listed.
    pub losses: BTreeMap<InterfaceNumber, Losses>,
    /// Drops of the host's firewall that went past the watch on them, on all
    /// interfaces in observe mode together: those packets are ACCEPT if they
    /// came in, and in no record if they were to leave.
    pub missed_drops: u64,
}

/// What went past the flow table, besides skipped flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses {
    /// IP packets whose headers could not be read. In enforce mode they are
    /// dropped; they are in no record.
    pub malformed_packets: u64,
    /// Connections that rules allowed and the table had no room for: their
    /// answers may have been rejected.
    pub untracked_connections: u64,
}

/// The running window and the closed one that waits. What a next process must
/// know of them is in the state map before anything is done about it.
#[derive(Debug)]
pub(crate) struct Windows {
    state: abi::State,
    /// Interfaces attached since the window began, or before and still.
    present: BTreeSet<InterfaceNumber>,
    /// Those of the closed window.
    closed_present: BTreeSet<InterfaceNumber>,
    /// Of the watch on drops, when the window began.
    missed: u64,
}

fn slot_of(epoch: u64) -> usize {
    (epoch & 1) as usize
}

impl Windows {
    /// The windows of these maps, with the interfaces that are there: new ones,
    /// or those that another process left, maybe in the middle of a turn.
    pub(crate) fn resume(
        maps: &Maps,
        mut present: BTreeSet<InterfaceNumber>,
        watch: Option<&Watch>,
    ) -> Result<Self, CaptureError> {
        let state = maps.read_state()?;
        let control = read_control(maps)?;
        present.extend(counted(maps)?);
        // What was missed before is in windows before, or was lost with them.
        let missed = watch.map_or(0, Watch::missed);
        let mut windows = Self { state, closed_present: present.clone(), present, missed };
        if control.epoch != state.epoch as u32 {
            windows.finish_turn(maps, watch, true)?;
        }
        Ok(windows)
    }

    /// Interfaces that the running window or the closed one may have counts of.
    pub(crate) fn present(&self) -> impl Iterator<Item = InterfaceNumber> {
        self.present.union(&self.closed_present).copied()
    }

    /// An interface was attached.
    pub(crate) fn note(&mut self, number: InterfaceNumber) {
        self.present.insert(number);
    }

    /// Divides the tables among so many interfaces, from the next flow on.
    /// (`&mut`: nobody else changes the control map meanwhile.)
    pub(crate) fn divide(
        &mut self,
        maps: &Maps,
        sizes: Sizes,
        interfaces: usize,
    ) -> Result<(), CaptureError> {
        change_control(maps, |control| share::divide(sizes, interfaces, control))
    }

    /// Whether a closed window waits to be cleared, and is not known to be saved.
    pub(crate) fn waits(&self) -> bool {
        self.state.closed == abi::CLOSED
    }

    pub(crate) fn memo(&self) -> [u64; 6] {
        self.state.memo
    }

    pub(crate) fn set_memo(&mut self, maps: &Maps, memo: [u64; 6]) -> Result<(), CaptureError> {
        self.state.memo = memo;
        maps.write_state(&self.state)
    }

    pub(crate) fn close(
        &mut self,
        maps: &Maps,
        attached: &[InterfaceNumber],
        watch: Option<&Watch>,
    ) -> Result<ClosedWindow, CaptureError> {
        if self.state.closed == abi::SAVED {
            self.finish_clear(maps)?;
        }
        if self.state.closed == abi::NOT_CLOSED {
            let number = (self.state.epoch + 1) as u32;
            change_control(maps, |control| control.epoch = number)?;
            self.closed_present = std::mem::replace(&mut self.present, attached.iter().copied().collect());
            self.closed_present.extend(attached);
            self.finish_turn(maps, watch, watch.is_some())?;
        }
        self.read(maps)
    }

    /// The epoch is turned; what was counted before is still on its way to the
    /// tables.
    fn finish_turn(&mut self, maps: &Maps, watch: Option<&Watch>, drops: bool) -> Result<(), CaptureError> {
        let epoch = self.state.epoch + 1;
        wait_for_packets(maps)?;
        // What was counted before the turn has been dropped by now, if ever.
        change_control(maps, |control| control.drops_epoch = epoch as u32)?;
        if drops {
            wait_for_packets(maps)?;
        }
        let closed_ns = clock::monotonic_coarse_ns();
        let missed = watch.map_or(0, Watch::missed);
        let missed_here = missed.saturating_sub(std::mem::replace(&mut self.missed, missed));
        self.state = abi::State {
            epoch,
            opened_ns: closed_ns,
            closed: abi::CLOSED,
            closed_opened_ns: self.state.opened_ns,
            closed_ns,
            closed_missed: missed_here,
            ..self.state
        };
        maps.write_state(&self.state)
    }

    pub(crate) fn clear(&mut self, maps: &Maps, window: WindowId) -> Result<(), CaptureError> {
        if self.state.closed == abi::NOT_CLOSED || self.state.epoch - 1 != window.0 {
            return Err(CaptureError::WrongWindow(window.0));
        }
        self.state.closed = abi::SAVED;
        maps.write_state(&self.state)?;
        self.finish_clear(maps)
    }

    fn finish_clear(&mut self, maps: &Maps) -> Result<(), CaptureError> {
        let slot = slot_of(self.state.epoch - 1);
        maps.flows[slot].clear().map_err(CaptureError::doing("clear the flow table of a window"))?;
        for &number in &self.closed_present {
            maps.losses
                .update(&losses_key(number, slot), bytes_of(&abi::Losses::default()), ANY)
                .and_then(|()| maps.sketches.update(&losses_key(number, slot), &[0; abi::SKETCH], ANY))
                .map_err(CaptureError::doing(format!("clear the losses of interface {number}")))?;
        }
        maps.pools
            .update(&(slot as u32).to_ne_bytes(), bytes_of(&0u64), ANY)
            .map_err(CaptureError::doing("clear what a window took"))?;
        self.state.closed = abi::NOT_CLOSED;
        maps.write_state(&self.state)
    }

    fn read(&self, maps: &Maps) -> Result<ClosedWindow, CaptureError> {
        let state = &self.state;
        let closed = Closed {
            epoch: state.epoch - 1,
            opened_ns: state.closed_opened_ns,
            closed_ns: state.closed_ns,
            present: &self.closed_present,
            missed: state.closed_missed,
        };
        read(maps, &closed)
    }
}

/// Under which numbers anything was counted in either window, whoever had them.
fn counted(maps: &Maps) -> Result<BTreeSet<InterfaceNumber>, CaptureError> {
    let doing = || CaptureError::doing("read whose counts another process left");
    let mut numbers = BTreeSet::new();
    for flows in &maps.flows {
        flows
            .for_each(|key, _| {
                let key: abi::FlowKey = abi::read(key);
                numbers.insert(InterfaceNumber(key.interface));
            })
            .map_err(doing())?;
    }
    maps.losses
        .for_each(|key, losses| {
            if losses.iter().any(|&byte| byte != 0) {
                // As losses_key.
                numbers.insert(InterfaceNumber(abi::read::<u32>(key) / 2));
            }
        })
        .map_err(doing())?;
    Ok(numbers)
}

/// A closed window, to be read.
#[derive(Debug)]
struct Closed<'a> {
    epoch: u64,
    opened_ns: u64,
    closed_ns: u64,
    present: &'a BTreeSet<InterfaceNumber>,
    missed: u64,
}

fn losses_key(number: InterfaceNumber, slot: usize) -> [u8; 4] {
    (number.0 * 2 + slot as u32).to_ne_bytes()
}

fn read_control(maps: &Maps) -> Result<abi::Control, CaptureError> {
    let mut control = abi::Control::default();
    maps.control
        .lookup(&0u32.to_ne_bytes(), bytes_of_mut(&mut control))
        .map_err(CaptureError::doing("read the epoch"))?;
    Ok(control)
}

fn change_control(maps: &Maps, change: impl FnOnce(&mut abi::Control)) -> Result<(), CaptureError> {
    let key = 0u32.to_ne_bytes();
    let mut control = abi::Control::default();
    maps.control
        .lookup(&key, bytes_of_mut(&mut control))
        .and_then(|_| {
            change(&mut control);
            maps.control.update(&key, bytes_of(&control), ANY)
        })
        .map_err(CaptureError::doing("turn the epoch"))
}

/// Returns when every packet that read the old epoch has been counted.
fn wait_for_packets(maps: &Maps) -> Result<(), CaptureError> {
    let waited = bpf::grace_period().map_err(CaptureError::doing("wait for a grace period (membarrier)"))?;
    if waited {
        return Ok(());
    }
    // Kernels with nohz_full processors refuse membarrier.
    wait_by_map(maps)
}

/// A change of any map of maps waits for a grace period as well
/// (kernel/bpf/syscall.c, `maybe_wait_bpf_programs`).
fn wait_by_map(maps: &Maps) -> Result<(), CaptureError> {
    let empty = crate::rules::build(&weir_policy::CompiledRules::default())?;
    maps.grace.update_inner(0, &empty).map_err(CaptureError::doing("wait for a grace period (map of maps)"))
}

fn read(maps: &Maps, closed: &Closed<'_>) -> Result<ClosedWindow, CaptureError> {
    let offset = clock::unix_offset_ns();
    let millis = |ns: u64| UnixMillis(((i128::from(ns) + offset) / 1_000_000) as i64);
    let slot = slot_of(closed.epoch);
    let mut window = ClosedWindow {
        id: WindowId(closed.epoch),
        opened_at: millis(closed.opened_ns),
        closed_at: millis(closed.closed_ns),
        interfaces: closed.present.iter().map(|&number| (number, InterfaceSamples::default())).collect(),
        losses: BTreeMap::new(),
        missed_drops: closed.missed,
    };
    // A packet may be stamped just before a turn and counted after it.
    let within = |ns: u64| millis(ns.clamp(closed.opened_ns, closed.closed_ns));
    let mut drops = AllDrops::new();
    maps.flows[slot]
        .for_each(|key, value| {
            let (key, flow): (abi::FlowKey, abi::Flow) = (abi::read(key), abi::read(value));
            if key.action >= abi::DROPPED {
                let of_flow = drops.entry(FlowKey { action: abi::ACCEPT, ..key }).or_default();
                if key.action == abi::DROPPED {
                    of_flow.fresh = flow
                } else {
                    of_flow.carried = flow
                };
                return;
            }
            // All its packets were dropped, and had no room as such.
            if flow.packets == 0 {
                return;
            }
            let sample = sample_of(&key, &flow, within(flow.first_ns), within(flow.last_ns));
            window.interfaces.entry(InterfaceNumber(key.interface)).or_default().flows.push(sample);
        })
        .map_err(CaptureError::doing("read the flow table of a window"))?;
    settle_drops(&mut window, drops, &maps.flows[slot ^ 1], &within);
    for &number in closed.present {
        let mut losses = abi::Losses::default();
        maps.losses
            .lookup(&losses_key(number, slot), bytes_of_mut(&mut losses))
            .map_err(CaptureError::doing(format!("read the losses of interface {number}")))?;
        let samples = window.interfaces.entry(number).or_default();
        samples.skipped_packets = losses.skipped_packets;
        samples.skipped_bytes = losses.skipped_bytes;
        if losses.skipped_packets > 0 {
            let mut ranks = [0; abi::SKETCH];
            maps.sketches
                .lookup(&losses_key(number, slot), &mut ranks)
                .map_err(CaptureError::doing(format!("read which flows interface {number} skipped")))?;
            samples.skipped_flows = share::estimate(&ranks).clamp(1, losses.skipped_packets);
        }
        let trouble = Losses {
            malformed_packets: losses.malformed_packets,
            untracked_connections: losses.untracked_connections,
        };
        if trouble != Losses::default() {
            window.losses.insert(number, trouble);
        }
    }
    Ok(window)
}

/// Turns drops into REJECT, at the cost of ACCEPT where the packets had been
/// counted; those that belong to the next window go to its table.
fn settle_drops(window: &mut ClosedWindow, drops: AllDrops, next: &Map, within: &impl Fn(u64) -> UnixMillis) {
    if drops.is_empty() {
        return;
    }
    let mut places: HashMap<FlowKey, usize> = HashMap::new();
    let affected: BTreeSet<u32> = drops.keys().map(|key| key.interface).collect();
    for number in affected {
        let samples = window.interfaces.entry(InterfaceNumber(number)).or_default();
        for (place, sample) in samples.flows.iter().enumerate() {
            let key = key_of(number, sample);
            if drops.contains_key(&FlowKey { action: abi::ACCEPT, ..key }) {
                places.insert(key, place);
            }
        }
    }
    for (key, dropped) in drops {
        let samples = window.interfaces.entry(InterfaceNumber(key.interface)).or_default();
        let flows = &mut samples.flows;
        let accepted = places.get(&key).and_then(|&place| flows.get_mut(place));
        let counted = accepted
            .as_ref()
            .map_or(Amount::default(), |flow| Amount { packets: flow.packets, bytes: flow.bytes });
        let mut settled = settle(counted, &dropped, true);
        let all = dropped.fresh;
        if settled.carry.packets > 0 {
            let carry = abi::Flow { packets: settled.carry.packets, bytes: settled.carry.bytes, ..all };
            // The same key and value if this window is read again.
            let carried = FlowKey { action: abi::CARRIED, ..key };
            if next.update(bytes_of(&carried), bytes_of(&carry), ANY).is_err() {
                settled = settle(counted, &dropped, false);
            }
        }
        if let Some(flow) = accepted {
            (flow.packets, flow.bytes) = (settled.accepted.packets, settled.accepted.bytes);
        }
        if settled.rejected.packets == 0 {
            continue;
        }
        let seen = if dropped.fresh.packets > 0 { &dropped.fresh } else { &dropped.carried };
        let rejected = FlowKey { action: abi::REJECT, ..key };
        match places.get(&rejected).and_then(|&place| flows.get_mut(place)) {
            Some(flow) => {
                flow.packets += settled.rejected.packets;
                flow.bytes += settled.rejected.bytes;
                flow.first = flow.first.min(within(seen.first_ns));
                flow.last = flow.last.max(within(seen.last_ns));
                flow.tcp_flags |= seen.tcp_flags as u8;
            }
            None => {
                let mut sample = sample_of(&rejected, seen, within(seen.first_ns), within(seen.last_ns));
                (sample.packets, sample.bytes) = (settled.rejected.packets, settled.rejected.bytes);
                flows.push(sample);
            }
        }
    }
    for samples in window.interfaces.values_mut() {
        samples.flows.retain(|flow| flow.packets > 0);
    }
}

/// The key that a sample was made of.
fn key_of(interface: u32, sample: &FlowSample) -> FlowKey {
    let bytes = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    FlowKey {
        src: bytes(sample.src),
        dst: bytes(sample.dst),
        src_port: sample.src_port,
        dst_port: sample.dst_port,
        interface,
        protocol: sample.protocol.0,
        direction: if sample.direction == Direction::Ingress { abi::INGRESS } else { abi::EGRESS },
        action: if sample.action == Action::Accept { abi::ACCEPT } else { abi::REJECT },
        family: if sample.src.is_ipv4() { 4 } else { 6 },
    }
}

fn sample_of(key: &abi::FlowKey, flow: &abi::Flow, first: UnixMillis, last: UnixMillis) -> FlowSample {
    FlowSample {
        src: address(&key.src, key.family),
        dst: address(&key.dst, key.family),
        src_port: key.src_port,
        dst_port: key.dst_port,
        protocol: Protocol(key.protocol),
        direction: if key.direction == abi::INGRESS { Direction::Ingress } else { Direction::Egress },
        action: if key.action == abi::ACCEPT { Action::Accept } else { Action::Reject },
        packets: flow.packets,
        bytes: flow.bytes,
        first,
        // Two processors may have written first and last a tick apart.
        last: last.max(first),
        tcp_flags: flow.tcp_flags as u8,
        decision: Decision { reason: Reason::of((flow.tcp_flags >> 24) as u8), rule: flow.rule },
    }
}

fn address(bytes: &[u8; 16], family: u8) -> IpAddr {
    match family {
        4 => IpAddr::V4(Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15])),
        _ => IpAddr::V6(Ipv6Addr::from(*bytes)),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::support::{SMALL, is_root, start};

    #[test]
    fn the_second_way_to_wait_works_again_and_again() {
        if is_root() {
            let capture = start(SMALL);
            for _ in 0..3 {
                super::wait_by_map(capture.maps()).unwrap();
            }
        }
    }
}
