//! Later fragments learn their ports from the first one, if that came by.
//!
//! Bounded: what the last [`CAPACITY`] to twice as many datagrams began with is
//! remembered. Later fragments of others have ports 0, as in live capture.

use crate::packet::{Datagram, Family, Headers, Part};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::mem;
use weir_types::net::{Direction, Protocol};

const CAPACITY: usize = 16_384;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    src: u128,
    dst: u128,
    interface: u16,
    id: u32,
    protocol: u8,
    is_egress: bool,
    is_v6: bool,
}

struct First {
    src_port: u16,
    dst_port: u16,
    echo_id: u16,
    protocol: Protocol,
    icmp_type: u8,
    icmp_code: u8,
}

/// The first fragments that were seen, in two generations.
#[derive(Default)]
pub(crate) struct Fragments {
    young: HashMap<Key, First, RandomState>,
    old: HashMap<Key, First, RandomState>,
}

impl Fragments {
    /// Notes a first fragment, or gives a later one what the first one had.
    pub(crate) fn complete(
        &mut self,
        mut datagram: Datagram,
        interface: u16,
        direction: Direction,
    ) -> Datagram {
        self.meet(&mut datagram.headers, interface, direction);
        datagram
    }

    fn meet(&mut self, headers: &mut Headers, interface: u16, direction: Direction) {
        let key = Key {
            src: headers.src,
            dst: headers.dst,
            interface,
            id: headers.fragment_id,
            protocol: headers.fragment_protocol,
            is_egress: direction == Direction::Egress,
            is_v6: headers.family == Family::V6,
        };
        if headers.part == Part::FirstFragment {
            let Headers { src_port, dst_port, echo_id, protocol, icmp_type, icmp_code, .. } = *headers;
            if self.young.len() >= CAPACITY {
                self.old = mem::take(&mut self.young);
            }
            self.young.insert(key, First { src_port, dst_port, echo_id, protocol, icmp_type, icmp_code });
            return;
        }
        let Some(first) = self.young.get(&key).or_else(|| self.old.get(&key)) else { return };
        headers.src_port = first.src_port;
        headers.dst_port = first.dst_port;
        headers.echo_id = first.echo_id;
        headers.protocol = first.protocol;
        headers.icmp_type = first.icmp_type;
        headers.icmp_code = first.icmp_code;
        headers.is_absent = false;
    }
}
