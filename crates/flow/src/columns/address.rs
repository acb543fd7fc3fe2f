//! Is it an address? Without making one of it: columns have addresses as text.

use fearless_simd::{i16x8, prelude::*, u8x16, u8x64, u16x8};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text[start..end]` is an IPv4 or IPv6 address: what
/// `IpAddr::from_str` accepts.
#[inline(always)]
pub(super) fn is_address<S: Simd>(simd: S, text: &[u8], start: usize, end: usize) -> bool {
    let len = end.wrapping_sub(start);
    match text.get(start..).and_then(|rest| rest.first_chunk::<16>()) {
        Some(bytes) if is_ipv4(simd, bytes, len) => return true,
        _ => {}
    }
    match text.get(start..).and_then(|rest| rest.first_chunk::<64>()) {
        Some(bytes) if is_plain_ipv6(simd, bytes, len) => true,
        _ => is_any(text.get(start..end).unwrap_or_default()),
    }
}

/// Whether the first `len` bytes are an IPv6 address without an IPv4 address at
/// its end: up to eight groups of one to four hexadecimal digits, eight of them
/// or one `::` for those that lack.
#[inline(always)]
fn is_plain_ipv6<S: Simd>(simd: S, bytes: &[u8; 64], len: usize) -> bool {
    if !(2..=39).contains(&len) {
        return false;
    }
    let bytes = u8x64::from_slice(simd, bytes);
    let splat = |byte| u8x64::splat(simd, byte);
    let end = 1u64 << len;
    let colons = bytes.simd_eq(splat(b':')).to_bitmask() & (end - 1);
    let decimal = (bytes ^ splat(b'0')).simd_le(splat(9)).to_bitmask();
    let letter = ((bytes | splat(0x20)) - splat(b'a')).simd_le(splat(5)).to_bitmask();
    let digits = (decimal | letter) & (end - 1);
    let long = digits & digits >> 1 & digits >> 2 & digits >> 3 & digits >> 4;
    // A colon after a colon: one at most, and where one stands at an end.
    let gaps = colons & colons << 1;
    let groups = (digits & !(digits << 1)).count_ones();
    let ends_well = (colons & 1 == 0 || gaps & 2 != 0) && (colons & end >> 1 == 0 || gaps & end >> 1 != 0);
    let is_complete = if gaps == 0 { groups == 8 } else { groups <= 7 && gaps & (gaps - 1) == 0 };
    colons | digits == end - 1 && long == 0 && ends_well && is_complete
}

#[inline(never)]
fn is_any(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    if text.contains(':') { text.parse::<Ipv6Addr>().is_ok() } else { text.parse::<Ipv4Addr>().is_ok() }
}

/// Whether the first `len` bytes are an IPv4 address: four numbers up to 255
/// without leading zeros. Where the dots are leads to a [`Pattern`], which puts
/// all four numbers next to each other.
#[inline(always)]
fn is_ipv4<S: Simd>(simd: S, bytes: &[u8; 16], len: usize) -> bool {
    if len > 15 {
        return false;
    }
    let bytes = u8x16::from_slice(simd, bytes);
    let end = 1u32 << len;
    let dots = bytes.simd_eq(u8x16::splat(simd, b'.')).to_bitmask() as u32 & (end - 1);
    let stops = dots | end;
    let Some(pattern) = PATTERNS.get(slot(stops)) else { return false };
    let digits = (bytes ^ b'0').swizzle_dyn(u8x16::from_slice(simd, &pattern.places));
    let digits = digits & u8x16::from_slice(simd, &pattern.digits);
    // A leading zero turns into 255.
    let odd = digits.max(digits - u8x16::from_slice(simd, &pattern.first));
    // Of each number the two bytes are 0 and its hundreds, tens and ones: as in `number`.
    let twos: i16x8<S> = ((digits.bitcast::<u16x8<S>>() * (10 << 8 | 1)) >> 8).bitcast();
    let numbers = twos.pairwise_dot_product(i16x8::from_slice(simd, &[100, 1, 100, 1, 100, 1, 100, 1]));
    let wrong = odd.simd_gt(9).to_bitmask() | numbers.simd_gt(255).to_bitmask();
    pattern.stops == stops && wrong == 0
}

/// For four numbers of one to three digits each, where these are.
#[repr(C, align(64))]
struct Pattern {
    /// A bit after each number.
    stops: u32,
    /// The place of each digit in the text, in four bytes a number, the ones last.
    places: [u8; 16],
    /// Which of these bytes are digits, and which are such that may not be zero.
    digits: [u8; 16],
    first: [u8; 16],
}

/// The 81 patterns in the slots of their stops; elsewhere one that nothing has.
static PATTERNS: [Pattern; 256] = patterns();

/// A factor for which no two patterns have the same slot, found by trying.
#[inline(always)]
const fn slot(stops: u32) -> usize {
    (stops.wrapping_mul(0xa9a2_122d) >> 24) as usize
}

const fn patterns() -> [Pattern; 256] {
    let mut all = [const { Pattern { stops: 0, places: [0; 16], digits: [0; 16], first: [0; 16] } }; 256];
    let mut lengths = 0;
    while lengths < 81 {
        let mut pattern = Pattern { stops: 0, places: [0; 16], digits: [0; 16], first: [0; 16] };
        let (mut rest, mut start, mut number) = (lengths, 0, 0);
        while number < 4 {
            let len = rest % 3 + 1;
            rest /= 3;
            let mut digit = 0;
            while digit < len {
                let byte = 4 * number + 4 - len + digit;
                pattern.places[byte] = (start + digit) as u8;
                pattern.digits[byte] = 0xff;
                pattern.first[byte] = (digit == 0 && len > 1) as u8;
                digit += 1;
            }
            start += len;
            pattern.stops |= 1 << start;
            start += 1;
            number += 1;
        }
        let slot = slot(pattern.stops);
        assert!(all[slot].stops == 0);
        all[slot] = pattern;
        lengths += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;
    use std::net::IpAddr;

    fn check(text: &str) {
        let expected = text.parse::<IpAddr>().is_ok();
        for after in
            ["", " 10.0.0.1 20641 22 6 20 4249", "..............................", "00000000000000000000"]
        {
            let all = format!("{text}{after}");
            let level = Level::new();
            let found = dispatch!(level, simd => is_address(simd, all.as_bytes(), 0, text.len()));
            assert_eq!(found, expected, "{text:?} before {after:?}");
        }
    }

    #[test]
    fn every_octet_in_every_place() {
        for octet in 0..1100 {
            for text in [format!("{octet}.2.33.255"), format!("9.{octet}.10.0"), format!("0.25.{octet}.1")] {
                check(&text);
            }
            check(&format!("192.168.254.{octet}"));
            check(&format!("1.1.1.{octet:03}"));
            check(&format!("1.{octet:02}.1.1"));
        }
        for text in [
            "",
            ".",
            "...",
            "1...",
            "1.2.3",
            "1.2.3.",
            ".1.2.3",
            "1.2.3.4.",
            "1..2.3",
            "1.2.3.4.5",
            "1.2.3.4 ",
            "-",
            "1.2.3.-4",
            "1.2.3.a",
            "255.255.255.255",
            "2550.1.1.1",
            "1.2.3.4/5",
            "::",
            "::1",
            "2001:db8::1",
            "2001:DB8::1",
            "::ffff:1.2.3.4",
            "::ffff:1.2.3.400",
            "2600:1f18:4000:100:8d6e:3477:df66:f105",
            "2600:1f18:4000:100:8d6e:3477:df66:f105:1",
            "fe80::1%eth0",
            ":",
            ":::",
            "1::",
            "::1::",
            ":1::2",
            "1::2:",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8",
            "1:2:3:4::5:6:7:8",
            "1:2:3:4::6:7:8",
            "12345::",
            "a:b:c:d:e:f:a:g",
            "1:2:3:4:5:6:7:8:",
            ":1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "ABCD:EF01:2345:6789:abcd:ef01:2345:6789",
            "1:::2",
            "::ffff",
            "`::",
            "@::",
            "G::",
            "1:2:3:4:5:6:7.8.9.1",
            "1::7.8.9.1",
            "1.2.3.\u{663}",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn the_same_as_the_standard_library(text in "[0-9.]{0,17}|([0-9a-f]{0,5}:){0,9}[0-9a-f]{0,5}|([0-9]{1,4}\\.){3}[0-9]{1,4}|[0-9a-f:.]{0,40}|\\PC{0,8}") {
            check(&text);
        }
    }
}
