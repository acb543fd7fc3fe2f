//! The commands that read records, as their users run them: the built binary.

#![allow(clippy::unwrap_used)]

mod cases;
mod inputs;
mod order;
mod outputs;
mod support;
