//! Single packets through the programs, without a device: BPF_PROG_TEST_RUN.
//!
//! The clock stands still and is set by the caller. Limits of the kernel's test
//! run: frames of 14 to about 3,600 bytes, with at least 20 bytes behind an
//! IPv4 ethertype and 40 behind an IPv6 one; always linear.

use crate::abi::{self, bytes_of, bytes_of_mut};
use crate::capture::{Capture, InterfaceNumber};
use crate::error::CaptureError;
use crate::object::Pair;
use crate::sweep::{self, Swept};
use crate::sys::bpf;
use crate::sys::map::ANY;
use std::os::fd::{AsFd, OwnedFd};
use weir_policy::CompiledRules;
use weir_types::net::Direction;
use weir_types::orders::{Mode, Side};

/// An interface on the bench.
#[derive(Debug)]
pub struct TestInterface {
    pair: Pair,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// On to the next program of the hook.
    Next,
    Drop,
    /// Anything else is a fault.
    Other(i32),
}

impl TestInterface {
    /// Loads an interface's programs. [`Capture::set_rules`], windows and so on
    /// work as for an attached one.
    pub fn new(
        capture: &Capture,
        number: InterfaceNumber,
        side: Side,
        mode: Mode,
        rules: &CompiledRules,
    ) -> Result<Self, CaptureError> {
        let pair = capture.attach_nowhere(number, side, mode, rules, true)?;
        Ok(Self { pair })
    }

    /// The same with the machine's clock, as at a device: to measure.
    pub fn with_real_clock(
        capture: &Capture,
        number: InterfaceNumber,
        side: Side,
        mode: Mode,
        rules: &CompiledRules,
    ) -> Result<Self, CaptureError> {
        let pair = capture.attach_nowhere(number, side, mode, rules, false)?;
        Ok(Self { pair })
    }

    /// One frame through the hook of a direction of the *device*.
    pub fn run(&self, hook: Direction, frame: &[u8]) -> Result<Outcome, CaptureError> {
        self.run_gso(hook, frame, 0, 0)
    }

    /// The same with segmentation offload: bytes of payload a segment, and the
    /// number of segments (0: not stated).
    pub fn run_gso(
        &self,
        hook: Direction,
        frame: &[u8],
        size: u32,
        segments: u32,
    ) -> Result<Outcome, CaptureError> {
        let (value, _) = self.repeat(hook, frame, (size, segments), 1)?;
        Ok(match value {
            -1 => Outcome::Next,
            2 => Outcome::Drop,
            other => Outcome::Other(other),
        })
    }

    /// Nanoseconds of one run, over `times` runs.
    pub fn time(&self, hook: Direction, frame: &[u8], times: u32) -> Result<u32, CaptureError> {
        self.repeat(hook, frame, (0, 0), times).map(|(_, ns)| ns)
    }

    fn repeat(
        &self,
        hook: Direction,
        frame: &[u8],
        gso: (u32, u32),
        times: u32,
    ) -> Result<(i32, u32), CaptureError> {
        let program = match hook {
            Direction::Ingress => &self.pair.ingress,
            Direction::Egress => &self.pair.egress,
        };
        bpf::test_run(program.as_fd(), frame, gso, times)
            .map_err(CaptureError::doing(format!("run {} bytes through a program", frame.len())))
    }
}

/// New flows of an interface on the bench: each run of a frame has a source
/// address of its own, counted up by the entry, so that many runs in a row are
/// many first packets, with warm caches.
#[derive(Debug)]
pub struct NewFlows(OwnedFd);

impl NewFlows {
    /// The interface is one with the machine's clock.
    pub fn of(capture: &Capture, number: InterfaceNumber) -> Result<Self, CaptureError> {
        capture.load_renewing(number).map(Self)
    }

    /// Nanoseconds of one run, over `times` runs of an IPv4 frame.
    pub fn time(&self, frame: &[u8], times: u32) -> Result<u32, CaptureError> {
        bpf::test_run(self.0.as_fd(), frame, (0, 0), times)
            .map(|(_, ns)| ns)
            .map_err(CaptureError::doing("run new flows through the programs"))
    }
}

/// A program that does nothing: what a run costs by itself.
#[derive(Debug)]
pub struct EmptyProgram(OwnedFd);

impl EmptyProgram {
    pub fn new(capture: &Capture) -> Result<Self, CaptureError> {
        capture.load_empty().map(Self)
    }

    /// Nanoseconds of one run, over `times` runs.
    pub fn time(&self, frame: &[u8], times: u32) -> Result<u32, CaptureError> {
        bpf::test_run(self.0.as_fd(), frame, (0, 0), times)
            .map(|(_, ns)| ns)
            .map_err(CaptureError::doing("run the empty program"))
    }
}

/// Sets the clock of every interface on the bench.
pub fn set_clock(capture: &Capture, now_ns: u64) -> Result<(), CaptureError> {
    let key = 0u32.to_ne_bytes();
    let mut control = abi::Control::default();
    let map = &capture.maps().control;
    map.lookup(&key, bytes_of_mut(&mut control))
        .and_then(|_| {
            control.test_clock_ns = now_ns;
            map.update(&key, bytes_of(&control), ANY)
        })
        .map_err(CaptureError::doing("set the test clock"))
}

/// The clock of every interface on the bench, for many settings in one window: a
/// window's end makes it stale.
#[cfg(test)]
pub(crate) struct Clock<'a> {
    capture: &'a Capture,
    control: abi::Control,
}

#[cfg(test)]
impl<'a> Clock<'a> {
    pub(crate) fn of(capture: &'a Capture) -> Result<Self, CaptureError> {
        let mut control = abi::Control::default();
        let read = capture.maps().control.lookup(&0u32.to_ne_bytes(), bytes_of_mut(&mut control));
        read.map_err(CaptureError::doing("read the test clock"))?;
        Ok(Self { capture, control })
    }

    pub(crate) fn set(&mut self, now_ns: u64) -> Result<(), CaptureError> {
        if self.control.test_clock_ns == now_ns {
            return Ok(());
        }
        self.control.test_clock_ns = now_ns;
        let map = &self.capture.maps().control;
        map.update(&0u32.to_ne_bytes(), bytes_of(&self.control), ANY)
            .map_err(CaptureError::doing("set the test clock"))
    }
}

/// Forgets first fragments, and every connection too if asked to.
#[cfg(test)]
pub(crate) fn forget_connections(capture: &Capture, connections: bool) -> Result<(), CaptureError> {
    let maps = capture.maps();
    let doing = || CaptureError::doing("empty the tables of the bench");
    if connections {
        maps.connections.clear().map_err(doing())?;
        sweep::sweep_at(maps, 0)?;
    }
    maps.fragments.clear().map_err(doing())
}

/// [`Capture::sweep`] at an instant of the test clock.
pub fn sweep_at(capture: &Capture, now_ns: u64) -> Result<Swept, CaptureError> {
    sweep::sweep_at(capture.maps(), now_ns)
}

/// Every entry of the connection table, the expired ones included.
#[cfg(test)]
pub(crate) fn connections(
    capture: &Capture,
) -> Result<Vec<(abi::ConnectionKey, abi::Connection)>, CaptureError> {
    let mut all = Vec::new();
    capture
        .maps()
        .connections
        .for_each(|key, value| all.push((abi::read(key), abi::read(value))))
        .map_err(CaptureError::doing("read the connection table"))?;
    Ok(all)
}

/// What the programs believe is taken of the tables: `bpf/share.h`.
#[cfg(test)]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Connections of the interface.
    pub connections: u64,
    /// Of what is common: flows in either epoch slot, connections.
    pub pools: [u64; abi::POOLS as usize],
}

/// Reads [`Taken`] of an interface.
#[cfg(test)]
pub(crate) fn taken(capture: &Capture, number: InterfaceNumber) -> Result<Taken, CaptureError> {
    let mut taken = Taken { connections: 0, pools: Default::default() };
    let maps = capture.maps();
    let connections = bytes_of_mut(&mut taken.connections);
    maps.tracked
        .lookup(&number.0.to_ne_bytes(), connections)
        .map_err(CaptureError::doing("read what is taken"))?;
    for (pool, count) in (0u32..).zip(&mut taken.pools) {
        let read = maps.pools.lookup(&pool.to_ne_bytes(), bytes_of_mut(count));
        read.map_err(CaptureError::doing("read what is taken"))?;
    }
    Ok(taken)
}
