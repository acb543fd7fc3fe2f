//! Captures built by hand, and what comes out of them.

mod files;
mod frames;
mod made;
mod table;
mod windows;
