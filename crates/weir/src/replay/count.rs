//! Blocks of captures to closed windows, on a thread of its own.

use super::input::{Blocks, Piece};
use crate::records::inputs::Input;
use crate::records::meter::Buffers;
use anyhow::{Context, Error};
use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, SyncSender};
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::InterfaceSamples;
use weir_flow::window::Window;
use weir_replay::{Counts, FileError, Reader, Replay, Sink, View};

/// What the counting thread sends.
pub enum Counted {
    /// The input that was asked for first was opened, and so on.
    Begin(Input),
    /// A part of what an interface did in a window, as [`Sink::samples`] gives it.
    Samples(Window, Box<InterfaceFacts>, InterfaceSamples),
    /// An input is unusable, or cannot be read further.
    Failed(Error),
    /// An input ends in the middle of a packet, as captures do whose program was killed.
    CutOff(Error),
}

/// What there is to say when everything is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    pub counts: Counts,
    /// Packets that the capturing program says it lost.
    pub lost: u64,
    /// Packets whose connection found no room in the tables of connections.
    pub untracked: u64,
}

struct Channel<'a>(&'a SyncSender<Counted>);

/// Nobody takes what is sent.
struct Closed;

impl Sink for Channel<'_> {
    type Error = Closed;

    fn samples(
        &mut self,
        window: Window,
        facts: &InterfaceFacts,
        samples: &InterfaceSamples,
    ) -> Result<(), Closed> {
        let counted = Counted::Samples(window, Box::new(facts.clone()), samples.clone());
        self.0.send(counted).map_err(|_| Closed)
    }
}

/// Counts all inputs. Ends early if nobody takes what it sends.
pub fn count_all(
    interval_s: NonZeroU32,
    max_flows: usize,
    view: View,
    from: &Receiver<Piece>,
    buffers: &Buffers,
    to: &SyncSender<Counted>,
) -> Totals {
    let mut replay = Replay::new(interval_s, max_flows, view);
    let mut lost = 0;
    let mut sink = Channel(to);
    while let Ok(piece) = from.recv() {
        // A block or an end here is what an unusable input left over.
        let Piece::Begin(input) = piece else { continue };
        let name = input.name();
        if to.send(Counted::Begin(input)).is_err() {
            break;
        }
        replay.begin_file();
        let mut reader = Reader::new(Blocks::new(from, buffers));
        let ended = loop {
            match reader.next_packet() {
                Ok(Some(captured)) => {
                    if replay.push(captured, &mut sink).is_err() {
                        return totals(&replay, lost);
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        lost += reader.lost();
        let mut blocks = reader.into_source();
        blocks.drain();
        // What could not be read or inflated is the cause of a file cut off.
        let told = match (blocks.failure, ended) {
            (Some(error), _) => to.send(Counted::Failed(error)),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => {
                let is_cut_off = matches!(error, FileError::CutOff { .. });
                let error = Err::<(), _>(error).context(name).err().unwrap_or_else(|| Error::msg("ended"));
                to.send(if is_cut_off { Counted::CutOff(error) } else { Counted::Failed(error) })
            }
        };
        if told.is_err() {
            break;
        }
    }
    // Nobody listens: there is nothing to be told either.
    let _ = replay.finish(&mut sink);
    totals(&replay, lost)
}

fn totals(replay: &Replay, lost: u64) -> Totals {
    Totals { counts: replay.counts(), lost, untracked: replay.untracked() }
}
