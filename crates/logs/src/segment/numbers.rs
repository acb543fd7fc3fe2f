//! Whole numbers, bit-packed in groups of 64; any of them is read on its own.
//!
//! ```text
//! signed smallest | varint scale | group * (varint base | u8 width) | group * 8 * width bytes
//! value = smallest + scale * (base of its group + its bits)
//! ```
//!
//! `scale` is the greatest common divisor of all differences (timestamps are
//! often whole seconds); 0 means that all values are the smallest, and nothing follows.

use super::bytes::{Bytes, signed, varint};

const GROUP: usize = 64;
/// So that eight, or sixteen, bytes can be read at any value.
const PADDING: usize = 16;

pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    let min = values.iter().copied().min().unwrap_or(0);
    let scale = scale(values, min);
    signed(min, out);
    varint(scale, out);
    if scale == 0 {
        return;
    }
    let mut bits = Vec::with_capacity(values.len() * 2);
    let mut group = [0; GROUP];
    for values in values.chunks(GROUP) {
        let (mut low, mut high) = (u64::MAX, 0);
        for (slot, value) in group.iter_mut().zip(values) {
            let difference = value.wrapping_sub(min) as u64;
            *slot = if scale == 1 { difference } else { difference / scale };
            (low, high) = (low.min(*slot), high.max(*slot));
        }
        let width = (64 - (high - low).leading_zeros()) as usize;
        varint(low, out);
        out.push(width as u8);
        let (mut held, mut count) = (0_u128, 0);
        for value in &group[..values.len()] {
            held |= u128::from(value - low) << count;
            count += width;
            while count >= 8 {
                bits.push(held as u8);
                held >>= 8;
                count -= 8;
            }
        }
        if count > 0 {
            bits.push(held as u8);
        }
        bits.resize(bits.len() + missing(values.len(), width), 0);
    }
    out.append(&mut bits);
}

/// Bytes that the last group lacks to 64 values.
fn missing(values: usize, width: usize) -> usize {
    8 * width - (values * width).div_ceil(8)
}

fn scale(values: &[i64], min: i64) -> u64 {
    let mut scale = 0_u64;
    for value in values {
        let mut rest = value.wrapping_sub(min) as u64;
        while rest != 0 {
            (scale, rest) = (rest, scale % rest);
        }
        if scale == 1 {
            break;
        }
    }
    scale
}

/// Numbers as they were read.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    min: i64,
    scale: u64,
    groups: Vec<Group>,
    bits: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    base: u64,
    at: u32,
    width: u32,
}

impl Numbers {
    /// Reads `count` numbers and goes on behind them.
    pub fn decode(bytes: &mut Bytes, count: usize) -> Option<Self> {
        let (min, scale) = (bytes.signed()?, bytes.varint()?);
        if scale == 0 {
            return Some(Self { min, scale, ..Self::default() });
        }
        let mut groups = Vec::with_capacity(count.div_ceil(GROUP));
        let mut at = 0_u32;
        for _ in 0..count.div_ceil(GROUP) {
            let base = bytes.varint()?;
            let width = u32::from(bytes.byte()?);
            if width > 64 {
                return None;
            }
            groups.push(Group { base, at, width });
            at = at.checked_add(8 * width)?;
        }
        let packed = bytes.take(at as usize)?;
        let mut bits = Vec::with_capacity(packed.len() + PADDING);
        bits.extend(packed);
        bits.resize(packed.len() + PADDING, 0);
        Some(Self { min, scale, groups, bits })
    }

    /// The only value, if all are alike.
    pub fn constant(&self) -> Option<i64> {
        (self.scale == 0).then_some(self.min)
    }

    /// # Panics
    /// If there are not so many.
    #[inline(always)]
    pub fn get(&self, index: usize) -> i64 {
        if self.scale == 0 {
            return self.min;
        }
        let Group { base, at, width } = self.groups[index / GROUP];
        let bit = (index % GROUP) * width as usize;
        let start = at as usize + bit / 8;
        let raw = if width <= 56 {
            let mut eight = [0; 8];
            eight.copy_from_slice(&self.bits[start..start + 8]);
            (u64::from_le_bytes(eight) >> (bit % 8)) & ((1 << width) - 1)
        } else {
            let mut sixteen = [0; 16];
            sixteen.copy_from_slice(&self.bits[start..start + 16]);
            ((u128::from_le_bytes(sixteen) >> (bit % 8)) & ((1 << width) - 1)) as u64
        };
        self.min.wrapping_add(base.wrapping_add(raw).wrapping_mul(self.scale) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(values: &[i64]) {
        let mut bytes = Vec::new();
        encode(values, &mut bytes);
        bytes.push(0xaa);
        let mut rest = Bytes(&bytes);
        let numbers = Numbers::decode(&mut rest, values.len()).unwrap();
        assert_eq!(rest.0, [0xaa]);
        let read: Vec<i64> = (0..values.len()).map(|i| numbers.get(i)).collect();
        assert_eq!(read, values);
    }

    #[test]
    fn extremes_round_trip() {
        for values in [
            &[][..],
            &[7],
            &[i64::MIN, i64::MAX],
            &[i64::MIN, -1, 0, 1, i64::MAX, 5],
            &[-3; 200],
            &[1_700_000_000_000, 1_700_000_060_000, 1_700_000_001_000],
        ] {
            round_trip(values);
        }
    }

    proptest! {
        #[test]
        fn any_numbers_round_trip(values in prop::collection::vec(any::<i64>(), 0..200), shift in 0..64_u32) {
            round_trip(&values.iter().map(|v| v >> shift).collect::<Vec<_>>());
        }
    }
}
