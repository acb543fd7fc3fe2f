//! The parts of `weir query`: where records come from, and how rows are shown.

pub mod errors;
pub mod inputs;
pub mod output;
pub mod s3;
