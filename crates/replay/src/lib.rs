//! Packet captures to capture windows, without root, kernel or clock.
//!
//! ```text
//! bytes ─ file::Reader ─▶ Captured ─ Replay ─▶ Sink: InterfaceSamples of closed windows
//!                                      │ packet: decode   view: whose, verdict   table: count
//! ```
//!
//! What comes out is what live capture gives for the same packets, and goes the
//! same way from there: [`weir_flow::window::records`].
//!
//! Not here: compression, files, records. Pure: bytes and packets' own times
//! in, samples out.
//!
//! ```
//! use weir_flow::record::InterfaceFacts;
//! use weir_flow::sample::InterfaceSamples;
//! use weir_flow::window::{Window, records};
//! use weir_replay::{Reader, Replay, Sink, Us, View};
//!
//! struct Lines(usize);
//! impl Sink for Lines {
//!     type Error = std::convert::Infallible;
//!     fn samples(&mut self, window: Window, facts: &InterfaceFacts, samples: &InterfaceSamples) -> Result<(), Self::Error> {
//!         self.0 += records(window, facts, samples).len();
//!         Ok(())
//!     }
//! }
//!
//! // An empty capture of Ethernet frames.
//! let mut file = Vec::new();
//! for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
//!     file.extend(word.to_le_bytes());
//! }
//! let mut reader = Reader::new(file.as_slice());
//! let interval_s = 60.try_into()?;
//! let mut replay = Replay::new(interval_s, 1 << 20, View::of_capture("123456789012", "us-east-1", None, Us::default()));
//! let mut lines = Lines(0);
//! while let Some(captured) = reader.next_packet()? {
//!     replay.push(captured, &mut lines)?;
//! }
//! replay.finish(&mut lines)?;
//! assert_eq!(lines.0, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod file;
mod fragments;
pub mod link;
pub mod packet;
mod replay;
mod table;
mod view;

pub use file::{Captured, FileError, Reader};
pub use replay::{Counts, Replay, SLACK_MS, Sink};
pub use view::{Ruled, Us, View, made_up_id};

#[cfg(test)]
mod tests;
