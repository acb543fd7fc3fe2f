//! The index of a long list of rules: which of them a packet may match.
//!
//! ```text
//! bounds   0 │ 10.0.0.0 │ 10.1.0.0 │ ...      of the peers' blocks; and of the ports
//! rows     ..1..│ .11.. │ ..1.. │ ...         one bit for each rule, or for 2, 4, 8 rules
//! ```
//!
//! A packet finds its row by address and its row by port; what is set in both
//! is tested, lowest first. So the index may say too much (it keeps half of an
//! IPv6 address, and nothing of protocols), never too little.
//!
//! Source: Lakshman, Stiliadis: "High-speed policy-based packet forwarding using
//! efficient multi-dimensional range matching", 1998.

use crate::abi::{self, BOUNDS, CHUNK_BYTES, CHUNK_WORDS};
use weir_policy::RuleEntry;

/// Bits of a row at most.
const MOST_BITS: usize = 512;
/// No key is as large: one more than 63 bits hold, which is as much as the
/// programs' comparison can take.
const NO_BOUND: u64 = 1 << 63;

/// From where to where a rule reaches, both included, in keys of 63 bits.
type Range = (u64, u64);

/// The key of an address: IPv4 as it is, of IPv6 the first 63 bits.
fn key(address: [u8; 16], family: u8) -> u64 {
    let [high, low] = [0, 8].map(|at| {
        let mut half = [0; 8];
        half.copy_from_slice(&address[at..at + 8]);
        u64::from_be_bytes(half)
    });
    if family == 4 { low & 0xffff_ffff } else { high >> 1 }
}

fn addresses(entry: &RuleEntry) -> Range {
    let mut last = entry.addr;
    for (byte, mask) in last.iter_mut().zip(entry.mask) {
        *byte |= !mask;
    }
    (key(entry.addr, entry.family), key(last, entry.family))
}

fn ports(entry: &RuleEntry) -> Range {
    (entry.port_first.into(), entry.port_last.into())
}

/// Bounds in ascending order, the first is 0, and a row for each.
struct Dimension {
    bounds: Vec<u64>,
    rows: Vec<u64>,
}

impl Dimension {
    fn new(ranges: &[Range], words: usize, group_shift: u8) -> Self {
        let mut bounds = vec![0];
        for &(first, last) in ranges {
            bounds.push(first);
            bounds.push(last + 1);
        }
        bounds.sort_unstable();
        bounds.dedup();
        let mut rows = vec![0; bounds.len() * words];
        for (number, (first, last)) in ranges.iter().enumerate() {
            let bit = number >> group_shift;
            let from = bounds.partition_point(|bound| bound < first);
            let to = bounds.partition_point(|bound| bound <= last);
            for row in rows.chunks_exact_mut(words).take(to).skip(from) {
                row[bit / 64] |= 1 << (bit % 64);
            }
        }
        Self { bounds, rows }
    }
}

fn chunk_of(words: &[u64], otherwise: u64) -> [u8; CHUNK_BYTES] {
    let mut chunk = [0; CHUNK_BYTES];
    let words = words.iter().copied().chain(std::iter::repeat(otherwise));
    for (to, word) in chunk.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    chunk
}

/// Puts the index of a list behind the chunks that there are, and into `place`
/// where it is.
pub(crate) fn add(list: &[RuleEntry], place: &mut abi::List, chunks: &mut Vec<[u8; CHUNK_BYTES]>) {
    place.group_shift = (0..3).find(|shift| list.len().div_ceil(1 << shift) <= MOST_BITS).unwrap_or(3);
    let bits = ((list.len() - 1) >> place.group_shift) + 1;
    place.row_shift = (0..3).find(|shift| bits <= 64 << shift).unwrap_or(3);
    let ways: [fn(&RuleEntry) -> Range; 2] = [addresses, ports];
    for (index, way) in ways.into_iter().enumerate() {
        let ranges: Vec<Range> = list.iter().map(way).collect();
        let found = Dimension::new(&ranges, 1 << place.row_shift, place.group_shift);
        place.bounds[index] = chunks.len() as u32;
        let leaves = found.bounds.chunks(BOUNDS);
        if leaves.len() > 1 {
            place.deep[index] = 1;
            let firsts: Vec<u64> = leaves.clone().filter_map(|leaf| leaf.first().copied()).collect();
            chunks.push(chunk_of(&firsts, NO_BOUND));
        }
        chunks.extend(leaves.map(|leaf| chunk_of(leaf, NO_BOUND)));
        place.rows[index] = chunks.len() as u32;
        chunks.extend(found.rows.chunks(CHUNK_WORDS).map(|rows| chunk_of(rows, 0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::rules;

    fn word(chunk: &[u8; CHUNK_BYTES], at: usize) -> u64 {
        u64::from_ne_bytes(chunk[at * 8..at * 8 + 8].try_into().unwrap())
    }

    /// As the programs look: the rules that are set for a key.
    fn set(chunks: &[[u8; CHUNK_BYTES]], place: &abi::List, index: usize, key: u64) -> Vec<usize> {
        let below = |chunk: u32| (0..BOUNDS).filter(|&at| word(&chunks[chunk as usize], at) <= key).count();
        let (mut chunk, mut row) = (place.bounds[index], 0);
        if place.deep[index] == 1 {
            row = (below(chunk) - 1) * BOUNDS;
            chunk += below(chunk) as u32;
        }
        row += below(chunk) - 1;
        let words = 1 << place.row_shift;
        let bit = |bit: usize| {
            let at = row * words + bit / 64;
            word(&chunks[place.rows[index] as usize + at / CHUNK_WORDS], at % CHUNK_WORDS) >> (bit % 64) & 1
        };
        let bits = (0..words * 64).filter(|&at| bit(at) == 1);
        bits.flat_map(|bit| bit << place.group_shift..(bit + 1) << place.group_shift).collect()
    }

    #[test]
    fn the_last_address_of_all_is_below_what_fills_a_chunk() {
        let mut text = "sg in all ::/0\n".to_owned();
        (0..20).for_each(|n| text += &format!("sg in tcp:22 fd00:{n:x}::/64\n"));
        let list = rules(&text).ingress.groups;
        let any = list.iter().position(|entry| entry.mask == [0; 16]);
        let (mut place, mut chunks) = (abi::List::default(), vec![[0; CHUNK_BYTES]]);
        add(&list, &mut place, &mut chunks);
        assert_eq!(set(&chunks, &place, abi::BY_ADDRESS, key([0xff; 16], 6)), Vec::from_iter(any));
    }

    #[test]
    fn a_rule_is_set_for_all_that_it_matches_and_little_else() {
        for count in [17usize, 64, 65, 300, 512, 513, 1024, 1025, 2048, 2049, 2051, 4095, 4096] {
            let mut text = String::new();
            for n in 0..count {
                let (a, b, port) = (n / 250, n % 250, n * 7 % 60_000);
                text += &match n % 3 {
                    0 => format!("sg in tcp:{port}-{} 10.{a}.{b}.0/24\n", port + 5),
                    1 => format!("sg in udp:{port} 2001:db8:{n:x}::/48\n"),
                    _ => format!("sg in all fd00:{n:x}::{n:x}/128\n"),
                };
            }
            let list = rules(&text).ingress.groups;
            assert_eq!(list.len(), count);
            let (mut place, mut chunks) = (abi::List::default(), vec![[0; CHUNK_BYTES]]);
            add(&list, &mut place, &mut chunks);
            for (n, entry) in list.iter().enumerate().step_by(count / 16) {
                let ((low, high), (first, last)) = (addresses(entry), ports(entry));
                for (index, key) in [
                    (abi::BY_ADDRESS, low),
                    (abi::BY_ADDRESS, high),
                    (abi::BY_PORT, first),
                    (abi::BY_PORT, last),
                ] {
                    let found = set(&chunks, &place, index, key);
                    assert!(found.contains(&n), "rule {n} of {count}, index {index}, key {key}");
                    // The last group may have places behind the list, which match nothing.
                    assert!(found.iter().all(|&at| at < count.next_multiple_of(1 << place.group_shift)));
                }
                // Addresses are all different: a group of rules at most.
                assert!(set(&chunks, &place, abi::BY_ADDRESS, low).len() <= 1 << place.group_shift, "{n}");
                assert!(
                    !set(&chunks, &place, abi::BY_ADDRESS, high + 1).contains(&n) || place.group_shift > 0
                );
            }
        }
    }
}
