//! eBPF capture and enforcement on network interfaces: load, attach, rules, drain.
