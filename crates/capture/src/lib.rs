//! eBPF capture and enforcement on network interfaces: load, attach, rules, drain.
//!
//! ```text
//!            Capture::attach ─▶ tcx links on a device, in its network namespace
//!  packet ─▶ bpf/weir.bpf.c: parse ─▶ decide (rules, connections) ─▶ count ─▶ pass or drop
//!                                       ▲                             │
//!            Capture::set_rules ────────┘   flow table 0  flow table 1◀┘ epoch
//!            Capture::close_window ◀── the table that the epoch has left
//! ```
//!
//! One pair of programs is loaded per interface; all pairs share the maps.
//! With [`Capture::start`] everything is held by file descriptors of this
//! process and ends with it. With [`Capture::start_pinned`] maps and links have
//! names in the BPF filesystem (`pins.rs`): if the process is killed, packets are
//! judged and counted on, and the next process takes over where it stopped. A
//! clean end removes everything in both cases.
//!
//! No loss between windows: closing a window turns the epoch, waits until no
//! packet still writes to the table it left, and reads that table without
//! removing anything. Only [`Capture::clear_window`] removes, when the caller
//! has saved what was read; until then closing again gives the same window
//! again. A table without room is no loss in silence either: what could not be
//! counted is in `skipped_packets` and `skipped_bytes`.
//!
//! In observe mode the host's own firewall decides. A second program, at the
//! kernel's tracepoint for freed packets (`bpf/drops.bpf.c`), counts what it
//! dropped, and a window's end takes that off what the devices counted
//! (`settle.rs`). Where the kernel does not show it, [`Capture::blind`] says so.
//!
//! Not here: what rules mean (weir-policy holds the reference that the tests
//! compare with), and what becomes of samples (weir-flow).
//!
//! Measured facts behind the design: one shared preallocated hash costs about
//! as much as a per-CPU one and does not grow with the number of CPUs; an LRU
//! table loses flows in silence; lookup-and-delete on a live table loses packets.

mod abi;
mod attach;
mod capture;
pub mod devices;
mod drain;
mod drops;
mod entry;
mod error;
mod index;
pub mod netns;
mod object;
mod pins;
pub mod privileges;
mod probe;
mod rules;
mod settle;
mod share;
mod sizes;
mod sweep;
mod sys;
#[cfg(any(test, feature = "testrun"))]
#[doc(hidden)]
pub mod testrun;
#[cfg(test)]
mod tests;

pub use capture::{Capture, InterfaceNumber, Memo};
pub use drain::{ClosedWindow, Losses, WindowId};
pub use error::CaptureError;
pub use pins::remove_leftovers;
pub use sizes::Sizes;
pub use sweep::Swept;
