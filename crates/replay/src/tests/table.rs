//! The table beside an obvious one.

use crate::link::Link;
use crate::packet::{Datagram, Frame};
use crate::table::{BATCH, FlowTable, Item};
use crate::tests::made::{ethernet, udp};
use std::collections::BTreeMap;
use weir_types::net::{Action, Direction};
use weir_types::time::UnixMillis;

fn item(port: u16, payload: usize, interface: u16, action: Action, ms: u32) -> Item {
    let bytes = ethernet(&udp(port, payload));
    let frame = Frame::new(&bytes, bytes.len());
    let (at, family) = Link::Ethernet.locate(frame).unwrap();
    let datagram = Datagram::read(frame, at, family).unwrap();
    Item::new(&datagram, interface, Direction::Egress, action, ms, Default::default())
}

#[test]
fn counts_are_those_of_a_plain_map() {
    let mut table = FlowTable::new(100_000);
    for round in 0..3 {
        let mut expected: BTreeMap<(u16, bool), (u64, u64, i64, i64)> = BTreeMap::new();
        let mut items = Vec::new();
        // Each flow often, in an order that is not theirs; fewer in later rounds.
        for index in 0..60_000u32 >> (round * 4) {
            let (port, payload) = ((index * 7919 % 9973) as u16, index as usize % 50);
            let action = if index % 3 == 0 { Action::Reject } else { Action::Accept };
            items.push(item(port, payload, 0, action, index ^ 1));
            let ms = i64::from(index ^ 1);
            let sum = expected.entry((port, action == Action::Reject)).or_insert((0, 0, ms, ms));
            *sum = (sum.0 + 1, sum.1 + 28 + payload as u64, sum.2.min(ms), sum.3.max(ms));
        }
        for batch in items.chunks(BATCH) {
            table.add(batch, |_| panic!("there is room"));
        }
        let samples: Vec<_> =
            table.sorted().into_iter().map(|number| table.sample(number, UnixMillis(0))).collect();
        assert!(samples.is_sorted_by_key(|sample| (sample.first, sample.src_port)));
        let counted: BTreeMap<_, _> = samples
            .iter()
            .map(|s| ((s.src_port, s.action == Action::Reject), (s.packets, s.bytes, s.first.0, s.last.0)))
            .collect();
        assert_eq!(counted.len(), samples.len());
        assert_eq!(counted, expected);
        table.clear();
        assert!(table.is_empty());
    }
}

#[test]
fn what_has_no_room_is_given_back() {
    let mut table = FlowTable::new(3);
    let mut skipped = Vec::new();
    let items: Vec<Item> = [1, 2, 3, 4, 1, 5, 3].map(|port| item(port, 0, port, Action::Accept, 0)).to_vec();
    table.add(&items, |item| skipped.push((item.interface(), item.bytes())));
    assert_eq!(skipped, [(4, 28), (5, 28)]);
    assert_eq!(table.sorted().len(), 3);
}
