//! Tests against the kernel: they need root, and say so when they lack it.

mod frame;
mod golden;
mod live;
mod support;
mod wire;
