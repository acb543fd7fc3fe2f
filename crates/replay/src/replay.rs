//! Packets in the order of a capture to closed windows of flows.
//!
//! ```text
//! Captured ─ link ─ decode ─ fragments ─ whose is it? ─ verdict ─▶ table of its window
//!                                                                      │ a packet of a later window
//!                                       Sink::samples, piece by piece ◀┘
//! ```
//!
//! Time is the packets' own. Two windows are open at once, so that packets that
//! come up to [`SLACK_MS`] late, as captures of several queues have them, are
//! still counted where they belong. Later ones, up to an interval, are counted
//! at the beginning of the open window; when time goes back further (a clock that
//! was set) or another file begins earlier, the windows are closed and others begin.
//!
//! Invariants: a counted packet is in exactly one window, once for each
//! interface that it crosses; memory is that of the flows of two windows.

use crate::file::Captured;
use crate::fragments::Fragments;
use crate::packet::{Datagram, Frame, Unread};
use crate::table::{BATCH, FlowTable, Item};
use crate::view::{Crossing, View};
use std::num::NonZeroU32;
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::InterfaceSamples;
use weir_flow::window::{Window, WindowClock};
use weir_types::time::UnixMillis;

/// How late a packet may come and still be counted in its own window.
pub const SLACK_MS: i64 = 1000;

/// Windows in a row without any packet that NODATA records are written for: a
/// week of minutes. A gap that is longer is none of the network's.
const MAX_SILENT_WINDOWS: i64 = 7 * 24 * 60;

/// Samples that a sink gets at a time.
const PIECE: usize = 4096;

/// Takes what closed windows counted.
pub trait Sink {
    type Error;

    /// A part of what one interface did in one window, to be given to
    /// [`weir_flow::window::records`]: parts come in the order of first packets,
    /// and only the last one says what was skipped.
    ///
    /// # Errors
    /// The sink's own; they end the replay.
    fn samples(
        &mut self,
        window: Window,
        facts: &InterfaceFacts,
        samples: &InterfaceSamples,
    ) -> Result<(), Self::Error>;
}

/// What was read, in packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub packets: u64,
    /// In records, SKIPDATA included; a packet that crosses two interfaces of the
    /// rules is one here.
    pub counted: u64,
    /// There was no room for their flow: SKIPDATA. Once for each interface.
    pub skipped: u64,
    /// Not IP, or IPv6 neighbour discovery.
    pub ignored: u64,
    pub malformed: u64,
    /// Cut by the capture before their ports or flags.
    pub cut: u64,
    /// Neither from nor to an address of interest.
    pub foreign: u64,
    /// Of link types that cannot be read.
    pub unknown_link: u64,
    /// Counted in a window after their own.
    pub late: u64,
    /// Times that the capture's clock went back.
    pub turned_back: u64,
}

/// One window that packets are counted in.
struct Open {
    window: Window,
    table: FlowTable,
    /// By interface: packets and bytes without room.
    skipped: Vec<(u64, u64)>,
}

pub struct Replay {
    clock: WindowClock,
    view: View,
    fragments: Fragments,
    counts: Counts,
    /// The older and the younger one; none before the first packet.
    open: Option<[Open; 2]>,
    max_flows: usize,
    batch: Vec<Item>,
    /// Which of the two `batch` is for.
    batch_of: usize,
    piece: InterfaceSamples,
    crossings: Vec<Crossing>,
    /// The next packet is the first one of its file.
    is_new_file: bool,
}

impl Replay {
    /// `max_flows`: flows of a window that are told apart; packets of more
    /// become SKIPDATA.
    pub fn new(interval_s: NonZeroU32, max_flows: usize, view: View) -> Self {
        Self {
            clock: WindowClock::new(interval_s),
            view,
            fragments: Fragments::default(),
            counts: Counts::default(),
            open: None,
            max_flows,
            batch: Vec::with_capacity(BATCH),
            batch_of: 0,
            piece: InterfaceSamples::default(),
            crossings: Vec::new(),
            is_new_file: true,
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Packets whose connection the interfaces' trackers had no room for: the
    /// verdicts on their answers may be wrong.
    pub fn untracked(&self) -> u64 {
        self.view.untracked()
    }

    /// Says that packets of another file follow: its interfaces are known by
    /// their names only.
    pub fn begin_file(&mut self) {
        self.is_new_file = true;
        self.view.begin_file();
    }

    /// Counts a packet; closes windows that it is too late for.
    ///
    /// # Errors
    /// The sink's.
    #[inline]
    pub fn push<S: Sink>(&mut self, captured: Captured<'_>, sink: &mut S) -> Result<(), S::Error> {
        self.counts.packets += 1;
        let Some(link) = captured.on.link else {
            self.counts.unknown_link += 1;
            return Ok(());
        };
        let frame = Frame::new(captured.data, captured.wire_len);
        let read = link.locate(frame).and_then(|(at, family)| Datagram::read(frame, at, family));
        let datagram = match read {
            Ok(datagram) => datagram,
            Err(unread) => {
                match unread {
                    Unread::Ignored => self.counts.ignored += 1,
                    Unread::Malformed => self.counts.malformed += 1,
                    Unread::Cut => self.counts.cut += 1,
                }
                return Ok(());
            }
        };
        self.crossings.clear();
        self.view.crossings(&captured, link, frame, &datagram, &mut self.crossings);
        if self.crossings.is_empty() {
            self.counts.foreign += 1;
            return Ok(());
        }
        let (at, ms) = self.place(captured.time_ns.div_euclid(1_000_000), sink)?;
        self.is_new_file = false;
        let mut is_counted = false;
        for index in 0..self.crossings.len() {
            let Crossing { interface, direction } = self.crossings[index];
            let completed;
            let datagram = if datagram.is_fragment() {
                completed = self.fragments.complete(datagram, interface, direction);
                &completed
            } else {
                &datagram
            };
            if datagram.is_neighbour_discovery() {
                continue;
            }
            is_counted = true;
            let (action, decision) = self.view.judge(interface, direction, datagram, frame, captured.time_ns);
            self.count(at, Item::new(datagram, interface, direction, action, ms, decision));
        }
        if is_counted {
            self.counts.counted += 1;
        } else {
            self.counts.ignored += 1;
        }
        Ok(())
    }

    /// Closes what is open.
    ///
    /// # Errors
    /// The sink's.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        self.flush();
        let Some([mut older, mut younger]) = self.open.take() else { return Ok(()) };
        self.close(&mut older, sink)?;
        if younger.is_used() {
            self.close(&mut younger, sink)?;
        }
        Ok(())
    }

    #[inline]
    fn count(&mut self, at: usize, item: Item) {
        if at != self.batch_of || self.batch.len() == BATCH {
            self.flush();
            self.batch_of = at;
        }
        self.batch.push(item);
    }

    fn flush(&mut self) {
        if let Some(open) = self.open.as_mut().and_then(|open| open.get_mut(self.batch_of)) {
            let Open { table, skipped, .. } = open;
            let counts = &mut self.counts;
            table.add(&self.batch, |item| {
                counts.skipped += 1;
                let interface = item.interface();
                if skipped.len() <= interface {
                    skipped.resize(interface + 1, (0, 0));
                }
                if let Some((packets, bytes)) = skipped.get_mut(interface) {
                    *packets += 1;
                    *bytes += item.bytes();
                }
            });
        }
        self.batch.clear();
    }

    /// Which of the open windows an instant is counted in, and how long after
    /// its beginning.
    #[inline]
    fn place<S: Sink>(&mut self, unix_ms: i64, sink: &mut S) -> Result<(usize, u32), S::Error> {
        if let Some([older, _]) = &self.open {
            let start = older.window.start().0;
            if start <= unix_ms && unix_ms < older.window.end().0 {
                // An interval has at most 2^32 ms.
                return Ok((0, (unix_ms - start) as u32));
            }
        }
        self.place_elsewhere(unix_ms, sink)
    }

    fn place_elsewhere<S: Sink>(&mut self, unix_ms: i64, sink: &mut S) -> Result<(usize, u32), S::Error> {
        let interval_ms = i64::from(self.clock.interval_s()) * 1000;
        if let Some([older, younger]) = &self.open {
            let [start, end] = [older.window.start().0, older.window.end().0];
            if unix_ms < start && start - unix_ms <= interval_ms && !self.is_new_file {
                self.counts.late += 1;
                return Ok((0, 0));
            }
            if (end..end + SLACK_MS).contains(&unix_ms) && unix_ms < younger.window.end().0 {
                return Ok((1, (unix_ms - end) as u32));
            }
        }
        self.move_to(unix_ms, sink)?;
        let start = self.open.as_ref().map_or(unix_ms, |[older, _]| older.window.start().0);
        Ok((0, u32::try_from(unix_ms - start).unwrap_or(0)))
    }

    /// Makes the window of an instant the older one of the open ones.
    fn move_to<S: Sink>(&mut self, unix_ms: i64, sink: &mut S) -> Result<(), S::Error> {
        self.flush();
        let wanted = self.clock.window_at(UnixMillis(unix_ms));
        let next = self.clock.window_at(wanted.end());
        let Some([mut older, mut younger]) = self.open.take() else {
            let open = |window| Open { window, table: FlowTable::new(self.max_flows), skipped: Vec::new() };
            self.open = Some([open(wanted), open(next)]);
            return Ok(());
        };
        self.close(&mut older, sink)?;
        if wanted == younger.window {
            older.window = next;
            self.open = Some([younger, older]);
            return Ok(());
        }
        if wanted < older.window && !self.is_new_file {
            self.counts.turned_back += 1;
        }
        let mut silent = younger.window;
        if younger.is_used() {
            self.close(&mut younger, sink)?;
            silent = self.clock.window_at(silent.end());
        }
        let interval_s = i64::from(self.clock.interval_s());
        if (wanted.start_s - silent.start_s) / interval_s <= MAX_SILENT_WINDOWS {
            while silent < wanted && self.view.has_rules() {
                older.window = silent;
                self.close(&mut older, sink)?;
                silent = self.clock.window_at(silent.end());
            }
        }
        (older.window, younger.window) = (wanted, next);
        self.open = Some([older, younger]);
        Ok(())
    }

    /// Gives a window to the sink and empties it.
    fn close<S: Sink>(&mut self, open: &mut Open, sink: &mut S) -> Result<(), S::Error> {
        let order = open.table.sorted();
        let start = open.window.start();
        let mut rest = order.as_slice();
        for (interface, facts) in self.view.facts().enumerate() {
            let count = rest.partition_point(|&number| open.table.interface_of(number) <= interface);
            let (mut own, after) = rest.split_at(count);
            rest = after;
            let skipped = open.skipped.get(interface).copied().unwrap_or_default();
            // Without rules an interface is one of the capture's: its silence is
            // nothing that anybody asked about.
            if own.is_empty() && skipped.0 == 0 && !self.view.has_rules() {
                continue;
            }
            let piece = &mut self.piece;
            loop {
                let (now, later) = own.split_at(own.len().min(PIECE));
                piece.flows.clear();
                piece.flows.extend(now.iter().map(|&number| open.table.sample(number, start)));
                let is_last = later.is_empty();
                (piece.skipped_packets, piece.skipped_bytes) = if is_last { skipped } else { (0, 0) };
                sink.samples(open.window, facts, piece)?;
                own = later;
                if is_last {
                    break;
                }
            }
        }
        open.table.clear();
        open.skipped.clear();
        self.view.expire();
        Ok(())
    }
}

impl Open {
    fn is_used(&self) -> bool {
        !self.table.is_empty() || !self.skipped.is_empty()
    }
}
