//! The flows of one window: a hash table made for many packets at a time.
//!
//! ```text
//! slots    [ hash | number + 1 ]   8 bytes each, at most half of them taken
//! entries  [ key, counts ]         64 bytes each (a cache line), in the order of first packets
//! ```
//!
//! A table of a million flows is larger than any cache, so that a packet costs
//! two waits for memory. [`FlowTable::add`] takes a batch and touches the slots of
//! all packets, then the entries, then counts: the waits overlap. A general hash
//! map gives no way to do that without `unsafe`.
//!
//! Invariant: `slots` holds every entry's number once; slots are never removed
//! but by [`FlowTable::clear`].

use crate::packet::{Datagram, Family, address};
use foldhash::fast::RandomState;
use std::hash::BuildHasher;
use weir_flow::decision::{Decision, Reason};
use weir_flow::sample::FlowSample;
use weir_types::net::{Action, Direction, Protocol};
use weir_types::time::UnixMillis;

/// Packets that are counted together.
pub(crate) const BATCH: usize = 128;

const MIN_SLOTS: usize = 1 << 12;

const V6: u64 = 1;
const REJECT: u64 = 2;
const EGRESS: u64 = 4;
/// Above them in the lowest byte are the reported TCP flags, which are no part of the key.
const FLAGS: u64 = 0b1111_1000;

/// Ports, interface, protocol, family, direction, action and TCP flags in one
/// word: `source port | destination port | interface | protocol | bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word(u64);

/// One packet to be counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    src: u128,
    dst: u128,
    word: Word,
    bytes: u32,
    /// Since the window's beginning.
    ms: u32,
    decision: Decision,
}

impl Item {
    #[inline]
    pub(crate) fn new(
        datagram: &Datagram,
        interface: u16,
        direction: Direction,
        action: Action,
        ms: u32,
        decision: Decision,
    ) -> Self {
        let headers = &datagram.headers;
        let flags = datagram.reported_flags();
        // FIN, SYN, RST as they are; the ACK of a SYN-ACK moves next to them.
        let flags = u64::from(flags & 7 | (flags & 16) >> 1) << 3;
        let bits = if headers.family == Family::V6 { V6 } else { 0 }
            | if direction == Direction::Egress { EGRESS } else { 0 }
            | if action == Action::Reject { REJECT } else { 0 }
            | flags;
        let word = u64::from(headers.src_port) << 48
            | u64::from(headers.dst_port) << 32
            | u64::from(interface) << 16
            | u64::from(headers.protocol.0) << 8
            | bits;
        Self { src: headers.src, dst: headers.dst, word: Word(word), bytes: datagram.bytes, ms, decision }
    }

    pub(crate) fn interface(&self) -> usize {
        self.word.interface()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.into()
    }
}

impl Word {
    fn key(self) -> u64 {
        self.0 & !FLAGS
    }

    fn interface(self) -> usize {
        usize::from((self.0 >> 16) as u16)
    }

    fn flags(self) -> u8 {
        let flags = (self.0 & FLAGS) as u8 >> 3;
        flags & 7 | (flags & 8) << 1
    }
}

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Entry {
    src: u128,
    dst: u128,
    word: Word,
    packets: u64,
    bytes: u64,
    first_ms: u32,
    last_ms: u32,
}

const _: () = assert!(size_of::<Entry>() == 64);

pub(crate) struct FlowTable {
    slots: Vec<u64>,
    entries: Vec<Entry>,
    /// Of each entry's first packet; empty where there are no rules.
    decisions: Vec<Decision>,
    max: usize,
    hasher: RandomState,
}

impl FlowTable {
    /// A table of at most `max` flows. Memory is taken as they come.
    pub(crate) fn new(max: usize) -> Self {
        // Numbers of entries are 32-bit.
        let max = max.clamp(1, 1 << 30);
        Self {
            slots: vec![0; MIN_SLOTS],
            entries: Vec::new(),
            decisions: Vec::new(),
            max,
            hasher: RandomState::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.decisions.clear();
        // A table that was large once is not wiped again and again for small windows.
        if self.slots.len() > MIN_SLOTS && self.entries.len() < self.slots.len() / 64 {
            self.slots = vec![0; MIN_SLOTS];
            self.entries = Vec::new();
        } else {
            self.slots.fill(0);
            self.entries.clear();
        }
    }

    /// Counts packets, [`BATCH`] at most; gives those that there is no room for to `skip`.
    pub(crate) fn add(&mut self, items: &[Item], mut skip: impl FnMut(&Item)) {
        let mut hashes = [0u32; BATCH];
        let mut found = [0u64; BATCH];
        for (item, hash) in items.iter().zip(&mut hashes) {
            *hash = self.hash(item);
        }
        // Short loops of loads that do not wait for each other.
        let mask = self.slots.len() - 1;
        for (slot, hash) in found.iter_mut().zip(hashes).take(items.len()) {
            *slot = self.slots.get(hash as usize & mask).copied().unwrap_or_default();
        }
        let mut touched = 0;
        for (slot, hash) in found.iter_mut().zip(hashes).take(items.len()) {
            let mut at = hash as usize & mask;
            while *slot != 0 && (*slot >> 32) as u32 != hash {
                at = (at + 1) & mask;
                *slot = self.slots.get(at).copied().unwrap_or_default();
            }
            let entry = self.entries.get((*slot as u32).wrapping_sub(1) as usize);
            touched ^= entry.map_or(0, |entry| entry.packets);
        }
        // For the cache alone: without a use the loads would be left out.
        std::hint::black_box(touched);
        for (item, hash) in items.iter().zip(hashes) {
            match self.find(item, hash) {
                Ok(at) => {
                    let Some(entry) = self.entries.get_mut(at) else { continue };
                    entry.packets += 1;
                    entry.bytes += u64::from(item.bytes);
                    entry.word.0 |= item.word.0;
                    // Packets may come a little out of order.
                    entry.first_ms = entry.first_ms.min(item.ms);
                    entry.last_ms = entry.last_ms.max(item.ms);
                }
                Err(_) if self.entries.len() >= self.max => skip(item),
                Err(slot) => self.insert(item, hash, slot),
            }
        }
    }

    #[inline]
    fn hash(&self, item: &Item) -> u32 {
        (self.hasher.hash_one((item.src, item.dst, item.word.key())) >> 32) as u32
    }

    /// The number of the item's flow, or the slot that it would take.
    #[inline]
    fn find(&self, item: &Item, hash: u32) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            // `at` is below the length, a power of two.
            let slot = self.slots.get(at).copied().unwrap_or_default();
            if slot == 0 {
                return Err(at);
            }
            if (slot >> 32) as u32 == hash {
                let number = (slot as u32 - 1) as usize;
                if self.entries.get(number).is_some_and(|entry| entry.is_of(item)) {
                    return Ok(number);
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, item: &Item, hash: u32, slot: usize) {
        let Item { src, dst, word, bytes, ms, decision } = *item;
        let entry = Entry { src, dst, word, packets: 1, bytes: bytes.into(), first_ms: ms, last_ms: ms };
        self.entries.push(entry);
        if decision.reason != Reason::None {
            self.decisions.push(decision);
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = u64::from(hash) << 32 | self.entries.len() as u64;
        }
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let len = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![0; len]);
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let mut at = (slot >> 32) as usize & (len - 1);
            while self.slots.get(at).is_some_and(|&taken| taken != 0) {
                at = (at + 1) & (len - 1);
            }
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
    }

    /// The flows by interface, in the order of [`weir_flow::window::records`]:
    /// numbers for [`sample`](Self::sample).
    pub(crate) fn sorted(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.entries.len() as u32).collect();
        let key = |&number: &u32| {
            let entry = &self.entries[number as usize];
            let word = entry.word.key();
            // IPv4 comes before IPv6; ports, protocol, direction and action stand
            // in this order in the word.
            let ends = (word & V6, entry.src, entry.dst, word >> 32, word as u16);
            (entry.word.interface(), entry.first_ms, ends, entry.last_ms)
        };
        order.sort_by_key(key);
        order
    }

    pub(crate) fn interface_of(&self, number: u32) -> usize {
        self.entries[number as usize].word.interface()
    }

    pub(crate) fn sample(&self, number: u32, start: UnixMillis) -> FlowSample {
        let entry = &self.entries[number as usize];
        let word = entry.word.0;
        let family = if word & V6 != 0 { Family::V6 } else { Family::V4 };
        FlowSample {
            src: address(entry.src, family),
            dst: address(entry.dst, family),
            src_port: (word >> 48) as u16,
            dst_port: (word >> 32) as u16,
            protocol: Protocol((word >> 8) as u8),
            direction: if word & EGRESS != 0 { Direction::Egress } else { Direction::Ingress },
            action: if word & REJECT != 0 { Action::Reject } else { Action::Accept },
            packets: entry.packets,
            bytes: entry.bytes,
            first: UnixMillis(start.0.saturating_add(entry.first_ms.into())),
            last: UnixMillis(start.0.saturating_add(entry.last_ms.into())),
            tcp_flags: entry.word.flags(),
            decision: self.decisions.get(number as usize).copied().unwrap_or_default(),
        }
    }
}

impl Entry {
    #[inline]
    fn is_of(&self, item: &Item) -> bool {
        self.src == item.src && self.dst == item.dst && self.word.key() == item.word.key()
    }
}
