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
use crate::abi::{self, bytes_of, bytes_of_mut};
use crate::error::CaptureError;
use crate::object::Maps;
use crate::sys::map::ANY;
use crate::sys::{bpf, clock};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_flow::sample::{FlowSample, InterfaceSamples};
use weir_types::net::{Action, Direction, Protocol};
use weir_types::time::UnixMillis;

/// Names a window of one [`crate::Capture`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowId(pub(crate) u64);

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

/// The running window and the closed one that waits.
#[derive(Debug)]
pub(crate) struct Windows {
    /// Its lowest bit is the slot that packets write to.
    epoch: u64,
    opened_ns: u64,
    /// Interfaces attached since the window began, or before and still.
    present: BTreeSet<InterfaceNumber>,
    closed: Option<Closed>,
}

#[derive(Debug)]
struct Closed {
    epoch: u64,
    opened_ns: u64,
    closed_ns: u64,
    present: BTreeSet<InterfaceNumber>,
}

fn slot_of(epoch: u64) -> usize {
    (epoch & 1) as usize
}

impl Windows {
    /// The maps are new: epoch 0.
    pub(crate) fn new() -> Self {
        Self { epoch: 0, opened_ns: clock::monotonic_coarse_ns(), present: BTreeSet::new(), closed: None }
    }

    /// An interface was attached.
    pub(crate) fn note(&mut self, number: InterfaceNumber) {
        self.present.insert(number);
    }

    pub(crate) fn close(
        &mut self,
        maps: &Maps,
        attached: &[InterfaceNumber],
    ) -> Result<ClosedWindow, CaptureError> {
        if self.closed.is_none() {
            self.turn(maps, attached)?;
        }
        match &self.closed {
            Some(closed) => read(maps, closed),
            // `turn` either fails or leaves a closed window.
            None => Err(CaptureError::WrongWindow(self.epoch)),
        }
    }

    fn turn(&mut self, maps: &Maps, attached: &[InterfaceNumber]) -> Result<(), CaptureError> {
        let epoch = self.epoch + 1;
        set_epoch(maps, slot_of(epoch) as u32)?;
        wait_for_packets(maps)?;
        let closed_ns = clock::monotonic_coarse_ns();
        let mut present = std::mem::replace(&mut self.present, attached.iter().copied().collect());
        present.extend(attached);
        self.closed = Some(Closed { epoch: self.epoch, opened_ns: self.opened_ns, closed_ns, present });
        (self.epoch, self.opened_ns) = (epoch, closed_ns);
        Ok(())
    }

    pub(crate) fn clear(&mut self, maps: &Maps, window: WindowId) -> Result<(), CaptureError> {
        let Some(closed) = self.closed.as_ref().filter(|closed| closed.epoch == window.0) else {
            return Err(CaptureError::WrongWindow(window.0));
        };
        let slot = slot_of(closed.epoch);
        maps.flows[slot].clear().map_err(CaptureError::doing("clear the flow table of a window"))?;
        for &number in &closed.present {
            maps.losses
                .update(&losses_key(number, slot), bytes_of(&abi::Losses::default()), ANY)
                .map_err(CaptureError::doing(format!("clear the losses of interface {number}")))?;
        }
        self.closed = None;
        Ok(())
    }
}

fn losses_key(number: InterfaceNumber, slot: usize) -> [u8; 4] {
    (number.0 * 2 + slot as u32).to_ne_bytes()
}

fn set_epoch(maps: &Maps, slot: u32) -> Result<(), CaptureError> {
    let key = 0u32.to_ne_bytes();
    let mut control = abi::Control::default();
    maps.control
        .lookup(&key, bytes_of_mut(&mut control))
        .and_then(|_| {
            control.epoch = slot;
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

fn read(maps: &Maps, closed: &Closed) -> Result<ClosedWindow, CaptureError> {
    let offset = clock::unix_offset_ns();
    let millis = |ns: u64| UnixMillis(((i128::from(ns) + offset) / 1_000_000) as i64);
    let slot = slot_of(closed.epoch);
    let mut window = ClosedWindow {
        id: WindowId(closed.epoch),
        opened_at: millis(closed.opened_ns),
        closed_at: millis(closed.closed_ns),
        interfaces: closed.present.iter().map(|&number| (number, InterfaceSamples::default())).collect(),
        losses: BTreeMap::new(),
    };
    maps.flows[slot]
        .for_each(|key, value| {
            let (key, flow): (abi::FlowKey, abi::Flow) = (abi::read(key), abi::read(value));
            // A packet may be stamped just before a turn and counted after it.
            let within = |ns: u64| millis(ns.clamp(closed.opened_ns, closed.closed_ns));
            let sample = sample_of(&key, &flow, within(flow.first_ns), within(flow.last_ns));
            window.interfaces.entry(InterfaceNumber(key.interface)).or_default().flows.push(sample);
        })
        .map_err(CaptureError::doing("read the flow table of a window"))?;
    for &number in &closed.present {
        let mut losses = abi::Losses::default();
        maps.losses
            .lookup(&losses_key(number, slot), bytes_of_mut(&mut losses))
            .map_err(CaptureError::doing(format!("read the losses of interface {number}")))?;
        let samples = window.interfaces.entry(number).or_default();
        samples.skipped_packets = losses.skipped_packets;
        samples.skipped_bytes = losses.skipped_bytes;
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
