//! Tests against the kernel: they need root, and say so when they lack it.

mod conversation;
mod differential;
mod firewall;
mod foreign;
mod frame;
mod golden;
mod live;
mod random;
mod replay;
mod sequence;
mod sequences;
mod share;
pub(crate) mod support;
mod wire;
