//! What leaves the server over HTTP: the actions of alarms ([`action`]) and the
//! events of subscription filters ([`subscription`]).
//!
//! Not for: flow logs' own delivery (`weir_delivery`), which is an AWS client.
//!
//! Invariants: nobody who writes log events ever waits for a destination; an
//! event is sent at least once or stands in the dead-letter file, and is counted
//! either way.

pub mod action;
pub mod destination;
mod document;
mod envelope;
mod progress;
pub mod subscription;

pub use weir_delivery::http::{Http, HttpError};
