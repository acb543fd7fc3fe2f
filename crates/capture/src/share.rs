//! Dividing the tables among interfaces (`bpf/share.h`), and how many flows were
//! skipped.

use crate::abi;
use crate::sizes::Sizes;

/// Half of a table is divided evenly among interfaces; of the other half each
/// takes what it needs until nothing is left. One interface alone may have all.
pub(crate) fn divide(sizes: Sizes, interfaces: usize, control: &mut abi::Control) {
    let count = u32::try_from(interfaces.max(1)).unwrap_or(u32::MAX);
    let parts = |entries: u32| {
        let own = entries / 2 / count;
        (own, entries - own * count)
    };
    (control.own_flows, control.common_flows) = parts(sizes.flows);
    (control.own_connections, control.common_connections) = parts(sizes.connections);
}

/// The number of different flows that a sketch has seen, within a few percent.
///
/// Source: Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog: the analysis of a
/// near-optimal cardinality estimation algorithm", 2007.
pub(crate) fn estimate(ranks: &[u8; abi::SKETCH]) -> u64 {
    let registers = ranks.len() as f64;
    let sum: f64 = ranks.iter().map(|&rank| (-f64::from(rank)).exp2()).sum();
    let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
    let empty = ranks.iter().filter(|&&rank| rank == 0).count();
    if raw <= 2.5 * registers && empty > 0 {
        return (registers * (registers / empty as f64).ln()).round() as u64;
    }
    raw.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_has_its_part_and_nothing_is_left_over() {
        let sizes = Sizes { flows: 1000, connections: 7, interfaces: 16, fragments: 16 };
        for (interfaces, flows, connections) in [
            (0, (500, 500), (3, 4)),
            (1, (500, 500), (3, 4)),
            (3, (166, 502), (1, 4)),
            (4, (125, 500), (0, 7)),
        ] {
            let mut control = abi::Control::default();
            divide(sizes, interfaces, &mut control);
            assert_eq!((control.own_flows, control.common_flows), flows, "{interfaces}");
            assert_eq!((control.own_connections, control.common_connections), connections, "{interfaces}");
        }
    }

    #[test]
    fn an_estimate_is_within_a_tenth() {
        assert_eq!(estimate(&[0; abi::SKETCH]), 0);
        for count in [1u64, 10, 100, 1000, 5000, 100_000, 1_000_000] {
            let mut ranks = [0u8; abi::SKETCH];
            for n in 0..count {
                // splitmix64
                let mut hash = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                hash = (hash ^ hash >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                hash = (hash ^ hash >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
                hash ^= hash >> 31;
                let place = &mut ranks[hash as usize % abi::SKETCH];
                *place = (*place).max((hash >> 9).trailing_zeros() as u8 + 1);
            }
            let estimated = estimate(&ranks);
            assert!(estimated.abs_diff(count) * 10 <= count, "{estimated} of {count}");
        }
    }
}
