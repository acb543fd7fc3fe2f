//! Flow log records: what a capture window becomes.

pub mod sample;
