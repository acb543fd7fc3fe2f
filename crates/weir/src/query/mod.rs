//! The parts of `weir query`: where records come from, and how rows are shown.

pub mod errors;
pub mod inputs;
pub mod line;
pub mod output;
pub mod prompt;
pub mod s3;
pub mod terminal;
