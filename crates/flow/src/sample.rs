//! What a capture source counted: one sample per flow entry of a window.
//!
//! A sample is about one network interface, one direction, one 5-tuple, one
//! action and one window; it becomes exactly one record of each flow log that
//! wants it.

use crate::decision::Decision;
use std::net::IpAddr;
use weir_types::net::{Action, Direction, Protocol};
use weir_types::time::UnixMillis;

/// One counted flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlowSample {
    /// Addresses as they stand in the packet.
    pub src: IpAddr,
    pub dst: IpAddr,
    /// 0 for protocols without ports.
    pub src_port: u16,
    pub dst_port: u16,
    pub protocol: Protocol,
    pub direction: Direction,
    pub action: Action,
    /// Packets as they were on the wire, segmentation offload unfolded.
    pub packets: u64,
    /// Bytes of the IP datagrams, link headers left out.
    pub bytes: u64,
    /// First and last packet of the flow in the window.
    pub first: UnixMillis,
    pub last: UnixMillis,
    /// The TCP flags of all packets OR-ed as AWS counts them (spec: `tcp-flags`):
    /// FIN 1, SYN 2, RST 4, SYN-ACK 18; 0 for other protocols.
    pub tcp_flags: u8,
    /// What decided the first of these packets.
    pub decision: Decision,
}

/// What one interface did in one window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceSamples {
    pub flows: Vec<FlowSample>,
    /// Packets and bytes that could not be counted because the flow table was
    /// full. Not zero: the window gets a SKIPDATA record.
    pub skipped_packets: u64,
    pub skipped_bytes: u64,
    /// The different flows of these packets, as far as known; 0: not known.
    pub skipped_flows: u64,
}
